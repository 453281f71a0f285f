"""The web client's files that Debian's Odoo links to or leaves out."""

import os
import shutil
import tarfile
from pathlib import Path

from .locks import fresh_folder
from .paths import RUN
from .proc import run
from .say import Stop, say

FONT_AWESOME = "font-awesome@4.7.0"
SELFIE = "@mediapipe/selfie_segmentation@0.1.1675465747"
#: Stands in for a library that only blurs the camera picture in video calls. Without
#: any file there, loading the web client's bundle ends in an error on every page.
SELFIE_STUB = """\
window.SelfieSegmentation = class {
    constructor() {
        throw new Error("Background blur is not available: its library is not
        installed.");
    }
};
"""


def dangling(home):
    """The links below ``home`` that lead nowhere."""
    found = []
    for folder, folders, files in os.walk(home):
        paths = (Path(folder, name) for name in files + folders)
        found += [path for path in paths if path.is_symlink() and not path.exists()]
    return sorted(found)


def npm_files(package, folder=RUN / "npm"):
    """The files of one npm package, unpacked; nothing where npm cannot bring it.

    :param package: ``name@version``
    :param folder: emptied, or made, for it
    """
    folder = fresh_folder(folder)
    if not shutil.which("npm"):
        return None
    try:
        run(
            f"Getting {package} from npm",
            ["npm", "pack", package, "--pack-destination", folder],
            log="npm-pack",
            cwd=folder,
        )
    except Stop:
        return None
    with tarfile.open(next(folder.glob("*.tgz"))) as archive:
        archive.extractall(folder)
    return folder / "package"


def _relink(link, share):
    """Point a link at the same file where another release of its package puts it."""
    for name in (link.name, f"{link.stem}-Regular{link.suffix}"):
        for file in share.rglob(name):
            link.unlink()
            link.symlink_to(os.path.relpath(file, link.parent))
            return


def _font_awesome(links):
    """Replace links to FontAwesome by the files of its own npm package."""
    package = links and npm_files(FONT_AWESOME)
    for link in links if package else ():
        link.unlink()
        shutil.copyfile(package / "fonts" / link.name, link)


def repair(home, share):
    """Leave no link of the web client dangling and no file of its bundles missing.

    :param home: the folder that contains the package ``odoo``
    :param share: ``usr/share`` as the Debian packages were unpacked
    :raises Stop: when a link still leads nowhere
    """
    for link in dangling(home):
        _relink(link, share)
    _font_awesome(
        [link for link in dangling(home) if "fontawesome" in link.name.lower()]
    )
    left = dangling(home)
    if left:
        raise Stop(
            f"The web client lacks {len(left)} files, the first of them "
            f"{left[0].relative_to(home)}: install npm and retry, or name "
            "another Odoo, make run ODOO_HOME=/path/to/odoo."
        )
    script = (
        home / "odoo/addons/mail/static/lib/selfie_segmentation/selfie_segmentation.js"
    )
    if not script.exists():
        script.parent.mkdir(parents=True)
        package = npm_files(SELFIE)
        if package:
            shutil.copyfile(package / script.name, script)
        else:
            say("· without npm: video calls cannot blur their background, no more")
            script.write_text(SELFIE_STUB)
    shutil.rmtree(RUN / "npm", ignore_errors=True)
