from contextlib import contextmanager

from odoo import api, models
from odoo.tools import SQL

from ..mixins.policy import word_for

_MODULE = "ipai_release_gates"
_ROLES = (
    "group_developer",
    "group_qa_tester",
    "group_release_manager",
    "group_sre",
    "group_ci_service",
    "group_auditor",
    "group_governance_admin",
)
#: What, written on a group, can put people into another group.
_MEMBERSHIP = frozenset({"user_ids", "implied_ids", "implied_by_ids"})


class ResGroups(models.Model):
    """The governance chain records every change of who holds a role."""

    _inherit = "res.groups"

    @api.model_create_multi
    def create(self, vals_list):
        if not any(_MEMBERSHIP & vals.keys() for vals in vals_list):
            return super().create(vals_list)
        with self._role_changes_told():
            return super().create(vals_list)

    def write(self, vals):
        if not _MEMBERSHIP & vals.keys():
            return super().write(vals)
        with self._role_changes_told():
            return super().write(vals)

    def unlink(self):
        with self._role_changes_told():
            return super().unlink()

    @contextmanager
    def _role_changes_told(self, user_ids=None):
        """Tell the ledger how the roles of people differ after what happens inside.

        :param user_ids: whose roles can change; ``None``: anybody's
        """
        roles = self.sudo()._role_groups()  # sudo: all groups count, readable or not
        words = roles._role_words()
        before = roles._role_members(user_ids)
        yield
        after = roles.exists()._role_members(user_ids)
        self.env["res.users"]._record_roles(before, after, words)

    def _role_words(self):
        """What the ledger calls these groups, by id."""
        return {role.id: word_for(role) for role in self}

    @api.model
    def _role_groups(self):
        """The groups that mean something here: our own, and those of personas."""
        found = [self.env.ref(f"{_MODULE}.{name}", False) for name in _ROLES]
        ids = {group.id for group in found if group}
        personas = self.env["ipai.persona"].with_context(active_test=False)
        ids.update(personas.search_fetch([], ["group_id"]).group_id.ids)
        return self.browse(sorted(ids))

    def _role_members(self, user_ids=None):
        """The active users of these groups, those of groups that imply them included.

        :param user_ids: of these users only
        :returns: set of ``(user id, group id)``
        """
        if not self or (user_ids is not None and not user_ids):
            return set()
        definitions = self._get_group_definitions()
        implying = {id_: {id_, *definitions.get_subset_ids([id_])} for id_ in self.ids}
        self.env["res.users"].flush_model(["active", "group_ids"])
        self.flush_model(["user_ids"])
        rows = self.env.execute_query(
            SQL(
                "SELECT rel.uid, rel.gid FROM res_groups_users_rel rel"
                " JOIN res_users u ON u.id = rel.uid"
                " WHERE u.active AND rel.gid IN %s %s",
                tuple(set().union(*implying.values())),
                SQL("AND rel.uid IN %s", tuple(user_ids)) if user_ids else SQL(),
            )
        )
        return {
            (uid, role)
            for uid, group_id in rows
            for role, groups in implying.items()
            if group_id in groups
        }
