import json

from odoo import api, models

from ...governance import gatefile
from ...governance.gatefile import pages
from ...ingest import describe

_GENERATED = "Generated from the addon's records by `python3 -m tools publish`."
#: Groups in the order of the security table, and what a column calls them.
_ROLES = {
    "group_developer": "developer",
    "group_qa_tester": "qa_tester",
    "group_release_manager": "release_manager",
    "group_sre": "sre",
    "group_ci_service": "ci_service",
    "group_auditor": "auditor",
    "group_governance_admin": "governance_admin",
}
_RIGHTS = (
    ("perm_read", "r"),
    ("perm_create", "c"),
    ("perm_write", "w"),
    ("perm_unlink", "d"),
)


class PolicyFile(models.AbstractModel):
    _inherit = "ipai.policy.file"

    @api.model
    def _published(self):
        """What is published of the policy, for ``tools publish``.

        :returns: text by path: ``gates/…`` whole files, ``parts/…`` what a page shows
        """
        known = self._known()
        files = {}
        for name, schema in self._schemas().items():
            editor = f"yaml-language-server: $schema=schema/{name}.json"
            files[f"gates/{schema.filename}"] = self._export(
                name, f"{editor}\n# {_GENERATED}"
            )
            shape = gatefile.json_schema(schema, known)
            files[f"gates/schema/{name}.json"] = json.dumps(shape, indent=2) + "\n"
        files |= {f"parts/{name}": text for name, text in self._parts().items()}
        return files

    @api.model
    def _parts(self):
        policy = self._present(self._schemas()["gate_schema"])
        kinds = self.env["ipai.gate.requirement"]._kinds_by_code()
        exceptions = self._define_exception_schema()
        events = self.env["ipai.control.plane"]._event_kinds_by_code()
        return {
            "requirements": pages.requirements_table(policy["gates"], kinds),
            "stages": pages.stages_table(policy["stages"]),
            "exception-types": pages.exception_types_table(exceptions),
            "exception-risks": pages.risks_table(exceptions),
            "exception-states": pages.states_table(exceptions),
            "not-waivable": pages.not_waivable_table(policy["gates"]),
            "envelope": pages.table(
                ("field", "required", "takes"),
                (
                    (pages.code(name), "yes" if required else "no", words)
                    for name, required, words in describe.envelope_rows(events)
                ),
            ),
            "payloads": pages.table(
                ("event_type", "field", "required", "takes"),
                (
                    (pages.code(event), pages.code(name), _yes(required), words)
                    for event, name, required, words in describe.payload_rows(events)
                ),
            ),
            "senders": pages.table(
                ("event_type", "sent by"),
                (
                    (pages.code(event), _senders(senders))
                    for event, senders in describe.sender_rows(events)
                ),
            ),
            "answers": pages.table(
                ("status", "HTTP", "code", "when"),
                (
                    (pages.code(status), http_status, pages.code(code), meaning)
                    for status, http_status, code, meaning in describe.answer_rows()
                ),
            ),
            "access-matrix": self._access_matrix(),
            "record-rules": self._record_rules(),
        }

    @api.model
    def _models(self):
        """The names of the addon's lasting models."""
        return sorted(
            name
            for name in self.env.registry
            if name.startswith("ipai.")
            and not self.env[name]._abstract
            and not self.env[name]._transient
        )

    @api.model
    def _role_of(self):
        """The roles by the database id of their group, in order."""
        return {
            self.env.ref(f"ipai_release_gates.{group}").id: role
            for group, role in _ROLES.items()
        }

    @api.model
    def _access_matrix(self):
        """Role × model × right, from the access rights in the database."""
        roles = self._role_of()
        rights = self.env["ir.model.access"].search([])
        granted = {}
        for right in rights:
            letters = "".join(letter for name, letter in _RIGHTS if right[name])
            granted[right.model_id.model, right.group_id.id] = letters
        return pages.table(
            ("model", *roles.values()),
            (
                (
                    pages.code(model),
                    *(granted.get((model, group)) for group in roles),
                )
                for model in self._models()
            ),
        )

    @api.model
    def _record_rules(self):
        """Which records of a model a role sees, in the words of the rules' names."""
        roles, shown = self._role_of(), set(self._models())
        rules = (
            self.env["ir.rule"]
            .search([])
            .filtered(lambda rule: rule.model_id.model in shown)
        )
        return pages.table(
            ("model", "for", "only"),
            (
                (
                    pages.code(rule.model_id.model),
                    ", ".join(
                        role
                        for group, role in roles.items()
                        if group in rule.groups.ids
                    )
                    or "everybody",
                    rule.name.partition(": ")[2].rpartition(", ")[2],
                )
                for rule in rules.sorted(
                    lambda rule: (rule.model_id.model, bool(rule.groups), rule.id)
                )
            ),
        )


def _yes(required):
    return "yes" if required else "no"


def _senders(senders):
    if len(senders) == len(_ROLES):
        return "every role; whether the signature counts is judged when it is recorded"
    return ", ".join(
        role if any_gate else f"{role} (G4 or no gate)" for role, any_gate in senders
    )
