"""``make test``: three layers, a pytest run each, one closing line over all.

``unit``   tests/unit: plain Python, Odoo cannot be imported
``odoo``   the core's own tests by pytest-odoo, on a database with the core only
``odoo-…`` those of a satellite, on a database with that satellite
``server`` tests/server: from outside, against real server processes with all addons
"""

import os
import re
import signal
import time
import xml.etree.ElementTree as ET
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

from . import addons, chromium, databases, odoo, postgres, proc
from .paths import ADDON_NAME, LOGS, PREFIX, REPORTS, ROOT, venv_python
from .say import Stop, say, slow

#: Reasons for which a test may be skipped, one regular expression a line.
ALLOWED_SKIPS = ROOT / "tests" / "allowed_skips.txt"
#: What runs at the same time. The unit tests need both cores for themselves; the others
#: spend half their time waiting for a browser, a database or a server.
TOGETHER = (("unit",), ("odoo", "server"))


def _odoo_layer(addon):
    """The layer of an addon's own tests: ``odoo``, or ``odoo-github`` and the like."""
    return "odoo" if addon.name == ADDON_NAME else f"odoo-{addon.short}"


def _addon_of(layer):
    """The addon whose own tests a layer has, or nothing."""
    for addon in addons.every():
        if _odoo_layer(addon) == layer:
            return addon
    return None


def layers():
    """The layers there are, in the order in which they run."""
    return ["unit", *map(_odoo_layer, addons.every()), "server"]


def _parts(path):
    """The tests that a path names, as (layer, path); an addon's folder has several."""
    found = Path(path.split("::")[0]).resolve()
    if found.is_relative_to(ROOT / "tests" / "unit"):
        return [("unit", path)]
    if found.is_relative_to(ROOT / "tests" / "server"):
        return [("server", path)]
    addon = addons.of_path(found)
    if not addon:
        raise Stop(f"{found} is no test: name one below tests/, or an addon.")
    if found != addon.folder:
        return [(_odoo_layer(addon), path)]
    # What tests it from outside has its short name.
    places = {
        "unit": ROOT / "tests" / "unit" / addon.short,
        _odoo_layer(addon): addon.tests,
        "server": ROOT / "tests" / "server" / addon.short,
    }
    return [(layer, str(each)) for layer, each in places.items() if each.is_dir()]


def _is_path(word):
    return not word.startswith("-") and Path(word.split("::")[0]).exists()


def plan(words):
    """Which layers run, on which paths, with which options.

    :param words: paths choose the layers, all else goes to pytest
    :return: layer → (paths, options)
    """
    paths = [word for word in words if _is_path(word)]
    options = [word for word in words if not _is_path(word)]
    missing = [word for word in options if re.search(r"\.py(::|$)", word)]
    if missing:
        raise Stop(f"There is no test file {missing[0]}.")
    chosen = {layer: [] for layer in layers()}
    if not paths:
        paths = [str(addon.tests) for addon in addons.every() if addon.tests.is_dir()]
        paths += ["tests/unit", "tests/server"]
    for path in paths:
        for layer, part in _parts(path):
            chosen[layer].append(part)
    return {layer: (parts, options) for layer, parts in chosen.items() if parts}


def _any_browser_test(paths):
    files = []
    for path in paths:
        found = Path(path.split("::")[0])
        files += found.rglob("test_*.py") if found.is_dir() else [found]
    return any("HttpCase" in file.read_text() for file in files)


def _needs(layer, paths, stack):
    """Bring what a layer needs; its own arguments for pytest."""
    if layer == "unit":
        return ["-p", "no:odoo"]
    if layer == "server":
        databases.template("demo")
        return ["-p", "no:odoo"]
    in_browser = _any_browser_test(paths)
    if in_browser:
        chromium.ensure()
    template = databases.template(_addon_of(layer).name, bundles=in_browser)
    copy = databases.temporary(template)
    name = stack.enter_context(copy)
    return ["--odoo-http", "--odoo-database", name, "--rootdir", ROOT]


def _start(layer, arguments, output=None):
    # Under a name of its own, as another make test may be at work.
    report = REPORTS / f".{os.getpid()}-{layer}.xml"
    command = [venv_python(), "-m", "pytest", "--junit-xml", report]
    command += ["-o", f"junit_suite_name={layer}", *arguments]
    env = {**odoo.environment(), "PYTHONPATH": str(ROOT)}
    return proc.start(command, env=env, stdout=output, stderr=output), report


def _show(layer, child, output):
    """Wait for a layer that ran aside, and print what it said."""
    with slow(f"Waiting for the {layer} tests", lambda: proc.last_line(output)):
        child.wait()
    say(f"\n── {layer} tests " + "─" * 60)
    say(output.read_text(errors="replace").rstrip())


def run_together(layers):
    """Run layers at the same time: the first on the terminal, the others into files.

    :param layers: layer → (paths, options), as :func:`plan` gives
    :return: the tally of :func:`count` over all of them
    """
    tally = Counter()
    started = time.monotonic()
    with ExitStack() as stack:
        arguments = {
            layer: [*_needs(layer, paths, stack), *options, *paths]
            for layer, (paths, options) in layers.items()
        }
        running = []
        for number, layer in enumerate(layers):
            path = LOGS / f"test-{layer}-{PREFIX}_{os.getpid()}_.log"
            output = stack.enter_context(open(path, "w")) if number else None
            if not number:
                say(f"\n── {layer} tests " + "─" * 60)
            child, report = _start(layer, arguments[layer], output)
            # On a Ctrl-C, unlike on other signals, pytest tears its fixtures down.
            stack.callback(proc.end, child, signal.SIGINT, patience=40)
            running.append((layer, child, report, path if number else None))
        for layer, child, report, path in running:
            if path:
                _show(layer, child, path)
            tally += count(report, child.wait())
            if report.exists():
                report.replace(REPORTS / f"{layer}.xml")
            say(f"· {layer} tests took {time.monotonic() - started:.0f} s")
    return tally


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
    REPORTS.mkdir(parents=True, exist_ok=True)
    LOGS.mkdir(parents=True, exist_ok=True)
    total, started = Counter(), time.monotonic()
    with postgres.running():
        databases.drop_left_over()
        # The satellites, one after the other, come last.
        grouped = [layer for group in TOGETHER for layer in group]
        alone = [(layer,) for layer in chosen if layer not in grouped]
        for group in (*TOGETHER, *alone):
            part = {layer: chosen[layer] for layer in group if layer in chosen}
            if part:
                total += run_together(part)
    say(
        f"\n· all of it took {time.monotonic() - started:.0f} s; "
        f"reports: {REPORTS}/*.xml"
    )
    say(f"{total['passed']} passed, {total['failed']} failed")
    return 1 if total["failed"] else 0
