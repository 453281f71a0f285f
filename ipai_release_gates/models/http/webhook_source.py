import uuid
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError, ValidationError
from odoo.tools import SQL, ormcache

from ... import ingest
from ...ingest import signatures
from ...ingest.openapi import ROOT
from ..governance.ci_account import CI_GROUP


class WebhookSource(models.Model):
    """A repository whose code host sends its events to this server.

    A delivery says by ``source`` in its address which one it is for, so that its
    signature is checked before anything in its body is looked at. What was read from
    it is recorded as a CI service, with the rights of one and no more.
    """

    _name = "ipai.webhook.source"
    _inherit = ["ipai.guarded.mixin", "ipai.policy.mixin"]
    _description = "Webhook of a code host"
    _order = "project_id, provider, id"

    project_id = fields.Many2one(
        "ipai.project",
        required=True,
        ondelete="restrict",
        index=True,
        help="The repository. A delivery that tells of another one is refused.",
    )
    company_id = fields.Many2one(
        related="project_id.company_id", store=True, index=True, precompute=True
    )
    provider = fields.Selection("_select_provider", required=True)
    user_id = fields.Many2one(
        "res.users",
        string="Recorded as",
        required=True,
        ondelete="restrict",
        domain=lambda self: [("all_group_ids", "in", self.env.ref(CI_GROUP).id)],
        help="The CI service whose events they are. It may send what CI may send, and "
        "sign nothing.",
    )
    overlap_hours = fields.Integer(
        string="Former secret holds (hours)",
        required=True,
        default=24,
        help="After a new secret is made: the time to enter it at the code host.",
    )
    active = fields.Boolean(default=True)
    uuid = fields.Char(required=True, readonly=True)
    url = fields.Char(string="Address", compute="_compute_url")

    # No role may read them; the check of signatures does.
    secret = fields.Char(groups=fields.NO_ACCESS, copy=False, prefetch=False)
    former_secret = fields.Char(groups=fields.NO_ACCESS, copy=False, prefetch=False)
    secret_made_at = fields.Datetime(string="Secret made", readonly=True)
    former_until = fields.Datetime(
        string="Former secret until",
        readonly=True,
        help="Until then the secret before this one is still good.",
    )
    log_ids = fields.One2many("ipai.ingest.log", "webhook_source_id", "Deliveries")
    last_delivery_at = fields.Datetime(
        string="Last delivery", compute="_compute_last_delivery"
    )
    last_delivery_status = fields.Char(
        string="Outcome", compute="_compute_last_delivery"
    )

    _uuid_unique = models.Constraint(
        "UNIQUE (uuid)", "Each webhook has an address of its own."
    )
    _overlap_range = models.Constraint(
        "CHECK (overlap_hours BETWEEN 0 AND 720)",
        "A former secret holds for 0 to 720 hours.",
    )

    # No verdict depends on them; their changes still go to the ledger.
    _policy_deciding = frozenset()
    _writable = frozenset({"user_id", "overlap_hours", "active"})
    _creatable = _writable | {"project_id", "provider"}

    # --- providers -------------------------------------------------------------------

    @api.model
    def _providers(self):
        """The code hosts whose webhooks this database takes.

        Hook: a satellite adds its own, ``return super()._providers() + (MINE,)``.

        :returns: tuple of :class:`ingest.Provider`, in the order of the choice
        """
        return ingest.PROVIDERS

    @api.model
    @ormcache()
    def _providers_by_code(self):
        """The providers of :meth:`_providers` by code, in order."""
        return ingest.provider.by_code(self._providers())

    @api.model
    def _select_provider(self):
        return [(provider.code, provider.label) for provider in self._providers()]

    def _provider(self):
        """The :class:`ingest.Provider` of this webhook."""
        return self._providers_by_code()[self.provider]

    # --- doors -----------------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        if self._is_system():
            return super().create(vals_list)
        self.check_access("create")
        prepared = []
        for vals in vals_list:
            for name in self._creatable:
                if f"default_{name}" in self.env.context:
                    vals = {name: self.env.context[f"default_{name}"], **vals}
            self._refuse_fields(vals, self._creatable)
            prepared.append({**vals, "uuid": str(uuid.uuid4())})
        return self.system_create(prepared)

    def write(self, vals):
        if self._is_system():
            return super().write(vals)
        self._refuse_fields(vals, self._writable)
        self.check_access("write")
        return self.system_write(vals)

    @api.constrains("provider")
    def _validate_provider(self):
        # Odoo does not compare a value with a choice that a method gives.
        known = self._providers_by_code()
        for source in self:
            if source.provider not in known:
                raise ValidationError(
                    self.env._("No webhooks of “%s” are taken here.", source.provider)
                )

    @api.constrains("user_id", "project_id")
    def _validate_user(self):
        # A message shows no more of a user than the login.
        for source in self.sudo():  # sudo: a reader may lack the user
            user = source.user_id
            if not user.active or not user.has_group(CI_GROUP):
                raise ValidationError(
                    self.env._(
                        "“Recorded as” must be a CI service, and %s is none. They are "
                        "made under Configuration → CI Services.",
                        user.login,
                    )
                )
            if source.project_id.company_id not in user.company_ids:
                raise ValidationError(
                    self.env._(
                        "%(user)s does not belong to the company of %(project)s.",
                        user=user.login,
                        project=source.project_id.name,
                    )
                )

    def _policy_name(self):
        return f"{self.project_id.name} {self.provider}"

    # --- what people see -------------------------------------------------------------

    @api.depends("project_id", "provider")
    def _compute_display_name(self):
        labels = dict(self._fields["provider"]._description_selection(self.env))
        for source in self:
            provider = labels.get(source.provider, "")
            source.display_name = f"{source.project_id.name or ''} · {provider}"

    @api.depends("uuid", "provider")
    def _compute_url(self):
        for source in self:
            source.url = source.uuid and (
                f"{source.get_base_url()}{ROOT}/webhooks/{source.provider}"
                f"?source={source.uuid}"
            )

    def _compute_last_delivery(self):
        # The time and the outcome of the latest delivery, not its content.
        # sudo: only instant and status are shown
        logs = self.env["ipai.ingest.log"].sudo()
        labels = dict(logs._fields["status"]._description_selection(self.env))
        latest = logs._read_group(
            [("webhook_source_id", "in", self.ids)], ["webhook_source_id"], ["id:max"]
        )
        found = {source.id: logs.browse(log_id) for source, log_id in latest}
        for source in self:
            log = found.get(source.id, logs)
            source.last_delivery_at = log.received_at
            source.last_delivery_status = labels.get(log.status)

    def action_open_deliveries(self):
        """Open what was delivered."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "ipai_release_gates.ipai_ingest_log_action"
        )
        action["domain"] = [("webhook_source_id", "=", self.id)]
        action["context"] = {}
        return action

    # --- the secret ------------------------------------------------------------------

    def action_new_secret(self):
        """Make a new secret; the former one holds for as long as is set.

        :returns: action that shows the secret, once
        :raises AccessError: for who is no governance administrator
        """
        self.ensure_one()
        self._require_governance()
        secret, now = signatures.new_secret(), self.env.cr.now()
        source = self.sudo()  # sudo: nobody has rights on the secret
        source.system_write(
            {
                "secret": source._provider().scheme.keep(secret),
                "former_secret": source.secret,
                "secret_made_at": now,
                "former_until": source.secret
                and now + timedelta(hours=source.overlap_hours),
            }
        )
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Secret of %s", self.display_name),
            "res_model": "ipai.webhook.source.secret",
            "views": [(False, "form")],
            "target": "new",
            "context": {
                "default_secret": secret,
                "default_url": self.url,
                "default_provider": self.provider,
                "default_former_until": fields.Datetime.to_string(source.former_until),
            },
        }

    def action_end_former_secret(self):
        """End the former secret now."""
        self._require_governance()
        # sudo: nobody has rights on the secret
        self.sudo().system_write({"former_secret": False, "former_until": False})
        return True

    def _require_governance(self):
        if not self.env.user.has_group("ipai_release_gates.group_governance_admin"):
            raise AccessError(
                self.env._("Only a governance administrator takes care of webhooks.")
            )
        self.check_access("write")

    # --- deliveries ------------------------------------------------------------------

    @api.model
    def _genuine(self, provider, address, body, headers):
        """The source whose secret signs a delivery, or none.

        Takes the same work for an address that is none, so that nobody learns which
        there are.

        :param provider: the :class:`ingest.Provider` that the address names
        :param address: uuid of the source, as it was sent
        :param bytes body: as it was sent
        :param headers: of the request
        """
        self.flush_model()
        # One statement whether it is found or not. Nobody is logged in; the
        # signature decides.
        self.env.cr.execute(
            SQL(
                """
                SELECT id, secret, former_secret, former_until > %(now)s
                  FROM ipai_webhook_source
                 WHERE active AND uuid = %(uuid)s AND provider = %(provider)s
                """,
                now=self.env.cr.now(),
                uuid=address if ingest.fields.is_uuid(address) else "",
                provider=provider.code,
            )
        )
        found, secret, former, holds = self.env.cr.fetchone() or (None,) * 4
        secrets = [one for one in (secret, former if holds else None) if one]
        genuine = signatures.is_genuine(provider.scheme, secrets, body, headers)
        # sudo: the signature has been checked
        return self.sudo().browse(found if genuine else ())


class WebhookSourceSecret(models.AbstractModel):
    """Shows a secret that was just made. Nothing of it is stored."""

    _name = "ipai.webhook.source.secret"
    _description = "Secret of a webhook that was just made"

    # The form asks for these by onchange, which gives back the defaults.
    id = fields.Id()
    secret = fields.Char(readonly=True)
    url = fields.Char(string="Address", readonly=True)
    provider = fields.Char(readonly=True)
    former_until = fields.Datetime(string="Former secret until", readonly=True)
