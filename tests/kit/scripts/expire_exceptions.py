"""Runs the scheduled action that records expired exceptions; in an Odoo shell.

Prints one line ``RESULT {json}``: by how much the memory of this process grew, in MiB.
"""

import json
import resource


def peak():
    """The most memory this process has held so far, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


Exceptions = env["ipai.exception"]  # noqa: F821  the shell's environment
# What a first batch loads is no growth.
Exceptions.search([], limit=500).mapped("release_id.project_id.name")
before = peak()
Exceptions._expire_due()
print("RESULT", json.dumps({"grown": peak() - before}), flush=True)
