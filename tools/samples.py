"""Samples that others publish, for the tests: brought once, pinned, never committed."""

import json
import shutil

from . import aptstate
from .assets import npm_files
from .locks import setting_up, stamp, stamped
from .paths import RUN
from .say import Stop

#: GitHub's own example deliveries, for github.com and each GitHub Enterprise Server.
WEBHOOKS = "@octokit/webhooks-examples@7.6.1"
FOLDER = RUN / "samples" / "webhooks"
NEEDED = (
    f"The tests of the webhooks need {WEBHOOKS} from npm: apt-get install npm as root, "
    "then run make test again."
)


def github_webhooks():
    """GitHub's example payloads; npm is asked once.

    :return: list of ``(origin, event, payload)``
    :raises Stop: when they are not there and npm cannot bring them
    """
    with setting_up():
        if not stamped(FOLDER / ".stamp", WEBHOOKS):
            if not shutil.which("npm"):
                aptstate.install("npm", NEEDED)
            if not npm_files(WEBHOOKS, FOLDER):
                raise Stop(NEEDED)
            stamp(FOLDER / ".stamp", WEBHOOKS)
    return [
        (file.parent.name, event["name"], payload)
        for file in sorted((FOLDER / "package").glob("*/index.json"))
        for event in json.loads(file.read_text())
        for payload in event["examples"]
    ]
