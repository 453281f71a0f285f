from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ... import outbound


class OutboundHost(models.Model):
    """A host that this server may call.

    An administrator of Odoo allows it, not governance, because it opens the server's
    network. The transport checks the addresses of a host at each call.
    """

    _name = "ipai.outbound.host"
    _description = "Host that may be called"
    _inherit = "ipai.policy.mixin"
    _order = "name, port"

    name = fields.Char(
        string="Host",
        required=True,
        help="One host name or IP address, such as hooks.example.com. It covers no "
        "names below it.",
    )
    port = fields.Integer(
        help="0: the usual one, 443, or 80 where the connection is not encrypted."
    )
    is_internal = fields.Boolean(
        string="Internal network",
        help="The name may resolve to addresses of this machine or of a private "
        "network. Without it they are refused, so that nobody reaches into the "
        "network of this server by a name of theirs.",
    )
    is_plain = fields.Boolean(
        string="Without encryption",
        help="Call it by http instead of https. For this machine itself only: "
        "localhost or a loopback address.",
    )
    purpose = fields.Char(help="What it is called for.")
    active = fields.Boolean(default=True)

    # No verdict depends on hosts; their changes still go to the ledger.
    _policy_deciding = frozenset()

    _name_port_unique = models.Constraint(
        "UNIQUE (name, port)", "This host is allowed at this port already."
    )
    _name_format = models.Constraint(
        "CHECK (name ~ '^[a-z0-9.:-]+$')",
        "A host is one name in lower case or one IP address: no wildcard, no path.",
    )
    _port_range = models.Constraint(
        "CHECK (port BETWEEN 0 AND 65535)", "A port is a number from 0 to 65535."
    )
    _plain_is_internal = models.Constraint(
        "CHECK (NOT is_plain OR is_internal)",
        "What is called without encryption is of the internal network.",
    )

    @api.model_create_multi
    def create(self, vals_list):
        return super().create([self._normalised(vals) for vals in vals_list])

    def write(self, vals):
        return super().write(self._normalised(vals))

    def _normalised(self, vals):
        """Values with the host in normal form and a number as port."""
        vals = dict(vals)
        if "port" in vals:
            vals["port"] = vals["port"] or 0
        if "name" in vals:
            try:
                vals["name"] = outbound.host_name(vals["name"])
            except outbound.PlaceError as error:
                raise ValidationError(
                    self.env._(
                        "“%s” is no host: give one name such as hooks.example.com, "
                        "or one IP address, without scheme, path or wildcard.",
                        vals["name"] or "",
                    )
                ) from error
        return vals

    @api.constrains("is_plain", "name")
    def _validate_plain(self):
        for host in self:
            if host.is_plain and not outbound.is_loopback(host.name):
                raise ValidationError(
                    self.env._(
                        "%s cannot be called without encryption: only this machine "
                        "itself can, as localhost or a loopback address.",
                        host.name,
                    )
                )

    @api.depends("name", "port")
    def _compute_display_name(self):
        for host in self:
            name = host.name or ""
            if ":" in name:
                name = f"[{name}]"
            host.display_name = f"{name}:{host.port}" if host.port else name

    @api.model
    def _allowing(self, place):
        """The record that allows a call, for any user.

        :param place: :class:`outbound.Place`
        :returns: a record, or none
        """
        usual = {"https": 443, "http": 80}[place.scheme]
        ports = {place.port} | ({0} if place.port == usual else set())
        # sudo: the list binds every user
        hosts = self.sudo().with_context(active_test=True)
        return hosts.search(
            [
                ("name", "=", place.host),
                ("port", "in", list(ports)),
                *([("is_plain", "=", True)] if place.scheme == "http" else []),
            ],
            limit=1,
        )
