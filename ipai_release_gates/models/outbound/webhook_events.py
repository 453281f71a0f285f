import json
from collections import defaultdict

from odoo import api, models

from ... import ledger

#: Schema of what is sent. Fields may be added to it; what is there keeps its meaning.
SCHEMA_VERSION = "v1.0"
_RESOLVED = {
    "passed": "gate.passed",
    "bypassed": "gate.bypassed",
    "failed": "gate.failed",
}


class LedgerEntry(models.Model):
    """Who subscribed to what is recorded is told of it."""

    _inherit = "ipai.ledger.entry"

    def _recorded(self):
        result = super()._recorded()
        self.env["ipai.webhook.delivery"]._queue_entries(self)
        return result


class WebhookDelivery(models.Model):
    """What other systems are told, and of what."""

    _inherit = "ipai.webhook.delivery"

    @api.model
    def _queue_entries(self, entries):
        """Queue what endpoints are told of new ledger entries.

        A fixed number of queries whatever the number of entries and endpoints; none
        when nobody subscribed.

        :param entries: as superuser
        """
        subscriptions = self.env["ipai.webhook.endpoint"]._subscriptions()
        if not subscriptions:
            return
        told = []
        for entry in entries:
            body = json.loads(entry.body) if entry.kind in _TOLD else {}
            events = _TOLD[entry.kind](body) if body else ()
            if events:
                told.append((entry, body, events))
        exceptions = {
            entry.id: int(entry.subject.partition(",")[2])
            for entry, _body, _events in told
            if entry.kind == "exception_expired"
        }
        # Read at once, for all of them.
        known = self.env["ipai.exception"].sudo().browse(exceptions.values())
        vals_list = []
        for entry, body, events in told:
            details = _details(body)
            if entry.id in exceptions:
                about = known.browse(exceptions[entry.id]).with_prefetch(known._ids)
                details = {"exception": about._told_outside()}
            vals_list += self._told(
                entry.release_id, events, entry.occurred_at, details, entry
            )
        self._queue(vals_list)

    @api.model
    def _queue_expiring(self, exceptions):
        """Queue what endpoints are told of exceptions that expire soon.

        No entry of the ledger tells of these: nothing has happened yet.

        :param exceptions: as superuser
        """
        if not self.env["ipai.webhook.endpoint"]._subscriptions():
            return
        now = ledger.timestamp(self.env.cr.now())
        vals_list = []
        for exception in exceptions:
            vals_list += self._told(
                exception.release_id,
                ("exception.expiring",),
                now,
                {"exception": exception._told_outside()},
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
    def _told(self, release, events, occurred_at, details, entry=None):
        """Values of the deliveries of one event, one per endpoint that subscribed.

        :param events: what it can be told as: an endpoint gets the first it takes
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
            "release": release._told_outside() if release else None,
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
    """A release as other systems are told of it."""

    _inherit = "ipai.release"

    def _told_outside(self):
        self.ensure_one()
        return {
            "uuid": self.uuid,
            "name": self.name,
            "project": self.project_id.name,
            "revision": self.source_ref,
            "stage": self.stage_id.code,
        }


class ReleaseException(models.Model):
    """An exception as other systems are told of it."""

    _inherit = "ipai.exception"

    def _told_outside(self):
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


def _gate_events(body):
    event = _RESOLVED.get(body["status"])
    return (event,) if event else ()


def _reopened_events(body):
    # Who is told of failed gates only hears of one that had passed before, too.
    return ("gate.reopened", *_gate_events(body))


#: Kind of ledger entry → from its body, the events it can be told as.
_TOLD = {
    "gate_resolved": _gate_events,
    "gate_reopened": _reopened_events,
    "move_allowed": lambda body: ("release.moved",),
    "exception_expired": lambda body: ("exception.expired",),
}


def _details(body):
    """What is told of an entry beside its release."""
    if "gate" in body:
        gate = {
            "code": body["gate"],
            "status": body["status"],
            "former_status": body.get("from"),
            "revision": body.get("source_ref"),
            "cause": body.get("cause"),
        }
        return {"gate": gate}
    move = {name: body.get(name) or None for name in ("from", "to", "reason")}
    return {"move": move}
