from odoo import api, models


class Deployment(models.Model):
    """The outcome of a production deployment is confirmed in time, or G4 fails."""

    _inherit = "ipai.deployment"

    @api.model
    def _fail_overdue(self):
        """Fail G4 of deployments that were not confirmed in time (scheduled)."""
        return self._work_through(
            [
                ("environment_id.category", "=", "production"),
                ("status", "=", "succeeded"),
                ("confirmation_due_at", "<", self.env.cr.now()),
                ("confirmed_at", "=", False),
                ("deadline_missed_at", "=", False),
            ],
            "_miss_deadline",
        )

    def _miss_deadline(self):
        # Judged first: with an exception the outcome may stand confirmed just now.
        self.release_id._rejudge([], starts=False)
        missed = self.filtered(lambda deployment: not deployment.confirmed_at)
        missed.system_write(
            {"g4_status": "failed", "deadline_missed_at": self.env.cr.now()}
        )
        missed.release_id._rejudge(
            [deployment._ledger_draft() for deployment in missed], starts=False
        )
        for deployment in missed:
            self.env["ipai.environment.event"]._note(
                deployment.environment_id,
                "alert_fired",
                {"reason": "g4_deadline", "reference": deployment.external_id},
                release_id=deployment.release_id.id,
                deployment_id=deployment.id,
            )
            # What something newer replaced is nothing to roll back any more.
            if not deployment._successor():
                deployment._propose_rollback(
                    self.env._(
                        "Its outcome was not confirmed by the deadline, so G4 failed."
                    )
                )

    def _successor(self):
        """A later successful deployment to the same environment, or nothing."""
        return self.search(
            [
                ("environment_id", "=", self.environment_id.id),
                ("status", "=", "succeeded"),
                ("id", "!=", self.id),
                "|",
                ("deployed_at", ">", self.deployed_at),
                "&",
                ("deployed_at", "=", self.deployed_at),
                ("id", ">", self.id),
            ],
            limit=1,
        )
