"""What the stand-in for GitHub keeps, and how it reads a body."""

import hashlib
import hmac
from dataclasses import dataclass, field


class Answer(Exception):
    """What a request is answered with, where it is not taken."""

    def __init__(self, status, message, headers=None):
        super().__init__(message)
        self.status, self.headers = status, headers or {}


@dataclass
class Call:
    """A request as it arrived, and how it was answered."""

    method: str
    path: str
    headers: dict
    body: dict | None
    status: int = 0
    message: str = ""


@dataclass
class Installation:
    """An app, installed in some repositories."""

    number: int
    repositories: set
    permissions: dict
    tokens: dict = field(default_factory=dict)
    suspended: bool = False


@dataclass
class Run:
    """A workflow run, one of whose jobs waits to deploy."""

    repository: str
    environment: str
    sha: str
    installation: int
    state: str = "waiting"
    reviews: list = field(default_factory=list)
    reports: int = 0


def signature(secret, body):
    """The header ``X-Hub-Signature-256`` of a delivery.

    :param str secret: of the webhook
    :param bytes body: as it is sent
    """
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def object_of(body):
    if not isinstance(body, dict):
        raise Answer(400, "Body should be a JSON object")
    return body


def only(body, known):
    for key in body:
        if key not in known:
            raise Answer(422, f"“{key}” is not a permitted key")


def text_of(body, key, required=False):
    value = body.get(key)
    if value is None and not required:
        return None
    if not isinstance(value, str) or (required and not value):
        raise Answer(422, f"{key} is missing or no string")
    return value
