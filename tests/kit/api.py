"""Requests to the HTTP API of a site, by the standard library."""

import json
import urllib.error
import urllib.request
from dataclasses import dataclass

JSON = "application/json"
NDJSON = "application/x-ndjson"


@dataclass
class Answer:
    """An HTTP answer: its status, its headers, and its JSON."""

    status: int
    headers: dict
    body: object


def call(site, method, path, body=None, login="ci", mimetype=JSON, **headers):
    """Send a request below ``/ipai/v1``.

    :param body: bytes as they are, every other value as JSON
    :param login: of the demo data; ``None`` sends no key
    """
    if body is not None and not isinstance(body, bytes):
        body = json.dumps(body).encode()
    headers["X-Odoo-Database"] = site.database
    if body is not None:
        headers["Content-Type"] = mimetype
    if login:
        headers["Authorization"] = f"Bearer {site.api_key(login)}"
    request = urllib.request.Request(
        f"{site.url}/ipai/v1{path}", body, headers, method=method
    )
    try:
        with urllib.request.urlopen(request) as answer:
            return Answer(answer.status, dict(answer.headers), json.load(answer))
    except urllib.error.HTTPError as error:
        return Answer(error.code, dict(error.headers), json.load(error))
