"""A release is never promoted past a failing check, however the two interleave."""

import json
import subprocess
from pathlib import Path

from tools import databases, odoo

SCRIPT = Path(__file__).parents[2] / "kit" / "scripts" / "race_rounds.py"


def race(rounds, ways, **settings):
    """Run rounds of the race in an Odoo shell on a database of their own."""
    env = {**odoo.environment(), "ROUNDS": str(rounds), "WAYS": ways, **settings}
    template = databases.template("demo")
    with databases.temporary(template) as name, open(SCRIPT) as script:
        done = subprocess.run(
            odoo.command("shell", "-d", name, "--no-http", "--log-level=critical"),
            env=env,
            stdin=script,
            capture_output=True,
            check=False,
            text=True,
        )
    lines = [li for li in done.stdout.splitlines() if li.startswith("RESULT ")]
    assert lines, done.stdout + done.stderr
    return json.loads(lines[0].removeprefix("RESULT "))


def test_no_move_commits_after_a_failing_check_in_200_rounds(postgresql):
    result = race(200, "snapshot verdict free")
    assert result["rounds"] == sum(result["outcome"].values()) == 200
    assert not any(result["wrong"].values()), result
    assert result["outcome"]["snapshot refused"] >= 66
    assert result["outcome"]["verdict refused"] >= 66


def test_without_the_update_of_the_release_row_every_forced_move_goes_wrong(postgresql):
    result = race(20, "snapshot verdict", WITHOUT_TOUCH="1")
    assert result["wrong"] == {"snapshot": 10, "verdict": 10}
