from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError
from odoo.fields import Domain
from odoo.tools import SQL

from odoo.addons.ipai_release_gates.models.selections import (
    COMMIT_PATTERN,
    ENVIRONMENT_CATEGORIES,
)

from .. import github

_CHANNEL = "root.ipai"
#: Who may have GitHub answered again.
_ANSWERERS = (
    "ipai_release_gates.group_release_manager",
    "ipai_release_gates.group_sre",
    "ipai_release_gates.group_governance_admin",
)


class GithubProtection(models.Model):
    """A job at GitHub that waits to deploy, and what it was answered.

    GitHub keeps a request open until it is approved or rejected; both are final for
    it. As long as it is open here, each change of the gates is answered again.
    """

    _name = "ipai.github.protection"
    _description = "Deployment that GitHub asks about"
    _inherit = ["ipai.guarded.mixin", "ipai.scheduled.mixin"]
    _order = "id desc"

    project_id = fields.Many2one(
        "ipai.project", required=True, readonly=True, ondelete="restrict", index=True
    )
    company_id = fields.Many2one(
        related="project_id.company_id", store=True, index=True
    )
    delivery = fields.Char(
        required=True, readonly=True, help="GitHub's id of the webhook delivery."
    )
    run = fields.Char(
        string="Workflow run", required=True, readonly=True, help="Its id at GitHub."
    )
    environment = fields.Char(
        string="Environment at GitHub", required=True, readonly=True
    )
    event = fields.Char(readonly=True, help="What triggered the workflow.")
    ref = fields.Char(string="Branch or tag", readonly=True)
    source_ref = fields.Char(string="Commit", required=True, readonly=True)
    short_ref = fields.Char(string="Short commit", compute="_compute_short_ref")
    callback_url = fields.Char(string="Callback", required=True, readonly=True)
    installation = fields.Char(required=True, readonly=True)
    deployment = fields.Char(readonly=True, help="Its id at GitHub.")
    requested_at = fields.Datetime(string="Requested", required=True, readonly=True)
    release_id = fields.Many2one(
        "ipai.release",
        readonly=True,
        ondelete="restrict",
        index=True,
        help="Whose verdict was answered; empty as long as no release has the commit.",
    )
    target = fields.Selection(
        ENVIRONMENT_CATEGORIES, string="Judged for", readonly=True
    )
    state = fields.Selection(
        [
            ("waiting", "Waiting"),
            ("approved", "Approved"),
            ("rejected", "Rejected"),
            ("abandoned", "Abandoned"),
        ],
        required=True,
        readonly=True,
        default="waiting",
        index=True,
        help="What GitHub took last. Abandoned: it takes no answer, or gets none.",
    )
    is_settled = fields.Boolean(
        string="Settled",
        readonly=True,
        help="GitHub takes no further answer to this request.",
    )
    is_overdue = fields.Boolean(
        string="Overdue",
        readonly=True,
        help="It has waited for longer than its repository lets jobs wait.",
    )
    comment = fields.Text(
        string="Last answer", readonly=True, help="As it was sent, in Markdown."
    )
    answered_at = fields.Datetime(string="Answered", readonly=True)
    report_count = fields.Integer(
        string="Reports", readonly=True, help="GitHub takes 10 of them."
    )
    attempt_count = fields.Integer(
        string="Failed attempts", readonly=True, help="Since the last one that worked."
    )
    next_try_at = fields.Datetime(string="Next attempt", readonly=True)
    problem = fields.Char(readonly=True, help="What is in the way, and the way out.")

    _delivery_unique = models.Constraint(
        "UNIQUE (project_id, delivery)", "A delivery of GitHub is recorded once."
    )
    _source_ref_format = models.Constraint(
        f"CHECK (source_ref ~ '{COMMIT_PATTERN}')",
        "GitHub names the full SHA of a commit.",
    )
    _answered = models.Constraint(
        "CHECK (state NOT IN ('approved', 'rejected') OR answered_at IS NOT NULL)",
        "What was approved or rejected was answered.",
    )
    _open_requests = models.Index(
        "(project_id, source_ref) WHERE is_settled IS NOT TRUE"
    )

    @api.depends("source_ref")
    def _compute_short_ref(self):
        for protection in self:
            protection.short_ref = (protection.source_ref or "")[:7]

    @api.depends("environment", "run")
    def _compute_display_name(self):
        for protection in self:
            protection.display_name = f"{protection.environment} · {protection.run}"

    # --- requests --------------------------------------------------------------------

    @api.model
    def _requested(self, source, delivery, payload):
        """Take the request of a verified ``deployment_protection_rule`` delivery.

        Nothing is sent from here: the answer is a job of this transaction. The same
        delivery again changes nothing, unless it was given up: then it is asked again.

        :param source: ``ipai.webhook.source`` whose secret signed the delivery
        :param str delivery: GitHub's id of the delivery
        :param payload: decoded JSON
        :returns: ``{"status": "accepted" | "duplicate" | "rejected", "message", …}``
        """
        # sudo: the signature proves that GitHub asks
        protections, project = self.sudo(), source.sudo().project_id
        known = protections.search(
            [("project_id", "=", project.id), ("delivery", "=", delivery)], limit=1
        )
        if known.state == "abandoned":
            return known._ask_again()
        if known:
            return {"status": "duplicate", "protection": known.id, "state": known.state}
        try:
            request = github.read_request(payload)
        except github.Invalid as problem:
            return {
                "status": "rejected",
                "field": problem.field,
                "message": str(problem),
            }
        repository = self.env["ipai.github.repository"]._of(project)
        run, problem = protections._run_or_problem(repository, request)
        protection = protections.system_create(
            [
                {
                    "project_id": project.id,
                    "delivery": delivery,
                    "run": run or "0",
                    "environment": request.environment,
                    "event": request.event,
                    "ref": request.ref,
                    "source_ref": request.source_ref,
                    "callback_url": request.callback_url,
                    "installation": request.installation,
                    "deployment": request.deployment,
                    "requested_at": self.env.cr.now(),
                    "state": "waiting" if run else "abandoned",
                    "is_settled": not run,
                    "problem": problem,
                }
            ]
        )
        if not run:
            return {
                "status": "rejected",
                "protection": protection.id,
                "message": problem,
            }
        protection._answer_later()
        return {
            "status": "accepted",
            "protection": protection.id,
            "state": protection.state,
        }

    def _ask_again(self):
        """What becomes of a request that was given up, as things stand now."""
        repository = self.env["ipai.github.repository"]._of(self.project_id)
        _run, problem = self._run_or_problem(repository, self)
        if problem:
            self.system_write({"problem": problem})
            return {"status": "rejected", "protection": self.id, "message": problem}
        self._retry()
        return {"status": "accepted", "protection": self.id, "state": self.state}

    @api.model
    def _run_or_problem(self, repository, request):
        """The run a request may be answered for, or why it is not answered.

        :param repository: ``ipai.github.repository``, maybe empty
        :param request: :class:`github.Request`, or a record of this model
        :returns: ``(run, None)`` or ``(None, problem)``
        """
        if not repository:
            return None, self.env._(
                "The project has no repository at GitHub: governance adds one in "
                "Configuration → GitHub → Repositories; then the job is run again."
            )
        if request.installation != repository.installation:
            return None, self.env._(
                "It comes from installation %(other)s, not from %(own)s, so it is not "
                "answered.",
                other=request.installation,
                own=repository.installation,
            )
        try:
            run = github.run_of(
                request.callback_url, repository.app_id.api_url, repository.name
            )
        except github.Invalid as problem:
            return None, self.env._(
                "It asks for an answer elsewhere, so it is not answered: %s",
                str(problem),
            )
        return run, None

    # --- what is answered, and when --------------------------------------------------

    @api.model
    def _live(self, domain):
        """The requests that GitHub may still take an answer to.

        :param domain: which of them
        """
        return self.search(Domain("is_settled", "=", False) & Domain(domain))

    @api.model
    def _of_releases(self, release_ids):
        """The live requests that what happened to some releases may concern.

        Those of a commit that one of them has or had, and those answered for it.
        """
        self.flush_model()
        self.env["ipai.revision"].flush_model()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT DISTINCT p.id
                  FROM ipai_github_protection p
                  JOIN ipai_release r
                    ON r.project_id = p.project_id AND r.id IN %s
                 WHERE p.is_settled IS NOT TRUE
                   AND (p.release_id = r.id OR EXISTS (
                        SELECT 1 FROM ipai_revision v
                         WHERE v.release_id = r.id AND v.source_ref = p.source_ref))
              ORDER BY p.id
                """,
                tuple(release_ids),
            )
        )
        return self.browse([row[0] for row in rows])

    def _answer_later(self, eta=None):
        """Have GitHub answered by jobs that this transaction enqueues.

        Once per transaction and request. Never “unless one is pending already”: that
        one may run before this transaction is committed, and would not see it.

        :param eta: how long to wait
        """
        if not self:
            return
        transaction = self.env.execute_query(SQL("SELECT pg_current_xact_id()::text"))
        for protection in self:
            key = f"ipai.github/protection/{protection.id}/{transaction[0][0]}"
            protection.with_delay(
                channel=_CHANNEL,
                description=f"Answer GitHub: {protection.display_name}",
                eta=eta,
                # Tried until GitHub takes no answer any more; see ``_answer``.
                max_retries=0,
                identity_key=f"{key}/{eta}" if eta else key,
            )._answer()

    @api.model
    def _answer_overdue(self):
        """Have those answered that have waited for too long (scheduled).

        Not by jobs that are enqueued for the deadline: the runner of queue_job sleeps
        until the next job that is put off, and would leave what died with its server
        until then.
        """
        now = self.env.cr.now()
        for repository in self.env["ipai.github.repository"].search([]):
            hours = timedelta(hours=repository.deadline_hours)
            self._work_through(
                [
                    ("project_id", "=", repository.project_id.id),
                    ("state", "=", "waiting"),
                    ("is_settled", "=", False),
                    ("is_overdue", "=", False),
                    ("requested_at", "<=", now - hours),
                ],
                "_become_overdue",
            )

    def _become_overdue(self):
        self.system_write({"is_overdue": True})
        self._answer_later()

    def _retry(self):
        """Answer requests as if none of them had been tried or given up."""
        self.system_write(
            {"next_try_at": False, "attempt_count": 0, "is_settled": False}
        )
        self.filtered(lambda p: p.state == "abandoned").system_write(
            {"state": "waiting"}
        )
        self._answer_later()

    def action_answer(self):
        """Button: have GitHub answered again, now.

        :raises AccessError: for who may not
        """
        self.check_access("read")
        if not any(self.env.user.has_group(group) for group in _ANSWERERS):
            raise AccessError(
                self.env._(
                    "Only release managers, SREs and governance have GitHub answered "
                    "again."
                )
            )
        # The answer is the verdict at the time of the job.
        # sudo: the user's role was checked
        self.sudo()._retry()
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "info",
                "message": self.env._("GitHub is answered as soon as a job is free."),
                "next": {"type": "ir.actions.client", "tag": "soft_reload"},
            },
        }
