"""The comment under which a waiting deployment is approved, rejected or reported on."""

from collections.abc import Sequence

from .text import clip, plain, units

#: What GitHub takes, see "Creating custom deployment protection rules" in its docs.
MAX_COMMENT = 1024
MAX_REPORTS = 10
#: One reason must not push out all others.
_LONGEST = 240


def review_comment(
    headline: str,
    reasons: Sequence[str],
    footer: str = "",
    more: str = "… and {} more",
    limit: int = MAX_COMMENT,
) -> str:
    """A comment of at most 1,024 characters.

    :param headline: what is decided on, plain text
    :param reasons: plain texts, the most important first
    :param footer: Markdown that is never left out
    :param more: what stands for the reasons that found no place, with their number
    :returns: Markdown; headline, as many reasons as find place, footer
    """
    end = f"\n\n{footer}" if footer else ""
    room = limit - units(end)
    lines = [clip(plain(headline), min(_LONGEST, room))]
    used = units(lines[0]) + 1  # a list needs an empty line before it
    left = list(reasons)
    while left:
        line = "- " + clip(plain(left[0]), _LONGEST)
        rest = len(left) - 1
        # The last one needs no room for what counts the others.
        reserve = units(f"\n- {more.format(rest)}") if rest else 0
        if used + 1 + units(line) + reserve > room:
            break
        if len(lines) == 1:
            lines.append("")
        lines.append(line)
        used += 1 + units(line)
        left.pop(0)
    if left:
        lines.append(f"- {more.format(len(left))}")
    return "\n".join(lines) + end
