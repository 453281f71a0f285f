"""``make lint``: the hooks of pre-commit on every file, with pinned tools.

After them the rules of the house and the types are checked; and that the published
files and the terms to translate match the addons, and the pictures match the guides.
"""

import os
import shutil
import subprocess

from . import aptstate, house, pictures, proc, publish, translations, typecheck
from .locks import fresh_folder, setting_up, stamp, stamped
from .paths import ROOT, RUN, VENV
from .say import Stop, say

NODE = RUN / "node"
NO_NPM = (
    "The front-end linters need npm: apt-get install npm as root, "
    "then run make lint again."
)
#: hook → the same tool, repairing what it can
FIXES = (
    ("ruff check --force-exclude --quiet", "ruff check --force-exclude --quiet --fix"),
    ("ruff format --force-exclude --check", "ruff format --force-exclude"),
    ("prettier --check", "prettier --write"),
    ("eslint --no-warn-ignored", "eslint --fix --no-warn-ignored"),
)

#: What is checked beside the hooks, each by a function that prints what it finds.
CHECKS = (
    house.check,
    typecheck.check,
    publish.check,
    translations.check,
    pictures.check,
)


def _node_tools():
    """The front-end linters, as package-lock.json pins them, in ``.run/node``."""
    made_of = ("package.json", "package-lock.json", ".npmrc")
    key = "\n".join((ROOT / name).read_text() for name in made_of)
    with setting_up():
        if stamped(NODE / ".stamp", key):
            return
        if not shutil.which("npm"):
            aptstate.install("npm", NO_NPM)
        fresh_folder(NODE)
        for name in made_of:
            shutil.copyfile(ROOT / name, NODE / name)
        proc.run(
            "Installing the front-end linters",
            ["npm", "ci", "--no-progress"],
            log="npm",
            cwd=NODE,
        )
        stamp(NODE / ".stamp", key)


def _files():
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"],
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode:
        raise Stop("The linters look at the files that git knows: run them in a clone.")
    return [name for name in listed.stdout.splitlines() if os.path.exists(name)]


def _configuration(fix):
    path = ROOT / ".pre-commit-config.yaml"
    if not fix:
        return path
    text = path.read_text()
    for check, repair in FIXES:
        text = text.replace(check, repair)
    repairing = RUN / "pre-commit-fix.yaml"
    repairing.write_text(text)
    return repairing


def lint(arguments):
    """``lint [--fix] [hook]``: run all hooks, or one, on every file.

    Without the name of a hook the checks of this package are made too.
    """
    _node_tools()
    fix = "--fix" in arguments
    hooks = [word for word in arguments if not word.startswith("-")]
    if fix and not hooks:
        publish.write()
        translations.write()
    child = proc.start(
        [
            VENV / "bin/pre-commit",
            "run",
            "--config",
            _configuration(fix),
            *hooks,
            "--files",
            *_files(),
        ],
        env={**os.environ, "PRE_COMMIT_HOME": str(RUN / "pre-commit")},
    )
    try:
        code = child.wait()
    finally:
        proc.end(child)
    checks = () if hooks else CHECKS
    # All of them run, also after one that found something.
    passed = [check() for check in checks]
    if not all(passed):
        code = 1
    say("the linters found nothing" if code == 0 else "✗ the linters found something")
    return code
