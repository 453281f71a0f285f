"""``ipai-gates``: from the command line to the exit code."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
from collections.abc import Sequence

from . import commands, parser, settings
from .problems import WORDS, Problem, UsageProblem
from .say import say
from .shapes import Environ, Json


def main(words: Sequence[str] | None = None, environ: Environ | None = None) -> int:
    """Run one command.

    :param words: the command line; that of the process unless given
    :param environ: the environment variables; those of the process unless given
    :returns: the exit code, see :mod:`~ipai_gates.problems`
    """
    words = sys.argv[1:] if words is None else words
    environ = os.environ if environ is None else environ
    # A pipeline ends its jobs with SIGTERM: as a Ctrl-C, the locks are let go.
    with contextlib.suppress(ValueError):
        signal.signal(signal.SIGTERM, lambda *_signal: sys.exit(143))
    try:
        settings.refuse_secrets(words, environ)
        arguments = parser.build().parse_args(words)
    except UsageProblem as problem:
        say(problem)
        return problem.code
    try:
        code, data = commands.run(settings.read(arguments, environ), arguments)
    except Problem as problem:
        say(problem)
        code, data = problem.code, {"problem": str(problem)}
    except KeyboardInterrupt:
        return 130
    if arguments.outputs:
        code = _write_outputs(arguments.outputs, code, data)
    if arguments.json:
        print(json.dumps({"code": code, "result": WORDS[code], **data}))
    elif (data.get("release") or {}).get("uuid"):
        print(data["release"]["uuid"])
    return code


def _write_outputs(path: str, code: int, data: Json) -> int:
    try:
        with open(path, "a", encoding="utf-8") as handle:
            handle.writelines(
                f"{name}={value}\n"
                for name, value in commands.outputs(code, data).items()
            )
    except OSError as error:
        say(f"--outputs {path} cannot be written: {error.strerror}")
        return UsageProblem.code
    return code
