"""A release in QA, and a customer who may be asked to accept it."""

from odoo.addons.ipai_release_gates.tests.common import GateCase

CRITERIA = ["An order is invoiced once", "The invoice has the right tax"]


class UatCase(GateCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.release = cls.bring_to(cls.open_release("UAT"), "qa_validation")
        cls.partner = cls.customer().sudo(False)
        cls.Invitation = cls.env["ipai.uat.invitation"]

    @classmethod
    def customer(cls):
        """Somebody who may be asked for a UAT, as testers see them."""
        values = {"name": "Customer", "email": "customer@example.com"}
        return cls.env["res.partner"].create(values).with_user(cls.qa)

    @classmethod
    def invite(cls, user=None, **values):
        """An invitation and its link."""
        values = {
            "release": cls.release,
            "partner": cls.partner,
            "criteria": CRITERIA,
            "days": 14,
            "by_hand": True,
            **values,
        }
        user = user or cls.qa
        for name in ("release", "partner"):
            values[name] = values[name].with_user(user)
        return cls.Invitation.with_user(user)._invite(**values)

    def of_link(self, link):
        return self.Invitation._of_token(link.rpartition("/")[2])

    def answers(self, invitation, *results):
        return {
            criterion.id: result if isinstance(result, tuple) else (result, "")
            for criterion, result in zip(invitation.criterion_ids, results, strict=True)
        }
