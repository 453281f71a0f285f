import hashlib

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import SQL

from ...ingest import fields as readers
from ..selections import DECISIONS


class Approval(models.Model):
    """A decision of a person on a gate, bound to the revision it speaks of.

    A fact: never edited, never deleted, by a database trigger too. A newer decision of
    the same person supersedes the older; a new revision makes both stale.
    """

    _name = "ipai.approval"
    _inherit = "ipai.fact.mixin"
    _description = "Approval"

    approver_id = fields.Many2one(
        "res.users", required=True, ondelete="restrict", readonly=True, index=True
    )
    service_account = fields.Boolean(
        readonly=True, help="The approver was a CI service account."
    )
    persona_id = fields.Many2one("ipai.persona", required=True, ondelete="restrict")
    gate_id = fields.Many2one("ipai.gate", ondelete="restrict")
    exception_id = fields.Many2one(
        "ipai.exception", ondelete="restrict", index="btree_not_null"
    )
    scope = fields.Selection(
        [("release", "Release"), ("gate", "Gate"), ("exception", "Exception")],
        required=True,
        default="gate",
        readonly=True,
    )
    decision = fields.Selection(DECISIONS, required=True)
    rationale_structured = fields.Json(
        string="Checklist", help="The persona's criteria with what was verified."
    )
    rationale_text = fields.Text(string="Rationale")
    ingest_log_id = fields.Many2one(
        "ipai.ingest.log", ondelete="restrict", readonly=True, index="btree_not_null"
    )
    is_superseded = fields.Boolean(
        compute="_compute_is_superseded", search="_search_is_superseded"
    )

    _gate_scope = models.Constraint(
        "CHECK (scope <> 'gate' OR gate_id IS NOT NULL)",
        "A decision on a gate names the gate.",
    )
    _exception_scope = models.Constraint(
        "CHECK ((scope = 'exception') = (exception_id IS NOT NULL))",
        "A decision on an exception names the exception.",
    )
    _latest = models.Index("(release_id, revision_id, gate_id, approver_id, id DESC)")

    _creatable = frozenset(
        {
            "release_id",
            "gate_id",
            "exception_id",
            "persona_id",
            "decision",
            "rationale_structured",
            "rationale_text",
        }
    )

    _readers = {
        "rationale_structured": readers.free_form(dict, list),
        "rationale_text": readers.text,
    }

    @api.depends("release_id.approval_ids")
    def _compute_is_superseded(self):
        latest = {
            tuple(key): top
            for *key, top in self._read_group(
                [("release_id", "in", self.release_id.ids)],
                [
                    "release_id",
                    "gate_id",
                    "exception_id",
                    "approver_id",
                    "revision_id",
                ],
                ["id:max"],
            )
        }
        for approval in self:
            key = (
                approval.release_id,
                approval.gate_id,
                approval.exception_id,
                approval.approver_id,
                approval.revision_id,
            )
            approval.is_superseded = approval._origin.id != latest.get(
                key, approval._origin.id
            )

    def _search_is_superseded(self, operator, value):
        if operator != "in":
            return NotImplemented
        # The latest decision is the same for every user; the search still applies the
        # rules of the user.
        latest = SQL(
            """
            (SELECT max(id) FROM ipai_approval
           GROUP BY release_id, gate_id, exception_id, approver_id, revision_id)
            """
        )
        if set(value) == {True}:
            return [("id", "not in", latest)]
        if set(value) == {False}:
            return [("id", "in", latest)]
        return [(1, "=", 1)] if value else [(0, "=", 1)]

    @api.depends("persona_id", "gate_id", "exception_id", "decision")
    def _compute_display_name(self):
        labels = dict(self._fields["decision"].selection)
        for approval in self:
            approval.display_name = (
                f"{approval.gate_id.code or approval.exception_id._reference()} "
                f"{labels.get(approval.decision, '')} "
                f"({approval.persona_id.name or ''})"
            )

    def _prepare_manual_fact(self, vals):
        if vals.get("exception_id"):
            exception = self._exception_to_decide(vals)
            vals = {**vals, "release_id": exception.release_id.id}
            return {
                **super()._prepare_manual_fact(vals),
                **self._signature(),
                "scope": "exception",
                "revision_id": exception.revision_id.id,
            }
        vals = super()._prepare_manual_fact(vals)
        release = self.env["ipai.release"].browse(vals.get("release_id") or ())
        gate = self.env["ipai.gate"].browse(vals.get("gate_id") or ())
        persona = self.env["ipai.persona"].browse(vals.get("persona_id") or ())
        if not (release and gate and persona and vals.get("decision")):
            raise UserError(
                self.env._(
                    "A decision needs a release, a gate, a persona and a verdict."
                )
            )
        revision = self.env["ipai.revision"].browse(vals["revision_id"])
        self._require_signatory(release, revision, gate, persona)
        return {**vals, **self._signature()}

    def _exception_to_decide(self, vals):
        """The exception that is decided on, by who may.

        :returns: ``ipai.exception`` as superuser
        """
        exception = self.env["ipai.exception"].browse(vals["exception_id"])
        exception.check_access("read")
        persona = self.env["ipai.persona"].browse(vals.get("persona_id") or ())
        if not (persona and vals.get("decision")) or vals.get("gate_id"):
            raise UserError(
                self.env._(
                    "A decision on an exception needs a persona and a verdict, and "
                    "names no gate."
                )
            )
        exception._require_decider(persona)
        # sudo: its release and revision are sealed
        return exception.sudo()

    def _record(self):
        super()._record()
        # sudo: effects do not depend on authors
        self.sudo().exception_id._decided()

    @api.model
    def _sign(self, release, revision, gate, persona, vals):
        """Record the current user's decision on a gate for one revision.

        :param revision: usually the current one; for another the decision is history
        :param vals: ``decision`` and the optional rationale, log and source system
        :returns: the approval
        :raises AccessError: when the current user may not sign
        """
        self._require_signatory(release, revision, gate, persona)
        self.check_access("create")
        return self.system_create(
            [
                {
                    "release_id": release.id,
                    "revision_id": revision.id,
                    "gate_id": gate.id,
                    "persona_id": persona.id,
                    "recorded_by_id": self.env.uid,
                    **vals,
                    **self._signature(),
                }
            ]
        )

    @api.model
    def _signature(self):
        """Values of the signatory: always the authenticated user."""
        return {
            "approver_id": self.env.uid,
            "service_account": self.env.user.has_group(
                "ipai_release_gates.group_ci_service"
            ),
            "scope": "gate",
        }

    @api.model
    def _require_signatory(self, release, revision, gate, persona):
        """Refuse a signature that would not count, and leave that in the ledger.

        :raises AccessError: saying why the current user may not sign
        """
        # sudo: refusals depend on unreadable records
        release, revision = release.sudo(), revision.sudo()
        # sudo: refusals depend on unreadable records
        gate, persona = gate.sudo(), persona.sudo()
        reason = self._refusal_to_sign(release, revision, gate, persona)
        if not reason:
            return
        body = {"gate": gate.code, "persona": persona.code, "reason": reason}
        release._record_afterwards([(release.id, "signoff_refused", release, body)])
        raise AccessError(reason)

    @api.model
    def _refusal_to_sign(self, release, revision, gate, persona):
        """Why the current user may not decide on a gate as a persona.

        :returns: a sentence, or ``None`` when nothing speaks against it
        """
        user = self.env.user
        if not self.env["ipai.persona"]._held_by(user) & persona:
            return self.env._(
                "%(user)s does not hold the persona %(persona)s.",
                user=user.name,
                persona=persona.name,
            )
        if user.has_group("ipai_release_gates.group_ci_service"):
            return self.env._("A service account cannot sign off a gate.")
        demands = gate.requirement_ids.filtered(lambda r: r.kind == "approval")
        asked = demands.approval_persona_id
        if not asked & persona:
            return self.env._(
                "%(gate)s is not signed by %(persona)s; it asks for %(asked)s.",
                gate=gate.display_name,
                persona=persona.name,
                asked=", ".join(asked.mapped("name")) or self.env._("no sign-off"),
            )
        if not release.is_open:
            return self.env._("%s is closed.", release.name)
        emails = revision.author_emails
        resolved = release._resolve_authors(emails)
        unresolved = [email for email in emails if not resolved[email]]
        if unresolved:
            return self.env._(
                "No user is known for author %s of this revision, so independence "
                "cannot be shown. A governance administrator maps the address to a "
                "user under Configuration → Commit authors.",
                ", ".join(unresolved),
            )
        authors = set(revision.author_ids.ids).union(*resolved.values())
        # sudo: decisions of all people count
        decisions = self.sudo().search(
            [
                ("release_id", "=", release.id),
                ("revision_id", "=", revision.id),
                ("gate_id", "in", demands.distinct_from_gate_id.ids),
            ],
            order="id",
        )
        person_of = release._person_keys(
            authors | {user.id} | set(decisions.approver_id.ids)
        )
        if person_of[user.id] in {person_of[a] for a in authors} | set(emails):
            return self.env._(
                "%(user)s is an author of revision %(revision)s and cannot sign it.",
                user=user.name,
                revision=revision.short_ref,
            )
        # The latest decision stands: who took a signature back did not sign.
        own = decisions.filtered(
            lambda decision: person_of[decision.approver_id.id] == person_of[user.id]
        )
        for latest in {decision.gate_id: decision for decision in own}.values():
            if latest.decision == "approved":
                return self.env._(
                    "%(user)s signed %(other)s and cannot also sign %(gate)s.",
                    user=user.name,
                    other=latest.gate_id.code,
                    gate=gate.code,
                )
        return None

    def _ledger_draft(self):
        # Approvals are closed to some who read the ledger. The digest shows people
        # who may read the reasons that nobody changed them.
        text = self.rationale_text or ""
        body = {
            "gate": self.gate_id.code or "",
            "exception": self.exception_id._reference(),
            "persona": self.persona_id.code,
            "decision": self.decision,
            "rationale_sha256": hashlib.sha256(text.encode()).hexdigest()
            if text
            else "",
            "source_ref": self.source_ref,
            "stale": self.is_stale,
        }
        return self.release_id.id, "approval", self, body
