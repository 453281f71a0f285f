"""``translations``: the template of each addon's terms, and the languages beside it.

``translations --check`` writes nothing and fails when a template differs from the
source of its addon, or when a language lacks something of it.

Runs inside the virtualenv (polib, which Odoo itself reads translations with).
"""

import difflib
import tempfile
from pathlib import Path

from . import addons, databases, odoo, postgres, terms
from .say import say

ADDONS = addons.every()
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
    # The export of an addon without terms has no header.
    version = template.metadata.get("Project-Id-Version", "")
    template.metadata["Project-Id-Version"] = version.split("-")[0]
    template.metadata["Content-Transfer-Encoding"] = "8bit"
    template.sort(key=lambda entry: entry.msgid)
    for entry in template:
        entry.occurrences.sort()
    return str(template)


def template_of(addon):
    """Where an addon has the template of its terms."""
    return addon.folder / "i18n" / f"{addon.name}.pot"


def generated(addon):
    """An addon's template, from a database with that addon and without demo data.

    :param addon: :class:`tools.addons.Addon`
    :returns: its text, and the set of XML ids whose terms are Odoo's
    """
    with (
        postgres.running(),
        tempfile.TemporaryDirectory() as folder,
        databases.temporary(databases.template(addon.name)) as database,
    ):
        what = f"Collecting the terms of {addon.name}"
        odoo.script(what, database, "export_terms", folder, addon.name)
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


def languages(addon):
    """The files of the languages that an addon is translated into."""
    return sorted((addon.folder / "i18n").glob("*.po"))


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


def _has_terms(template):
    """Whether a template has a term: an addon without any needs no file."""
    import polib

    return bool(polib.pofile(template))


def _differences(addon):
    """How an addon's files differ from the terms of its source, as lines."""
    template, inherited = generated(addon)
    pairs = [(path, merged(present(path), template)) for path in languages(addon)]
    if _has_terms(template) or template_of(addon).exists():
        pairs.insert(0, (template_of(addon), template))
    lines = []
    for path, expected in pairs:
        found = present(path)
        lines += drift(_own(expected, inherited), _own(found, inherited), path.name)
    return lines


def check():
    """Print how the files differ from the terms of the source; whether none does."""
    fine = True
    for addon in ADDONS:
        lines = _differences(addon)
        if lines:
            say("\n".join([*lines[:_SHOWN], f"✗ {addon.name}/i18n: {_MENDS}"]))
            fine = False
    return fine and not _faulty()


def _faulty():
    """Print what is wrong with the translations; whether anything is."""
    lines = [
        f"✗ {line}"
        for addon in ADDONS
        for path in languages(addon)
        for line in faults(path)
    ]
    if lines:
        say("\n".join(lines[:_SHOWN]))
        say(f"✗ {len(lines)} terms need a translator")
    return bool(lines)


def write():
    """Write the templates, and bring every language to its template."""
    for addon in ADDONS:
        template, _inherited = generated(addon)
        if not _has_terms(template):
            continue
        template_of(addon).parent.mkdir(exist_ok=True)
        template_of(addon).write_text(template, encoding="utf-8")
        for path in languages(addon):
            path.write_text(merged(present(path), template), encoding="utf-8")


def translations(arguments):
    """``translations [--check]``: generate the files, or check them for drift."""
    if "--check" in arguments:
        return 0 if check() else 1
    write()
    return 1 if _faulty() else 0
