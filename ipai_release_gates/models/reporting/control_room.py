from odoo import api, models
from odoo.fields import Domain

from ...pages import ASIDE, END, MAIN, ROW, Asked, Panel
from .control_room_scope import read_scope
from .kpis import KPIS


class ControlRoom(models.AbstractModel):
    """One page that says what needs me now and how delivery goes.

    Everything is asked for as the user, with the user's rights and rules, in a number
    of queries that does not grow with the releases. Each figure comes with the records
    it counts: ``open`` is a model and a domain that finds exactly those.
    """

    _name = "ipai.control.room"
    _description = "Control room"

    @api.readonly
    @api.model
    def data(self, filters=None):
        """Everything the page shows.

        :param dict filters: see :func:`.control_room_scope.read_scope`
        :returns: dict of JSON values by panel; a panel whose records the user may not
            read is ``None``
        :raises AccessError: for users who may not read releases
        :raises ValidationError: naming the filter that cannot be read
        """
        scope, choices = self._scope(filters)
        # Several panels need these: they are read once.
        asked = Asked(
            scope,
            self.env["ipai.persona"]._held_by(self.env.user),
            self.env["ipai.release.stage"].search([]),
            self._targets(),
        )
        panels = sorted(self._panels(), key=lambda panel: panel.order)
        return {
            "filters": scope.told(),
            "choices": choices,
            "days": scope.days,
            "panels": [
                {"key": each.key, "component": each.component, "place": each.place}
                for each in panels
            ],
            **{panel.key: getattr(self, panel.data)(asked) for panel in panels},
        }

    @api.model
    def _panels(self):
        """The panels of this database's control room.

        Hook: a satellite adds its own, ``return super()._panels() + (MINE,)``, and its
        component to the JavaScript registry ``ipai_control_room``.

        :returns: tuple of :class:`pages.Panel`
        """
        return (
            Panel("needs_me", "needs", "_needs_me", ASIDE, 10),
            Panel("stages", "stages", "_stages", ASIDE, 20),
            Panel("delivery", "delivery", "_delivery", MAIN, 10),
            Panel("gates", "gates", "_gates", MAIN, 20),
            Panel("exceptions", "exceptions", "_exceptions", ROW, 10),
            Panel("environments", "environments", "_environments", ROW, 20),
            Panel("deployments", "deployments", "_last_deployments", ROW, 30),
            Panel("kpis", "kpis", "_kpis", END, 10),
        )

    @api.model
    def kpi_action(self, kpi, filters=None):
        """The action that opens the records a persona KPI counts.

        :param str kpi: one of ``kpis.KPIS``
        :param dict filters: as of :meth:`data`
        """
        scope, _choices = self._scope(filters)
        rows = self.env["ipai.report.persona.kpi"].search_fetch(
            self._kpi_domain(scope) & Domain("kpi", "=", kpi), ["record_ids"]
        )
        ids = sorted({each for row in rows for each in row.record_ids})
        return {
            "type": "ir.actions.act_window",
            "name": dict(rows._fields["kpi"]._description_selection(self.env)).get(kpi),
            "res_model": KPIS[kpi].model if kpi in KPIS else "ipai.release",
            "views": [[False, "list"], [False, "form"]],
            "domain": [("id", "in", ids)],
            "context": {"active_test": False},
        }

    # --- shared ----------------------------------------------------------------------

    @api.model
    def _scope(self, filters):
        """What is asked for, and what could be.

        :returns: the scope, and a dict of the projects and people to choose from
        """
        self.env["ipai.release"].check_access("read")
        projects = self.env["ipai.project"].search_fetch([], ["name", "member_ids"])
        scope = read_scope(self.env, filters, projects)
        people = projects.member_ids.sorted("name")
        return scope, {
            "projects": [{"id": each.id, "name": each.name} for each in projects],
            "members": [{"id": each.id, "name": each.name} for each in people],
        }

    @api.model
    def _readable(self, model):
        return self.env[model].has_access("read")

    @api.model
    def _open(self, model, domain, views=("list", "form")):
        """What the page opens: the records of a domain, in the given kinds of views."""
        return {"model": model, "domain": _plain(domain), "views": list(views)}

    @api.model
    def _figure(self, model, domain, count, views=("list", "form"), **more):
        """A number with the records it counts."""
        return {"count": count, "open": self._open(model, domain, views), **more}


def _plain(domain):
    """A domain as JSON has it: instants as text, collections as lists."""
    return [_plain_term(term) for term in Domain(domain)]


def _plain_term(term):
    if isinstance(term, str):
        return term
    field, operator, value = term
    if isinstance(value, Domain):
        value = _plain(value)
    elif hasattr(value, "isoformat"):
        value = str(value)
    elif not isinstance(value, str | bool | int | float):
        value = sorted(value, key=str)
    return [field, operator, value]
