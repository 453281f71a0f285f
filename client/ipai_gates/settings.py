"""Settings: by flag, else by environment, else from what CI tells."""

from __future__ import annotations

import os
import re
import urllib.parse
from argparse import Namespace
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from . import ci, git
from .problems import UsageProblem
from .shapes import Environ, Json

_COMMIT = re.compile(r"[0-9a-fA-F]{40}|[0-9a-fA-F]{64}")
_KEY = re.compile(r"[!-~]{8,512}")
_LOOPBACK = re.compile(r"localhost|127(\.\d{1,3}){3}|::1")
_YES = ("1", "true", "yes")
SOURCES = ("github_actions", "gitlab_ci", "agent", "manual", "monitoring")


@dataclass
class Settings:
    """What a call works with. The key is in no representation of it."""

    url: str
    key: str = field(repr=False)
    database: str | None
    project: str | None
    name: str | None
    release: str | None
    source_system: str
    run: str | None
    run_url: str | None
    spool: str
    timeout: float
    patience: float
    ok_if_spooled: bool
    _source_ref: str | None

    @property
    def source_ref(self) -> str:
        """The full commit SHA that is spoken of.

        :raises UsageProblem: when nothing tells it
        """
        found = self._source_ref or git.head()
        if not found:
            raise UsageProblem(
                "Which commit? Give --source-ref or IPAI_GATES_SOURCE_REF with the "
                "full SHA, or run in a git clone."
            )
        if not _COMMIT.fullmatch(found):
            raise UsageProblem(
                "--source-ref must be the full commit SHA of 40 or 64 hexadecimal "
                f"digits, not {found!r}: git rev-parse HEAD tells it."
            )
        return found.lower()

    def address(self) -> Json:
        """How envelopes name the release: by uuid, by name, or by commit alone.

        :raises UsageProblem: when nothing names it
        """
        if self.release:
            return {"release_id": self.release}
        if not self.project:
            raise UsageProblem(
                "Which release? Give --release (its uuid), or --project owner/name "
                "with --name or the commit: IPAI_GATES_RELEASE, IPAI_GATES_PROJECT."
            )
        if self.name:
            return {"release_id": {"project": self.project, "name": self.name}}
        return {"project": self.project}


def read(arguments: Namespace, environ: Environ) -> Settings:
    """The settings of a call.

    :param arguments: the parsed command line
    :param environ: the environment variables
    :raises UsageProblem: naming what is missing or wrong, and the way out
    """
    found = ci.detect(environ)

    def get(name: str, default: Any = None) -> Any:
        given = getattr(arguments, name, None)
        if given is None:
            given = environ.get(f"IPAI_GATES_{name.upper()}") or found.get(name)
        return default if given is None else given

    source = get("source_system", "manual")
    if source not in SOURCES:
        raise UsageProblem(
            f"--source-system must be one of {', '.join(SOURCES)}, not {source!r}."
        )
    return Settings(
        url=_url(get("url"), _yes(get("allow_http"))),
        key=_key(environ, get("key_file")),
        database=get("database"),
        project=get("project"),
        name=get("name"),
        release=get("release"),
        source_system=source,
        run=get("run"),
        run_url=get("run_url"),
        spool=os.path.abspath(get("spool") or _state_folder(environ)),
        timeout=_seconds("timeout", get("timeout", 60)),
        patience=_seconds("patience", get("patience", 20)),
        ok_if_spooled=_yes(get("ok_if_spooled")),
        _source_ref=get("source_ref"),
    )


def _yes(value: object) -> bool:
    return value is True or str(value).lower() in _YES


def _seconds(name: str, value: str | float) -> float:
    try:
        seconds = float(value)
    except ValueError:
        seconds = -1
    if not 0 <= seconds <= 86400 or (name == "timeout" and not seconds):
        raise UsageProblem(
            f"--{name} must be a number of seconds up to 86400, not {value!r}."
        )
    return seconds


def _state_folder(environ: Environ) -> str:
    base = environ.get("XDG_STATE_HOME") or os.path.join(
        os.path.expanduser("~"), ".local", "state"
    )
    return os.path.join(base, "ipai-gates")


def _url(value: str | None, allow_http: bool) -> str:
    if not value:
        raise UsageProblem(
            "Where is the server? Give --url or IPAI_GATES_URL, such as "
            "https://odoo.example.com."
        )
    try:
        parts = urllib.parse.urlsplit(value.strip())
        host, _port = parts.hostname, parts.port
    except ValueError:
        raise UsageProblem("--url: not a well-formed address.") from None
    if parts.username or parts.password or "@" in parts.netloc:
        raise UsageProblem(
            "--url must not carry credentials: the key goes into IPAI_GATES_KEY or "
            "IPAI_GATES_KEY_FILE."
        )
    if parts.scheme not in ("http", "https") or not host:
        raise UsageProblem("--url must start with https:// and name a host.")
    if parts.query or parts.fragment:
        raise UsageProblem("--url is the server's address only, without ? and #.")
    if parts.scheme == "http" and not (allow_http or _LOOPBACK.fullmatch(host)):
        raise UsageProblem(
            f"http://{host} would send the key in clear: use https, or --allow-http "
            "(IPAI_GATES_ALLOW_HTTP=1) where the way there is safe otherwise."
        )
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"


def _key(environ: Environ, path: str | None) -> str:
    key = environ.get("IPAI_GATES_KEY")
    if not key and path:
        try:
            with open(path, encoding="utf-8") as handle:
                key = handle.read()
        except (OSError, UnicodeDecodeError) as error:
            raise UsageProblem(
                f"The key file {path} cannot be read: {getattr(error, 'strerror', '')}"
                " (IPAI_GATES_KEY_FILE)."
            ) from None
    if not key:
        raise UsageProblem(
            "The API key is missing: set IPAI_GATES_KEY, or name a file that holds it "
            "by IPAI_GATES_KEY_FILE. Governance makes keys under Release Gates → "
            "Configuration → CI Services."
        )
    key = key.strip()
    if not _KEY.fullmatch(key):
        # Not shown: even a broken key may be most of a good one.
        raise UsageProblem(
            "What IPAI_GATES_KEY or its file holds is no API key: one word of "
            "printable characters."
        )
    return key


_SECRETS = ("key", "token", "password", "secret", "api-key", "apikey", "bearer")


def refuse_secrets(words: Sequence[str], environ: Environ) -> None:
    """Refuse a command line that carries, or wants to carry, the key.

    Other users of a machine see the command lines of all processes.

    :raises UsageProblem: without repeating the word
    """
    key = (environ.get("IPAI_GATES_KEY") or "").strip()
    for word in words:
        flag = word.split("=")[0].lower().replace("_", "-")
        if flag.startswith("--") and flag[2:] in _SECRETS:
            raise UsageProblem(
                f"There is no {flag}: everybody on this machine could read it. Put the "
                "key into IPAI_GATES_KEY, or into a file named by IPAI_GATES_KEY_FILE."
                " A key that was used like this should be replaced."
            )
        if len(key) >= 8 and key in word:
            raise UsageProblem(
                "The API key is on the command line, where everybody on this machine "
                "can read it: leave it in IPAI_GATES_KEY, and replace this key."
            )
