"""Every list a menu of an addon leads to: filters, groupings, what it opens on.

What an action shows is read as the web client does: the search view it names, as the
user gets it, with the filters its context switches on. Each addon inherits the tests.
"""

from lxml import etree

from odoo.fields import Domain
from odoo.tools.safe_eval import safe_eval

from ..common import MODULE, ROLES


class Lists:
    """What the lists of an addon show, for a test case to inherit.

    :cvar addon: its technical name
    :cvar whole: lists that open with all they have → why nothing may be left out
    :cvar at_least: how many lists its menus lead to
    """

    addon = MODULE
    whole: dict = {}
    at_least = 1

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        ours = {"module": cls.addon, "model": "ir.ui.menu"}
        menus = cls.env["ir.ui.menu"].browse(
            cls.env["ir.model.data"]
            .search([(name, "=", value) for name, value in ours.items()])
            .mapped("res_id")
        )
        actions = {menu.action: menu for menu in menus if menu.action}
        cls.menus = {
            action.get_external_id()[action.id].removeprefix(f"{cls.addon}."): menu
            for action, menu in actions.items()
            if action._name == "ir.actions.act_window"
            and {"list", "kanban"} & set(action.view_mode.split(","))
        }

    def actions(self):
        """Each action of a list, by its name."""
        for name in sorted(self.menus):
            yield name, self.env.ref(f"{self.addon}.{name}")

    def search_arch(self, action, user):
        """The search view of an action as a user gets it."""
        view = (action.search_view_id.id, "search")
        model = self.env[action.res_model].with_user(user)
        return etree.fromstring(model.get_views([view])["views"]["search"]["arch"])

    def filters(self, action, user):
        """The filters of a list: name → domain; those on dates have none."""
        return {
            node.get("name"): safe_eval(node.get("domain"), {"uid": user.id})
            for node in self.search_arch(action, user).iter("filter")
            if node.get("domain")
        }

    def groupings(self, action, user):
        """The groupings of a list: name → field; dates are grouped by month."""
        found = {
            node.get("name"): safe_eval(node.get("context"), {"uid": user.id})
            for node in self.search_arch(action, user).iter("filter")
            if node.get("context")
        }
        fields = self.env[action.res_model]._fields
        grouped = {}
        for name, context in found.items():
            if by := context.get("group_by"):
                is_date = by in fields and fields[by].type in ("date", "datetime")
                grouped[name] = f"{by}:month" if is_date else by
        return grouped

    def defaults(self, action):
        """The names of the default filters and groupings of a list."""
        context = safe_eval(action.context or "{}", {"uid": self.env.uid})
        prefix = "search_default_"
        return {
            name.removeprefix(prefix)
            for name, value in context.items()
            if name.startswith(prefix) and value
        }

    def shown(self, name, user):
        """The records that a list opens with: those that all its defaults match."""
        action = self.env.ref(f"{self.addon}.{name}")
        filters = self.filters(action, user)
        domains = [filters[each] for each in self.defaults(action) if each in filters]
        # As in a request of its own.
        self.env.flush_all()
        self.env.invalidate_all()
        model = self.env[action.res_model].with_user(user)
        return model.search(
            Domain.AND([safe_eval(action.domain or "[]"), *domains])
        ).sudo()


class ListTests(Lists):
    """Tests of every list that a menu of the addon leads to."""

    def test_the_table_names_existing_lists(self):
        self.assertGreaterEqual(len(self.menus), self.at_least)
        self.assertLessEqual(set(self.whole), set(self.menus))

    def test_every_list_has_a_search_view_with_filters_and_groupings(self):
        for name, action in self.actions():
            with self.subTest(action=name):
                view = action.search_view_id
                self.assertEqual(view.model, action.res_model)
                self.assertTrue(
                    view.get_external_id()[view.id].startswith(f"{self.addon}.")
                )
                self.assertTrue(self.filters(action, self.governance))
                self.assertTrue(self.groupings(action, self.governance))

    def test_every_list_has_a_default_filter_or_a_reason_for_none(self):
        for name, action in self.actions():
            with self.subTest(action=name):
                there = set(self.filters(action, self.governance))
                there |= set(self.groupings(action, self.governance))
                defaults = self.defaults(action)
                self.assertLessEqual(defaults, there)
                self.assertEqual(bool(defaults), name not in self.whole)

    def test_every_empty_list_says_what_to_do(self):
        for name, action in self.actions():
            with self.subTest(action=name):
                text = etree.fromstring(f"<div>{action.help or ''}</div>")
                self.assertTrue(text.xpath("p[contains(@class, 'o_view_nocontent')]"))
                self.assertGreater(len(text.findall("p")), 1)

    def test_every_filter_and_grouping_runs_for_every_user_of_the_menu(self):
        for login in ROLES:
            user = self.users[login]
            visible = self.env["ir.ui.menu"].with_user(user)._visible_menu_ids()
            for name, action in self.actions():
                if self.menus[name].id not in visible:
                    continue
                model = self.env[action.res_model].with_user(user)
                for each, domain in self.filters(action, user).items():
                    with self.subTest(action=name, role=login, filter=each):
                        model.search(domain, limit=1)
                for each, field in self.groupings(action, user).items():
                    with self.subTest(action=name, role=login, grouping=each):
                        model.formatted_read_group([], [field], ["__count"])
