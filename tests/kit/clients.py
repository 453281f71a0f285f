"""The client ``ipai-gates`` as CI runs it: a process with an environment."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from tools.paths import ROOT

FOLDER = ROOT / "client"
#: -S: without the virtualenv's packages, as the client needs none.
COMMAND = [sys.executable, "-S", "-m", "ipai_gates"]


@dataclass
class Ended:
    """A client that has ended."""

    code: int
    said: str
    out: str

    @property
    def data(self):
        """Its machine output."""
        return json.loads(self.out)

    @property
    def statuses(self):
        """What became of each event of the call."""
        return [answer["status"] for answer in self.data["answers"]]


@dataclass
class Client:
    """A place where the client runs: its home, and its settings by environment."""

    home: Path
    url: str
    key: str
    settings: dict = field(default_factory=dict)

    @property
    def spool(self):
        """The folder of its spool."""
        return self.home / "spool"

    @property
    def waiting(self):
        """The files that wait there, in order."""
        return sorted(self.spool.glob("*/queue/*.json"))

    def environment(self, **more):
        """The variables it runs with; names of settings go without their prefix."""
        settings = {
            "url": self.url,
            "key": self.key,
            "spool": self.spool,
            "patience": 0,
            **self.settings,
            **more,
        }
        given = {
            f"IPAI_GATES_{name.upper()}": str(value)
            for name, value in settings.items()
            if name.islower() and value is not None
        }
        # Names in capitals are variables of CI.
        given |= {name: str(value) for name, value in more.items() if name.isupper()}
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "PYTHONPATH": str(FOLDER),
            **given,
        }

    def start(self, *words, stdin=subprocess.DEVNULL, cwd=None, **more):
        """Start it, for :func:`ended`."""
        return subprocess.Popen(
            [*COMMAND, *map(str, words)],
            env=self.environment(**more),
            cwd=cwd or self.home,
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def __call__(self, *words, **more):
        """Run it to its end, with machine output."""
        return ended(self.start(*words, "--json", **more))


def ended(process, text=None):
    """Wait for a client to end."""
    out, said = process.communicate(text, timeout=120)
    return Ended(process.returncode, said, out)


def commit_in(folder, text="a change", **who):
    """Make a commit in a new or known git repository; its SHA."""
    if not (folder / ".git").exists():
        folder.mkdir(parents=True, exist_ok=True)
        git(folder, "init", "-q")
    (folder / "file").write_text(text)
    git(folder, "add", "file")
    author, committer = who.get("author", "dev"), who.get("committer", "dev")
    environment = {
        "GIT_AUTHOR_NAME": author,
        "GIT_AUTHOR_EMAIL": f"{author}@example.com",
        "GIT_COMMITTER_NAME": committer,
        "GIT_COMMITTER_EMAIL": f"{committer}@example.com",
    }
    git(folder, "commit", "-q", "-m", text, env={**os.environ, **environment})
    return git(folder, "rev-parse", "HEAD")


def git(folder, *words, env=None):
    """The output of a git command in a folder."""
    return subprocess.run(
        ["git", *words], cwd=folder, env=env, check=True, capture_output=True, text=True
    ).stdout.strip()
