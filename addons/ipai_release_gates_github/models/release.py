from datetime import timedelta
from urllib.parse import quote

from odoo import api, models
from odoo.exceptions import LockError
from odoo.tools import SQL

from odoo.addons.ipai_release_gates.models.mixins.deferred import once_before_commit
from odoo.addons.queue_job.exception import RetryableJobError

from .. import github
from .connection import Refused, TryLater

_KEY = "ipai_release_gates_github"


class Release(models.Model):
    """Reporting to GitHub how a release stands, after each change."""

    _inherit = "ipai.release"

    # --- when ------------------------------------------------------------------------

    def _append_to_ledger(self, drafts):
        # All that can change a verdict comes through here: facts, policy, time. A
        # release without a repository at GitHub costs no query.
        result = super()._append_to_ledger(drafts)
        linked = self.env["ipai.github.repository"]._linked_project_ids()
        if linked:
            # sudo: the recorder may not read projects
            touched = self.sudo().filtered(lambda r: r.project_id.id in linked)
            if touched:
                # sudo: the jobs are of no user
                releases = self.env["ipai.release"].sudo()
                once_before_commit(
                    self.env.cr, _KEY, releases._enqueue_github_jobs, touched.ids
                )
        return result

    @api.model
    def _enqueue_github_jobs(self, touched):
        """Enqueue the answers and checks of the releases that changed.

        :param set touched: ids of releases
        """
        self.env["ipai.github.protection"]._of_releases(touched)._answer_later()
        self.browse(sorted(touched))._report_to_github_later()

    def _report_to_github_later(self):
        """Enqueue, once per transaction and release, that commits show the gates."""
        repositories = self.env["ipai.github.repository"].search(
            [("project_id", "in", self.project_id.ids), ("report_as", "!=", "none")]
        )
        reporting = self.filtered(
            lambda release: release.project_id in repositories.project_id
        )
        if not reporting:
            return
        reporting._ensure_github_checks()
        transaction = self.env.execute_query(SQL("SELECT pg_current_xact_id()::text"))
        for release in reporting:
            release.with_delay(
                channel="root.ipai",
                # After the answers that jobs at GitHub wait for.
                priority=20,
                description=f"Show gates at GitHub: {release.name}",
                max_retries=0,
                identity_key=f"ipai.github/release/{release.id}/{transaction[0][0]}",
            )._report_to_github()

    def _ensure_github_checks(self):
        """Make the rows of the current commits where they are missing.

        In the transaction that causes it, so that two jobs cannot each make a check
        run for the same gate.
        """
        Check = self.env["ipai.github.check"]
        gates = self.env["ipai.gate"].search([])
        existing = {
            (revision.id, gate.id)
            for revision, gate in Check._read_group(
                [("revision_id", "in", self.revision_id.ids)],
                ["revision_id", "gate_id"],
            )
        }
        Check.system_create(
            [
                {
                    "release_id": release.id,
                    "revision_id": release.revision_id.id,
                    "gate_id": gate.id,
                }
                for release in self
                for gate in gates
                if release.revision_id
                and (release.revision_id.id, gate.id) not in existing
            ]
        )

    # --- what ------------------------------------------------------------------------

    def _report_to_github(self):
        """Bring what GitHub shows of this release to how its gates stand now (job).

        Only what differs from what GitHub took last is sent.

        :raises RetryableJobError: when another job is at the same release
        """
        # In one language, so that the same is not sent again in another.
        # sudo: a job of any user
        release = self.sudo().with_context(lang=False).exists()
        repository = self.env["ipai.github.repository"]._of(release.project_id)
        if not release or repository.report_as in (False, "none"):
            return self.env._("Nothing is shown at GitHub.")
        # sudo: a job of any user
        checks = self.env["ipai.github.check"].sudo()
        checks = checks.with_context(lang=False).search(
            [("release_id", "=", release.id), ("is_closed", "=", False)], order="id"
        )
        try:
            checks.lock_for_update(allow_referencing=True)
        except LockError:
            raise RetryableJobError(
                "Another job is at it.", seconds=2, ignore_retry=True
            ) from None
        now = self.env.cr.now()
        if any(check.next_try_at and now < check.next_try_at for check in checks):
            # Put off; the job of then exists.
            return self.env._("Put off.")
        return release._send_github_checks(repository, checks, now)

    def _send_github_checks(self, repository, checks, now):
        verdict = self._verdicts()[self.id]
        judged = {gate.code: gate for gate in verdict.gates}
        sent = 0
        for check in checks.sorted("id"):
            current = check.revision_id == self.revision_id
            gate = judged.get(check.gate_id.code)
            if current and not gate:
                continue
            try:
                if repository.report_as == "statuses":
                    sent += check._send_status(repository, gate if current else None)
                else:
                    sent += check._send_run(repository, gate if current else None)
            except TryLater as failure:
                attempts = check.attempt_count + 1
                pause = repository._pause(attempts, failure.answer)
                check.system_write(
                    {
                        "attempt_count": attempts,
                        "next_try_at": now + pause,
                        "problem": str(failure)[:1000],
                    }
                )
                self.with_delay(
                    channel="root.ipai",
                    priority=20,
                    description=f"Show gates at GitHub: {self.name}",
                    eta=pause + timedelta(seconds=1),
                    max_retries=0,
                )._report_to_github()
                return str(failure)
            except Refused as refusal:
                # The others would be refused as well, or tell their own problem.
                check.system_write({"problem": str(refusal)[:1000]})
                if refusal.status != 422:
                    return str(refusal)
        return self.env._("%s sent", sent)

    def _github_details_url(self):
        """Where people at GitHub come to see the release."""
        self.ensure_one()
        return f"{self.get_base_url()}/odoo/releases/{self.id}"


