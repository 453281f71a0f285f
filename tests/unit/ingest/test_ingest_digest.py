"""Digests of events: the same content gives the same digest."""

import datetime
import json
import threading
import xmlrpc.client

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from ingest import payload_digest, raw_text
from ingest.digest import _walk

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False)
    | st.text(st.characters(), max_size=10),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(), max_size=5), inner, max_size=4)
    ),
    max_leaves=15,
)
objects = st.dictionaries(st.text(max_size=5), json_values, max_size=6)


class Hostile:
    def __repr__(self):
        raise RuntimeError("no")


def reordered(value):
    if isinstance(value, dict):
        return {key: reordered(value[key]) for key in reversed(list(value))}
    if isinstance(value, list):
        return [reordered(item) for item in value]
    return value


def deep(levels, inner="end"):
    value = inner
    for _level in range(levels):
        value = {"a": [value]}
    return value


@given(json_values)
def test_the_digest_does_not_depend_on_the_order_of_keys(value):
    assert payload_digest(value) == payload_digest(reordered(value))


@given(json_values, json_values)
def test_two_values_have_one_digest_only_if_they_are_the_same_json(one, other):
    def as_json(value):
        return json.dumps(value, sort_keys=True)

    same_digest = payload_digest([one]) == payload_digest([other])
    assert same_digest == (as_json(one) == as_json(other))


def test_the_digest_is_the_sha256_of_canonical_json():
    # printf '{"a":"é","b":[1,true]}' | sha256sum
    assert payload_digest({"b": [1, True], "a": "é"}) == (
        "4cfe375505341a795919ae919b0f726bc2f6d3a426822a940384413dc1c22bc1"
    )


def test_a_retry_that_was_rebuilt_later_has_the_same_digest():
    first = {"a": 1, "emitted_at": "2026-01-31T09:30:00Z"}
    assert payload_digest(first) == payload_digest({**first, "emitted_at": "later"})
    assert payload_digest(first) == payload_digest({"a": 1})


def test_a_time_of_sending_inside_the_payload_belongs_to_it():
    one, other = ({"payload": {"emitted_at": at}} for at in "ab")
    assert payload_digest(one) != payload_digest(other)


def test_the_digest_leaves_the_submission_as_it_was():
    raw = {"emitted_at": 1}
    payload_digest(raw)
    assert raw == {"emitted_at": 1}


@given(objects, st.text(max_size=5), json_values)
def test_every_other_key_counts(raw, key, value):
    if key == "emitted_at" or key in raw:
        return
    assert payload_digest(raw) != payload_digest({**raw, key: value})


@given(json_values)
def test_the_fallback_writes_the_very_same_json(value):
    for sort_keys in (True, False):
        assert "".join(_walk(value, sort_keys)) == json.dumps(
            value, ensure_ascii=False, separators=(",", ":"), sort_keys=sort_keys
        )


def cyclic():
    value = [1]
    value.append({"again": value})
    return value


JUNK = [
    None,
    b"\x00\xff",
    bytearray(b"x"),
    object(),
    Hostile(),
    {1: "int", "1": "text"},
    {None: 1, ("a",): 2, b"k": 3, 10**5000: 4},
    {"n": 10**5000},
    {"nan": float("nan"), "inf": float("-inf")},
    {"bin": xmlrpc.client.Binary(b"x"), "at": xmlrpc.client.DateTime(0)},
    {"at": datetime.datetime(2026, 1, 31), "on": datetime.date(2026, 1, 31)},
    {"a\x00": "\x00", "\ud800": "\udfff"},
    {1, 2},
    cyclic(),
    deep(20_000),
]


@pytest.mark.parametrize("raw", JUNK, ids=lambda raw: type(raw).__name__)
def test_anything_has_a_digest_and_a_storable_text(raw):
    assert len(payload_digest(raw)) == 64
    text = raw_text(raw, 1000)
    assert "\x00" not in text
    text.encode()
    assert len(text) <= 1000


def test_the_same_shared_list_twice_is_no_cycle():
    shared = [1]
    raw = {"a": shared, "b": shared, "c": object}
    assert "cycle" not in raw_text(raw, 1000)


def test_objects_that_differ_only_by_address_have_one_digest():
    assert payload_digest([object()]) == payload_digest([object()])
    one, other = xmlrpc.client.Binary(b"x"), xmlrpc.client.Binary(b"x")
    assert payload_digest([one]) == payload_digest([other])
    assert payload_digest([one]) != payload_digest([xmlrpc.client.Binary(b"y")])


def test_very_deep_submissions_are_told_apart():
    assert payload_digest(deep(20_000)) != payload_digest(deep(20_000, "other"))


def test_the_digest_does_not_depend_on_how_deep_the_caller_is():
    raw, found = deep(400), []

    def call(levels):
        if levels:
            call(levels - 1)
        else:
            found.append(payload_digest(raw))

    threading.stack_size(64 * 1024 * 1024)
    for levels in (0, 850):
        thread = threading.Thread(target=call, args=(levels,))
        thread.start()
        thread.join()
    threading.stack_size(0)
    assert len(found) == 2
    assert len(set(found)) == 1


@given(json_values)
@example("\x00\ud800\\ud800")
def test_the_text_loads_back_to_what_was_sent(value):
    text = raw_text(value, 10**6)
    assert json.loads(text) == value
    assert "\x00" not in text
    text.encode()


def test_the_text_keeps_the_order_of_keys_and_foreign_letters():
    assert raw_text({"b": "é", "a": 1}, 100) == '{"b":"é","a":1}'


@given(st.text(st.characters(), max_size=80), st.integers(0, 60))
def test_the_text_is_never_longer_than_asked(value, limit):
    assert len(raw_text(value, limit)) <= limit


def test_a_cut_text_says_how_long_it_was():
    text = raw_text("x" * 998, 100)
    assert len(text) == 100
    assert text.endswith("… [cut, 1000 characters]")
