"""What a translation must keep of its term, in every language.

Nothing here needs Odoo, a database or the network.
"""

import re
from collections import Counter

from lxml import etree

#: The comment of a term that a language shares with English, which tells it from one
#: that nobody translated: OCA's check wants both empty.
SAME = "The same in this language."
#: What a program puts in or reads: ``%s``, ``%(name)s``, ``{name}``, ``${…}``, JSON, an
#: address, code between backticks.
_PLACEHOLDERS = re.compile(
    r"%\(\w+\)[sdrf]|%[sdrf](?!\w)|%%|\$?\{[^{}]*\}|https?://\S+|`[^`]*`"
)
#: The attributes of a tag that people read; those may differ.
_READ_ATTRIBUTES = {"alt", "aria-label", "data-tooltip", "placeholder", "title"}
_EDGES = re.compile(r"^[ \t\n]*|[ \t\n]*$")
#: What French sets otherwise than English: pattern → what is wrong.
_FRENCH = {
    re.compile(r"[^\s\u00a0\u202f] ?[;:?!»](?=\s|$)"): (
        "no non-breaking space before ; : ? ! »"
    ),
    re.compile(r"«(?![\u00a0\u202f])"): "no non-breaking space after «",
    re.compile(r"\d ?%(?=[\s.,)]|$)"): "no non-breaking space before %",
    re.compile(r"\w'\w"): "a straight apostrophe",
    re.compile(r"[“”]"): "quotes that are not French",
    re.compile(r"\.\.\."): "three dots instead of …",
}
#: In these a colon is not French's: what a program reads, and names of other programs.
_NOT_PROSE = re.compile(rf"{_PLACEHOLDERS.pattern}|<[^>]*>|\w+:…")


def faults(entry, language=""):
    """What is wrong with one translation; empty when nothing is.

    :param entry: ``polib.POEntry``
    :param language: its code; French has rules of typography too
    :returns: list of short sentences
    """
    if entry.fuzzy:
        return ["doubtful (fuzzy)"]
    if not entry.msgstr:
        return [] if entry.tcomment == SAME else ["not translated"]
    found = [
        what
        for what, differs in (
            ("placeholders differ", _differ(_placeholders, entry)),
            ("spaces at the ends differ", _differ(_edges, entry)),
            ("tags differ", _differ(_tags, entry)),
        )
        if differs
    ]
    if language.split("_")[0] == "fr" and entry.msgstr != entry.msgid:
        prose = _NOT_PROSE.sub("x", entry.msgstr)
        found += [wrong for pattern, wrong in _FRENCH.items() if pattern.search(prose)]
    return found


def _differ(part, entry):
    return part(entry.msgid) != part(entry.msgstr)


def _placeholders(text):
    found = _PLACEHOLDERS.findall(text)
    # Those without a name are filled in order.
    return Counter(found), [each for each in found if re.fullmatch("%[sdrf]", each)]


def _edges(text):
    return _EDGES.findall(text)


def _tags(text):
    """The tags of a text with the attributes that nobody reads; None if unbalanced."""
    if "<" not in text:
        return []
    try:
        tree = etree.fromstring(f"<div>{text}</div>")
    except etree.XMLSyntaxError:
        return None
    return sorted(
        (
            node.tag,
            sorted(item for item in node.items() if item[0] not in _READ_ATTRIBUTES),
            sorted(node.keys()),
        )
        for node in tree.iter(etree.Element)
    )
