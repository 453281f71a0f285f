"""A case that reads the analytics views."""

from ..common import GateCase

VIEWS = (
    "ipai.report.gate.summary",
    "ipai.report.promotion.eligibility",
    "ipai.report.evidence.completeness",
    "ipai.report.exception.status",
    "ipai.report.deployment.history",
)


class AnalyticsCase(GateCase):
    def rows(self, name, *releases, **values):
        """The rows of a view, of some releases and with some values."""
        domain = [(field, "=", value) for field, value in values.items()]
        if releases:
            ids = [release.id for release in releases]
            domain.append(("release_id", "in", ids))
        self.env.invalidate_all()
        return self.env[f"ipai.report.{name}"].search(domain)
