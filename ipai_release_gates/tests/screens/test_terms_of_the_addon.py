"""The addon in French, as a French-speaking release manager sees it.

A translation of a definition is a change of policy, which the ledger records.
"""

import json

from odoo.exceptions import AccessError, UserError
from odoo.tests import HttpCase, tagged

from ..common import MODULE
from ..ledger.test_governance_chain import GovernanceCase

FRENCH = "fr_FR"


class FrenchCase(GovernanceCase):
    """French is installed, with the addon's terms."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["res.lang"]._activate_lang(FRENCH)
        module = cls.env["ir.module.module"]._get(MODULE)
        module._update_translations([FRENCH])
        (cls.rm | cls.dev | cls.governance).lang = FRENCH

    def in_french(self, records, user=None):
        """Records as the web client of a French-speaking user has them."""
        user = user or self.rm
        return records.with_user(user).with_context(lang=user.lang)


class TestFrench(FrenchCase):
    def test_the_menus_lead_to_the_board_in_french(self):
        menus = self.in_french(self.env["ir.ui.menu"]).load_menus(False)
        names = {menu.get("name") for menu in menus.values()}
        self.assertLessEqual({"Jalons de version", "Tableau", "Rapports"}, names)
        self.assertFalse({"Board", "Reporting", "Release Gates"} & names)
        action = self.env.ref(f"{MODULE}.ipai_release_action")
        self.assertEqual(action.with_context(lang=FRENCH).name, "Tableau des versions")

    def test_the_columns_of_the_board_are_in_french(self):
        self.open_release()
        board = self.in_french(self.env["ipai.release"])
        # As the board reads them: stages without a release are columns too.
        board = board.with_context(read_group_expand=True)
        groups = board.web_read_group([], ["stage_id"], ["__count"])["groups"]
        self.assertEqual(
            [group["stage_id"][1] for group in groups],
            [
                "Build",
                "Validation QA",
                "Acceptation en préproduction",
                "Production",
                "Clôturé",
            ],
        )

    def test_a_refused_move_is_explained_in_french(self):
        release = self.open_release("Tournée")
        with self.assertRaises(UserError) as caught:
            self.in_french(release).action_advance()
        message = str(caught.exception)
        self.assertIn(
            "Tournée ne peut pas passer à l’étape Validation QA\u00a0:", message
        )
        data = caught.exception.context["refusal"]
        self.assertEqual(data["stage"]["name"], "Validation QA")
        # Codes are the same in every language.
        self.assertEqual(data["stage"]["code"], "qa_validation")
        missing = "Aucune vérification `build` réussie pour la révision "
        self.assertIn(f"  - G1: {missing}{release.short_ref}", message)
        self.assertEqual(
            data["releases"][0]["reasons"][0]["reason"],
            f"{missing}{release.short_ref}",
        )

    def test_blocking_reasons_are_stored_in_english_and_shown_in_french(self):
        release = self.open_release("Tournée")
        kept = release.blocking_summary
        self.assertIn("G1: No successful `build` check for revision", kept)
        shown = self.in_french(release).blocking_text
        self.assertIn("G1: Aucune vérification `build` réussie pour la", shown)
        self.assertEqual(kept.endswith("(+2)"), shown.endswith("(+2)"))
        row = release.release_gate_ids.filtered(lambda r: r.gate_id.code == "G2")
        self.assertIn("No acceptance criteria recorded for G2", row.blocking_reasons)
        shown = self.in_french(row).blocking_text
        self.assertIn("Aucune preuve «\u00a0critères d’acceptation\u00a0»", shown)
        self.assertEqual(
            shown.count("\n"), row.blocking_reasons.count("\n"), "a line each"
        )
        self.env.flush_all()
        summary = self.env["ipai.report.gate.summary"].search(
            [("release_gate_id", "=", row.id)]
        )
        self.assertEqual(self.in_french(summary).blocking_text, shown)
        # Users who read English, and reasons stored without terms, have the text.
        self.assertEqual(release.blocking_text, kept)
        release.system_write({"blocking_terms": False})
        self.assertEqual(self.in_french(release).blocking_text, kept)

    def test_the_gate_panel_and_the_dossier_give_reasons_in_french(self):
        release = self.open_release("Tournée")
        french = self.in_french(release)
        for gates in (
            french.verdict_tree,
            self.in_french(
                self.env["report.ipai_release_gates.dossier"]
            )._get_report_values(release.ids)["dossiers"][release.id]["gates"],
        ):
            reasons = [c["reason"] for gate in gates for c in gate["conditions"]]
            self.assertIn("Aucun incident bloquant n’est ouvert", reasons)
        english = [
            condition["reason"]
            for gate in release.with_user(self.auditor).verdict_tree
            for condition in gate["conditions"]
        ]
        self.assertIn("No blocking incident is open", english)

    def test_the_facade_and_the_ledger_give_reasons_in_english(self):
        release = self.open_release("Tournée")
        plane = self.in_french(self.env["ipai.control.plane"])
        told = json.dumps(plane.verdict(release.uuid, "production"))
        self.assertIn("No blocking incident is open", told)
        self.pass_g1(release)
        self.check(release, "unit_tests", "fail")
        entry = release.ledger_entry_ids.filtered(lambda e: e.kind == "gate_reopened")
        self.assertIn("The latest `unit_tests` check", str(entry.mapped("body")))

    def test_a_refusal_names_the_personas_in_french(self):
        release = self.bring_to(self.open_release(), "qa_validation")
        self.pass_g2(release)
        with self.assertRaises(UserError) as caught:
            self.in_french(release, self.dev).action_advance()
        self.assertIn(
            "Acceptation en préproduction est réservé à\u00a0: Release manager Odoo",
            str(caught.exception),
        )

    def test_labels_helps_and_selections_are_in_french(self):
        fields = self.in_french(self.env["ipai.release"]).fields_get()
        self.assertEqual(fields["stage_id"]["string"], "Étape")
        self.assertIn("Le changer rouvre les jalons", fields["source_ref"]["help"])
        self.assertIn(("cancelled", "Annulé"), fields["status"]["selection"])
        risks = self.in_french(self.env["ipai.exception"]).fields_get(["risk_level"])
        self.assertEqual(
            [label for _value, label in risks["risk_level"]["selection"]],
            ["Faible", "Moyen", "Élevé", "Critique"],
        )

    def test_the_form_is_in_french(self):
        arch = self.in_french(self.env["ipai.release"]).get_view(view_type="form")[
            "arch"
        ]
        self.assertIn('string="Décider"', arch)
        self.assertIn("Abandonner cette version\u00a0?", arch)
        self.assertNotIn("Give this release up", arch)

    def test_an_error_is_in_french(self):
        release = self.open_release("Copie")
        with self.assertRaisesRegex(UserError, "ne peut pas être dupliquée"):
            self.in_french(release).copy()
        with self.assertRaisesRegex(UserError, "40 ou 64 chiffres hexadécimaux"):
            self.in_french(release).source_ref = "main"

    def test_gates_and_requirements_have_french_names(self):
        gate = self.in_french(self.gates["G4"])
        self.assertEqual(
            gate.display_name, "G4 Confirmation opérationnelle après déploiement"
        )
        requirement = self.env.ref(f"{MODULE}.requirement_g2_qa_signoff")
        self.assertEqual(self.in_french(requirement).name, "Visé par un testeur QA")

    def test_the_language_of_the_user_changes_no_verdict(self):
        release = self.open_release()
        english = {
            (gate.code, condition.code, condition.state)
            for gate in self.judged(release).gates
            for condition in gate.conditions
        }
        verdict = self.in_french(release)._verdicts()[release.id]
        self.assertEqual(
            {(g.code, c.code, c.state) for g in verdict.gates for c in g.conditions},
            english,
        )


class TestTranslatedPolicy(FrenchCase):
    def test_the_ledger_records_the_language_of_a_changed_name(self):
        gate = self.gates["G1"].with_user(self.governance)
        names = {"en_US": "Build Proof", FRENCH: "Preuve du build"}
        entries = self.added(lambda: gate.update_field_translations("name", names))
        self.assertEqual(
            [(e["kind"], e["body"]["before"], e["body"]["after"]) for e in entries],
            [
                (
                    "policy_changed",
                    {"name": "Build Integrity"},
                    {"name": "Build Proof"},
                ),
                (
                    "policy_changed",
                    {"name": "Intégrité du build"},
                    {"name": "Preuve du build"},
                ),
            ],
        )
        self.assertEqual(gate.with_context(lang=FRENCH).name, "Preuve du build")

    def test_a_translation_without_a_change_is_not_recorded(self):
        gate = self.gates["G1"].with_user(self.governance)
        same = {FRENCH: "Intégrité du build"}
        self.assertEqual(
            self.added(lambda: gate.update_field_translations("name", same)), []
        )

    def test_users_who_may_not_define_gates_may_not_translate_them(self):
        gate = self.in_french(self.gates["G1"])
        with self.assertRaises(AccessError):
            gate.update_field_translations("name", {FRENCH: "Sans contrôle"})


@tagged("post_install", "-at_install")
class TestFrenchWebClient(HttpCase, FrenchCase):
    def test_the_web_client_gets_the_terms_of_its_scripts_in_french(self):
        self.authenticate(self.rm.login, self.rm.login)
        answer = self.url_open(
            f"/web/webclient/translations?mods={MODULE}&lang={FRENCH}"
        )
        messages = json.loads(answer.text)["modules"][MODULE]["messages"]
        terms = {message["id"]: message["string"] for message in messages}
        self.assertEqual(terms["Give a reason"], "Donner une raison")  # a script's
        self.assertEqual(terms["Open the release"], "Ouvrir la version")  # a template's
        self.assertEqual(
            terms["%(met)s of %(all)s met"], "%(met)s remplies sur %(all)s"
        )
