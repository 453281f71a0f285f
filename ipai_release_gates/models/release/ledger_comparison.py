import json
import logging

from odoo import api, models
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY
from odoo.tools import SQL

from ... import ledger
from .fact_kinds import OF_GOVERNANCE, OF_RELEASE
from .ledger_head import GOVERNANCE

_logger = logging.getLogger(__name__)

#: Rows of a chain that are fetched at a time.
_CHUNK = 2000
#: Stands for text that the ledger never wrote; no hash covers it.
_ALTERED = {"": "not as it was written"}


class LedgerVerification(models.Model):
    """Reads chains past the ORM and compares them with the records.

    The plain-Python verifier judges a chain against its head. A sound chain is then
    compared with the release and its facts, so that a record changed without a ledger
    entry is found as well.
    """

    _inherit = "ipai.ledger.verification"

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
            story = ledger.rebuild(rows, self.env["ipai.ledger.entry"]._kinds_by_code())
            faults += self._disagreements(story, *present)
            faults += self._fact_faults(
                OF_RELEASE, story.events, SQL("release_id = %s", release.id)
            )
        return len(rows), faults

    @api.model
    def _inspect_governance(self):
        """Read and judge the governance chain; returns as for a release."""
        self.env.flush_all()
        head = self.env["ipai.ledger.head"]._of_governance()
        rows, faults = self._read_chain(GOVERNANCE, False)
        faults += ledger.verify(rows, head)
        if not faults:
            entries = (ledger.as_entry(row) for row in rows)
            faults += self._fact_faults(OF_GOVERNANCE, entries, SQL("true"))
        return len(rows), faults

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
        """Where the release row and a sound chain disagree.

        :param story: :class:`ledger.Story`
        :returns: faults without a sequence
        """
        if story.cancelled != (status == "cancelled"):
            recorded = "a cancelled release" if story.cancelled else "no cancellation"
            yield _fault(f"The release is {status}, the ledger records {recorded}.")
        # The chain keeps the code a stage had when the release moved there.
        if story.stage != stage and story.stage not in self._former_codes(stage_id):
            yield _fault(
                f"The release is in stage {stage} ({status}), the ledger records"
                f" {story.stage}."
            )
        if story.source_ref != source_ref:
            yield _fault(
                f"The release is at commit {source_ref}, the ledger records"
                f" {story.source_ref}."
            )
        if source_ref != revision_ref:
            yield _fault(
                f"The current revision is {revision_ref}, that of the release"
                f" {source_ref}."
            )
        recorded_authors = story.revisions[-1].authors if story.revisions else ()
        if sorted(recorded_authors) != sorted(authors or ()):
            yield _fault(
                f"The authors of the revision are {', '.join(authors or ())}, the"
                f" ledger records {', '.join(recorded_authors)}."
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
    def _fact_faults(self, chain, entries, where):
        """Facts without an entry, entries without a fact, facts that differ.

        :param chain: which chain the facts are recorded in, see ``fact_kinds``
        :param entries: the entries of the chain, in order
        :param where: SQL condition for the rows that the chain records
        :returns: faults without a sequence
        """
        compared = self._compared_facts(chain)
        if not compared:
            return
        recorded = {
            entry.subject: entry.body
            for entry in entries
            if entry.subject.partition(",")[0] in compared
            and entry.kind in compared[entry.subject.partition(",")[0]].kinds
        }
        union = SQL(" UNION ALL ").join(
            SQL(
                "SELECT %s || ',' || id, %s::text FROM %s WHERE %s AND NOT (%s)",
                model,
                SQL.identifier(ledgered.column),
                SQL.identifier(self.env[model]._table),
                where,
                SQL(ledgered.unrecorded),
            )
            for model, ledgered in compared.items()
        )
        for subject, value in sorted(self.env.execute_query(union)):
            body = recorded.pop(subject, None)
            column = compared[subject.partition(",")[0]].column
            if body is None:
                yield _fault(f"The ledger does not know {subject}.")
            elif column in body and (value or "") != body[column]:
                yield _fault(
                    f"The {column} of {subject} is {value}, the ledger records"
                    f" {body[column]}."
                )
        for subject in sorted(recorded):
            yield _fault(f"{subject} is in the ledger but no longer there.")

    @api.model
    def _compared_facts(self, chain):
        """The facts that a chain records and verification compares, by model.

        :returns: dict of model to :class:`.fact_kinds.Ledger`
        """
        return {
            kind.model: kind.ledger
            for kind in self.env["ipai.release"]._fact_kinds()
            if kind.ledger and kind.ledger.chain == chain
        }


def _body(text):
    """The body of a row; text in another form than the ledger's fits no hash."""
    try:
        body = json.loads(text)
        intact = ledger.canonical_json(body).decode() == text
    except (TypeError, ValueError, RecursionError):
        intact = False
    return body if intact and isinstance(body, dict) else _ALTERED


def _fault(message):
    return ledger.Fault("record", None, message)
