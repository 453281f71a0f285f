"""Answers of the façade: errors, their codes, and how each transport carries them."""

import datetime
import json
import xmlrpc.client

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ingest import Rejected, answers, parse_envelope


def contains_none(value):
    if isinstance(value, dict):
        return any(map(contains_none, value.values()))
    if isinstance(value, list):
        return any(map(contains_none, value))
    return value is None


@pytest.mark.parametrize(
    ("answer", "status", "http_status"),
    [
        (answers.accepted(1, {"release": 7}), "accepted", 200),
        (answers.accepted(1, {"stale": True}), "accepted", 200),
        (answers.duplicate(2, 1, {"release": 7}), "duplicate", 200),
        (answers.pending(1), "pending", 202),
        (answers.rejected(1, "idempotency_conflict", "No."), "rejected", 409),
        (answers.rejected(1, "missing_field", "No."), "rejected", 400),
        (answers.rejected(1, "invalid_field", "No."), "rejected", 400),
        (answers.rejected(1, "identity_in_payload", "No."), "rejected", 400),
        (answers.rejected(1, "sha256_mismatch", "No."), "rejected", 400),
        (answers.rejected(1, "unsupported_schema_version", "No."), "rejected", 422),
        (answers.rejected(1, "unknown_release", "No."), "rejected", 409),
        (answers.rejected(1, "forbidden", "No."), "rejected", 403),
        (answers.rejected(1, "too_large", "No."), "rejected", 413),
        (answers.rejected(1, "rate_limited", "No."), "rejected", 429),
        (answers.error(1), "error", 500),
    ],
)
def test_each_row_of_the_answers_table_has_its_status(answer, status, http_status):
    assert list(answer) == ["ingest_id", "status", "http_status", "detail"]
    assert (answer["status"], answer["http_status"]) == (status, http_status)


def test_a_duplicate_repeats_the_original_detail_and_points_to_it():
    assert answers.duplicate(9, 4, {"release": 7}) == {
        "ingest_id": 9,
        "status": "duplicate",
        "http_status": 200,
        "detail": {"release": 7, "duplicate_of": 4},
    }


def test_a_rejection_says_what_where_and_everything_else():
    answer = answers.rejected(3, "forbidden", "Only sre may.", release=7)
    assert answer["detail"] == {
        "code": "forbidden",
        "message": "Only sre may.",
        "release": 7,
    }


def test_a_rejection_carries_every_fault_of_the_envelope():
    with pytest.raises(Rejected) as caught:
        parse_envelope({"schema_version": "v1.0"})
    answer = answers.rejected_by(3, caught.value)
    assert answer["http_status"] == 400
    assert answer["detail"]["field"] == "idempotency_key"
    assert answer["detail"]["errors"] == caught.value.errors


def test_a_code_that_the_table_does_not_know_is_a_mistake_of_ours():
    with pytest.raises(KeyError):
        answers.rejected(1, "whatever", "No.")


def test_an_error_tells_nothing_of_our_inside():
    assert answers.error(1)["detail"] == {
        "code": "internal_error",
        "message": "The event could not be processed; it is kept and will be looked"
        " at.",
    }


def test_a_missing_log_row_is_no_none():
    assert answers.pending(None)["ingest_id"] is False


def test_odd_values_become_what_every_transport_can_carry():
    detail = {
        "none": None,
        "list": [1, None, (2, {None})],
        "big": 2**40,
        "nan": float("nan"),
        "at": datetime.datetime(2026, 1, 31, 9, 30),
        "text": "a\x00\x0b\ud800é",
        7: {"x": {"y": None}},
    }
    assert answers.accepted(1, detail)["detail"] == {
        "list": [1, [2, []]],
        "big": str(2**40),
        "nan": "nan",
        "at": "2026-01-31T09:30:00",
        "text": "a\ufffd\ufffd?é",
        "7": {"x": {}},
    }


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(), max_size=10)
    | st.datetimes()
    | st.binary(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(), max_size=4) | st.none(), inner)
    ),
    max_leaves=12,
)


@given(values)
def test_no_detail_breaks_xml_rpc_or_json(value):
    answer = answers.accepted(1, {"value": value})
    assert not contains_none(answer)
    json.dumps(answer, allow_nan=False)
    sent = xmlrpc.client.dumps((answer,), allow_none=False)
    # Lines end as XML says; all else arrives as it was answered.
    (received,), _method = xmlrpc.client.loads(sent)
    assert repr(received) == repr(answer) or "\\r" in repr(answer)
