import re

import psycopg2
import werkzeug.exceptions

from odoo import models
from odoo.exceptions import AccessDenied
from odoo.http import request

from odoo.addons.base.models.res_users import INDEX_SIZE

from ...controllers.dispatcher import (
    ApiDispatcher,
    RequestRejected,
    is_ours,
    not_found,
    unauthorized,
)
from ...errors import Rejected

#: What an API key of Odoo may look like; anything else is not looked up.
_BEARER = re.compile(r"bearer +([!-~]{1,255})", re.IGNORECASE)


class IrHttp(models.AbstractModel):
    """Authentication of the HTTP API: a header with an API key and nothing else."""

    _inherit = "ir.http"

    @classmethod
    def _match(cls, path_info):
        if not is_ours(path_info):
            return super()._match(path_info)
        # Every error from here on is answered in JSON, an unknown path included.
        request.dispatcher = ApiDispatcher(request)
        try:
            rule, args = super()._match(path_info)
        except werkzeug.exceptions.NotFound as nothing:
            # Odoo would otherwise look for a page or a file at this path.
            raise RequestRejected(not_found()) from nothing
        if request.httprequest.method == "OPTIONS":
            # Odoo lets it through to every route, for browsers; none calls this API.
            methods = sorted(rule.methods - {"OPTIONS"})
            raise werkzeug.exceptions.MethodNotAllowed(methods)
        return rule, args

    @classmethod
    def _authenticate_explicit(cls, auth):
        """Who is calling; a database that does not answer says nothing about the key.

        Odoo turns every error here into a refused login. A 401 sends people to
        look for an expired key, and tells a client not to try again; let go, the error
        is retried where Odoo retries, and an answer of the class 5xx otherwise. That is
        so for every way in: CI comes by JSON-2 as well.
        """
        try:
            super()._authenticate_explicit(auth)
        except AccessDenied as denied:
            if isinstance(denied.__context__, psycopg2.Error):
                raise denied.__context__ from None
            raise

    @classmethod
    def _auth_method_ipai_key(cls):
        """Whose API key the header carries; sessions and cookies count for nothing.

        Odoo's own ``bearer`` lets a session pass where the header is missing.
        """
        header = request.httprequest.headers.get("Authorization", "").strip()
        match = _BEARER.fullmatch(header)
        if not match:
            message = "Send an API key: Authorization: Bearer <key>."
            raise RequestRejected(unauthorized(message))
        # No user yet: the session of a cookie ends here.
        request.update_env(user=False, context={}, su=False)
        uid = request.env["res.users.apikeys"]._check_credentials(
            scope="rpc", key=match[1]
        )
        if not uid:
            message = "This API key is unknown, expired or not for this interface."
            raise RequestRejected(unauthorized(message, "invalid_token"))
        request.update_env(user=uid, context={"lang": request.default_lang()})
        request.session.can_save = False
        cls._spend_request(match[1])

    @classmethod
    def _spend_request(cls, key):
        """Refuse the request if its key has none left in this minute.

        Odoo may call this again with the same request, to retry its transaction.
        """
        if getattr(request, "ipai_spent", False):
            return
        request.ipai_spent = True
        per_minute = request.env["ipai.settings"]._current().requests_per_minute
        # Which of the user's keys it is; the user was found by it a moment ago.
        request.env.cr.execute(
            "SELECT min(id) FROM res_users_apikeys WHERE user_id = %s AND index = %s",
            (request.env.uid, key[:INDEX_SIZE]),
        )
        (key_id,) = request.env.cr.fetchone()
        seconds = request.env["ipai.rate.limit"]._seconds_to_wait(key_id, per_minute)
        if seconds:
            raise RequestRejected(
                Rejected(
                    "rate_limited",
                    f"This key has {per_minute} requests a minute and none left; try"
                    f" again in {seconds} s, or send more events in one request.",
                    headers={"Retry-After": str(seconds)},
                )
            )
