import logging

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import SQL

_logger = logging.getLogger(__name__)

CI_GROUP = "ipai_release_gates.group_ci_service"


class CiAccount(models.Model):
    """A user in the group of CI services, with what governance asks of it.

    A reading of Odoo's own tables. It is written through the actions below and the
    wizards only, so that governance makes and ends CI services without any right on
    users.
    """

    _name = "ipai.ci.account"
    _description = "CI service account"
    _auto = False
    _order = "name, id"
    _depends = {
        "res.users": ["login", "active", "company_id", "partner_id", "group_ids"],
        "res.partner": ["name"],
        "ipai.ingest.log": ["user_id", "received_at"],
    }

    name = fields.Char(readonly=True)
    login = fields.Char(readonly=True)
    active = fields.Boolean(readonly=True)
    user_id = fields.Many2one("res.users", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    last_event_at = fields.Datetime(
        string="Last event", readonly=True, help="When it last sent an event."
    )
    key_ids = fields.One2many("ipai.ci.key", "account_id", string="Keys")
    key_count = fields.Integer(string="Valid keys", readonly=True)
    key_until = fields.Datetime(
        string="Valid until",
        readonly=True,
        help="When the last of its valid keys expires; empty when one never does.",
    )
    has_endless_key = fields.Boolean(string="Key without end", readonly=True)
    obstacle = fields.Char(
        compute="_compute_obstacle",
        help="Why governance can neither give it a key nor revoke one.",
    )

    @property
    def _table_query(self):
        return SQL(
            """
            SELECT u.id, u.id AS user_id, p.name, u.login, u.active, u.company_id,
                   (SELECT l.received_at FROM ipai_ingest_log l
                     WHERE l.user_id = u.id
                  ORDER BY l.id DESC LIMIT 1) AS last_event_at,
                   k.key_count, k.key_until, k.has_endless_key
              FROM res_users u
              JOIN res_groups_users_rel r ON r.uid = u.id AND r.gid = %s
              JOIN res_partner p ON p.id = u.partner_id
        CROSS JOIN LATERAL (
                   SELECT count(*) AS key_count,
                          coalesce(bool_or(expiration_date IS NULL), false)
                              AS has_endless_key,
                          CASE WHEN NOT bool_or(expiration_date IS NULL)
                               THEN max(expiration_date) END AS key_until
                     FROM res_users_apikeys
                    WHERE user_id = u.id
                      AND (expiration_date IS NULL
                           OR expiration_date >= now() AT TIME ZONE 'utc')
                   ) k
            """,
            self.env["ir.model.data"]._xmlid_to_res_id(CI_GROUP),
        )

    @api.depends_context("uid")
    def _compute_obstacle(self):
        for account in self:
            account.obstacle = account._refusal()

    def _refusal(self):
        """Why the current user may not touch the keys of this account, or ``None``.

        The holder of a key acts as its user. Governance therefore manages the keys of
        those users only that can do no more than a CI service.
        """
        self.ensure_one()
        # sudo: rights of a user, always readable
        user = self.user_id.sudo()
        harmless = (
            self.env["res.groups"]
            .sudo()  # sudo: groups of every CI service
            .union(
                *(
                    self.env.ref(xmlid).sudo()  # sudo: groups of every CI service
                    for xmlid in (
                        CI_GROUP,
                        "base.group_user",
                        "base.group_multi_company",
                    )
                )
            )
        )
        if user.all_group_ids - harmless - harmless.all_implied_ids:
            return self.env._(
                "%s has other roles besides CI service; an administrator of Odoo takes "
                "care of its keys.",
                user.login,
            )
        if user.company_ids - self.env.user.company_ids:
            return self.env._(
                "%s belongs to companies that you do not belong to.", user.login
            )
        return None

    def _require_harmless(self):
        """Check that the current user may give and revoke keys of these accounts.

        :raises AccessError: for who is no governance administrator
        :raises UserError: naming the account that is more than a CI service
        """
        self._require_governance()
        self.check_access("read")
        # Membership of the group is asked again: it may have changed.
        known = self.search([("id", "in", self.ids), ("active", "in", [True, False])])
        if set(known.ids) != set(self.ids):
            raise AccessError(self.env._("That is no CI service account."))
        for account in self:
            refusal = account._refusal()
            if refusal:
                raise UserError(refusal)

    @api.model
    def _require_governance(self):
        if not self.env.user.has_group("ipai_release_gates.group_governance_admin"):
            raise AccessError(
                self.env._("Only a governance administrator takes care of CI services.")
            )

    def action_rotate(self):
        """Ask for the lifetime of the new key."""
        self.ensure_one()
        self._require_harmless()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "ipai_release_gates.ipai_ci_rotate_wizard_action"
        )
        action["context"] = {"default_account_id": self.id}
        return action

    def action_revoke(self):
        """Revoke every key of these accounts, at once."""
        self._require_harmless()
        self._revoke_keys()
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "success",
                "message": self.env._(
                    "Keys revoked: %s", ", ".join(self.mapped("login"))
                ),
                "next": {"type": "ir.actions.client", "tag": "soft_reload"},
            },
        }

    def _revoke_keys(self):
        """Remove the keys of accounts that were checked."""
        # These were checked to belong to CI services.
        # sudo: governance has no right on keys
        keys = self.env["res.users.apikeys"].sudo()
        keys = keys.search([("user_id", "in", self.user_id.ids)])
        _logger.info(
            "%s API keys of CI services %s revoked by %s (#%s)",
            len(keys),
            self.mapped("login"),
            self.env.user.login,
            self.env.uid,
        )
        keys._remove()
        # Odoo remembers credentials that it found good over XML-RPC.
        self.env.registry.clear_cache()
        self.invalidate_model()
        self.env["ipai.ci.key"].invalidate_model()


class CiKey(models.Model):
    """An API key of a CI service: that it is there, never what it is."""

    _name = "ipai.ci.key"
    _description = "API key of a CI service"
    _auto = False
    _order = "id desc"
    _depends = {"res.users": ["company_id", "group_ids"]}

    name = fields.Char(readonly=True)
    account_id = fields.Many2one("ipai.ci.account", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    issued_at = fields.Datetime(readonly=True)
    expires_at = fields.Datetime(readonly=True)

    @property
    def _table_query(self):
        return SQL(
            """
            SELECT k.id, k.name, k.user_id AS account_id, u.company_id,
                   k.create_date AS issued_at, k.expiration_date AS expires_at
              FROM res_users_apikeys k
              JOIN res_users u ON u.id = k.user_id
              JOIN res_groups_users_rel r ON r.uid = k.user_id AND r.gid = %s
            """,
            self.env["ir.model.data"]._xmlid_to_res_id(CI_GROUP),
        )
