"""A database made by a version before is upgraded: all is there, and constrained."""

import ast
import contextlib
import subprocess

import psycopg2
import pytest

from tools import databases, odoo
from tools.paths import ADDON_NAME, ROOT

MANIFEST = f"{ADDON_NAME}/__manifest__.py"
#: What people and machines recorded: nothing about these rows may change.
KEPT = (
    "ipai_approval",
    "ipai_check",
    "ipai_deployment",
    "ipai_evidence",
    "ipai_incident",
    "ipai_ingest_log",
    "ipai_ledger_entry",
    "ipai_revision",
)
#: version → what is put into a database of it beside its demo data
SEEDS = {
    # An incident, of which there was none, and a mission that governance edited: it was
    # a text on the persona.
    "19.0.1.0.0": """
        INSERT INTO ipai_incident (release_id, revision_id, project_id, name, severity,
                    blocking, detected_at, resolved_at, source_system, recorded_by_id,
                    recorded_at)
             SELECT id, revision_id, project_id, 'Down', 'high', true, now(), now(),
                    'manual', 1, now() FROM ipai_release ORDER BY id LIMIT 1;
        UPDATE ipai_persona SET mission = '{"en_US": "Ours"}' WHERE code = 'sre'""",
    "19.0.2.0.0": "SELECT",
    # A customer who was asked, a job that waits at GitHub, and a changed interval.
    "19.0.3.0.0": """
        INSERT INTO ipai_uat_invitation (uuid, release_id, revision_id, partner_id,
                    email, token_digest, inviter_id, invited_at, link_by, expires_at,
                    state)
             SELECT 'a', id, revision_id, 3, 'c@example.com', 'digest', 2, now(),
                    'mail', now(), 'open' FROM ipai_release ORDER BY id LIMIT 1;
        INSERT INTO ipai_uat_criterion (invitation_id, sequence, name, result)
             SELECT id, 1, 'It works', 'passed' FROM ipai_uat_invitation;
        INSERT INTO ipai_github_app (name, active, company_id, client_id, api_url)
             SELECT 'Gates', true, min(id), 'Iv1.abc', 'https://api.github.com'
               FROM res_company;
        INSERT INTO ipai_github_repository (project_id, company_id, active, app_id,
                    name, installation, answer_mode, deadline_hours, report_as)
             SELECT p.id, p.company_id, true, a.id, p.name, '7', 'wait', 24, 'checks'
               FROM ipai_project p, ipai_github_app a ORDER BY p.id LIMIT 1;
        INSERT INTO ipai_github_protection (project_id, company_id, release_id,
                    delivery, run, environment, source_ref, callback_url,
                    installation, state, requested_at, is_settled)
             SELECT project_id, company_id, id, 'd1', '17', 'live', source_ref,
                    'https://api.github.com/', '7', 'abandoned', now(), true
               FROM ipai_release ORDER BY id LIMIT 1;
        UPDATE ir_cron SET interval_number = 7
          FROM ir_model_data d
         WHERE d.res_id = ir_cron.id AND d.name = 'ir_cron_github_overdue'""",
}
#: version → tables that are kept beside those of every version
ADDED = {
    "19.0.3.0.0": (
        "ipai_github_app",
        "ipai_github_protection",
        "ipai_github_repository",
        "ipai_uat_criterion",
        "ipai_uat_invitation",
    )
}
#: Names by which records are known; the former fields of the core may be gone.
NAMES = """
    SELECT name, model, res_id FROM ir_model_data
     WHERE module LIKE 'ipai%'
       AND (model NOT IN ('ir.model.fields', 'ir.model.fields.selection',
                          'ir.model.constraint', 'ir.model.inherit')
            OR name ~ 'ipai_(uat|github)_')"""
#: Where each gate of an open release stands.
STATUSES = """
    SELECT g.release_id, g.gate_id, g.status FROM ipai_release_gate g
      JOIN ipai_release r ON r.id = g.release_id WHERE r.is_open"""
