from datetime import timedelta

from odoo import SUPERUSER_ID, api, fields, models, tools
from odoo.exceptions import AccessError, UserError, ValidationError

from ... import outbound

GOVERNANCE_GROUP = "ipai_release_gates.group_governance_admin"
#: Event → the field by which an endpoint subscribes to it.
EVENTS = {
    "gate.passed": "on_gate_passed",
    "gate.bypassed": "on_gate_bypassed",
    "gate.failed": "on_gate_failed",
    "gate.reopened": "on_gate_reopened",
    "release.moved": "on_release_moved",
    "release.cancelled": "on_release_cancelled",
    "exception.expiring": "on_exception_expiring",
    "exception.expired": "on_exception_expired",
}
#: How long a former secret still signs, beside the new one.
_OVERLAP = timedelta(days=1)


class WebhookEndpoint(models.Model):
    """The address of another system that receives the events of releases.

    Governance creates endpoints; an administrator of Odoo must have allowed the host.
    Messages are signed with a secret that is shown once and that no user may read. The
    health of an endpoint is computed from its attempts and not stored, so that
    deliveries in parallel do not wait for one row.
    """

    _name = "ipai.webhook.endpoint"
    _description = "Webhook endpoint"
    _inherit = ["ipai.guarded.mixin", "ipai.policy.mixin"]
    _order = "name, id"

    name = fields.Char(required=True)
    url = fields.Char(
        string="Address",
        required=True,
        # The URL of a chat is a secret: it lets its owner post there in our name.
        # Other users see the host only.
        groups=GOVERNANCE_GROUP,
        help="https://…, of a host that an administrator of Odoo has allowed.",
    )
    place = fields.Char(
        string="Leads to",
        compute="_compute_place",
        compute_sudo=True,
        help="The address without what may be secret in it.",
    )
    company_id = fields.Many2one(
        "res.company",
        required=True,
        index=True,
        ondelete="restrict",
        default=lambda self: self.env.company,
        help="It is told of this company's releases.",
    )
    project_ids = fields.Many2many(
        "ipai.project",
        string="Projects",
        # Without its last project an endpoint would be one of every project.
        ondelete="restrict",
        context={"active_test": False},
        help="Empty: every project of the company.",
    )
    on_gate_passed = fields.Boolean(string="Gate passed", default=True)
    on_gate_bypassed = fields.Boolean(string="Gate bypassed", default=True)
    on_gate_failed = fields.Boolean(string="Gate failed", default=True)
    on_gate_reopened = fields.Boolean(string="Gate re-opened", default=True)
    on_release_moved = fields.Boolean(string="Release moved", default=True)
    on_release_cancelled = fields.Boolean(string="Release cancelled", default=True)
    on_exception_expiring = fields.Boolean(string="Exception expiring", default=True)
    on_exception_expired = fields.Boolean(string="Exception expired", default=True)
    active = fields.Boolean(default=True)

    # No role may read them; the delivery jobs do.
    secret = fields.Char(groups=fields.NO_ACCESS, copy=False, prefetch=False)
    former_secret = fields.Char(groups=fields.NO_ACCESS, copy=False, prefetch=False)
    secret_made_at = fields.Datetime(string="Secret made", readonly=True)

    switched_on_at = fields.Datetime(readonly=True)
    switched_off_at = fields.Datetime(
        string="Switched off",
        readonly=True,
        help="When it was switched off because nothing could be delivered.",
    )
    switched_off_reason = fields.Char(string="Why it was switched off", readonly=True)
    delivery_ids = fields.One2many("ipai.webhook.delivery", "endpoint_id")
    last_success_at = fields.Datetime(string="Last success", compute="_compute_health")
    failing_since = fields.Datetime(
        compute="_compute_health",
        help="The first failed attempt since something was last delivered.",
    )
    failure_count = fields.Integer(
        string="Failures in a row", compute="_compute_health"
    )
    standing = fields.Selection(
        [
            ("no_secret", "Has no secret yet"),
            ("off", "Switched off"),
            ("failing", "Failing"),
            ("good", "In order"),
        ],
        compute="_compute_health",
        search="_search_standing",
    )

    _once = models.UniqueIndex(
        "(company_id, name)", "This company has an endpoint with this name already."
    )

    # No verdict depends on endpoints; their changes still go to the ledger.
    _policy_deciding = frozenset()
    _entered = frozenset({"name", "url", "project_ids", *EVENTS.values()})
    _creatable = _entered | {"company_id"}
    _writable = _entered | {"active"}

    # --- create and write ------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        now = self.env.cr.now()
        if not self._is_system():
            self.check_access("create")
            allowed = self._creatable
            for vals in vals_list:
                self._refuse_fields(vals, allowed)
            endpoints = self.system_create(
                [
                    {**self._entered_defaults(), **vals, "switched_on_at": now}
                    for vals in vals_list
                ]
            )
            self.env.registry.clear_cache()
            return endpoints
        return super().create(vals_list)

    def _entered_defaults(self):
        """Default values from the context, for the fields that users may enter."""
        return {
            name: self.env.context[f"default_{name}"]
            for name in self._creatable
            if f"default_{name}" in self.env.context
        }

    def write(self, vals):
        if self._is_system():
            result = super().write(vals)
        else:
            self._refuse_fields(vals, self._writable)
            self.check_access("write")
            if vals.get("active"):
                # Its failures are counted from now on.
                vals = {
                    **vals,
                    "switched_on_at": self.env.cr.now(),
                    "switched_off_at": False,
                    "switched_off_reason": False,
                }
            result = self.system_write(vals)
        self.env.registry.clear_cache()
        return result

    @api.constrains("url")
    def _validate_url(self):
        for endpoint in self:
            self.env["ipai.outbound.transport"]._check_url(endpoint.url)

    @api.constrains("company_id", "project_ids")
    def _validate_projects(self):
        # sudo: checks projects the editor cannot read
        for endpoint in self.sudo():
            if endpoint.project_ids.company_id - endpoint.company_id:
                raise ValidationError(
                    self.env._(
                        "“%s” names a project of another company: give each company "
                        "an endpoint of its own.",
                        endpoint.name,
                    )
                )

    @api.depends("url")
    def _compute_place(self):
        for endpoint in self:
            endpoint.place = endpoint.url and _place_of(endpoint.url)

    # --- what the ledger records -----------------------------------------------------

    @api.model
    def _policy_field_names(self):
        return sorted(self._creatable | {"active", "secret", "switched_off_reason"})

    def _policy_value_of(self, name):
        if name == "url":
            # URLs of webhooks are often secrets: the ledger records the host, and a
            # digest that shows a change.
            return f"{_place_of(self.url)} ({outbound.digest_of(self.url)})"
        if name == "secret":
            # Shows that there is a new secret, and nothing of it.
            return self.secret_made_at and fields.Datetime.to_string(
                self.secret_made_at
            )
        return super()._policy_value_of(name)

    def _policy_shown(self, state):
        shown = super()._policy_shown(state)
        if state and state.get("url"):
            # The host and the digest are no secrets; see above.
            shown["url"] = state["url"]
        return shown

    # --- the secret ------------------------------------------------------------------

    def action_rotate_secret(self):
        """Make a new secret; the former one still signs for a day.

        :returns: action that shows the secret, once
        :raises AccessError: when the user is no governance administrator
        """
        self.ensure_one()
        self._require_governance()
        self.check_access("write")
        secret = outbound.new_secret()
        # sudo: no user may access secrets
        endpoint = self.sudo()
        endpoint.system_write(
            {
                "secret": secret,
                "former_secret": endpoint.secret,
                "secret_made_at": self.env.cr.now(),
            }
        )
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Secret of %s", self.name),
            "res_model": "ipai.webhook.secret.show",
            "views": [(False, "form")],
            "target": "new",
            "context": {"default_secret": secret, "default_name": self.name},
        }

    def _secrets(self):
        """The secrets that sign messages now, the newest first."""
        self.ensure_one()
        found = [self.secret]
        if self.secret_made_at + _OVERLAP > self.env.cr.now():
            found.append(self.former_secret)
        return [secret for secret in found if secret]

    @api.model
    def _require_governance(self):
        if not self.env.user.has_group(GOVERNANCE_GROUP):
            raise AccessError(
                self.env._("Only a governance administrator takes care of webhooks.")
            )

    # --- subscriptions ---------------------------------------------------------------

    @api.model
    def _events(self):
        """The events that an endpoint can subscribe to.

        Hook: a satellite adds a boolean field to this model, names it here and adds it
        to ``_entered``, ``_creatable`` and ``_writable``.

        :returns: dict of event name to the field that subscribes to it
        """
        return EVENTS

    @api.model
    @tools.ormcache()
    def _subscriptions(self):
        """The events that each endpoint receives, cached until an endpoint changes.

        :returns: tuple of ``(endpoint id, company id, project ids, events)``
        """
        # sudo: receivers do not depend on user
        endpoints = self.sudo().with_context({}).search([("secret", "!=", False)])
        events = tuple(self._events().items())
        return tuple(
            (
                endpoint.id,
                endpoint.company_id.id,
                frozenset(endpoint.project_ids.with_context(active_test=False).ids),
                frozenset(name for name, field in events if endpoint[field]),
            )
            for endpoint in endpoints
        )

    def action_send_test(self):
        """Send a test event, of no release, to these endpoints.

        :returns: client action with a notification
        :raises AccessError: when the user is no governance administrator
        :raises UserError: when an endpoint is archived or has no secret
        """
        self._require_governance()
        self.check_access("read")
        for endpoint in self:
            if not endpoint.active or endpoint.standing == "no_secret":
                raise UserError(
                    self.env._(
                        "%s sends nothing: it is archived or has no secret yet.",
                        endpoint.name,
                    )
                )
        self.env["ipai.webhook.delivery"]._queue_test(self)
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "info",
                "message": self.env._(
                    "A test event is on its way; what came of it is in the deliveries."
                ),
            },
        }

    def action_open_deliveries(self):
        """Open the deliveries of this endpoint."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "ipai_release_gates.ipai_webhook_delivery_action"
        )
        action["domain"] = [("endpoint_id", "=", self.id)]
        action["context"] = {}
        return action

    # --- health ----------------------------------------------------------------------

    @api.depends("active", "secret_made_at", "switched_on_at", "switched_off_at")
    def _compute_health(self):
        health = self.env["ipai.webhook.attempt"]._health_of(self._origin)
        for endpoint in self:
            success, since, count = health.get(endpoint._origin.id, (False, False, 0))
            endpoint.last_success_at = success
            endpoint.failing_since = since
            endpoint.failure_count = count
            if endpoint.switched_off_at:
                endpoint.standing = "off"
            elif not endpoint.secret_made_at:
                endpoint.standing = "no_secret"
            else:
                endpoint.standing = "failing" if count else "good"

    def _search_standing(self, operator, value):
        if operator != "in":
            return NotImplemented
        # There are few endpoints, and one query gives the health of all.
        endpoints = self.with_context(active_test=False).search([])
        found = endpoints.filtered(lambda endpoint: endpoint.standing in value)
        return [("id", "in", found.ids)]

    def _switch_off_if_failing(self, gone=False):
        """Enqueue the switching off of an endpoint that accepts no deliveries any more.

        By a job of its own: two deliveries in parallel would conflict on the row of the
        endpoint, and the one that is retried would be sent twice.

        :param gone: whether the receiver answered 410 (gone)
        """
        self.ensure_one()
        days = self.env["ipai.settings"]._current().webhook_patience_days
        if gone:
            reason = self.env._("It answered 410: it is gone for good.")
        elif (
            days
            and self.failing_since
            and self.failing_since + timedelta(days=days) <= self.env.cr.now()
        ):
            reason = self.env._("Nothing could be delivered for %s days.", days)
        else:
            return
        self.with_user(SUPERUSER_ID).with_context({}).with_delay(
            channel="root.ipai",
            description=f"Switch off webhook endpoint {self.id}",
            identity_key=f"ipai-webhook-off-{self.id}",
        )._switch_off(reason)

    def _switch_off(self, reason):
        """Archive the endpoint and notify governance (run as a job)."""
        self.ensure_one()
        if not self.active:
            return
        self.system_write(
            {
                "active": False,
                "switched_off_at": self.env.cr.now(),
                "switched_off_reason": reason,
            }
        )
        group = self.env.ref(GOVERNANCE_GROUP)
        people = group.all_user_ids.filtered(
            lambda user: user.active and self.company_id in user.company_ids
        )
        if people:
            self.env["mail.thread"].message_notify(
                model=self._name,
                res_id=self.id,
                partner_ids=people.partner_id.ids,
                subject=self.env._("Webhook endpoint switched off: %s", self.name),
                body=reason,
            )


def _place_of(url):
    """Scheme, host and port of a URL, without its path and query."""
    try:
        place = outbound.place_of(url)
    except outbound.PlaceError:
        # A form computes this while the user still types.
        return "…"
    return f"{place.scheme}://{place.host}:{place.port}/…"


class WebhookSecretShow(models.AbstractModel):
    """Shows a new secret. Nothing of it is stored."""

    _name = "ipai.webhook.secret.show"
    _description = "Secret of a webhook endpoint that was just made"

    # The form reads these by onchange, which returns the defaults.
    id = fields.Id()
    secret = fields.Char(readonly=True)
    name = fields.Char(readonly=True)
