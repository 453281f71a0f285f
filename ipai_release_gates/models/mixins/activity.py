from itertools import islice

from odoo import api, fields, models

#: Of one persona, no more people than these are asked about one record.
AT_MOST = 5


class ActivityMixin(models.AbstractModel):
    """Activities that follow from how a record stands, and end with it.

    Whose turn it is, is worked out anew each time and compared with the activities
    that are open. So it does not matter how often that is done, nor after what.
    """

    _name = "ipai.activity.mixin"
    _description = "Activities that follow from the state of records"

    @api.model
    def _people_for(self, persona, release, may):
        """Whom to ask of the people who hold a persona.

        Those close to the release, its owner first and the members of its project; if
        none of them may act, the others. Neither archived nor service accounts.

        :param persona: ``ipai.persona`` record
        :param release: ``ipai.release`` record
        :param may: called with a user, whether they may do what is asked
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
        """Bring the activities of one type on these records to what is wanted.

        Nobody has two of them on one record. One that is wanted still is kept, with
        what it says brought up to date.

        :param str type_xmlid: of a ``mail.activity.type``
        :param dict wanted: by record id, dicts of user to ``(summary, deadline)``;
            without a deadline it is today, and a later time does not move it
        :param why_over: called with a record, why an activity on it is done with
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