#: version → the commit to upgrade from, where the last one to change the manifest left
#: much of its version to later ones
COMMITS = {"19.0.3.0.0": "f9a3ac4ce0cd"}
#: version → contracts that are drafts after the upgrade
DRAFTS = {"19.0.1.0.0": [("sre", "Ours")], "19.0.2.0.0": [], "19.0.3.0.0": []}
#: Columns that an upgrade may fill again: caches, and who wrote a row last.
CACHES = {"write_date", "write_uid"}
SCHEMA = {
    "columns": """
        SELECT table_name, column_name, data_type, is_nullable
          FROM information_schema.columns
         WHERE table_name LIKE 'ipai\\_%' AND table_schema = 'public'""",
    "constraints": """
        SELECT c.conrelid::regclass::text, c.conname, pg_get_constraintdef(c.oid)
          FROM pg_constraint c
         WHERE c.conrelid::regclass::text LIKE 'ipai\\_%' AND c.contype <> 'n'""",
    "indexes": """
        SELECT tablename, indexname, indexdef FROM pg_indexes
         WHERE tablename LIKE 'ipai\\_%'""",
    "triggers": """
        SELECT tgrelid::regclass::text, tgname, tgenabled, pg_get_triggerdef(oid)
          FROM pg_trigger
         WHERE tgrelid::regclass::text LIKE 'ipai\\_%' AND NOT tgisinternal""",
}


def git(*arguments):
    """What git says of this repository, as bytes."""
    return subprocess.run(
        ["git", *arguments], cwd=ROOT, check=True, capture_output=True
    ).stdout


def version(manifest):
    """The version that the text of a manifest names."""
    return ast.literal_eval(manifest)["version"]


def former_commit(wanted):
    """The last commit whose addon has a version."""
    if (
        wanted in COMMITS
        and subprocess.run(
            ["git", "cat-file", "-e", COMMITS[wanted]], cwd=ROOT, check=False
        ).returncode
        == 0
    ):
        return COMMITS[wanted]
    for commit in git("log", "--format=%H", "--", MANIFEST).decode().split():
        if version(git("show", f"{commit}:{MANIFEST}").decode()) == wanted:
            return commit
    if git("rev-parse", "--is-shallow-repository").strip() == b"true":
        pytest.skip("a shallow clone has no version before this one to upgrade from")
    return pytest.fail(f"the history of this clone has no version {wanted}")


def rows(cursor, query, *arguments):
    """All rows of a query, sorted."""
    cursor.execute(query, arguments or None)
    return sorted(cursor.fetchall(), key=repr)


def contents(cursor, table, columns):
    """Rows of a table by id, as text."""
    listed = ", ".join(f'"{column}"' for column in columns)
    cursor.execute(f"SELECT id, ROW({listed})::text FROM {table}")
    return dict(cursor.fetchall())


