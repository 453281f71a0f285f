"""Random lives of releases, lived through the doors that people and CI have."""

import random
from contextlib import suppress
from datetime import timedelta

from odoo.exceptions import UserError

from .common import sha

#: What governance demands besides: what time and metadata decide on.
DEMANDS = {
    "test_evidence": {"freshness_hours": 30.0},
    "defect_register": {
        "metadata_match": '{"open": [0, 1, null], "agreed": true, "by": "qa"}'
    },
    "evidence_package": {"freshness_hours": 50.0},
}
#: What may happen, and how often.
DEEDS = {
    "check": 6,
    "evidence": 5,
    "register": 6,
    "baseline": 2,
    "sign": 3,
    "revise": 1,
    "grant": 5,
    "ask": 1,
    "deploy": 2,
    "incident": 0.1,
    "pass": 9,
}


class Lives:
    """Brings releases to random states within the last four days.

    :param case: the :class:`~.common.GateCase` whose users act
    :param seed: the same seed makes the same lives
    """

    def __init__(self, case, seed):
        self.case = case
        self.env = case.env
        self.chance = random.Random(seed)

    def live(self, count, deeds):
        """Let releases live.

        :param int count: how many releases
        :param int deeds: the most that happens to one
        :returns: the releases; nothing judged them since their last event
        """
        case, chance = self.case, self.chance
        with case.later(hours=-100):
            self._govern()
        releases = self.env["ipai.release"]
        for _life in range(count):
            with case.later(hours=-chance.uniform(90, 100)):
                release = case.open_release()
            releases += release
            # Some ended their life long ago, others just now.
            last = chance.choice((0, 0, 30, 60))
            ages = [chance.uniform(last, 90) for _deed in range(deeds)]
            for age in sorted(ages, reverse=True)[: chance.randint(1, deeds)]:
                (deed,) = chance.choices(list(DEEDS), DEEDS.values())
                # What the doors refuse does not happen.
                with (
                    suppress(UserError, AssertionError),
                    case.later(hours=-age),
                    self.env.cr.savepoint(),
                ):
                    getattr(self, f"_{deed}")(release)
        self.env.flush_all()
        return releases

    def _govern(self):
        now = self.env.cr.now()
        self.case.project.confirmation_hours = 30
        requirements = self.env["ipai.gate.requirement"].search([])
        for code, values in DEMANDS.items():
            requirements.filtered(lambda r, code=code: r.code == code).write(values)
        self.env["ipai.freeze.window"].create(
            [
                {
                    "name": f"freeze {start}",
                    "starts_at": now + timedelta(hours=start),
                    "ends_at": now + timedelta(hours=end),
                    "project_ids": [(6, 0, self.case.project.ids)],
                }
                for start, end in ((20, 40), (95, 99))
            ]
        )

    # --- deeds -----------------------------------------------------------------------

    def _send(self, user, release, code, gate, **more):
        event = self.case.evidence_event(release, code, gate, **more)
        self.case.send(user, event)

    def _check(self, release):
        name = self.chance.choice(("unit_tests", "lint", "end_to_end"))
        status = self.chance.choice(("pass", "pass", "fail", "warning", "skipped"))
        self.case.check(release, name, status)

    def _evidence(self, release):
        code, gate = self.chance.choice(
            (
                ("build_log", "G1"),
                ("acceptance_criteria", None),
                ("test_result", "G2"),
                ("test_result", "G3"),
                ("rollback_plan", "G3"),
                ("release_notes", "G3"),
            )
        )
        user = self.case.rm if gate == "G3" else self.case.qa
        self._send(user, release, code, gate)

    def _register(self, release):
        said = {
            "open": self.chance.choice((0, 1.0, False, 2, 3)),
            "agreed": self.chance.choice((True, 1, False, "yes")),
            "by": "qa",
        }
        if self.chance.random() < 0.4:
            said.pop("open")
        self._send(self.case.qa, release, "defect_register", "G2", metadata=said)

    def _baseline(self, release):
        said = {"status": self.chance.choice(("normal", "normal", "abnormal"))}
        self._send(self.case.sre, release, "monitoring_baseline", "G4", metadata=said)

    def _sign(self, release):
        case = self.case
        gate, user = self.chance.choice(
            (("G2", case.qa), ("G2", case.qa2), ("G3", case.rm), ("G3", case.rm2))
        )
        decision = self.chance.choice(("approved", "approved", "rejected"))
        case.sign(user, release, gate, decision)

    def _revise(self, release):
        commit = sha(str(self.chance.random()))
        release.with_user(self.case.rm).write({"source_ref": commit})

    def _grant(self, release):
        chance = self.chance
        waived = chance.choice(
            (
                ("G2",),
                ("G1", "G2"),
                ("G1", "G2", "G3"),
                ("G3",),
                ("G1:build_log", "G1:required_checks", "G1:branch_build"),
                ("G2:test_evidence", "G2:qa_signoff"),
                ("G2:defect_register", "G3:rollback_plan", "G3:evidence_package"),
                ("G4:confirmed_in_time",),
            )
        )
        start = self.env.cr.now() + timedelta(
            hours=chance.choice((0, 0, 0, 0, 20, 100))
        )
        hours = chance.choice((2, 30, 60, 91, 120, 140))
        values = {"effective_from": start, "risk_level": "low"}
        if chance.random() < 0.25:
            hours = min(hours, 48)
            values.update(risk_level="critical", compensating_controls="Watched.")
        values["expires_at"] = start + timedelta(hours=hours)
        exception = self.case.grant(release, *waived, user=self.case.rm2, **values)
        if chance.random() < 0.15:
            exception.with_user(self.case.rm).action_revoke("Not needed.")

    def _ask(self, release):
        exceptions = self.env["ipai.exception"].with_user(self.case.dev)
        asked = exceptions.create(self.case.exception_values(release))
        if self.chance.random() < 0.7:
            asked.action_request()

    def _deploy(self, release):
        status = self.chance.choice(("succeeded", "succeeded", "failed", "in_progress"))
        where = self.chance.choice(("production", "production", "staging"))
        self.case.deploy(release, status, where)
        if where == "production" and self.chance.random() < 0.5:
            self.case.health(release, self.chance.choice(("pass", "pass", "fail")))
        self._resolve(release)

    def _incident(self, release):
        incidents = self.env["ipai.incident"].with_user(self.case.sre)
        incidents.create({"release_id": release.id, "name": "Down"})
        self._resolve(release)

    def _resolve(self, release):
        # An open incident holds up every release of the project.
        incidents = release.incident_ids.filtered(lambda each: not each.resolved_at)
        if self.chance.random() < 0.95:
            incidents.with_user(self.case.sre).action_resolve()

    def _pass(self, release):
        for gate in ("G1", "G2", "G3", "G4")[: self.chance.randint(1, 4)]:
            self.case.pass_gates(release, gate)
            if gate == "G2":
                said = {"open": 0, "agreed": True, "by": "qa"}
                self._send(
                    self.case.qa, release, "defect_register", gate, metadata=said
                )
