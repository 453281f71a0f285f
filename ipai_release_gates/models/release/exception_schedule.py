from odoo import api, models
from odoo.fields import Domain


class ReleaseException(models.Model):
    """What the clock does to exceptions, for people to see.

    Nothing here decides: an exception that is over covers nothing, whether or not
    these actions ran. They record it, re-open the gates on the board and notify people.
    """

    _name = "ipai.exception"
    _inherit = ["ipai.exception", "ipai.scheduled.mixin"]

    @api.model
    def _expire_due(self):
        """Record the exceptions that have expired."""
        self._work_through(
            Domain("state", "=", "active")
            & Domain("expires_at", "<=", self.env.cr.now()),
            "_expire",
            batch_size=500,
        )
        self._work_through(
            Domain("state", "=", "requested")
            & Domain("expires_at", "<=", self.env.cr.now()),
            "_reject_undecided",
        )

    def _expire(self):
        self._become("expired", ended_at=self.env.cr.now())
        self._log_on_releases(self.env._("%s has expired."))

    def _reject_undecided(self):
        self._become(
            "rejected",
            ended_at=self.env.cr.now(),
            end_reason=self.env._("Nobody decided before it would have expired."),
        )
        self._log_on_releases(self.env._("%s was not decided in time."))

    @api.model
    def _remind_due(self):
        """Remind of the exceptions that will expire soon."""
        now = self.env.cr.now()
        self._work_through(
            Domain("state", "=", "active")
            & Domain("reminded_at", "=", False)
            & Domain("remind_at", "<=", now)
            & Domain("expires_at", ">", now),
            "_remind",
        )

    def _remind(self):
        self.system_write({"reminded_at": self.env.cr.now()})
        self.env["ipai.webhook.delivery"]._queue_expiring(self)
        self._update_activities()

    @api.model
    def _chase_reviews(self):
        """Follow up the post-event reviews that are overdue."""
        self._work_through(
            Domain("review_status", "=", "pending")
            & Domain("review_chased_at", "=", False)
            & Domain("review_due_at", "<", self.env.cr.now()),
            "_chase_review",
        )

    def _chase_review(self):
        self.system_write({"review_chased_at": self.env.cr.now()})
        self._update_activities()
        self._rejudge_project(
            [
                (
                    exception.release_id.id,
                    "exception_review_overdue",
                    exception,
                    {"exception": exception._reference(), "state": exception.state},
                )
                for exception in self
            ]
        )

    def _log_on_releases(self, message):
        """One log line per release, however many of its exceptions it is about."""
        by_release = self.grouped("release_id")
        releases = self.env["ipai.release"].union(*by_release)
        releases._message_log_batch(
            bodies={
                release.id: message % ", ".join(exceptions.mapped("display_name")[:20])
                for release, exceptions in by_release.items()
            }
        )
