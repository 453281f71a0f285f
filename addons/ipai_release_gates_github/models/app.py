import os
from pathlib import Path

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError

from odoo.addons.ipai_release_gates import outbound
from odoo.addons.ipai_release_gates.errors import OutboundRefused

from .. import github


class GithubApp(models.Model):
    """A GitHub App as which this server speaks to GitHub.

    Its private key is either named, by the environment variable of the server that
    holds it, or kept here, in a field that nobody can read back over any interface.
    """

    _name = "ipai.github.app"
    _description = "GitHub App"
    _inherit = "ipai.policy.mixin"
    _order = "name, id"

    name = fields.Char(required=True)
    active = fields.Boolean(default=True)
    company_id = fields.Many2one(
        "res.company", required=True, default=lambda self: self.env.company
    )
    client_id = fields.Char(
        string="Client ID",
        required=True,
        help="Client ID, or App ID, as the settings of the app at GitHub show it.",
    )
    api_url = fields.Char(
        string="Address of the API",
        required=True,
        default="https://api.github.com",
        help="Of an own GitHub Enterprise Server: https://github.example.com/api/v3",
    )
    private_key_pem = fields.Text(
        string="Private key",
        compute="_compute_private_key_pem",
        inverse="_inverse_private_key_pem",
        help="The .pem file that GitHub let you download. It can be replaced, never "
        "read back.",
    )
    # The name alone: the value is in the environment of the server, and so in no
    # database, no copy and no backup of one.
    key_variable = fields.Char(
        string="Environment variable",
        help="Instead of a key kept here: the name of an environment variable of the "
        "server that holds the key, or the path of the file it is in.",
    )
    private_key = fields.Text(groups=fields.NO_ACCESS, copy=False)
    key_fingerprint = fields.Char(
        string="Fingerprint",
        readonly=True,
        copy=False,
        help="Of the key kept here, as GitHub shows it next to each key of the app.",
    )
    has_key = fields.Boolean(compute="_compute_has_key")
    obstacle = fields.Char(
        compute="_compute_obstacle", help="Why GitHub cannot be called as this app."
    )
    repository_ids = fields.One2many("ipai.github.repository", "app_id")

    # No verdict depends on them, but a change is recorded.
    _policy_deciding = frozenset()

    _client_id_format = models.Constraint(
        "CHECK (client_id ~ '^[A-Za-z0-9._-]{1,64}$')",
        "A client ID consists of letters, digits, dots and dashes.",
    )
    _api_url_format = models.Constraint(
        "CHECK (api_url ~ '^https?://[^/?#@[:space:]]+(/[^?#[:space:]]*[^/?#[:space:]])?$')",
        "The address of the API is one such as https://api.github.com, without a slash "
        "at its end.",
    )
    _key_variable_format = models.Constraint(
        "CHECK (key_variable ~ '^IPAI_GITHUB_KEY(_[A-Z0-9]+)*$')",
        "The environment variable is called IPAI_GITHUB_KEY, or IPAI_GITHUB_KEY_ and "
        "more capital letters and digits.",
    )

    @api.model_create_multi
    def create(self, vals_list):
        prepared, pems = [], []
        for vals in vals_list:
            vals = self._normalised(vals)
            pems.append(vals.pop("private_key_pem", None))
            prepared.append(vals)
        apps = super().create(prepared)
        for app, pem in zip(apps, pems, strict=True):
            app._keep_key(pem)
        return apps

    def write(self, vals):
        vals = self._normalised(vals)
        pem = vals.pop("private_key_pem", None)
        result = super().write(vals)
        self._keep_key(pem)
        self.repository_ids._changed()
        return result

    @api.model
    def _normalised(self, vals):
        """Values in the form that is compared; the key itself cannot be written."""
        for name in ("private_key", "key_fingerprint"):
            if name in vals:
                raise AccessError(
                    self.env._(
                        "The key is set by its file, in the field “Private key”."
                    )
                )
        vals = dict(vals)
        if vals.get("api_url"):
            vals["api_url"] = vals["api_url"].strip().rstrip("/")
        for name in ("client_id", "key_variable"):
            if vals.get(name):
                vals[name] = vals[name].strip()
        return vals

    def _keep_key(self, pem):
        """Store a valid key where nobody can read it.

        The empty field of an untouched form keeps the former key.
        """
        if not pem or not pem.strip() or not self:
            return
        key = self._read_key(pem)
        # sudo: nobody may write this field
        super(GithubApp, self.sudo()).write(  # pylint: disable=super-method-mismatch
            {"private_key": pem, "key_fingerprint": github.fingerprint(key)}
        )

    def _compute_private_key_pem(self):
        self.private_key_pem = False

    def _inverse_private_key_pem(self):
        # ``create`` and ``write`` took it already.
        return

    @api.model
    def _read_key(self, pem):
        try:
            return github.read_key(pem)
        except github.KeyRefused as refusal:
            raise ValidationError(
                self.env._(
                    "That is no private key of a GitHub App: %s. Download one in the "
                    "settings of the app, under “Private keys”.",
                    str(refusal),
                )
            ) from None

    @api.depends("key_fingerprint", "key_variable")
    def _compute_has_key(self):
        for app in self:
            app.has_key = bool(
                os.environ.get(app.key_variable)
                if app.key_variable
                else app.key_fingerprint
            )

    @api.depends("key_fingerprint", "key_variable", "api_url")
    def _compute_obstacle(self):
        for app in self:
            app.obstacle = app._refusal()

    def _refusal(self):
        """Why GitHub cannot be called as this app, with the way out; ``None`` if so."""
        self.ensure_one()
        if not self.has_key:
            if self.key_variable:
                return self.env._(
                    "The environment of the server has no %s.", self.key_variable
                )
            return self.env._(
                "It has no private key: paste one, or name the environment variable "
                "that holds it."
            )
        try:
            self.env["ipai.outbound.transport"]._check_url(self.api_url or "")
        except OutboundRefused as refusal:
            return str(refusal)
        return None

    @api.constrains("api_url")
    def _validate_api_url(self):
        for app in self:
            try:
                outbound.place_of(app.api_url)
            except outbound.PlaceError as error:
                raise ValidationError(
                    self.env._("“%s” is no address of an API.", app.api_url)
                ) from error

    @api.constrains("key_variable", "company_id")
    def _validate_key_variable(self):
        # A company that signs with the key of another would answer for repositories
        # that it does not own. The message names no app.
        # sudo: also apps of other companies
        apps = self.sudo().with_context(active_test=False)
        for app in apps.filtered("key_variable"):
            if apps.search_count(
                [
                    ("key_variable", "=", app.key_variable),
                    ("company_id", "!=", app.company_id.id),
                ],
                limit=1,
            ):
                raise ValidationError(
                    self.env._(
                        "%s holds the key of another company's app: give this one a "
                        "variable of its own.",
                        app.key_variable,
                    )
                )

    def _signing_key(self):
        """The private key, for signing only.

        :returns: an RSA private key and its fingerprint
        :raises UserError: when there is none, with the way out
        """
        self.ensure_one()
        # Only jobs that call GitHub use it.
        # sudo: nobody may read the key
        app = self.sudo()
        pem = app.private_key
        if app.key_variable:
            pem = os.environ.get(app.key_variable, "")
            if pem and "-----BEGIN" not in pem:
                try:
                    pem = Path(pem).read_text(encoding="ascii")
                except (OSError, ValueError):
                    raise UserError(
                        self.env._(
                            "The file that %s names cannot be read by the server.",
                            app.key_variable,
                        )
                    ) from None
        if not pem:
            raise UserError(self._refusal() or self.env._("It has no private key."))
        key = self._read_key(pem)
        return key, github.fingerprint(key)
