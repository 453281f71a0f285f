"""The guarded models, and what people may write and create there."""

from odoo.exceptions import UserError

from ... import governance
from ..common import ROLES, GateCase, sha

GUARD = "ipai.guarded.mixin"
#: model → what a person may write there; nothing anywhere else
WRITABLE = {
    "ipai.release": {
        "name",
        "active",
        "user_id",
        "priority",
        "description",
        "planned_date",
        "environment_target",
        "scope_metadata",
        "source_ref",
        "author_emails",
        "artifact_digest",
        "stage_id",
        "move_reason",
    },
    "ipai.deployment": {"status"},
    "ipai.exception": {
        "exception_type",
        "risk_level",
        "rationale",
        "risk_statement",
        "compensating_controls",
        "gate_ids",
        "requirement_ids",
        "effective_from",
        "expires_at",
    },
    "ipai.incident": {"recovery_actions", "outcome", "root_cause"},
    "ipai.persona.contract": {
        *governance.FIELDS,
        "outcomes",
        "governance_overlay",
        "change_note",
        "review_cadence",
    },
    "ipai.webhook.source": {"user_id", "overlap_hours", "active"},
    "ipai.webhook.endpoint": {
        "name",
        "url",
        "project_ids",
        "active",
        "on_gate_passed",
        "on_gate_bypassed",
        "on_gate_failed",
        "on_gate_reopened",
        "on_release_moved",
        "on_release_cancelled",
        "on_exception_expiring",
        "on_exception_expired",
    },
}
#: model → what a person may give when recording
CREATABLE = {
    "ipai.release": WRITABLE["ipai.release"] - {"move_reason"} | {"project_id"},
    "ipai.check": {
        "release_id",
        "name",
        "status",
        "gate_id",
        "artifact_ref",
        "metadata",
    },
    "ipai.evidence": {
        "release_id",
        "type_id",
        "gate_id",
        "deployment_id",
        "drill_id",
        "url",
        "content",
        "filename",
        "sha256",
        "metadata",
        "note",
    },
    "ipai.exception": WRITABLE["ipai.exception"] | {"release_id"},
    "ipai.approval": {
        "release_id",
        "gate_id",
        "exception_id",
        "persona_id",
        "decision",
        "rationale_structured",
        "rationale_text",
    },
    "ipai.deployment": {
        "release_id",
        "environment_id",
        "external_id",
        "status",
        "rollback_of_id",
    },
    "ipai.incident": {
        "release_id",
        "name",
        "external_id",
        "severity",
        "deployment_id",
        "blocking",
        "detected_at",
    },
    "ipai.incident.entry": {"incident_id", "occurred_at", "kind", "text"},
    "ipai.environment.event": {
        "environment_id",
        "event_type",
        "occurred_at",
        "data",
        "note",
        "release_id",
    },
    "ipai.recovery.drill": {
        "environment_id",
        "drill_type",
        "executed_at",
        "outcome",
        "restore_validated",
        "log_url",
        "note",
        "criterion_ids",
        "evidence_ids",
    },
    "ipai.persona.contract": WRITABLE["ipai.persona.contract"] | {"persona_id"},
    "ipai.webhook.source": WRITABLE["ipai.webhook.source"] | {"project_id", "provider"},
    "ipai.webhook.endpoint": WRITABLE["ipai.webhook.endpoint"] - {"active"}
    | {"company_id"},
}
#: what people record that is no fact about one release
NO_FACTS = {
    "ipai.release",
    "ipai.incident.entry",
    "ipai.environment.event",
    "ipai.recovery.drill",
    "ipai.persona.contract",
    "ipai.webhook.source",
    "ipai.webhook.endpoint",
}
#: what governance itself makes
OF_GOVERNANCE = {
    "ipai.persona.contract",
    "ipai.webhook.source",
    "ipai.webhook.endpoint",
}
FORGED_CONTEXTS = (
    {"ipai_engine": True},
    {"ipai_engine": 1},
    {"ipai_engine": "engine"},
    {"ipai_engine": object()},
    {"ipai_engine": {}},
    {"install_mode": True},
    {"import_file": True},
    {"tracking_disable": True},
    {"_force_unlink": True},
    {"active_test": False},
    {"module": "ipai_release_gates", "update": True, "noupdate": True},
    {"force_company": 1, "lang": "en_US", "uid": 1, "su": True},
)


