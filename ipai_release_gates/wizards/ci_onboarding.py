import json
import logging
import re
import shlex
from datetime import timedelta

from odoo import SUPERUSER_ID, api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Command
from odoo.tools import SQL
from odoo.tools.sql import escape_psql

from ..models.governance.ci_account import CI_GROUP

_logger = logging.getLogger(__name__)

_LOGIN = re.compile(r"[a-z0-9][a-z0-9._-]{1,62}[a-z0-9]")
_USUAL_DAYS = 90

_JSON2 = """\
curl --fail-with-body --silent --show-error \\
  {address} \\
  --header "Authorization: bearer $IPAI_GATES_KEY" \\
  --header {database} \\
  --header 'Content-Type: application/json' \\
  --data @- <<EOF
{{"values": {{
  "project": {project},
  "name": "$RELEASE",
  "source_ref": "$(git rev-parse HEAD)",
  "environment_target": "production",
  "authors": ["$(git log -1 --format=%ae)", "$(git log -1 --format=%ce)"]
}}}}
EOF
"""
_XML_RPC = """\
import os
import xmlrpc.client

url, database, login = {url!r}, {database!r}, {login!r}
token = os.environ["IPAI_GATES_KEY"]
common = xmlrpc.client.ServerProxy(f"{{url}}/xmlrpc/2/common")
uid = common.authenticate(database, login, token, {{}})
odoo = xmlrpc.client.ServerProxy(f"{{url}}/xmlrpc/2/object")
release = {{"project": {project!r}, "name": os.environ["RELEASE"]}}
print(
    odoo.execute_kw(
        database, uid, token, "ipai.control.plane", "verdict", [release, "production"]
    )
)
"""


class CiKeyWizard(models.AbstractModel):
    """Gives a CI service a key, and shows it once to the user who asks for it.

    The key is in the answer to that call only: neither in the record of the wizard nor
    in the log. The database holds Odoo's hash of it.
    """

    _name = "ipai.ci.key.wizard"
    _description = "Key of a CI service"

    lifetime_days = fields.Integer(
        string="Key lifetime (days)",
        required=True,
        default=lambda self: min(_USUAL_DAYS, self._longest_lifetime()),
    )
    longest_lifetime = fields.Integer(compute="_compute_longest_lifetime")

    def _compute_longest_lifetime(self):
        self.longest_lifetime = self._longest_lifetime()

    @api.model
    def _longest_lifetime(self):
        """The longest lifetime of a key of a CI service, in days, set on its group."""
        # Odoo reads 0 as one day.
        # sudo: not everybody reads groups
        group = self.env.ref(CI_GROUP).sudo()
        return int(group.api_key_duration) or 1

    def _check_lifetime(self):
        longest = self._longest_lifetime()
        if not 1 <= self.lifetime_days <= longest:
            raise ValidationError(
                self.env._(
                    "A key of a CI service lives for 1 to %(longest)s days, not "
                    "%(days)s. An administrator of Odoo changes that on the group.",
                    longest=longest,
                    days=self.lifetime_days,
                )
            )

    def _issue_key(self, user, project=None):
        """Make a key for a user; the caller has checked that it is a CI service.

        :param user: the service
        :param project: a project for the examples
        :returns: action that shows the key
        """
        self._check_lifetime()
        expires_at = fields.Datetime.now() + timedelta(days=self.lifetime_days)
        # As the service itself, with its rights: Odoo checks the lifetime as well.
        key = (
            self.env["res.users.apikeys"]
            .with_user(user)
            .with_context({})
            ._generate("rpc", f"CI, by {self.env.user.login}", expires_at)
        )
        _logger.info(
            "API key of CI service %s (#%s) made by %s (#%s)",
            user.login,
            user.id,
            self.env.user.login,
            self.env.uid,
        )
        url = self.get_base_url()
        database = self.env.cr.dbname
        name = project.name if project else "owner/name"
        address = f"{url}/json/2/ipai.control.plane/open_release"
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Key of %s", user.login),
            "res_model": "ipai.ci.key.show",
            "views": [(False, "form")],
            "target": "new",
            "context": {
                "default_key": key,
                "default_login": user.login,
                "default_expires_at": fields.Datetime.to_string(expires_at),
                "default_json2": _JSON2.format(
                    address=shlex.quote(address),
                    database=shlex.quote(f"X-Odoo-Database: {database}"),
                    project=json.dumps(name),
                ),
                "default_xml_rpc": _XML_RPC.format(
                    url=url, database=database, login=user.login, project=name
                ),
            },
        }


