"""Free-form values, the size of an envelope, and what no junk may do."""

import datetime
import json
import xmlrpc.client

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from ingest import (
    EVENT_TYPES,
    Rejected,
    answers,
    fields,
    parse_envelope,
)
from ingest_envelopes import SHA, envelope, faulty, refusal

# -- free-form values and bounds ----------------------------------------------


def nested(depth):
    value = {}
    for _level in range(depth - 1):
        value = {"a": value}
    return value


@pytest.mark.parametrize(
    "metadata",
    [
        {"a": [1, 2.5, True, None, "é", {"b": []}]},
        {"n": 2**63 - 1, "m": -(2**63)},
        nested(20),
    ],
)
def test_metadata_of_plain_json_values_is_taken_as_it_is(metadata):
    parsed = parse_envelope(envelope(payload={"metadata": metadata}))
    assert parsed.payload["metadata"] == metadata


@pytest.mark.parametrize(
    ("metadata", "field"),
    [
        ({"a": float("nan")}, "payload.metadata.a"),
        ({"a": [float("-inf")]}, "payload.metadata.a[0]"),
        ({"a": 2**63}, "payload.metadata.a"),
        ({"a": -(2**63) - 1}, "payload.metadata.a"),
        ({"a": 10**5000}, "payload.metadata.a"),
        ({"a": "x\x00"}, "payload.metadata.a"),
        ({"a\x00": 1}, "payload.metadata"),
        ({"a": "\ud800"}, "payload.metadata.a"),
        ({"\udfff": 1}, "payload.metadata"),
        ({1: 1}, "payload.metadata"),
        ({"a": b"x"}, "payload.metadata.a"),
        ({"a": xmlrpc.client.Binary(b"x")}, "payload.metadata.a"),
        ({"a": xmlrpc.client.DateTime(0)}, "payload.metadata.a"),
        ({"a": datetime.date(2026, 1, 1)}, "payload.metadata.a"),
        ({"a": {1, 2}}, "payload.metadata.a"),
        (nested(21), "payload.metadata" + ".a" * 20),
        (nested(5000), "payload.metadata" + ".a" * 20),
        ({"a": "x" * 65_536}, "payload.metadata"),
        ({"a": "é" * 40_000}, "payload.metadata"),
        ({"a": [0] * 70_000}, "payload.metadata"),
        ([], "payload.metadata"),
        (False, "payload.metadata"),
        ("{}", "payload.metadata"),
    ],
)
def test_metadata_that_cannot_be_stored_is_refused_by_path(metadata, field):
    raw = envelope(payload={"metadata": metadata})
    assert faulty(raw) == [field]


def test_metadata_passes_up_to_its_size_and_not_a_byte_beyond():
    room = fields.MAX_METADATA_BYTES - len('{"a":""}')
    assert parse_envelope(envelope(payload={"metadata": {"a": "x" * room}}))
    raw = envelope(payload={"metadata": {"a": "x" * (room + 1)}})
    assert faulty(raw) == ["payload.metadata"]


def test_a_huge_list_in_metadata_is_not_walked_to_its_end():
    class Counted(list):
        steps = 0

        def __iter__(self):
            for item in super().__iter__():
                self.steps += 1
                yield item

    items = Counted([0] * 500_000)
    with pytest.raises(fields.Invalid, match="at most"):
        fields.metadata({"a": items})
    assert items.steps <= fields.MAX_METADATA_BYTES


def test_a_structured_rationale_is_an_object_or_a_list():
    for rationale in ({"criteria": 3}, ["a"]):
        raw = envelope("gate_signoff", payload={"rationale_structured": rationale})
        assert parse_envelope(raw).payload["rationale_structured"] == rationale
    raw = envelope("gate_signoff", payload={"rationale_structured": "fine"})
    error = refusal(raw)
    assert error.field == "payload.rationale_structured"
    assert "an object or a list" in error.message


def test_too_much_text_is_refused_before_anything_else_is_looked_at():
    error = refusal({"schema_version": "v9", "x": "y" * 1000}, max_bytes=500)
    assert (error.code, error.http_status, error.field) == ("too_large", 413, "event")


@pytest.mark.parametrize(
    "raw", ["x" * 501, b"x" * 501, ["é" * 251], [0] * 501, {"k" * 501: 0}, nested(600)]
)
def test_size_counts_every_kind_of_value(raw):
    assert refusal(raw, max_bytes=500).code == "too_large"


def test_an_envelope_that_contains_itself_ends_as_too_large():
    raw = envelope()
    raw["payload"]["metadata"] = raw
    assert refusal(raw, max_bytes=10_000).code == "too_large"


# -- properties ---------------------------------------------------------------

scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(), max_size=20)
    | st.binary(max_size=5)
    | st.sampled_from([SHA, "pass", "v1.0", "\ud800", "a\x00", 2**70])
)
junk = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(max_size=8) | st.integers(), inner, max_size=4)
    ),
    max_leaves=12,
)


@st.composite
def damaged(draw):
    """An envelope of some type with some of its values replaced, moved or dropped."""
    raw = envelope(draw(st.sampled_from(EVENT_TYPES)))
    for _change in range(draw(st.integers(0, 3))):
        holder = raw
        while True:
            key = draw(st.sampled_from(list(holder)) | st.text(max_size=5))
            inner = holder.get(key)
            if not (isinstance(inner, dict) and inner and draw(st.booleans())):
                break
            holder = inner
        if draw(st.booleans()):
            holder.pop(key, None)
        else:
            holder[key] = draw(junk)
        if not holder:
            break
    return raw


def assert_answerable(raw):
    try:
        parsed = parse_envelope(raw)
    except Rejected as error:
        assert answers.HTTP_STATUS[error.code] == error.http_status
        assert error.field == error.errors[0]["field"]
        assert error.message == error.errors[0]["message"]
        for fault in error.errors:
            assert fault["field"]
            for words in fault.values():
                words.encode()
                assert "\x00" not in words
        xmlrpc.client.dumps((answers.rejected_by(1, error),))
        return None
    return parsed


@given(junk)
@example({1: 2, b"x": 3, None: 4, "": 5, ("a",): 6})
@example({"event_type": [], "source_system": {}, "payload": {"source_ref": []}})
def test_arbitrary_junk_is_refused_and_never_crashes(raw):
    assert assert_answerable(raw) is None


@given(damaged())
def test_a_damaged_envelope_is_taken_or_refused_and_never_crashes(raw):
    parsed = assert_answerable(raw)
    if parsed:
        json.dumps(parsed.payload, default=str, allow_nan=False).encode()
        # What happens to a project or an environment speaks of no revision.
        of_none = parsed.event_type in ("incident", "environment_event")
        assert parsed.source_ref or of_none


@given(st.text(st.characters(), max_size=60))
def test_no_url_with_credentials_or_another_scheme_gets_through(text):
    try:
        url = fields.url("https://" + text)
    except fields.Invalid:
        return
    assert "@" not in url.split("/")[2].split("?")[0].split("#")[0]
    assert url.isprintable()
