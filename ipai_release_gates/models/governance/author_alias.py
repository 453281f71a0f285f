from odoo import api, fields, models


class AuthorAlias(models.Model):
    """Maps a commit author's e-mail address to a user.

    People commit under addresses Odoo does not know. Separation of duties needs to know
    who they are: an author who cannot be resolved to a user blocks every sign-off.
    """

    _name = "ipai.author.alias"
    _description = "Commit author"
    _inherit = "ipai.policy.mixin"
    _order = "email"
    _rec_name = "email"

    email = fields.Char(string="Commit e-mail", required=True)
    user_id = fields.Many2one("res.users", required=True, ondelete="restrict")

    _email_unique = models.UniqueIndex(
        "(lower(email))", "This address is mapped to a user already."
    )

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            if vals.get("email"):
                vals["email"] = vals["email"].strip().lower()
        return super().create(vals_list)

    def write(self, vals):
        if vals.get("email"):
            vals = {**vals, "email": vals["email"].strip().lower()}
        return super().write(vals)
