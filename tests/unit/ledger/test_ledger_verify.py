"""Verification of a ledger: each kind of damage is found and named."""

import copy
import functools
import random
import sys

import ledger
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ledger import (
    CORE,
    GENESIS,
    Draft,
    Fault,
    entry_canonical,
    entry_hash,
    verify,
)

CODES = tuple(CORE)
extend = functools.partial(ledger.extend, kinds=CORE)

AT = "2026-01-31T09:30:00.000000Z"


def chain(length, name="release-1", start=(0, GENESIS)):
    drafts = [
        Draft(name, CODES[n % len(CODES)], "user:ci", AT, f"s,{n}", {"n": n, "m": {}})
        for n in range(start[0], start[0] + length)
    ]
    return [vars(entry) | {} for entry in extend(*start, drafts)]


def head_of(rows):
    return (rows[-1]["sequence"], rows[-1]["hash"]) if rows else (0, GENESIS)


def codes(faults):
    return [(fault.code, fault.sequence) for fault in faults]


ROWS = chain(8)
HEAD = head_of(ROWS)


@pytest.fixture
def rows():
    return copy.deepcopy(ROWS)


# -- sound chains -------------------------------------------------------------


@given(st.integers(0, 12), st.randoms())
def test_a_sound_chain_has_no_fault_in_any_order(length, shuffler):
    rows = chain(length)
    head = head_of(rows)
    shuffler.shuffle(rows)
    assert verify(rows) == []
    assert verify(rows, head) == []


def test_entries_and_mappings_are_both_rows():
    drafts = [Draft("c", "check", "a", AT, "s", {})]
    assert verify(extend(0, GENESIS, drafts)) == []


def test_further_columns_of_a_row_do_not_disturb(rows):
    assert verify([{**row, "id": n} for n, row in enumerate(rows)], HEAD) == []


# -- each kind of damage, by name ---------------------------------------------


@pytest.mark.parametrize("field", ["kind", "actor", "occurred_at", "subject", "hash"])
def test_a_changed_row_is_named(rows, field):
    rows[3][field] = "v1:" + "a" * 64
    assert codes(verify(rows, HEAD)) == [("changed", 4)]


def test_a_changed_body_is_named_however_deep_and_small(rows):
    rows[0]["body"]["n"] = False
    rows[6]["body"]["m"]["x"] = None
    assert codes(verify(rows, HEAD)) == [("changed", 1), ("changed", 7)]


def test_a_body_that_could_never_have_been_written_is_a_changed_row(rows):
    rows[3]["body"] = {"n": 3.0}
    assert codes(verify(rows, HEAD)) == [("changed", 4)]


def test_a_changed_link_is_named(rows):
    rows[3]["previous_hash"] = rows[1]["hash"]
    assert codes(verify(rows, HEAD)) == [("changed", 4)]


def test_a_changed_chain_name_is_named_twice_over(rows):
    rows[3]["chain"] = "release-2"
    assert codes(verify(rows, HEAD)) == [("changed", 4), ("foreign", 4)]


def test_deleted_rows_are_named_as_a_gap(rows):
    faults = verify(rows[:2] + rows[4:6] + rows[7:], HEAD)
    assert codes(faults) == [("missing", 3), ("missing", 7)]
    assert faults[0].message == "Rows 3 to 4 are missing."
    assert faults[1].message == "Row 7 is missing."


def test_a_deleted_beginning_is_named(rows):
    assert codes(verify(rows[1:], HEAD)) == [("missing", 1)]


def test_a_cut_tail_is_named_by_who_knows_the_head(rows):
    assert verify(rows[:-2]) == []
    assert verify(rows[:-2], HEAD) == [Fault("missing", 7, "Rows 7 to 8 are missing.")]
    assert codes(verify([], HEAD)) == [("missing", 1)]


