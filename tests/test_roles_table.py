"""The table of roles over XML-RPC: a test per cell, allowed and refused.

What is tried, and by whom it may be done, is in the addon's ``tests/roles/table.py``.
Whoever may do something does it on material of their own; the others, who change
nothing, share a piece of each kind.
"""

import sys
import xmlrpc.client
from pathlib import Path

import pytest
from outside import Rpc

ADDON = Path(__file__).resolve().parents[1] / "ipai_release_gates"
sys.path.append(str(ADDON / "tests"))

from roles import material, table  # noqa: E402

#: Codes of Odoo for what it refuses with a reason; others are faults of the caller.
WARNING, ACCESS_ERROR = 2, 4


def cells(actions):
    """``(action, role)`` of every cell, readable in the name of the test."""
    return [
        pytest.param(action, role, id=f"{action.name}-{role}")
        for action in actions
        for role in table.ROLES
    ]


class Bench:
    """People of every role at XML-RPC, and material for every cell."""

    def __init__(self, site, people, database):
        self.site, self.database, self._rpcs = site, database, {}
        people("nobody")
        people("portal", group_ids=[[6, 0, [_id_of(database, "group_portal")]]])
        actions = [*table.READING, *table.WRITING]
        kinds = sorted({action.kind for action in actions})
        own = [
            (action.name, role)
            for action in table.WRITING
            for role in sorted(action.allowed)
        ]
        kind_of = {action.name: action.kind for action in actions}
        made = material.Maker(self.call).make(
            *kinds, *(kind_of[name] for name, _role in own)
        )
        self._shared = dict(zip(kinds, made, strict=False))
        self._own = dict(zip(own, made[len(kinds) :], strict=True))
        self._shared["everything"]["some"] = {
            model: database.value(f"SELECT min(id) FROM {model.replace('.', '_')}")
            for model in material.LASTING
        }

    def call(self, login, model, method, args, kwargs):
        """Call a method over XML-RPC."""
        if login not in self._rpcs:
            known = login not in ("nobody", "portal")
            password = self.site.api_key(login) if known else login
            self._rpcs[login] = Rpc(self.site, login, password)
        return self._rpcs[login].execute_kw(model, method, args, kwargs)

    def attempt(self, action, role):
        """Perform an action as a role.

        :returns: why it was refused, or ``None``; the answer
        """
        piece = self._own.get((action.name, role)) or self._shared[action.kind]

        def call(*arguments):
            return self.call(table.LOGINS[role], *arguments)

        try:
            answer = action.perform(call, piece)
        except xmlrpc.client.Fault as fault:
            assert fault.faultCode in (WARNING, ACCESS_ERROR), fault
            return fault.faultString, None
        return table.refusal_in(answer), answer


def _id_of(database, name):
    return database.id("ir_model_data", name=name) and database.value(
        "SELECT res_id FROM ir_model_data WHERE module = 'base' AND name = %s", name
    )


@pytest.fixture(scope="module")
def bench(start_site):
    """A server of its own: two hundred releases would be in the way of other tests."""
    import attacks

    site = start_site()
    callers = attacks.Callers(site)
    connection = site.connect()
    yield Bench(site, attacks.People(callers), attacks.Database(connection))
    connection.close()


@pytest.mark.parametrize(("action", "role"), cells(table.READING))
def test_every_role_reads_what_the_table_says_and_nothing_else(bench, action, role):
    refusal, answer = bench.attempt(action, role)
    assert bool(answer) == (role in action.allowed), refusal or answer


@pytest.mark.parametrize(("action", "role"), cells(table.WRITING))
def test_every_role_does_what_the_table_says_and_nothing_else(bench, action, role):
    before = bench.database.state()
    refusal, answer = bench.attempt(action, role)
    after = bench.database.state()
    if role not in action.allowed:
        assert refusal, f"It was answered {answer!r:.200}."
        assert after == before
        return
    assert not refusal
    if action.changes:
        assert after[action.changes] != before[action.changes]
