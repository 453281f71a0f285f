from odoo import api, fields, models
from odoo.exceptions import AccessError
from odoo.tools import SQL

from ... import ledger


class LedgerEntry(models.Model):
    """What happened to a release, hash-chained; appended to, never changed.

    The head of a chain lives on the release row (see ``ipai.release._touch``), so the
    chain cannot fork: two writers of one release are serialised by that row.
    """

    _name = "ipai.ledger.entry"
    _description = "Ledger entry"
    _order = "release_id, sequence desc"
    _rec_name = "kind"
    _log_access = False

    release_id = fields.Many2one(
        "ipai.release", required=True, ondelete="restrict", readonly=True
    )
    sequence = fields.Integer(required=True, readonly=True)
    kind = fields.Selection(
        [(kind, kind.replace("_", " ").capitalize()) for kind in ledger.KINDS],
        required=True,
        readonly=True,
    )
    actor_id = fields.Many2one(
        "res.users",
        string="User",
        required=True,
        ondelete="restrict",
        readonly=True,
    )
    actor = fields.Char(required=True, readonly=True)
    occurred_at = fields.Char(required=True, readonly=True, help="UTC.")
    recorded_at = fields.Datetime(string="When", required=True, readonly=True)
    subject = fields.Char(required=True, readonly=True)
    body = fields.Text(required=True, readonly=True, help="Canonical JSON.")
    previous_hash = fields.Char(required=True, readonly=True)
    hash = fields.Char(required=True, readonly=True)
    chain = fields.Char(related="release_id.uuid")
    company_id = fields.Many2one(related="release_id.company_id")

    _release_sequence_unique = models.Constraint(
        "UNIQUE (release_id, sequence)", "A chain has one entry per sequence number."
    )

    def init(self):
        self._forbid_changes(self._table)

    @api.model
    def _forbid_changes(self, table):
        """Make the database refuse update, delete and truncate on a table.

        The trigger binds the application's own role too, which owns the table.
        """
        self.env.cr.execute(
            """
            CREATE OR REPLACE FUNCTION ipai_append_only() RETURNS trigger AS $$
            BEGIN
                RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP
                    USING ERRCODE = 'insufficient_privilege';
            END $$ LANGUAGE plpgsql
            """
        )
        for event, level in (("UPDATE OR DELETE", "ROW"), ("TRUNCATE", "STATEMENT")):
            name = f"{table}_append_only_{level.lower()}"
            self.env.cr.execute(
                SQL(
                    "CREATE OR REPLACE TRIGGER %s BEFORE %s ON %s FOR EACH %s"
                    " EXECUTE FUNCTION ipai_append_only()",
                    SQL.identifier(name),
                    SQL(event),
                    SQL.identifier(table),
                    SQL(level),
                )
            )

    @api.model_create_multi
    def create(self, vals_list):
        raise AccessError(
            self.env._("The ledger is written together with what it records only.")
        )

    def write(self, vals):
        raise AccessError(self.env._("The ledger is never changed."))

    def unlink(self):
        # Not an ``ondelete`` hook, which a context key can switch off.
        raise AccessError(self.env._("The ledger is never changed."))

    @api.depends("sequence", "kind")
    def _compute_display_name(self):
        for entry in self:
            entry.display_name = f"#{entry.sequence} {entry.kind}"

    @api.model
    def _extend(self, heads, drafts):
        """Chain drafts to the heads of their releases.

        :param heads: rows of ``(release id, sequence, hash)``
        :param drafts: list of ``(release id, kind, subject, body)``; the subject is a
            record or already ``"model,id"``
        :returns: the entries as ``(release id, ledger.Entry)`` and the new heads
        """
        at = ledger.timestamp(self.env.cr.now())
        actor = self.env.user.login
        uuid_of = {
            release.id: release.uuid
            for release in self.env["ipai.release"].browse(row[0] for row in heads)
        }
        per_release = {row[0]: [] for row in heads}
        for release_id, kind, subject, body in drafts:
            if not isinstance(subject, str):
                subject = f"{subject._name},{subject.id}"
            per_release[release_id].append(
                ledger.Draft(uuid_of[release_id], kind, actor, at, subject, body)
            )
        entries, moved = [], []
        for release_id, sequence, digest in heads:
            added = ledger.extend(sequence, digest, per_release[release_id])
            entries += [(release_id, entry) for entry in added]
            if added:
                sequence, digest = added[-1].sequence, added[-1].hash
            moved.append((release_id, sequence, digest))
        return entries, moved

    @api.model
    def _store(self, entries):
        if not entries:
            return
        now = self.env.cr.now()
        # No person has the right to create entries; the facts they record were
        # checked where they were recorded.
        super(LedgerEntry, self.sudo()).create(  # pylint: disable=super-method-mismatch
            [
                {
                    "release_id": release_id,
                    "sequence": entry.sequence,
                    "kind": entry.kind,
                    "actor_id": self.env.uid,
                    "actor": entry.actor,
                    "occurred_at": entry.occurred_at,
                    "recorded_at": now,
                    "subject": entry.subject,
                    "body": ledger.canonical_json(entry.body).decode(),
                    "previous_hash": entry.previous_hash,
                    "hash": entry.hash,
                }
                for release_id, entry in entries
            ]
        )
