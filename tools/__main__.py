"""Entry point: ``python3 -m tools <command>``; the Makefile calls nothing else."""

import os
import shutil
import sys

# Only syntax that every Python 3 reads up to here, so that an old one gets the
# sentence.
if not (3, 10) <= sys.version_info[:2] <= (3, 13):
    for minor in (11, 12, 13, 10):
        other = shutil.which(f"python3.{minor}")
        if other and not os.environ.get("TOOLS_PYTHON"):
            os.environ["TOOLS_PYTHON"] = other
            os.execv(other, [other, "-m", "tools"] + sys.argv[1:])
    sys.exit(
        "Odoo 19 needs Python 3.10 to 3.13 and this is {}.{}: install one of them, "
        "or name it, make run PYTHON=/path/to/python3.11".format(*sys.version_info)
    )

from tools.cli import main

sys.exit(main())