def test_rows_beyond_the_head_are_named(rows):
    faults = verify(rows, (6, rows[5]["hash"]))
    assert codes(faults) == [("head", 8)]
    assert faults[0].message == "The head is at row 6, but there are rows up to 8."
    assert codes(verify(rows, (0, GENESIS))) == [("head", 8)]


def test_a_head_with_another_hash_is_named(rows):
    assert codes(verify(rows, (8, GENESIS))) == [("head", 8)]


def test_swapped_rows_are_named_with_their_true_places(rows):
    rows[2]["sequence"], rows[5]["sequence"] = 6, 3
    faults = verify(rows, HEAD)
    assert codes(faults) == [("moved", 3), ("moved", 6)]
    assert faults[0].message == "Row 3 was written as row 6."
    assert faults[1].message == "Row 6 was written as row 3."


def test_a_row_moved_away_leaves_a_gap_that_it_came_from(rows):
    rows[2]["sequence"] = 100
    faults = verify(rows)
    assert codes(faults) == [("missing", 3), ("missing", 9), ("moved", 100)]
    assert faults[2].message == "Row 100 was written as row 3."


def test_several_rows_moved_together_are_traced_into_the_gap(rows):
    rows[2]["sequence"], rows[3]["sequence"] = 101, 102
    moved = [fault.message for fault in verify(rows) if fault.code == "moved"]
    assert moved == ["Row 101 was written as row 3.", "Row 102 was written as row 4."]


def test_a_copied_row_is_a_duplicate(rows):
    assert codes(verify([*rows, rows[4]], HEAD)) == [("duplicate", 5)]


@pytest.mark.parametrize("first", [True, False])
def test_a_forged_second_row_does_not_hide_the_true_one(rows, first):
    forged = {**copy.deepcopy(rows[4]), "actor": "user:x"}
    rows.insert(0 if first else len(rows), forged)
    assert codes(verify(rows, HEAD)) == [("duplicate", 5)]


def test_a_row_rewritten_with_its_hash_breaks_the_link_after_it(rows):
    other = chain(1, start=(3, rows[2]["hash"]))[0]
    (entry,) = extend(
        3, rows[2]["hash"], [Draft("release-1", "check", "x", AT, "s", {})]
    )
    assert other["hash"] == rows[3]["hash"]
    rows[3] = vars(entry)
    assert codes(verify(rows, HEAD)) == [("broken_link", 5)]


def test_a_chain_rewritten_to_its_end_is_told_by_the_head(rows):
    drafts = [Draft("release-1", "check", "x", AT, "s", {}) for _n in range(4)]
    rewritten = rows[:4] + [vars(entry) for entry in extend(4, rows[3]["hash"], drafts)]
    assert verify(rewritten) == []
    assert codes(verify(rewritten, HEAD)) == [("head", 8)]


def test_a_first_row_that_follows_something_is_named():
    content = {name: ROWS[0][name] for name in list(ROWS[0])[:7]}
    digest = entry_hash(ROWS[4]["hash"], entry_canonical(**content))
    first = {**ROWS[0], "previous_hash": ROWS[4]["hash"], "hash": digest}
    (fault,) = verify([first])
    assert (fault.code, fault.sequence) == ("broken_link", 1)
    assert "does not begin a chain" in fault.message


def test_a_row_of_another_chain_is_named(rows):
    rows[4] = chain(8, "release-2")[4]
    assert ("foreign", 5) in codes(verify(rows, HEAD))


@pytest.mark.parametrize(
    ("changes", "sequence"),
    [
        ({"body": "{}"}, 4),
        ({"actor": None}, 4),
        ({"hash": 7}, 4),
        ({"sequence": None}, None),
        ({"sequence": "4"}, None),
        ({"sequence": True}, None),
        ({"sequence": 0}, 0),
        ({"sequence": -4}, -4),
    ],
)
def test_an_unreadable_row_is_named(rows, changes, sequence):
    rows[3].update(changes)
    assert ("malformed", sequence) in codes(verify(rows, HEAD))


