from collections import defaultdict
from datetime import timedelta

from odoo import api, models
from odoo.tools import SQL

from ... import policy


class Release(models.Model):
    """Gathering facts for the policy core, and its verdicts as data.

    A fixed number of queries whatever the number of releases and of facts: of each
    kind only those that can decide are read, the latest of a name or type for the
    current revision.
    """

    _inherit = "ipai.release"

    def _verdicts(self):
        """Judge these releases on freshly gathered facts.

        :returns: dict of release id to :class:`policy.Verdict` over all gates
        """
        # Which facts count must not depend on what the asking person may read.
        releases = self.sudo()
        gates = releases._gate_definitions()
        now = self.env.cr.now()
        return {
            facts.release: policy.evaluate(gates, facts, now)
            for facts in releases._gather_facts()
        }

    @api.model
    def _gate_definitions(self):
        """The gates in force as plain values, in order."""
        gates = self.env["ipai.gate"].search_fetch([], ["code", "name", "sequence"])
        # Archived ones are not in force, whatever context the caller sends.
        in_force = self.env["ipai.gate.requirement"].with_context(active_test=True)
        requirements = defaultdict(list)
        for requirement in in_force.search_fetch([], in_force._policy_fields):
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
        ids = tuple(self.ids)
        checks = self._deciding_checks(ids)
        evidence = self._deciding_evidence(ids)
        approvals = self._deciding_approvals(ids)
        deployments = self._deciding_deployments(ids)
        incidents = self._open_incidents(ids)
        freezes = self._current_freezes()
        emails = {e for r in self for e in r.revision_id.author_emails or []}
        resolved = self._resolve_authors(emails)
        person_of = self._person_keys(
            {uid for r in self for uid in r.revision_id.author_ids.ids}
            | set().union(*resolved.values())
            | {row[4] for rows in approvals.values() for row in rows}
        )
        return [
            release._facts_value(
                checks,
                evidence,
                approvals,
                deployments,
                incidents,
                freezes,
                resolved,
                person_of,
            )
            for release in self
        ]

    def _facts_value(
        self,
        checks,
        evidence,
        approvals,
        deployments,
        incidents,
        freezes,
        resolved,
        person_of,
    ):
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
                policy.Check(
                    id_, ref, name, status, at, gate or None, environment or None
                )
                for id_, name, status, at, gate, environment in checks[self.id]
            ),
            evidence=tuple(
                policy.Evidence(id_, ref, type_, at, gate or None, metadata or {})
                for id_, type_, at, gate, metadata in evidence[self.id]
            ),
            approvals=tuple(
                policy.Approval(
                    id_, ref, gate, persona, decision, person_of[uid], at, service
                )
                for id_, gate, persona, decision, uid, at, service in approvals[self.id]
            ),
            deployments=tuple(
                policy.Deployment(id_, ref, *details)
                for id_, *details in deployments[self.id]
            ),
            incidents=tuple(
                policy.Incident(id_, name, severity, True, False)
                for id_, name, severity in incidents[self.id]
            ),
            freezes=tuple(
                freeze
                for projects, freeze in freezes
                if not projects or self.project_id.id in projects
            ),
        )

    # --- one query per kind of fact --------------------------------------------------

    def _by_release(self, query):
        """Rows of a query grouped by their first column, the release id."""
        grouped = defaultdict(list)
        for release_id, *row in self.env.execute_query(query):
            grouped[release_id].append(row)
        return grouped

    def _deciding_checks(self, ids):
        return self._by_release(
            SQL(
                """
                SELECT DISTINCT ON (c.release_id, c.name, c.environment_category)
                       c.release_id, c.id, c.name, c.status, c.recorded_at, g.code,
                       c.environment_category
                  FROM ipai_check c
                  JOIN ipai_release r ON r.id = c.release_id
                                     AND r.revision_id = c.revision_id
             LEFT JOIN ipai_gate g ON g.id = c.gate_id
                 WHERE c.release_id IN %s
              ORDER BY c.release_id, c.name, c.environment_category, c.id DESC
                """,
                ids,
            )
        )

    def _deciding_evidence(self, ids):
        return self._by_release(
            SQL(
                """
                SELECT DISTINCT ON (e.release_id, e.type_code, e.gate_id)
                       e.release_id, e.id, e.type_code, e.recorded_at, g.code,
                       e.metadata
                  FROM ipai_evidence e
                  JOIN ipai_release r ON r.id = e.release_id
                                     AND r.revision_id = e.revision_id
             LEFT JOIN ipai_gate g ON g.id = e.gate_id
                 WHERE e.release_id IN %s
              ORDER BY e.release_id, e.type_code, e.gate_id, e.id DESC
                """,
                ids,
            )
        )

    def _deciding_approvals(self, ids):
        return self._by_release(
            SQL(
                """
                SELECT DISTINCT ON (a.release_id, a.gate_id, a.approver_id)
                       a.release_id, a.id, g.code, p.code, a.decision, a.approver_id,
                       a.recorded_at, a.service_account
                  FROM ipai_approval a
                  JOIN ipai_release r ON r.id = a.release_id
                                     AND r.revision_id = a.revision_id
                  JOIN ipai_gate g ON g.id = a.gate_id
                  JOIN ipai_persona p ON p.id = a.persona_id
                 WHERE a.release_id IN %s
              ORDER BY a.release_id, a.gate_id, a.approver_id, a.id DESC
                """,
                ids,
            )
        )

    def _deciding_deployments(self, ids):
        return self._by_release(
            SQL(
                """
                SELECT DISTINCT ON (d.release_id, e.category)
                       d.release_id, d.id, e.category, d.status, d.deployed_at,
                       d.confirmation_due_at, d.confirmed_at, d.recorded_at
                  FROM ipai_deployment d
                  JOIN ipai_environment e ON e.id = d.environment_id
                  JOIN ipai_release r ON r.id = d.release_id
                                     AND r.revision_id = d.revision_id
                 WHERE d.release_id IN %s
              ORDER BY d.release_id, e.category, d.deployed_at DESC, d.id DESC
                """,
                ids,
            )
        )

    def _open_incidents(self, ids):
        return self._by_release(
            SQL(
                """
                SELECT r.id, i.id, i.name, i.severity
                  FROM ipai_incident i
                  JOIN ipai_release r ON r.project_id = i.project_id
                 WHERE r.id IN %s AND i.blocking AND i.resolved_at IS NULL
              ORDER BY i.id
                """,
                ids,
            )
        )

    def _current_freezes(self):
        """Freezes that have not ended, as ``(project ids, policy.Freeze)``."""
        now = self.env.cr.now()
        Window = self.env["ipai.freeze.window"]
        return [
            (
                {project} - {None},
                policy.Freeze(window[0], window[1], starts_at, ends_at),
            )
            for project, category, window in Window._by_target(
                Window._in_force(now, now + timedelta(days=35))
            )
            if window[2] == "deny" and category in (None, "production")
            for starts_at, ends_at in window[5]
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
    def _verdict_data(self, verdict):
        """A verdict as the JSON-ready list of gates that the contract describes."""
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
                        "reason": condition.reason,
                        "waived_until": (
                            f"{condition.waived_until.isoformat()}Z"
                            if condition.waived_until
                            else ""
                        ),
                        "facts": [
                            {"kind": kind, "id": fact_id}
                            for kind, fact_id in condition.facts
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
        """
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
                if vals:
                    deployment.engine_write(vals)
