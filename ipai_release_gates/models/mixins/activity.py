from itertools import islice

from odoo import api, fields, models

#: Of one persona, no more people than these are asked about one record.
AT_MOST = 5


class ActivityMixin(models.AbstractModel):
    """Activities that follow from the state of a record, and end with it.

    Each update computes who must act now and compares that with the open activities, so
    it can be repeated at any time.
    """

    _name = "ipai.activity.mixin"
    _description = "Activities that follow from the state of records"

    @api.model
    def _people_for(self, persona, release, may):
        """The holders of a persona who get an activity.

        First the owner of the release and the members of its project; if none of them
        may act, the others. Archived users and service accounts get none.

        :param persona: ``ipai.persona`` record
        :param release: ``ipai.release`` record
        :param may: called with a user, returns whether they may act
        :returns: ``res.users`` records, :data:`AT_MOST` of them
        """
        holders = (persona.active and persona.group_id.all_user_ids) or self.env[
            "res.users"
        ]
        holders = holders.filtered(self._can_be_asked)
        owner = release.user_id
        for people in (holders & (owner | release.project_id.member_ids), holders):
            in_order = sorted(people, key=lambda user: (user != owner, user.id))
            asked = list(islice(filter(may, in_order), AT_MOST))
            if asked:
                return holders.browse().union(*asked)
        return holders.browse()

    @api.model
    def _can_be_asked(self, user):
        return (
            user.active
            and not user.share
            and not user.has_group("ipai_release_gates.group_ci_service")
        )

    def _settle_activities(self, type_xmlid, wanted, why_over):
        """Create, update and close the activities of one type on these records.

        Each user has one of them per record at most. One that is still wanted is kept
        and updated.

        :param str type_xmlid: of a ``mail.activity.type``
        :param dict wanted: by record id, dicts of user to ``(summary, deadline)``;
            without a deadline it is the day of creation
        :param why_over: called with a record, returns the feedback of its closed
            activities
        """
        type_ = self.env.ref(type_xmlid)
        Activity = self.env["mail.activity"].with_context(active_test=True)
        missing = {(id_, user) for id_ in self.ids for user in wanted.get(id_, ())}
        over = {}
        for activity in Activity.search(
            [
                ("res_model", "=", self._name),
                ("res_id", "in", self.ids),
                ("activity_type_id", "=", type_.id),
                ("automated", "=", True),
            ],
            order="id",
        ):
            key = activity.res_id, activity.user_id
            if key not in missing:
                over.setdefault(activity.res_id, Activity.browse())
                over[activity.res_id] += activity
                continue
            missing.remove(key)
            summary, deadline = wanted[activity.res_id][activity.user_id]
            said = {"summary": summary, "date_deadline": deadline}
            changed = {k: v for k, v in said.items() if v and activity[k] != v}
            if changed:
                activity.write(changed)
        for id_, activities in over.items():
            activities.action_feedback(feedback=why_over(self.browse(id_)))
        model = self.env["ir.model"]._get(self._name)
        Activity.create(
            [
                {
                    "activity_type_id": type_.id,
                    "automated": True,
                    "res_model_id": model.id,
                    "res_id": id_,
                    "user_id": user.id,
                    "summary": wanted[id_][user][0],
                    "date_deadline": wanted[id_][user][1] or fields.Date.today(),
                }
                for id_, user in sorted(missing, key=lambda key: (key[0], key[1].id))
            ]
        )