class GuardCase(GateCase):
    """A record of every guarded model, and people who attack it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.release = cls.open_release("guarded")
        cls.pass_gates(cls.release, "G1", "G2")
        cls.deploy(cls.release, "in_progress", "staging")
        cls.approved = cls.open_release("approved")
        cls.pass_gates(cls.approved, "G1", "G2", "G3")
        cls.env["ipai.incident"].with_user(cls.sre).create(
            {"release_id": cls.release.id, "name": "Down", "blocking": False}
        )
        cls.env["ipai.exception"].with_user(cls.dev).create(
            cls.exception_values(cls.release)
        )
        cls.release.with_user(cls.auditor).action_verify_ledger()
        cls.env["ipai.recovery.drill"].with_user(cls.sre).create(cls.drill_values())
        controls = cls.env["ipai.environment.control"].search(
            [("kind", "!=", "lifetime"), ("project_id", "=", cls.project.id)]
        )
        controls[0].with_user(cls.sre).record_check("pass")
        cls.contradict()
        cls.webhook_source()
        cls.webhook()
        cls.env.flush_all()
        cls.everyone = [
            *(cls.users[login] for login in ROLES),
            cls.env.ref("base.user_admin"),
        ]
        cls.records = {
            model: cls.env[model].search([], limit=1)
            for model in cls.registry
            if model != GUARD
            and not cls.registry[model]._abstract
            and issubclass(cls.registry[model], cls.registry[GUARD])
        }

    @classmethod
    def drill_values(cls):
        """Values of a successful drill."""
        return {
            "environment_id": cls.environments["staging"].id,
            "drill_type": "backup_restore",
            "outcome": "success",
            "restore_validated": True,
            "log_url": "https://ci.example.com/drill",
            "criterion_ids": [(0, 0, {"name": "Starts", "met": True})],
        }

    def refuses(self, attempt, error=UserError):
        """The attempt ends in a refusal; without a savepoint, as nothing is written."""
        try:
            attempt()
        except error:
            return
        self.fail("nothing was refused")

    def as_everyone(self, record):
        """A record as every role, as the administrator, and as superuser."""
        for user in self.everyone:
            yield record.with_user(user)
        yield record.sudo()
        yield record.with_user(self.env.ref("base.user_admin")).sudo()

    def value(self, record, name):
        """Some value of a field, as ``write`` takes it."""
        field = record._fields[name]
        if field.type in ("one2many", "many2many"):
            return [(5,)]
        if field.type == "integer":
            return 7
        value = record[name]
        return field.convert_to_write(value, record) if value else False

    def guarded_fields(self, model, open_):
        return sorted(set(self.env[model]._fields) - open_.get(model, set()) - {"id"})

    def valid(self, model):
        """A user who may create a record of the model, and values that are valid."""
        release = self.release.id
        type_ = self.env["ipai.evidence.type"].search([("code", "=", "test_result")])
        return {
            "ipai.release": (
                self.rm,
                {
                    "name": "new",
                    "project_id": self.project.id,
                    "source_ref": sha("new"),
                    "author_emails": "dev@example.com",
                },
            ),
            "ipai.check": (
                self.dev,
                {"release_id": release, "name": "lint", "status": "pass"},
            ),
            "ipai.evidence": (
                self.qa,
                {
                    "release_id": release,
                    "type_id": type_.id,
                    "url": "https://ci.example.com/t",
                },
            ),
            "ipai.approval": (
                self.qa,
                {
                    "release_id": release,
                    "gate_id": self.gates["G2"].id,
                    "persona_id": self.personas["qa_tester"].id,
                    "decision": "approved",
                },
            ),
            "ipai.deployment": (
                self.sre,
                {
                    "release_id": self.approved.id,
                    "environment_id": self.environments["production"].id,
                    "external_id": "new",
                    "status": "succeeded",
                },
            ),
            "ipai.incident": (self.sre, {"release_id": release, "name": "new"}),
            "ipai.exception": (self.dev, self.exception_values(self.release)),
            "ipai.incident.entry": (
                self.sre,
                {"incident_id": self.release.incident_ids.id, "text": "Restarted"},
            ),
            "ipai.environment.event": (
                self.sre,
                {
                    "environment_id": self.environments["staging"].id,
                    "event_type": "backup_complete",
                },
            ),
            "ipai.recovery.drill": (self.sre, self.drill_values()),
            "ipai.persona.contract": (
                self.governance,
                {"persona_id": self.personas["sre"].id, "mission": "To run it."},
            ),
            "ipai.webhook.source": (
                self.governance,
                {
                    "project_id": self.project.id,
                    "provider": "gitlab",
                    "user_id": self.ci.id,
                },
            ),
            "ipai.webhook.endpoint": (
                self.governance,
                {"name": "Mail", "url": "https://hooks.example.com/mail"},
            ),
        }.get(model, (self.rm, {}))
