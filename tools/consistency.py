"""``make consistency``: contradictions in the model and in the documents.

The core finds what is wrong in the model, in a database with all addons; the documents
are those of this repository, and describe the model as it is shipped.
"""

import json
import os
import re
import tempfile

from . import databases, odoo, postgres
from .paths import ROOT
from .say import Stop, say

#: Folders with nothing of the repository's own.
_FOREIGN = {".git", ".run", "node_modules", "__pycache__", ".hypothesis"}
#: What the checks read; of other files only the path counts.
_READ = (".md", "Makefile", "ledger/chain.py", "demo/users.xml")
#: Files of tests, whose names the documents mention.
_TESTS = re.compile(r"(tests|[^/]+/tests|addons/[^/]+/tests)/.+\.py")
_MARK = "FINDINGS "


def repository():
    """The files of the repository: path to text, which is empty where nobody reads."""
    files = {}
    for folder, folders, names in os.walk(ROOT):
        folders[:] = [name for name in folders if name not in _FOREIGN]
        for name in names:
            path = os.path.join(folder, name)
            known, text = os.path.relpath(path, ROOT).replace(os.sep, "/"), ""
            if known.endswith(_READ) or _TESTS.fullmatch(known):
                with open(path, encoding="utf-8") as file:
                    text = file.read()
            files[known] = text
    return files


def findings(database, files=None):
    """What is found in a database, and in documents that speak of its model.

    :param files: as :func:`repository` gives
    :returns: list of ``(severity, line to print)``
    """
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", suffix=".json") as given:
        json.dump(files or {}, given)
        given.flush()
        log = odoo.script(
            "Looking for contradictions", database, "check_consistency", given.name
        )
    for line in log.read_text().splitlines():
        if line.startswith(_MARK):
            return json.loads(line.removeprefix(_MARK))
    raise Stop(f"The check did not end: {log} says why.")


def consistency(arguments):
    """``consistency [DB]``: print what contradicts itself; 1 if an error is found."""
    with postgres.running():
        if arguments:
            if not databases.exists(arguments[0]):
                raise Stop(f"There is no database {arguments[0]}: make run makes it.")
            found = findings(arguments[0])
        else:
            with databases.temporary(databases.template("all")) as name:
                found = findings(name, repository())
    for _severity, line in found:
        say(f"✗ {line}")
    errors = sum(severity == "error" for severity, _line in found)
    say(
        f"{errors} errors, {len(found) - errors} warnings"
        if found
        else "the model and the documents do not contradict themselves"
    )
    return 1 if errors else 0
