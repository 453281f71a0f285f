from collections import defaultdict
from datetime import datetime, timedelta

from odoo import api, models
from odoo.tools import SQL

from ... import policy
from .deciding_facts import deciding_facts

#: How far ahead windows that recur are looked at, and a forecast holds.
_LOOK_AHEAD = timedelta(days=30)

#: A change window without any occurrence still says that nothing is promoted.
_NEVER = (datetime.min, datetime.min)


class Release(models.Model):
    """Gathering facts for the policy core, and its verdicts as data.

    A fixed number of queries whatever the number of releases and of facts.
    """

    _inherit = "ipai.release"

    def _verdicts(self):
        """Judge these releases on freshly gathered facts.

        :returns: dict of release id to :class:`policy.Verdict` over all gates
        """
        # Which facts count must not depend on what the asking person may read.
        releases = self.sudo()
        gates = releases._gate_definitions()
        kinds = releases.env["ipai.gate.requirement"]._kinds_by_code()
        now = self.env.cr.now()
        return {
            facts.release: policy.evaluate(gates, facts, now, kinds)
            for facts in releases._gather_facts()
        }

    def _forecasts(self):
        """Judge these releases, and say what time alone will make of it.

        :returns: dict of release id to ``(verdict, steps, rejudge_at)``: steps as of
            :func:`policy.forecast`, and when the release must be judged again
        """
        # As for a verdict: which facts count does not depend on who asks.
        releases = self.sudo()
        gates = releases._gate_definitions()
        kinds = releases.env["ipai.gate.requirement"]._kinds_by_code()
        now = self.env.cr.now()
        # By the day, so that judging again the same day changes nothing.
        at_latest = datetime.combine(now + _LOOK_AHEAD, datetime.min.time())
        forecasts = {}
        for facts in releases._gather_facts():
            verdict, steps = policy.forecast(gates, facts, now, kinds)
            ends = [step[0] for step in steps[:1]]
            ends += filter(None, [policy.horizon(gates, facts, now, kinds)])
            forecasts[facts.release] = verdict, steps, min([*ends, at_latest])
        return forecasts

    @api.model
    def _gate_definitions(self):
        """The gates in force as plain values, in order."""
        gates = self.env["ipai.gate"].search_fetch([], ["code", "name", "sequence"])
        # Archived ones are not in force, whatever context the caller sends.
        in_force = self.env["ipai.gate.requirement"].with_context(active_test=True)
        requirements = defaultdict(list)
        for requirement in in_force.search_fetch([], in_force._policy_fields()):
            requirements[requirement.gate_id].append(requirement._policy_value())
        return tuple(
            policy.Gate(gate.code, gate.name, gate.sequence, tuple(requirements[gate]))
            for gate in gates
        )

    def _gather_facts(self):
        """Gather what can decide a verdict on each of these releases.

        :returns: list of :class:`policy.ReleaseFacts`, one per release
        """
        if not self:
            return []
        self.env.flush_all()
        recorded = defaultdict(lambda: defaultdict(list))
        for release_id, kind, fact in self.env.execute_query(
            deciding_facts(tuple(self.ids))
        ):
            recorded[release_id][kind].append(fact)
        freezes = self._current_freezes()
        emails = {e for r in self for e in r.revision_id.author_emails or []}
        resolved = self._resolve_authors(emails)
        person_of = self._person_keys(
            {uid for r in self for uid in r.revision_id.author_ids.ids}
            | set().union(*resolved.values())
            | {fact[4] for kinds in recorded.values() for fact in kinds["approval"]}
        )
        return [
            release._facts_value(recorded[release.id], freezes, resolved, person_of)
            for release in self
        ]

    def _facts_value(self, recorded, freezes, resolved, person_of):
        """What was recorded, as the policy core's plain values.

        :param recorded: lists of JSON arrays by kind, see :mod:`.deciding_facts`
        """
        ref = self.revision_id.source_ref or self.source_ref
        emails = self.revision_id.author_emails or []
        known = set(self.revision_id.author_ids.ids).union(
            *(resolved[email] for email in emails)
        )
        return policy.ReleaseFacts(
            release=self.id,
            revision=ref,
            authors=frozenset({person_of[uid] for uid in known} | set(emails)),
            unresolved_authors=frozenset(e for e in emails if not resolved[e]),
            required_checks=self.project_id._required_check_names(),
            checks=tuple(
                policy.Check(id_, ref, name, status, _instant(at), gate, environment)
                for id_, name, status, at, gate, environment in recorded["check"]
            ),
            evidence=tuple(
                policy.Evidence(id_, ref, type_, _instant(at), gate, metadata or {})
                for id_, type_, at, gate, metadata in recorded["evidence"]
            ),
            approvals=tuple(
                policy.Approval(
                    id_,
                    ref,
                    gate,
                    persona,
                    decision,
                    person_of[uid],
                    _instant(at),
                    service,
                )
                for id_, gate, persona, decision, uid, at, service in recorded[
                    "approval"
                ]
            ),
            deployments=tuple(
                policy.Deployment(id_, ref, where, status, *map(_instant, instants))
                for id_, where, status, *instants in recorded["deployment"]
            ),
            incidents=tuple(
                policy.Incident(id_, name, severity, True, False)
                for id_, name, severity in recorded["incident"]
            ),
            freezes=tuple(
                freeze
                for project, freeze in freezes
                if project in (None, self.project_id.id)
            ),
            controls=tuple(
                policy.EnvironmentControl(
                    id_, where, name, status, _instant(at), _instant(until)
                )
                for id_, where, name, status, at, until in recorded["control"]
            ),
            drills=tuple(
                policy.Drill(id_, where, type_, successful, _instant(at))
                for id_, where, type_, successful, at in recorded["drill"]
            ),
            reviews=tuple(
                policy.PendingReview(id_, f"EX-{id_}", _instant(due))
                for id_, due in recorded["review"]
            ),
            grants=tuple(
                policy.Grant(
                    id_,
                    ref,
                    frozenset(gates or ()),
                    _instant(start),
                    _instant(end),
                    frozenset(map(tuple, requirements or ())),
                )
                for id_, start, end, gates, requirements in recorded["grant"]
            ),
        )

    def _current_freezes(self):
        """Freezes and change windows, as ``(project id or None, policy.Freeze)``."""
        now = self.env.cr.now()
        Window = self.env["ipai.freeze.window"]
        windows = Window._in_force(now, now + _LOOK_AHEAD)
        return [
            (project, policy.Freeze(id_, name, starts_at, ends_at, kind, category))
            for project, category, (id_, name, kind, *_named, occurrences) in (
                Window._by_target(windows)
            )
            for starts_at, ends_at in occurrences or [_NEVER]
        ]

    # --- people ----------------------------------------------------------------------

    @api.model
    def _resolve_authors(self, emails):
        """Find the users behind commit addresses.

        :param emails: iterable of lower-case addresses
        :returns: dict of each address to the set of ids of users with that login, that
            e-mail or an alias for it; archived users too; empty when nobody is known
        """
        resolved = {email: set() for email in emails}
        if not resolved:
            return resolved
        self.env["res.users"].flush_model(["login", "partner_id"])
        self.env["res.partner"].flush_model(["email", "email_normalized"])
        self.env["ipai.author.alias"].flush_model()
        for address, user_id in self.env.execute_query(
            SQL(
                """
                SELECT lower(p.email), u.id
                  FROM res_users u JOIN res_partner p ON p.id = u.partner_id
                 WHERE lower(p.email) IN %(emails)s
                 UNION
                SELECT p.email_normalized, u.id
                  FROM res_users u JOIN res_partner p ON p.id = u.partner_id
                 WHERE p.email_normalized IN %(emails)s
                 UNION SELECT lower(login), id FROM res_users
                 WHERE lower(login) IN %(emails)s
                 UNION SELECT lower(email), user_id FROM ipai_author_alias
                 WHERE lower(email) IN %(emails)s
                """,
                emails=tuple(resolved),
            )
        ):
            resolved[address].add(user_id)
        return resolved

    @api.model
    def _person_keys(self, user_ids):
        """Who is behind an account: accounts with one e-mail address are one person.

        :returns: dict of user id to key
        """
        if not user_ids:
            return {}
        self.env["res.users"].flush_model(["login", "partner_id"])
        self.env["res.partner"].flush_model(["email", "email_normalized"])
        # Normalised, because “Dana <dana@example.com>” is dana@example.com.
        return dict(
            self.env.execute_query(
                SQL(
                    """
                    SELECT u.id,
                           lower(coalesce(
                               nullif(p.email_normalized, ''),
                               nullif(trim(p.email), ''),
                               u.login
                           ))
                      FROM res_users u JOIN res_partner p ON p.id = u.partner_id
                     WHERE u.id IN %s
                    """,
                    tuple(user_ids),
                )
            )
        )

    # --- verdicts as data ------------------------------------------------------------

    @api.model
    def _verdict_data(self, verdict, said=str):
        """A verdict as the JSON-ready list of gates that the contract describes.

        :param said: function that gives the text of a reason; of itself it is English
        """
        return [
            {
                "code": gate.code,
                "name": gate.name,
                "status": gate.status,
                "conditions": [
                    {
                        "code": condition.code,
                        "name": condition.name,
                        "kind": condition.kind,
                        "state": condition.state,
                        "reason": said(condition.reason),
                        "waived_until": (
                            f"{condition.waived_until.isoformat()}Z"
                            if condition.waived_until
                            else ""
                        ),
                        "facts": [
                            {"kind": kind, "id": fact_id}
                            for kind, fact_id in (
                                *condition.facts,
                                *(
                                    [("exception", condition.waived_by)]
                                    if condition.waived_by
                                    else []
                                ),
                            )
                        ],
                    }
                    for condition in gate.conditions
                ],
            }
            for gate in verdict.gates
        ]

    def _confirm_deployments(self, verdicts):
        """Stamp the production deployments whose G4 outcome was just reached.

        :param verdicts: dict of release id to :class:`policy.Verdict`
        :returns: the releases of those that were stamped as confirmed
        """
        confirmed = self.browse()
        stages = self.env["ipai.release.stage"]._in_order()
        for gate in stages.filtered("is_closing").gate_id:
            for release in self:
                judged = verdicts[release.id].gate(gate.code)
                deployed = [
                    fact_id
                    for condition in judged.conditions
                    for kind, fact_id in condition.facts
                    if kind == "deployment"
                ]
                if not deployed:
                    continue
                deployment = self.env["ipai.deployment"].browse(max(deployed))
                status = "passed" if judged.open else "pending"
                if judged.status == "failed":
                    status = "failed"
                vals = {} if deployment.g4_status == status else {"g4_status": status}
                # Contradicted since and mended: the record keeps when it was first.
                if judged.open and not deployment.confirmed_at:
                    vals["confirmed_at"] = verdicts[release.id].evaluated_at
                    confirmed |= release
                if vals:
                    deployment.system_write(vals)
        return confirmed


def _instant(text):
    return datetime.fromisoformat(text) if text else None
