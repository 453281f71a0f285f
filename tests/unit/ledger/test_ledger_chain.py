"""The hash chain of the ledger: each entry seals the one before."""

import dataclasses
import datetime
import functools
import hashlib

import ledger
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ledger import (
    CORE,
    GENESIS,
    KINDS,
    Draft,
    entry_canonical,
    entry_hash,
    timestamp,
    verify,
)

extend = functools.partial(ledger.extend, kinds=CORE)

AT = "2026-01-31T09:30:00.000000Z"


def draft(**changes):
    fields = {
        "chain": "release-1",
        "kind": "check",
        "actor": "user:ci",
        "occurred_at": AT,
        "subject": "ipai.check,7",
        "body": {"name": "lint", "status": "pass"},
    }
    return Draft(**{**fields, **changes})


def test_an_entry_is_hashed_with_the_hash_before_it():
    (entry,) = extend(0, GENESIS, [draft()])
    # Written out by hand: this is the format that other verifiers must agree with.
    canonical = (
        '{"actor":"user:ci","body":{"name":"lint","status":"pass"},'
        '"chain":"release-1","kind":"check",'
        '"occurred_at":"2026-01-31T09:30:00.000000Z",'
        '"sequence":1,"subject":"ipai.check,7"}'
    )
    zeros = "v1:" + "0" * 64
    assert GENESIS == entry.previous_hash == zeros
    digest = hashlib.sha256((zeros + canonical).encode()).hexdigest()
    assert entry.hash == f"v1:{digest}"


def test_a_known_entry_keeps_its_hash_for_ever():
    (entry,) = extend(0, GENESIS, [draft()])
    assert entry.hash == (
        "v1:11aba889e7003e969ed857243fb3a764aa86e02fb97d2433a5ddcf11ca3c43c4"
    )


def test_drafts_are_chained_in_their_order():
    entries = extend(0, GENESIS, [draft(subject=f"ipai.check,{n}") for n in range(3)])
    assert [entry.sequence for entry in entries] == [1, 2, 3]
    assert entries[1].previous_hash == entries[0].hash
    assert entries[2].previous_hash == entries[1].hash
    assert entries[2].subject == "ipai.check,2"


def test_nothing_to_add_adds_nothing():
    assert extend(0, GENESIS, []) == []


@given(st.integers(0, 6), st.integers(0, 6))
def test_adding_in_two_steps_is_adding_in_one(first, second):
    drafts = [draft(subject=str(n)) for n in range(first + second)]
    whole = extend(0, GENESIS, drafts)
    start = extend(0, GENESIS, drafts[:first])
    head = (start[-1].sequence, start[-1].hash) if start else (0, GENESIS)
    assert start + extend(*head, drafts[first:]) == whole
    assert verify(whole) == []


@pytest.mark.parametrize("name", [f.name for f in dataclasses.fields(Draft)])
def test_the_hash_covers_every_field(name):
    changed = {"name": "other"} if name == "body" else "2027" + AT[4:]
    if name == "kind":
        changed = "evidence"
    (one,) = extend(0, GENESIS, [draft()])
    (other,) = extend(0, GENESIS, [draft(**{name: changed})])
    assert one.hash != other.hash


def test_the_hash_covers_place_and_past():
    fields = {**vars(draft()), "sequence": 1}
    canonical = entry_canonical(**fields)
    other = entry_hash(GENESIS, canonical)
    assert entry_canonical(**{**fields, "sequence": 2}) != canonical
    assert entry_hash(other, canonical) != other


@pytest.mark.parametrize(
    "head", [(0, "v1:" + "1" * 64), (1, GENESIS), (-1, "v1:" + "1" * 64), (0, "")]
)
def test_a_head_that_no_chain_has_is_refused(head):
    with pytest.raises(ValueError, match="head"):
        extend(*head, [draft()])


@pytest.mark.parametrize(
    "previous", ["", "0" * 64, "v2:" + "0" * 64, None, GENESIS[:-1]]
)
def test_a_previous_hash_of_another_form_is_refused(previous):
    with pytest.raises(ValueError, match="not a v1 hash"):
        entry_hash(previous, "{}")


def test_drafts_of_two_chains_are_refused():
    with pytest.raises(ValueError, match="more than one chain"):
        extend(0, GENESIS, [draft(), draft(chain="release-2")])


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"kind": "whim"}, ValueError),
        ({"occurred_at": "2026-01-31T09:30:00Z"}, ValueError),
        ({"occurred_at": "2026-01-31T09:30:00.000000+00:00"}, ValueError),
        ({"occurred_at": datetime.datetime(2026, 1, 31)}, TypeError),
        ({"actor": None}, TypeError),
        ({"actor": "\x00"}, ValueError),
        ({"subject": 7}, TypeError),
        ({"body": "{}"}, TypeError),
        ({"body": {"ratio": 0.5}}, TypeError),
        ({"body": {"x": "\ud800"}}, ValueError),
    ],
)
def test_a_draft_that_could_not_be_verified_later_is_refused(changes, error):
    with pytest.raises(error):
        extend(0, GENESIS, [draft(**changes)])


def test_the_kinds_are_those_of_the_design():
    assert len(KINDS) == len(CORE) == 27
    for code in CORE:
        assert extend(0, GENESIS, [draft(kind=code)])[0].kind == code


def test_a_kind_of_a_satellite_is_appended_where_it_is_registered():
    with pytest.raises(ValueError, match="unknown kind"):
        extend(0, GENESIS, [draft(kind="toy")])
    (entry,) = ledger.extend(0, GENESIS, [draft(kind="toy")], {*CORE, "toy"})
    # Without its satellite the entry is verified like every other.
    assert entry.kind == "toy" and verify([entry], (1, entry.hash)) == []


def test_time_is_written_in_utc_to_the_microsecond():
    naive = datetime.datetime(2026, 1, 31, 9, 30)
    zone = datetime.timezone(datetime.timedelta(hours=1))
    aware = datetime.datetime(2026, 1, 31, 10, 30, 0, 5, tzinfo=zone)
    assert timestamp(naive) == AT
    assert timestamp(aware) == "2026-01-31T09:30:00.000005Z"
