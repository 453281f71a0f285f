"""Twenty thousand exceptions expire at once; the one who records it is killed."""

import contextlib
import json
import subprocess
import sys
import time
from pathlib import Path

import psycopg2
import pytest

from tools import databases, odoo

SCRIPT = Path(__file__).parents[2] / "kit" / "scripts" / "expire_exceptions.py"
EXCEPTIONS = 20_000
RELEASES = 100
#: MiB; all the exceptions at once would take several times as much.
MEMORY = 120

# Through the states that the database lets an exception take, years ago.
SEED = """
WITH project AS (SELECT id, company_id FROM ipai_project ORDER BY id LIMIT 1),
     stage AS (SELECT id FROM ipai_release_stage ORDER BY sequence, id LIMIT 1)
INSERT INTO ipai_release (name, project_id, company_id, uuid, source_ref, author_emails,
        stage_id, status, environment_target, is_open, active, fact_version,
        ledger_sequence, ledger_hash)
     SELECT 'expiry ' || n, project.id, project.company_id, gen_random_uuid()::text,
            repeat('a', 40), 'who@example.com', stage.id, 'in_progress', 'production',
            true, true, 0, 0, %(genesis)s
       FROM project, stage, generate_series(1, %(releases)s) n;
INSERT INTO ipai_revision (release_id, source_ref, author_emails, recorded_by_id,
        recorded_at)
     SELECT id, source_ref, '["who@example.com"]', 1, now() AT TIME ZONE 'utc'
       FROM ipai_release WHERE name LIKE 'expiry %%';
UPDATE ipai_release r SET revision_id = v.id
  FROM ipai_revision v WHERE v.release_id = r.id AND r.name LIKE 'expiry %%';
INSERT INTO ipai_release_gate (release_id, gate_id, status)
     SELECT r.id, g.id, 'pending' FROM ipai_release r, ipai_gate g
      WHERE r.name LIKE 'expiry %%';
INSERT INTO ipai_exception (release_id, revision_id, project_id, exception_type,
        risk_level, rationale, risk_statement, effective_from, expires_at, state,
        review_status, source_system, recorded_by_id, recorded_at)
     SELECT r.id, r.revision_id, r.project_id, 'gate_bypass', 'low', 'Because.',
            'None.', timestamp '2024-01-01', timestamp '2024-01-02', 'draft', 'waived',
            'manual', 1, timestamp '2024-01-01'
       FROM generate_series(1, %(each)s) n, ipai_release r
      WHERE r.name LIKE 'expiry %%';
INSERT INTO ipai_exception_gate_rel (exception_id, gate_id)
     SELECT x.id, g.id FROM ipai_exception x JOIN ipai_release r ON r.id = x.release_id
       JOIN ipai_gate g ON g.code = 'G1' WHERE r.name LIKE 'expiry %%';
UPDATE ipai_exception SET state = 'requested' WHERE state = 'draft';
UPDATE ipai_exception SET state = 'active', approved_at = effective_from
 WHERE state = 'requested';
"""


class Runner:
    """One process that runs the scheduled action."""

    def __init__(self, database):
        with open(SCRIPT) as script:
            self._process = subprocess.Popen(
                odoo.command("shell", "-d", database, "--no-http", "--log-level=error"),
                env=odoo.environment(),
                stdin=script,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )

    def kill(self):
        """End it as a machine that loses its power does."""
        self._process.kill()
        self._process.communicate()

    def result(self):
        """What it printed at its end."""
        output, _ = self._process.communicate()
        assert self._process.returncode == 0, output
        line = next(li for li in output.splitlines() if li.startswith("RESULT "))
        return json.loads(line.removeprefix("RESULT "))


@pytest.fixture
def database(postgresql):
    """A database with many exceptions that have expired."""
    seed = {
        "releases": RELEASES,
        "each": EXCEPTIONS // RELEASES,
        "genesis": "v1:" + "0" * 64,
    }
    with (
        databases.temporary(databases.template("demo")) as name,
        contextlib.closing(psycopg2.connect(dbname=name)) as connection,
    ):
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(SEED, seed)
            yield name, cursor


def counted(cursor, query):
    """The one number that a query answers."""
    cursor.execute(query)
    return cursor.fetchone()[0]


def test_none_is_missed_and_none_recorded_twice_although_the_recorder_is_killed(
    database,
):
    name, cursor = database
    # Of the seeded releases: the demo data has an expired exception too.
    seeded = "release_id IN (SELECT id FROM ipai_release WHERE name LIKE 'expiry %')"
    expired = (
        f"SELECT count(*) FROM ipai_exception WHERE state = 'expired' AND {seeded}"
    )
    entries = f"ipai_ledger_entry WHERE kind = 'exception_expired' AND {seeded}"
    told = f"SELECT count(*) FROM {entries}"
    runner = Runner(name)
    try:
        while counted(cursor, expired) < EXCEPTIONS // 4:
            assert runner._process.poll() is None, runner._process.stdout.read()
            time.sleep(0.05)  # between two looks at what has been committed
    finally:
        runner.kill()
    half_way = counted(cursor, expired)
    assert EXCEPTIONS // 4 <= half_way < EXCEPTIONS
    assert counted(cursor, told) == half_way

    grown = [one.result()["grown"] for one in [Runner(name), Runner(name)]]

    assert counted(cursor, expired) == EXCEPTIONS
    cursor.execute(f"SELECT count(*), count(DISTINCT subject) FROM {entries}")
    assert cursor.fetchone() == (EXCEPTIONS, EXCEPTIONS)
    assert max(grown) < MEMORY, grown
    cursor.execute(
        "SELECT count(*) FROM ipai_release r WHERE ledger_sequence <>"
        " (SELECT count(*) FROM ipai_ledger_entry e WHERE e.release_id = r.id)"
    )
    assert cursor.fetchone() == (0,)
    print(f"memory grew by {grown} MiB", file=sys.stderr)
