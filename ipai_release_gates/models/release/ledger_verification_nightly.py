import logging

from odoo import api, models

from .ledger_head import GOVERNANCE

_logger = logging.getLogger(__name__)

#: Chains that the nightly run verifies in one transaction.
_BATCH = 50


class LedgerVerification(models.Model):
    """The nightly run: verifies every chain and alerts people about new faults."""

    _inherit = "ipai.ledger.verification"

    @api.model
    def _verify_every_chain(self):
        """Verify all chains, a batch per transaction; alert on what is new.

        Nothing is locked: each batch is read from one snapshot, in which chains and
        heads agree. How far the run has come stands on its own row, so one that was
        cut off goes on where it stopped, and no release is written for it.
        """
        commit_progress = self.env["ir.cron"]._commit_progress
        # The oldest one that never ended; there is one at most.
        run = self.search(
            [("scope", "=", "all"), ("finished_at", "=", False)], order="id", limit=1
        )
        releases = self.env["ipai.release"].with_context(active_test=False)
        if not run:
            run = self._begin_run()
        remaining = releases.search_count([("id", ">", run.last_release_id)])
        commit_progress(remaining=remaining)
        while True:
            batch = releases.search(
                [("id", ">", run.last_release_id)], order="id", limit=_BATCH
            )
            if not batch:
                break
            run._verify_batch(batch)
            time_left = commit_progress(len(batch))
            self.env.invalidate_all()
            if not time_left:
                return
        run.system_write(
            {
                "finished_at": self.env.cr.now(),
                "result": "faulty" if run.fault_count else "sound",
            }
        )

    @api.model
    def _begin_run(self):
        """A new nightly run, which has verified the governance chain."""
        entries, faults = self._inspect_governance()
        faults += self._orphans()
        run = self.system_create(
            [
                {
                    "scope": "all",
                    "user_id": self.env.uid,
                    "started_at": self.env.cr.now(),
                    "chain_count": 1,
                    "entry_count": entries,
                    "fault_count": len(faults),
                    "result": "running",
                }
            ]
        )
        if faults:
            self._keep("governance", None, entries, faults, run)._alert()
        return run

    def _verify_batch(self, releases):
        entry_count = fault_count = 0
        for release in releases:
            entries, faults = self._inspect(release)
            entry_count += entries
            fault_count += len(faults)
            if faults:
                self._keep("release", release, entries, faults, self)._alert()
        self.system_write(
            {
                "last_release_id": releases[-1].id,
                "chain_count": self.chain_count + len(releases),
                "entry_count": self.entry_count + entry_count,
                "fault_count": self.fault_count + fault_count,
            }
        )

    def _alert(self):
        """Tell auditors and governance administrators, once for the same faults."""
        self.ensure_one()
        chain = self.release_id.uuid or GOVERNANCE
        _logger.error(
            "The ledger chain %s is faulty: %s", chain, self.fault_text or "unreadable"
        )
        former = self.search(
            [
                ("id", "<", self.id),
                ("run_id", "!=", False),
                ("scope", "=", self.scope),
                ("release_id", "=", self.release_id.id),
            ],
            limit=1,
        )
        if former.run_id == self._run_before() and former.faults == self.faults:
            return
        people = self._overseers()
        if not people:
            return
        self.env["mail.thread"].message_notify(
            model=self._name,
            res_id=self.id,
            partner_ids=people.partner_id.ids,
            subject=self.env._("The ledger is faulty: %s", self.display_name),
            body=self.fault_text,
        )

    def _run_before(self):
        return self.search(
            [("scope", "=", "all"), ("id", "<", self.run_id.id)], limit=1
        )

    def _overseers(self):
        """Recipients: active auditors and governance administrators of the company."""
        groups = [
            self.env.ref(f"ipai_release_gates.group_{role}", False)
            for role in ("auditor", "governance_admin")
        ]
        people = self.env["res.users"].browse(
            {user.id for group in groups if group for user in group.all_user_ids}
        )
        company = self.release_id.company_id
        return people.filtered(
            lambda user: user.active and (not company or company in user.company_ids)
        )
