"""Markers: given by folder, by the words of a file's name, and by its weight."""

import subprocess
from pathlib import Path

import pytest

from tools.paths import ROOT, venv_python


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("tests/server/races/test_storm.py", {"race"}),
        ("tests/server/browser/test_keyboard.py", {"browser"}),
        ("ipai_release_gates/tests/screens/test_browser.py", {"browser", "slow"}),
        ("ipai_release_gates/tests/security/test_bypass_secrets.py", {"bypass"}),
        ("tests/unit/policy/test_policy_risk.py", set()),
    ],
)
def test_a_file_gives_its_markers(pytestconfig, path, expected):
    (ours,) = (
        plugin
        for plugin in pytestconfig.pluginmanager.get_plugins()
        if getattr(plugin, "__file__", None) == str(ROOT / "conftest.py")
    )
    assert ours.markers_of(Path(path), {"test_browser.py": ours.SLOW}) == expected


def test_markers_choose_tests():
    words = ["-m", "pytest", "-q", "--collect-only", "-p", "no:odoo", "-m"]
    for marker, found in (("bypass", True), ("race", False)):
        done = subprocess.run(
            [venv_python(), *words, marker, "tests/server/bypass"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert ("test_bypass_doors" in done.stdout) == found, done.stdout
