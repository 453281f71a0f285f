"""What a translation keeps of its term, and that the French one is whole."""

import polib
import pytest

from tools import addons, lint, terms, translations


def found(msgid, msgstr, language="fr", flags=()):
    entry = polib.POEntry(msgid=msgid, msgstr=msgstr, flags=list(flags))
    return terms.faults(entry, language)


@pytest.mark.parametrize(
    ("msgid", "msgstr"),
    [
        ("Key of %s", "Clé de %s"),
        ("%(a)s of %(b)s", "%(b)s : %(a)s"),
        ('e.g. {"status": "normal"}', 'par exemple {"status": "normal"}'),
        ('<i class="x" title="Freeze"/> on', '<i class="x" title="Gel"/> actif'),
        ("Met, in %.", "Remplies, en %."),
        (" and ", " et "),
        ("sha256:…", "sha256:…"),
        ("SHA: `git rev-parse HEAD`", "SHA\u00a0: `git rev-parse HEAD`"),
        ("at 12:30, 5%", "à 12:30, 5\u00a0%"),
    ],
)
def test_a_translation_that_keeps_everything_has_no_fault(msgid, msgstr):
    assert found(msgid, msgstr.replace(" :", "\u00a0:")) == []


@pytest.mark.parametrize(
    ("msgid", "msgstr", "wrong"),
    [
        ("Key of %s", "", "not translated"),
        ("Key of %s", "Clé", "placeholders differ"),
        ("%(a)s", "%(b)s", "placeholders differ"),
        ("%s %d", "%d %s", "placeholders differ"),
        ("{uuid} and {name}", "{uuid} et {nom}", "placeholders differ"),
        ("to ${where}", "vers ${ici}", "placeholders differ"),
        ("see https://x.example/a", "voir https://x.example/b", "placeholders differ"),
        ("call `git log`", "appeler `git journal`", "placeholders differ"),
        (" and ", "et", "spaces at the ends differ"),
        ("a\n", "b", "spaces at the ends differ"),
        ("<b>x</b>", "<b>y", "tags differ"),
        ("<b>x</b>", "<i>y</i>", "tags differ"),
        ('<i class="x"/> a', '<i class="y"/> b', "tags differ"),
        ('<i title="x"/> a', "<i/> b", "tags differ"),
        ("Go?", "Aller ?", "no non-breaking space before ; : ? ! »"),
        ("A: b", "A: c", "no non-breaking space before ; : ? ! »"),
        ("“a”", "« a\u00a0»", "no non-breaking space after «"),
        ("5% of it", "5% de cela", "no non-breaking space before %"),
        ("its name", "l'un", "a straight apostrophe"),
        ("“a”", "“b”", "quotes that are not French"),
        ("wait…", "attendre...", "three dots instead of …"),
    ],
)
def test_what_a_translation_lost_is_named(msgid, msgstr, wrong):
    assert found(msgid, msgstr) == [wrong]


def test_a_doubtful_translation_counts_as_none():
    assert found("Key", "Clé", flags=["fuzzy"]) == ["doubtful (fuzzy)"]


def test_a_term_that_french_shares_is_marked_as_such():
    assert found("Code", "") == ["not translated"]
    text = FRENCH.replace('"Gardé"', '"Kept"')
    entry = polib.pofile(translations.merged(text, TEMPLATE)).find("Kept")
    assert (entry.msgstr, entry.tcomment) == ("", terms.SAME)
    assert terms.faults(entry, "fr") == []
    # It stays marked, and a translation that comes takes the mark away.
    again = translations.merged(translations.merged(text, TEMPLATE), TEMPLATE)
    assert polib.pofile(again).find("Kept").tcomment == terms.SAME
    marked = again.replace('"Kept"\nmsgstr ""', '"Kept"\nmsgstr "Gardé"')
    entry = polib.pofile(translations.merged(marked, TEMPLATE)).find("Kept")
    assert (entry.msgstr, entry.tcomment) == ("Gardé", "")


def test_the_typography_of_french_binds_no_other_language():
    assert found("Go?", "Los?", language="de") == []
    assert found("Go?", "Aller?", language="fr_CA") != []


def msgids(path):
    return {entry.msgid for entry in polib.pofile(translations.present(path))}


@pytest.mark.parametrize("addon", addons.every(), ids=lambda addon: addon.name)
def test_french_has_every_term_of_the_template_and_no_fault(addon):
    template = translations.template_of(addon)
    languages = translations.languages(addon)
    if not template.exists():
        assert languages == []
        return
    assert [path.name for path in languages] == ["fr.po"]
    assert msgids(languages[0]) == msgids(template)
    assert translations.faults(languages[0]) == []


