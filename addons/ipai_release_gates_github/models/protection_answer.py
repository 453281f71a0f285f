from datetime import timedelta

from odoo import models
from odoo.exceptions import LockError
from odoo.tools import SQL

from odoo.addons.queue_job.exception import RetryableJobError

from .. import github
from .connection import Refused, TryLater
from .repository import LONGEST_WAIT


class GithubProtection(models.Model):
    """Answering GitHub: the job behind every request.

    It may run twice, late or beside another: what it answers is the verdict of the
    moment, and nothing where GitHub has that answer already.
    """

    _inherit = "ipai.github.protection"

    def _answer(self):
        """Answer with what the gates say now (job).

        :raises RetryableJobError: when another job is at the same request or release
        """
        # In one language, so that the same answer is not sent again in another.
        # sudo: a job of any user
        protection = self.sudo().with_context(lang=False).exists()
        if not protection or protection.is_settled:
            return self.env._("GitHub takes no further answer.")
        protection._alone()
        now = self.env.cr.now()
        if protection.next_try_at and now < protection.next_try_at:
            # Put off; the job of then exists.
            return self.env._("Put off until %s.", protection.next_try_at)
        if over := protection._over(now):
            return protection._settle(over)
        repository = self.env["ipai.github.repository"]._of(protection.project_id)
        run, problem = protection._run_or_problem(repository, protection)
        if problem:
            return protection._settle(problem)
        if run != protection.run:
            protection.system_write({"run": run})
        return protection._answer_by(repository, now)

    def _alone(self):
        """Keep other jobs from this request until this one is done."""
        try:
            self.lock_for_update(allow_referencing=True)
        except LockError:
            raise RetryableJobError(
                "Another job is at it.", seconds=2, ignore_retry=True
            ) from None

    def _over(self, now):
        """Why GitHub waits for this no longer, if it does not."""
        if now >= self.requested_at + LONGEST_WAIT:
            return self.env._("GitHub gave up after 30 days.")
        if self._later_ones():
            return self.env._("The job asked again: its newer request is answered.")
        return None

    def _later_ones(self):
        return self.search_count(
            [
                ("project_id", "=", self.project_id.id),
                ("run", "=", self.run),
                ("environment", "=", self.environment),
                ("id", ">", self.id),
            ],
            limit=1,
        )

    def _answer_by(self, repository, now):
        judgement = self._judge(repository)
        kind = self._kind_of(judgement, repository, now)
        comment = self._comment_of(judgement, kind)
        seen = {"release_id": judgement.release.id, "target": judgement.target}
        if self._has(kind, comment):
            self.system_write({**seen, "problem": False, "next_try_at": False})
            return self.env._("GitHub has this answer.")
        body = {"environment_name": self.environment, "comment": comment}
        if kind != "report":
            body["state"] = kind
        try:
            # The token first: it may take a while, in which the verdict may change.
            repository._token("deployments")
            if kind == "approved":
                self._hold(judgement.release)
            repository._call(
                "deployments",
                "POST",
                f"/actions/runs/{self.run}/deployment_protection_rule",
                body,
            )
        except TryLater as failure:
            return self._try_later(repository, failure, now, seen)
        except Refused as refusal:
            if refusal.status == 422:
                return self._not_waiting(repository, kind, refusal, now, seen)
            self.system_write({**seen, "problem": str(refusal)[:1000]})
            return str(refusal)
        self._took(kind, comment, now, seen)
        return kind

    def _kind_of(self, judgement, repository, now):
        """``approved``, ``rejected``, or ``report``, which decides nothing.

        Without a release to judge there is no verdict to reject by: a report to GitHub
        says why the job waits.
        """
        if judgement.eligible:
            return "approved"
        if now >= self.requested_at + timedelta(hours=repository.deadline_hours):
            return "rejected"
        if judgement.eligible is None or repository.answer_mode == "wait":
            # Once a job is rejected there is nothing left to report on.
            return "report" if self.state == "waiting" else "rejected"
        return "rejected"

    def _comment_of(self, judgement, kind):
        headline = {
            "approved": self.env._("Approved: %s", judgement.headline),
            "rejected": self.env._("Rejected: %s", judgement.headline),
            "report": self.env._("Waiting: %s", judgement.headline),
        }[kind]
        links = []
        if judgement.release:
            links.append(
                f"[{self.env._('Open the release')}]"
                f"({judgement.release._github_details_url()})"
            )
        # By which GitHub's settings of the app find the delivery, and this server finds
        # what it answered.
        links.append(self._mark())
        return github.review_comment(
            headline,
            judgement.reasons,
            " · ".join(links),
            self.env._("… and %s more", "{}"),
        )

    def _mark(self):
        return f"`{github.clip(self.delivery, 64)}`".replace("``", "")

    def _has(self, kind, comment):
        """Whether GitHub needs no answer of this kind any more."""
        if kind == "report":
            return self.report_count >= github.MAX_REPORTS or self.comment == comment
        return self.state == kind

    def _hold(self, release):
        """Lock the release against new facts until GitHub has the approval.

        PostgreSQL refuses the lock when a fact was recorded since this job looked, as
        it refuses a stage move; the job then starts again on the new facts.
        """
        self.env.cr.execute(
            SQL("SELECT id FROM ipai_release WHERE id = %s FOR UPDATE", release.id)
        )

    # --- what GitHub said ------------------------------------------------------------

    def _took(self, kind, comment, now, seen):
        """Record an answer that GitHub took."""
        vals = {
            **seen,
            "comment": comment,
            "answered_at": now,
            "attempt_count": 0,
            "next_try_at": False,
            "problem": False,
        }
        if kind == "report":
            vals["report_count"] = self.report_count + 1
        else:
            vals["state"] = kind
        self.system_write(vals)

    def _try_later(self, repository, failure, now, seen):
        """Note a failure, and enqueue the next attempt with it."""
        attempts = self.attempt_count + 1
        pause = repository._pause(attempts, failure.answer)
        self.system_write(
            {
                **seen,
                "attempt_count": attempts,
                "next_try_at": now + pause,
                "problem": str(failure)[:1000],
            }
        )
        # A moment later, so that it does not find itself put off.
        self._answer_later(eta=pause + timedelta(seconds=1))
        return str(failure)

    def _not_waiting(self, repository, kind, refusal, now, seen):
        """GitHub has nothing waiting: it may have our answer, or need none any more."""
        try:
            given = self._given(repository)
        except TryLater as failure:
            return self._try_later(repository, failure, now, seen)
        except Refused:
            given = None
        if given:
            # Sent before, by a job that did not live to note it.
            state, comment = given
            self._took(state, comment, now, seen)
            if state == kind:
                return state
        if self.state in ("approved", "rejected"):
            problem = False
            if self.state == "rejected" and kind == "approved":
                problem = self.env._(
                    "The gates are open now, but the rejected job has ended: run it "
                    "again at GitHub, and it is approved."
                )
            self.system_write({**seen, "is_settled": True, "problem": problem})
            return self.state
        return self._settle(str(refusal)[:1000], **seen)

    def _given(self, repository):
        """The last answer to this very request that GitHub has on record.

        :returns: ``(state, comment)``, or ``None``
        """
        reviews = repository._call(
            "deployments", "GET", f"/actions/runs/{self.run}/approvals"
        )
        found = None
        for review in reviews if isinstance(reviews, list) else ():
            if not isinstance(review, dict):
                continue
            comment, state = review.get("comment"), review.get("state")
            if (
                isinstance(comment, str)
                and comment.rstrip().endswith(self._mark())
                and state in ("approved", "rejected")
            ):
                found = state, comment[: github.MAX_COMMENT]
        return found

    def _settle(self, problem, **vals):
        """Answer no more."""
        if self.state == "waiting":
            vals["state"] = "abandoned"
            vals["problem"] = problem
        self.system_write({**vals, "is_settled": True, "next_try_at": False})
        return problem
