"""``make consistency``: silent on what is shipped, and not on what contradicts it."""

import subprocess
import sys

from tools import consistency, databases
from tools.paths import ROOT


def said(*arguments):
    """The exit code of the command, and the lines it printed."""
    child = subprocess.run(
        [sys.executable, "-m", "tools", "consistency", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    return child.returncode, child.stdout.splitlines()


def test_the_shipped_model_and_the_documents_have_no_contradiction(postgresql):
    code, lines = said()
    assert "the model and the documents do not contradict themselves" in lines
    assert code == 0


def test_the_demo_data_has_no_contradiction(postgresql):
    with databases.temporary(databases.template("demo")) as name:
        assert said(name)[0] == 0


def test_a_contradiction_in_a_database_is_named_with_its_place_and_fails(postgresql):
    with databases.temporary(databases.template("all")) as name:
        with databases.cursor(name) as cr:
            cr.execute("UPDATE ipai_release_stage SET is_closing = false")
        code, lines = said(name)
    assert code == 1
    assert any(
        "error: ipai.release.stage closed: No stage closes" in li for li in lines
    )
    assert lines[-1].startswith("1 errors")


def test_a_warning_is_named_and_does_not_fail(postgresql):
    with databases.temporary(databases.template("all")) as name:
        with databases.cursor(name) as cr:
            cr.execute(
                "UPDATE ipai_gate_requirement SET environment_category = NULL"
                " WHERE code = 'production_deployment'"
            )
        code, lines = said(name)
    assert code == 0
    assert lines[-1] == "0 errors, 1 warnings"


def test_a_document_that_contradicts_the_model_is_named_by_file_and_line(postgresql):
    files = consistency.repository()
    page = "docs/index.md"
    text = files[page].replace("| Production         | G3", "| Live | G3")
    number = text[: text.index("| Live ")].count("\n") + 1
    with databases.temporary(databases.template("all")) as name:
        found = consistency.findings(name, {**files, page: text})
    assert [severity for severity, _line in found] == ["error"]
    assert found[0][1].startswith(f"error: {page}:{number}: The table of stages")