@contextlib.contextmanager
def looking(database):
    """A cursor on a database."""
    with contextlib.closing(psycopg2.connect(dbname=database)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            yield cursor


@pytest.fixture(scope="module", params=SEEDS)
def upgraded(request, postgresql, tmp_path_factory):
    """A database before and after its upgrade.

    :returns: its name; its tables before; the log of the upgrade; and the rows of
        :data:`NAMES` and :data:`STATUSES` before
    """
    former = tmp_path_factory.mktemp("former")
    archive = git("archive", former_commit(request.param), ADDON_NAME)
    subprocess.run(["tar", "-x", "-C", former], input=archive, check=True)
    # From nothing: what this version depends on and the former did not is not there.
    with databases.temporary("template0") as name:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(odoo, "ADDONS_PATH", former)
            odoo.install("Installing a version before", name, [ADDON_NAME])
            odoo.script("Its demo data", name, "load_demo", ADDON_NAME)
        before = {}
        with looking(name) as cursor:
            cursor.execute(SEEDS[request.param])
            for table, column in rows(
                cursor,
                "SELECT table_name, column_name FROM information_schema.columns"
                " WHERE table_name = ANY(%s)",
                [*KEPT, *ADDED.get(request.param, ())],
            ):
                if column not in CACHES:
                    before.setdefault(table, {})[column] = None
            for table, columns in before.items():
                before[table] = columns, contents(cursor, table, columns)
            known = rows(cursor, NAMES), rows(cursor, STATUSES)
        log = odoo.upgrade("Upgrading", name, [ADDON_NAME]).read_text()
        yield name, before, log, *known


@pytest.fixture(scope="module")
def new(postgresql):
    """A cursor on a database that this version made."""
    with (
        databases.temporary(databases.template("demo")) as fresh,
        looking(fresh) as cursor,
    ):
        yield cursor


def from_last_version(request):
    """Whether the upgrade is from the version before this one."""
    return request.node.callspec.params["upgraded"] == [*SEEDS][-1]


@pytest.fixture
def cursor(upgraded):
    """A cursor on the upgraded database."""
    with looking(upgraded[0]) as cursor:
        yield cursor


def test_the_upgrade_logs_no_warning(upgraded):
    assert odoo.problems(upgraded[2]) == []


def test_what_was_recorded_is_still_there_as_it_was(request, upgraded, cursor):
    before = upgraded[1]
    version = request.node.callspec.params["upgraded"]
    assert set(before) == {*KEPT, *ADDED.get(version, ())}
    for table, (columns, former) in before.items():
        assert former, table
        present = contents(cursor, table, columns)
        assert {key: present.get(key) for key in former} == former, table


def test_every_record_keeps_its_name_though_its_addon_may_have_changed(
    request, upgraded, cursor
):
    if not from_last_version(request):
        return
    former = upgraded[3]
    assert len(former) > 500
    assert set(former) - set(rows(cursor, NAMES)) == set()


def test_a_schedule_that_people_changed_stays(request, upgraded, cursor):
    if not from_last_version(request):
        return
    interval = """
        SELECT d.module, c.interval_number FROM ir_cron c JOIN ir_model_data d
            ON d.model = 'ir.cron' AND d.res_id = c.id
         WHERE d.name = 'ir_cron_github_overdue'"""
    assert rows(cursor, interval) == [("ipai_release_gates_github", 7)]


def test_every_gate_stands_where_it_stood(request, upgraded, cursor):
    if not from_last_version(request):
        return
    former = upgraded[4]
    assert {status for _release, _gate, status in former} > {"passed"}
    assert rows(cursor, STATUSES) == former


def test_nothing_is_left_half_installed_and_the_new_addons_are_there(new, cursor):
    query = "SELECT name, state FROM ir_module_module WHERE name LIKE 'ipai%'"
    states = dict(rows(new, query))
    states.pop("ipai_release_gates_all")
    found = dict(rows(cursor, query))
    found.pop("ipai_release_gates_all")
    assert set(states.values()) == {"installed"}
    assert found == states


@pytest.mark.parametrize("part", SCHEMA)
def test_the_schema_is_that_of_a_new_database(part, new, cursor):
    expected = rows(new, SCHEMA[part])
    assert expected
    assert rows(cursor, SCHEMA[part]) == expected


def test_every_gate_has_the_requirements_of_a_new_database(new, cursor):
    query = """
        SELECT g.code, q.code, q.kind, q.active FROM ipai_gate_requirement q
          JOIN ipai_gate g ON g.id = q.gate_id"""
    assert rows(cursor, query) == rows(new, query)


def test_every_persona_has_a_contract_and_an_edited_mission_is_a_draft(
    request, new, cursor
):
    in_force = """
        SELECT p.code, c.version_major, c.version_minor, c.mission
          FROM ipai_persona_contract c JOIN ipai_persona p ON p.id = c.persona_id
         WHERE c.state = 'active'"""
    assert len(rows(new, in_force)) == 4
    assert rows(cursor, in_force) == rows(new, in_force)
    drafts = """
        SELECT p.code, c.mission
          FROM ipai_persona_contract c JOIN ipai_persona p ON p.id = c.persona_id
         WHERE c.state = 'draft'"""
    former = request.node.callspec.params["upgraded"]
    assert rows(cursor, drafts) == DRAFTS[former]
    assert rows(new, drafts) == []


def test_expertise_and_what_conditions_draw_on_are_those_of_a_new_database(new, cursor):
    for query in (
        """
        SELECT p.code, d.code, e.level FROM ipai_persona_expertise e
          JOIN ipai_persona p ON p.id = e.persona_id
          JOIN ipai_expertise_domain d ON d.id = e.domain_id""",
        """
        SELECT q.code, d.code FROM ipai_gate_requirement q
          JOIN ipai_expertise_domain d ON d.id = q.expertise_domain_id""",
    ):
        assert rows(cursor, query) == rows(new, query)


def test_open_releases_were_judged_by_the_rules_of_the_new_version(upgraded, cursor):
    assert rows(cursor, "SELECT FROM ipai_release WHERE is_open")
    unjudged = "SELECT id FROM ipai_release WHERE is_open AND rejudge_at IS NULL"
    assert rows(cursor, unjudged) == []
    broken = """
        SELECT name FROM ipai_release r WHERE ledger_sequence <>
               (SELECT count(*) FROM ipai_ledger_entry WHERE release_id = r.id)"""
    assert rows(cursor, broken) == []


def test_what_may_not_change_is_refused_by_the_upgraded_database(upgraded, cursor):
    for table in ("ipai_approval", "ipai_ledger_entry"):
        for statement in (
            f"UPDATE {table} SET id = id",
            f"DELETE FROM {table}",
            f"TRUNCATE {table} CASCADE",
        ):
            with pytest.raises(psycopg2.errors.InsufficientPrivilege):
                cursor.execute(statement)
