"""How the HTTP API reads requests and answers errors.

Odoo picks the dispatcher by the route's ``type``. This one parses no body by itself, so
nothing is read before the caller is known, and answers every error in the shape of a
rejected event.
"""

import werkzeug.exceptions

from odoo.exceptions import AccessDenied, AccessError, MissingError, UserError
from odoo.http import Dispatcher, SessionExpiredException, request

from .. import ingest
from ..errors import CallRejected, Rejected
from ..ingest import transport
from ..ingest.openapi import ROOT

TYPE = "ipai_api"

_CODES = {
    400: ("bad_request", "The request is malformed."),
    401: ("unauthorized", "Send an API key: Authorization: Bearer <key>."),
    403: ("forbidden", "This is refused."),
    404: ("not_found", "There is nothing at this path; see openapi.json."),
    405: ("method_not_allowed", "This path does not take the method."),
    413: ("too_large", "The body is too large."),
    415: ("unsupported_media_type", "The body has a type that is not taken here."),
}


def is_ours(path):
    """Whether a path belongs to the HTTP API."""
    return path == ROOT or path.startswith(f"{ROOT}/")


class RequestRejected(werkzeug.exceptions.HTTPException):
    """A refusal where Odoo lets no other exception pass: while it authenticates.

    :param Rejected rejected: what is wrong with the request
    """

    def __init__(self, rejected):
        super().__init__(rejected.message)
        self.code = rejected.http_status
        self.rejected = rejected


class ApiDispatcher(Dispatcher):
    """The dispatcher of routes with ``type="ipai_api"``."""

    routing_type = TYPE
    mimetypes = (transport.JSON, transport.NDJSON)

    @classmethod
    def is_compatible_with(cls, request):
        # The endpoint refuses other content types, in the shape of every refusal.
        return True

    def dispatch(self, endpoint, args):
        self.request.params = dict(args)
        return self.request.registry["ir.http"]._dispatch(endpoint)

    def handle_error(self, exc):
        answer, headers = refusal_of(exc)
        return answer_json(answer, answer["http_status"], headers)


def refusal_of(exc):
    """The answer to a caller about an exception.

    :returns: ``(answer, headers)``; nothing of our inside is in it
    """
    if isinstance(exc, (RequestRejected, CallRejected)):
        exc = exc.rejected
    if isinstance(exc, Rejected):
        status = 404 if exc.code == "unknown_release" else None
        return _refused(exc.code, exc.message, exc.field, status), exc.headers
    if isinstance(exc, (AccessDenied, SessionExpiredException)):
        return refusal_of(unauthorized(_CODES[401][1]))
    if isinstance(exc, AccessError):
        return _refused("forbidden", str(exc)), {}
    if isinstance(exc, MissingError):
        return _refused("not_found", str(exc)), {}
    if isinstance(exc, UserError):
        return _refused("invalid_field", str(exc), "body"), {}
    if isinstance(exc, werkzeug.exceptions.HTTPException):
        status = exc.code or (exc.response.status_code if exc.response else 500)
        if status in _CODES:
            code, message = _CODES[status]
            headers = {}
            if status == 405 and exc.valid_methods:
                methods = sorted(set(exc.valid_methods) - {"OPTIONS"})
                headers["Allow"] = ", ".join(methods)
            return _refused(code, message), headers
    message = "The request could not be processed; send it again as it was."
    return ingest.answers.error(None, {"message": message}), {}


def unauthorized(message, error=None):
    """The refusal of a caller without a good key.

    :param error: the word of RFC 6750 for what is wrong with the key, if one was sent
    """
    challenge = f'Bearer realm="{ROOT}"' + (f', error="{error}"' if error else "")
    headers = {"WWW-Authenticate": challenge}
    return Rejected("unauthorized", message, headers=headers)


def not_found():
    """The refusal of a path that is none."""
    return Rejected("not_found", _CODES[404][1])


def _refused(code, message, field=None, status=None):
    answer = ingest.answers.rejected(None, code, message, field=field)
    return {**answer, "http_status": status or answer["http_status"]}


def answer_json(value, status=200, headers=None):
    """The answer with a JSON value, which no cache may keep."""
    headers = {"Cache-Control": "no-store", **(headers or {})}
    return request.make_json_response(value, list(headers.items()), status=status)


def read_body(*mimetypes, limit):
    """The body of the current request, which stays readable for a retry.

    :param mimetypes: those that are taken; the rest is refused unread
    :param limit: bytes; a body that says it has more is refused unread, one that says
        nothing is read to the limit and no further
    :returns: ``(bytes, mimetype)``
    :raises Rejected: for what cannot be taken
    """
    http = request.httprequest
    charset = http.mimetype_params.get("charset", "utf-8").lower()
    encoding = http.headers.get("Content-Encoding", "identity").strip().lower()
    if http.mimetype not in mimetypes or charset not in ("utf-8", "utf8"):
        raise Rejected(
            "unsupported_media_type",
            f"Send {' or '.join(mimetypes)} in UTF-8.",
            headers={"Accept": ", ".join(mimetypes)},
        )
    if encoding not in ("identity", ""):
        raise Rejected(
            "unsupported_media_type",
            "Send the body as it is, without Content-Encoding.",
            headers={"Accept-Encoding": "identity"},
        )
    http.max_content_length = limit
    try:
        return http.get_data(), http.mimetype
    except werkzeug.exceptions.RequestEntityTooLarge:
        raise transport.too_large(limit) from None
    except (OSError, werkzeug.exceptions.ClientDisconnected):
        raise Rejected("bad_request", "The body ended too early.") from None


def read_query(**defaults):
    """The parameters of the address, by name; one that is not known is refused.

    :param defaults: what each known one is when it is not there
    :raises Rejected: for one that is unknown or there twice
    """
    sent = request.httprequest.args
    for name, values in sent.lists():
        if name not in defaults:
            known = ", ".join(sorted(defaults)) or "none"
            raise Rejected(
                "invalid_field",
                f"Is not a parameter of this path; its parameters are: {known}.",
                ingest.fields.path_of((name,)),
            )
        if len(values) > 1:
            raise Rejected("invalid_field", "Must not be there twice.", name)
    return {**defaults, **sent.to_dict()}