def test_no_terms_get_lost_between_the_addons():
    templates = map(translations.template_of, addons.every())
    assert sum(len(msgids(path)) for path in templates if path.exists()) > 1900


TEMPLATE = """\
msgid ""
msgstr ""
"Content-Type: text/plain; charset=UTF-8\\n"

#. module: m
#: model:ir.ui.menu,name:m.new
msgid "New"
msgstr ""

#. module: m
#: model:ir.ui.menu,name:m.moved
msgid "Kept"
msgstr ""
"""
FRENCH = """\
msgid ""
msgstr ""
"Content-Type: text/plain; charset=UTF-8\\n"
"Language: fr\\n"

#. module: m
#: model:ir.ui.menu,name:m.old
msgid "Gone"
msgstr "Parti"

#. module: m
#: model:ir.ui.menu,name:m.there
msgid "Kept"
msgstr "Gardé"
"""


def test_merging_keeps_translations_drops_what_is_gone_and_brings_what_is_new():
    result = polib.pofile(translations.merged(FRENCH, TEMPLATE))
    assert [(e.msgid, e.msgstr) for e in result] == [("New", ""), ("Kept", "Gardé")]
    assert result.find("Kept").occurrences == [("model:ir.ui.menu,name:m.moved", "")]
    assert result.metadata["Language"] == "fr"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The files of another addon, whose source says ``TEMPLATE``."""
    monkeypatch.setattr(translations, "ADDONS", [addons.Addon("m", tmp_path)])
    given = (TEMPLATE, {"m.odoos"})
    monkeypatch.setattr(translations, "generated", lambda addon: given)
    (tmp_path / "i18n").mkdir()
    return tmp_path / "i18n"


def test_the_check_names_the_terms_that_differ_and_what_mends_it(folder, capsys):
    (folder / "m.pot").write_text(TEMPLATE.replace('"New"', '"Old"'))
    assert translations.translations(["--check"]) == 1
    said = capsys.readouterr().out
    for line in ("m.pot", '-msgid "Old"', '+msgid "New"', "tools translations"):
        assert line in said
    assert (folder / "m.pot").read_text() != TEMPLATE, "the check writes nothing"
    assert lint.translations is translations, "make lint looks too"


def test_the_check_names_the_language_that_does_not_follow_the_template(folder, capsys):
    (folder / "m.pot").write_text(TEMPLATE)
    (folder / "fr.po").write_text(FRENCH)
    assert translations.translations(["--check"]) == 1
    assert "fr.po" in capsys.readouterr().out
    # The command brings it to the template and says what is left to a translator.
    assert translations.translations([]) == 1
    said = capsys.readouterr().out
    assert "fr.po: 'New': not translated" in said
    assert "Kept" not in said
    complete = (
        (folder / "fr.po")
        .read_text()
        .replace('"New"\nmsgstr ""', '"New"\nmsgstr "Neuf"')
    )
    (folder / "fr.po").write_text(complete)
    assert translations.translations(["--check"]) == 0


def test_what_odoo_itself_calls_otherwise_is_no_drift(folder):
    (folder / "m.pot").write_text(
        TEMPLATE + '#: model:ir.ui.menu,name:m.odoos\nmsgid "Of Odoo"\nmsgstr ""\n'
    )
    assert translations.translations(["--check"]) == 0
    (folder / "m.pot").write_text(
        TEMPLATE.replace("name:m.new", "name:m.new\n#: model:ir.ui.menu,name:m.odoos")
    )
    assert translations.translations(["--check"]) == 0
    (folder / "m.pot").write_text(TEMPLATE.replace("name:m.new", "name:m.other"))
    assert translations.translations(["--check"]) == 1


def test_only_a_changed_term_changes_the_template():
    exported = TEMPLATE.replace(
        '"Content-Type',
        '"Project-Id-Version: Odoo Server 19.0-20251115\\n"\n'
        '"POT-Creation-Date: 2025-11-15 10:00+0000\\n"\n"Content-Type',
    )
    later = exported.replace("20251115", "20260101").replace("2025-11", "2026-01")
    settled = translations._settled(exported)
    assert settled == translations._settled(later)
    assert "2025" not in settled
    assert settled != translations._settled(exported.replace('"New"', '"Newer"'))
