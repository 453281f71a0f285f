"""What the tests share: one user per role, a project, the honest way through the gates.

Nothing here writes a guarded field: releases get where they are by events and moves, as
they do in life.
"""

from contextlib import contextmanager
from datetime import timedelta
from unittest.mock import patch

from odoo.tests import TransactionCase, new_test_user
from odoo.tools import SQL

from odoo.addons.ipai_release_gates.errors import GateRefused

from .tables import tables
from .way import WayThroughGates, number, sha

MODULE = "ipai_release_gates"

#: login → the one group its user is in
ROLES = {
    "dev": "group_developer",
    "qa": "group_qa_tester",
    "rm": "group_release_manager",
    "sre": "group_sre",
    "ci": "group_ci_service",
    "auditor": "group_auditor",
    "governance": "group_governance_admin",
}
#: Codes of the stages, in the order in which a release passes them.
STAGES = tuple(tables.STAGES)

#: What a release without facts lacks, by gate.
G1_MISSING, G2_MISSING, G3_MISSING, G4_MISSING = (
    gate.missing for gate in tables.GATES.values()
)


class GateCase(WayThroughGates, TransactionCase):
    """Users with one role each, a project ``acme/shop`` with its environments."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.users = {
            login: cls.new_user(login, group) for login, group in ROLES.items()
        }
        cls.users["qa2"] = cls.new_user("qa2", "group_qa_tester")
        cls.users["rm2"] = cls.new_user("rm2", "group_release_manager")
        for login, user in cls.users.items():
            setattr(cls, login, user)
        cls.project = cls.env["ipai.project"].create(
            {
                "name": "acme/shop",
                "member_ids": [(6, 0, cls.dev.ids)],
                "required_checks": "unit_tests, lint",
            }
        )
        cls.environments = {
            category: cls.env["ipai.environment"].create(
                {"name": category, "project_id": cls.project.id, "category": category}
            )
            for category in ("dev", "staging", "production")
        }
        cls.stages = {
            stage.code: stage for stage in cls.env["ipai.release.stage"].search([])
        }
        cls.gates = {gate.code: gate for gate in cls.env["ipai.gate"].search([])}
        cls.personas = {
            persona.code: persona for persona in cls.env["ipai.persona"].search([])
        }

    @classmethod
    def new_user(cls, login, *groups, **values):
        """A user of the named groups of this addon; ``base.group_user`` by default."""
        names = [g if "." in g else f"{MODULE}.{g}" for g in groups]
        values.setdefault("email", f"{login}@example.com")
        values.setdefault("name", f"User {login}")
        return new_test_user(
            cls.env,
            login=login,
            groups=",".join(names or ["base.group_user"]),
            context={"no_reset_password": True, "mail_create_nolog": True},
            **values,
        )

    @classmethod
    def contradict(cls):
        """Have the consistency check find something that bears on no release."""
        cls.env["ipai.expertise.domain"].create(
            {"code": "odoo.QA.automation", "name": "Automation of tests"}
        )
        return cls.env["ipai.consistency.finding"]._refresh()

    @classmethod
    def webhook_source(cls, provider="github", **values):
        """A webhook of a code host, as governance makes it, without a secret."""
        return (
            cls.env["ipai.webhook.source"]
            .with_user(cls.governance)
            .create(
                {
                    "project_id": cls.project.id,
                    "provider": provider,
                    "user_id": cls.ci.id,
                    **values,
                }
            )
        )

    @classmethod
    def webhook(cls):
        """An endpoint of governance, with a delivery that has failed once."""
        cls.env["ipai.outbound.host"].create({"name": "hooks.example.com"})
        endpoint = (
            cls.env["ipai.webhook.endpoint"]
            .with_user(cls.governance)
            .create({"name": "Chat", "url": "https://hooks.example.com/"})
        )
        endpoint.action_rotate_secret()
        endpoint.action_send_test()
        endpoint.sudo().delivery_ids._record_attempt(None, "It was not reached.")
        return endpoint

    # --- the façade ------------------------------------------------------------------

    @classmethod
    def plane(cls, user):
        """The façade as a user calls it."""
        return cls.env["ipai.control.plane"].with_user(user)

    @classmethod
    def event(cls, event_type, payload, release=None, source="manual", **envelope):
        """An envelope about a release, with a key of its own.

        :param envelope: keys to set; ``None`` takes a key away
        """
        own = number()
        address = release.uuid if release else "acme/shop"
        event = {
            "schema_version": "v1.0",
            "idempotency_key": f"{source}/{address}/{event_type}/{own}",
            "event_type": event_type,
            "source_system": source,
            "release_id": release.uuid if release else None,
            "payload": payload,
            "emitted_at": "2026-01-31T09:30:00Z",
        }
        if release and "source_ref" not in payload:
            event["payload"] = {"source_ref": release.source_ref, **payload}
        event.update(envelope)
        return {key: value for key, value in event.items() if value is not None}

    @classmethod
    def ci_event(cls, event_type, payload, release=None, **envelope):
        """An envelope as a CI service sends it."""
        envelope.setdefault("source", "github_actions")
        return cls.event(event_type, payload, release, **envelope)

    @classmethod
    def send(cls, user, *events):
        """The answers to some events."""
        return cls.plane(user).ingest(list(events))

    @classmethod
    def must_send(cls, user, *events):
        """The answers to some events, all of which must be accepted."""
        answers = cls.send(user, *events)
        for answer in answers:
            assert answer["status"] == "accepted", answer
        return answers

    @classmethod
    def open_release(cls, name=None, user=None, **values):
        """Open a release through the façade, by CI unless said otherwise.

        :returns: the release, as superuser
        """
        name = name or f"shop {number()}"
        answer = cls.plane(user or cls.ci).open_release(
            {
                "project": cls.project.name,
                "name": name,
                "source_ref": sha(name),
                "environment_target": "production",
                "authors": ["dev@example.com"],
                **values,
            }
        )
        return cls.env["ipai.release"].browse(answer["id"])

    @classmethod
    def exception_values(cls, release, *waived, **values):
        """What a person drafts an exception with.

        :param waived: requirements as ``gate:code``, or gate codes; the sign-off of G2
            unless said otherwise
        """
        waived = waived or ("G2:qa_signoff",)
        Requirement = cls.env["ipai.gate.requirement"].with_context(active_test=False)
        requirements = Requirement.union(
            *(
                Requirement.search([("gate_id.code", "=", gate), ("code", "=", code)])
                for gate, code in (name.split(":") for name in waived if ":" in name)
            )
        )
        gates = requirements.gate_id | cls.env["ipai.gate"].search(
            [("code", "in", [name for name in waived if ":" not in name])]
        )
        return {
            "release_id": release.id,
            "exception_type": "gate_bypass",
            "risk_level": "low",
            "rationale": "The tester is ill.",
            "risk_statement": "A defect may reach the customer.",
            "gate_ids": [(6, 0, gates.ids)],
            "requirement_ids": [(6, 0, requirements.ids)],
            "expires_at": cls.env.cr.now() + timedelta(hours=40),
            **values,
        }

    @classmethod
    def grant(cls, release, *waived, user=None, **values):
        """An exception that is requested and approved by whom its risk asks for."""
        exception = (
            cls.env["ipai.exception"]
            .with_user(user or cls.dev)
            .create(cls.exception_values(release, *waived, **values))
        )
        exception.action_request()
        for approver, persona in ((cls.rm, "release_manager"), (cls.sre, "sre")):
            if persona in exception._risk_personas():
                cls.env["ipai.approval"].with_user(approver).create(
                    {
                        "exception_id": exception.id,
                        "persona_id": cls.personas[persona].id,
                        "decision": "approved",
                        "rationale_text": "Looked into it.",
                    }
                )
        assert exception.state == "active"
        return exception.sudo()

    # --- questions -------------------------------------------------------------------

    def verdict(self, release, user=None, target="production"):
        """The verdict through the façade."""
        return self.plane(user or self.rm).verdict(release.uuid, target)

    def judged(self, release):
        """The fresh verdict over all gates, as plain values of the policy core."""
        return release._verdicts()[release.id]

    def status(self, release, gate):
        """The fresh status of a gate; the stored one must say the same."""
        fresh = self.judged(release).gate(gate).status
        self.assertEqual(self.stored(release)[gate], fresh)
        return fresh

    def stored(self, release):
        """The stored statuses by gate, as the database has them."""
        self.env.flush_all()
        self.env.cr.execute(
            "SELECT g.code, rg.status FROM ipai_release_gate rg"
            " JOIN ipai_gate g ON g.id = rg.gate_id WHERE rg.release_id = %s",
            [release.id],
        )
        return dict(self.env.cr.fetchall())

    def unmet(self, release, *gates):
        """The fresh unmet conditions as ``gate:code``, of all gates or some."""
        return {
            f"{gate.code}:{condition.code}"
            for gate, condition in self.judged(release).unmet
            if not gates or gate.code in gates
        }

    def reason_of(self, release, gate, code):
        """Why a condition stands as it stands."""
        conditions = self.judged(release).gate(gate).conditions
        return next(c.reason for c in conditions if c.code == code)

    def refused(self, releases, stage, user=None, **vals):
        """Write a stage as a user, be refused.

        :returns: what was named as ``gate:code``, without the colon for what is no gate
        """
        releases = releases.with_user(user or self.rm)
        with self.assertRaises(GateRefused) as caught:
            releases.write({"stage_id": self.stages[stage].id, **vals})
        refusal = caught.exception.context["refusal"]
        self.assertEqual(refusal["stage"]["code"], stage)
        return self.named(*refusal["releases"], message=str(caught.exception))

    def named(self, *refusals, message):
        """The conditions that refusals name; each reason is in the message too."""
        found = set()
        for refusal in refusals:
            for problem in refusal["reasons"]:
                self.assertIn(problem["reason"], message)
                found.add(f"{problem['gate']}:{problem['code']}".lstrip(":"))
        return found

    def ledger(self, release, *kinds):
        """The entries of a release's chain in order, of some kinds."""
        self.env.flush_all()
        entries = self.env["ipai.ledger.entry"].search(
            [("release_id", "=", release.id)], order="sequence"
        )
        return entries.filtered(lambda e: not kinds or e.kind in kinds)

    @contextmanager
    def undone(self):
        """What happens inside is rolled back."""
        with self.env.cr.savepoint() as savepoint:
            yield
            savepoint.rollback()

    @contextmanager
    def later(self, **delta):
        """The clock of the transaction shows another time inside."""
        cr = self.env.cr
        now = cr.now()
        cr._now = now + timedelta(**delta)
        try:
            yield cr._now
        finally:
            cr._now = now

    @contextmanager
    def scheduled(self, **delta):
        """Scheduled actions can be run inside, at another time."""
        now = self.env.cr.now() + timedelta(**delta)
        self.env.flush_all()
        with (
            self.enter_registry_test_mode(),
            patch("odoo.tests.test_cursor.TestCursor.now", lambda _cursor: now),
        ):
            yield now
        self.env.invalidate_all()

    def snapshot(self, *tables):
        """Everything in some tables, to be compared with later."""
        self.env.flush_all()
        contents = {}
        for table in tables:
            rows = self.env.execute_query(
                SQL("SELECT t::text FROM %s t ORDER BY id", SQL.identifier(table))
            )
            contents[table] = [row[0] for row in rows]
        return contents
