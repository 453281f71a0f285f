import base64
import hashlib
import json
import secrets
import uuid
from datetime import timedelta

from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tools import escape_psql

from odoo.addons.ipai_release_gates.ingest import fields as readers

#: The groups that may ask a customer.
_INVITERS = (
    "ipai_release_gates.group_qa_tester",
    "ipai_release_gates.group_release_manager",
)
MAX_CRITERIA = 100
MAX_DAYS = 90
RESULTS = ("passed", "failed")


class UatInvitation(models.Model):
    """A request to a customer to accept one revision of a release, by a link.

    The answer becomes evidence of G2. It is never an approval: a link gives nobody a
    persona. Only the hash of the link's token is stored, so no user can look it up and
    answer in the customer's name. Where the inviter got the link to pass it on, the
    evidence says so.
    """

    _name = "ipai.uat.invitation"
    _inherit = "ipai.guarded.mixin"
    _description = "UAT invitation"
    _order = "id desc"

    uuid = fields.Char(
        string="UUID", required=True, readonly=True, default=lambda s: str(uuid.uuid4())
    )
    release_id = fields.Many2one(
        "ipai.release", required=True, readonly=True, ondelete="restrict", index=True
    )
    revision_id = fields.Many2one(
        "ipai.revision", required=True, readonly=True, ondelete="restrict"
    )
    project_id = fields.Many2one(
        related="release_id.project_id", related_sudo=False, string="Project"
    )
    company_id = fields.Many2one(related="release_id.company_id", related_sudo=False)
    partner_id = fields.Many2one(
        "res.partner",
        string="Customer",
        required=True,
        readonly=True,
        ondelete="restrict",
    )
    email = fields.Char(required=True, readonly=True, help="As it was when invited.")
    message = fields.Text(readonly=True, help="What the customer reads first.")
    criterion_ids = fields.One2many(
        "ipai.uat.criterion", "invitation_id", string="Criteria", readonly=True
    )
    token_digest = fields.Char(required=True, groups=fields.NO_ACCESS)
    inviter_id = fields.Many2one(
        "res.users", string="Invited by", required=True, readonly=True
    )
    invited_at = fields.Datetime(required=True, readonly=True)
    link_by = fields.Selection(
        [("mail", "Mailed to the customer"), ("hand", "Handed to the inviter")],
        string="Link",
        required=True,
        readonly=True,
    )
    expires_at = fields.Datetime(required=True, readonly=True)
    state = fields.Selection(
        [("open", "Open"), ("answered", "Answered"), ("revoked", "Revoked")],
        required=True,
        readonly=True,
        default="open",
    )
    status = fields.Selection(
        [
            ("open", "Waiting"),
            ("expired", "Expired"),
            ("superseded", "Superseded"),
            ("passed", "Passed"),
            ("failed", "Failed"),
            ("revoked", "Revoked"),
        ],
        compute="_compute_status",
        help="By the clock, and by the release's revision now.",
    )
    result = fields.Selection(
        [("passed", "Passed"), ("failed", "Failed")], readonly=True
    )
    signed_name = fields.Char(string="Signed by", readonly=True)
    comment = fields.Text(readonly=True)
    answered_at = fields.Datetime(string="Answered on", readonly=True)
    evidence_id = fields.Many2one("ipai.evidence", readonly=True, ondelete="restrict")

    _token_unique = models.Constraint(
        "UNIQUE (token_digest)", "Every link is for one invitation."
    )
    _answer_is_whole = models.Constraint(
        "CHECK ((state = 'answered') = (result IS NOT NULL AND signed_name IS NOT NULL"
        " AND answered_at IS NOT NULL AND evidence_id IS NOT NULL))",
        "An answer has a result, a signature, a time and its evidence.",
    )

    @api.depends("release_id", "partner_id")
    def _compute_display_name(self):
        for invitation in self:
            invitation.display_name = self.env._(
                "UAT of %(release)s by %(customer)s",
                release=invitation.release_id.name or "",
                customer=invitation.partner_id.name or "",
            )

    @api.depends("state", "result", "expires_at", "release_id.revision_id")
    def _compute_status(self):
        now = self.env.cr.now()
        for invitation in self:
            status = invitation.result or invitation.state
            if status == "open":
                # sudo: readers of invitations see it
                current = invitation.release_id.sudo().revision_id
                if invitation.revision_id != current:
                    status = "superseded"
                elif invitation.expires_at and invitation.expires_at <= now:
                    status = "expired"
            invitation.status = status

    # --- asking ----------------------------------------------------------------------

    @api.model
    def _require_inviter(self):
        if not any(self.env.user.has_group(group) for group in _INVITERS):
            raise AccessError(
                self.env._(
                    "Only a QA tester or a release manager asks a customer for a UAT."
                )
            )

    @api.model
    def _invite(self, release, partner, criteria, days, message="", by_hand=False):
        """Ask a customer to accept the current revision of a release.

        :param release: one open release the current user may read
        :param partner: ``res.partner`` with an e-mail address
        :param list criteria: what they are asked about, as lines of text
        :param int days: how long the link works
        :param bool by_hand: give the link to the inviter instead of mailing it
        :returns: the invitation and, by hand, its link; else ``None``
        :raises AccessError: for who may not ask
        :raises ValidationError: naming what is missing or too much
        """
        self._require_inviter()
        release.ensure_one().check_access("read")
        partner.ensure_one().check_access("read")
        if not release.is_open:
            raise UserError(
                self.env._("%s is not open any more.", release.display_name)
            )
        email = partner.email_normalized
        if not email:
            raise ValidationError(
                self.env._(
                    "Customer: %s has no valid e-mail address.", partner.display_name
                )
            )
        if self._works_here(partner, email):
            raise ValidationError(
                self.env._(
                    "Customer: %s works here. A UAT is the word of a customer; what "
                    "colleagues tested is recorded as their own evidence.",
                    partner.display_name,
                )
            )
        criteria = [line.strip() for line in criteria if line.strip()]
        if not 1 <= len(criteria) <= MAX_CRITERIA:
            raise ValidationError(
                self.env._("Criteria: give 1 to %s, one per line.", MAX_CRITERIA)
            )
        if not 1 <= days <= MAX_DAYS:
            raise ValidationError(
                self.env._("Days: a link works for 1 to %s days.", MAX_DAYS)
            )
        token = secrets.token_urlsafe(32)
        # sudo: the inviter's role was checked
        invitation = self.sudo().system_create(
            [
                {
                    "release_id": release.id,
                    # sudo: the release may be read
                    "revision_id": release.sudo().revision_id.id,
                    "partner_id": partner.id,
                    "email": email,
                    "message": (message or "").strip() or False,
                    "token_digest": self._digest(token),
                    "inviter_id": self.env.uid,
                    "invited_at": self.env.cr.now(),
                    "link_by": "hand" if by_hand else "mail",
                    "expires_at": self.env.cr.now() + timedelta(days=days),
                }
            ]
        )
        # sudo: criteria of the new invitation
        self.env["ipai.uat.criterion"].sudo().system_create(
            [
                {"invitation_id": invitation.id, "sequence": number, "name": line}
                for number, line in enumerate(criteria, start=1)
            ]
        )
        link = f"{release.get_base_url()}/ipai/uat/{token}"
        if not by_hand:
            invitation._mail(link)
        invitation._post_on_release(
            self.env._(
                "%(customer)s was asked to accept commit %(commit)s by %(until)s.",
                customer=f"{partner.display_name} ({email})",
                commit=invitation.revision_id.short_ref,
                until=fields.Datetime.to_string(invitation.expires_at) + " UTC",
            )
        )
        # sudo: back to the inviter's rights
        return invitation.sudo(False), link if by_hand else None

    @api.model
    def _works_here(self, partner, email):
        """Whether a link would reach somebody of the company instead of a customer."""
        # sudo: logins, also of other companies
        return bool(
            self.env["res.users"]
            .sudo()
            .search_count(
                [
                    ("share", "=", False),
                    "|",
                    ("partner_id", "=", partner.id),
                    "|",
                    ("email_normalized", "=", email),
                    ("login", "=ilike", escape_psql(email)),
                ],
                limit=1,
            )
        )

    @api.model
    def _digest(self, token):
        return hashlib.sha256(token.encode()).hexdigest()

    def _mail(self, link):
        """Send the customer their link, once this transaction is committed."""
        lang = self.partner_id.lang
        env = self.with_context(lang=lang).env if lang else self.env
        release = self.release_id
        body = Markup("<p>{}</p><p>{}</p><p><a href='{}'>{}</a></p>").format(
            self.message
            or env._(
                "Please tell us whether %(release)s of %(project)s does what was "
                "agreed.",
                release=release.name,
                project=release.project_id.name,
            ),
            env._(
                "The link is for you alone and works until %s UTC.",
                fields.Datetime.to_string(self.expires_at),
            ),
            link,
            env._("Open the acceptance criteria"),
        )
        # No template that people could edit or send again: the link must reach the
        # customer alone, and the mail is deleted once it is sent.
        # sudo: inviters may not create mails
        self.env["mail.mail"].sudo().create(
            {
                "subject": env._("Acceptance of %s", release.name),
                "body_html": body,
                "email_to": self.email,
                "email_from": self.inviter_id.email_formatted
                or self.env.company.email_formatted,
                "auto_delete": True,
            }
        )

    def _post_on_release(self, text, partners=()):
        # sudo: inviters may not post there
        self.release_id.sudo().message_post(
            body=text,
            partner_ids=list(partners),
            subtype_xmlid="mail.mt_note",
        )

    def action_revoke(self):
        """Button: the link works no more.

        :raises AccessError: for who may not ask either
        :raises UserError: when it was answered
        """
        self._require_inviter()
        self.check_access("read")
        answered = self.filtered(lambda invitation: invitation.state != "open")
        if answered:
            raise UserError(
                self.env._("%s is not open any more.", answered[0].display_name)
            )
        # sudo: the inviter's role was checked
        for invitation in self.sudo():
            invitation.system_write({"state": "revoked"})
            invitation._post_on_release(
                self.env._("The UAT link of %s was revoked.", invitation.email)
            )
        return True

    # --- answering -------------------------------------------------------------------

    @api.model
    def _of_token(self, token):
        """The invitation of a link, with all rights on it; empty when there is none."""
        if not isinstance(token, str) or not 20 <= len(token) <= 100:
            return self.browse()
        digest = self._digest(token)
        # sudo: the token is the right
        return self.sudo().search([("token_digest", "=", digest)], limit=1)

    def _refusal(self):
        """Why this invitation cannot be answered (any more), or ``None``."""
        self.ensure_one()
        if not self.release_id.is_open:
            return self.env._("This release is not open any more.")
        return {
            "expired": self.env._("This link has expired. Ask for a new one."),
            "superseded": self.env._(
                "The release has changed since you were asked. You will get a new link "
                "for what it is now."
            ),
            "revoked": self.env._("This link was withdrawn. Ask for a new one."),
            "passed": self.env._("You have answered already. Thank you."),
            "failed": self.env._("You have answered already. Thank you."),
        }.get(self.status)

    def _answer(self, results, name, comment=""):
        """Record the customer's answer as evidence of G2, for the revision they saw.

        :param dict results: criterion id to ``(result, comment)``
        :param str name: the name they sign with
        :param str comment: on the whole
        :returns: the evidence
        :raises UserError: when it cannot be answered any more
        :raises ValidationError: naming what is missing, by field
        """
        self.ensure_one()
        refusal = self._refusal()
        if refusal:
            raise UserError(refusal)
        name, comment = self._read_signature(name, comment)
        answers = self._read_results(results)
        for criterion, (result, text) in answers.items():
            criterion.system_write({"result": result, "comment": text or False})
        failed = [c for c, (result, _text) in answers.items() if result == "failed"]
        result = "failed" if failed else "passed"
        evidence = self._record_evidence(result, name, comment, answers)
        self.system_write(
            {
                "state": "answered",
                "result": result,
                "signed_name": name,
                "comment": comment or False,
                "answered_at": self.env.cr.now(),
                "evidence_id": evidence.id,
            }
        )
        summary = self.env._(
            "UAT by %(customer)s: %(passed)s of %(total)s criteria passed.",
            customer=f"{name} ({self.email})",
            passed=len(answers) - len(failed),
            total=len(answers),
        )
        self._post_on_release(summary, self.inviter_id.partner_id.ids)
        return evidence

    def _read_signature(self, name, comment):
        name = " ".join((name or "").split())
        # Invisible characters would make it look like another name.
        if not 2 <= len(name) <= 100 or not name.isprintable():
            raise ValidationError(
                self.env._("Name: sign with your name, 2 to 100 characters.")
            )
        return name, self._read_text(comment, self.env._("Comment"))

    def _read_text(self, text, field):
        text = (text or "").replace("\r\n", "\n").strip()
        try:
            return readers.text(text) if text else ""
        except readers.Invalid as invalid:
            message = f"{field}: {invalid.problems[0][1]}"
            # The message is the contract's own, the same on every transport.
            raise ValidationError(message) from invalid  # pylint: disable=translation-required

    def _read_results(self, results):
        """Each criterion with its result and comment; all must have been answered."""
        answers = {}
        for criterion in self.criterion_ids:
            result, text = results.get(criterion.id, (None, ""))
            if result not in RESULTS:
                raise ValidationError(
                    self.env._(
                        "%s: choose whether it passed or failed.", criterion.name
                    )
                )
            text = self._read_text(text, criterion.name)
            if result == "failed" and not text:
                raise ValidationError(
                    self.env._("%s: say what went wrong.", criterion.name)
                )
            answers[criterion] = (result, text)
        return answers

    def _record_evidence(self, result, name, comment, answers):
        """Record the answer as evidence that carries all of it as a file."""
        statement = {
            "invitation": self.uuid,
            "release": self.release_id.uuid,
            "source_ref": self.revision_id.source_ref,
            "customer": self.partner_id.display_name,
            "email": self.email,
            "link": self.link_by,
            "invited_by": self.inviter_id.login,
            "signed_name": name,
            "answered_at": f"{self.env.cr.now().isoformat()}Z",
            "result": result,
            "comment": comment,
            "criteria": [
                {"criterion": c.name, "result": answered, "comment": text}
                for c, (answered, text) in answers.items()
            ],
        }
        content = json.dumps(statement, ensure_ascii=False, indent=2).encode()
        passed = sum(1 for each, _text in answers.values() if each == "passed")
        type_ = self.env.ref("ipai_release_gates.evidence_type_uat_summary")
        gate = self.env["ipai.gate"].search([("code", "=", "G2")], limit=1)
        return self.env["ipai.evidence"].system_create(
            [
                {
                    "release_id": self.release_id.id,
                    "revision_id": self.revision_id.id,
                    "type_id": type_.id,
                    "type_code": type_.code,
                    "gate_id": gate.id,
                    "source_system": "manual",
                    "recorded_by_id": self.env.uid,
                    "recorded_at": self.env.cr.now(),
                    "content": base64.b64encode(content),
                    "filename": f"uat-{self.uuid}.json",
                    "sha256": hashlib.sha256(content).hexdigest(),
                    "size": len(content),
                    "metadata": {
                        "result": result,
                        "passed": passed,
                        "failed": len(answers) - passed,
                        "customer": self.partner_id.display_name,
                        "signed_name": name,
                        "link": self.link_by,
                    },
                }
            ]
        )
