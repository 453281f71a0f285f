"""G1–G4, stages, requirements and personas come with the addon and stay as edited."""

import json

from odoo.tests import TransactionCase
from odoo.tools import convert_file

from ..tables import tables

MODULE = "ipai_release_gates"
DATA = (
    "expertise_domains",
    "personas",
    "persona_expertise",
    "persona_contracts",
    "evidence_types",
    "gates",
    "stages",
)

#: parameter in the tables → field
FIELDS = {
    "distinct_from_gate": "distinct_from_gate_id.code",
    "environment": "environment_category",
    "evidence_type": "evidence_type_id.code",
    "persona": "approval_persona_id.code",
    "prior_gate": "prior_gate_id.code",
}
#: What a requirement has of which the table says nothing.
USUAL = {
    "active": True,
    "approval_persona_id.code": False,
    "check_name": False,
    "distinct_from_gate_id.code": False,
    "evidence_type_id.code": False,
    "freshness_hours": 0,
    "min_count": 1,
    "prior_gate_id.code": False,
    "waivable": True,
}
PERSONAS = {
    "developer": "Odoo Platform Developer",
    "qa_tester": "Odoo QA / Release Tester",
    "release_manager": "Odoo Release Manager",
    "sre": "Odoo Platform SRE / System Administrator",
}
#: domain → its primary persona, those who share in it
DOMAINS = {
    "odoo.devx.ci_cd": ("developer", {"qa_tester"}),
    "odoo.devx.debugging": ("developer", {"sre"}),
    "odoo.qa.automation": ("qa_tester", {"developer"}),
    "odoo.qa.staging_validation": ("qa_tester", {"release_manager"}),
    "odoo.release.orchestration": ("release_manager", set()),
    "odoo.release.governance": ("release_manager", {"qa_tester"}),
    "odoo.sre.backup_recovery": ("sre", set()),
    "odoo.sre.monitoring_performance": ("sre", set()),
    "odoo.sre.network_dns_mail": ("sre", set()),
    "odoo.platform.environment_governance": ("sre", {"developer", "release_manager"}),
}
EVIDENCE_TYPES = {
    "build_log",
    "check_status",
    "test_result",
    "coverage_report",
    "acceptance_criteria",
    "defect_register",
    "uat_summary",
    "approval_record",
    "rollback_plan",
    "release_notes",
    "health_check",
    "monitoring_baseline",
    "fallback_timer",
    "restore_drill",
    "incident_report",
    "sbom",
    "vulnerability_scan",
    "provenance",
    "reference",
}
MODELS = (
    "ipai.gate",
    "ipai.gate.requirement",
    "ipai.release.stage",
    "ipai.persona",
    "ipai.persona.contract",
    "ipai.persona.expertise",
    "ipai.expertise.domain",
    "ipai.evidence.type",
)


