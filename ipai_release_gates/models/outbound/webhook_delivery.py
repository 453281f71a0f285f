import time
import uuid
from datetime import timedelta

from odoo import SUPERUSER_ID, api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import SQL

from odoo.addons.queue_job.exception import RetryableJobError

from ... import outbound
from ...errors import OutboundFailed, OutboundRefused

#: Attempts at one delivery, over about a day.
MAX_TRIES = 8
#: Characters of an answer that are kept.
_KEPT = 300
#: Client errors (4xx) after which another attempt may succeed.
_RETRIED = (408, 429)
#: A delivery that is overdue by more than this has lost its job.
_OVERDUE = timedelta(hours=1)


class WebhookDelivery(models.Model):
    """One event for one endpoint, and the outcome of its delivery.

    The delivery is created in the transaction of its event and sent by a job. An event
    that is rolled back is never sent; one that is committed is sent at least once. The
    receiver recognises a repeated message by its id. Each attempt is a job of its own,
    which records the outcome and enqueues the next attempt in one transaction. A job
    that is retried by an exception would lose the record of its attempt.
    """

    _name = "ipai.webhook.delivery"
    _description = "Delivery of a webhook"
    _inherit = ["ipai.guarded.mixin", "ipai.scheduled.mixin"]
    _order = "id desc"
    _rec_name = "uuid"

    uuid = fields.Char(string="Id", required=True, readonly=True)
    endpoint_id = fields.Many2one(
        "ipai.webhook.endpoint",
        required=True,
        readonly=True,
        index=True,
        ondelete="restrict",
        context={"active_test": False},
    )
    company_id = fields.Many2one(related="endpoint_id.company_id", related_sudo=False)
    event = fields.Selection("_select_event", required=True, readonly=True)
    release_id = fields.Many2one(
        "ipai.release", readonly=True, index="btree_not_null", ondelete="restrict"
    )
    ledger_entry_id = fields.Many2one(
        "ipai.ledger.entry", readonly=True, ondelete="restrict"
    )
    payload = fields.Text(
        required=True, readonly=True, help="What is sent, to the byte."
    )
    status = fields.Selection(
        [
            ("queued", "Queued"),
            ("delivered", "Delivered"),
            ("failed", "Failed"),
            ("given_up", "Given up"),
        ],
        required=True,
        readonly=True,
        default="queued",
        help="Failed: the receiver does not want it, or must not be called. Given up: "
        "it did not get through, however often it was tried.",
    )
    try_count = fields.Integer(
        string="Tries", readonly=True, help="Since it was last put in the queue."
    )
    next_try_at = fields.Datetime(string="Next try", readonly=True)
    delivered_at = fields.Datetime(string="Delivered on", readonly=True)
    outcome = fields.Char(string="Last outcome", readonly=True)
    turn = fields.Integer(
        readonly=True, help="Which of its jobs counts: a newer one ends the others."
    )
    job_uuid = fields.Char(string="Job", readonly=True)
    attempt_ids = fields.One2many("ipai.webhook.attempt", "delivery_id")

    _uuid_unique = models.Constraint("UNIQUE (uuid)", "The id of a delivery is unique.")
    _once = models.UniqueIndex(
        "(ledger_entry_id, endpoint_id) WHERE ledger_entry_id IS NOT NULL",
        "An endpoint is told of an entry of the ledger once.",
    )
    _waiting = models.Index("(endpoint_id, id) WHERE status <> 'delivered'")
    _old = models.Index("(create_date) WHERE status <> 'queued'")

    @api.model
    def _new_uuid(self):
        return str(uuid.uuid4())

    @api.model
    def _select_event(self):
        names = (*self.env["ipai.webhook.endpoint"]._events(), "test")
        return [(name, name) for name in names]

    # --- queueing --------------------------------------------------------------------

    @api.model
    def _queue(self, vals_list):
        """Create deliveries, to be sent after the commit of this transaction.

        :param vals_list: value dicts
        """
        if not vals_list:
            return
        # The receivers do not depend on the user who causes the event.
        deliveries = self.with_user(SUPERUSER_ID).with_context({})
        now = self.env.cr.now()
        deliveries.system_create(
            [{**vals, "next_try_at": now} for vals in vals_list]
        )._enqueue_soon()

    def _enqueue_soon(self):
        """Enqueue the attempts at these deliveries, by a single job."""
        if len(self) == 1:
            self._enqueue()
            return
        self.with_delay(
            channel="root.ipai",
            description=f"Queue {len(self)} deliveries of webhooks",
            max_retries=0,
        )._enqueue()

    def _enqueue(self, seconds=0):
        """Enqueue a job for the next attempt at each delivery (also run as a job).

        :param seconds: delay of the attempt
        """
        now = self.env.cr.now()
        for delivery in self.filtered(lambda delivery: delivery.status == "queued"):
            turn = delivery.turn + 1
            job = delivery.with_delay(
                channel="root.ipai",
                description=f"Deliver {delivery.event} {delivery.uuid}",
                eta=seconds or None,
                identity_key=f"ipai-webhook-{delivery.uuid}-{turn}",
                # 0: no limit. This model counts the attempts; a job that failed
                # because of the database or a killed server is no attempt.
                max_retries=0,
            )._deliver(turn)
            delivery.system_write(
                {
                    "turn": turn,
                    "job_uuid": job.uuid,
                    "next_try_at": now + timedelta(seconds=seconds),
                }
            )

    @api.model
    def _take_up_forgotten(self):
        """Enqueue the deliveries whose job is gone or failed (scheduled)."""
        return self._work_through(
            Domain("status", "=", "queued")
            & Domain("next_try_at", "<", self.env.cr.now() - _OVERDUE),
            "_enqueue",
        )

    # --- delivering ------------------------------------------------------------------

    def _deliver(self, turn):
        """Make one attempt (run as a job).

        :param int turn: number of this job; a job that is not the latest does nothing
        :raises RetryableJobError: while another job works on this delivery
        """
        self.ensure_one()
        if not self.try_lock_for_update(allow_referencing=True):
            raise RetryableJobError(
                "The delivery is under way.", seconds=10, ignore_retry=True
            )
        if self.status != "queued" or self.turn != turn:
            return
        endpoint = self.endpoint_id
        if not endpoint.active:
            self._end("failed", self.env._("The endpoint is switched off."))
            return
        body = self.payload.encode()
        headers = {
            "Content-Type": "application/json",
            **outbound.signed_headers(
                endpoint._secrets(), self.uuid, int(time.time()), body
            ),
        }
        try:
            answer = self.env["ipai.outbound.transport"]._send(
                "POST", endpoint.url, headers=headers, body=body
            )
        except OutboundRefused as refusal:
            self._record_attempt(None, str(refusal))
            self._end("failed", str(refusal))
        except OutboundFailed as failure:
            self._record_attempt(None, str(failure))
            self._try_again(str(failure))
        else:
            self._handle_answer(answer)

    def _handle_answer(self, answer):
        """Record the answer, and end the delivery or enqueue another attempt."""
        outcome = f"{answer.status} {_text(answer.body)}".strip()
        success = 200 <= answer.status < 300
        self._record_attempt(answer, outcome, success)
        if success:
            self._end("delivered", outcome)
        elif answer.status >= 500 or answer.status in _RETRIED:
            self._try_again(outcome, answer)
        elif 300 <= answer.status < 400:
            self._end(
                "failed",
                self.env._(
                    "It answered %s, a redirect, which is not followed: give the "
                    "endpoint its final address.",
                    answer.status,
                ),
            )
        else:
            self._end("failed", outcome)
            self.endpoint_id._switch_off_if_failing(gone=answer.status == 410)

    def _record_attempt(self, answer, outcome, success=False):
        self.env["ipai.webhook.attempt"].system_create(
            [
                {
                    "delivery_id": self.id,
                    "endpoint_id": self.endpoint_id.id,
                    "attempted_at": self.env.cr.now(),
                    "is_success": success,
                    "http_status": answer.status if answer else 0,
                    "duration_ms": int(answer.seconds * 1000) if answer else 0,
                    "outcome": outcome,
                }
            ]
        )
        self.system_write({"try_count": self.try_count + 1})

    def _try_again(self, outcome, answer=None):
        if self.try_count >= MAX_TRIES:
            self._end("given_up", outcome)
        else:
            self.system_write({"outcome": outcome})
            pause = self.env["ipai.outbound.transport"]._retry_after(
                self.try_count, answer
            )
            self._enqueue(pause)
        self.endpoint_id._switch_off_if_failing()

    def _end(self, status, outcome):
        self.system_write(
            {
                "status": status,
                "outcome": outcome,
                "next_try_at": False,
                "delivered_at": self.env.cr.now() if status == "delivered" else False,
            }
        )

    # --- for people ------------------------------------------------------------------

    def action_redeliver(self):
        """Send the same messages again, also those that were delivered.

        :returns: client action with a notification
        :raises AccessError: when the user is no governance administrator
        :raises UserError: when an endpoint is switched off
        """
        self.env["ipai.webhook.endpoint"]._require_governance()
        self.check_access("read")
        # Governance may not write deliveries; the recorded message is sent unchanged.
        deliveries = self.with_user(SUPERUSER_ID).with_context({})
        for endpoint in deliveries.endpoint_id:
            if not endpoint.active:
                raise UserError(
                    self.env._("%s is switched off: switch it on first.", endpoint.name)
                )
        deliveries.system_write(
            {
                "status": "queued",
                "try_count": 0,
                "delivered_at": False,
                "next_try_at": self.env.cr.now(),
            }
        )
        deliveries._enqueue_soon()
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "info",
                "message": self.env._("%s deliveries are on their way.", len(self)),
                "next": {"type": "ir.actions.client", "tag": "soft_reload"},
            },
        }

    def action_open_job(self):
        """Open the job of the last attempt, for users who may read jobs."""
        self.ensure_one()
        job = self.env["queue.job"].search([("uuid", "=", self.job_uuid)], limit=1)
        if not job:
            raise UserError(
                self.env._("The job is gone: finished jobs are kept for 30 days.")
            )
        return {
            "type": "ir.actions.act_window",
            "res_model": "queue.job",
            "res_id": job.id,
            "views": [(False, "form")],
        }

    # --- retention -------------------------------------------------------------------

    @api.model
    def _remove_old(self):
        """Remove deliveries that are older than the settings say (scheduled)."""
        days = self.env["ipai.settings"]._current().delivery_retention_days
        if not days:
            return 0
        before = self.env.cr.now() - timedelta(days=days)
        return self._work_through(
            Domain("create_date", "<", before) & Domain("status", "!=", "queued"),
            "_remove",
            batch_size=500,
        )

    def _remove(self):
        # In SQL, because the guard refuses every deletion.
        self.flush_model()
        self.env.execute_query(
            SQL(
                "DELETE FROM ipai_webhook_delivery WHERE id IN %s RETURNING id",
                tuple(self.ids),
            )
        )
        self.env.invalidate_all(flush=False)


def _text(body):
    """The beginning of an answer, as one line of text."""
    text = " ".join(body[: 4 * _KEPT].decode(errors="replace").split())
    text = "".join(char if char.isprintable() else "�" for char in text)
    return text if len(text) <= _KEPT else f"{text[:_KEPT]}…"
