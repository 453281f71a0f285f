"""Reading what GitHub sends when a job waits for a deployment protection rule."""

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

Json = dict[str, Any]

_SHA = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")
_REPOSITORY = re.compile(r"[A-Za-z0-9_.-]{1,100}/[A-Za-z0-9_.-]{1,100}")
_LONGEST = {
    "environment": 255,
    "event": 64,
    "ref": 255,
    "deployment_callback_url": 2048,
}


class Invalid(ValueError):
    """The request cannot be answered; the message names the field.

    :ivar field: name of the field
    """

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field


@dataclass(frozen=True)
class Request:
    """A job that waits.

    :ivar environment: name at GitHub
    :ivar event: what triggered the workflow
    :ivar source_ref: full commit SHA that is to be deployed, lower case
    :ivar ref: branch or tag, may be empty
    :ivar callback_url: where GitHub wants the answer, not yet trusted
    :ivar repository: ``owner/name``
    :ivar installation: id of the app's installation, digits
    :ivar deployment: id of the deployment, digits; may be empty
    """

    environment: str
    event: str
    source_ref: str
    ref: str
    callback_url: str
    repository: str
    installation: str
    deployment: str


def read_request(payload: object) -> Request:
    """Read the payload of a ``deployment_protection_rule`` event.

    The commit is that of the deployment; where GitHub made none, the one that
    triggered the workflow.

    :param payload: decoded JSON
    :returns: :class:`Request`
    :raises Invalid: naming the field that is missing or no such thing
    """
    if not isinstance(payload, dict):
        raise Invalid("payload", "is no object")
    if payload.get("action") != "requested":
        raise Invalid("action", "is not “requested”")
    deployment = _part(payload, "deployment")
    commit = deployment.get("sha") or payload.get("sha")
    if not isinstance(commit, str) or not _SHA.fullmatch(commit.lower()):
        raise Invalid("deployment.sha", "is no full commit SHA")
    repository = _part(payload, "repository").get("full_name")
    if not isinstance(repository, str) or not _REPOSITORY.fullmatch(repository):
        raise Invalid("repository.full_name", "is no owner/name")
    return Request(
        environment=_line(payload, "environment", required=True),
        event=_line(payload, "event"),
        source_ref=commit.lower(),
        ref=_line(payload, "ref"),
        callback_url=_line(payload, "deployment_callback_url", required=True),
        repository=repository,
        installation=_number(_part(payload, "installation"), "installation.id"),
        deployment=_number(deployment, "deployment.id") if deployment else "",
    )


def run_of(callback_url: str, api_url: str, repository: str) -> str:
    """The run that a callback address belongs to.

    The address must be the one that GitHub documents, on the API of the app and in the
    repository of the project: nothing is ever sent elsewhere.

    :param api_url: of the app, ``https://api.github.com`` or that of a server
    :param repository: ``owner/name``
    :returns: id of the workflow run, digits
    :raises Invalid: when the address is another
    """
    given, api = urlsplit(callback_url), urlsplit(api_url)
    path = re.fullmatch(
        rf"{re.escape(api.path.rstrip('/'))}/repos/{re.escape(repository)}"
        r"/actions/runs/([1-9][0-9]{0,18})/deployment_protection_rule",
        given.path,
        re.IGNORECASE | re.ASCII,
    )
    if (
        # Parsers leave out what is not printed.
        not callback_url.isprintable()
        or given.scheme != api.scheme
        or given.netloc.lower() != api.netloc.lower()
        or given.query
        or given.fragment
        or not path
    ):
        raise Invalid(
            "deployment_callback_url",
            f"is no run of {repository} at {api_url}",
        )
    return path[1]


def _part(payload: Json, name: str) -> Json:
    part = payload.get(name)
    if part is None:
        return {}
    if not isinstance(part, dict):
        raise Invalid(name, "is no object")
    return part


def _line(payload: Json, name: str, required: bool = False) -> str:
    value = payload.get(name)
    if not value and not required:
        return ""
    if not isinstance(value, str) or not value.strip():
        raise Invalid(name, "is missing")
    if len(value) > _LONGEST[name] or not value.isprintable():
        raise Invalid(name, f"is no line of at most {_LONGEST[name]} characters")
    return value


def _number(part: Json, name: str) -> str:
    value = part.get("id")
    if type(value) is not int or not 0 < value < 10**19:
        raise Invalid(name, "is no id")
    return str(value)