class TestPolicyData(TransactionCase):
    def _all(self, model):
        return self.env[model].with_context(active_test=False).search([])

    def _reload(self):
        """Load the data files as an upgrade of the addon does."""
        for name in DATA:
            convert_file(self.env, MODULE, f"data/{name}.xml", {}, mode="update")
        self.env.invalidate_all()

    # --- values ----------------------------------------------------------------------

    def test_there_are_the_four_gates_in_order(self):
        found = [(gate.code, gate.name) for gate in self._all("ipai.gate")]
        expected = [(gate.code, gate.name) for gate in tables.GATES.values()]
        self.assertEqual(found, expected)

    def test_each_gate_has_the_requirements_of_the_gate_table(self):
        for gate in self._all("ipai.gate"):
            row = tables.GATES[gate.code]
            expected = {**row.requirements, **row.dormant}
            requirements = gate.with_context(active_test=False).requirement_ids
            self.assertEqual(requirements.mapped("code"), list(expected), gate.code)
            for requirement in requirements:
                with self.subTest(gate=gate.code, requirement=requirement.code):
                    self._compare(requirement, expected[requirement.code])

    def _compare(self, requirement, expected):
        """Compare a requirement with the kind and parameters of the table."""
        expected = {FIELDS.get(name, name): value for name, value in expected.items()}
        if "metadata_match" in expected:
            expected["metadata_match"] = json.dumps(expected["metadata_match"])
        for path, value in {**USUAL, **expected}.items():
            found = requirement
            for name in path.split("."):
                found = found[name]
            self.assertEqual(found, value, path)

    def test_every_requirement_has_an_accountable_persona_and_a_domain(self):
        codes = set(PERSONAS)
        for requirement in self._all("ipai.gate.requirement"):
            self.assertIn(requirement.accountable_persona_id.code, codes)
            self.assertIn(requirement.expertise_domain_id.code, DOMAINS)

    def test_the_stages_are_those_of_the_stage_table_in_order(self):
        stages = self._all("ipai.release.stage")
        self.assertEqual(stages.mapped("code"), list(tables.STAGES))
        for stage in stages:
            row = tables.STAGES[stage.code]
            with self.subTest(stage=stage.code):
                own = row.gates[-1] if row.gates else False
                self.assertEqual(stage.gate_id.code, own)
                self.assertEqual(stage._gates_to_enter().mapped("code"), [*row.gates])
                self.assertEqual(set(stage.persona_ids.mapped("code")), row.movers)
                self.assertEqual(stage.environment_category, row.environment or False)
                self.assertEqual(stage.is_closing, stage.code == "closed")
                self.assertEqual(
                    stage.pulls_back, stage.code not in ("production", "closed")
                )

    def test_there_are_exactly_four_personas_each_held_by_its_group(self):
        personas = self._all("ipai.persona")
        self.assertEqual({p.code: p.name for p in personas}, PERSONAS)
        for persona in personas:
            group = self.env.ref(f"{MODULE}.group_{persona.code}")
            self.assertEqual(persona.group_id, group)
            self.assertTrue(persona.mission)

    def test_there_are_exactly_ten_expertise_domains(self):
        domains = self._all("ipai.expertise.domain")
        self.assertEqual(set(domains.mapped("code")), set(DOMAINS))
        self.assertEqual(len(domains), 10)
        self.assertTrue(all(domains.mapped("scope")))

    def test_each_domain_is_held_as_the_table_of_the_domain_says(self):
        for domain in self._all("ipai.expertise.domain"):
            held = {
                level: set(found.persona_id.mapped("code"))
                for level, found in domain.expertise_ids.grouped("level").items()
            }
            primary, shared = DOMAINS[domain.code]
            with self.subTest(domain=domain.code):
                self.assertEqual(held.pop("primary"), {primary})
                self.assertEqual(held.pop("shared", set()), shared)

    def test_each_persona_has_a_complete_contract_in_force(self):
        for persona in self._all("ipai.persona"):
            contract = persona.contract_id
            with self.subTest(persona=persona.code):
                self.assertEqual((contract.state, contract.version), ("active", "1.0"))
                self.assertFalse(contract.missing)
                self.assertEqual(persona.contract_ids, contract)
                self.assertEqual(persona.mission, contract.mission)

    def test_there_are_the_types_of_evidence_of_the_domain(self):
        codes = self._all("ipai.evidence.type").mapped("code")
        self.assertEqual(set(codes), EVIDENCE_TYPES)
        self.assertEqual(len(codes), len(EVIDENCE_TYPES))

    # --- upgrades --------------------------------------------------------------------

    def test_every_definition_is_protected_from_upgrades(self):
        for model in MODELS:
            records = self._all(model)
            data = self.env["ir.model.data"].search(
                [("module", "=", MODULE), ("model", "=", model)]
            )
            self.assertEqual(set(data.mapped("res_id")), set(records.ids), model)
            self.assertTrue(all(data.mapped("noupdate")), model)

    def test_an_upgrade_keeps_what_governance_changed(self):
        gate = self.env.ref(f"{MODULE}.gate_g1")
        stage = self.env.ref(f"{MODULE}.stage_production")
        requirement = self.env.ref(f"{MODULE}.requirement_g2_test_evidence")
        type_ = self.env.ref(f"{MODULE}.evidence_type_sbom")
        persona = self.env.ref(f"{MODULE}.persona_sre")
        domain = self.env.ref(f"{MODULE}.domain_devx_ci_cd")
        gate.name = "Our Build"
        stage.write({"persona_ids": [(5,)], "sequence": 45})
        requirement.write({"active": False, "freshness_hours": 8})
        type_.metadata_schema = '{"type": "object"}'
        persona.name = "Ours"
        domain.scope = "Ours"
        self._reload()
        self.assertEqual(gate.name, "Our Build")
        self.assertEqual((stage.persona_ids.ids, stage.sequence), ([], 45))
        self.assertEqual((requirement.active, requirement.freshness_hours), (False, 8))
        self.assertEqual(type_.metadata_schema, '{"type": "object"}')
        self.assertEqual((persona.name, domain.scope), ("Ours", "Ours"))

    def test_an_upgrade_changes_and_adds_nothing(self):
        before = {model: self._all(model).read() for model in MODELS}
        self._reload()
        self.assertEqual({model: self._all(model).read() for model in MODELS}, before)
