from collections import defaultdict
from contextlib import nullcontext

from odoo import api, models
from odoo.tools import SQL

#: What, written on a user, changes the roles the user has.
_ROLES = frozenset({"group_ids", "active"})
#: What, written on a user, changes which author or approver the user is.
_IDENTITY = frozenset({"login", "partner_id"})


class ResUsers(models.Model):
    """Who people are, and what they may decide, bears on releases.

    The governance chain records every role given or taken. Releases are judged again
    when an address changes by which separation of duties knows people.
    """

    _inherit = "res.users"

    @api.model_create_multi
    def create(self, vals_list):
        users = super().create(vals_list)
        # sudo: all role groups count
        roles = self.env["res.groups"].sudo()._role_groups()
        held = roles._role_members(users.ids)
        self._record_roles(set(), held, roles._role_words())
        users._identity_changed(users._addresses())
        return users

    def write(self, vals):
        identity = bool(_IDENTITY & vals.keys())
        former = self._addresses() if identity else set()
        recording = nullcontext()
        if _ROLES & vals.keys():
            recording = self.env["res.groups"]._role_changes_told(self.ids)
        with recording:
            result = super().write(vals)
        if identity:
            self._identity_changed(former | self._addresses())
        return result

    def unlink(self):
        # sudo: all role groups count
        roles = self.env["res.groups"].sudo()._role_groups()
        held = roles._role_members(self.ids)
        drafts = self._role_drafts(held, set(), roles._role_words())
        addresses = self._addresses()
        result = super().unlink()
        # sudo: appending is a system write
        self.env["ipai.ledger.entry"].sudo()._record_governance(drafts)
        self.browse()._identity_changed(addresses)
        return result

    # --- roles -----------------------------------------------------------------------

    @api.model
    def _record_roles(self, before, after, words):
        # sudo: appending is a system write
        entries = self.env["ipai.ledger.entry"].sudo()
        entries._record_governance(self._role_drafts(before, after, words))

    @api.model
    def _role_drafts(self, before, after, words):
        """The governance entries of roles that were given and taken.

        :param before: set of ``(user id, group id)``, see ``res.groups``
        :param after: likewise
        :param words: dict of group id to what the ledger calls the group
        """
        added, removed = defaultdict(list), defaultdict(list)
        for changes, into in ((after - before, added), (before - after, removed)):
            for user_id, group_id in changes:
                into[user_id].append(words[group_id])
        drafts = []
        # sudo: entries name unreadable persons too
        for user in self.sudo().browse(sorted(added.keys() | removed.keys())):
            body = {
                "user": user.login,
                "added": sorted(added[user.id]),
                "removed": sorted(removed[user.id]),
            }
            # Somebody of several companies holds the role in all of them.
            company = user.company_ids if len(user.company_ids) == 1 else None
            drafts.append(("role_changed", user, body, company))
        return drafts

    # --- identity --------------------------------------------------------------------

    def _addresses(self):
        """Every address by which separation of duties may know these users."""
        users = self.sudo()  # sudo: identity is independent of readers
        addresses = set()
        for user in users:
            addresses |= {user.login, user.email, user.email_normalized}
        return {address.strip().lower() for address in addresses if address}

    def _identity_changed(self, addresses):
        """Judge the open releases again that these users or addresses affect.

        :param addresses: those that are, or were, somebody's
        """
        if not (self or addresses):
            return
        self.env.flush_all()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT r.id
                  FROM ipai_release r JOIN ipai_revision v ON v.id = r.revision_id
                 WHERE r.is_open AND (
                       jsonb_exists_any(v.author_emails, %(addresses)s)
                    OR EXISTS (
                       SELECT 1 FROM ipai_revision_res_users_rel a
                        WHERE a.ipai_revision_id = v.id
                          AND a.res_users_id = ANY(%(users)s))
                    OR EXISTS (
                       SELECT 1 FROM ipai_approval a
                        WHERE a.release_id = r.id AND a.revision_id = v.id
                          AND a.approver_id = ANY(%(users)s)))
              ORDER BY r.id
                """,
                addresses=sorted(addresses),
                users=list(self.ids),
            )
        )
        # sudo: every affected release counts
        releases = self.env["ipai.release"].sudo().browse(row[0] for row in rows)
        releases._rejudge_in_batches()
