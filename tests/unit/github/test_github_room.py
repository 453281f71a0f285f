"""What GitHub is sent, as plain values."""

import base64
import dataclasses
import json

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from github import (
    Invalid,
    KeyRefused,
    Tokens,
    app_jwt,
    check_run,
    clip,
    closing_run,
    commit_status,
    fingerprint,
    plain,
    read_key,
    read_request,
    review_comment,
    run_of,
    units,
)
from hypothesis import given
from hypothesis import strategies as st
from policy.verdict import Condition, GateVerdict

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PEM = KEY.private_bytes(
    serialization.Encoding.PEM,
    serialization.PrivateFormat.TraditionalOpenSSL,
    serialization.NoEncryption(),
).decode()
API = "https://api.github.com"
CALLBACK = f"{API}/repos/acme/shop/actions/runs/17/deployment_protection_rule"
anything = st.text(max_size=400)


# --- who asks -------------------------------------------------------------------------


def test_the_token_of_the_app_is_signed_and_lives_for_less_than_ten_minutes():
    token = app_jwt(read_key(PEM), "Iv1.abc", 1_700_000_000)
    head, body, signature = token.split(".")
    padded = [part + "=" * (-len(part) % 4) for part in (head, body, signature)]
    decoded = [base64.urlsafe_b64decode(part) for part in padded]
    assert json.loads(decoded[0]) == {"alg": "RS256", "typ": "JWT"}
    claims = json.loads(decoded[1])
    assert claims["iss"] == "Iv1.abc"
    assert claims["iat"] == 1_700_000_000 - 60
    assert 0 < claims["exp"] - 1_700_000_000 < 600
    KEY.public_key().verify(
        decoded[2], f"{head}.{body}".encode(), padding.PKCS1v15(), hashes.SHA256()
    )


def test_a_key_from_the_environment_may_have_its_lines_in_letters():
    assert fingerprint(read_key(PEM.replace("\n", "\\n"))) == fingerprint(KEY)
    assert fingerprint(KEY).startswith("SHA256:")


@pytest.mark.parametrize("pem", [None, "", "secret", PEM.replace("A", "B"), PEM[:400]])
def test_what_is_no_key_is_refused_and_not_repeated(pem):
    with pytest.raises(KeyRefused) as caught:
        read_key(pem)
    assert len(str(caught.value)) < 100
    assert PEM.splitlines()[3] not in str(caught.value)


def test_a_token_is_kept_until_some_minutes_before_it_ends():
    tokens = Tokens()
    tokens.keep("a", "secret", 3600, 0)
    assert tokens.get("a", 3299) == "secret"
    assert tokens.get("a", 3301) is None
    assert tokens.get("b", 0) is None
    tokens.keep("a", "secret", 10**9, 0)
    assert tokens.get("a", 3301) is None, "GitHub's tokens live for an hour at most"
    tokens.keep("a", "secret", 3600, 0)
    tokens.drop("a")
    assert tokens.get("a", 0) is None
    assert "secret" not in repr(tokens)


# --- what is asked --------------------------------------------------------------------


def request(**changes):
    return {
        "action": "requested",
        "environment": "production",
        "event": "push",
        "sha": "A" * 40,
        "ref": "main",
        "deployment_callback_url": CALLBACK,
        "deployment": {"id": 5, "sha": "b" * 40},
        "repository": {"full_name": "acme/shop"},
        "installation": {"id": 9},
        **changes,
    }


def test_the_commit_is_that_of_the_deployment():
    assert read_request(request()).source_ref == "b" * 40
    without = read_request(request(deployment=None))
    assert (without.source_ref, without.deployment) == ("a" * 40, "")


@given(
    st.dictionaries(
        st.sampled_from(sorted(request())),
        st.none()
        | st.booleans()
        | st.text(max_size=20)
        | st.dictionaries(
            st.sampled_from(["id", "sha", "full_name"]),
            st.none() | st.integers() | st.text(max_size=20),
        ),
        max_size=3,
    )
)
def test_whatever_is_sent_is_read_or_refused_naming_a_field(changes):
    try:
        read = read_request(request(**changes))
    except Invalid as problem:
        assert problem.field
    else:
        assert read.installation.isdigit()
        assert read.environment.isprintable()


def test_the_run_is_read_from_the_address_github_documents():
    assert run_of(CALLBACK, API, "acme/shop") == "17"
    assert run_of(CALLBACK.replace("acme", "Acme"), API, "acme/shop") == "17"
    own = "https://github.example.com/api/v3"
    assert run_of(CALLBACK.replace(API, own), own, "acme/shop") == "17"


@pytest.mark.parametrize(
    "forged",
    [
        CALLBACK.replace("https", "http"),
        CALLBACK.replace("github.com", "github.com.evil.example"),
        CALLBACK.replace("api.github.com", "evil@api.github.com"),
        CALLBACK.replace("api.github.com", "api.github.com:8443"),
        CALLBACK.replace("acme/shop", "acme/other"),
        CALLBACK.replace("acme/shop", "acme/shop/../other"),
        CALLBACK.replace("acme/shop", "acme%2Fshop"),
        CALLBACK.replace("/17/", "/017/"),
        CALLBACK.replace("/17/", "/x/"),
        CALLBACK.replace("/17/", "/１７/"),
        CALLBACK + "/",
        CALLBACK + "?x",
        CALLBACK + "#x",
        CALLBACK + "\n",
        "/api/v3" + CALLBACK,
        "",
    ],
)
def test_another_address_is_no_run(forged):
    with pytest.raises(Invalid):
        run_of(forged, API, "acme/shop")


