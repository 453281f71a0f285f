"""What the actions of the table are tried on, made by the same doors as in life.

Plain Python without Odoo: everything is made by the ``call`` that is handed in, as
``call(login, model, method, args, kwargs)``. Every piece of material is a release of a
project of its own, so that no incident or control of one holds the other.
"""

import hashlib
import itertools
from datetime import datetime, timedelta, timezone

from .table import (
    CONFIGURATION,
    FOR_GOOD,
    PLANE,
    exception_decision,
    exception_values,
)

#: How far the release of a kind has come; of other kinds it is in Build, G1 passed.
_LEVELS = (
    "build",
    "qa",
    "qa_signed",
    "staging",
    "staging_signed",
    "production",
)
#: kind → who drafts its exception, of which risk, and what happens to it then
_EXCEPTIONS = {
    "drafted": ("dev", "low", ()),
    "drafted_by_rm": ("rm", "low", ()),
    "requested": ("dev", "low", ("request",)),
    "requested_by_rm": ("rm", "low", ("request",)),
    "requested_high": ("dev", "high", ("request",)),
    "active": ("dev", "low", ("request", "rm")),
    "active_high": ("dev", "high", ("request", "rm", "sre")),
    "active_critical": ("dev", "critical", ("request", "rm", "sre")),
    "foreign": ("rm", "low", ("request",)),
    "everything": ("dev", "critical", ("request", "rm", "sre")),
}
_numbers = itertools.count(1)


def _moment(**delta):
    moment = datetime.now(timezone.utc) + timedelta(**delta)
    return f"{moment:%Y-%m-%d %H:%M:%S}"


