"""``translations``: the template of the addon's terms, and the languages kept with it.

``translations --check`` writes nothing and fails when the template is not what the
addon's source says, or when a language lacks something of it.

Runs inside the virtualenv (polib, which Odoo itself reads translations with).
"""

import difflib
import tempfile
from pathlib import Path

from . import databases, odoo, postgres, terms
from .paths import ADDON, ADDON_NAME
from .say import say

FOLDER = ADDON / "i18n"
TEMPLATE = FOLDER / f"{ADDON_NAME}.pot"
#: What a header says of the moment or of the Odoo that made the file.
_OF_THE_MOMENT = ("POT-Creation-Date", "PO-Revision-Date", "Last-Translator")
_MENDS = "run python3 -m tools translations"
#: How many lines of a difference are worth reading.
_SHOWN = 60


def _settled(exported):
    """A template that only a changed term changes.

    :param exported: text as Odoo exports it
    :returns: text without the instant of the export and the build of Odoo
    """
    import polib

    template = polib.pofile(exported)
    for name in _OF_THE_MOMENT:
        template.metadata.pop(name, None)
    version = template.metadata["Project-Id-Version"]
    template.metadata["Project-Id-Version"] = version.split("-")[0]
    template.metadata["Content-Transfer-Encoding"] = "8bit"
    template.sort(key=lambda entry: entry.msgid)
    for entry in template:
        entry.occurrences.sort()
    return str(template)


def generated():
    """The template as a database with nothing but the addon's data gives it.

    :returns: its text, and the set of XML ids whose terms are Odoo's
    """
    with (
        postgres.running(),
        tempfile.TemporaryDirectory() as folder,
        databases.temporary(databases.template("addon")) as database,
    ):
        what = "Collecting the terms to translate"
        odoo.script(what, database, "export_terms", folder, ADDON_NAME)
        exported = (Path(folder) / "terms.pot").read_text(encoding="utf-8")
        inherited = (Path(folder) / "inherited.txt").read_text().split()
        return _settled(exported), set(inherited)


def _own(text, inherited):
    """A file without what is Odoo's, which another build of Odoo may word otherwise.

    :param inherited: XML ids, see :func:`generated`
    """
    import polib

    result = polib.pofile(text)
    for entry in list(result):
        entry.occurrences = [
            (place, line)
            for place, line in entry.occurrences
            if place.rpartition(":")[2] not in inherited
        ]
        if not entry.occurrences:
            result.remove(entry)
    return str(result)


def present(path):
    """A file as it is; empty when there is none."""
    return path.read_text(encoding="utf-8") if path.exists() else ""


def languages():
    """The files of the languages that the addon is translated into."""
    return sorted(FOLDER.glob("*.po"))


def merged(text, template):
    """A language's file brought to a template.

    Translations stay with their terms, also where a term has moved; terms that are gone
    go, and new ones come without a translation. What is translated by the very same
    words is marked as such.

    :param text: of the language's file
    :param template: text
    :returns: text
    """
    import polib

    language = polib.pofile(text)
    known = {entry.msgid: entry for entry in language if not entry.obsolete}
    result = polib.POFile()
    result.header = language.header
    result.metadata = language.metadata
    for term in polib.pofile(template):
        former = known.get(term.msgid)
        if former is not None:
            term.msgstr = former.msgstr
            term.flags = former.flags
            term.tcomment = former.tcomment
            if former.msgstr:
                term.tcomment = term.tcomment.replace(terms.SAME, "").strip()
            if former.msgstr == term.msgid:
                term.msgstr, term.tcomment = "", terms.SAME
        result.append(term)
    return str(result)


def faults(path):
    """What is wrong with the translations of a language, as lines to print.

    A term without a translation is among them: only a translator can mend it.
    """
    import polib

    return [
        f"{path.name}: {entry.msgid!r}: {', '.join(found)}"
        for entry in polib.pofile(present(path))
        if (found := terms.faults(entry, path.stem))
    ]


def drift(expected, found, name):
    """How a file differs from what it should be; empty when it does not."""
    return list(
        difflib.unified_diff(
            found.splitlines(),
            expected.splitlines(),
            name,
            f"{name} as the source says",
            n=1,
            lineterm="",
        )
    )


def check():
    """Say how the files differ from the terms of the source; whether they do not."""
    template, inherited = generated()
    pairs = [(TEMPLATE, template)]
    pairs += [(path, merged(present(path), template)) for path in languages()]
    lines = []
    for path, expected in pairs:
        found = present(path)
        lines += drift(_own(expected, inherited), _own(found, inherited), path.name)
    if lines:
        say("\n".join([*lines[:_SHOWN], f"✗ {ADDON_NAME}/i18n: {_MENDS}"]))
        return False
    return not _faulty()


def _faulty():
    """Say what is wrong with the translations; whether anything is."""
    lines = [f"✗ {line}" for path in languages() for line in faults(path)]
    if lines:
        say("\n".join(lines[:_SHOWN]))
        say(f"✗ {len(lines)} terms need a translator")
    return bool(lines)


def write():
    """Write the template anew and bring every language to it."""
    template, _inherited = generated()
    FOLDER.mkdir(exist_ok=True)
    TEMPLATE.write_text(template, encoding="utf-8")
    for path in languages():
        path.write_text(merged(present(path), template), encoding="utf-8")


def translations(arguments):
    """``translations [--check]``: generate the files, or check them for drift."""
    if "--check" in arguments:
        return 0 if check() else 1
    write()
    return 1 if _faulty() else 0