class CiOnboardingWizard(models.TransientModel):
    """Make a CI service: a user that can do nothing else, and its key."""

    _name = "ipai.ci.onboarding.wizard"
    _description = "New CI service"
    _inherit = "ipai.ci.key.wizard"

    name = fields.Char(required=True)
    login = fields.Char(
        required=True,
        help="Lower-case letters, digits, dots, dashes and underscores.",
    )
    project_id = fields.Many2one(
        "ipai.project", help="For its company, and for the examples."
    )
    company_id = fields.Many2one(
        "res.company",
        required=True,
        compute="_compute_company_id",
        store=True,
        readonly=False,
        precompute=True,
        compute_sudo=False,
        help="It sends events about the projects of this company.",
    )

    @api.depends("project_id")
    def _compute_company_id(self):
        for wizard in self:
            wizard.company_id = (
                wizard.project_id.company_id or wizard.company_id or self.env.company
            )

    def action_create_service(self):
        """Make the service and its key.

        :returns: action that shows the key, once
        :raises AccessError: when the user is no governance administrator
        :raises ValidationError: for a wrong name, login or lifetime
        """
        self.ensure_one()
        self.env["ipai.ci.account"]._require_governance()
        self.check_access("read")
        self.project_id.check_access("read")
        if self.company_id not in self.env.user.company_ids:
            raise UserError(self.env._("You do not belong to that company."))
        self._check_lifetime()
        return self._issue_key(self._create_service(), self.project_id)

    def _create_service(self):
        login = self._checked_login()
        name = " ".join((self.name or "").split())
        if not name or len(name) > 128:
            raise ValidationError(
                self.env._("Give the service a name of 1 to 128 characters.")
            )
        group = self.env.ref(CI_GROUP)
        # Governance may not create users, so the superuser does, without the caller's
        # context: no default of the caller gives the service a right. The service has
        # neither a password nor an e-mail address, so it logs in by its key alone.
        user = (
            self.env["res.users"]
            .with_user(SUPERUSER_ID)
            .with_context({"no_reset_password": True})
            .create(
                {
                    "name": name,
                    "login": login,
                    "email": False,
                    "company_id": self.company_id.id,
                    "company_ids": [Command.set(self.company_id.ids)],
                    "group_ids": [Command.set(group.ids)],
                }
            )
        )
        user.flush_recordset()
        [(has_password,)] = self.env.execute_query(
            SQL("SELECT password IS NOT NULL FROM res_users WHERE id = %s", user.id)
        )
        account = self.env["ipai.ci.account"].browse(user.id)
        account._require_harmless()
        if has_password or user.group_ids != group:
            raise UserError(
                self.env._("%s would be more than a CI service; not created.", login)
            )
        return user

    def _checked_login(self):
        """The login, in normal form.

        :raises ValidationError: when a new service cannot have it
        """
        login = (self.login or "").strip()
        # A login that looks like an e-mail address would make the service a commit
        # author.
        if not _LOGIN.fullmatch(login):
            raise ValidationError(
                self.env._(
                    "“%s” is no login of a CI service: 3 to 64 lower-case letters, "
                    "digits, dots, dashes and underscores, no e-mail address.",
                    login,
                )
            )
        # sudo: logins of all users count
        taken = self.env["res.users"].sudo().with_context(active_test=False)
        if taken.search_count([("login", "=ilike", escape_psql(login))], limit=1):
            raise ValidationError(
                self.env._("The login “%s” is taken; choose another.", login)
            )
        return login


class CiRotateWizard(models.TransientModel):
    """Give a CI service a new key, and revoke its other keys."""

    _name = "ipai.ci.rotate.wizard"
    _description = "New key of a CI service"
    _inherit = "ipai.ci.key.wizard"

    account_id = fields.Many2one("ipai.ci.account", required=True, string="Service")

    def action_rotate(self):
        """Revoke the keys of the service and make a new one.

        :returns: action that shows the key, once
        :raises AccessError: when the user is no governance administrator
        :raises UserError: when the account is more than a CI service, or archived
        """
        self.ensure_one()
        account = self.account_id
        account._require_harmless()
        self.check_access("read")
        if not account.active:
            raise UserError(
                self.env._("%s is archived: it gets no key.", account.login)
            )
        self._check_lifetime()
        # Of two users who rotate the key at the same time, one is refused.
        # sudo: the account is checked above
        account.user_id.sudo().lock_for_update(allow_referencing=True)
        account._revoke_keys()
        return self._issue_key(account.user_id)


class CiKeyShow(models.AbstractModel):
    """Shows a new key. Nothing of it is stored."""

    _name = "ipai.ci.key.show"
    _description = "Key of a CI service that was just made"

    # The form reads these by onchange, which returns the defaults.
    id = fields.Id()
    key = fields.Char(readonly=True)
    login = fields.Char(readonly=True)
    expires_at = fields.Datetime(readonly=True)
    json2 = fields.Text(string="JSON-2", readonly=True)
    xml_rpc = fields.Text(string="XML-RPC", readonly=True)
