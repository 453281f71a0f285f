"""The governance chain: roles, and the addresses that identify people."""

from odoo.fields import Command

from ..common import MODULE
from .governance_case import GovernanceCase


class TestRoles(GovernanceCase):
    """Each way to give or take a role adds an entry."""

    def role(self, name):
        return self.env.ref(f"{MODULE}.group_{name}")

    def role_changes(self, happen):
        """``(user, added, removed)`` of each role change, without the module's name."""
        rows = [row for row in self.added(happen) if row["kind"] == "role_changed"]
        return [
            (
                row["body"]["user"],
                [name.rpartition(".")[2] for name in row["body"]["added"]],
                [name.rpartition(".")[2] for name in row["body"]["removed"]],
            )
            for row in rows
        ]

    def test_a_user_created_with_a_role(self):
        row = self.only(lambda: self.new_user("new", "group_sre", "group_auditor"))
        user = self.env["res.users"].search([("login", "=", "new")])
        self.assertEqual(row["subject"], f"res.users,{user.id}")
        self.assertEqual(
            row["body"],
            {
                "user": "new",
                "added": [f"{MODULE}.group_auditor", f"{MODULE}.group_sre"],
                "removed": [],
            },
        )

    def test_roles_written_on_the_user(self):
        sre, qa = self.role("sre"), self.role("qa_tester")
        vals = {"group_ids": [Command.link(sre.id), Command.unlink(qa.id)]}
        self.assertEqual(
            self.role_changes(lambda: self.qa.write(vals)),
            [("qa", ["group_sre"], ["group_qa_tester"])],
        )
        self.assertEqual(self.role_changes(lambda: self.qa.write(vals)), [])

    def test_users_written_on_the_role(self):
        sre = self.role("sre")
        vals = {"user_ids": [Command.link(self.qa.id), Command.unlink(self.sre.id)]}
        self.assertEqual(
            sorted(self.role_changes(lambda: sre.write(vals))),
            [("qa", ["group_sre"], []), ("sre", [], ["group_sre"])],
        )
        self.assertEqual(
            self.role_changes(
                lambda: sre.write({"all_user_ids": [Command.link(self.rm.id)]})
            ),
            [("rm", ["group_sre"], [])],
        )

    def test_a_group_that_comes_to_imply_a_role(self):
        sre = self.role("sre")
        staff = self.env["res.groups"].create({"name": "Staff"})
        person = self.new_user("person")
        self.assertEqual(
            self.role_changes(
                lambda: person.write({"group_ids": [Command.link(staff.id)]})
            ),
            [],
        )
        for door in (
            lambda: staff.write({"implied_ids": [Command.link(sre.id)]}),
            lambda: sre.write({"implied_by_ids": [Command.link(staff.id)]}),
        ):
            self.assertEqual(self.role_changes(door), [("person", ["group_sre"], [])])
            self.assertEqual(
                self.role_changes(lambda: staff.write({"implied_ids": [(5,)]})),
                [("person", [], ["group_sre"])],
            )
        self.assertEqual(
            self.role_changes(
                lambda: self.env["res.groups"].create(
                    {
                        "name": "More",
                        "implied_ids": [(6, 0, sre.ids)],
                        "user_ids": [(6, 0, person.ids)],
                    }
                )
            ),
            [("person", ["group_sre"], [])],
        )
        more = self.env["res.groups"].search([("name", "=", "More")])
        self.assertEqual(
            self.role_changes(more.unlink), [("person", [], ["group_sre"])]
        )

    def test_a_group_that_carries_a_persona_is_a_role(self):
        group = self.env["res.groups"].create({"name": "Observers"})
        self.env["ipai.persona"].create(
            {"code": "observer", "name": "Observer", "group_id": group.id}
        )
        vals = {"group_ids": [Command.link(group.id)]}
        self.assertEqual(
            self.role_changes(lambda: self.qa.write(vals)),
            [("qa", [f"groups,{group.id}"], [])],
        )

    def test_an_archived_or_deleted_user_loses_the_roles(self):
        person = self.new_user("person", "group_sre")
        self.assertEqual(
            self.role_changes(person.action_archive), [("person", [], ["group_sre"])]
        )
        self.assertEqual(
            self.role_changes(person.action_unarchive), [("person", ["group_sre"], [])]
        )
        self.assertEqual(
            self.role_changes(person.unlink), [("person", [], ["group_sre"])]
        )

    def test_other_groups_add_no_entry(self):
        multi = self.env.ref("base.group_multi_currency", False) or self.env[
            "res.groups"
        ].create({"name": "Other"})
        self.assertEqual(
            self.added(
                lambda: self.qa.write(
                    {"group_ids": [Command.link(multi.id)], "name": "Q"}
                )
            ),
            [],
        )


class TestIdentity(GovernanceCase):
    """A change of an address judges the releases of that person at once."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.release = cls.open_release("mine")
        cls.foreign = cls.open_release("theirs", authors=["stranger@example.com"])
        cls.pass_gates(cls.release, "G1", "G2")

    def rejudged(self, happen):
        """Which of the two releases are judged again, as a pair of booleans."""
        before = self.versions(self.release, self.foreign)
        happen()
        after = self.versions(self.release, self.foreign)
        return tuple(a > b for a, b in zip(after, before, strict=True))

    def test_an_author_who_gets_another_address(self):
        self.assertEqual(
            self.rejudged(lambda: self.dev.write({"email": "else@example.com"})),
            (True, False),
        )
        self.assertEqual(
            self.rejudged(lambda: self.dev.partner_id.write({"email": False})),
            (True, False),
        )
        self.assertEqual(
            self.rejudged(lambda: self.dev.write({"login": "other"})), (True, False)
        )

    def test_an_approver_who_becomes_an_author(self):
        self.assertEqual(self.status(self.release, "G2"), "passed")
        self.assertEqual(
            self.rejudged(lambda: self.qa.write({"email": "dev@example.com"})),
            (True, False),
        )
        self.assertNotEqual(self.stored(self.release)["G2"], "passed")

    def test_an_unknown_author_who_becomes_a_user(self):
        self.assertEqual(
            self.rejudged(
                lambda: self.qa2.write({"email": "Stranger <STRANGER@example.com>"})
            ),
            (False, True),
        )
        self.assertEqual(
            self.rejudged(lambda: self.new_user("new", email="stranger@example.com")),
            (False, True),
        )

    def test_people_outside_all_releases_change_without_judging(self):
        self.assertEqual(
            self.rejudged(
                lambda: (
                    self.sre.write({"login": "x", "email": "x@example.com"}),
                    self.env["res.partner"].create({"name": "P", "email": "p@x.com"}),
                )
            ),
            (False, False),
        )