class Maker:
    """Makes material, many pieces at a time.

    :param call: ``call(login, model, method, args, kwargs)``
    """

    def __init__(self, call):
        self._call = call

    def make(self, *kinds):
        """Make one piece of material of each kind.

        :returns: list of dicts, in the same order: the ids and names that the actions
            of the table use
        """
        words = self._words()
        pieces = [{**words, "kind": kind} for kind in kinds]
        self._open(pieces)
        self._advance(pieces)
        self._except(pieces)
        self._operate(pieces)
        return pieces

    # --- the way of a release --------------------------------------------------------

    def _words(self):
        """The ids of what everybody knows by name."""
        found = {
            word: {
                row[name]: row["id"]
                for row in self._call(
                    "governance", model, "search_read", [[], [name]], {}
                )
            }
            for word, model, name in (
                ("gate", "ipai.gate", "code"),
                ("stage", "ipai.release.stage", "code"),
                ("persona", "ipai.persona", "code"),
                ("type", "ipai.evidence.type", "code"),
                ("domains", "ipai.expertise.domain", "code"),
                ("user", "res.users", "login"),
            )
        }
        (persona,) = self._call(
            "governance",
            "ipai.persona",
            "read",
            [[found["persona"]["developer"]], ["group_id"]],
            {},
        )
        return {
            **found,
            "domain": min(found.pop("domains").values()),
            "group": persona["group_id"][0],
            "soon": _moment(hours=40),
            "later": _moment(hours=60),
        }

    def _create(self, login, model, vals_list):
        if not vals_list:
            return []
        return self._call(login, model, "create", [vals_list], {})

    def _open(self, pieces):
        """A project with its environments and a release that passes G1, for each."""
        dev = pieces[0]["user"]["dev"]
        names = [f"roles/{piece['kind']}-{next(_numbers)}" for piece in pieces]
        projects = self._create(
            "governance",
            "ipai.project",
            [
                {
                    "name": name,
                    "member_ids": [[6, 0, [dev] * (piece["kind"] != "foreign")]],
                }
                for name, piece in zip(names, pieces, strict=True)
            ],
        )
        categories = ("staging", "production")
        environments = self._create(
            "governance",
            "ipai.environment",
            [
                {"name": category, "category": category, "project_id": project}
                for project in projects
                for category in categories
            ],
        )
        controls = {
            row["environment_id"][0]: row["id"]
            for row in self._call(
                "governance",
                "ipai.environment.control",
                "search_read",
                [
                    [["environment_id", "in", environments], ["kind", "=", "masking"]],
                    ["environment_id"],
                ],
                {},
            )
        }
        made = iter(environments)
        for name, project, piece in zip(names, projects, pieces, strict=True):
            environment = {category: next(made) for category in categories}
            piece.update(
                project=project,
                project_name=name,
                environment=environment,
                control=controls[environment["staging"]],
                source_ref=hashlib.sha1(name.encode()).hexdigest(),
            )
        # Before the first release: each change would judge all releases again.
        self._govern(pieces)
        for piece in pieces:
            name = piece["project_name"]
            opened = self._call(
                "ci",
                PLANE,
                "open_release",
                [
                    {
                        "project": name,
                        "name": name,
                        "source_ref": piece["source_ref"],
                        "environment_target": "production",
                        "authors": ["dev@example.com"],
                    }
                ],
                {},
            )
            piece.update(release=opened["id"], uuid=opened["uuid"])
        build = {
            "status": "pass",
            "checks": [
                {"name": name, "status": "pass"} for name in ("unit_tests", "lint")
            ],
            "log_url": "https://ci.example.com/run/1",
        }
        self._send("ci", [(piece, "build_complete", build, None) for piece in pieces])

    def _send(self, login, events):
        """Send ``(piece, event type, payload, gate)``; every event must be accepted.

        :returns: the answers
        """
        answers = self._ingest(login, events)
        for answer in answers:
            assert answer["status"] == "accepted", answer
        return answers

    def _ingest(self, login, events):
        sent = []
        for piece, event_type, payload, gate in events:
            key = f"manual/{piece['uuid']}/{event_type}/m{next(_numbers)}"
            event = {
                "schema_version": "v1.0",
                "idempotency_key": key,
                "event_type": event_type,
                "source_system": "manual",
                "release_id": piece["uuid"],
                "payload": {"source_ref": piece["source_ref"], **payload},
                "emitted_at": "2026-01-31T09:30:00Z",
            }
            sent.append({**event, "gate_code": gate} if gate else event)
        return self._call(login, PLANE, "ingest", [sent], {}) if sent else []

    def _advance(self, pieces):
        """Bring the releases to the level that their kind names."""

        def of(level):
            later = _LEVELS[_LEVELS.index(level) :]
            return [piece for piece in pieces if piece["kind"] in later]

        self._move(of("qa"), "qa_validation")
        proofs = ("acceptance_criteria", "defect_register", "test_result")
        self._prove("qa", of("qa"), "G2", *proofs)
        self._sign("qa", of("qa_signed"), "G2", "qa_tester")
        self._move(of("staging"), "staging_acceptance")
        self._prove("rm", of("staging"), "G3", "rollback_plan", "release_notes")
        self._sign("rm", of("staging_signed"), "G3", "release_manager")
        self._move(of("production"), "production")
        self._deploy(of("production"), "production")
        health = {"environment": "production", "status": "pass"}
        self._send("ci", [(p, "health_check", health, None) for p in of("production")])
        for code, metadata in (
            ("monitoring_baseline", {"status": "normal"}),
            ("fallback_timer", {"minutes": 30}),
        ):
            self._prove("sre", of("production"), "G4", code, metadata=metadata)

    def _move(self, pieces, stage):
        for piece in pieces:
            arguments = [piece["uuid"], stage]
            answer = self._call("rm", PLANE, "request_move", arguments, {})
            assert answer["moved"], answer

    def _prove(self, login, pieces, gate, *codes, metadata=None):
        self._send(
            login,
            [
                (
                    piece,
                    "evidence",
                    {
                        "type": code,
                        "url": f"https://ci.example.com/{code}",
                        "metadata": metadata or {},
                    },
                    gate,
                )
                for piece in pieces
                for code in codes
            ],
        )

    def _sign(self, login, pieces, gate, persona):
        payload = {"persona": persona, "decision": "approved"}
        self._send(login, [(piece, "gate_signoff", payload, gate) for piece in pieces])

    def _deploy(self, pieces, environment):
        payload = {"environment": environment, "status": "succeeded"}
        answers = self._send(
            "ci",
            [
                (
                    piece,
                    "deployment_event",
                    {**payload, "external_id": f"deploy-m{next(_numbers)}"},
                    None,
                )
                for piece in pieces
            ],
        )
        for piece, answer in zip(pieces, answers, strict=True):
            (piece["deployment"],) = answer["detail"]["created"]["deployments"]

    # --- what hangs on a release -----------------------------------------------------

    def _except(self, pieces):
        drafts = [piece for piece in pieces if piece["kind"] in _EXCEPTIONS]
        for login in ("dev", "rm"):
            mine = [p for p in drafts if _EXCEPTIONS[p["kind"]][0] == login]
            ids = self._create(
                login,
                "ipai.exception",
                [exception_values(p, _EXCEPTIONS[p["kind"]][1]) for p in mine],
            )
            for piece, id_ in zip(mine, ids, strict=True):
                piece["exception"] = id_
            requested = [
                piece["exception"]
                for piece in mine
                if "request" in _EXCEPTIONS[piece["kind"]][2]
            ]
            if requested:
                self._call(login, "ipai.exception", "action_request", [requested], {})
        for login, persona in (("rm", "release_manager"), ("sre", "sre")):
            self._create(
                login,
                "ipai.approval",
                [
                    exception_decision(piece, persona)
                    for piece in drafts
                    if login in _EXCEPTIONS[piece["kind"]][2]
                ],
            )

    def _operate(self, pieces):
        def of(*kinds):
            return [piece for piece in pieces if piece["kind"] in kinds]

        self._deploy(of("deployed_by_ci", "everything"), "staging")
        mine = of("deployed_by_sre")
        deployments = self._create(
            "sre",
            "ipai.deployment",
            [
                {
                    "release_id": piece["release"],
                    "environment_id": piece["environment"]["staging"],
                    "external_id": f"deploy-s{next(_numbers)}",
                }
                for piece in mine
            ],
        )
        for piece, id_ in zip(mine, deployments, strict=True):
            piece["deployment"] = id_
        mine = of("incident", "incident_resolved", "everything")
        incidents = self._create(
            "sre",
            "ipai.incident",
            [
                {"release_id": piece["release"], "name": "Down", "severity": "high"}
                for piece in mine
            ],
        )
        for piece, id_ in zip(mine, incidents, strict=True):
            piece["incident"] = id_
        resolved = [piece["incident"] for piece in of("incident_resolved")]
        if resolved:
            told = {"root_cause": "The disk was full.", "outcome": "Nothing lost."}
            self._call("sre", "ipai.incident", "write", [resolved, told], {})
            self._call("sre", "ipai.incident", "action_resolve", [resolved], {})
        self._keep(of("kept"))
        self._sign("qa", of("everything"), "G2", "qa_tester")
        for piece in of("everything"):
            self._drill(piece)
            release = [[piece["release"]]]
            self._call("rm", "ipai.release", "action_verify_ledger", release, {})

    def _keep(self, pieces):
        """Events that are rejected now, and would be accepted when sent again."""
        payload = {"environment": "not yet there", "status": "pass"}
        answers = self._ingest(
            "ci", [(piece, "health_check", payload, None) for piece in pieces]
        )
        for piece, answer in zip(pieces, answers, strict=True):
            assert answer["status"] == "rejected", answer
            piece["log"] = answer["ingest_id"]
        self._create(
            "governance",
            "ipai.environment",
            [
                {
                    "name": "not yet there",
                    "category": "dev",
                    "project_id": piece["project"],
                }
                for piece in pieces
            ],
        )

    def _drill(self, piece):
        self._call(
            "sre",
            "ipai.environment.control",
            "record_check",
            [[piece["control"]], "pass"],
            {},
        )
        self._create(
            "sre",
            "ipai.recovery.drill",
            [
                {
                    "environment_id": piece["environment"]["production"],
                    "drill_type": "failover",
                    "outcome": "failure",
                    "note": "It did not switch over.",
                    "criterion_ids": [[0, 0, {"name": "It switches over"}]],
                }
            ],
        )

    # --- configuration ---------------------------------------------------------------

    def _govern(self, pieces):
        for piece in pieces:
            if piece["kind"] == "config":
                self._configure(piece)
            elif piece["kind"] in ("ci_account", "everything"):
                self._make_service(piece)
            if piece["kind"] == "everything":
                self._configure(piece)

    def _configure(self, piece):
        """Two records of every model that governance configures, and the settings."""
        piece["config"], piece["unused"] = {}, {}
        for model, (created, _changed) in CONFIGURATION.items():
            for held in ("config", "unused"):
                (piece[held][model],) = self._create(
                    "governance", model, [created(piece)]
                )
        # A domain without a primary persona is something to find.
        spec = {"specification": {"code": {}}}
        self._call(
            "governance", "ipai.consistency.finding", "web_search_read", [[]], spec
        )
        rows = self._call("governance", "ipai.settings", "search", [[]], {})
        (piece["settings"],) = rows

    def _make_service(self, piece):
        login = f"ci-m{next(_numbers)}"
        (wizard,) = self._create(
            "governance",
            "ipai.ci.onboarding.wizard",
            [{"name": "CI", "login": login, "lifetime_days": 1}],
        )
        arguments = [[wizard]]
        self._call(
            "governance",
            "ipai.ci.onboarding.wizard",
            "action_create_service",
            arguments,
            {},
        )
        domain = [["login", "=", login]]
        (piece["account"],) = self._call(
            "governance", "ipai.ci.account", "search", [domain], {}
        )


#: The models of which nobody changes, deletes or duplicates a record.
LASTING = (*FOR_GOOD, "ipai.settings")
