from collections import defaultdict
from datetime import datetime, timedelta

from odoo import api, models, tools
from odoo.tools import SQL

from ... import policy
from . import fact_kinds

#: How far ahead windows that recur are looked at, and a forecast holds.
_LOOK_AHEAD = timedelta(days=30)

#: A change window without any occurrence still says that nothing is promoted.
_NEVER = (datetime.min, datetime.min)


class Release(models.Model):
    """Gathering facts for the policy core, and its verdicts as data.

    A fixed number of queries for any number of releases and of facts.
    """

    _inherit = "ipai.release"

    def _verdicts(self):
        """Judge these releases on freshly gathered facts.

        :returns: dict of release id to :class:`policy.Verdict` over all gates
        """
        # sudo: verdicts depend on all facts
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
        # sudo: verdicts depend on all facts
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
        # Archived ones are not in force; the context of the caller does not count.
        in_force = self.env["ipai.gate.requirement"].with_context(active_test=True)
        requirements = defaultdict(list)
        for requirement in in_force.search_fetch([], in_force._policy_fields()):
            requirements[requirement.gate_id].append(requirement._policy_value())
        return tuple(
            policy.Gate(gate.code, gate.name, gate.sequence, tuple(requirements[gate]))
            for gate in gates
        )

    # --- kinds -----------------------------------------------------------------------

    @api.model
    def _fact_kinds(self):
        """The kinds of facts of this database.

        Hook: a satellite adds its own to what ``super()`` returns; its plain values
        reach judges by ``facts.of(code)``.

        :returns: tuple of :class:`.fact_kinds.FactKind`
        """
        return fact_kinds.KINDS

    @api.model
    @tools.ormcache()
    def _fact_kinds_by_code(self):
        """The kinds of :meth:`_fact_kinds` by code."""
        return {kind.code: kind for kind in self._fact_kinds()}

    @api.model
    @tools.ormcache()
    def _deciding_facts_query(self):
        """One statement for the facts of every kind that can decide a verdict.

        :returns: SQL text with the parameter ``ids``; rows of release id, code of the
            kind and a JSON object
        """
        return " UNION ALL ".join(
            f"(SELECT release_id, '{kind.code}', fact FROM ({kind.sql}) {kind.code}_)"
            for kind in self._fact_kinds()
            if kind.sql
        )

    # --- facts -----------------------------------------------------------------------

    def _gather_facts(self):
        """Gather what can decide a verdict on each of these releases.

        :returns: list of :class:`policy.ReleaseFacts`, one per release
        """
        if not self:
            return []
        self.env.flush_all()
        kinds = self._fact_kinds_by_code()
        recorded = defaultdict(lambda: defaultdict(list))
        user_ids = {uid for r in self for uid in r.revision_id.author_ids.ids}
        for release_id, code, fact in self.env.execute_query(
            SQL(self._deciding_facts_query(), ids=tuple(self.ids))
        ):
            recorded[release_id][code].append(fact)
            user_ids.update(fact[key] for key in kinds[code].people)
        freezes = self._current_freezes()
        emails = {e for r in self for e in r.revision_id.author_emails or []}
        resolved = self._resolve_authors(emails)
        person_of = self._person_keys(user_ids.union(*resolved.values()))
        return [
            release._facts_value(recorded[release.id], freezes, resolved, person_of)
            for release in self
        ]

    def _facts_value(self, recorded, freezes, resolved, person_of):
        """The facts of this release as plain values.

        :param recorded: lists of JSON objects by code of their kind
        :param freezes: see :meth:`_current_freezes`
        :param resolved: ids of users by commit address
        :param person_of: key of the person by id of the user
        """
        ref = self.revision_id.source_ref or self.source_ref
        emails = self.revision_id.author_emails or []
        known = set(self.revision_id.author_ids.ids).union(
            *(resolved[email] for email in emails)
        )
        binding = fact_kinds.Binding(ref, person_of)
        kinds = self._fact_kinds_by_code()
        values = {
            code: tuple(kinds[code].value(fact, binding) for fact in facts)
            for code, facts in recorded.items()
        }
        values["freeze"] = tuple(
            freeze
            for project, freeze in freezes
            if project in (None, self.project_id.id)
        )
        return policy.ReleaseFacts.gathered(
            values,
            release=self.id,
            revision=ref,
            authors=frozenset({person_of[uid] for uid in known} | set(emails)),
            unresolved_authors=frozenset(e for e in emails if not resolved[e]),
            required_checks=self.project_id._required_check_names(),
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
