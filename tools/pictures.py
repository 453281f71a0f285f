"""The pictures of the guides: which there are, what each shows, and whether they fit.

``python3 -m tools screenshots`` takes them. Only a person sees whether they still look
like the app. The checks here are cheap: every picture that a page names is one that is
taken, and every one that is taken is there and named. A hash of the sources that a
picture shows is kept, so that the check can name those that may be out of date.
"""

import hashlib
import json
import re
from dataclasses import dataclass

from . import addons
from .paths import ADDON, ROOT
from .say import say

GUIDE = ROOT / "docs" / "guide"
IMAGES = GUIDE / "images"
STORE = ADDON / "static" / "description"
#: The folders of the addons, whose files the pictures show.
FOLDERS = [addon.folder for addon in addons.every()]
#: picture → hash of the sources it was taken of
RECORD = IMAGES / "taken.json"
#: Bytes that the pictures of the guides may have together.
MOST = 2_500_000
_DESK, _PHONE = (1280, 800), (360, 740)
_LINK = re.compile(r"!\[[^\]]*\]\((images/[^)\s]+)\)")
_SHOWN = re.compile(r"""<img\b[^>]*\bsrc=["']([^"']+)["']""")
_MEND = "run python3 -m tools screenshots"


@dataclass(frozen=True)
class Picture:
    """A picture and what is on it.

    :param shot: the method of :class:`tools.screenshots.Camera` that brings it about
    :param login: whose screen it is
    :param shows: what is seen of the addons, as patterns below the folder of each
    :param size: in CSS pixels, which are pixels of the picture as well
    :param store: whether the page of the app store shows it too
    :param dark: whether it is taken in dark colours
    """

    name: str
    shot: str
    login: str
    shows: tuple
    size: tuple = _DESK
    store: bool = False
    dark: bool = False

    @property
    def file(self):
        """Where the guides have it."""
        return IMAGES / f"{self.name}.png"

    @property
    def sources(self):
        """The files that it shows, each with the folder of its addon."""
        for pattern in ("demo/*.xml", *self.shows):
            for folder in FOLDERS:
                for path in sorted(folder.glob(pattern)):
                    if path.is_file():
                        yield folder, path

    @property
    def digest(self):
        """A hash of what it shows, and of how it is taken."""
        found = hashlib.sha256(repr(self).encode())
        for folder, path in self.sources:
            found.update(path.relative_to(folder).as_posix().encode())
            found.update(path.read_bytes())
        return found.hexdigest()[:16]


_BOARD = ("static/src/board/*", "static/src/gate_marks/*", "static/src/tones.scss")
_RELEASE = ("views/release/release_*views.xml", "views/menus.xml")
_PANEL = ("static/src/gate_panel/*", "static/src/tones.scss", *_RELEASE)
_REFUSAL = ("static/src/refusal/*", "static/src/reason/*")

PICTURES = (
    Picture("board", "board", "rm", (*_BOARD, *_RELEASE), store=True),
    Picture("refused", "refused", "dev", (*_BOARD, *_REFUSAL), store=True),
    Picture("gates", "gates", "qa", _PANEL, store=True),
    Picture("decide", "decide", "qa", ("wizards/decide_views.xml",)),
    Picture("exception", "exception", "dev", ("wizards/request_exception_views.xml",)),
    Picture("waiting", "waiting", "rm", (*_BOARD, *_RELEASE)),
    Picture(
        "control-room", "control_room", "rm", ("static/src/control_room/*",), store=True
    ),
    Picture("inbox", "inbox", "sre", ("views/ingest/*",)),
    Picture("uat", "uat", "qa", ("views/uat_templates.xml",), store=True),
    Picture("dossier", "dossier", "auditor", ("reports/*.xml",), store=True),
    Picture("ledger", "ledger", "auditor", ("static/src/ledger_*/*", *_RELEASE)),
    Picture("webhooks", "webhooks", "governance", ("views/outbound/*",)),
    Picture("governance", "governance", "governance", ("views/governance/cover*",)),
    Picture("phone-board", "board", "rm", (*_BOARD, *_RELEASE), _PHONE),
    Picture("phone-gates", "gates", "qa", _PANEL, _PHONE),
    Picture("dark-board", "board", "rm", (*_BOARD, *_RELEASE), dark=True),
    Picture("dark-gates", "gates", "qa", _PANEL, dark=True),
    Picture(
        "dark-control-room",
        "control_room",
        "rm",
        ("static/src/control_room/*", "static/src/tones.scss"),
        dark=True,
    ),
)


def outdated(picture):
    """Whether what a picture shows has changed since it was taken."""
    taken = json.loads(RECORD.read_text()) if RECORD.exists() else {}
    return taken.get(picture.name) != picture.digest


def record(pictures):
    """Remember what pictures were taken of; those there are no more are forgotten."""
    taken = json.loads(RECORD.read_text()) if RECORD.exists() else {}
    taken |= {picture.name: picture.digest for picture in pictures}
    known = {each.name for each in PICTURES}
    kept = {name: taken[name] for name in sorted(taken) if name in known}
    RECORD.write_text(json.dumps(kept, indent=2) + "\n")


def problems():
    """What does not fit between the pictures, the guides and the page of the store."""
    files = {f"images/{each.name}.png" for each in PICTURES}
    named = {}
    for page in sorted(GUIDE.glob("*.md")):
        for image in _LINK.findall(page.read_text(encoding="utf-8")):
            named.setdefault(image, page.name)
    for image in sorted(named.keys() - files):
        yield f"docs/guide/{named[image]}: nothing takes {image}; see tools/pictures.py"
    for image in sorted(files - named.keys()):
        yield f"docs/guide: no page shows {image}"
    there = {f"images/{path.name}" for path in IMAGES.glob("*.png")}
    for image in sorted(files - there):
        yield f"docs/guide/{image} is missing: {_MEND}"
    for image in sorted(there - files):
        yield f"docs/guide/{image} is taken no more: delete it"
    size = sum(path.stat().st_size for path in IMAGES.glob("*.png"))
    if size > MOST:
        yield f"docs/guide/images has {size} bytes, at most {MOST} are allowed"
    yield from _problems_of_the_store()


def _problems_of_the_store():
    shown = set(_SHOWN.findall((STORE / "index.html").read_text(encoding="utf-8")))
    wanted = {f"{each.name}.png" for each in PICTURES if each.store}
    for image in sorted(shown - wanted - {"icon.png"}):
        yield f"static/description/index.html: nothing takes {image} for it"
    for image in sorted(wanted - shown):
        yield f"static/description/index.html does not show {image}"
    for name in sorted(wanted):
        ours, theirs = STORE / name, IMAGES / name
        if not (
            ours.exists()
            and theirs.exists()
            and ours.read_bytes() == theirs.read_bytes()
        ):
            yield f"static/description/{name} is not that of the guides: {_MEND}"


def check(strict=False):
    """Say what does not fit, and which pictures may be out of date.

    :param strict: whether a picture that may be out of date fails the check
    :returns: whether all is well
    """
    wrong = list(problems())
    old = [picture.name for picture in PICTURES if outdated(picture)]
    for line in wrong:
        say(f"✗ {line}")
    if old:
        say(
            f"· what these pictures show has changed since: {', '.join(old)}; "
            f"look whether they still tell the truth, or {_MEND} {' '.join(old)}"
        )
    return not wrong and not (strict and old)
