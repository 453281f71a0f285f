from odoo import models
from odoo.exceptions import AccessError
from odoo.tools import SQL, email_normalize


class ResPartner(models.Model):
    """E-mail addresses say who is who when duties are kept apart.

    Accounts with one address are one person, and commits name their authors by
    address. So nobody makes themselves another person, or the author of a commit
    nobody is known for; administrators of access rights do that.
    """

    _inherit = "res.partner"

    def write(self, vals):
        if "email" in vals:
            self._refuse_other_identity(vals["email"])
            # sudo: the owner of the address decides
            people = self.sudo().with_context(active_test=False).user_ids
            former = people._addresses()
            result = super().write(vals)
            if people and former != (present := people._addresses()):
                people._identity_changed(former | present)
            return result
        return super().write(vals)

    def _refuse_other_identity(self, email):
        user = self.env.user
        if user._is_superuser() or user.has_group("base.group_erp_manager"):
            return
        address = email_normalize(email or "") or ""
        # sudo: the owner of the address decides
        for person in self.sudo().with_context(active_test=False).user_ids:
            if (person.email_normalized or "") == address:
                continue
            if self.env["ipai.persona"]._held_by(person) or (
                address and self._names_an_author(address)
            ):
                raise AccessError(
                    self.env._(
                        "Duties in the release process are kept apart by e-mail "
                        "address: ask an administrator to change that of %s.",
                        person.name,
                    )
                )

    def _names_an_author(self, address):
        self.env["ipai.revision"].flush_model(["author_emails"])
        return bool(
            self.env.execute_query(
                SQL(
                    "SELECT 1 FROM ipai_revision"
                    " WHERE jsonb_exists(author_emails, %s) LIMIT 1",
                    address,
                )
            )
        )