def test_an_unreadable_row_is_not_also_called_missing(rows):
    rows[3]["body"] = None
    assert codes(verify(rows, HEAD)) == [("malformed", 4)]
    rows[3] = "junk"
    assert codes(verify(rows, HEAD)) == [("malformed", None), ("missing", 4)]


def test_a_sequence_far_away_costs_nothing(rows):
    rows[3]["sequence"] = 10**30
    assert ("moved", 10**30) in codes(verify(rows))


def test_a_thousand_altered_rows_are_still_named_without_a_million_hashes(monkeypatch):
    hashed = []

    def counting(previous, canonical):
        hashed.append(previous)
        return entry_hash(previous, canonical)

    rows = chain(1000)
    for row in rows:
        row["actor"] = "user:x"
    monkeypatch.setattr(sys.modules[verify.__module__], "entry_hash", counting)
    assert codes(verify(rows)) == [("changed", n) for n in range(1, 1001)]
    assert len(hashed) < 60_000


# -- properties ---------------------------------------------------------------

MUTANTS = {
    "chain": st.text(max_size=3),
    "sequence": st.integers() | st.booleans() | st.none(),
    "kind": st.sampled_from(CODES) | st.none(),
    "actor": st.text(max_size=3) | st.integers(),
    "occurred_at": st.just("2026-01-31T09:30:00.000001Z") | st.none(),
    "subject": st.text(max_size=3),
    "body": st.dictionaries(st.sampled_from("nm"), st.integers() | st.floats()),
    "previous_hash": st.sampled_from([GENESIS, *(row["hash"] for row in ROWS), ""]),
    "hash": st.sampled_from([GENESIS, *(row["hash"] for row in ROWS), "", None]),
}


@given(st.integers(0, 7), st.sampled_from(sorted(MUTANTS)), st.data())
def test_any_single_change_of_any_field_is_found(position, field, data):
    rows = copy.deepcopy(ROWS)
    rows[position][field] = data.draw(MUTANTS[field])
    unchanged = repr(rows) == repr(ROWS)
    faults = verify(rows, HEAD)
    assert (faults == []) == unchanged
    if not unchanged and field not in ("sequence",):
        assert position + 1 in [fault.sequence for fault in faults]


@given(st.sets(st.integers(0, 7), min_size=1))
def test_any_deletion_is_found_and_every_lost_row_named(lost):
    rows = [row for n, row in enumerate(ROWS) if n not in lost]
    faults = verify(rows, HEAD)
    assert {fault.code for fault in faults} == {"missing"}
    begins = {n + 1 for n in lost if n - 1 not in lost}
    assert {fault.sequence for fault in faults} == begins


@given(
    st.tuples(st.integers(0, 7), st.integers(0, 7)).filter(lambda p: p[0] != p[1]),
    st.sampled_from(["sequence", "body", "subject", "hash", "previous_hash"]),
)
def test_any_swap_is_found_and_both_rows_named(pair, field):
    rows = copy.deepcopy(ROWS)
    one, other = (rows[n] for n in pair)
    one[field], other[field] = other[field], one[field]
    assert {fault.sequence for fault in verify(rows, HEAD)} == {n + 1 for n in pair}


@given(st.integers(0, 2**32))
def test_random_damage_of_several_kinds_never_crashes(seed):
    rng, rows = random.Random(seed), copy.deepcopy(ROWS)
    for _step in range(rng.randint(1, 5)):
        row = rng.choice(rows)
        action = rng.randrange(4)
        if action == 0:
            row[rng.choice(list(row))] = rng.choice([None, 3, "x", {}, GENESIS, 2.5])
        elif action == 1:
            rows.append(dict(row))
        elif action == 2 and len(rows) > 1:
            rows.remove(row)
        else:
            rng.shuffle(rows)
    for fault in verify(rows, HEAD):
        assert fault.message.endswith(".")
