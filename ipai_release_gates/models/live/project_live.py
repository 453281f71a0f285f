from odoo import api, models

from .release_live import CHANNEL

CHANNELS_CHANGED = "ipai_release_gates/channels"


class Project(models.Model):
    """Which channels a user hears of releases on, and when that changes."""

    _inherit = "ipai.project"

    @api.model_create_multi
    def create(self, vals_list):
        projects = super().create(vals_list)
        projects._tell_members(projects.member_ids)
        return projects

    def write(self, vals):
        before = self.member_ids if "member_ids" in vals else self.env["res.users"]
        result = super().write(vals)
        if "member_ids" in vals:
            after = self.member_ids
            self._tell_members((before | after) - (before & after))
        elif "company_id" in vals:
            self._tell_members(self.member_ids)
        return result

    def _tell_members(self, users):
        # A message to each, whatever the user who changes the project may read.
        users.sudo().partner_id._bus_send(CHANNELS_CHANGED, {})

    @api.model
    def _live_channels(self):
        """The channels on which the current user hears of the releases they may read.

        Whoever reads every release of their companies hears of each company's, so a
        new project needs no new subscription; a developer hears of the projects they
        belong to. A client cannot ask for any of them by name.

        :returns: list of ``(record, subchannel)``
        """
        user = self.env.user
        if not self.env["ipai.release"].has_access("read"):
            return []
        # A rule's groups, to know where the user stands; they learn nothing of it.
        rule = self.env.ref("ipai_release_gates.ipai_release_rule_others").sudo()
        if rule.groups & user.all_group_ids:
            return [(company, CHANNEL) for company in user.company_ids]
        # Read in all companies of the user: the switch of companies is the page's own.
        projects = self.with_context(
            allowed_company_ids=user.company_ids.ids, active_test=False
        )
        return [(project, CHANNEL) for project in projects.search([])]
