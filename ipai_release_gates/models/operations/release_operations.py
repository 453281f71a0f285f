from odoo import fields, models


class Release(models.Model):
    """The operations on a release, and the actions that open their wizards."""

    _inherit = "ipai.release"

    environment_event_count = fields.Integer(compute="_compute_operation_counts")
    drill_count = fields.Integer(
        compute="_compute_operation_counts", help="Drills of the release's project."
    )

    def _compute_operation_counts(self):
        events, drills = {}, {}
        if self.env["ipai.environment.event"].has_access("read"):
            events = dict(
                self.env["ipai.environment.event"]._read_group(
                    [("release_id", "in", self.ids)], ["release_id"], ["__count"]
                )
            )
        if self.env["ipai.recovery.drill"].has_access("read"):
            drills = dict(
                self.env["ipai.recovery.drill"]._read_group(
                    [("project_id", "in", self.project_id.ids)],
                    ["project_id"],
                    ["__count"],
                )
            )
        for release in self:
            release.environment_event_count = events.get(release._origin, 0)
            release.drill_count = drills.get(release.project_id._origin, 0)

    def action_open_drills(self):
        """Open the drills of the release's project."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "ipai_release_gates.ipai_recovery_drill_action"
        )
        action["domain"] = [("project_id", "=", self.project_id.id)]
        action["context"] = {}
        return action

    # --- doors to the wizards --------------------------------------------------------

    def action_deploy(self):
        """Open the wizard that records the deployment of these releases."""
        return self._open_wizard("ipai_deploy_wizard_action")

    def action_roll_back(self):
        """Open the wizard that records the rollback of these releases."""
        return self._open_wizard("ipai_roll_back_wizard_action")

    def action_open_incident(self):
        """Open the wizard that opens an incident on these releases."""
        return self._open_wizard("ipai_open_incident_wizard_action")
