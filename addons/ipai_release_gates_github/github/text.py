"""Text for GitHub's Markdown: what comes from outside is shown, never obeyed."""

import re
import unicodedata

_MARKUP = re.compile(r"([\\`*_{}\[\]<>()#~|&!])")
#: Between the parts of what would otherwise notify people or become a link.
_BREAK = "\u200b"
#: These join with the character before or after them: no text may be cut there.
_JOINERS = {"\u200d", "\ufe0e", "\ufe0f"}


def plain(text: str) -> str:
    """Text as one line that Markdown shows as it is.

    :param text: of anybody
    :returns: without control characters, line breaks and lone surrogates; markup is
        escaped, nobody is mentioned, no address becomes a link
    """
    text = text.encode("utf-16", "replace").decode("utf-16")
    # Separators and controls end lines, or turn the direction of what follows.
    text = "".join(
        " " if unicodedata.category(c) in ("Cc", "Zl", "Zp") else c
        for c in text
        if unicodedata.category(c) != "Cf" or c in _JOINERS
    )
    text = _MARKUP.sub(r"\\\1", " ".join(text.split()))
    text = text.replace("@", f"@{_BREAK}").replace("://", f":{_BREAK}//")
    return re.sub(r"(?i)\bwww\.", f"www{_BREAK}.", text)


def units(text: str) -> int:
    """How long GitHub may take a text to be: in units of UTF-16, as browsers count."""
    return len(text.encode("utf-16-le", "replace")) // 2


def clip(text: str, limit: int) -> str:
    """Text of at most ``limit`` units, cut between words where that is near.

    No character is cut in two, and none is parted from its accents.
    """
    if units(text) <= limit:
        return text
    kept: list[str] = []
    length = 1  # the ellipsis
    for character in text:
        length += units(character)
        if length > limit:
            break
        kept.append(character)
    cut = text[len(kept) : len(kept) + 1]
    while kept and (_joins(cut) or kept[-1] in _JOINERS or kept[-1] == "\\"):
        cut = kept.pop()
    shortened = "".join(kept)
    at = shortened.rfind(" ")
    if at > len(shortened) * 2 // 3:
        shortened = shortened[:at]
    return shortened.rstrip() + "…"


def _joins(character: str) -> bool:
    return bool(character) and (
        unicodedata.combining(character) != 0
        or character in _JOINERS
        or 0x1F3FB <= ord(character) <= 0x1F3FF
    )
