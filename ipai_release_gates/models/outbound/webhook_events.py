import json
from collections import defaultdict

from odoo import api, models

from ... import ledger

#: Schema of what is sent. Fields may be added to it; what is there keeps its meaning.
SCHEMA_VERSION = "v1.0"


class LedgerEntry(models.Model):
    """Queues webhook deliveries for new ledger entries."""

    _inherit = "ipai.ledger.entry"

    def _recorded(self):
        result = super()._recorded()
        self.env["ipai.webhook.delivery"]._queue_entries(self)
        return result


class WebhookDelivery(models.Model):
    """Builds webhook messages and queues one per subscribed endpoint."""

    _inherit = "ipai.webhook.delivery"

    @api.model
    def _queue_entries(self, entries):
        """Queue the deliveries that new ledger entries cause.

        The number of queries does not depend on the number of entries or endpoints; it
        is zero without a subscription.

        :param entries: as superuser
        """
        subscriptions = self.env["ipai.webhook.endpoint"]._subscriptions()
        if not subscriptions:
            return
        kinds = entries._kinds_by_code()
        sent = []
        for entry in entries:
            kind = kinds[entry.kind]
            body = json.loads(entry.body)
            events = kind.events(body)
            if events:
                sent.append((entry, kind, body, events))
        subjects = self._subjects(
            entry for entry, kind, _body, _events in sent if kind.subject_as
        )
        vals_list = []
        for entry, kind, body, events in sent:
            details = kind.details(body)
            if kind.subject_as:
                details[kind.subject_as] = subjects[entry.subject]._webhook_payload()
            vals_list += self._deliveries(
                entry.release_id, events, entry.occurred_at, details, entry
            )
        self._queue(vals_list)

    @api.model
    def _subjects(self, entries):
        """The records that entries are about, prefetched per model.

        :returns: dict of subject (``model,id``) to record, as superuser
        """
        ids = defaultdict(list)
        for entry in entries:
            model, _comma, id_ = entry.subject.partition(",")
            ids[model].append(int(id_))
        return {
            f"{model},{record.id}": record
            for model, found in ids.items()
            # sudo: messages do not depend on actor
            for record in self.env[model].sudo().browse(found)
        }

    @api.model
    def _queue_expiring(self, exceptions):
        """Queue deliveries about exceptions that expire soon.

        No ledger entry records this: nothing has happened yet.

        :param exceptions: as superuser
        """
        if not self.env["ipai.webhook.endpoint"]._subscriptions():
            return
        now = ledger.timestamp(self.env.cr.now())
        vals_list = []
        for exception in exceptions:
            vals_list += self._deliveries(
                exception.release_id,
                ("exception.expiring",),
                now,
                {"exception": exception._webhook_payload()},
            )
        self._queue(vals_list)

    @api.model
    def _queue_test(self, endpoints):
        """Queue an event of no release for each of some endpoints."""
        now = ledger.timestamp(self.env.cr.now())
        self._queue(
            [
                self._values(endpoint.id, "test", now, {"endpoint": endpoint.name})
                for endpoint in endpoints
            ]
        )

    @api.model
    def _deliveries(self, release, events, occurred_at, details, entry=None):
        """Values of the deliveries of one event, one per subscribed endpoint.

        :param events: names it may be sent as; an endpoint gets the first it takes
        """
        project = release.project_id
        found = []
        for subscription in self.env["ipai.webhook.endpoint"]._subscriptions():
            endpoint_id, company_id, project_ids, wanted = subscription
            event = next((name for name in events if name in wanted), None)
            if (
                event
                and company_id == project.company_id.id
                and (not project_ids or project.id in project_ids)
            ):
                found.append(
                    self._values(
                        endpoint_id, event, occurred_at, details, release, entry
                    )
                )
        return found

    @api.model
    def _values(
        self, endpoint_id, event, occurred_at, details, release=None, entry=None
    ):
        uuid = self._new_uuid()
        message = {
            "schema_version": SCHEMA_VERSION,
            "id": uuid,
            "event": event,
            "occurred_at": occurred_at,
            "release": release._webhook_payload() if release else None,
            "url": None,
            # The order in which things happened to one release.
            "ledger": None,
            **details,
        }
        if release:
            message["url"] = f"{self.get_base_url()}/odoo/releases/{release.id}"
        if entry:
            message["ledger"] = {"sequence": entry.sequence, "hash": entry.hash}
        return {
            "uuid": uuid,
            "endpoint_id": endpoint_id,
            "event": event,
            "release_id": release.id if release else False,
            "ledger_entry_id": entry.id if entry else False,
            "payload": json.dumps(message, ensure_ascii=False, indent=1),
        }


class Release(models.Model):
    """A release as webhook messages describe it."""

    _inherit = "ipai.release"

    def _webhook_payload(self):
        self.ensure_one()
        return {
            "uuid": self.uuid,
            "name": self.name,
            "project": self.project_id.name,
            "revision": self.source_ref,
            "stage": self.stage_id.code,
        }


class ReleaseException(models.Model):
    """An exception as webhook messages describe it."""

    _inherit = "ipai.exception"

    def _webhook_payload(self):
        self.ensure_one()
        requirements = defaultdict(list)
        for requirement in self.requirement_ids:
            requirements[requirement.gate_id.code].append(requirement.code)
        return {
            "reference": self._reference(),
            "type": self.exception_type,
            "risk_level": self.risk_level,
            "state": self.state,
            "gates": sorted({*self.gate_ids.mapped("code"), *requirements}),
            "expires_at": ledger.timestamp(self.expires_at),
        }
