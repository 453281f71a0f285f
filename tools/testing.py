"""``make test``: the layers of tests on both cores, one closing line over all.

Each layer (see :mod:`tools.layers`) is split into shards, and each shard is a pytest
with a database or servers of its own. Lanes take one shard after the other until none
is left. A shard that fails, or that is killed, counts as failed.
"""

import os
import re
import signal
import time
import xml.etree.ElementTree as ET
from collections import Counter
from contextlib import ExitStack

from . import chromium, databases, odoo, postgres, proc, shards
from .layers import addon_of, layers, plan
from .paths import LOGS, PREFIX, REPORTS, ROOT, venv_python
from .say import Stop, say, slow

#: Reasons for which a test may be skipped, one regular expression a line.
ALLOWED_SKIPS = ROOT / "tests" / "allowed_skips.txt"
#: How many shards run at a time: one more than there are cores, because many tests wait
#: for a browser, for another try or for a clock.
LANES = int(os.environ.get("IPAI_TEST_LANES") or len(os.sched_getaffinity(0)) + 1)
#: Shards get less of a busy core than one that measures how soon something happens.
YIELDING = ["nice", "-n", "5"]
#: The JUnit file of each shard; those of a layer are joined in one file above.
PARTS = REPORTS / "shards"


def _any_browser_test(paths):
    return any("HttpCase" in path.read_text() for path in shards.files(paths))


def _needs(shard, stack):
    """Bring what a shard needs; its own arguments for pytest."""
    if shard.layer == "unit":
        return ["-p", "no:odoo"]
    if shard.layer == "server":
        databases.template("demo", bundles=True)
        return ["-p", "no:odoo"]
    in_browser = _any_browser_test(path.split("::")[0] for path in shard.paths)
    if in_browser:
        chromium.ensure()
    template = databases.template(addon_of(shard.layer).name, bundles=in_browser)
    name = stack.enter_context(databases.temporary(template))
    return ["--odoo-http", "--odoo-database", name, "--rootdir", ROOT]


class Running:
    """A shard under way: its pytest, and what it is given for its time.

    :param shown: whether it prints on the terminal; else its output is kept in a file
    """

    def __init__(self, shard, shown):
        self.shard = shard
        # Under names of its own, as another make test may be at work.
        own = f"{PREFIX}_{os.getpid()}_"
        self.report = PARTS / f".{own}{shard.name}.xml"
        self.log = None if shown else LOGS / f"test-{shard.name}-{own}.log"
        self._stack = ExitStack()
        try:
            self.child = self._start()
        except BaseException:
            self._stack.close()
            raise

    def _start(self):
        shard = self.shard
        arguments = [*_needs(shard, self._stack), *shard.options, *shard.paths]
        command = [] if shard.is_urgent else YIELDING
        command = [*command, venv_python(), "-m", "pytest", "--junit-xml", self.report]
        command += ["-o", f"junit_suite_name={shard.name}", *arguments]
        env = {**odoo.environment(), "PYTHONPATH": str(ROOT)}
        output = self.log and open(self.log, "w")  # noqa: SIM115  the stack closes it
        if output:
            self._stack.enter_context(output)
        self.started = time.monotonic()
        child = proc.start(command, env=env, stdout=output, stderr=output)
        # On a Ctrl-C, unlike on other signals, pytest tears its fixtures down.
        self._stack.callback(proc.end, child, signal.SIGINT, patience=40)
        return child

    def end(self):
        """End it if it still runs, and take back what it was given."""
        self._stack.close()

    def result(self):
        """Print what it printed; the tally of :func:`count`."""
        if self.log:
            say(f"\n── {self.shard.name} tests " + "─" * 60)
            say(self.log.read_text(errors="replace").rstrip())
        code = self.child.returncode
        # Of several layers, options such as -m may leave one without a test.
        if code == 5 and self.shard.options and self.log:
            tally = Counter()
        else:
            tally = count(self.report, code)
        seconds = time.monotonic() - self.started
        say(
            f"· {self.shard.name} tests took {seconds:.0f} s "
            f"({self.shard.weight:.0f} s were expected)"
        )
        if self.report.exists():
            self.report.replace(PARTS / f"{self.shard.name}.xml")
        return tally


