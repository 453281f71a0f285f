import hashlib
import json
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Domain
from odoo.tools import SQL

#: Statuses of accepted submissions; all others may be processed again.
SETTLED = ("accepted", "duplicate", "ignored")
#: Models of facts whose submissions are kept for good.
_RESTING = ("ipai.evidence", "ipai.approval")
#: Why events were skipped, in one notification.
_REASONS_TOLD = 3


class IngestLog(models.Model):
    """Every submission of CI, agents and people, accepted or not."""

    _name = "ipai.ingest.log"
    _inherit = ["ipai.guarded.mixin", "ipai.scheduled.mixin"]
    _description = "Event"
    _order = "id desc"
    _rec_name = "idempotency_key"

    idempotency_key = fields.Char(readonly=True)
    schema_version = fields.Char(readonly=True)
    event_type = fields.Char(readonly=True)
    source_system = fields.Char(readonly=True)
    status = fields.Selection(
        [
            ("received", "Received"),
            ("accepted", "Accepted"),
            ("duplicate", "Duplicate"),
            ("pending", "Pending"),
            ("rejected", "Rejected"),
            ("error", "Error"),
            ("orphaned", "Orphaned"),
            ("ignored", "Ignored"),
        ],
        required=True,
        readonly=True,
        default="received",
    )
    http_status = fields.Integer(string="HTTP", readonly=True)
    code = fields.Char(readonly=True, help="Why it was not accepted, as a word.")
    reason = fields.Char(readonly=True)
    detail = fields.Json(readonly=True)
    field_name = fields.Char(
        string="Field",
        compute="_compute_field_name",
        help="What of the event the reason is about.",
    )
    payload = fields.Text(readonly=True, help="As it was sent.")
    payload_removed_at = fields.Datetime(
        string="Payload removed",
        readonly=True,
        help="When retention removed what was sent. Its SHA-256 and the answer stay.",
    )
    payload_sha256 = fields.Char(string="SHA-256", required=True, readonly=True)
    project_id = fields.Many2one("ipai.project", readonly=True, ondelete="restrict")
    release_id = fields.Many2one(
        "ipai.release", readonly=True, ondelete="restrict", index="btree_not_null"
    )
    company_id = fields.Many2one(
        "res.company",
        readonly=True,
        required=True,
        default=lambda self: self.env.company,
    )
    source_ref = fields.Char(string="Commit", readonly=True)
    original_id = fields.Many2one(
        "ipai.ingest.log",
        string="Duplicate of",
        readonly=True,
        ondelete="restrict",
        index="btree_not_null",
    )
    user_id = fields.Many2one(
        "res.users", string="Sent by", required=True, readonly=True, ondelete="restrict"
    )
    webhook_source_id = fields.Many2one(
        "ipai.webhook.source",
        string="Webhook",
        readonly=True,
        ondelete="restrict",
        index="btree_not_null",
        help="Through which it was delivered. What was read from it are events of "
        "their own.",
    )
    delivery_id = fields.Many2one(
        "ipai.ingest.log",
        string="Read from",
        readonly=True,
        ondelete="restrict",
        index="btree_not_null",
        help="The webhook delivery that told it.",
    )
    received_at = fields.Datetime(required=True, readonly=True)
    failures = fields.Integer(
        readonly=True, help="How often it failed through our fault."
    )
    retry_at = fields.Datetime(
        string="Next try",
        readonly=True,
        help="When an event that failed is processed again by itself. Empty: no more.",
    )
    processed_at = fields.Datetime(readonly=True)

    # What makes ingest idempotent under concurrency: of two transactions with one key
    # the second to finish is refused here, retried, and then finds the first.
    _key_unique = models.UniqueIndex(
        "(idempotency_key) WHERE status IN ('accepted', 'pending', 'ignored')",
        "An event with this idempotency key was accepted already.",
    )
    _removed_is_settled = models.Constraint(
        "CHECK (payload_removed_at IS NULL OR"
        " (payload IS NULL AND status IN ('accepted', 'duplicate', 'ignored')))",
        "Retention removes the payload of what was taken or ignored only.",
    )
    # A signature covers the body alone: the same body again is the same delivery,
    # also with other headers.
    _delivery_unique = models.UniqueIndex(
        "(webhook_source_id, payload_sha256) WHERE webhook_source_id IS NOT NULL"
        " AND status IN ('accepted', 'ignored')",
        "This was delivered already.",
    )
    _inbox = models.Index("(status, id DESC)")
    _retained = models.Index(
        "(received_at) WHERE payload_removed_at IS NULL"
        " AND status IN ('accepted', 'duplicate', 'ignored')"
    )
    _by_sender = models.Index("(user_id, id DESC)")
    _pending = models.Index("(project_id, source_ref) WHERE status = 'pending'")
    _retried = models.Index("(retry_at) WHERE status = 'error'")
    _retry_is_of_an_error = models.Constraint(
        "CHECK (retry_at IS NULL OR status = 'error')",
        "Only an event that failed is tried again.",
    )

    @api.depends("detail")
    def _compute_field_name(self):
        for log in self:
            log.field_name = (log.detail or {}).get("field")

    @api.depends("idempotency_key", "event_type")
    def _compute_display_name(self):
        for log in self:
            log.display_name = log.idempotency_key or f"#{log.id}"

    def action_reprocess(self):
        """Process events again, with the rights of their senders, if not accepted.

        Of many, those that cannot be are skipped.

        :returns: a notification of what came of them, and why others were skipped
        :raises UserError: when a single one cannot be processed again
        """
        if not (
            self.env.user.has_group("ipai_release_gates.group_release_manager")
            or self.env.user.has_group("ipai_release_gates.group_sre")
        ):
            raise AccessError(
                self.env._("Only a release manager or an SRE reprocesses events.")
            )
        self.check_access("read")
        refusals = {log: why for log in self if (why := log._reprocess_refusal())}
        if refusals and len(self) == 1:
            raise UserError(refusals[self])
        chosen = self.filtered(lambda log: log not in refusals)
        chosen._process_again()
        return chosen._outcome_notice(list(refusals.values()))

    def _reprocess_refusal(self):
        """Why this cannot be processed again; ``None`` if it can."""
        self.ensure_one()
        if self.status in SETTLED:
            return self.env._("%s was processed already.", self.display_name)
        # Only the signatory can repeat a refused sign-off, in view of the present state
        # of the release.
        if self.status == "rejected" and self.event_type == "gate_signoff":
            return self.env._(
                "%s is a sign-off that was refused; only its signatory can give it "
                "again.",
                self.display_name,
            )
        return self._unreadable_reason()

    def _unreadable_reason(self):
        """Why nothing can be read from what is kept; ``None`` if it can."""
        if self.webhook_source_id:
            kept = (self.payload or "").encode()
            if hashlib.sha256(kept).hexdigest() == self.payload_sha256:
                return None
            return self.env._(
                "%s was not kept as it was delivered: it was too large or no text in "
                "UTF-8. Whoever sent it sends it again: at GitHub under Settings → "
                "Webhooks → Recent Deliveries, at GitLab under Settings → Webhooks → "
                "Edit → Recent events.",
                self.display_name,
            )
        if self._raw() is None:
            return self.env._(
                "%s was too large to be kept in full or is no JSON, so nothing can be "
                "read from it. Its sender sends it again, mended.",
                self.display_name,
            )
        return None

    def _outcome_notice(self, refusals=()):
        """A notification that counts these events by what came of them.

        :param refusals: why others were skipped
        """
        labels = dict(self._fields["status"]._description_selection(self.env))
        outcomes = self.grouped("status")
        message = ", ".join(
            f"{labels[status]}: {len(logs)}"
            for status, logs in sorted(outcomes.items())
        )
        if refusals:
            skipped = self.env._(
                "Skipped: %(count)s. %(reasons)s",
                count=len(refusals),
                reasons=" ".join(refusals[:_REASONS_TOLD]),
            )
            if len(refusals) > _REASONS_TOLD:
                skipped += " …"
            message = f"{message}. {skipped}" if message else skipped
        settled = not refusals and outcomes.keys() <= set(SETTLED)
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "title": self.env._("Reprocessed")
                if self
                else self.env._("Nothing was reprocessed"),
                "message": message,
                "type": "success" if settled else "warning",
                # It stays until it was read.
                "sticky": bool(refusals),
                "next": {"type": "ir.actions.client", "tag": "soft_reload"},
            },
        }

    def _process_again(self):
        """Run kept submissions through the pipeline, in the order they arrived in."""
        # An event runs with the rights of its sender, not of its reader.
        arrived = self.sudo().sorted("id")  # sudo: events run as their own senders
        events = []
        for log in arrived:
            if log.webhook_source_id:
                arrived.browse(events)._send_again()
                events.clear()
                log._deliver_again()
            else:
                events.append(log.id)
        arrived.browse(events)._send_again()

    def _send_again(self):
        """Process events with their senders' rights."""
        for user, logs in self.grouped("user_id").items():
            # As the sender: without the companies, the language and the defaults of the
            # user who causes this.
            companies = user.company_id | user.company_ids
            plane = (
                self.env["ipai.control.plane"]
                .with_user(user)
                .with_context({"allowed_company_ids": companies.ids})
            )
            plane._process_logged(logs)

    def _deliver_again(self):
        """Process a webhook delivery again."""
        self.ensure_one()
        if self.status in SETTLED or self._unreadable_reason():
            return
        # As the service that the webhook records as now; system writes use sudo.
        source = self.webhook_source_id
        env = self.env(user=source.user_id.id, context={}, su=True)
        source.with_env(env)._receive_again(self.with_env(env))

    def _arrival_id(self):
        """The row by which an event arrived: its delivery's, or its own."""
        return self.delivery_id.id or self.id

    def _raw(self):
        """The submission as it was sent; ``None`` if it is gone or was not JSON."""
        self.ensure_one()
        if not self.payload:
            return None
        try:
            return json.loads(self.payload)
        except ValueError:
            return None

    # --- retention -------------------------------------------------------------------

    @api.model
    def _remove_old_payloads(self):
        """Remove payloads older than the settings allow; a scheduled action.

        :returns: how many payloads were removed
        """
        days = self.env["ipai.settings"]._current().payload_retention_days
        if not days:
            return 0
        before = self.env.cr.now() - timedelta(days=days)
        return self._work_through(
            self._removable_payloads(before), "_remove_payload", batch_size=500
        )

    @api.model
    def _removable_payloads(self, before):
        """Settled events received before an instant whose payload no fact needs."""
        for model in _RESTING:
            self.env[model].flush_model(["ingest_log_id"])

        def nothing_rests_on_it(_model, alias, _query):
            return SQL(" AND ").join(
                SQL(
                    "NOT EXISTS (SELECT FROM %s fact WHERE fact.ingest_log_id = %s)",
                    SQL.identifier(self.env[model]._table),
                    SQL.identifier(alias, "id"),
                )
                for model in _RESTING
            )

        return Domain(
            [
                ("status", "in", SETTLED),
                ("payload_removed_at", "=", False),
                ("received_at", "<", before),
            ]
        ) & Domain.custom(to_sql=nothing_rests_on_it)

    def _remove_payload(self):
        """Remove the payload; the row keeps its key, its hash and its answer."""
        self.system_write(
            {"payload": False, "payload_removed_at": self.env.cr.now()},
        )
