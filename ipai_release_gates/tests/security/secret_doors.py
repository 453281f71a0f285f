"""Secrets tried by every way to read, search, sort, group, copy or export them.

For the tests of each addon that keeps secrets.
"""

import re

from odoo.exceptions import AccessError, UserError
from odoo.tools import SQL

from ..common import ROLES

_REFUSED = (AccessError, UserError, ValueError, KeyError)


class SecretDoors:
    """Tests over the secrets that a case has made.

    :cvar SECRETS: model → its secret fields
    :cvar PATHS: model → paths from records that somebody reads to a secret
    :cvar AT_LEAST: how many secrets the case has made
    """

    SECRETS: dict = {}
    PATHS: dict = {}
    AT_LEAST = 1

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.everyone = [
            *(cls.users[login] for login in ROLES),
            cls.env.ref("base.user_admin"),
            cls.new_user("portal", "base.group_portal"),
            cls.env.ref("base.public_user"),
        ]

    def values(self):
        """All secrets there are."""
        found = set()
        for model, names in self.SECRETS.items():
            for record in self.env[model].sudo().search([]):
                found |= {record[name] for name in names if record[name]}
        self.assertGreaterEqual(len(found), self.AT_LEAST)
        return found

    def doors(self, model, name):
        """Ways to learn of a field without writing it."""
        like = [(name, "=like", "%")]
        found = [
            lambda r: r.search(like),
            lambda r: r.search_count([(name, "!=", False)]),
            lambda r: r.search([(name, "not in", ["a"])]),
            lambda r: r.name_search("", like),
            lambda r: r.web_search_read(like, {"id": {}}),
            lambda r: r.search([], order=f"{name} desc"),
            lambda r: r.formatted_read_group([], [name], ["__count"]),
            lambda r: r.formatted_read_group([], [], [f"{name}:max"]),
            lambda r: r.formatted_read_group(
                [], ["id"], ["__count"], having=[(f"{name}:max", ">", "a")]
            ),
            lambda r: r.search([]).filtered_domain(like).ids and None,
            lambda r: r.search([]).export_data([name.replace(".", "/")]),
        ]
        if "." not in name:
            found += [
                lambda r: r.search([]).read([name]),
                lambda r: r.search([]).web_read({name: {}}),
                lambda r: r.search_read([], [name]),
                lambda r: r.search([])[:1].onchange({}, [], {name: {}}),
            ]
        return found

    def test_no_door_tells_of_a_secret(self):
        secrets = self.values()
        pattern = re.compile("|".join(map(re.escape, secrets)))
        for model, names in {**self.SECRETS, **self.PATHS}.items():
            for user in self.everyone:
                records = self.env[model].with_user(user)
                for name in names:
                    for number, door in enumerate(self.doors(model, name)):
                        with self.subTest(f"{model} {name} {user.login} {number}"):
                            try:
                                with self.cr.savepoint():
                                    told = door(records)
                            except _REFUSED as refusal:
                                self.assertNotRegex(str(refusal), pattern)
                            else:
                                # Users without access to the model get nothing.
                                self.assertIn(
                                    told, (None, [], 0, {"value": {}}, records.browse())
                                )

    def test_no_table_but_their_own_holds_a_secret(self):
        secrets = self.values()
        own = {self.env[model]._table for model in self.SECRETS}
        self.env.cr.execute(
            "SELECT table_name FROM information_schema.tables WHERE table_type ="
            " 'BASE TABLE' AND (table_name LIKE 'ipai%' OR table_name IN ("
            " 'queue_job', 'mail_message', 'mail_tracking_value', 'ir_attachment'))"
        )
        for (table,) in self.env.cr.fetchall():
            if table not in own:
                name = SQL.identifier(table)
                self.env.cr.execute(SQL("SELECT t::text FROM %s t", name))
                rows = str(self.env.cr.fetchall())
                with self.subTest(table):
                    self.assertFalse([s for s in secrets if s in rows])
