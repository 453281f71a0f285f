import base64

from odoo.http import Controller, request, route

from .. import ingest
from ..errors import Rejected
from ..ingest import transport
from .dispatcher import ROOT, TYPE, answer_json, read_body, read_query

_KEY = {"type": TYPE, "auth": "ipai_key", "save_session": False}


class ControlPlaneApi(Controller):
    """The façade over plain HTTP: each route is one of its methods, with the rights of
    the owner of the key."""

    @route(f"{ROOT}/events", methods=["POST"], **_KEY)
    def events(self):
        """Take one envelope, a list of them, or one per line."""
        body, mimetype = read_body(
            transport.JSON, transport.NDJSON, limit=transport.MAX_LIST_BYTES
        )
        read_query()
        events, alone = transport.read_events(body, mimetype)
        answers = _plane().ingest(events)
        if alone:
            return answer_json(answers[0], answers[0]["http_status"])
        return answer_each(answers)

    @route(f"{ROOT}/releases", methods=["POST"], **_KEY)
    def open_release(self):
        """Open a release, or return the one of that name."""
        body, _mimetype = read_body(transport.JSON, limit=transport.MAX_BODY_BYTES)
        read_query()
        answer = _plane().open_release(transport.read_object(body))
        return answer_json(answer, 201 if answer["created"] else 200)

    @route(
        f"{ROOT}/releases/<string:uuid>/verdict",
        methods=["GET"],
        readonly=True,
        **_KEY,
    )
    def verdict(self, uuid):
        """Judge a release for a promotion target, now."""
        target = read_query(target="production")["target"]
        return answer_json(_plane().verdict(_release(uuid), target))

    @route(f"{ROOT}/releases/<string:uuid>/moves", methods=["POST"], **_KEY)
    def request_move(self, uuid):
        """Move a release into a stage, or answer the refusal."""
        body, _mimetype = read_body(transport.JSON, limit=transport.MAX_BODY_BYTES)
        read_query()
        try:
            values = ingest.read_move(transport.read_object(body))
        except ingest.fields.Invalid as invalid:
            at, message, code = invalid.problems[0]
            raise Rejected(code, message, ingest.fields.path_of(at)) from None
        answer = _plane().request_move(_release(uuid), **values)
        return answer_json(answer, 200 if answer["moved"] else 409)

    @route(f"{ROOT}/reports", methods=["POST"], **_KEY)
    def report(self):
        """Take a report as a tool wrote it."""
        sent = read_query(**dict.fromkeys(ingest.QUERY))
        formats = _plane()._formats_by_code()
        try:
            format_ = ingest.fields.one_of(*formats)(sent["format"] or "")
        except ingest.fields.Invalid as invalid:
            raise Rejected("invalid_field", str(invalid), "format") from None
        limit = ingest.fields.MAX_CONTENT_BYTES
        body, _mimetype = read_body(*formats[format_].media_types, limit=limit)
        values = {
            name: sent[parameter]
            for parameter, name in ingest.QUERY.items()
            if sent[parameter] is not None
        }
        values["content_base64"] = base64.b64encode(body).decode()
        answers = _plane().ingest_report(values)
        if len(answers) == 1:
            # The report itself was refused, not what it became.
            return answer_json(answers[0], answers[0]["http_status"])
        return answer_each(answers)

    @route(
        f"{ROOT}/openapi.json",
        methods=["GET"],
        type=TYPE,
        auth="none",
        save_session=False,
        readonly=True,
    )
    def description(self):
        """Describe this API in OpenAPI 3.1."""
        read_query()
        return answer_json(_plane()._describe_api())


def answer_each(answers):
    """The answer to a list of events: 200 if each was taken, else 207."""
    taken = all(200 <= answer["http_status"] < 300 for answer in answers)
    return answer_json(answers, 200 if taken else 207)


def _plane():
    return request.env["ipai.control.plane"]


def _release(uuid):
    """A uuid from a path.

    :raises Rejected: when it is none; no release could be found by it
    """
    try:
        found = ingest.fields.release_id(uuid)
    except ingest.fields.Invalid:
        found = None
    if not isinstance(found, str):
        raise Rejected(
            "unknown_release",
            request.env._("release: the path needs the uuid of a release."),
            "release",
        )
    return found
