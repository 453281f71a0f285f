"""The table of roles through the ORM: a cell per role and action, allowed and refused.

What is tried, and by whom it may be done, is in ``roles/table.py``.
"""

from odoo.exceptions import AccessError, UserError
from odoo.service.model import call_kw
from odoo.tools import SQL, mute_logger

from ..common import GateCase
from ..roles import material, table

#: Refusals leave a trace, which is no effect.
_NO_TRACE = {
    "ipai_ledger_entry": "kind NOT IN ('move_refused', 'signoff_refused')",
    "ipai_ingest_log": "status <> 'rejected'",
}
_MORE_TABLES = ("res_users", "res_users_apikeys")
# Moved by every refusal that is recorded.
_IGNORED = ["fact_version", "ledger_sequence", "ledger_hash", "write_date", "write_uid"]


class TestRolesTable(GateCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.users["nobody"] = cls.new_user("nobody")
        cls.users["portal"] = cls.new_user("portal", "base.group_portal")
        kinds = sorted({each.kind for each in (*table.READING, *table.WRITING)})
        with mute_logger("odoo.addons.ipai_release_gates"):
            made = material.Maker(cls.call).make(*kinds)
        cls.material = dict(zip(kinds, made, strict=True))
        cls.env.flush_all()
        cls.material["everything"]["some"] = {
            model: cls.env[model].search([], limit=1).id for model in material.LASTING
        }

    @classmethod
    def call(cls, login, model, method, args, kwargs):
        """Call a method as a remote interface does."""
        records = cls.env[model].with_user(cls.users[login])
        return call_kw(records, method, list(args), dict(kwargs))

    def attempt(self, action, role):
        """Perform an action as a role.

        :returns: why it was refused, or ``None``; the answer
        """
        login = table.LOGINS[role]

        def call(*arguments):
            return self.call(login, *arguments)

        answer = action.perform(call, self.material[action.kind])
        return table.refusal_in(answer), answer

    def contents(self):
        """A digest of every table of the addon, and of users and keys."""
        self.env.flush_all()
        tables = {
            model._table
            for name, model in self.registry.items()
            if name.startswith("ipai.")
            and model._auto
            and not model._abstract
            and not model._transient
        }
        rows = self.env.execute_query(
            SQL(" UNION ALL ").join(
                SQL(
                    "SELECT %s, md5(string_agg((to_jsonb(t) - %s)::text, '|'"
                    " ORDER BY id)) FROM %s t WHERE %s",
                    name,
                    _IGNORED,
                    SQL.identifier(name),
                    SQL(_NO_TRACE.get(name, "true")),
                )
                for name in sorted({*tables, *_MORE_TABLES})
            )
        )
        return dict(rows)

    def each_cell(self, actions, complaint):
        """Try every action as every role, each undone afterwards.

        :param complaint: gets the action, whether the role may, why it was refused, the
            answer, and the names of the tables that changed; says what is wrong, if
            something is
        """
        before, wrong = self.contents(), []
        for action in actions:
            for role in table.ROLES:
                refusal, answer, after = self.undone_attempt(action, role)
                after = after or before
                changed = {name for name in after if after[name] != before[name]}
                may = role in action.allowed
                if problem := complaint(action, may, refusal, answer, changed):
                    wrong.append(f"{action.name}, as {role}: {problem}")
        self.assertFalse(wrong, "\n".join(["", *wrong]))
        self.assertEqual(self.contents(), before)

    def undone_attempt(self, action, role):
        """As :meth:`attempt`, undone; and the contents of the tables it led to.

        What a call raises undoes what it did, as at a server; the contents are ``None``
        then.
        """
        after = None
        with self.env.cr.savepoint() as savepoint:
            try:
                refusal, answer = self.attempt(action, role)
                after = self.contents()
            except (AccessError, UserError) as error:
                refusal, answer = str(error), None
            savepoint.rollback()
        self.env.invalidate_all()
        # What would be recorded of refusals once the transaction has ended.
        self.env.cr.postrollback.clear()
        self.env.cr.postcommit.clear()
        return refusal, answer, after

    def test_every_role_reads_what_the_table_says_and_nothing_else(self):
        def complaint(_action, may, refusal, answer, changed):
            if bool(answer) != may:
                return refusal or f"read {answer!r:.200}"
            return changed and f"changed {changed}"

        self.each_cell(table.READING, complaint)

    @mute_logger("odoo.addons.ipai_release_gates", "odoo.addons.base.models.ir_rule")
    def test_every_role_does_what_the_table_says_and_nothing_else(self):
        def complaint(action, may, refusal, answer, changed):
            if not may:
                return changed or (not refusal and f"answered {answer!r:.200}")
            if refusal:
                return f"refused: {refusal}"
            # Judging again changes nothing.
            seen = action.changes is None or action.changes in changed
            return not seen and f"changed only {changed}: {answer!r:.200}"

        self.each_cell(table.WRITING, complaint)

    def test_every_model_of_the_addon_is_in_the_table(self):
        models = {
            name
            for name, model in self.registry.items()
            if name.startswith("ipai.") and not model._abstract and not model._transient
        }
        self.assertEqual(models, set(table.READERS))
        lasting = set(material.LASTING) | set(table.CONFIGURATION)
        # What is read off other tables is no record of its own.
        views = {name for name in models if not self.env[name]._auto} | {
            "ipai.ci.account",
            "ipai.ci.key",
        }
        self.assertEqual(lasting, models - views - table.TRIED_ELSEWHERE)
