"""What others publish for the tests: brought once, pinned, never committed."""

import json
import shutil

from . import aptstate
from .assets import npm_files
from .locks import setting_up, stamp, stamped
from .paths import RUN
from .say import Stop

#: GitHub's own example deliveries, for github.com and each GitHub Enterprise Server.
WEBHOOKS = "@octokit/webhooks-examples@7.6.1"
#: The rules by which a page is judged to be accessible, as one script.
AXE = "axe-core@4.14.1"
FOLDER = RUN / "samples"


def _brought(package, name, purpose):
    """The unpacked files of an npm package; npm is asked once.

    :param package: ``name@version``
    :param name: its folder below ``.run/samples``
    :param purpose: which tests need it, for the error
    :raises Stop: when they are not there and npm cannot bring them
    """
    folder = FOLDER / name
    needed = (
        f"The tests of {purpose} need {package} from npm: apt-get install npm as "
        "root, then run make test again."
    )
    with setting_up():
        if not stamped(folder / ".stamp", package):
            if not shutil.which("npm"):
                aptstate.install("npm", needed)
            if not npm_files(package, folder):
                raise Stop(needed)
            stamp(folder / ".stamp", package)
    return folder / "package"


def github_webhooks():
    """GitHub's example payloads.

    :return: list of ``(origin, event, payload)``
    :raises Stop: when they are not there and npm cannot bring them
    """
    folder = _brought(WEBHOOKS, "webhooks", "the webhooks")
    return [
        (file.parent.name, event["name"], payload)
        for file in sorted(folder.glob("*/index.json"))
        for event in json.loads(file.read_text())
        for payload in event["examples"]
    ]


def axe():
    """The script of axe-core, which defines ``axe`` in the page that runs it.

    :raises Stop: when it is not there and npm cannot bring it
    """
    return (_brought(AXE, "axe", "accessibility") / "axe.min.js").read_text()