# --- what is answered -----------------------------------------------------------------


@given(
    anything, st.lists(anything, max_size=30), st.sampled_from(["", "[x](https://x)"])
)
def test_a_comment_is_never_longer_than_github_takes(headline, reasons, footer):
    comment = review_comment(headline, reasons, footer)
    assert units(comment) <= 1024
    assert comment.endswith(footer)
    comment.encode()
    shown = [line for line in comment.splitlines() if line.startswith("- ")]
    left = len(reasons) - len(shown)
    if left:
        told = [line for line in shown if line.startswith("- … and ")]
        assert told == [f"- … and {left + 1} more"]


def test_reasons_keep_their_order_and_the_rest_is_counted():
    reasons = [f"G{number}: reason number {number} " + "x" * 90 for number in range(20)]
    lines = review_comment("Rejected", reasons, "footer").splitlines()
    assert lines[0] == "Rejected"
    assert lines[2].startswith("- G0: reason number 0")
    shown = sum(line.startswith("- G") for line in lines)
    assert lines[2 + shown] == f"- … and {20 - shown} more"
    assert 5 < shown < 20


def test_few_reasons_are_told_whole():
    text = review_comment("Rejected", ["one", "two"], "end")
    assert text == "Rejected\n\n- one\n- two\n\nend"
    assert review_comment("Approved", [], "end") == "Approved\n\nend"


@given(anything, st.integers(1, 300))
def test_a_clipped_text_fits_and_cuts_no_character(text, limit):
    clipped = clip(text, limit)
    assert units(clipped) <= max(limit, 1)
    clipped.encode("utf-16", "surrogatepass")


def test_a_letter_keeps_its_accents_and_a_family_stays_together():
    assert clip("ae\u0301e\u0301", 4) == "ae\u0301…"
    assert clip("ae\u0301e\u0301", 3) == "a…"
    family = "👨\u200d👩\u200d👧"
    assert clip(f"x{family}y", 6) == "x…"


@given(anything)
def test_text_of_others_is_one_line_without_markup(text):
    shown = plain(text)
    assert "\n" not in shown and "\r" not in shown
    for sign in "`*_<>[]|":
        assert shown.count(sign) == shown.count(f"\\{sign}")


@pytest.mark.parametrize(
    "text", ["@acme/admins", "see https://evil.example", "www.evil.example"]
)
def test_nobody_is_mentioned_and_nothing_becomes_a_link(text):
    shown = plain(text)
    assert not any(part in shown for part in ("@acme", "https://", "www.evil"))


# --- gates on commits -----------------------------------------------------------------


def gate(*states, adverse=False):
    return GateVerdict(
        "G1",
        "Build Integrity",
        tuple(
            Condition(
                f"c{number}",
                f"Condition *{number}*",
                "check",
                state,
                "because <b>",
                facts=(("check", 1),) if state == "met" else (),
                adverse=adverse,
            )
            for number, state in enumerate(states)
        ),
    )


def run(verdict):
    return check_run(verdict, "title", "https://x/1", "ipai/1", {"met": "met"})


@pytest.mark.parametrize(
    ("verdict", "status", "conclusion", "state"),
    [
        (gate("unmet"), "queued", "", "pending"),
        (gate("met", "unmet"), "in_progress", "", "pending"),
        (gate("met"), "completed", "success", "success"),
        (gate("unmet", adverse=True), "completed", "failure", "failure"),
        (gate("waived"), "completed", "neutral", "success"),
    ],
)
def test_each_status_of_a_gate_has_one_at_github(verdict, status, conclusion, state):
    shown = run(verdict)
    assert (shown.status, shown.conclusion) == (status, conclusion)
    assert ("conclusion" in shown.body) == (status == "completed")
    assert commit_status(verdict, "title", "https://x/1").status == state


def test_what_is_unmet_is_shown_first_and_as_text():
    summary = run(gate("met", "unmet")).body["output"]["summary"]
    first, second = summary.splitlines()
    assert "Condition \\*1\\*" in first and "because \\<b\\>" in first
    assert "(met)" in second


def test_a_summary_and_a_description_are_never_too_long():
    many = dataclasses.replace(
        gate("unmet"), conditions=gate("unmet").conditions * 5000
    )
    assert units(run(many).body["output"]["summary"]) <= 65535
    assert (
        units(commit_status(many, "x " * 500, "https://x").body["description"]) <= 140
    )


def test_the_same_gate_has_the_same_digest_and_another_has_another():
    assert run(gate("met")).digest == run(gate("met")).digest
    assert run(gate("met")).digest != run(gate("unmet")).digest


def test_what_is_left_behind_is_closed_as_neutral():
    closed = closing_run({"name": "G1"}, "moved on")
    assert (closed.status, closed.conclusion) == ("completed", "neutral")
    assert closed.body["output"]["title"] == "moved on"
