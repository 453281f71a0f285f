from odoo import api, fields, models
from odoo.tools import format_datetime

from ...policy import freezes
from ..governance.freeze_window import COMING


class Release(models.Model):
    """What freezes mean for a release; shown to people, read by no verdict."""

    _inherit = "ipai.release"

    freeze_state = fields.Selection(
        [("in_force", "In force"), ("coming", "Coming")],
        string="Freeze",
        compute="_compute_freeze_notice",
    )
    freeze_notice = fields.Char(
        compute="_compute_freeze_notice",
        help="The freeze that keeps this release from being promoted, or will within 7 "
        "days.",
    )

    @api.depends("project_id", "stage_id", "is_open")
    @api.depends_context("lang", "tz")
    def _compute_freeze_notice(self):
        now = self.env.cr.now()
        Window = self.env["ipai.freeze.window"]
        targets = Window._by_target(Window._in_force(now, now + COMING))
        # sudo: same for every user
        stages = self.env["ipai.release.stage"].sudo()
        if targets:
            stages = stages.search_fetch([], ["sequence", "environment_category"])
        for release in self:
            release.freeze_state = release.freeze_notice = False
            if not (targets and release.is_open):
                continue
            ahead = release._categories_ahead(stages)
            project_id = release.project_id._origin.id
            found = []
            for category in ahead:
                standing = freezes.standing(
                    [
                        (window[1], window[2], window[5])
                        for project, place, window in targets
                        if project in (None, project_id) and place in (None, category)
                    ],
                    now,
                    now + COMING,
                )
                if standing:
                    found.append((standing, category))
            if not found:
                continue
            found.sort(key=lambda each: each[0].state != "in_force")
            standing, category = found[0]
            everywhere = [each for each, _category in found] == [standing] * len(ahead)
            release.freeze_state = standing.state
            release.freeze_notice = release._freeze_words(
                standing, None if everywhere else category
            )

    def _categories_ahead(self, stages):
        """The environment categories this release can still be promoted to."""
        at = self.stage_id._origin
        return list(
            dict.fromkeys(
                stage.environment_category
                for stage in stages
                if stage.environment_category
                and (stage.sequence, stage.id) > (at.sequence, at.id)
            )
        )

    def _freeze_words(self, standing, category):
        """A standing as a sentence.

        :param standing: :class:`policy.freezes.Standing`
        :param category: the only environment category it is for, or ``None``
        """
        names = ", ".join(standing.names)
        if category:
            labels = dict(
                self._fields["environment_target"]._description_selection(self.env)
            )
            names = f"{names} ({labels[category]})"
        when = standing.at and format_datetime(
            self.env, standing.at, tz=str(self.env.tz), dt_format="EEE d MMM, HH:mm"
        )
        if standing.state == "coming":
            return self.env._("Freeze from %(when)s: %(names)s", when=when, names=names)
        if standing.kind == freezes.DENY:
            return self.env._(
                "Frozen until %(when)s: %(names)s", when=when, names=names
            )
        if when:
            return self.env._(
                "Outside its change window until %(when)s: %(names)s",
                when=when,
                names=names,
            )
        return self.env._("Outside its change window: %s", names)
