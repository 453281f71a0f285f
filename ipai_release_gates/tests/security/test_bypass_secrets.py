"""Secrets, by every door that reads, searches, sorts, groups, copies or exports."""

import re

from odoo.exceptions import AccessError, UserError

from ..common import ROLES, GateCase

SECRETS = {
    "ipai.webhook.source": ("secret", "former_secret"),
    "ipai.webhook.endpoint": ("secret", "former_secret"),
    "ipai.github.app": ("private_key",),
    "ipai.uat.invitation": ("token_digest",),
}
#: From records that somebody reads, over relations, to where a secret is.
PATHS = {
    "ipai.ingest.log": ("webhook_source_id.secret",),
    "ipai.webhook.delivery": ("endpoint_id.secret",),
    "ipai.webhook.attempt": (
        "endpoint_id.former_secret",
        "delivery_id.endpoint_id.secret",
    ),
    "ipai.github.repository": ("app_id.private_key",),
    "ipai.github.environment": ("repository_id.app_id.private_key",),
    "ipai.uat.criterion": ("invitation_id.token_digest",),
    "ipai.release": ("uat_invitation_ids.token_digest",),
}
_REFUSED = (AccessError, UserError, ValueError, KeyError)


class TestSecrets(GateCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.release = cls.bring_to(cls.open_release("Secrets"), "qa_validation")
        cls.webhook()
        source = cls.webhook_source()
        source.action_new_secret()
        source.action_new_secret()
        cls.connect_github(cls.release)
        cls.env["ipai.uat.invitation"].with_user(cls.qa)._invite(
            cls.release.with_user(cls.qa), cls.customer(), ["It works"], 1, by_hand=True
        )
        cls.env["ipai.github.app"].search([])._write(
            {"private_key": "-----BEGIN SECRET"}
        )
        cls.env.flush_all()
        cls.everyone = [
            *(cls.users[login] for login in ROLES),
            cls.env.ref("base.user_admin"),
            cls.new_user("portal", "base.group_portal"),
            cls.env.ref("base.public_user"),
        ]

    def values(self):
        """All secrets there are."""
        found = set()
        for model, names in SECRETS.items():
            for record in self.env[model].sudo().search([]):
                found |= {record[name] for name in names if record[name]}
        self.assertGreaterEqual(len(found), 5)
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
        for model, names in {**SECRETS, **PATHS}.items():
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
                                # Whoever sees nothing of the model is told nothing.
                                self.assertIn(
                                    told, (None, [], 0, {"value": {}}, records.browse())
                                )

    def test_no_table_but_their_own_holds_a_secret(self):
        secrets = self.values()
        own = {self.env[model]._table for model in SECRETS}
        self.env.cr.execute(
            "SELECT table_name FROM information_schema.tables WHERE table_type ="
            " 'BASE TABLE' AND (table_name LIKE 'ipai%' OR table_name IN ("
            " 'queue_job', 'mail_message', 'mail_tracking_value', 'ir_attachment'))"
        )
        for (table,) in self.env.cr.fetchall():
            if table not in own:
                self.env.cr.execute(f'SELECT t::text FROM "{table}" t')
                rows = str(self.env.cr.fetchall())
                with self.subTest(table):
                    self.assertFalse([s for s in secrets if s in rows])

    def test_jobs_are_for_who_looks_after_the_queue_alone(self):
        job = self.env["queue.job"].sudo().search([], limit=1)
        self.assertTrue(job)
        state = job.state
        for user in self.everyone:
            if user.has_group("queue_job.group_queue_job_manager"):
                continue
            mine = job.with_user(user)
            for attempt in (
                mine.read,
                mine.requeue,
                mine.button_done,
                mine.button_cancelled,
                mine.open_related_action,
                lambda r=mine: r.write({"state": "done"}),
                lambda r=mine: r.search([("args", "!=", False)]),
                lambda r=mine: r.create({"model_name": "ipai.release"}),
            ):
                with self.subTest(user.login), self.assertRaises(AccessError):
                    attempt()
        job.invalidate_recordset()
        self.assertEqual(job.state, state)
