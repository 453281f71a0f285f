import re

import werkzeug.exceptions

from odoo import models
from odoo.http import request

from ...controllers.dispatcher import (
    ApiDispatcher,
    Refused,
    is_ours,
    not_found,
    unauthorized,
)

#: What an API key of Odoo may look like; anything else is not looked up.
_BEARER = re.compile(r"bearer +([!-~]{1,255})", re.IGNORECASE)


class IrHttp(models.AbstractModel):
    """How the HTTP API is entered: by a header with an API key and in no other way."""

    _inherit = "ir.http"

    @classmethod
    def _match(cls, path_info):
        if not is_ours(path_info):
            return super()._match(path_info)
        # Whatever is wrong from here on is said in JSON, an unknown path included.
        request.dispatcher = ApiDispatcher(request)
        try:
            rule, args = super()._match(path_info)
        except werkzeug.exceptions.NotFound as nothing:
            # Else Odoo would look for a page or a file at this path.
            raise Refused(not_found()) from nothing
        if request.httprequest.method == "OPTIONS":
            # Odoo lets it through to every route, for browsers; none calls this API.
            methods = sorted(rule.methods - {"OPTIONS"})
            raise werkzeug.exceptions.MethodNotAllowed(methods)
        return rule, args

    @classmethod
    def _auth_method_ipai_key(cls):
        """Whose API key the header carries; sessions and cookies count for nothing.

        Odoo's own ``bearer`` lets a session pass where the header is missing.
        """
        header = request.httprequest.headers.get("Authorization", "").strip()
        match = _BEARER.fullmatch(header)
        if not match:
            message = "Send an API key: Authorization: Bearer <key>."
            raise Refused(unauthorized(message))
        # Nobody yet: whatever a cookie brought along ends here.
        request.update_env(user=False, context={}, su=False)
        uid = request.env["res.users.apikeys"]._check_credentials(
            scope="rpc", key=match[1]
        )
        if not uid:
            message = "This API key is unknown, expired or not for this interface."
            raise Refused(unauthorized(message, "invalid_token"))
        request.update_env(user=uid, context={"lang": request.default_lang()})
        request.session.can_save = False
