from odoo import models

EVENT = "deployment_protection_rule"


class WebhookSource(models.Model):
    """GitHub's webhook also asks whether a deployment may go on."""

    _inherit = "ipai.webhook.source"

    def _answer_request(self, event, delivery, payload):
        if self.provider != "github" or event != EVENT:
            return super()._answer_request(event, delivery, payload)
        answer = self.env["ipai.github.protection"]._requested(self, delivery, payload)
        outcome = {"status": "accepted", "message": answer.get("message")}
        if answer["status"] == "rejected":
            outcome |= {"status": "rejected", "code": "invalid_field"}
        return outcome
