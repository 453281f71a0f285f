"""A case with a release that is approved for production."""

from ..common import GateCase


class DeploymentCase(GateCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.release = cls.open_release("deployed")
        cls.pass_gates(cls.release, "G1", "G2", "G3")

    def by_hand(self, release=None, environment="production", **vals):
        """An SRE records a deployment."""
        release = release or self.release
        return (
            self.env["ipai.deployment"]
            .with_user(self.sre)
            .create(
                {
                    "release_id": release.id,
                    "environment_id": self.environments[environment].id,
                    "external_id": f"by hand {release.name} {len(vals)}",
                    **vals,
                }
            )
        )

    def ci_deployment(self, release, status="succeeded", user=None, **more):
        """The answer to an event of a production deployment, sent by CI by default."""
        payload = {
            "environment": "production",
            "status": status,
            "external_id": "reported",
            **more,
        }
        event = (self.event if user else self.ci_event)(
            "deployment_event", payload, release
        )
        return self.send(user or self.ci, event)[0]

    def events(self, *types):
        events = self.env["ipai.environment.event"].search(
            [("environment_id", "=", self.environments["production"].id)], order="id"
        )
        return events.filtered(lambda event: not types or event.event_type in types)
