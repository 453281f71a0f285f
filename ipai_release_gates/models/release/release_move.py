import logging

from odoo import api, models
from odoo.exceptions import UserError
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY

from ...errors import GateRefused
from .reasons import said

_logger = logging.getLogger(__name__)

#: How often recording a refusal is tried when other writers are at the same release.
_REFUSAL_TRIES = 10


class Release(models.Model):
    """Moving a release from stage to stage: the one rule behind every door."""

    _inherit = "ipai.release"

    def _move_or_refuse(self, stage_id, reason=None):
        """Move, or leave the refusal in the ledger and refuse.

        :raises GateRefused: naming every unmet condition of every release
        """
        # A value that is no integer names no stage.
        stage = self.env["ipai.release.stage"].browse(
            stage_id if type(stage_id) is int else ()
        )
        try:
            self._move_to(stage, reason)
        except GateRefused as refusal:
            self._record_afterwards(self._refusal_drafts(refusal))
            raise

    def action_advance(self):
        """Move each of these releases into the stage after its own: all, or none.

        :raises GateRefused: naming every unmet condition of the releases that may not
        """
        # A server action restricted to groups has not checked its records, and an
        # automation rule runs it as superuser: the right is that of its user.
        self.sudo(False).check_access("write")
        if last := self.filtered(lambda release: not release.next_stage_id)[:1]:
            raise UserError(self.env._("%s is in the last stage.", last.name))
        for stage, releases in self.grouped("next_stage_id").items():
            releases.write({"stage_id": stage.id})
        return True

    def _move_to(self, stage, reason=None):
        """Move these releases into a stage if every condition holds.

        All facts are gathered afresh. The row of each release is updated in the same
        transaction, so a fact recorded meanwhile makes this move fail with a
        serialization error; Odoo then retries it on the new facts.

        :param stage: ``ipai.release.stage`` record
        :param reason: why, needed for a move back
        :raises GateRefused: naming every unmet condition of every release
        """
        if not stage.exists():
            raise UserError(self.env._("This stage does not exist any more."))
        reason = reason if isinstance(reason, str) else ""
        moving = self.filtered(lambda release: release.stage_id != stage)
        if not moving:
            return
        verdicts = moving._verdicts()
        refusals = moving._refusals(stage, verdicts, reason)
        if refusals:
            raise GateRefused(
                self._refusal_message(stage, refusals),
                self._refusal_data(stage, refusals),
            )
        drafts = []
        # sudo: the rule above has decided
        for release in moving.sudo():
            former = release.stage_id
            forward = (stage.sequence, stage.id) > (former.sequence, former.id)
            release.system_write(
                {
                    "stage_id": stage.id,
                    "stage_entered_at": self.env.cr.now(),
                    "move_reason": False if forward else reason.strip(),
                    # What was taken back is promoted no more.
                    "status": stage.release_status
                    or (release.status if forward else "in_progress"),
                }
            )
            drafts.append(
                (
                    release.id,
                    "move_allowed",
                    release,
                    {
                        "from": former.code,
                        "to": stage.code,
                        "reason": "" if forward else reason.strip(),
                        "source_ref": release.source_ref,
                    },
                )
            )
        # A move is no fact: what was just judged still holds.
        moving._rejudge(drafts, verdicts=verdicts)

    def _refusals(self, stage, verdicts, reason=None):
        """Why these releases may not enter a stage.

        :param verdicts: fresh ones, by release id
        :returns: dict of release to a list of unmet conditions, each a dict with
            ``gate``, ``code``, ``kind`` and ``reason``; without the releases that may
        """
        held = self.env["ipai.persona"]._held_by(self.env.user)
        # sudo: movers are public policy
        allowed = stage.sudo().persona_ids
        # sudo: demanded gates are public policy
        gates = stage.sudo()._gates_to_enter().mapped("code")
        refusals = {}
        for release in self:
            current = release.sudo().stage_id  # sudo: stage column is public
            problems = []
            if not allowed & held:
                problems.append(
                    _problem(
                        "mover",
                        self.env._(
                            "Only %(personas)s may move a release to %(stage)s",
                            personas=self._in_words(allowed),
                            stage=stage.name,
                        ),
                    )
                )
            if current.is_closing or release.status == "cancelled":
                problems.append(_problem("closed", self.env._("The release is closed")))
            forward = (stage.sequence, stage.id) > (current.sequence, current.id)
            if not forward and not (reason or "").strip():
                problems.append(
                    _problem("reason", self.env._("Moving back needs a reason"))
                )
            if forward:
                problems += [
                    {
                        "gate": gate.code,
                        "code": condition.code,
                        "kind": condition.kind,
                        "reason": said(self.env, condition.reason),
                    }
                    for gate, condition in verdicts[release.id].only(gates).unmet
                ]
            if problems:
                refusals[release] = problems
        return refusals

    def _in_words(self, personas):
        return ", ".join(personas.mapped("name")) or self.env._("nobody")

    @api.model
    def _refusal_message(self, stage, refusals):
        lines = []
        for release, problems in refusals.items():
            lines.append(
                self.env._(
                    "%(release)s cannot move to %(stage)s:",
                    release=release.name,
                    stage=stage.name,
                )
            )
            lines += [
                f"  - {p['gate']}: {p['reason']}" if p["gate"] else f"  - {p['reason']}"
                for p in problems
            ]
        return "\n".join(lines)

    @api.model
    def _refusal_data(self, stage, refusals):
        """A refusal as JSON-ready data, for the façade and the web client."""
        return {
            "stage": {"id": stage.id, "code": stage.code, "name": stage.name},
            "releases": [
                {
                    "id": release.id,
                    "name": release.name,
                    "uuid": release.uuid,
                    "reasons": problems,
                }
                for release, problems in refusals.items()
            ],
        }

    def _refusal_drafts(self, refusal):
        """The ledger entries of a refused move of these releases."""
        data = refusal.context["refusal"]
        reasons = {refused["id"]: refused["reasons"] for refused in data["releases"]}
        return [
            (
                release.id,
                "move_refused",
                release,
                {
                    "from": release.stage_id.code,
                    "to": data["stage"]["code"],
                    "source_ref": release.source_ref,
                    "unmet": [
                        f"{problem['gate']}:{problem['code']}".lstrip(":")
                        for problem in reasons[release.id]
                    ],
                },
            )
            # sudo: refused person could read it
            for release in self.sudo()
            if release.id in reasons
        ]

    def _record_afterwards(self, drafts):
        """Write ledger entries once this transaction has ended.

        A refusal rolls its transaction back, and a second connection could not get at a
        release row this one may have locked, so the entries are written after the end,
        whichever way it ends.

        :param drafts: as for :meth:`_append_to_ledger`
        """
        registry, uid = self.env.registry, self.env.uid
        drafts = [
            (release_id, kind, f"{subject._name},{subject.id}", body)
            for release_id, kind, subject, body in drafts
        ]

        def record():
            for _attempt in range(_REFUSAL_TRIES):
                try:
                    with registry.cursor() as cr:
                        releases = api.Environment(cr, uid, {})["ipai.release"]
                        # sudo: only heads of chains move
                        alive = releases.sudo().browse({d[0] for d in drafts}).exists()
                        # A release opened in the refused transaction went with it.
                        alive._append_to_ledger(
                            [d for d in drafts if d[0] in alive.ids]
                        )
                    return
                except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
                    continue
                except Exception:
                    # The refusal itself must reach the person who was refused.
                    _logger.exception("A refusal could not be recorded")
                    return
            _logger.error("A refusal could not be recorded: the release is busy")

        self.env.cr.postrollback.add(record)
        self.env.cr.postcommit.add(record)


def _problem(code, reason):
    return {"gate": "", "code": code, "kind": code, "reason": reason}
