"""A case that reads the control room as its page does."""

import json

from ..common import GateCase


class ControlRoomCase(GateCase):
    def room(self, user=None, **filters):
        """The data of the page for a user, as JSON returns it."""
        self.env.flush_all()
        self.env.invalidate_all()
        room = self.env["ipai.control.room"].with_user(user or self.rm)
        return json.loads(json.dumps(room.data(filters)))

    def delivery(self, user=None, **filters):
        panels = self.room(user, **filters)["delivery"]["figures"]
        return {figure["key"]: figure for figure in panels}

    def opened(self, figure, user=None):
        """The records that a figure opens."""
        self.env.flush_all()
        model = self.env[figure["open"]["model"]].with_user(user or self.rm)
        return model.search(figure["open"]["domain"])

    def figures_in(self, value):
        """Every figure in the data of the page."""
        if isinstance(value, dict):
            if "open" in value:
                yield value
            for each in value.values():
                yield from self.figures_in(each)
        elif isinstance(value, list):
            for each in value:
                yield from self.figures_in(each)

    def needs(self, user, **filters):
        """The work that waits for a user: lines by key."""
        lines = self.room(user, **filters)["needs_me"]
        return {line["key"]: line for line in lines}

    def incident(self, deployment, **values):
        return (
            self.env["ipai.incident"]
            .with_user(self.sre)
            .create(
                {
                    "release_id": deployment.release_id.id,
                    "deployment_id": deployment.id,
                    "name": "Down",
                    **values,
                }
            )
            .sudo()
        )

    def approved(self, name=None):
        """A release that may be deployed to production."""
        return self.bring_to(self.open_release(name), "production")
