"""The contract in words is that of the readers: nothing is left out or made up."""

import pytest
from ingest import EVENT_TYPES, answers, describe, fields, may_send
from ingest.kinds import CORE


def test_every_field_of_every_payload_is_described():
    rows = list(describe.payload_rows())
    told = {(event_type, name) for event_type, name, _required, _words in rows}
    assert told == {
        (event_type, name)
        for event_type, kind in CORE.items()
        for name in kind.read.required | kind.read.optional
    }
    assert all(words for *_row, words in rows)


@pytest.mark.parametrize("event_type", EVENT_TYPES)
def test_what_is_told_to_be_required_is(event_type):
    for event, name, required, _words in describe.payload_rows():
        if event != event_type or name == "source_ref":
            continue
        with pytest.raises(fields.Invalid) as caught:
            CORE[event_type].read({})
        missing = {
            at[0] for at, _m, code in caught.value.problems if code[:4] == "miss"
        }
        # One of an address and a file is required, whichever.
        assert required == (name in missing) or (event, name) == ("evidence", "url")


def test_a_reader_is_told_by_what_it_takes():
    assert describe.words_of(fields.one_of("a", "b")) == "one of `a`, `b`"
    assert describe.words_of(fields.line(7)) == "one line of at most 7 characters"
    one = fields.record({"a": fields.code}, {"b": fields.url}, what="this")
    assert describe.words_of(one) == "an object with `a`, `b`?"
    listed = fields.list_of(fields.boolean, most=3)
    assert describe.words_of(listed) == "a list of at most 3: each true or false"
    assert describe.words_of(fields.free_form(list, dict)) == "a list or an object"
    with pytest.raises(KeyError):
        describe.words_of(lambda value: value)


def test_every_answer_of_the_table_is_told_with_its_status():
    rows = list(describe.answer_rows())
    codes = {code: http for status, http, code, _m in rows if status == "rejected"}
    assert codes == answers.HTTP_STATUS
    others = {status: http for status, http, _c, _m in rows if status != "rejected"}
    assert others == {"accepted": 200, "duplicate": 200, "pending": 202, "error": 500}


def test_an_answer_that_nobody_explained_is_an_error(monkeypatch):
    monkeypatch.setitem(answers.HTTP_STATUS, "brand_new", 418)
    with pytest.raises(KeyError, match="brand_new"):
        list(describe.answer_rows())


def test_who_sends_what_is_what_the_authority_says():
    told = dict(describe.sender_rows())
    assert set(told) == set(EVENT_TYPES)
    assert ("sre", False) in told["evidence"]
    assert ("ci_service", True) in told["deployment_event"]
    for event_type, senders in told.items():
        for role, any_gate in senders:
            source = "agent" if role == "ci_service" else "manual"
            gate = "G2" if any_gate else "G4"
            assert may_send(frozenset({role}), event_type, source, gate) is None


def test_the_envelope_is_told_with_what_it_must_have():
    rows = {name: required for name, required, _words in describe.envelope_rows()}
    assert {name for name, required in rows.items() if required} == {
        "schema_version",
        "idempotency_key",
        "event_type",
        "source_system",
        "emitted_at",
        "payload",
    }
    assert {"release_id", "project", "source_ref", "gate_code"} < set(rows)
