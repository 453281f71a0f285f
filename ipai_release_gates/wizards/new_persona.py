from odoo import SUPERUSER_ID, api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Command

_MODULE = "ipai_release_gates"
#: ability → the role and the models whose access rights are copied
ABILITIES = {
    "may_record_evidence": (
        "group_qa_tester",
        ("ipai.evidence", "ipai.record.evidence.wizard"),
    ),
    "may_decide": (
        "group_qa_tester",
        ("ipai.approval", "ipai.decide.wizard", "ipai.decide.wizard.line"),
    ),
    "may_move": ("group_qa_tester", ("ipai.release", "ipai.move.wizard")),
    "may_request_exceptions": (
        "group_developer",
        ("ipai.exception", "ipai.exception.wizard", "ipai.exception.end.wizard"),
    ),
    "may_operate": (
        "group_sre",
        (
            "ipai.deployment",
            "ipai.deploy.wizard",
            "ipai.incident",
            "ipai.incident.entry",
            "ipai.open.incident.wizard",
            "ipai.recovery.drill",
            "ipai.recovery.drill.criterion",
            "ipai.environment.event",
            "ipai.environment.control",
            "ipai.check.control.wizard",
        ),
    ),
}
#: Groups that cannot be those of a persona: service accounts sign nothing, and
#: governance decides nothing.
_NO_PERSONAS = ("group_ci_service", "group_governance_admin")


class NewPersonaWizard(models.TransientModel):
    """Makes a persona from the template: its group, its rights, a draft contract.

    The user picks rights among those of the existing roles. They go to a new group
    without members; an administrator of Odoo adds members, as for any role.
    """

    _name = "ipai.new.persona.wizard"
    _description = "New persona from the template"

    name = fields.Char(required=True)
    code = fields.Char(required=True, help="Lower-case, e.g. security_reviewer.")
    mission = fields.Text()
    domain_ids = fields.Many2many(
        "ipai.expertise.domain",
        string="Shares in expertise",
        help="Whether it is the primary of a domain is set on the persona.",
    )
    group_choice = fields.Selection(
        [("new", "A new group"), ("existing", "A group there is")],
        string="Held by",
        required=True,
        default="new",
    )
    group_id = fields.Many2one("res.groups")
    may_read = fields.Boolean(
        string="Read everything",
        default=True,
        help="What auditors read. The rights below need it.",
    )
    may_record_evidence = fields.Boolean(
        string="Record evidence", help="As QA testers do."
    )
    may_decide = fields.Boolean(
        string="Sign gates",
        help="Those whose requirements ask for this persona, and no others.",
    )
    may_move = fields.Boolean(
        string="Move releases",
        help="Into stages that name this persona, and no others.",
    )
    may_request_exceptions = fields.Boolean(
        string="Request exceptions", help="As developers do."
    )
    may_operate = fields.Boolean(
        string="Record operations",
        help="Deployments, incidents, drills and checks of controls, as SREs do.",
    )

    def action_create_persona(self):
        """Button: make the persona and open the draft of its contract.

        :raises UserError: for a group or rights that do not fit
        """
        self.ensure_one()
        if not self.env.user.has_group(f"{_MODULE}.group_governance_admin"):
            raise AccessError(self.env._("Governance administrators make personas."))
        # Without the caller's context: no default of theirs has an effect.
        self = self.with_context({"lang": self.env.lang})
        chosen = [ability for ability in ABILITIES if self[ability]]
        if self.group_choice == "existing":
            group = self._existing_group()
            rights = None
        else:
            if chosen and not self.may_read:
                raise UserError(
                    self.env._(
                        "Nobody can record or decide what they cannot read: tick "
                        "“Read everything” too."
                    )
                )
            group, rights = self._new_group(chosen)
        persona = self.env["ipai.persona"].create(
            {"name": self.name, "code": self.code, "group_id": group.id, "sequence": 50}
        )
        self.env["ipai.persona.expertise"].create(
            [
                {"persona_id": persona.id, "domain_id": domain.id, "level": "shared"}
                for domain in self.domain_ids
            ]
        )
        if rights is not None:
            self._record_rights(persona, group, rights)
        self.env["ipai.persona.contract"].create(
            {"persona_id": persona.id, "mission": self.mission}
        )
        return persona.action_new_contract()

    def _existing_group(self):
        # sudo: governance may not read groups
        group = self.group_id.sudo()
        if not group:
            raise UserError(self.env._("Choose the group that holds the persona."))
        never = [self.env.ref(f"{_MODULE}.{name}") for name in _NO_PERSONAS]
        if any(each in group.all_implied_ids for each in never):
            raise UserError(
                self.env._(
                    "Service accounts sign nothing and governance decides nothing: "
                    "neither group can hold a persona."
                )
            )
        if not group.all_implied_ids & self.env.ref("base.group_user"):
            raise UserError(self.env._("Only internal users hold a persona."))
        return group

    def _new_group(self, chosen):
        """A new group without members that has the chosen abilities.

        :param chosen: names of :data:`ABILITIES`
        :returns: the group, and its rights as texts
        """
        # As the superuser, because governance may not create groups. The group gets
        # rights that other roles have on the models of ABILITIES, and no others; only
        # an administrator of Odoo can add members.
        env = self.with_user(SUPERUSER_ID).env
        implied = "group_auditor" if self.may_read else "base.group_user"
        implied = env.ref(implied if "." in implied else f"{_MODULE}.{implied}")
        group = env["res.groups"].create(
            {
                "name": self.name,
                "privilege_id": env.ref(f"{_MODULE}.privilege_release_gates").id,
                "implied_ids": [Command.set(implied.ids)],
                "user_ids": [Command.clear()],
                "comment": self.mission or False,
            }
        )
        rights = [f"reads as {implied.get_external_id()[implied.id]}"]
        for ability in chosen:
            rights += self._copy_rights(env, group, *ABILITIES[ability])
        return group.with_env(self.env), sorted(rights)

    @api.model
    def _copy_rights(self, env, group, role, names):
        """Give a group the rights that a role has on some models, and no others.

        :returns: the rights as texts
        """
        source = env.ref(f"{_MODULE}.{role}")
        rows = env["ir.model.access"].search(
            [("group_id", "=", source.id), ("model_id.model", "in", list(names))]
        )
        found, rights = rows.mapped("model_id.model"), []
        missing = set(names) - set(found)
        if missing:
            raise UserError(
                self.env._(
                    "%(role)s has no rights on %(models)s to copy.",
                    role=source.name,
                    models=", ".join(sorted(missing)),
                )
            )
        for row in rows:
            operations = ("perm_read", "perm_write", "perm_create", "perm_unlink")
            values = {name: row[name] for name in operations}
            env["ir.model.access"].create(
                {
                    **values,
                    "name": f"{row.model_id.model} {self.code}",
                    "model_id": row.model_id.id,
                    "group_id": group.id,
                }
            )
            words = [name.removeprefix("perm_") for name in operations if values[name]]
            rights.append(f"{row.model_id.model}: {', '.join(words)}")
        return rights

    def _record_rights(self, persona, group, rights):
        body = {
            "what": f"rights of ipai.persona {persona.code}",
            "before": None,
            "after": {"group": f"res.groups,{group.id}", "rights": rights},
        }
        # sudo: only the system appends entries
        entries = self.env["ipai.ledger.entry"].sudo()
        entries._record_governance([("policy_changed", persona, body)])
