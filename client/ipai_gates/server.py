"""The server over HTTP: the key in a header, and only answers of the contract count."""

from __future__ import annotations

import http.client
import json
import socket
import urllib.error
import urllib.parse
import urllib.request
from email.message import Message
from typing import IO, Any

from . import __version__
from .problems import Denied, Refused, Unreachable, UsageProblem
from .settings import Settings
from .shapes import Json

API = "/ipai/v1"
#: Statuses that say nothing about the events, but that nobody takes any here.
_NO_EVENTS_HERE = (404, 405, 415)
MAX_ANSWER = 64 * 1024 * 1024


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Follows nothing: the key goes to the address it was meant for, or nowhere."""

    def redirect_request(self, *_arguments: object) -> None:
        """No request follows, so the redirect itself is the answer."""


class Server:
    """The control plane at one address, with one key.

    Proxies and certificates are those of the environment, as for ``urllib``.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._opener = urllib.request.build_opener(_NoRedirect)

    def post_events(self, events: list[Json]) -> list[Json]:
        """Send envelopes as one list.

        :returns: one answer each, in order
        :raises Unreachable: when it gave no answer for each
        :raises Denied: when it does not answer to this key
        :raises Refused: when it refuses the request as a whole
        """
        try:
            answers = self._call("POST", f"{API}/events", events)
        except Refused as refused:
            if refused.answer.get("http_status") in _NO_EVENTS_HERE:
                raise Unreachable(self._stranger(str(refused))) from None
            raise
        return self._list_of_answers(answers, len(events))

    def post_report(self, query: Json, content: bytes) -> list[Json]:
        """Send a raw file for the server's adapters; its answers."""
        path = f"{API}/reports?{urllib.parse.urlencode(query)}"
        answers = self._call("POST", path, content)
        if isinstance(answers, dict):
            answers = answers.get("results") or [answers]
        return self._list_of_answers(answers, None)

    def open_release(self, values: Json) -> Json:
        """Open a release, or find the one of that name; its description."""
        answer = self._call("POST", f"{API}/releases", values)
        if not isinstance(answer, dict) or not answer.get("uuid"):
            raise Unreachable(self._stranger("no release in its answer"))
        return answer

    def verdict(self, release: str | Json, target: str) -> Json:
        """The verdict on a release.

        :param release: its uuid, or ``{"project", "name"}``
        """
        if isinstance(release, dict):
            # The route takes a uuid; JSON-2, the same contract, takes a name as well.
            path = "/json/2/ipai.control.plane/verdict"
            answer = self._call("POST", path, {"release": release, "target": target})
        else:
            name = urllib.parse.quote(str(release), safe="")
            query = urllib.parse.urlencode({"target": target})
            answer = self._call("GET", f"{API}/releases/{name}/verdict?{query}")
        if not isinstance(answer, dict) or not isinstance(answer.get("eligible"), bool):
            raise Unreachable(self._stranger("no verdict in its answer"))
        return answer

    # --- one request -----------------------------------------------------------------

    def _call(self, method: str, path: str, body: object = None) -> Any:
        status, headers, data = self._exchange(method, path, body)
        if status in (301, 302, 303, 307, 308):
            raise UsageProblem(
                f"{self._settings.url} sends to {headers.get('Location', 'elsewhere')};"
                " the key goes to no other address. Give the right one in "
                "IPAI_GATES_URL."
            )
        if status == 429 or status >= 500:
            what = "is busy" if status == 429 else f"answers {status}"
            raise Unreachable(
                f"{self._settings.url} {what}.", _seconds(headers.get("Retry-After"))
            )
        try:
            answer = json.loads(data)
        except ValueError:
            raise Unreachable(self._stranger(f"{status} and no JSON")) from None
        if status in (401, 403):
            raise Denied(self._denied(status, answer))
        if status >= 400:
            raise Refused(self._refusal(status, answer))
        return answer

    def _exchange(
        self, method: str, path: str, body: object
    ) -> tuple[int, Message, bytes]:
        """One request; ``(status, headers, body)`` of its answer."""
        request = urllib.request.Request(
            self._settings.url + path, self._encoded(body), method=method
        )
        kind = "application/octet-stream" if isinstance(body, bytes) else None
        request.add_header("Content-Type", kind or "application/json")
        request.add_header("Accept", "application/json")
        request.add_header("User-Agent", f"ipai-gates/{__version__}")
        if self._settings.database:
            request.add_header("X-Odoo-Database", self._settings.database)
        # Unredirected: not even urllib itself would carry it on.
        request.add_unredirected_header("Authorization", f"Bearer {self._settings.key}")
        try:
            with self._opener.open(request, timeout=self._settings.timeout) as answer:
                return answer.status, answer.headers, self._read(answer)
        except urllib.error.HTTPError as error:
            with error:
                try:
                    return error.code, error.headers, self._read(error)
                except (OSError, http.client.HTTPException):
                    return error.code, error.headers, b""
        except (OSError, http.client.HTTPException) as error:
            reason = getattr(error, "reason", None) or error
            if isinstance(reason, (socket.timeout, TimeoutError)):
                reason = f"no answer in {self._settings.timeout:g} s"
            raise Unreachable(
                f"{self._settings.url} cannot be reached: {reason}."
            ) from None

    @staticmethod
    def _encoded(body: object) -> bytes | None:
        if body is None or isinstance(body, bytes):
            return body
        return json.dumps(body, separators=(",", ":")).encode()

    @staticmethod
    def _read(answer: IO[bytes]) -> bytes:
        data = answer.read(MAX_ANSWER + 1)
        if len(data) > MAX_ANSWER:
            raise OSError("its answer does not end")
        return data

    # --- what answers mean -----------------------------------------------------------

    def _list_of_answers(self, answers: Any, expected: int | None) -> list[Json]:
        fits = isinstance(answers, list) and all(
            isinstance(each, dict) and isinstance(each.get("status"), str)
            for each in answers
        )
        if not fits or (expected is not None and len(answers) != expected):
            raise Unreachable(self._stranger("no answer for each event"))
        return list(answers)

    def _refusal(self, status: int, answer: Any) -> Json:
        """A refusal in the shape of an event's answer; else nobody of ours spoke.

        :raises Unreachable: when the answer is not of the contract
        """
        if isinstance(answer, dict):
            detail = answer.get("detail")
            if answer.get("status") == "rejected" and isinstance(detail, dict):
                return answer
            if isinstance(answer.get("name"), str) and "message" in answer:
                # JSON-2 tells of an exception.
                detail = {"code": "invalid_field", "message": str(answer["message"])}
                return {"status": "rejected", "http_status": status, "detail": detail}
        raise Unreachable(self._stranger(f"{status}, not an answer of the gates"))

    def _denied(self, status: int, answer: Any) -> str:
        detail = answer.get("detail") if isinstance(answer, dict) else None
        said = detail.get("message") if isinstance(detail, dict) else None
        said = f" ({said})" if said else ""
        if status == 401:
            return (
                f"{self._settings.url} refuses the API key{said}: it may have expired "
                "or been revoked. Governance makes a new one under Release Gates → "
                "Configuration → CI Services."
            )
        return (
            f"{self._settings.url} knows the API key but does not let it do this{said}."
        )

    def _stranger(self, what: str) -> str:
        return (
            f"What answers at {self._settings.url} is not the release gates ({what}): "
            "the server may be starting, or IPAI_GATES_URL or IPAI_GATES_DATABASE may "
            "be wrong."
        )


def _seconds(text: str | None) -> float | None:
    try:
        return None if text is None else max(0.0, float(text))
    except ValueError:
        return None
