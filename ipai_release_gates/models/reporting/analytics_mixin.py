from odoo import api, fields, models
from odoo.exceptions import AccessError
from odoo.tools import SQL, drop_view_if_exists

#: The fields of a release that every view reads.
RELEASE_FIELDS = (
    "project_id",
    "company_id",
    "stage_id",
    "user_id",
    "is_open",
    "active",
    "revision_id",
)


class AnalyticsViewMixin(models.AbstractModel):
    """An SQL view: the database computes its rows when they are read.

    A subclass gives the query (:meth:`_query`) and names in ``_depends`` the fields
    that Odoo flushes before it reads the view. No user and no code may write a row.
    """

    _name = "ipai.report.view.mixin"
    _description = "Report"
    _log_access = False

    def init(self):
        if self._abstract:
            return
        drop_view_if_exists(self.env.cr, self._table)
        self.env.cr.execute(
            SQL("CREATE VIEW %s AS (%s)", SQL.identifier(self._table), self._query())
        )

    @api.model
    def _query(self):
        """The query of this view.

        :returns: :class:`odoo.tools.SQL` with a column per stored field
        """
        raise NotImplementedError

    @api.model_create_multi
    def create(self, vals_list):
        raise self._refusal()

    def write(self, vals):
        raise self._refusal()

    def copy(self, default=None):
        raise self._refusal()

    def unlink(self):
        raise self._refusal()

    def _refusal(self):
        return AccessError(
            self.env._(
                "“%s” is a report: it follows from what was recorded, and nobody "
                "writes it.",
                self._description,
            )
        )


class AnalyticsMixin(models.AbstractModel):
    """An SQL view on releases; the alias of the release in its query is ``r``."""

    _name = "ipai.report.mixin"
    _description = "Report on releases"
    _inherit = "ipai.report.view.mixin"
    _rec_name = "release_id"

    #: The field with the record that a row describes.
    _subject = "release_id"

    release_id = fields.Many2one("ipai.release", readonly=True)
    project_id = fields.Many2one("ipai.project", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    stage_id = fields.Many2one("ipai.release.stage", readonly=True)
    owner_id = fields.Many2one("res.users", string="Release owner", readonly=True)
    is_open = fields.Boolean(
        string="Open release",
        readonly=True,
        help="Neither closed nor cancelled nor archived.",
    )

    #: The columns of the fields above.
    _release_columns = SQL(
        "r.id AS release_id, r.project_id, r.company_id, r.stage_id,"
        " r.user_id AS owner_id,"
        " (r.is_open IS TRUE AND r.active IS TRUE) AS is_open"
    )

    def action_open_record(self):
        """Open the record that this row describes."""
        self.ensure_one()
        return self[self._subject].get_formview_action()
