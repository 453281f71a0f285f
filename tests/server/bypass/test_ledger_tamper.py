"""With the database in hand: what is done to the ledger is refused, or found."""

import itertools
from contextlib import closing, contextmanager

import events
import psycopg2
import pytest
from outside import Rpc

from tools import postgres

STATEMENTS = (
    "UPDATE {table} SET {column} = {column}",
    "DELETE FROM {table}",
    "TRUNCATE {table} CASCADE",
)


@pytest.fixture(scope="module")
def tampered_site(start_site):
    return start_site()


@pytest.fixture(scope="module")
def auditor(tampered_site):
    return Rpc(tampered_site, "auditor", tampered_site.api_key("auditor"))


@pytest.fixture(scope="module")
def release(tampered_site):
    """A release with a decision and some facts on it."""
    ci = tampered_site.rpc("ci")
    release = events.open_release(ci, "tampered-with")
    events.ingest(ci, events.build(release))
    qa = tampered_site.rpc("qa")
    payload = {"persona": "qa_tester", "decision": "approved"}
    (answer,) = events.ingest(
        qa, events.envelope(release, "gate_signoff", payload, gate_code="G2")
    )
    assert answer["status"] == "accepted", answer
    return release


@contextmanager
def superuser(site):
    """A cursor of whom no trigger stops, and nothing of it afterwards.

    On the project's own PostgreSQL that is its superuser; elsewhere the owner of the
    tables, who takes the triggers away.
    """
    user = {} if postgres.external() else {"user": "postgres"}
    with closing(psycopg2.connect(dbname=site.database, **user)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            tables = ("ipai_ledger_entry", "ipai_release", "ipai_ledger_head")
            if user:
                cursor.execute("SET session_replication_role = replica")
            else:
                cursor.execute("ALTER TABLE ipai_ledger_entry DISABLE TRIGGER USER")
            for table in tables:
                cursor.execute(f"CREATE TEMP TABLE kept_{table} AS TABLE {table}")
            try:
                yield cursor
            finally:
                # Entries go last and come first: releases are not deleted, but put
                # back as they were.
                cursor.execute("DELETE FROM ipai_ledger_entry")
                cursor.execute(
                    "INSERT INTO ipai_ledger_entry SELECT * FROM kept_ipai_ledger_entry"
                )
                cursor.execute(
                    "UPDATE ipai_release r SET stage_id = k.stage_id,"
                    " ledger_hash = k.ledger_hash, ledger_sequence = k.ledger_sequence"
                    " FROM kept_ipai_release k WHERE k.id = r.id"
                )
                cursor.execute(
                    "UPDATE ipai_ledger_head h SET hash = k.hash,"
                    " sequence = k.sequence FROM kept_ipai_ledger_head k"
                    " WHERE k.id = h.id"
                )
                if not user:
                    cursor.execute("ALTER TABLE ipai_ledger_entry ENABLE TRIGGER USER")


def found(auditor, answer):
    """What a button's answer leads to: the faults, and their sentences."""
    if answer["type"] == "ir.actions.client":
        assert answer["params"]["type"] == "success"
        return [], ""
    (record,) = auditor.execute_kw(
        answer["res_model"], "read", [[answer["res_id"]], ["faults", "fault_text"]]
    )
    faults = [(fault["code"], fault["sequence"]) for fault in record["faults"]]
    return faults, record["fault_text"]


def verify(auditor, release):
    """The faults that the button on the release finds."""
    answer = auditor.execute_kw(
        "ipai.release", "action_verify_ledger", [[release["id"]]]
    )
    return found(auditor, answer)


@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("ipai_ledger_entry", "body"),
        ("ipai_approval", "decision"),
        ("ipai_check", "status"),
    ],
)
def test_the_application_s_role_changes_deletes_and_empties_nothing(
    tampered_site, release, table, column
):
    with closing(tampered_site.connect()) as connection:
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT tableowner FROM pg_tables WHERE tablename='{table}'"
            )
            (owner,) = cursor.fetchone()
            cursor.execute("SELECT current_user")
            assert cursor.fetchone() == (owner,), "it is the application's own role"
            cursor.execute(f"SELECT count(*) FROM {table}")
            assert cursor.fetchone()[0]
        for statement in STATEMENTS:
            connection.rollback()
            refusal = pytest.raises(psycopg2.errors.InsufficientPrivilege)
            with connection.cursor() as cursor, refusal:
                cursor.execute(statement.format(table=table, column=column))


