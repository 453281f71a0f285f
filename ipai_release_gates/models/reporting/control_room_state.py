from datetime import timedelta
from statistics import median

from odoo import api, models
from odoo.fields import Domain

#: Of the life that is left, in hours: from the first up to the second.
LIFE_LEFT = ((0, 24), (24, 72), (72, 168), (168, None))
#: How many rows the lists on the page have.
ROWS = 6


class ControlRoom(models.AbstractModel):
    """How releases, gates, exceptions, environments and deployments stand."""

    _inherit = "ipai.control.room"

    # --- releases --------------------------------------------------------------------

    @api.model
    def _stages(self, asked):
        """Open releases by stage, in the order of the board."""
        scope, stages = asked.scope, asked.stages
        model = "ipai.release"
        here = scope.of_projects() & Domain("is_open", "=", True)
        releases, views = self.env[model], ("kanban", "list", "form")
        counts = dict(releases._read_group(here, ["stage_id"], ["__count"]))
        stuck = Domain("is_rotting", "=", True)
        rotting = dict(releases._read_group(here & stuck, ["stage_id"], ["__count"]))
        columns = []
        for stage in stages.filtered(lambda stage: not stage.is_closing):
            of_stage = here & Domain("stage_id", "=", stage.id)
            columns.append(
                self._figure(
                    model,
                    of_stage,
                    counts.get(stage, 0),
                    views,
                    id=stage.id,
                    name=stage.name,
                    stuck=self._figure(
                        model, of_stage & stuck, rotting.get(stage, 0), views
                    ),
                )
            )
        return {
            "total": self._figure(model, here, sum(counts.values()), views),
            "stages": columns,
        }

    # --- gates -----------------------------------------------------------------------

    @api.model
    def _gates(self, asked):
        """By gate: how open releases stand, and what was decided in the span.

        The pass rate is that of the gates decided in the span: of those that opened or
        failed in it and still stand so, the share that passed without an exception. The
        time in the gate is the median from the revision until it opened.
        """
        scope = asked.scope
        model = "ipai.report.gate.summary"
        if not self._readable(model):
            return None
        rows, views = self.env[model], ("list", "pivot", "graph")
        standing = scope.of_projects() & Domain("is_open", "=", True)
        counts = {
            (gate.id, status): count
            for gate, status, count in rows._read_group(
                standing, ["gate_id", "status"], ["__count"]
            )
        }
        opened = Domain("status", "in", ("passed", "bypassed"))
        decided = scope.of_projects() & (
            (opened & scope.within("resolved_at"))
            | (Domain("status", "=", "failed") & scope.within("evaluated_at"))
        )
        outcomes = {
            (gate.id, status): (count, hours)
            for gate, status, count, hours in rows._read_group(
                decided, ["gate_id", "status"], ["__count", "hours_to_pass:array_agg"]
            )
        }
        gates = []
        for gate in self.env["ipai.gate"].search([]):
            of_gate = Domain("gate_id", "=", gate.id)
            judged = {
                status: outcomes.get((gate.id, status), (0, []))
                for status in ("passed", "bypassed", "failed")
            }
            total = sum(count for count, _hours in judged.values())
            hours = [
                each
                for _count, some in judged.values()
                for each in some
                if each is not None
            ]
            passed = of_gate & decided & Domain("status", "=", "passed")
            gates.append(
                {
                    "id": gate.id,
                    "code": gate.code,
                    "name": gate.name,
                    "statuses": {
                        status: self._figure(
                            model,
                            standing & of_gate & Domain("status", "=", status),
                            counts.get((gate.id, status), 0),
                            views,
                        )
                        for status, _label in rows._fields["status"].selection
                    },
                    "pass_rate": self._figure(
                        model,
                        passed,
                        judged["passed"][0],
                        views,
                        of=total,
                        value=judged["passed"][0] / total if total else None,
                    ),
                    "hours": self._figure(
                        model,
                        of_gate & decided & opened,
                        judged["passed"][0] + judged["bypassed"][0],
                        views,
                        value=median(hours) if hours else None,
                    ),
                }
            )
        return {"report": self._open(model, standing, views), "rows": gates}

    # --- exceptions ------------------------------------------------------------------

    @api.model
    def _exceptions(self, asked):
        """Exceptions in force by the life that is left."""
        scope = asked.scope
        model = "ipai.exception"
        if not self._readable(model):
            return None
        here = scope.of_projects() & Domain("in_force", "=", True)
        ((ends,),) = self.env[model]._read_group(here, [], ["expires_at:array_agg"])
        buckets = []
        for low, high in LIFE_LEFT:
            first = scope.now + timedelta(hours=low) if low else None
            last = scope.now + timedelta(hours=high) if high else None
            domain, count = here, 0
            if first:
                domain &= Domain("expires_at", ">=", first)
            if last:
                domain &= Domain("expires_at", "<", last)
            for end in ends or ():
                count += (not first or end >= first) and (not last or end < last)
            buckets.append(
                self._figure(model, domain, count, hours_from=low, hours_to=high)
            )
        report = "ipai.report.exception.status"
        return {
            "total": self._figure(model, here, len(ends or ())),
            "report": self._open(
                report, scope.of_projects(), ("list", "pivot", "graph")
            ),
            "buckets": buckets,
        }

    # --- environments and deployments ------------------------------------------------

    @api.model
    def _environments(self, asked):
        """Environments with a control that does not hold, the worst first."""
        scope = asked.scope
        model = "ipai.environment"
        if not self._readable(model):
            return None
        here = scope.of_projects()
        out = here & Domain("unmet_control_count", ">", 0)
        counts = dict(
            self.env[model]._read_group(here, ["unmet_control_count"], ["__count"])
        )
        total = sum(counts.values())
        sound = counts.get(0, 0)
        worst = self.env[model].search_fetch(
            out,
            ["name", "category", "project_id", "unmet_control_count"],
            limit=ROWS,
            order="unmet_control_count desc, category desc, id",
        )
        return {
            "total": self._figure(model, here, total),
            "out": self._figure(model, out, total - sound),
            "rows": [
                {
                    "id": each.id,
                    "name": each.name,
                    "category": each.category,
                    "project": each.project_id.name,
                    "unmet": each.unmet_control_count,
                }
                for each in worst
            ],
        }

    @api.model
    def _last_deployments(self, asked):
        """The last deployments anywhere, also before the span."""
        scope = asked.scope
        model = "ipai.report.deployment.history"
        if not self._readable(model):
            return None
        here = scope.of_projects()
        last = self.env[model].search_fetch(
            here,
            [
                "deployment_id",
                "release_id",
                "environment_id",
                "environment_category",
                "status",
                "deployed_at",
                "g4_status",
                "is_unauthorised",
            ],
            limit=ROWS,
        )
        labels = dict(last._fields["status"]._description_selection(self.env))
        return {
            "report": self._open(model, here, ("list", "pivot", "graph")),
            "rows": [
                {
                    "id": each.deployment_id.id,
                    "name": each.deployment_id.display_name,
                    "release": each.release_id.name,
                    "environment": each.environment_id.name,
                    "category": each.environment_category,
                    "status": each.status,
                    "status_label": labels[each.status],
                    "g4_status": each.g4_status,
                    "is_unauthorised": each.is_unauthorised,
                    "deployed_at": str(each.deployed_at.replace(microsecond=0)),
                }
                for each in last
            ],
        }
