"""Two people approve one exception at the same moment: neither decision is lost."""

import datetime
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from outside import Rpc

ROUNDS = 12
PERSONAS = {"rm": "release_manager", "sre": "sre"}


@pytest.fixture(scope="module")
def busy(start_site):
    """A server with two processes, so that two decisions really run side by side."""
    return start_site(workers=2)


def request(dev, release_id, gate_id, number):
    """An exception of high risk, requested by the developer."""
    until = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=2)
    (exception_id,) = dev.execute_kw(
        "ipai.exception",
        "create",
        [
            [
                {
                    "release_id": release_id,
                    "exception_type": "gate_bypass",
                    "risk_level": "high",
                    "rationale": f"Round {number}.",
                    "risk_statement": "None worth naming.",
                    "compensating_controls": "Two of us watch.",
                    "gate_ids": [[6, 0, [gate_id]]],
                    "expires_at": until.strftime("%Y-%m-%d %H:%M:%S"),
                }
            ]
        ],
    )
    dev.execute_kw("ipai.exception", "action_request", [[exception_id]])
    return exception_id


def test_two_approvals_at_once_bring_the_exception_into_force(busy):
    dev = busy.rpc("dev")
    release = dev.execute_kw(
        "ipai.release", "search", [[("name", "=", "2026.11.1")]], {"limit": 1}
    )
    gate = dev.execute_kw("ipai.gate", "search", [[("code", "=", "G2")]])
    people = {login: Rpc(busy, login) for login in PERSONAS}
    persona_ids = {
        login: dev.execute_kw("ipai.persona", "search", [[("code", "=", code)]])[0]
        for login, code in PERSONAS.items()
    }
    wanted = [request(dev, release[0], gate[0], number) for number in range(ROUNDS)]
    together = Barrier(len(PERSONAS))

    def decide(login):
        for exception_id in wanted:
            together.wait(60)
            people[login].execute_kw(
                "ipai.approval",
                "create",
                [
                    [
                        {
                            "exception_id": exception_id,
                            "persona_id": persona_ids[login],
                            "decision": "approved",
                            "rationale_text": "Looked into it.",
                        }
                    ]
                ],
            )

    with ThreadPoolExecutor(len(PERSONAS)) as pool:
        list(pool.map(decide, PERSONAS))

    rows = dev.execute_kw("ipai.exception", "read", [wanted], {"fields": ["state"]})
    assert [row["state"] for row in rows] == ["active"] * ROUNDS
    auditor = busy.rpc("auditor")
    for kind, count in (("exception_approved", 1), ("approval", 2)):
        for exception_id in wanted:
            entries = auditor.execute_kw(
                "ipai.ledger.entry",
                "search_count",
                [
                    [
                        ("release_id", "in", release),
                        ("kind", "=", kind),
                        ("body", "like", f'"EX-{exception_id}"'),
                    ]
                ],
            )
            assert entries == count
