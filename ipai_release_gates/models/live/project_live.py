from odoo import api, models

from .release_live import CHANNEL

CHANNELS_CHANGED = "ipai_release_gates/channels"


class Project(models.Model):
    """Which bus channels a user is subscribed to, and when that changes."""

    _inherit = "ipai.project"

    @api.model_create_multi
    def create(self, vals_list):
        projects = super().create(vals_list)
        projects._notify_bus_of_channels(projects.member_ids)
        return projects

    def write(self, vals):
        before = self.member_ids if "member_ids" in vals else self.env["res.users"]
        result = super().write(vals)
        if "member_ids" in vals:
            after = self.member_ids
            self._notify_bus_of_channels((before | after) - (before & after))
        elif "company_id" in vals:
            self._notify_bus_of_channels(self.member_ids)
        return result

    def _notify_bus_of_channels(self, users):
        """Have the clients of some users subscribe again."""
        # sudo: the editor may not read partners
        users.sudo().partner_id._bus_send(CHANNELS_CHANGED, {})

    @api.model
    def _live_channels(self):
        """The channels with news of the releases that the current user may read.

        A user who reads every release of their companies gets each company's channel,
        so a new project needs no new subscription. A developer gets the channels of
        the projects they belong to. A client cannot ask for any of them by name.

        :returns: list of ``(record, subchannel)``
        """
        user = self.env.user
        if not self.env["ipai.release"].has_access("read"):
            return []
        # sudo: users may not read record rules
        rule = self.env.ref("ipai_release_gates.ipai_release_rule_others").sudo()
        if rule.groups & user.all_group_ids:
            return [(company, CHANNEL) for company in user.company_ids]
        # In all companies of the user: the company switcher belongs to the page.
        projects = self.with_context(
            allowed_company_ids=user.company_ids.ids, active_test=False
        )
        return [(project, CHANNEL) for project in projects.search([])]
