"""A real build of the core: its unit tests and its linter, run as CI would."""

import os
import shlex
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from .. import proc, venv
from ..locks import setting_up
from ..paths import ADDON, ROOT, venv_python
from ..say import Stop, slow
from . import repository, rooms

#: Seconds after which a build is given up.
PATIENCE = 300


@dataclass(frozen=True)
class Build:
    """What a build came to.

    :ivar junit: the JUnit file, as pytest wrote it
    :ivar log: what both tools printed, as one file
    :ivar tests: the JUnit file as ``ingest.JUnitReport``
    :ivar lint: ``pass`` or ``fail``
    :ivar seconds: how long it took
    :ivar changed_files: how many of the built files differed from the commit
    :ivar tools: what it was built with, for the record
    """

    junit: bytes
    log: bytes
    tests: object
    lint: str
    seconds: float
    changed_files: int = 0
    tools: str = ""

    @property
    def status(self):
        """``pass`` only if everything did."""
        return "pass" if self.tests.status == self.lint == "pass" else "fail"

    def checks(self):
        """The ``checks`` of a ``build_complete`` event."""
        unit_tests = rooms.load("ingest").to_checks(self.tests, "unit_tests")
        metadata = {"tool": self.tools, "changed_files": self.changed_files}
        return [
            *unit_tests,
            {"name": "lint", "status": self.lint, "metadata": metadata},
        ]


class Running:
    """A build under way; ended with the block that holds it.

    :param tests: folder of the tests that it runs
    """

    def __init__(self, tests="tests/unit"):
        with setting_up():
            venv.ensure("lint")  # ruff; a make that never linted lacks it
        self.changed_files = repository.changed_files()
        self._folder = tempfile.TemporaryDirectory()
        self._junit = Path(self._folder.name) / "unit-tests.xml"
        self._started = time.monotonic()
        binaries = venv_python().parent
        self._commands = [
            [
                *(venv_python(), "-m", "pytest", "-q", "-p", "no:odoo"),
                *("-o", "junit_suite_name=unit_tests"),
                *(f"--junit-xml={self._junit}", tests),
            ],
            [binaries / "ruff", "check", "--no-cache", ADDON],
        ]
        self._children = []
        for number, command in enumerate(self._commands):
            with open(self._log(number), "wb") as log:
                self._children.append(
                    proc.start(
                        command,
                        stdout=log,
                        stderr=subprocess.STDOUT,
                        env={**os.environ, "PYTHONPATH": str(ROOT)},
                    )
                )

    def _log(self, number):
        return Path(self._folder.name) / f"{number}.log"

    def wait(self):
        """Wait for its end.

        :returns: the :class:`Build`
        """
        with slow("Unit tests and linter", lambda: proc.last_line(self._log(0))):
            try:
                codes = [child.wait(PATIENCE) for child in self._children]
            except subprocess.TimeoutExpired:
                raise Stop(
                    f"The unit tests did not end in {PATIENCE} s: make test shows more."
                ) from None
        log = "".join(
            f"$ {self._shown(number)}\n{self._log(number).read_text(errors='replace')}"
            for number in range(len(self._children))
        )
        if not self._junit.exists():
            raise Stop(f"pytest wrote no report: {proc.last_line(self._log(0))}")
        junit = self._junit.read_bytes()
        return Build(
            junit=junit,
            log=self._portable(log).encode(),
            tests=rooms.load("ingest").parse_junit(junit),
            lint="fail" if codes[1] else "pass",
            seconds=time.monotonic() - self._started,
            changed_files=self.changed_files,
            tools=self._version(),
        )

    def _shown(self, number):
        first, *rest = map(str, self._commands[number])
        return shlex.join([Path(first).name, *rest])

    def _portable(self, text):
        """Text without the folders of this machine."""
        return text.replace(self._folder.name, ".").replace(f"{ROOT}/", "")

    def _version(self):
        return subprocess.run(
            [self._commands[1][0], "--version"],
            capture_output=True,
            text=True,
            check=False,
        ).stdout.strip()

    def __enter__(self):
        return self

    def __exit__(self, *exc_info):
        for child in self._children:
            proc.end(child)
        self._folder.cleanup()
