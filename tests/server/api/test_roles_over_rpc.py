"""The table of roles over XML-RPC: a test per cell, allowed and refused.

What is tried, and by whom it may be done, is in the addon's ``tests/roles/table.py``.
A role that may do something does it on material of its own; the others, who change
nothing, share a piece of each kind.
"""

import sys
import xmlrpc.client
from pathlib import Path

import attacks
import pytest
from outside import Rpc

ADDON = Path(__file__).resolve().parents[3] / "ipai_release_gates"
sys.path.append(str(ADDON / "tests"))

from roles import material, table

#: Codes of Odoo for what it refuses with a reason; others are faults of the caller.
WARNING, ACCESS_ERROR = 2, 4


def cells(actions, *, allowed):
    """``(action, role)`` of the cells that are allowed, or of those that are not."""
    return [
        pytest.param(action, role, id=f"{action.name}-{role}")
        for action in actions
        for role in table.ROLES
        if (role in action.allowed) == allowed
    ]


class Bench:
    """People of every role at XML-RPC, and material for every cell."""

    def __init__(self, site, people, database):
        self.site, self.database, self._rpcs = site, database, {}
        people("nobody")
        (portal,) = database.rows(
            "SELECT res_id FROM ir_model_data"
            " WHERE module = 'base' AND name = 'group_portal'"
        )
        people("portal", group_ids=[[6, 0, portal]])
        actions = [*table.READING, *table.WRITING]
        kinds = sorted({action.kind for action in actions})
        own = [
            (action.name, role)
            for action in table.WRITING
            for role in sorted(action.allowed)
            # Each of these is about a record of its own already.
            if action.kind != "config"
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
        self.before = database.state()

    def call(self, login, model, method, args, kwargs):
        """Call a method over XML-RPC."""
        if login not in self._rpcs:
            known = login not in ("nobody", "portal")
            password = self.site.api_key(login) if known else login
            self._rpcs[login] = Rpc(self.site, login, password)
        return self._rpcs[login].execute_kw(model, method, args, kwargs)

    def contents(self, name):
        """A digest of one table."""
        return name and self.database.rows(
            "SELECT count(*), md5(string_agg((to_jsonb(t) - 'fact_version')::text, '|'"
            f" ORDER BY id)) FROM {name} t"
        )

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


@pytest.fixture(scope="module")
def bench(start_site):
    """A server of its own: two hundred releases would be in the way of other tests."""
    site = start_site()
    callers = attacks.Callers(site)
    connection = site.connect()
    yield Bench(site, attacks.People(callers), attacks.Database(connection))
    connection.close()


@pytest.mark.parametrize(("action", "role"), cells(table.READING, allowed=True))
def test_a_role_reads_what_the_table_says(bench, action, role):
    refusal, answer = bench.attempt(action, role)
    assert answer, refusal


@pytest.mark.parametrize(("action", "role"), cells(table.READING, allowed=False))
def test_a_role_reads_nothing_else(bench, action, role):
    _refusal, answer = bench.attempt(action, role)
    assert not answer


@pytest.mark.parametrize(("action", "role"), cells(table.WRITING, allowed=False))
def test_a_role_does_nothing_else(bench, action, role):
    refusal, answer = bench.attempt(action, role)
    assert refusal, f"It was answered {answer!r:.200}."


# Before anything is allowed: one look at every table for all that was refused.
def test_what_was_refused_changed_nothing(bench):
    after = bench.database.state()
    assert [name for name in after if after[name] != bench.before[name]] == []


@pytest.mark.parametrize(("action", "role"), cells(table.WRITING, allowed=True))
def test_a_role_does_what_the_table_says(bench, action, role):
    before = bench.contents(action.changes)
    refusal, answer = bench.attempt(action, role)
    assert not refusal
    if action.changes:
        assert bench.contents(action.changes) != before, answer
