"""Documents against the model: tables, commands, links and words that name things."""

import posixpath
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from .finding import ERROR, Finding, Findings, Line

#: The text of files by their path from the root of the repository.
Files = Mapping[str, str]
#: The number of a line, and the cells of a table in it.
Row = tuple[int, list[str]]

_ROW = re.compile(r"^\s*\|(.*)\|\s*$")
_LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)(?:#[^)\s]*)?\)")
_CODE = re.compile(r"`([^`\n]+)`")
_MENU = re.compile(r"\*(Release Gates → [^*]+)\*")
_MODEL = re.compile(r"\bipai(?:\.[a-z_][a-z0-9_]*)+")
_TEST = re.compile(r"test_\w+")
_DEFINED = re.compile(r"^ *def (test_\w+)\(", re.MULTILINE)
_EVENT = re.compile(r"[\"']event_type[\"']\s*:\s*[\"'](\w+)[\"']")
_TARGET = re.compile(r"^([a-z]+):.*##", re.MULTILINE)
_DECISIONS = "docs/decisions/"
#: The documents that must repeat what the model, the demo data and the Makefile state.
_STAGES, _LOGINS, _COMMANDS = (
    "docs/index.md",
    "README.md",
    "docs/reference/how-do-i-run-and-test-it.md",
)


@dataclass(frozen=True)
class Names:
    """What there is to name.

    ``stages`` is a tuple of ``(name, gate code or "", mover words)``, where a mover is
    called by its code with spaces; ``logins`` are those of the demo data. ``members``
    are the fields and methods of the models, each as ``model.member``; without any they
    are not looked at. ``codes`` are what else may begin like the name of a test: codes
    of requirements and of types of evidence.
    """

    stages: tuple[tuple[str, str, tuple[str, ...]], ...] = ()
    event_types: frozenset[str] = frozenset()
    models: frozenset[str] = frozenset()
    members: frozenset[str] = frozenset()
    codes: frozenset[str] = frozenset()
    menus: frozenset[str] = frozenset()
    logins: frozenset[str] = frozenset()


def _finding(code: str, file: str, number: int, message: str, way_out: str) -> Finding:
    return Finding(code, ERROR, Line(file, number), message, way_out)


def _rows(text: str, *header: str) -> list[Row]:
    """The rows of the table with this header, as ``(line number, cells)``.

    :returns: the rows, with the header's line first; none if there is no such table
    """
    rows: list[Row] = []
    for number, line in enumerate(text.splitlines(), 1):
        match = _ROW.match(line)
        cells = [cell.strip() for cell in match[1].split("|")] if match else None
        if not rows:
            if cells and cells[: len(header)] == list(header):
                rows.append((number, cells))
        elif not cells:
            break
        elif not all(set(cell) <= set("-: ") for cell in cells):
            rows.append((number, cells))
    return rows


def _line_of(text: str, offset: int) -> int:
    return text.count("\n", 0, offset) + 1


def the_stage_table(files: Files, names: Names) -> Findings:
    """The table of stages states what they demand and who moves there."""
    file = _STAGES
    rows = _rows(files.get(file, ""), "stage", "demands", "movers")
    if not rows:
        yield _finding(
            "stage_table", file, 1, "There is no table of stages.", "Write it."
        )
        return
    listed = [
        (number, (cells[0], cells[1], _words(cells[2]))) for number, cells in rows[1:]
    ]
    for (number, row), stage in zip(listed, names.stages, strict=False):
        wanted = stage[0], stage[1], _words(", ".join(stage[2]))
        for what, said, is_so in zip(
            ("stage", "gate", "movers"), row, wanted, strict=True
        ):
            if said != is_so:
                yield _finding(
                    "stage_table",
                    file,
                    number,
                    f"The table of stages says {what} “{_text(said)}”, the model "
                    f"“{_text(is_so)}”.",
                    "Write in the table what the model says.",
                )
    if len(listed) != len(names.stages):
        yield _finding(
            "stage_table",
            file,
            rows[-1][0],
            f"The table has {len(listed)} stages, the model {len(names.stages)}.",
            "Write in the table what the model says.",
        )


def _words(text: str) -> frozenset[str]:
    return frozenset(word.strip().lower() for word in text.split(",") if word.strip())


def _text(value: str | Iterable[str]) -> str:
    return value if isinstance(value, str) else ", ".join(sorted(value))


def the_logins(files: Files, names: Names) -> Findings:
    """The table of logins lists the demo data's and Odoo's own administrator."""
    file = _LOGINS
    rows = _rows(files.get(file, ""), "login", "who")
    listed = {cells[0].strip("`"): number for number, cells in rows[1:]}
    number = rows[0][0] if rows else 1
    for login in sorted(listed.keys() - names.logins - {"admin"}):
        yield _finding(
            "login_table",
            file,
            listed[login],
            f"The demo data has no login “{login}”.",
            "Take it out of the table, or put it in the demo data.",
        )
    for login in sorted(names.logins - listed.keys()):
        yield _finding(
            "login_table",
            file,
            number,
            f"The table of logins lacks “{login}” of the demo data.",
            "Add it to the table.",
        )


def the_commands(files: Files, names: Names) -> Findings:
    """The table of commands lists every command of the Makefile, and no other."""
    makefile, file = files.get("Makefile", ""), _COMMANDS
    targets = {
        match[1]: _line_of(makefile, match.start())
        for match in _TARGET.finditer(makefile)
    }
    rows = _rows(files.get(file, ""), "command", "what it does")
    listed = {
        cells[0].strip("`").removeprefix("make "): number for number, cells in rows[1:]
    }
    for command in sorted(targets.keys() - listed.keys() - {"help"}):
        yield _finding(
            "command_table",
            "Makefile",
            targets[command],
            f"{file} does not list “make {command}”.",
            "Add it to the table of commands.",
        )
    for command in sorted(listed.keys() - targets.keys()):
        yield _finding(
            "command_table",
            file,
            listed[command],
            f"The Makefile has no “{command}”.",
            "Take it out of the table of commands.",
        )


def the_decisions(files: Files, names: Names) -> Findings:
    """The index lists each decision by the title it has, once per number."""
    index = _DECISIONS + "README.md"
    text = files.get(index, "")
    listed: dict[str, tuple[int, str]] = {}
    for number, cells in _rows(text, "no.", "decision")[1:]:
        match = _LINK.search(cells[0])
        if match:
            listed[_DECISIONS + match[1]] = number, cells[1]
    numbers: dict[str, str] = {}
    for file in sorted(files):
        if not re.fullmatch(_DECISIONS + r"\d{4}-[^/]*\.md", file):
            continue
        no = file.removeprefix(_DECISIONS)[:4]
        title = files[file].splitlines()[0].removeprefix("# ").strip()
        other = numbers.setdefault(no, file)
        if other != file:
            yield _finding(
                "decision_number",
                file,
                1,
                f"{no} is the number of {other} too.",
                "Give it the next free number.",
            )
        if file not in listed:
            yield _finding(
                "decision_unlisted",
                file,
                1,
                "The index of decisions does not list it.",
                f"Add it to {index}.",
            )
        elif title != f"{no} {listed[file][1]}":
            yield _finding(
                "decision_title",
                index,
                listed[file][0],
                f"The index calls it “{no} {listed[file][1]}”, the file “{title}”.",
                "Give both one title.",
            )


def the_links(files: Files, names: Names) -> Findings:
    """A link to another file of the repository leads somewhere."""
    folders = {
        "/".join(file.split("/")[:depth])
        for file in files
        for depth in range(1, file.count("/") + 1)
    }
    for file, text in _documents(files):
        for match in _LINK.finditer(text):
            if ":" in match[1]:
                continue
            target = posixpath.normpath(
                posixpath.join(posixpath.dirname(file), match[1])
            )
            if target not in files and target not in folders:
                yield _finding(
                    "link_broken",
                    file,
                    _line_of(text, match.start()),
                    f"There is no {target}.",
                    "Correct the link.",
                )


def the_words(files: Files, names: Names) -> Findings:
    """Models, event types and menus that documents name are there."""
    for file, text in _documents(files):
        for match in _CODE.finditer(text):
            for word in _MODEL.findall(match[1]):
                wrong = _unknown(word, names)
                if wrong:
                    yield _finding(
                        f"{wrong}_unknown",
                        file,
                        _line_of(text, match.start()),
                        f"There is no {wrong} “{word}”.",
                        f"Name a {wrong} there is.",
                    )
        for match in _EVENT.finditer(text):
            if match[1] not in names.event_types:
                yield _finding(
                    "event_unknown",
                    file,
                    _line_of(text, match.start()),
                    f"There is no event type “{match[1]}”.",
                    "Name an event type there is.",
                )
        for match in _MENU.finditer(text):
            for word in " ".join(match[1].split()).split(" → "):
                if word not in names.menus:
                    yield _finding(
                        "menu_unknown",
                        file,
                        _line_of(text, match.start()),
                        f"There is no menu “{word}”.",
                        "Name a menu there is.",
                    )


def _unknown(word: str, names: Names) -> str:
    """What of a dotted name there is not: ``model``, ``member``, or nothing."""
    if word in names.models:
        return ""
    # What follows a model's name is a method or a field of it.
    of = [model for model in names.models if word.startswith(f"{model}.")]
    if not of:
        return "model"
    known = not names.members or any(
        f"{model}.{word.removeprefix(model)[1:].split('.')[0]}" in names.members
        for model in of
    )
    return "" if known else "member"


def the_tests(files: Files, names: Names) -> Findings:
    """A test that a document names is there, or a file of tests is called so."""
    known = set(names.codes)
    for file, text in files.items():
        name = posixpath.basename(file)
        if name.startswith("test_") and name.endswith(".py"):
            known.add(name.removesuffix(".py"))
            known.update(_DEFINED.findall(text))
    for file, text in _documents(files):
        for match in _CODE.finditer(text):
            if _TEST.fullmatch(match[1]) and match[1] not in known:
                yield _finding(
                    "test_unknown",
                    file,
                    _line_of(text, match.start()),
                    f"There is no test “{match[1]}”.",
                    "Name a test there is.",
                )


def _documents(files: Files) -> list[tuple[str, str]]:
    return [(file, files[file]) for file in sorted(files) if file.endswith(".md")]


CHECKS = (
    the_stage_table,
    the_logins,
    the_commands,
    the_decisions,
    the_links,
    the_words,
    the_tests,
)


def document_findings(files: Files, names: Names) -> list[Finding]:
    """What the documents of the repository say that is not so.

    :param files: dict of path, from the root of the repository, to text; paths of
        other files may have any text, they are where links lead
    :param names: :class:`Names`
    :returns: list of :class:`~.finding.Finding`, in the order of their places
    """
    found = [finding for check in CHECKS for finding in check(files, names)]
    return sorted(found, key=lambda each: each.place.key)
