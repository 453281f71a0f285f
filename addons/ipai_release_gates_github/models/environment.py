from odoo import api, fields, models

from odoo.addons.ipai_release_gates.models.selections import ENVIRONMENT_CATEGORIES


class GithubEnvironment(models.Model):
    """What an environment at GitHub is here: the promotion target it is judged for."""

    _name = "ipai.github.environment"
    _description = "Environment at GitHub"
    _inherit = "ipai.policy.mixin"
    _order = "repository_id, name"

    repository_id = fields.Many2one(
        "ipai.github.repository", required=True, ondelete="cascade", index=True
    )
    name = fields.Char(
        string="Environment at GitHub", required=True, help="As GitHub spells it."
    )
    target = fields.Selection(
        ENVIRONMENT_CATEGORIES,
        string="Judged for",
        required=True,
        help="Which gates a deployment there needs: those of a promotion to this.",
    )
    company_id = fields.Many2one(related="repository_id.company_id")

    _policy_deciding = frozenset()

    # GitHub does not tell environments apart by the case of their letters.
    _name_unique = models.UniqueIndex(
        "(repository_id, lower(name))", "This environment is mapped already."
    )

    @api.model_create_multi
    def create(self, vals_list):
        environments = super().create(
            [
                {**vals, "name": (vals.get("name") or "").strip() or False}
                for vals in vals_list
            ]
        )
        environments.repository_id._changed()
        return environments

    def write(self, vals):
        result = super().write(vals)
        self.repository_id._changed()
        return result

    def unlink(self):
        repositories = self.repository_id
        result = super().unlink()
        repositories._changed()
        return result

    def _policy_name(self):
        return f"{self.repository_id.name} {self.name}"
