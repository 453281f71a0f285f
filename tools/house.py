"""The rules of the house that no other linter knows.

- the core names no satellite;
- beside every ``sudo()`` of an addon stands its reason, in one form;
- no source file is longer than 500 lines;
- test files have unique names, and a docstring that names the subject;
- comments and docstrings are plain English.

Runs without Odoo and without a database.
"""

import ast
import io
import re
import subprocess
import tokenize
from collections import defaultdict

from . import addons
from .paths import ADDON_NAME, ROOT
from .say import Stop, say

#: Lines that a source file has at most.
LONGEST = 500
#: Words of the reason of a ``sudo()``.
REASON = re.compile(r"# sudo: \S+( \S+){2,5}$")
_SATELLITE = re.compile(
    rf"\b{ADDON_NAME}_(?!test\b)[a-z]+\w*|\bipai_environment_guard\b"
)
#: What a comment does not say, and what it may mean.
BANNED = {
    "whoever": "who",
    "whatever": "what",
    "told": "notified, shown, recorded",
    "anew": "again",
    "what is said": "the text, the message",
    "the engine": "the policy, a system write",
    "whose turn": "who is to act",
    "word for word": "exactly",
}
_BANNED = re.compile(r"\b(" + "|".join(BANNED) + r")\b", re.IGNORECASE)
_MEASURED = re.compile(r"\.(py|m?js|xml|s?css)$")
#: Not written by hand, or kept as others publish it.
_FOREIGN = re.compile(
    r"(^|/)(static/lib|i18n|samples)/|(^|/)(package-lock\.json|LICENSE)$"
)
_JS_COMMENT = re.compile(r"/\*.*?\*/|(?<![:'\"`])//[^\n]*", re.DOTALL)
_XML_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)


def sources():
    """The files that git knows, but for foreign ones: path → text."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode:
        raise Stop("The linters look at the files that git knows: run them in a clone.")
    found = {}
    for name in listed.stdout.splitlines():
        path = ROOT / name
        if _FOREIGN.search(name) or not path.is_file():
            continue
        if _MEASURED.search(name) or name.endswith(".csv"):
            found[name] = path.read_text(encoding="utf-8")
    return found


def _is_addon_code(path):
    parts = path.split("/")
    of_addon = parts[0] in (ADDON_NAME, addons.SATELLITES)
    return of_addon and not {"tests", "migrations"} & set(parts)


def names_of_satellites(files):
    """Where the core names a satellite; migrations may, as they move what was there."""
    for path, text in files.items():
        if not path.startswith(f"{ADDON_NAME}/") or "/migrations/" in path:
            continue
        for number, line in enumerate(text.splitlines(), 1):
            for found in _SATELLITE.findall(line):
                yield f"{path}:{number}: the core names the satellite {found}"


def reasons_of_sudo(files):
    """Calls of ``sudo()`` without ``# sudo: <reason in three to six words>`` beside.

    The comment stands on the line of the call, on the line above, or above the
    statement.
    """
    for path, text in files.items():
        if path.endswith(".py") and _is_addon_code(path) and "sudo(" in text:
            lines = text.splitlines()
            for number, first in _sudo_calls(ast.parse(text)):
                beside = {number, number - 1, first, first - 1}
                if not any(REASON.search(lines[each - 1]) for each in beside if each):
                    yield f"{path}:{number}: sudo() without its reason (# sudo: …)"


def _sudo_calls(tree):
    """The line of each call of ``sudo()``, and the first line of its statement."""

    def walk(node, first):
        if isinstance(node, ast.stmt):
            first = node.lineno
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr == "sudo"
            # sudo(False) takes rights away.
            and not (node.args and getattr(node.args[0], "value", True) is False)
        ):
            yield node.func.end_lineno, first
        for child in ast.iter_child_nodes(node):
            yield from walk(child, first)

    return sorted(walk(tree, 1))


def long_files(files):
    """Source files of more than :data:`LONGEST` lines."""
    for path, text in files.items():
        length = text.count("\n")
        if _MEASURED.search(path) and length > LONGEST:
            yield f"{path}: {length} lines, at most {LONGEST} are allowed"


def test_files(files):
    """Test files that share a name, or whose docstring names no subject."""
    places = defaultdict(list)
    for path, text in files.items():
        name = path.rpartition("/")[2]
        if not re.fullmatch(r"test_\w+\.py", name):
            continue
        places[name].append(path)
        docstring = ast.get_docstring(ast.parse(text)) or ""
        if not docstring.partition("\n")[0].strip():
            yield f"{path}: the first line of its docstring does not name the subject"
    for name, found in places.items():
        if len(found) > 1:
            yield f"{found[1]}: {found[0]} has the name {name} too"


def banned_words(files):
    """Words in comments and docstrings that the house does not use."""
    for path, text in files.items():
        for number, comment in comments(path, text):
            for found in _BANNED.finditer(comment):
                line = number + comment.count("\n", 0, found.start())
                instead = BANNED.get(found[0].lower(), "")
                yield f"{path}:{line}: “{found[0]}” in a comment; say {instead}"


def comments(path, text):
    """The comments and docstrings of a source file, each with its first line."""
    if path.endswith(".py"):
        yield from _python_comments(text)
    elif path.endswith(".xml"):
        yield from _matches(_XML_COMMENT, text)
    elif _MEASURED.search(path):
        yield from _matches(_JS_COMMENT, text)


def _matches(pattern, text):
    for found in pattern.finditer(text):
        yield text.count("\n", 0, found.start()) + 1, found[0]


def _python_comments(text):
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, documented) and ast.get_docstring(node, clean=False):
            first = node.body[0].value
            yield first.lineno, first.value


#: name → the check, in the order in which they speak
CHECKS = {
    "satellites": names_of_satellites,
    "tests": test_files,
    "sudo": reasons_of_sudo,
    "length": long_files,
    "words": banned_words,
}
#: check → beginnings of paths where only ``python3 -m tools house`` makes it, until
#: nothing is left to mend there; everywhere else it is in force.
PENDING = {
    # One form is one record: to split it, its terms must move to new records.
    "length": ("ipai_release_gates/views/release/release_form_views.xml",),
}


def in_force(name, files):
    """What a check finds where it is in force."""
    pending = PENDING.get(name, ())
    looked_at = {
        path: text for path, text in files.items() if not path.startswith(pending)
    }
    # Names are unique across all folders, so that this check looks at all of them.
    return CHECKS[name](looked_at if pending else files)


def check():
    """Print what breaks a rule of the house; whether nothing does."""
    files = sources()
    found = [line for name in CHECKS for line in in_force(name, files)]
    for line in found:
        say(f"✗ {line}")
    return not found


def house(arguments):
    """``house [check …]``: make all checks of the house, or those that are named."""
    unknown = set(arguments) - CHECKS.keys()
    if unknown:
        raise Stop(f"There is no check {min(unknown)}; there are {', '.join(CHECKS)}.")
    files, total = sources(), 0
    for name, function in CHECKS.items():
        if not arguments or name in arguments:
            found = sorted(function(files))
            total += len(found)
            for line in found:
                say(f"✗ {line}")
            say(f"· {name}: {len(found)}")
    return 1 if total else 0
