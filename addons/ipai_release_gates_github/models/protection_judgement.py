from dataclasses import dataclass

from odoo import models


@dataclass(frozen=True)
class Judgement:
    """What the gates say about a deployment that waits.

    :ivar eligible: whether it may go on; ``None`` where there is nothing to judge yet
    :ivar release: ``ipai.release`` record, or an empty one
    :ivar target: promotion target it was judged for, or ``None``
    :ivar headline: what it is about, plain text
    :ivar reasons: why it may not, plain texts, the most important first
    """

    eligible: bool | None
    release: object
    target: str | None
    headline: str
    reasons: tuple[str, ...] = ()


class GithubProtection(models.Model):
    """Which verdict a request is answered with."""

    _inherit = "ipai.github.protection"

    def _judge(self, repository):
        """Judge the deployment on facts gathered now.

        :param repository: of the project, ``ipai.github.repository``
        :returns: :class:`Judgement`
        """
        self.ensure_one()
        nothing = self.env["ipai.release"]
        target = repository._target_of(self.environment)
        if not target:
            return Judgement(
                None,
                nothing,
                None,
                self.env._("Nothing to judge %s by", self.environment),
                (
                    self.env._(
                        "Governance has not said which gates a deployment to this "
                        "environment needs (Configuration → GitHub → Repositories)."
                    ),
                ),
            )
        release = self._release_of_commit()
        if not release:
            return Judgement(
                None,
                nothing,
                target,
                self.env._("No release has commit %s yet", self.short_ref),
                (
                    self.env._(
                        "Open a release for it; this is answered again as soon as "
                        "there is one."
                    ),
                ),
            )
        named = {
            "release": release.name,
            "commit": self.short_ref,
            "environment": self.environment,
        }
        reasons = [*self._reasons_of_release(release), *self._unmet(release, target)]
        if reasons:
            headline = self.env._(
                "%(release)s (%(commit)s) may not be deployed to %(environment)s",
                **named,
            )
        else:
            headline = self.env._(
                "%(release)s (%(commit)s) may be deployed to %(environment)s", **named
            )
        return Judgement(not reasons, release, target, headline, tuple(reasons))

    def _release_of_commit(self):
        """The release that speaks for the commit, or an empty record.

        One whose current revision it is comes first, an open one before that, then the
        newest: what an older release passed does not open the gates of a newer one.
        """
        revisions = self.env["ipai.revision"].search(
            [
                ("source_ref", "=", self.source_ref),
                ("release_id.project_id", "=", self.project_id.id),
            ]
        )
        releases = revisions.release_id
        return releases.sorted(
            lambda release: (
                release.source_ref == self.source_ref,
                release.is_open,
                release.id,
            ),
            reverse=True,
        )[:1]

    def _reasons_of_release(self, release):
        """What about the release itself is in the way."""
        if release.status == "cancelled":
            yield self.env._("The release is cancelled.")
        if release.source_ref != self.source_ref:
            yield self.env._(
                "The release has moved on to commit %(current)s; what was recorded for "
                "%(commit)s does not count any more.",
                current=release.short_ref,
                commit=self.short_ref,
            )

    def _unmet(self, release, target):
        """The unmet conditions of a promotion to the target, failed ones first."""
        stage = self.env["ipai.release.stage"].search(
            [("environment_category", "=", target)], limit=1
        )
        if not stage and target != "dev":
            return [
                self.env._(
                    "No stage promotes to %s; governance must define one.", target
                )
            ]
        gates = stage._gates_to_enter().mapped("code") if stage else []
        verdict = release._verdicts()[release.id].only(gates)
        unmet = sorted(verdict.unmet, key=lambda found: not found[1].adverse)
        return [f"{gate.code}: {condition.reason}" for gate, condition in unmet]
