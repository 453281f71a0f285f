"""What git knows of this repository: commits, who made them, what changed."""

import contextlib
import os
import re
import subprocess
import tempfile
from dataclasses import dataclass

from ..paths import ROOT
from ..say import Stop

#: What a build of the addon looks at.
BUILT = ("ipai_release_gates", "tests/unit", "pyproject.toml", "ruff.toml")


@dataclass(frozen=True)
class Commit:
    """A commit: full SHA, and the addresses of all who authored or committed it."""

    sha: str
    subject: str
    authors: tuple

    @property
    def short(self):
        """As people say it."""
        return self.sha[:7]


def git(*arguments, env=None):
    """The output of a git command in the repository.

    :raises Stop: with git's own words when it fails
    """
    done = subprocess.run(
        ["git", *arguments],
        cwd=ROOT,
        env={**os.environ, **(env or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        words = done.stderr.strip() or f"exit code {done.returncode}"
        raise Stop(
            f"git {arguments[0]}: {words}. The demo needs a clone with a commit."
        )
    return done.stdout.strip()


def commit(name="HEAD", env=None):
    """A commit with everybody who had a hand in it, co-authors included."""
    shown = git(
        "show",
        "-s",
        "--format=%H%n%s%n%ae%n%ce%n%(trailers:key=Co-authored-by,valueonly)",
        name,
        env=env,
    ).splitlines()
    sha, subject, *people = shown
    addresses = {each.strip().lower() for each in people[:2]}
    for trailer in people[2:]:
        addresses.update(found.lower() for found in re.findall(r"<([^<>]+)>", trailer))
    return Commit(sha, subject, tuple(sorted(addresses)))


def changed_files():
    """How many of the files that a build looks at differ from the commit."""
    return len(git("status", "--porcelain", "--", *BUILT).splitlines())


def release_notes():
    """The latest changes, one Markdown line each."""
    return git("log", "-20", "--format=- %s (%h, %as)")


@contextlib.contextmanager
def commit_on_top(message, author, co_author):
    """A new commit on top of HEAD, real to git and gone after the block.

    It is made in an object store of its own: the clone, its branches and its working
    tree stay as they are.
    """
    with tempfile.TemporaryDirectory() as store:
        objects = git("rev-parse", "--path-format=absolute", "--git-path", "objects")
        env = {
            "GIT_OBJECT_DIRECTORY": store,
            "GIT_ALTERNATE_OBJECT_DIRECTORIES": objects,
            "GIT_AUTHOR_NAME": author.partition("@")[0],
            "GIT_AUTHOR_EMAIL": author,
            "GIT_COMMITTER_NAME": author.partition("@")[0],
            "GIT_COMMITTER_EMAIL": author,
        }
        text = f"{message}\n\nCo-authored-by: A colleague <{co_author}>"
        sha = git("commit-tree", "HEAD^{tree}", "-p", "HEAD", "-m", text, env=env)
        yield commit(sha, env=env)
