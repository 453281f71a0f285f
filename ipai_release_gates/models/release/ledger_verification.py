import json
import logging

from odoo import api, fields, models
from odoo.exceptions import AccessError
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY
from odoo.tools import SQL

from ... import ledger
from .ledger_head import GOVERNANCE

_logger = logging.getLogger(__name__)

#: Chains that the nightly run verifies in one transaction.
_BATCH = 50
#: Rows of a chain that are fetched at a time.
_CHUNK = 2000
#: The most faults of one chain that are kept word for word.
_MAX_FAULTS = 200
#: Facts whose rows are compared with the chain, and the column the body repeats.
_FACTS = {
    "ipai.check": "status",
    "ipai.evidence": "sha256",
    "ipai.approval": "decision",
    "ipai.deployment": "status",
    "ipai.incident": "severity",
    "ipai.exception": "state",
}
#: Rows that the ledger does not tell of yet.
_UNTOLD = {"ipai.exception": SQL("state = 'draft'")}
#: Stands for text that the ledger never wrote; no hash covers it.
_ALTERED = {"": "not as it was written"}


class LedgerVerification(models.Model):
    """That a chain was verified, when and by whom, and what was found wrong.

    A chain is read as the database has it and judged by the plain-Python verifier
    against its head. A sound chain is then compared with the records it tells of, so
    that a release or a fact changed behind the ledger's back is noticed too.

    One row per button pressed. The nightly run has one row for all chains, and one
    more for each chain that it finds faulty.
    """

    _name = "ipai.ledger.verification"
    _inherit = "ipai.guarded.mixin"
    _description = "Ledger verification"
    _order = "id desc"
    _rec_name = "started_at"

    scope = fields.Selection(
        [
            ("release", "Release"),
            ("governance", "Governance"),
            ("all", "Every chain"),
        ],
        required=True,
        readonly=True,
    )
    release_id = fields.Many2one(
        "ipai.release", ondelete="restrict", readonly=True, index="btree_not_null"
    )
    company_id = fields.Many2one(related="release_id.company_id", related_sudo=False)
    run_id = fields.Many2one(
        "ipai.ledger.verification",
        string="Nightly run",
        ondelete="restrict",
        readonly=True,
        index="btree_not_null",
    )
    faulty_ids = fields.One2many("ipai.ledger.verification", "run_id")
    user_id = fields.Many2one(
        "res.users",
        string="Verified by",
        required=True,
        ondelete="restrict",
        readonly=True,
    )
    started_at = fields.Datetime(required=True, readonly=True)
    finished_at = fields.Datetime(readonly=True)
    last_release_id = fields.Integer(
        readonly=True, help="How far a nightly run has come."
    )
    chain_count = fields.Integer(string="Chains", readonly=True)
    entry_count = fields.Integer(string="Entries", readonly=True)
    fault_count = fields.Integer(string="Faults", readonly=True)
    faults = fields.Json(string="Fault records", readonly=True)
    fault_text = fields.Text(string="What is wrong", compute="_compute_fault_text")
    result = fields.Selection(
        [("running", "Running"), ("sound", "Sound"), ("faulty", "Faulty")],
        required=True,
        readonly=True,
    )

    _release_with_scope = models.Constraint(
        "CHECK ((scope = 'release') = (release_id IS NOT NULL))",
        "The verification of a release names it, and no other does.",
    )
    _unfinished = models.Index("(id) WHERE scope = 'all' AND finished_at IS NULL")

    @api.depends("faults")
    def _compute_fault_text(self):
        for verification in self:
            faults = verification.faults or []
            lines = [fault["message"] for fault in faults]
            more = verification.fault_count - len(faults)
            if faults and more > 0:
                lines.append(self.env._("… and %s more", more))
            verification.fault_text = "\n".join(lines)

    @api.depends("scope", "release_id", "result")
    def _compute_display_name(self):
        scopes = dict(self._fields["scope"]._description_selection(self.env))
        results = dict(self._fields["result"]._description_selection(self.env))
        for verification in self:
            subject = verification.release_id.display_name or scopes.get(
                verification.scope, ""
            )
            verification.display_name = (
                f"{subject}: {results.get(verification.result, '')}"
            )

    # --- on request ------------------------------------------------------------------

    @api.model
    def _verify_release(self, release):
        """Verify the chain of one release now and keep what was found.

        :param release: a release the current user may read
        :raises AccessError: for who may not read the ledger
        """
        release.ensure_one()
        release.check_access("read")
        self.env["ipai.ledger.entry"].check_access("read")
        # What is found does not depend on what the asking person may read.
        engine = self.sudo()
        return engine._keep("release", release, *engine._inspect(release)).sudo(False)

    @api.model
    def _verify_governance(self):
        """Verify the governance chain now and keep what was found.

        :raises AccessError: for who may not read that chain
        """
        self.env["ipai.ledger.entry"].check_access("read")
        if not self._reads_governance():
            raise AccessError(
                self.env._("The governance chain is verified by those who read it.")
            )
        engine = self.sudo()  # what is found does not depend on who asks
        return engine._keep("governance", None, *engine._inspect_governance()).sudo(
            False
        )

    @api.model
    def _reads_governance(self):
        user = self.env.user
        return any(
            user.has_group(f"ipai_release_gates.group_{role}")
            for role in ("release_manager", "auditor", "governance_admin")
        )

    def _answer(self):
        """What a button shows: a word when all is well, the record when it is not."""
        self.ensure_one()
        if self.result == "sound":
            return {
                "type": "ir.actions.client",
                "tag": "display_notification",
                "params": {
                    "type": "success",
                    "title": self.env._("The ledger is sound"),
                    "message": self.env._(
                        "%s entries, an unbroken chain that agrees with the records.",
                        self.entry_count,
                    ),
                },
            }
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("The ledger is faulty"),
            "res_model": self._name,
            "res_id": self.id,
            "views": [(False, "form")],
            "target": "current",
        }

    @api.model
    def _keep(self, scope, release, entries, faults, run=None):
        """Store the outcome for one chain."""
        now = self.env.cr.now()
        return self.system_create(
            [
                {
                    "scope": scope,
                    "release_id": release.id if release else False,
                    "run_id": run.id if run else False,
                    "user_id": self.env.uid,
                    "started_at": now,
                    "finished_at": now,
                    "chain_count": 1,
                    "entry_count": entries,
                    "fault_count": len(faults),
                    "faults": [
                        {
                            "code": fault.code,
                            # XML-RPC knows no null.
                            "sequence": fault.sequence or False,
                            "message": fault.message,
                        }
                        for fault in faults[:_MAX_FAULTS]
                    ],
                    "result": "faulty" if faults else "sound",
                }
            ]
        )

    # --- nightly ---------------------------------------------------------------------

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
        """Who is told: active auditors and governance administrators of the company."""
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

    # --- inspection ------------------------------------------------------------------

    @api.model
    def _inspect(self, release):
        """As :meth:`_inspect_release`; what cannot be judged at all is a fault too.

        Otherwise one row that no reader copes with would keep the nightly run from all
        the chains behind it.
        """
        try:
            with self.env.cr.savepoint(flush=False):
                return self._inspect_release(release)
        except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
            raise
        except Exception as error:
            _logger.exception("The chain of %s cannot be judged", release)
            message = f"The chain cannot be judged: {type(error).__name__}."
            return 0, [ledger.Fault("unreadable", None, message)]

    @api.model
    def _orphans(self):
        """Faults of releases that are gone while their entries are there."""
        rows = self.env.execute_query(
            SQL(
                "SELECT DISTINCT e.release_id FROM ipai_ledger_entry e"
                " LEFT JOIN ipai_release r ON r.id = e.release_id"
                " WHERE e.release_id IS NOT NULL AND r.id IS NULL ORDER BY 1"
            )
        )
        return [
            _fault(f"ipai.release,{release_id} is in the ledger but no longer there.")
            for (release_id,) in rows
        ]

    @api.model
    def _inspect_release(self, release):
        """Read and judge the chain of a release.

        :returns: the number of its entries, and a list of ``ledger.Fault``
        """
        self.env.flush_all()
        (row,) = self.env.execute_query(
            SQL(
                """
                SELECT r.uuid, r.ledger_sequence, r.ledger_hash, r.status,
                       r.source_ref, s.id, s.code, v.source_ref, v.author_emails
                  FROM ipai_release r
             LEFT JOIN ipai_release_stage s ON s.id = r.stage_id
             LEFT JOIN ipai_revision v ON v.id = r.revision_id
                 WHERE r.id = %s
                """,
                release.id,
            )
        )
        uuid, sequence, digest, *present = row
        rows, faults = self._read_chain(uuid, release.id)
        faults += ledger.verify(rows, (sequence, digest))
        if not faults:
            story = ledger.rebuild(rows)
            faults += self._disagreements(story, *present)
            faults += self._fact_faults(release.id, story)
        return len(rows), faults

    @api.model
    def _inspect_governance(self):
        """Read and judge the governance chain; returns as for a release."""
        self.env.flush_all()
        head = self.env["ipai.ledger.head"]._of_governance()
        rows, faults = self._read_chain(GOVERNANCE, False)
        return len(rows), faults + ledger.verify(rows, head)

    @api.model
    def _read_chain(self, chain, release_id):
        """The rows of a chain for the verifier, past the ORM, some at a time.

        :returns: the rows, and faults of what no hash covers
        """
        where = (
            SQL("release_id = %s", release_id)
            if release_id
            else SQL("release_id IS NULL")
        )
        rows, faults, last_id = [], [], 0
        while True:
            # By id: a sequence that was forged may be there twice.
            chunk = self.env.execute_query(
                SQL(
                    "SELECT id, sequence, kind, actor, occurred_at, subject, body,"
                    " previous_hash, hash,"
                    " to_char(recorded_at, 'YYYY-MM-DD\"T\"HH24:MI:SS')"
                    " FROM ipai_ledger_entry WHERE %s AND id > %s"
                    " ORDER BY id LIMIT %s",
                    where,
                    last_id,
                    _CHUNK,
                )
            )
            for entry in chunk:
                last_id, sequence, kind, actor, at, subject, body, *more = entry
                previous, digest, recorded_at = more
                rows.append(
                    {
                        "chain": chain,
                        "sequence": sequence,
                        "kind": kind,
                        "actor": actor,
                        "occurred_at": at,
                        "subject": subject,
                        "body": _body(body),
                        "previous_hash": previous,
                        "hash": digest,
                    }
                )
                if recorded_at != (at or "")[:19]:
                    # What screens sort by is not what the hash covers.
                    message = f"Row {sequence} is dated {recorded_at}, not {at}."
                    faults.append(ledger.Fault("changed", sequence, message))
            if len(chunk) < _CHUNK:
                return rows, faults

    @api.model
    def _disagreements(
        self, story, status, source_ref, stage_id, stage, revision_ref, authors
    ):
        """What the release row says and a sound chain does not.

        :param story: ``ledger.Story``
        :returns: faults without a sequence
        """
        told = story.stage
        expected = {"cancelled"} if status == "cancelled" else {stage}
        if told not in expected and status != "cancelled":
            # The chain keeps the code a stage had when the release moved there.
            expected |= self._former_codes(stage_id)
        if told not in expected:
            yield _fault(
                f"The release is in stage {stage} ({status}), the ledger tells of"
                f" {told}."
            )
        if story.source_ref != source_ref:
            yield _fault(
                f"The release is at commit {source_ref}, the ledger tells of"
                f" {story.source_ref}."
            )
        if source_ref != revision_ref:
            yield _fault(
                f"The current revision is {revision_ref}, that of the release"
                f" {source_ref}."
            )
        told_authors = story.revisions[-1].authors if story.revisions else ()
        if sorted(told_authors) != sorted(authors or ()):
            yield _fault(
                f"The authors of the revision are {', '.join(authors or ())}, the"
                f" ledger tells of {', '.join(told_authors)}."
            )

    @api.model
    def _former_codes(self, stage_id):
        """The codes a stage had before it was given others, as governance tells."""
        rows = self.env.execute_query(
            SQL(
                "SELECT body FROM ipai_ledger_entry WHERE release_id IS NULL"
                " AND kind = 'policy_changed' AND subject = %s",
                f"ipai.release.stage,{stage_id}",
            )
        )
        former = {(_body(body).get("before") or {}).get("code") for (body,) in rows}
        return former - {None}

    @api.model
    def _fact_faults(self, release_id, story):
        """Facts no entry tells of, facts that are gone, facts that say otherwise."""
        told = {
            entry.subject: entry.body
            for entry in story.events
            if entry.subject.partition(",")[0] in _FACTS
        }
        union = SQL(" UNION ALL ").join(
            SQL(
                "SELECT %s || ',' || id, %s::text FROM %s"
                " WHERE release_id = %s AND NOT (%s)",
                model,
                SQL.identifier(column),
                SQL.identifier(self.env[model]._table),
                release_id,
                _UNTOLD.get(model, SQL("false")),
            )
            for model, column in _FACTS.items()
        )
        for subject, value in sorted(self.env.execute_query(union)):
            body = told.pop(subject, None)
            column = _FACTS[subject.partition(",")[0]]
            if body is None:
                yield _fault(f"The ledger does not know {subject}.")
            elif column in body and (value or "") != body[column]:
                yield _fault(
                    f"The {column} of {subject} is {value}, the ledger tells of"
                    f" {body[column]}."
                )
        for subject in sorted(told):
            yield _fault(f"{subject} is in the ledger but no longer there.")


def _body(text):
    """The body of a row; text that is not as the ledger writes it fits no hash."""
    try:
        body = json.loads(text)
        intact = ledger.canonical_json(body).decode() == text
    except (TypeError, ValueError, RecursionError):
        intact = False
    return body if intact and isinstance(body, dict) else _ALTERED


def _fault(message):
    return ledger.Fault("record", None, message)
