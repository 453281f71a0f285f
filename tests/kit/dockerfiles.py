"""What Docker sends to its engine as a build context, and what a Dockerfile copies.

The rules of ``.dockerignore`` are those of Docker's own matcher: a pattern that matches
a folder matches all in it, ``!`` takes back, and the last pattern that matches decides.
"""

import json
import os
import posixpath
import re
from pathlib import Path
from typing import NamedTuple


class Rule(NamedTuple):
    """A line of ``.dockerignore``."""

    pattern: str
    excludes: bool
    expression: re.Pattern


def _expression(pattern):
    """A pattern of ``.dockerignore`` as a regular expression."""
    found, rest = "", pattern
    while rest:
        if rest.startswith("**"):
            rest = rest[2:]
            # "**/" also stands for no folder at all.
            found += "(.*/)?" if rest.startswith("/") else ".*"
            rest = rest.removeprefix("/")
            continue
        sign, rest = rest[0], rest[1:]
        if sign == "*":
            found += "[^/]*"
        elif sign == "?":
            found += "[^/]"
        elif sign == "[" and "]" in rest:
            inside, rest = rest.split("]", 1)
            found += f"[{inside}]"
        elif sign == "\\" and rest:
            found, rest = found + re.escape(rest[0]), rest[1:]
        else:
            found += re.escape(sign)
    return re.compile(found)


def patterns(text):
    """The rules of a ``.dockerignore``, in its order."""
    found = []
    for line in text.splitlines():
        if line.startswith("#") or not line.strip():
            continue
        line = line.strip()
        excludes = not line.startswith("!")
        line = line.removeprefix("!").strip()
        clean = posixpath.normpath(line).lstrip("/")
        found.append(Rule(clean, excludes, _expression(clean)))
    return found


def is_ignored(path, rules):
    """Whether a file is left out of the context.

    :param path: relative to the context, with ``/``
    :param rules: of :func:`patterns`
    """
    ignored = False
    parts = path.split("/")
    prefixes = ["/".join(parts[:end]) for end in range(1, len(parts) + 1)]
    for rule in rules:
        if any(rule.expression.fullmatch(each) for each in prefixes):
            ignored = rule.excludes
    return ignored


def _is_walked(folder, rules):
    """Whether Docker looks into a folder: not when all in it is left out."""
    return not is_ignored(folder, rules) or any(
        not rule.excludes and f"{rule.pattern}/".startswith(f"{folder}/")
        for rule in rules
    )


def context(folder, ignore):
    """The files of a build context, as paths relative to its folder.

    :param ignore: text of its ``.dockerignore``
    """
    rules = patterns(ignore)
    found = set()

    def known(place, name):
        return Path(place, name).relative_to(folder).as_posix()

    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if _is_walked(known(place, name), rules)]
        for name in names:
            path = known(place, name)
            if not is_ignored(path, rules):
                found.add(path)
    return found


def copied(dockerfile):
    """The sources of every COPY and ADD that takes them from the context.

    :param dockerfile: text
    """
    sources = []
    lines = [line for line in dockerfile.splitlines() if not re.match(r"\s*#", line)]
    for line in "\n".join(lines).replace("\\\n", " ").splitlines():
        instruction, _, rest = line.strip().partition(" ")
        if instruction.upper() not in ("COPY", "ADD") or "--from=" in rest:
            continue
        rest = re.sub(r"^\s*(--\S+\s+)*", "", rest)
        words = json.loads(rest) if rest.startswith("[") else rest.split()
        sources += words[:-1]
    return sources


def missing(sources, files):
    """The sources that match no file of a context."""
    names = {name for file in files for name in _with_parents(file)}
    return [
        source
        for source in sources
        if not any(
            _expression(posixpath.normpath(source).lstrip("/")).fullmatch(name)
            for name in names
        )
    ]


def _with_parents(path):
    parts = path.split("/")
    return ["."] + ["/".join(parts[:end]) for end in range(1, len(parts) + 1)]
