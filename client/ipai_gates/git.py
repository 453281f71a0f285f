"""What git tells about a revision: its commit, and everyone who has a part in it."""

from __future__ import annotations

import subprocess

from .problems import UsageProblem

MAX_AUTHORS = 100
_BY_HAND = "name them with --author, once for each"


def _git(*arguments: str) -> str | None:
    """The output of git, or ``None`` when it fails or is not there."""
    try:
        done = subprocess.run(
            ["git", *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
    except OSError:
        return None
    return None if done.returncode else done.stdout.decode("utf-8", "replace").strip()


def head() -> str | None:
    """The commit that is checked out here, or ``None``."""
    return _git("rev-parse", "--verify", "HEAD^{commit}")


def authors(revision: str, since: str | None = None) -> list[str]:
    """The addresses of everyone who authored or committed a revision.

    Co-authors that the commits name are among them.

    :param revision: the full commit SHA
    :param since: the commit, tag or branch of the release before; without, the last
        tag before the revision, and without a tag the whole history
    :returns: sorted e-mail addresses
    :raises UsageProblem: when git cannot tell all of them
    """
    if _git("cat-file", "-e", f"{revision}^{{commit}}") is None:
        raise UsageProblem(
            f"The commit {revision} is not in this folder's git repository, so its "
            f"authors are not known: run in a clone that has it, or {_BY_HAND}."
        )
    if _git("rev-parse", "--is-shallow-repository") == "true":
        # Whose commits are cut off could sign their own work.
        raise UsageProblem(
            "This clone is shallow, so git does not know all authors: fetch the whole "
            "history (GitHub: fetch-depth: 0 for the checkout; GitLab: "
            f"GIT_DEPTH: 0), or {_BY_HAND}."
        )
    if since and _git("rev-parse", "--verify", "-q", f"{since}^{{commit}}") is None:
        raise UsageProblem(f"--since {since}: git knows no such commit, tag or branch.")
    since = since or _git("describe", "--tags", "--abbrev=0", f"{revision}^")
    output = _git(
        "log",
        "--format=%ae%n%ce%n%(trailers:key=Co-authored-by,valueonly)",
        f"{since}..{revision}" if since else revision,
    )
    found = {_address(line) for line in (output or "").splitlines()} - {""}
    if not found:
        raise UsageProblem(
            f"There is no commit after {since} up to {revision}: give --since, "
            f"the release before this one, or {_BY_HAND}."
        )
    if len(found) > MAX_AUTHORS:
        raise UsageProblem(
            f"{len(found)} authors since {since or 'the first commit'}, at most "
            f"{MAX_AUTHORS} are taken: give --since, the release before this one."
        )
    return sorted(found)


def _address(line: str) -> str:
    """The address of one line: alone, or in angle brackets behind a name."""
    line = line.strip()
    if "<" in line and line.endswith(">"):
        line = line[line.rindex("<") + 1 : -1]
    return line.lower() if "@" in line else ""
