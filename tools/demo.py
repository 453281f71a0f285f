"""``make demo``: the dry run in ``dry_run/``, on a server that is up or started."""

import os
import shlex

from . import postgres, proc
from .paths import ROOT, venv_python
from .say import Stop, say
from .serve import options, serve, serving


def demo(arguments):
    """``demo [--port N] [--database NAME] …``: the rest goes to the dry run."""
    given, rest = options(arguments)
    if not (ROOT / "dry_run" / "__main__.py").exists():
        raise Stop("There is no dry_run/ here: is the clone complete?")

    def carry(url):
        words = [venv_python(), "-m", "dry_run", "--url", url]
        words += ["--database", given.database, *rest]
        say("$ " + shlex.join(map(str, words[1:])))
        child = proc.start(words, env={**os.environ, "PYTHONPATH": str(ROOT)})
        try:
            return child.wait()
        finally:
            proc.end(child)

    url = serving(given.database)
    if url:
        with postgres.running():
            return carry(url)
    return serve(given.database, given.port, lambda server: carry(server.url))
