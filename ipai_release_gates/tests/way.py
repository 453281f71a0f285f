"""The honest way of a release through its gates: facts by events, moves by people."""

import hashlib
import itertools

from .tables import tables

_numbers = itertools.count(1)


def number():
    """A number that this test run has not used yet."""
    return next(_numbers)


def sha(seed):
    """A full commit SHA, always the same for one seed."""
    return hashlib.sha1(seed.encode()).hexdigest()


class WayThroughGates:
    """What :class:`~.common.GateCase` records, and how it gets a release further."""

    # --- facts -----------------------------------------------------------------------

    @classmethod
    def check(cls, release, name, status="pass", **more):
        """CI reports a check."""
        payload = {"name": name, "status": status, **more}
        return cls.must_send(cls.ci, cls.ci_event("check_result", payload, release))[0]

    @classmethod
    def evidence_event(cls, release, type_code, gate=None, **more):
        """An envelope with evidence as a person sends it."""
        payload = {"type": type_code, "url": f"https://ci.example.com/{type_code}"}
        payload.update(more)
        return cls.event("evidence", payload, release, gate_code=gate)

    @classmethod
    def evidence(cls, user, release, type_code, gate=None, **more):
        """A person records evidence."""
        event = cls.evidence_event(release, type_code, gate, **more)
        return cls.must_send(user, event)[0]

    @classmethod
    def signoff_event(cls, release, gate, persona, decision="approved", **more):
        payload = {"persona": persona, "decision": decision, **more}
        return cls.event("gate_signoff", payload, release, gate_code=gate)

    @classmethod
    def sign(cls, user, release, gate, decision="approved", **more):
        """A person decides on G2 as QA tester, or on G3 as release manager."""
        persona = {"G2": "qa_tester", "G3": "release_manager"}[gate]
        event = cls.signoff_event(release, gate, persona, decision, **more)
        return cls.must_send(user, event)[0]

    @classmethod
    def deploy(cls, release, status="succeeded", environment="production", **more):
        """CI reports a deployment.

        :returns: the deployment
        """
        payload = {
            "environment": environment,
            "status": status,
            "external_id": f"deploy-{number()}",
            **more,
        }
        event = cls.ci_event("deployment_event", payload, release)
        answer = cls.must_send(cls.ci, event)[0]
        ids = answer["detail"]["created"]["deployments"]
        return cls.env["ipai.deployment"].browse(ids)

    @classmethod
    def health(cls, release, status="pass", environment="production", **more):
        """CI reports the health of what was deployed."""
        payload = {"environment": environment, "status": status, **more}
        return cls.must_send(cls.ci, cls.ci_event("health_check", payload, release))[0]

    # --- the way through the gates ---------------------------------------------------

    @classmethod
    def pass_g1(cls, release):
        payload = {
            "status": "pass",
            "checks": [
                {"name": "unit_tests", "status": "pass"},
                {"name": "lint", "status": "pass"},
            ],
            "log_url": "https://ci.example.com/run/1",
        }
        cls.must_send(cls.ci, cls.ci_event("build_complete", payload, release))

    @classmethod
    def pass_g2(cls, release, user=None):
        types = ("acceptance_criteria", "defect_register", "test_result")
        cls.must_send(
            user or cls.qa,
            *(cls.evidence_event(release, code, "G2") for code in types),
            cls.signoff_event(release, "G2", "qa_tester"),
        )

    @classmethod
    def pass_g3(cls, release, user=None):
        cls.must_send(
            user or cls.rm,
            cls.evidence_event(release, "rollback_plan", "G3"),
            cls.evidence_event(release, "release_notes", "G3"),
            cls.signoff_event(release, "G3", "release_manager"),
        )

    @classmethod
    def pass_g4(cls, release):
        cls.deploy(release)
        cls.health(release)
        normal, timer = {"status": "normal"}, {"minutes": 30}
        cls.must_send(
            cls.sre,
            cls.evidence_event(release, "monitoring_baseline", "G4", metadata=normal),
            cls.evidence_event(release, "fallback_timer", "G4", metadata=timer),
        )

    @classmethod
    def pass_gates(cls, release, *codes):
        """Record what the named gates ask for."""
        for code in codes:
            getattr(cls, f"pass_{code.lower()}")(release)

    @classmethod
    def move(cls, release, stage, user=None, reason=None):
        """Move a release through the façade; it must succeed."""
        answer = cls.plane(user or cls.rm).request_move(release.uuid, stage, reason)
        assert answer["moved"], answer

    @classmethod
    def bring_to(cls, release, stage):
        """Bring a release in Build to a stage: every gate passed, every move made."""
        stages = list(tables.STAGES)
        for place, code in enumerate(stages[1 : stages.index(stage) + 1], start=1):
            cls.pass_gates(release, f"G{place}")
            cls.move(release, code)
        return release