class GithubCheck(models.Model):
    """Sending a gate to GitHub."""

    _inherit = "ipai.github.check"

    def _title(self, gate):
        """One line on how a gate stands; an exception that opens it is named."""
        if gate.status == "bypassed":
            waived = sorted({c.waived_by for c in gate.conditions if c.waived_by})
            until = min(c.waived_until for c in gate.conditions if c.waived_until)
            return self.env._(
                "Bypassed by %(exceptions)s until %(until)s UTC",
                exceptions=", ".join(f"EX-{number}" for number in waived),
                until=f"{until:%Y-%m-%d %H:%M}",
            )
        if not gate.unmet:
            return self.env._("Passed: all %s conditions hold", len(gate.conditions))
        first = next((c for c in gate.unmet if c.adverse), gate.unmet[0])
        return self.env._(
            "%(unmet)s of %(all)s conditions not met: %(reason)s",
            unmet=len(gate.unmet),
            all=len(gate.conditions),
            reason=first.reason,
        )

    def _words(self):
        return {
            "met": self.env._("met"),
            "unmet": self.env._("not met"),
            "waived": self.env._("waived"),
            "not_applicable": self.env._("does not apply"),
        }

    def _send_run(self, repository, gate):
        """Create or update the check run.

        :param gate: as judged, or ``None`` where the release has left the commit
        :returns: how many were sent, 0 or 1
        """
        self.ensure_one()
        external_id = self._external_id(self.revision_id, self.gate_id)
        details_url = self.release_id._github_details_url()
        if gate:
            run = github.check_run(
                gate, self._title(gate), details_url, external_id, self._words()
            )
        elif not self.check_run and not self.attempt_count:
            # Never shown, so there is nothing to close.
            self.system_write({"is_closed": True})
            return 0
        else:
            run = github.closing_run(
                {
                    "name": self.name or f"{self.gate_id.code} {self.gate_id.name}",
                    "details_url": details_url,
                    "external_id": external_id,
                },
                self.env._(
                    "The release has moved on to commit %s", self.release_id.short_ref
                ),
            )
        if run.digest == self.sent_digest:
            return 0
        check_run = self.check_run or self._find_run(repository, run)
        # GitHub does not document that what is completed opens again: a new run of
        # the same name takes its place.
        if check_run and not (self.status == "completed" and run.status != "completed"):
            repository._call("checks", "PATCH", f"/check-runs/{check_run}", run.body)
        else:
            made = repository._call(
                "checks",
                "POST",
                "/check-runs",
                {**run.body, "head_sha": self.revision_id.source_ref},
            )
            check_run = str(made.get("id") or "") or False
        self._took(run, check_run=check_run, name=run.body["name"], is_closed=not gate)
        return 1

    def _find_run(self, repository, run):
        """The check run of this gate that a job made without living to note it."""
        found = repository._call(
            "checks",
            "GET",
            f"/commits/{self.revision_id.source_ref}/check-runs"
            f"?check_name={quote(run.body['name'], safe='')}&filter=latest&per_page=3",
        )
        for known in found.get("check_runs") or () if isinstance(found, dict) else ():
            if known.get("external_id") == run.body["external_id"]:
                return str(known.get("id") or "") or None
        return None

    def _send_status(self, repository, gate):
        """Create the commit status; that of a commit left behind stays as it was."""
        self.ensure_one()
        if not gate:
            self.system_write({"is_closed": True})
            return 0
        status = github.commit_status(
            gate, self._title(gate), self.release_id._github_details_url()
        )
        if status.digest == self.sent_digest:
            return 0
        repository._call(
            "statuses",
            "POST",
            f"/statuses/{self.revision_id.source_ref}",
            status.body,
        )
        self._took(status, name=status.body["context"])
        return 1

    def _took(self, run, **vals):
        self.system_write(
            {
                **vals,
                "status": run.status,
                "conclusion": run.conclusion or False,
                "sent_digest": run.digest,
                "sent_at": self.env.cr.now(),
                "attempt_count": 0,
                "next_try_at": False,
                "problem": False,
            }
        )
