from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.fields import Domain
from odoo.tools import SQL

from odoo.addons.base.models.res_partner import _tz_get

from ...policy import freezes

#: What counts as soon, on the board and in the list.
COMING = timedelta(days=7)
#: Every window that recurs occurs again within this time.
_HORIZON = timedelta(days=370)
_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class FreezeWindow(models.Model):
    """A period in which nothing may be promoted, or outside of which nothing may.

    A window names projects, environments of projects, or neither and means everything.
    A freeze in force always wins over an open change window. Where at least one change
    window applies, promotion is possible only inside one of them; that stays so when
    the last occurrence is over, until the window is archived.
    """

    _name = "ipai.freeze.window"
    _description = "Freeze window"
    _inherit = "ipai.policy.mixin"
    _order = "starts_at desc, id desc"

    name = fields.Char(string="Reason", required=True)
    active = fields.Boolean(default=True)
    kind = fields.Selection(
        [("deny", "Freeze"), ("allow", "Change window")],
        required=True,
        default="deny",
        help="In a freeze nothing is promoted. Where a change window applies, "
        "promotion is possible only inside one; a freeze in force still wins.",
    )
    starts_at = fields.Datetime(required=True, help="Of the first occurrence.")
    ends_at = fields.Datetime(required=True, help="Of the first occurrence.")
    recurrence = fields.Selection(
        [
            ("none", "Once"),
            ("weekly", "Every week"),
            ("monthly", "Every month"),
            ("yearly", "Every year"),
        ],
        required=True,
        default="none",
    )
    mon = fields.Boolean(string="Monday")
    tue = fields.Boolean(string="Tuesday")
    wed = fields.Boolean(string="Wednesday")
    thu = fields.Boolean(string="Thursday")
    fri = fields.Boolean(string="Friday")
    sat = fields.Boolean(string="Saturday")
    sun = fields.Boolean(string="Sunday")
    tz = fields.Selection(
        _tz_get,
        string="Time zone",
        required=True,
        default=lambda self: (
            self.env.user.tz or self.env.company.partner_id.tz or "UTC"
        ),
        help="Whose clock a window that recurs keeps to, summer and winter.",
    )
    recur_until = fields.Date(
        string="Until", help="The last day on which an occurrence starts."
    )
    project_ids = fields.Many2many(
        "ipai.project",
        string="Projects",
        # Without its last project a window would be one of every project.
        ondelete="restrict",
        # A freeze of an archived project is not one of every project.
        context={"active_test": False},
        help="Empty: every project, unless environments are named.",
    )
    environment_ids = fields.Many2many(
        "ipai.environment",
        string="Environments",
        ondelete="restrict",
        context={"active_test": False},
        help="The window applies to promotions into these only.",
    )
    next_starts_at = fields.Datetime(
        string="Next from",
        compute="_compute_next",
        help="The occurrence that is under way, or else the one to come.",
    )
    next_ends_at = fields.Datetime(string="Next until", compute="_compute_next")
    standing = fields.Selection(
        [
            ("in_force", "In force"),
            ("coming", "Within 7 days"),
            ("later", "Later"),
            ("over", "Over"),
        ],
        compute="_compute_next",
        search="_search_standing",
        help="Whether an occurrence is under way at this moment, or how far off it is.",
    )

    _ends_after_start = models.Constraint(
        "CHECK (ends_at > starts_at)", "A freeze must end after it starts."
    )
    # Far from the ends of the calendar, where local times do not exist.
    _recurs_in_our_time = models.Constraint(
        "CHECK (recurrence = 'none' OR"
        " (starts_at >= '1970-01-01' AND starts_at < '2200-01-01'))",
        "A window that recurs starts between 1970 and 2200.",
    )

    # --- what may be entered ---------------------------------------------------------

    @api.constrains(
        "starts_at", "ends_at", "recurrence", "tz", "recur_until", *_WEEKDAYS
    )
    def _validate_recurrence(self):
        for window in self.filtered(lambda w: w.recurrence != "none"):
            value = window._policy_value()
            start, end = value.local()
            if value.weekdays and start.weekday() not in value.weekdays:
                day = self._fields[_WEEKDAYS[start.weekday()]]
                raise ValidationError(
                    self.env._(
                        "“%(window)s” starts on a %(day)s in %(tz)s, which is not "
                        "among its weekdays.",
                        window=window.name,
                        day=day._description_string(self.env),
                        tz=window.tz,
                    )
                )
            longest = freezes.longest(value.recurrence, value.weekdays)
            if end - start > longest:
                raise ValidationError(
                    self.env._(
                        "“%(window)s” would still last when it starts again: one "
                        "occurrence may take %(days)s days at most.",
                        window=window.name,
                        days=longest.days,
                    )
                )
            if value.until and value.until < start.date():
                raise ValidationError(
                    self.env._("“%s” would end to recur before it starts.", window.name)
                )

    @api.constrains("project_ids", "environment_ids")
    def _validate_environments(self):
        # sudo: unreadable projects count, none named
        for window in self.sudo():
            projects = window.project_ids
            if projects and window.environment_ids.project_id - projects:
                raise ValidationError(
                    self.env._(
                        "“%s” names an environment that belongs to none of the "
                        "projects it names.",
                        window.name,
                    )
                )

    # --- occurrences -----------------------------------------------------------------

    def _policy_value(self):
        """This window as a plain value of the policy core."""
        self.ensure_one()
        return freezes.Window(
            self.starts_at,
            self.ends_at,
            kind=self.kind,
            recurrence=self.recurrence,
            weekdays=_weekday_numbers(
                self.recurrence, [self[day] for day in _WEEKDAYS]
            ),
            tz=self.tz,
            until=self.recur_until or None,
        )

    @api.model
    def _in_force(self, now, until):
        """Every active window that can matter to a promotion, in one query.

        The same for every caller: it depends on neither rights nor context.

        :param now: naive UTC
        :param until: naive UTC; how far ahead to look
        :returns: list of ``(window id, name, kind, project ids, environment ids,
            occurrences)`` in order of the ids; occurrences are pairs of naive UTC that
            have not ended at ``now`` and start before ``until``. A freeze without any
            is left out. A change window never is: it says that nothing is promoted
            outside of it.
        """
        self.flush_model()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT w.id, w.name, w.kind, w.starts_at, w.ends_at, w.recurrence,
                       w.tz, w.recur_until, %s,
                       %s, %s
                  FROM ipai_freeze_window w
                 WHERE w.active
                   AND (w.kind = 'allow' OR w.recurrence <> 'none' OR w.ends_at > %s)
              ORDER BY w.id
                """,
                SQL(", ").join(SQL.identifier("w", day) for day in _WEEKDAYS),
                self._named_ids("project_ids"),
                self._named_ids("environment_ids"),
                now,
            )
        )
        windows = []
        for id_, name, kind, starts_at, ends_at, recurrence, tz, last, *rest in rows:
            *days, projects, environments = rest
            value = freezes.Window(
                starts_at,
                ends_at,
                kind=kind,
                recurrence=recurrence,
                weekdays=_weekday_numbers(recurrence, days),
                tz=tz,
                until=last,
            )
            found = freezes.occurrences(value, now, until)
            if found or kind == freezes.ALLOW:
                windows.append(
                    (id_, name, kind, frozenset(projects), frozenset(environments))
                    + (found,)
                )
        return windows

    @api.model
    def _named_ids(self, name):
        """What a window ``w`` names in a many2many field, archived or not, as SQL."""
        field = self._fields[name]
        return SQL(
            "ARRAY(SELECT %s FROM %s WHERE %s = w.id)",
            SQL.identifier(field.column2),
            SQL.identifier(field.relation),
            SQL.identifier(field.column1),
        )

    @api.model
    def _by_target(self, windows):
        """Which promotions some windows apply to.

        :param windows: as :meth:`_in_force` returns them
        :returns: list of ``(project id or None, category or None, window)``; ``None``
            stands for every project or every category
        """
        named = set().union(*(window[4] for window in windows))
        places = {}
        if named:
            # sudo: policy binds every release
            environments = self.env["ipai.environment"].sudo().browse(named)
            places = {e.id: (e.project_id.id, e.category) for e in environments}
        targets = []
        for window in windows:
            _id, _name, _kind, projects, environments, _occurrences = window
            if environments:
                found = {places[id_] for id_ in environments}
            else:
                found = {(id_, None) for id_ in projects or [None]}
            targets += [(*place, window) for place in found]
        return targets

    @api.depends(
        "starts_at", "ends_at", "recurrence", "tz", "recur_until", "kind", *_WEEKDAYS
    )
    def _compute_next(self):
        now = self.env.cr.now()
        for window in self:
            window.next_starts_at = window.next_ends_at = window.standing = False
            if not (window.starts_at and window.ends_at and window.tz):
                continue
            horizon = max(now, window.starts_at) + _HORIZON
            found = freezes.occurrences(window._policy_value(), now, horizon)
            if not found:
                window.standing = "over"
                continue
            window.next_starts_at, window.next_ends_at = found[0]
            if window.next_starts_at <= now:
                window.standing = "in_force"
            elif window.next_starts_at < now + COMING:
                window.standing = "coming"
            else:
                window.standing = "later"

    def _search_standing(self, operator, value):
        if operator != "in":
            return NotImplemented
        # Windows are few; when one recurs next, only the core can tell.
        windows = self.with_context(active_test=False).search([])
        return Domain(
            "id", "in", windows.filtered(lambda window: window.standing in value).ids
        )

    # --- what a change means ---------------------------------------------------------

    def _policy_value_of(self, name):
        if name == "project_ids":
            # A freeze belongs to no company, the projects do: by reference, so that
            # their names are known to those only who may read them.
            return sorted(f"ipai.project,{project.id}" for project in self.project_ids)
        return super()._policy_value_of(name)

    def _affected_releases(self):
        affected = super()._affected_releases()
        # All projects count, archived and unreadable ones too.
        # sudo: policy binds every release
        windows = self.sudo()
        if all(window.project_ids or window.environment_ids for window in windows):
            projects = windows.project_ids | windows.environment_ids.project_id
            affected = affected.filtered(lambda release: release.project_id in projects)
        return affected


def _weekday_numbers(recurrence, chosen):
    """The weekdays of a window as numbers, 0 is Monday; only a weekly one has any."""
    if recurrence != freezes.WEEKLY:
        return frozenset()
    return frozenset(number for number, is_on in enumerate(chosen) if is_on)
