"""Bodies and signatures, as far as they can be judged without a server."""

import hashlib
import hmac
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ingest import Rejected, signatures, transport
from ingest.signatures import SHOWN, SIGNED

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(values)
def test_json_is_read_as_it_was_written(value):
    if not isinstance(value, float) or abs(value) != float("inf"):
        try:
            body = json.dumps(value, allow_nan=False).encode()
        except ValueError:  # an infinity somewhere inside
            return
        assert transport.read_json(body) == value


@given(st.binary(max_size=200))
def test_whatever_is_sent_is_read_or_refused_in_one_way(body):
    for mimetype in (transport.JSON, transport.NDJSON):
        try:
            events, alone = transport.read_events(body, mimetype)
        except Rejected as error:
            assert error.code in ("not_json", "too_large", "invalid_field")
        else:
            assert isinstance(events, list) and (not alone or len(events) == 1)


@given(st.lists(values, max_size=5))
def test_lines_are_events_in_their_order(events):
    try:
        lines = [json.dumps(event, allow_nan=False).encode() for event in events]
    except ValueError:
        return
    body = b"\r\n\n".join(lines)
    assert transport.read_events(body, transport.NDJSON) == (events, False)


def github(secret, body):
    mac = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return {"X-Hub-Signature-256": f"sha256={mac}"}


def gitlab(secret, _body):
    return {"X-Gitlab-Token": secret}


@pytest.mark.parametrize(("scheme", "show"), [(SIGNED, github), (SHOWN, gitlab)])
def test_each_secret_that_holds_is_good_and_no_other(scheme, show):
    new, former, other = (signatures.new_secret() for _ in range(3))
    kept = [scheme.keep(secret) for secret in (new, former)]
    body = b"{}"
    for secret, secrets, good in (
        (new, kept, True),
        (former, kept, True),
        (former, kept[:1], False),
        (other, kept, False),
        ("", kept, False),
        ("", [], False),
        (signatures._NOBODYS, [], False),
        (new, [], False),
    ):
        headers = show(secret, body)
        assert signatures.is_genuine(scheme, secrets, body, headers) is good
    assert not signatures.is_genuine(scheme, kept, body, {})


def test_a_signature_is_of_one_body():
    secret = signatures.new_secret()
    headers = github(secret, b"{}")
    assert not signatures.is_genuine(SIGNED, [secret], b"{} ", headers)


def test_what_is_kept_of_a_token_of_gitlab_is_not_the_token():
    secret = signatures.new_secret()
    kept = SHOWN.keep(secret)
    assert kept != secret
    headers = gitlab(kept, b"")
    assert not signatures.is_genuine(SHOWN, [kept], b"", headers)
