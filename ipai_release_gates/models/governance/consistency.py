import json

from odoo import api, models

from ... import consistency

_MODULE = "ipai_release_gates"
#: Groups whose members sign nothing, with any persona; the first is that of service
#: accounts, which sign nothing by any other group either.
_SIGN_NOTHING = ("group_ci_service", "group_auditor", "group_governance_admin")


class Consistency(models.AbstractModel):
    """The governance model of this database as plain values, and what is wrong in it.

    The values are gathered in a number of queries that does not grow with the model.
    """

    _name = "ipai.consistency"
    _description = "Consistency of the governance model"

    @api.model
    def _findings(self):
        """What contradicts itself in the governance model.

        :returns: list of ``consistency.Finding``, each at a ``consistency.Record``
        """
        return consistency.model_findings(self._model())

    @api.model
    def _model(self):
        """The governance model, as a ``consistency.Model``."""
        # sudo: the whole model is read
        env = self.sudo().with_context(lang=None, active_test=True).env
        # sudo: the whole model is read
        every = self.sudo().with_context(lang=None, active_test=False).env
        return consistency.Model(
            gates=tuple(
                consistency.Gate(gate.id, gate.code, gate.name, gate.sequence)
                for gate in env["ipai.gate"].search([])
            ),
            requirements=tuple(
                map(_requirement, env["ipai.gate.requirement"].search([]))
            ),
            # With the archived personas among the movers.
            stages=tuple(map(_stage, every["ipai.release.stage"].search([]))),
            personas=self._personas(every["ipai.persona"].search([])),
            evidence_types=tuple(
                consistency.EvidenceType(
                    type_.id,
                    type_.code,
                    type_.name,
                    type_.active,
                    json.loads(type_.metadata_schema or "null"),
                )
                for type_ in every["ipai.evidence.type"].search([])
            ),
            domains=tuple(
                consistency.Domain(domain.id, domain.code, domain.name)
                for domain in env["ipai.expertise.domain"].search([])
            ),
            projects=tuple(
                consistency.Project(
                    project.id,
                    project.name,
                    project._required_check_names(),
                    project.confirmation_hours,
                )
                for project in env["ipai.project"].search([])
            ),
            holders=self._holders(env["ipai.persona.expertise"].search([])),
            kinds=env["ipai.gate.requirement"]._kinds_by_code(),
        )

    @api.model
    def _holders(self, expertise):
        """Who holds which domain: pairs of persona code and level, by domain code."""
        holders = {}
        for held in expertise:
            pair = (held.persona_id.code, held.level)
            holders.setdefault(held.domain_id.code, []).append(pair)
        return holders

    @api.model
    def _personas(self, personas):
        """The personas with the people who could sign as them.

        :param personas: ``ipai.persona`` records, as superuser
        """
        groups = personas.env["res.groups"]
        found = [self.env.ref(f"{_MODULE}.{name}", False) for name in _SIGN_NOTHING]
        silent = groups.browse(group.id for group in found if group)
        service = found[0] or groups
        members = (personas.group_id | service)._role_members()
        services = {uid for uid, group_id in members if group_id == service.id}
        person_of = personas.env["ipai.release"]._person_keys(
            {uid for uid, _group_id in members} - services
        )
        return tuple(
            consistency.Persona(
                persona.id,
                persona.code,
                persona.name,
                persona.group_id.name,
                active=persona.active,
                may_sign=persona.group_id not in silent,
                people=frozenset(
                    person_of[uid]
                    for uid, group_id in members
                    if group_id == persona.group_id.id and uid in person_of
                ),
                has_contract=bool(persona.contract_id),
            )
            for persona in personas
        )


def _requirement(requirement):
    """A requirement with the parameters of its kind; others mean nothing."""
    values = {
        parameter.name: value for parameter, value in requirement._parameter_values()
    }
    return consistency.Requirement(
        id=requirement.id,
        gate=requirement.gate_id.code,
        code=requirement.code,
        name=requirement.name,
        kind=requirement.kind,
        accountable=requirement.accountable_persona_id.code,
        domain=requirement.expertise_domain_id.code,
        check_name=values.get("check_name"),
        evidence_type=values.get("evidence_type"),
        metadata_match=values.get("metadata_match") or {},
        persona=values.get("approval_persona"),
        min_count=values.get("min_count", 1),
        distinct_from_gate=values.get("distinct_from_gate"),
        prior_gate=values.get("prior_gate"),
        environment=values.get("environment_category"),
        deployment_aspect=values.get("deployment_aspect"),
        freshness_hours=_hours(values.get("freshness_hours")),
        soak_hours=_hours(values.get("soak_hours")),
    )


def _hours(time):
    return time.total_seconds() / 3600 if time else 0.0


def _stage(stage):
    return consistency.Stage(
        id=stage.id,
        code=stage.code,
        name=stage.name,
        gate=stage.gate_id.code or None,
        movers=tuple(stage.persona_ids.mapped("code")),
        environment=stage.environment_category or None,
        is_closing=stage.is_closing,
    )
