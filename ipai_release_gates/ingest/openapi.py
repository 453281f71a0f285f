"""The HTTP API in OpenAPI 3.1, from the same tables that read its requests."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from . import answers, transport
from .adapters.known import CORE_PROVIDERS
from .envelope import envelope_schema
from .kinds import CORE, Kinds
from .provider import Providers
from .reports import CORE_FORMATS, Formats, query_parameters
from .requests import TARGETS, read_move, read_release

ROOT = "/ipai/v1"
VERSION = "1.0"

Json = dict[str, Any]

#: The word of each HTTP status that more than one route answers with.
_SHARED = {
    400: "The request is wrong; `detail` says where and how.",
    401: "No API key, or none that is good here. A session is none.",
    403: "Whoever the key belongs to may not do this.",
    404: "No such release that the caller may see.",
    413: "The body is larger than this route takes; it was not read.",
    415: "Another content type, charset or content encoding than this route takes.",
    429: "The key has no request left; `Retry-After` says for how many seconds.",
    500: "Our fault. Send it again as it was, with the same idempotency key.",
}
_ALWAYS = (400, 401, 403, 429, 500)
_WITH_BODY = (413, 415)

_uuid = {
    "name": "uuid",
    "in": "path",
    "required": True,
    "description": "uuid of the release",
    "schema": {"type": "string", "minLength": 1},
}


def describe(
    kinds: Kinds = CORE,
    formats: Formats = CORE_FORMATS,
    providers: Providers = CORE_PROVIDERS,
) -> Json:
    """Return the description as a dict that JSON can carry.

    :param kinds: code → :class:`~.kinds.EventKind`, those that are taken.
    :param formats: code → :class:`~.reports.ReportFormat`, those that are taken.
    :param providers: code → :class:`~.provider.Provider`, likewise.
    """
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Release gates",
            "version": VERSION,
            "description": (
                "What CI and agents send about releases, and what they ask. Every"
                " refusal has the shape of a rejected event. A retry sends the same"
                " idempotency key. An answer that is not JSON is not from this API:"
                " treat it as if the server could not be reached."
            ),
        },
        "servers": [{"url": "/"}],
        "security": [{"apiKey": []}],
        "paths": {
            f"{ROOT}{path}": item for path, item in _paths(formats, providers).items()
        },
        "components": {
            "securitySchemes": {
                "apiKey": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "An API key of an Odoo user, of the scope rpc.",
                }
            },
            "schemas": _schemas(kinds),
        },
    }


def _paths(formats: Formats, providers: Providers) -> Json:
    return {
        "/events": {
            "post": _operation(
                "sendEvents",
                "Send one event, a list of them, or one per line",
                body={
                    transport.JSON: {
                        "schema": {"oneOf": [_ref("Envelope"), _ref("Envelopes")]}
                    },
                    transport.NDJSON: {"schema": {"type": "string"}},
                },
                answers={
                    200: ("Each event was taken.", _one_or_list()),
                    202: ("The event waits for a release with its commit.", "Answer"),
                    207: ("Some event of the list was not taken.", _list()),
                    400: ("The event, or the request, is wrong.", "Answer"),
                    403: ("The caller may not send this.", "Answer"),
                    409: ("Conflicting key, unknown or closed release.", "Answer"),
                    413: ("The event, or the body, is too large.", "Answer"),
                    422: ("The schema version is unknown.", "Answer"),
                    500: ("Our fault; the event is kept.", "Answer"),
                },
            )
        },
        "/releases": {
            "post": _operation(
                "openRelease",
                "Open a release, or get the one of that name",
                body={transport.JSON: {"schema": _ref("ReleaseValues")}},
                answers={
                    200: ("It was there; it keeps its revision.", "Release"),
                    201: ("It was opened.", "Release"),
                },
            )
        },
        "/releases/{uuid}/verdict": {
            "get": _operation(
                "verdict",
                "Judge a release for a promotion target, now",
                parameters=[
                    _uuid,
                    {
                        "name": "target",
                        "in": "query",
                        "schema": {"enum": list(TARGETS), "default": "production"},
                    },
                ],
                answers={200: ("The verdict.", "Verdict"), 404: None},
            )
        },
        "/releases/{uuid}/moves": {
            "post": _operation(
                "requestMove",
                "Move a release into a stage",
                parameters=[_uuid],
                body={transport.JSON: {"schema": _ref("MoveValues")}},
                answers={
                    200: ("It was moved.", "Move"),
                    404: None,
                    409: ("Refused; `reasons` says why.", "Move"),
                },
            )
        },
        "/reports": {
            "post": _operation(
                "sendReport",
                "Send a report as a tool wrote it: "
                + _any_of([format_.label for format_ in formats.values()]),
                parameters=query_parameters(formats),
                body={
                    media_type: {"schema": {"type": "string"}}
                    for format_ in formats.values()
                    for media_type in format_.media_types
                },
                answers={
                    200: ("The check and the file were taken.", _list()),
                    207: ("One of them was not taken.", _list()),
                    400: ("The report cannot be read.", "Answer"),
                    413: ("The report is too large.", "Answer"),
                },
            )
        },
        "/webhooks/{provider}": {"post": _webhook(providers)},
        "/openapi.json": {
            "get": {
                "operationId": "describe",
                "summary": "This description",
                "security": [],
                "responses": {
                    "200": _response("OpenAPI 3.1", {"type": "object"}),
                    "400": _response(_SHARED[400], _ref("Refusal")),
                    "500": _response(_SHARED[500], _ref("Refusal")),
                },
            }
        },
    }


def _webhook(providers: Providers) -> Json:
    operation = _operation(
        "deliverWebhook",
        f"Take a delivery of {_any_of([one.label for one in providers.values()])}",
        parameters=[
            {
                "name": "provider",
                "in": "path",
                "required": True,
                "schema": {"enum": list(providers)},
            },
            {
                "name": "source",
                "in": "query",
                "description": "uuid of the webhook, part of the address it was given",
                "schema": {"type": "string"},
            },
        ],
        body={transport.JSON: {"schema": {"type": "object"}}},
        answers={
            200: ("It was taken, was taken before, or tells nothing.", "Delivery"),
            202: ("It is kept; some of it needs somebody to look.", "Delivery"),
            401: ("The address or the signature is not good.", "Refusal"),
            404: ("There is no such provider.", "Refusal"),
        },
    )
    # It has a signature, and neither a key nor the limit of one.
    operation["security"] = []
    for status in ("403", "429"):
        del operation["responses"][status]
    return operation


def _operation(
    name: str,
    summary: str,
    *,
    answers: Mapping[int, tuple[str, Any] | None],
    body: Json | None = None,
    parameters: Sequence[Json] = (),
) -> Json:
    statuses = {*answers, *_ALWAYS, *(_WITH_BODY if body else ())}
    said = {
        status: answers.get(status) or (_SHARED[status], "Refusal")
        for status in sorted(statuses)
    }
    operation: Json = {
        "operationId": name,
        "summary": summary,
        "parameters": list(parameters),
        "responses": {
            str(status): _response(description, schema, status)
            for status, (description, schema) in said.items()
        },
    }
    if body:
        operation["requestBody"] = {"required": True, "content": body}
    return operation


def _response(description: str, schema: str | Json, status: int | None = None) -> Json:
    if isinstance(schema, str):
        schema = _ref(schema)
    response = {
        "description": description,
        "content": {transport.JSON: {"schema": schema}},
    }
    if status == 429:
        response["headers"] = {
            "Retry-After": {
                "description": "seconds",
                "required": True,
                "schema": {"type": "integer", "minimum": 1},
            }
        }
    return response


def _any_of(names: Iterable[str]) -> str:
    *others, last = names
    return f"{', '.join(others)} or {last}" if others else last


def _ref(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def _list() -> Json:
    return {"type": "array", "items": _ref("Answer")}


def _one_or_list() -> Json:
    return {"oneOf": [_ref("Answer"), _list()]}


def _object(**properties: Any) -> Json:
    return {
        "type": "object",
        "required": sorted(properties),
        "properties": properties,
    }


def _schemas(kinds: Kinds) -> Json:
    text, whole, flag = {"type": "string"}, {"type": "integer"}, {"type": "boolean"}
    texts = {"anyOf": [text, {"const": False}]}
    fault = _object(field=text, message=text)
    detail: Json = {
        "type": "object",
        "properties": {
            "code": text,
            "message": text,
            "field": text,
            "errors": {"type": "array", "items": fault},
            "stale": flag,
            "duplicate_of": whole,
        },
    }
    refusal = _object(
        ingest_id={"const": False},
        status={"enum": ["rejected", "error"]},
        http_status={
            "enum": sorted({*answers.HTTP_STATUS.values(), 500}),
        },
        detail={
            **detail,
            "required": ["code", "message"],
            "properties": {
                **detail["properties"],
                "code": {"enum": sorted({*answers.HTTP_STATUS, "internal_error"})},
            },
        },
    )
    return {
        "Envelope": {"oneOf": [_ref(f"Envelope.{name}") for name in kinds]},
        **{f"Envelope.{name}": envelope_schema(kind) for name, kind in kinds.items()},
        "Envelopes": {
            "type": "array",
            "minItems": 1,
            "maxItems": transport.MAX_EVENTS,
            "items": _ref("Envelope"),
        },
        "Answer": _object(
            ingest_id={
                "anyOf": [whole, {"const": False}],
                "description": "Its row in the log; false if it got none.",
            },
            status={"enum": list(answers.STATUSES)},
            http_status=whole,
            detail=detail,
        ),
        "Refusal": refusal,
        "ReleaseValues": read_release.schema,
        "Release": _object(
            id=whole,
            uuid=text,
            name=text,
            project=text,
            stage=text,
            status=text,
            source_ref=text,
            created=flag,
        ),
        "Delivery": _object(
            status={"enum": ["accepted", "duplicate", "ignored", "rejected", "error"]},
            delivery=text,
            results=_list(),
        ),
        "MoveValues": read_move.schema,
        "Move": _object(
            moved=flag,
            release=text,
            stage=text,
            requested_stage=text,
            status=text,
            reasons={
                "type": "array",
                "items": _object(gate=text, code=text, kind=text, reason=text),
            },
            message=text,
        ),
        "Verdict": _object(
            eligible=flag,
            target={"enum": list(TARGETS)},
            release=text,
            revision=text,
            evaluated_at={"type": "string", "format": "date-time"},
            gates={
                "type": "array",
                "items": _object(
                    code=text,
                    name=text,
                    status=text,
                    conditions={
                        "type": "array",
                        "items": _object(
                            code=text,
                            name=text,
                            kind=text,
                            state={
                                "enum": ["met", "unmet", "waived", "not_applicable"]
                            },
                            reason=text,
                            waived_until=texts,
                        ),
                    },
                ),
            },
        ),
    }
