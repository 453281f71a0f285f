from psycopg2.errors import UniqueViolation

from odoo import api, fields, models
from odoo.exceptions import AccessError
from odoo.tools import mute_logger

from ... import consistency


class ConsistencyFinding(models.Model):
    """A contradiction in the governance model: where it is, and the way out.

    Opening the list checks the model at that moment. A finding that is found no more
    is kept as resolved; when it comes back it counts as a new one.
    """

    _name = "ipai.consistency.finding"
    _description = "Consistency finding"
    _inherit = "ipai.guarded.mixin"
    _order = "severity, place, id"
    _rec_name = "message"

    code = fields.Char(required=True, readonly=True)
    severity = fields.Selection(
        [(consistency.ERROR, "Error"), (consistency.WARNING, "Warning")],
        required=True,
        readonly=True,
        help="Error: releases are held or let through otherwise than is meant. "
        "Warning: it works, but not all of it can be meant.",
    )
    place = fields.Char(required=True, readonly=True)
    res_model = fields.Char(string="Model", required=True, readonly=True)
    res_id = fields.Many2oneReference(
        string="Record", model_field="res_model", required=True, readonly=True
    )
    message = fields.Char(string="What is wrong", required=True, readonly=True)
    way_out = fields.Char(required=True, readonly=True)
    company_id = fields.Many2one(
        "res.company",
        readonly=True,
        ondelete="cascade",
        help="Of a finding about one company's project; empty: it concerns all.",
    )
    found_at = fields.Datetime(string="Found", required=True, readonly=True)
    resolved_at = fields.Datetime(string="Resolved", readonly=True)
    notified_at = fields.Datetime(string="Told", readonly=True)

    _once = models.UniqueIndex(
        "(code, res_model, res_id, md5(message))", "A finding is recorded once."
    )

    # --- what is found now -----------------------------------------------------------

    @api.model
    def _refresh(self):
        """Record what is found now, and what is found no more.

        Writes nothing when nothing has changed.

        :returns: the open findings, as superuser
        """
        # sudo: findings are system records
        engine = self.sudo().with_context(active_test=False)
        known = {row._key(): row for row in engine.search([])}
        found = {_key(each): each for each in self.env["ipai.consistency"]._findings()}
        now = fields.Datetime.now()
        gone = engine.union(
            *(row for key, row in known.items() if key not in found)
        ).filtered(lambda row: not row.resolved_at)
        if gone:
            gone.system_write({"resolved_at": now})
        for key, each in found.items():
            if key in known and known[key].resolved_at:
                known[key].system_write(
                    {**engine._values(each, now), "resolved_at": False}
                )
        new = [each for key, each in found.items() if key not in known]
        try:
            with mute_logger("odoo.sql_db"), self.env.cr.savepoint():
                engine.system_create([engine._values(each, now) for each in new])
        except UniqueViolation:
            # Somebody else looked at this very moment and has recorded them.
            self.env.invalidate_all()
        return engine.search([("resolved_at", "=", False)])

    def _key(self):
        self.ensure_one()
        return self.code, self.res_model, self.res_id, self.message

    @api.model
    def _values(self, finding, now):
        place = finding.place
        record = self.env[place.model].browse(place.id)
        return {
            "code": finding.code,
            "severity": finding.severity,
            "place": f"{record._description}: {place.name}",
            "res_model": place.model,
            "res_id": place.id,
            "message": finding.message,
            "way_out": finding.way_out,
            "company_id": record.company_id.id if "company_id" in record else False,
            "found_at": now,
            "notified_at": False,
        }

    # What is shown is what is so now. With a cursor that may write: something may have
    # changed since it was last looked at.

    @api.model
    def web_search_read(self, *args, **kwargs):
        self.check_access("read")
        self._refresh()
        return super().web_search_read(*args, **kwargs)

    @api.model
    def web_read_group(self, *args, **kwargs):
        self.check_access("read")
        self._refresh()
        return super().web_read_group(*args, **kwargs)

    web_search_read._readonly = web_read_group._readonly = False

    # --- buttons ---------------------------------------------------------------------

    def action_check_now(self):
        """Check the model now, and say what came of it."""
        self.check_access("read")
        # Counted as far as the person may see.
        found = self._refresh().with_env(self.env)._filtered_access("read")
        errors = len(found.filtered(lambda row: row.severity == consistency.ERROR))
        if found:
            message = self.env._(
                "%(errors)s errors, %(warnings)s warnings.",
                errors=errors,
                warnings=len(found) - errors,
            )
        else:
            message = self.env._("The governance model does not contradict itself.")
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "danger" if errors else "warning" if found else "success",
                "message": message,
                "next": {"type": "ir.actions.client", "tag": "soft_reload"},
            },
        }

    def action_open_place(self):
        """Open the record that the finding is about."""
        self.ensure_one()
        return self.env[self.res_model].browse(self.res_id).get_formview_action()

    # --- scheduled -------------------------------------------------------------------

    @api.model
    def _check_daily(self):
        """Check the model; tell governance administrators of new errors, once.

        :raises AccessError: unless it is the scheduler who asks
        """
        if not self.env.su:
            raise AccessError(self.env._("Scheduled work is run by the scheduler."))
        errors = self._refresh().filtered(
            lambda row: row.severity == consistency.ERROR and not row.notified_at
        )
        group = self.env.ref("ipai_release_gates.group_governance_admin", False)
        people = group.all_user_ids.filtered("active") if group else None
        # Findings of one company are sent to its people only.
        for concerned in errors.grouped("company_id").values():
            self._notify_bus_and_mail(concerned, people)

    @api.model
    def _notify_bus_and_mail(self, errors, people):
        """Notify the governance administrators of a company, if there are any."""
        company = errors.company_id
        people = people and people.filtered(
            lambda user: not company or company in user.company_ids
        )
        if not (errors and people):
            return
        self.env["mail.thread"].message_notify(
            model=errors[0].res_model,
            res_id=errors[0].res_id,
            partner_ids=people.partner_id.ids,
            subject=self.env._(
                "The governance model contradicts itself: %s", errors[0].place
            ),
            body="\n".join(
                f"{row.place}: {row.message} {row.way_out}" for row in errors
            ),
        )
        errors.system_write({"notified_at": fields.Datetime.now()})


def _key(finding):
    return finding.code, finding.place.model, finding.place.id, finding.message