def test_an_untouched_chain_is_sound(auditor, release):
    assert verify(auditor, release) == ([], "")


def test_a_changed_row_is_found_and_named(tampered_site, auditor, release):
    with superuser(tampered_site) as cursor:
        cursor.execute(
            "UPDATE ipai_ledger_entry SET body = replace(body, 'pass', 'fail')"
            " WHERE release_id = %s AND sequence = 2",
            [release["id"]],
        )
        assert cursor.rowcount == 1
        faults, text = verify(auditor, release)
    assert faults == [("changed", 2)]
    assert text == "Row 2 was changed after it was written."
    assert verify(auditor, release) == ([], "")


def test_a_deleted_row_is_found_and_named(tampered_site, auditor, release):
    with superuser(tampered_site) as cursor:
        cursor.execute(
            "DELETE FROM ipai_ledger_entry WHERE release_id = %s AND sequence = 3",
            [release["id"]],
        )
        faults, text = verify(auditor, release)
    assert faults == [("missing", 3)]
    assert text == "Row 3 is missing."


def test_two_swapped_rows_are_found_and_named(tampered_site, auditor, release):
    with superuser(tampered_site) as cursor:
        for old, new in ((2, -1), (3, 2), (-1, 3)):
            cursor.execute(
                "UPDATE ipai_ledger_entry SET sequence = %s"
                " WHERE release_id = %s AND sequence = %s",
                [new, release["id"], old],
            )
            assert cursor.rowcount == 1
        faults, text = verify(auditor, release)
    assert faults == [("moved", 2), ("moved", 3)]
    assert "Row 2 was written as row 3." in text
    assert "Row 3 was written as row 2." in text


def test_a_tail_cut_off_or_written_anew_is_found_through_the_head(
    tampered_site, auditor, release
):
    with superuser(tampered_site) as cursor:
        cursor.execute(
            "DELETE FROM ipai_ledger_entry e USING ipai_release r"
            " WHERE r.id = e.release_id AND r.id = %s"
            " AND e.sequence > r.ledger_sequence - 2",
            [release["id"]],
        )
        assert cursor.rowcount == 2
        faults, text = verify(auditor, release)
        assert [code for code, _sequence in faults] == ["missing"]
        assert text.startswith("Rows ")
        # And the row before it put there as if the chain had ended so.
        cursor.execute(
            "UPDATE ipai_release r SET ledger_sequence = ledger_sequence - 2"
            " WHERE id = %s",
            [release["id"]],
        )
        faults, text = verify(auditor, release)
    assert [code for code, _sequence in faults] == ["head"]
    assert "is not the one that the head names" in text


def test_a_release_moved_by_sql_is_found_although_its_chain_is_sound(
    tampered_site, auditor, release
):
    with superuser(tampered_site) as cursor:
        cursor.execute(
            "UPDATE ipai_release SET stage_id = (SELECT id FROM ipai_release_stage"
            " WHERE code = 'production') WHERE id = %s",
            [release["id"]],
        )
        faults, text = verify(auditor, release)
    assert faults == [("record", False)]
    assert "production" in text


def test_a_governance_row_that_was_changed_is_found(tampered_site, auditor):
    def verify_governance():
        return found(
            auditor,
            auditor.execute_kw("ipai.ledger.entry", "action_verify_governance", [[]]),
        )

    assert verify_governance() == ([], "")
    with superuser(tampered_site) as cursor:
        cursor.execute(
            "UPDATE ipai_ledger_entry SET actor = 'nobody'"
            " WHERE release_id IS NULL AND sequence IN (7, 9)"
        )
        faults, _text = verify_governance()
    assert faults == [("changed", 7), ("changed", 9)]


def test_what_is_private_to_the_ledger_is_out_of_reach(tampered_site):
    admin = Rpc(tampered_site, "admin", tampered_site.api_key("admin"))
    governance = Rpc(tampered_site, "governance", tampered_site.api_key("governance"))
    for person, (model, method) in itertools.product(
        (admin, governance),
        (
            ("ipai.ledger.entry", "_record_governance"),
            ("ipai.ledger.head", "_move"),
            ("ipai.ledger.head", "read"),
            ("ipai.ledger.head", "system_write"),
            ("ipai.ledger.verification", "system_create"),
            ("ipai.ledger.verification", "_verify_every_chain"),
            ("res.groups", "_role_changes_told"),
        ),
    ):
        with pytest.raises(Exception, match=r"rivate|access|not allowed|doesn't have"):
            person.execute_kw(model, method, [[1]])
