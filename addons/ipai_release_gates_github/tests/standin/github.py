"""A stand-in for GitHub: an HTTP server on the loopback interface.

It accepts what GitHub documents and refuses all else, with the reason. Plain
Python without Odoo, for both layers of tests. Sources, all in GitHub's documentation:

- "Generating a JSON Web Token (JWT) for a GitHub App", "Generating an installation
  access token", REST "Create an installation access token for an app"
- "Creating custom deployment protection rules", REST "Review custom deployment
  protection rules for a workflow run", "Get the review history for a workflow run"
- REST "Create a check run", "Update a check run", "List check runs for a Git
  reference", "Create a commit status"
- "Rate limits for the REST API", "Reviewing deployments": a rejected job fails and
  waits no longer; it asks again when it is run again.
"""

import base64
import itertools
import json
import re
import secrets
import threading
import time
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from .endpoints import Endpoints
from .parts import Answer, Call, Installation, Run

_ACCEPT = ("application/vnd.github+json", "application/vnd.github.v3+json")
_VERSION = "2022-11-28"


class Standin(Endpoints):
    """GitHub with one app.

    :ivar calls: every request, in order
    :ivar runs: workflow runs by id
    :ivar check_runs: check runs by id, as they are shown
    :ivar statuses: ``(sha, body)`` in order
    """

    def __init__(self, path=""):
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.client_id = "Iv23" + secrets.token_hex(8)
        self.base = path
        self.installations, self.runs, self.check_runs = {}, {}, {}
        self.statuses, self.calls = [], []
        self._numbers = itertools.count(1001)
        self._failures = []
        self._changed = threading.Condition()
        self.hold = None
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_exc_info):
        self.release()
        self._server.shutdown()
        self._server.server_close()

    @property
    def port(self):
        return self._server.server_address[1]

    @property
    def api_url(self):
        return f"http://localhost:{self.port}{self.base}"

    @property
    def pem(self):
        """The private key as GitHub lets it be downloaded."""
        return self.key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption(),
        ).decode()

    # --- what happens at GitHub ------------------------------------------------------

    def install(self, *repositories, **permissions):
        """Install the app; the number of the installation."""
        number = next(self._numbers)
        self.installations[number] = Installation(
            number,
            {repository.lower() for repository in repositories},
            permissions
            or {
                "actions": "read",
                "checks": "write",
                "deployments": "write",
                "statuses": "write",
                "metadata": "read",
            },
        )
        return number

    def revoke(self, number):
        """The app is uninstalled: its tokens end at once."""
        del self.installations[number]

    def start(self, repository, environment, sha, installation):
        """A job begins to wait; the id of its run."""
        run = next(self._numbers)
        self.runs[run] = Run(repository, environment, sha, installation)
        return run

    def rerun(self, run):
        """A failed job is run again, so it asks again; the payload of that."""
        self.runs[run].state = "waiting"
        self.runs[run].reports = 0
        return self.payload(run)

    def payload(self, run):
        """What GitHub sends when the job of a run begins to wait."""
        told = self.runs[run]
        owner, name = told.repository.split("/")
        return {
            "action": "requested",
            "environment": told.environment,
            "event": "push",
            "sha": told.sha,
            "ref": "main",
            "deployment_callback_url": (
                f"{self.api_url}/repos/{told.repository}/actions/runs/{run}"
                "/deployment_protection_rule"
            ),
            "deployment": {
                "id": next(self._numbers),
                "sha": told.sha,
                "ref": "main",
                "task": "deploy",
                "environment": told.environment,
            },
            "pull_requests": [],
            "repository": {
                "id": 1,
                "name": name,
                "full_name": told.repository,
                "owner": {"login": owner},
            },
            "installation": {"id": told.installation},
            "sender": {"login": "octocat"},
        }

    def fail(self, *answers):
        """Answer the next requests otherwise.

        :param answers: ``(status, headers)`` each, or ``(status, headers, path)`` for
            the next request whose path ends so
        """
        with self._changed:
            self._failures += answers

    def hang(self, path):
        """Take the next request whose path ends so; do not answer until released."""
        self.hold = path, threading.Event(), threading.Event()
        return self.hold[1]

    def release(self):
        """Answer what hangs."""
        if self.hold:
            self.hold[2].set()
            self.hold = None

    # --- what can be asked of it -----------------------------------------------------

    def reviews(self, run):
        """``(state, comment)`` of what was taken for a run, in order."""
        return [(r["state"], r["comment"]) for r in self.runs[run].reviews]

    def shown(self, sha):
        """The latest check run of each name at a commit, by the code of its gate."""
        return {
            run["name"].split()[0]: run
            for run in sorted(self.check_runs.values(), key=lambda run: run["id"])
            if run["head_sha"] == sha
        }

    def wait_for(self, condition, seconds=60):
        """Wait until something holds that requests bring about.

        :param condition: a function without arguments
        :raises AssertionError: with the last requests, if it does not in time
        """
        deadline = time.monotonic() + seconds
        with self._changed:
            while True:
                found = condition()
                if found:
                    return found
                left = deadline - time.monotonic()
                if left <= 0:
                    last = [(c.method, c.path, c.status, c.message) for c in self.calls]
                    raise AssertionError(f"not in {seconds} s; requests: {last[-12:]}")
                self._changed.wait(left)

    # --- requests --------------------------------------------------------------------

    def take(self, call):
        """Answer a request; everything that is refused is refused as GitHub does.

        :returns: ``(status, body, headers)``
        """
        with self._changed:
            self.calls.append(call)
            try:
                status, body, headers = *self._answer(call), {}
            except Answer as answer:
                status, headers = answer.status, answer.headers
                body = {"message": str(answer), "documentation_url": "https://docs"}
            call.status, call.message = (
                status,
                (body or {}).get("message", "") if (isinstance(body, dict)) else "",
            )
            self._changed.notify_all()
        if self.hold and call.path.endswith(self.hold[0]) and status < 300:
            _path, arrived, released = self.hold
            arrived.set()
            released.wait(120)
        return status, body, headers

    def _answer(self, call):
        self._fail(call)
        if call.headers.get("accept") not in _ACCEPT:
            raise Answer(415, "Unsupported 'Accept' header")
        if call.headers.get("x-github-api-version") != _VERSION:
            raise Answer(400, "X-GitHub-Api-Version is missing or not supported")
        if not call.headers.get("user-agent"):
            raise Answer(403, "Request forbidden by administrative rules: User-Agent")
        path = urlsplit(call.path).path
        if not path.startswith(self.base + "/"):
            raise Answer(404, "Not Found")
        path = path.removeprefix(self.base)
        bearer = re.fullmatch(r"[Bb]earer (\S+)", call.headers.get("authorization", ""))
        if not bearer:
            raise Answer(401, "Requires authentication")
        for method, pattern, answer in self._routes:
            match = re.fullmatch(pattern, path)
            if match and method == call.method:
                parts = [unquote(part) for part in match.groups()]
                return answer(self, bearer[1], call, *parts)
        raise Answer(404, "Not Found")

    def _fail(self, call):
        for failure in self._failures:
            status, headers, *path = failure
            if path and not urlsplit(call.path).path.endswith(path[0]):
                continue
            self._failures.remove(failure)
            raise Answer(status, "told to fail", headers)

    def _access_token(self, jwt, call, number):
        self._check_jwt(jwt)
        installation = self.installations.get(int(number))
        if not installation:
            raise Answer(404, "Not Found")
        if installation.suspended:
            raise Answer(403, "This installation has been suspended")
        body = call.body or {}
        wanted = body.get("permissions", installation.permissions)
        for name, level in wanted.items():
            granted = installation.permissions.get(name)
            if granted != level and not (granted == "write" and level == "read"):
                raise Answer(
                    422,
                    "The permissions requested are not granted to this installation.",
                )
        names = {repository.split("/")[1] for repository in installation.repositories}
        for name in body.get("repositories", ()):
            if name.lower() not in names:
                raise Answer(
                    422,
                    "There is at least one repository that does not exist or is not "
                    "accessible to the parent installation.",
                )
        token = "ghs_" + secrets.token_hex(18)
        ends = datetime.now(timezone.utc) + timedelta(hours=1)
        installation.tokens[token] = (
            time.time() + 3600,
            wanted,
            {name.lower() for name in body.get("repositories", names)},
        )
        return 201, {
            "token": token,
            "expires_at": ends.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "permissions": wanted,
        }

    def _check_jwt(self, jwt):
        try:
            head, body, signature = jwt.split(".")
            header, claims = json.loads(_decoded(head)), json.loads(_decoded(body))
            self.key.public_key().verify(
                _decoded(signature),
                f"{head}.{body}".encode(),
                padding.PKCS1v15(),
                hashes.SHA256(),
            )
        except (ValueError, InvalidSignature):
            raise Answer(401, "A JSON web token could not be decoded") from None
        now = time.time()
        if header.get("alg") != "RS256":
            raise Answer(401, "A JSON web token could not be decoded")
        if claims.get("iss") != self.client_id:
            raise Answer(401, "'Issuer' claim ('iss') must be an Integer or client ID")
        if not isinstance(claims.get("iat"), int) or claims["iat"] > now:
            raise Answer(401, "'Issued at' claim ('iat') must be in the past")
        if (
            not isinstance(claims.get("exp"), int)
            or not now < claims["exp"] <= now + 600
        ):
            raise Answer(
                401, "'Expiration time' claim ('exp') is too far in the future"
            )

    def _authorised(self, token, owner, name, permission, level):
        for installation in self.installations.values():
            if token not in installation.tokens:
                continue
            until, permissions, names = installation.tokens[token]
            if time.time() >= until:
                break
            if f"{owner}/{name}".lower() not in installation.repositories or (
                name.lower() not in names
            ):
                raise Answer(404, "Not Found")
            if permissions.get(permission) not in (level, "write"):
                raise Answer(403, "Resource not accessible by integration")
            return installation
        raise Answer(401, "Bad credentials")

    _routes = (
        ("POST", r"/app/installations/([0-9]+)/access_tokens", _access_token),
        *Endpoints.routes,
    )


def _decoded(part):
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def _handler(standin):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _serve(self):
            data = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            try:
                body = json.loads(data) if data else None
            except ValueError:
                body = "no JSON"
            call = Call(self.command, self.path, headers, body)
            status, told, more = standin.take(call)
            data = b"" if told is None else json.dumps(told).encode()
            try:
                self.send_response(status)
                for name, value in more.items():
                    self.send_header(name, str(value))
                if status != 204:
                    self.send_header("Content-Type", "application/json; charset=utf-8")
                    self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)
            except OSError:
                # Who asked is gone.
                self.close_connection = True

        do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = _serve

        def log_message(self, *_arguments):
            """Say nothing: what was asked is in ``calls``."""

    return Handler
