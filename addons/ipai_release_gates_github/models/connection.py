import json
import time
from datetime import datetime, timedelta
from urllib.parse import quote

from odoo import models
from odoo.exceptions import UserError

from odoo.addons.ipai_release_gates import outbound
from odoo.addons.ipai_release_gates.errors import OutboundFailed, OutboundRefused

from .. import github

#: Of this process. In no database and no log; see :class:`github.Tokens`.
_tokens = github.Tokens()

_VERSION = "2022-11-28"
#: Minutes after which a failed call is tried again, at most.
_LONGEST_STEP = 4
#: Purposes and the permissions that a token for them asks for: no more than it needs.
_PERMISSIONS = {
    "deployments": {"actions": "read", "deployments": "write"},
    "checks": {"checks": "write"},
    "statuses": {"statuses": "write"},
}


class TryLater(Exception):
    """GitHub could not be called now, but may be later.

    :ivar seconds: how long to wait, at least
    """

    def __init__(self, message, answer=None):
        super().__init__(message)
        self.answer = answer


class Refused(Exception):
    """GitHub, or this server, will not take it: somebody has to change something.

    :ivar status: of GitHub's answer, or 0 where it was not asked
    """

    def __init__(self, message, status=0):
        super().__init__(message)
        self.status = status


class GithubRepository(models.Model):
    """Calling GitHub as the app's installation, from jobs only."""

    _inherit = "ipai.github.repository"

    def _call(self, purpose, method, path, body=None):
        """Call GitHub's API in this repository.

        :param str purpose: ``deployments``, ``checks`` or ``statuses``
        :param str path: below ``/repos/{owner}/{repo}``
        :param body: to be sent as JSON
        :returns: :class:`outbound.Answer` with a status of 2xx, and its body, decoded
        :raises TryLater: when it may be taken later
        :raises Refused: when it will not be taken as it is
        """
        self.ensure_one()
        owner, name = self.name.split("/")
        url = f"{self.app_id.api_url}/repos/{quote(owner)}/{quote(name)}{path}"
        for fresh in (False, True):
            token = self._token(purpose, fresh)
            answer = self._exchange(method, url, token, body)
            # A token may have been taken back before its time.
            if answer.status != 401:
                break
        return self._read(answer)

    def _token(self, purpose, fresh=False):
        """A token of the installation, good for one purpose in this repository.

        :param fresh: whether the one that is kept was refused
        """
        app = self.app_id
        try:
            signing_key, fingerprint = app._signing_key()
        except UserError as error:
            raise Refused(str(error)) from None
        key = (
            self.env.cr.dbname,
            app.api_url,
            app.client_id,
            fingerprint,
            self.installation,
            self.name,
            purpose,
        )
        if fresh:
            _tokens.drop(key)
        now = time.time()
        token = _tokens.get(key, now)
        if token:
            return token
        answer = self._exchange(
            "POST",
            f"{app.api_url}/app/installations/{self.installation}/access_tokens",
            github.app_jwt(signing_key, app.client_id, int(now)),
            {
                "repositories": [self.name.split("/")[1]],
                "permissions": _PERMISSIONS[purpose],
            },
        )
        if answer.status in (401, 404):
            raise Refused(self._installation_problem(answer))
        try:
            told = self._read(answer)
        except Refused as refusal:
            # Of the token, not of what it was wanted for.
            raise Refused(str(refusal)) from None
        try:
            token, ends = told["token"], datetime.fromisoformat(told["expires_at"])
            _tokens.keep(key, token, ends.timestamp(), now)
        except (KeyError, TypeError, ValueError, AttributeError):
            raise TryLater(
                self.env._("GitHub's answer holds no token."), answer
            ) from None
        return token

    def _installation_problem(self, answer):
        if answer.status == 401:
            return self.env._(
                "GitHub does not accept the key of %(app)s: %(message)s. Compare "
                "client ID and fingerprint with the settings of the app, and the clock "
                "of the server.",
                app=self.app_id.name,
                message=_message(answer),
            )
        return self.env._(
            "GitHub knows no installation %(installation)s of %(app)s: install the app "
            "again, and enter its number.",
            installation=self.installation,
            app=self.app_id.name,
        )

    def _exchange(self, method, url, token, body=None):
        headers = {
            "Accept": "application/vnd.github+json",
            "Authorization": f"Bearer {token}",
            "X-GitHub-Api-Version": _VERSION,
        }
        data = b""
        if body is not None:
            headers["Content-Type"] = "application/json"
            data = json.dumps(body, ensure_ascii=False).encode()
        try:
            return self.env["ipai.outbound.transport"]._send(
                method, url, headers=headers, body=data, timeout=10
            )
        except OutboundRefused as refusal:
            raise Refused(str(refusal)) from None
        except OutboundFailed as failure:
            raise TryLater(str(failure)) from None

    def _read(self, answer):
        """The decoded body of an answer that took what was sent.

        :raises TryLater: for the limits of GitHub, and what is its own fault
        :raises Refused: for everything else, with GitHub's words
        """
        if 200 <= answer.status < 300:
            try:
                return json.loads(answer.body) if answer.body else {}
            except ValueError:
                # Longer than what is read of an answer, or none of GitHub's.
                return {}
        message = f"GitHub: {answer.status} {_message(answer)}"
        # Too many calls are answered by either, see "Rate limits for the REST API".
        limited = answer.status == 429 or (
            answer.status == 403
            and (
                "retry-after" in answer.headers
                or answer.headers.get("x-ratelimit-remaining") == "0"
                or "rate limit" in _message(answer).lower()
            )
        )
        if limited or answer.status >= 500 or answer.status == 408:
            raise TryLater(message, answer)
        raise Refused(message, answer.status)

    def _pause(self, attempt, answer=None):
        """Seconds to wait after a failure; what GitHub asks for is kept to.

        :param int attempt: how many were made, 1 or more
        :param answer: GitHub's, if there was one
        """
        transport = self.env["ipai.outbound.transport"]
        seconds = transport._retry_after(min(attempt, _LONGEST_STEP), answer)
        headers = answer.headers if answer else {}
        if headers.get("x-ratelimit-remaining") == "0":
            until = headers.get("x-ratelimit-reset", "")
            if until.isascii() and until.isdigit():
                left = int(until[:11]) - time.time()
                seconds = max(seconds, min(int(left) + 1, 24 * 3600))
        elif answer and answer.status in (403, 429) and "retry-after" not in headers:
            # At least a minute where GitHub does not say.
            seconds = max(seconds, 60)
        return timedelta(seconds=seconds)


def _message(answer: outbound.Answer):
    """What GitHub says is wrong, in one line; nothing of what was sent."""
    try:
        told = json.loads(answer.body)
        message = told.get("message") if isinstance(told, dict) else None
    except ValueError:
        message = None
    text = message if isinstance(message, str) else ""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:300]
