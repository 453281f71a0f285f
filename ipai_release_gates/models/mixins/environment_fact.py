from odoo import models


class EnvironmentFactMixin(models.AbstractModel):
    """A fact about an environment, which counts for every open release of its project.

    It is append-only. The governance chain records it once for any number of
    releases (decision 0034); the open releases of the project are judged again.
    """

    _name = "ipai.environment.fact.mixin"
    _inherit = ["ipai.guarded.mixin", "ipai.append.only.mixin"]
    _description = "Fact about an environment"

    def _record_in_governance(self):
        """Append these facts to the governance chain and judge the releases again."""
        # sudo: nobody writes the ledger directly
        entries = self.env["ipai.ledger.entry"].sudo()
        entries._record_governance([fact._governance_draft() for fact in self])
        self.environment_id._affected_releases()._rejudge_in_batches()

    def _governance_draft(self):
        """The governance entry of this fact.

        :returns: ``(kind, subject, body, company)``, see ``ipai.ledger.entry``
        """
        raise NotImplementedError