def run_in_lanes(queue, lanes=LANES):
    """Run shards, as many at a time as there are lanes.

    :param queue: list of :class:`tools.shards.Shard`, in the order in which they start
    :return: the tally of :func:`count` over all of them
    """
    tally, queue, running = Counter(), list(queue), []
    shown = len(queue) == 1
    if shown:
        say(f"\n── {queue[0].name} tests " + "─" * 60)

    def last_lines():
        return " | ".join(
            f"{each.shard.name}: {proc.last_line(each.log)[:40]}"
            for each in running
            if each.log
        )

    try:
        while queue or running:
            while queue and len(running) < lanes:
                running.append(Running(queue.pop(0), shown))
            if shown:
                running[0].child.wait()
            else:
                names = ", ".join(each.shard.name for each in running)
                with slow(f"Running {names}; {len(queue)} more", last_lines):
                    _wait_for_any(running)
            for each in [each for each in running if each.child.poll() is not None]:
                running.remove(each)
                each.end()
                tally += each.result()
    finally:
        for each in running:
            each.end()
    return tally


def _wait_for_any(running):
    while all(each.child.poll() is None for each in running):
        time.sleep(0.05)  # no call waits for whichever child ends first


def join(layer, names):
    """Join the JUnit files of a layer's shards in one; without one of them, none.

    A shard that left no file did not run to its end, and neither did the layer.
    """
    joined = REPORTS / f"{layer}.xml"
    joined.unlink(missing_ok=True)
    parts = [PARTS / f"{name}.xml" for name in names]
    if not all(part.exists() for part in parts):
        return
    suites = ET.Element("testsuites", name=layer)
    for part in parts:
        suites.extend(ET.parse(part).getroot().iter("testsuite"))
    ET.ElementTree(suites).write(joined, encoding="utf-8", xml_declaration=True)


def _outcomes(report):
    """Each test case of a JUnit file as (outcome, name, reason)."""
    for case in ET.parse(report).iter("testcase"):
        name = f"{case.get('classname')}.{case.get('name')}"
        for tag in ("error", "failure", "skipped"):
            found = case.find(tag)
            if found is not None:
                yield tag, name, found.get("message") or ""
                break
        else:
            yield "passed", name, ""


def allowed_skips():
    """The patterns of the reasons for which a test may be skipped."""
    lines = ALLOWED_SKIPS.read_text().splitlines() if ALLOWED_SKIPS.exists() else []
    return [line for line in lines if line and not line.startswith("#")]


def count(report, code):
    """Passed and failed of one pytest run; what only counts as failed is printed.

    A skipped test is a failed one, unless its reason is allowed: a test that did not
    run shows nothing.

    :param report: the JUnit file, which may be missing
    :param code: pytest's exit code
    """
    tally = Counter()
    if report.exists():
        for outcome, name, reason in _outcomes(report):
            if outcome == "skipped" and any(
                re.search(each, reason) for each in allowed_skips()
            ):
                tally["skipped"] += 1
                continue
            if outcome == "skipped":
                say(f"✗ skipped, and that counts as failed: {name} ({reason})")
            tally["passed" if outcome == "passed" else "failed"] += 1
    if (code or not report.exists()) and not tally["failed"]:
        # pytest itself failed: nothing was collected (5), wrong usage (4), it broke
        # (3).
        say(
            f"✗ pytest ended with exit code {code}"
            + (": no test was found" if code == 5 else "")
        )
        tally["failed"] += 1
    return tally


def test(arguments):
    """``test [ARGS]``: run what the arguments ask for; 1 if anything failed."""
    chosen = plan(arguments)
    PARTS.mkdir(parents=True, exist_ok=True)
    LOGS.mkdir(parents=True, exist_ok=True)
    queue = shards.in_order(
        shard
        for layer, (paths, options) in chosen.items()
        for shard in shards.split(layer, paths, options)
    )
    for shard in queue:
        (PARTS / f"{shard.name}.xml").unlink(missing_ok=True)
    started = time.monotonic()
    with postgres.running():
        databases.drop_left_over()
        total = run_in_lanes(queue)
    if not total["passed"] + total["failed"]:
        say("✗ no test was found")
        total["failed"] += 1
    for layer in chosen:
        join(layer, [shard.name for shard in queue if shard.layer == layer])
    if not arguments and not total["failed"]:
        shards.remember(
            REPORTS / f"{layer}.xml" for layer in layers() if layer in chosen
        )
    say(
        f"\n· all of it took {time.monotonic() - started:.0f} s; "
        f"reports: {REPORTS}/*.xml"
    )
    say(f"{total['passed']} passed, {total['failed']} failed")
    return 1 if total["failed"] else 0


def weights(arguments):
    """``weights``: write ``tests/weights.txt`` from the last whole run."""
    if not shards.MEASURED.exists():
        raise Stop("Nothing is measured yet: make test does it when all tests pass.")
    shards.write_table()
    return 0
