"""Facts and cases: what the database refuses, for every kind of fact there is."""

import psycopg2

from odoo.tools import SQL, mute_logger

from ..common import GateCase

#: Models that decide a verdict by their own state, each change in the ledger.
CASES = {"ipai.deployment", "ipai.exception", "ipai.incident"}
#: Models that configure: not facts, although verdicts name their records.
CONFIGURED = {"ipai.environment.control", "ipai.freeze.window"}


class FactsOfEveryKind(GateCase):
    @classmethod
    def drill_values(cls):
        """Values of a successful drill."""
        return {
            "environment_id": cls.environments["staging"].id,
            "drill_type": "backup_restore",
            "outcome": "success",
            "restore_validated": True,
            "log_url": "https://ci.example.com/drill",
            "criterion_ids": [(0, 0, {"name": "Starts", "met": True})],
        }


class TestAppendOnly(FactsOfEveryKind):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.release = cls.open_release()
        cls.pass_gates(cls.release, "G1", "G2", "G3")
        cls.deploy(cls.release, "succeeded", external_id="d1")
        cls.grant(cls.release, "G4")
        cls.env["ipai.incident"].with_user(cls.sre).create(
            {"release_id": cls.release.id, "name": "Down"}
        )
        cls.env["ipai.recovery.drill"].with_user(cls.sre).create(cls.drill_values())
        controls = cls.env["ipai.environment.control"].search(
            [("kind", "!=", "lifetime"), ("project_id", "=", cls.project.id)]
        )
        controls[0].with_user(cls.sre).record_check("fail", "Mail leaves.")
        cls.kinds = cls.env["ipai.release"]._fact_kinds()

    def models_of_facts(self):
        """Models of the registered kinds, less what is configured."""
        return {kind.model for kind in self.kinds} - CONFIGURED

    def refused(self, statement):
        with (
            self.undone(),
            mute_logger("odoo.sql_db"),
            self.assertRaises(psycopg2.errors.InsufficientPrivilege),
        ):
            self.env.cr.execute(statement)

    def test_every_fact_is_append_only_in_the_database(self):
        facts = self.models_of_facts() - CASES
        self.assertLessEqual(
            {"ipai.check", "ipai.evidence", "ipai.approval", "ipai.recovery.drill"},
            facts,
        )
        for model in facts:
            table = SQL.identifier(self.env[model]._table)
            self.env.cr.execute(SQL("SELECT count(*) FROM %s", table))
            with self.subTest(model=model):
                self.assertTrue(self.env.cr.fetchone()[0], "nothing to attack")
                self.refused(SQL("UPDATE %s SET id = id", table))
                self.refused(SQL("DELETE FROM %s", table))
                self.refused(SQL("TRUNCATE %s CASCADE", table))

    def test_no_case_can_be_deleted_in_the_database(self):
        for model in CASES:
            table = SQL.identifier(self.env[model]._table)
            with self.subTest(model=model):
                self.env.cr.execute(SQL("UPDATE %s SET id = id", table))
                self.assertTrue(self.env.cr.rowcount, "nothing to attack")
                self.refused(SQL("DELETE FROM %s", table))
                self.refused(SQL("TRUNCATE %s CASCADE", table))

    def test_a_fact_is_a_fact_or_a_case_and_never_both(self):
        registry = self.registry
        for model in self.models_of_facts():
            with self.subTest(model=model):
                is_case = issubclass(registry[model], registry["ipai.case.mixin"])
                sealed = issubclass(registry[model], registry["ipai.append.only.mixin"])
                self.assertEqual(is_case, model in CASES)
                self.assertNotEqual(is_case, sealed)

    def test_every_fact_is_recorded_in_a_chain_and_compared_with_it(self):
        entries = self.env["ipai.ledger.entry"]
        for kind in self.kinds:
            if kind.ledger is None or kind.model not in self.models_of_facts():
                continue
            record = self.env[kind.model].search([], limit=1, order="id desc")
            with self.subTest(kind=kind.code):
                entry = entries.search(
                    [("subject", "=", f"{record._name},{record.id}")], limit=1
                )
                self.assertIn(entry.kind, kind.ledger.kinds)
                self.assertIn(f'"{kind.ledger.column}":', entry.body)
                self.assertEqual(bool(entry.release_id), kind.ledger.chain == "release")


class TestDrillsAndControlsInTheLedger(FactsOfEveryKind):
    """Drills and checks of controls are verified against the governance chain."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.drill = (
            cls.env["ipai.recovery.drill"].with_user(cls.sre).create(cls.drill_values())
        )
        controls = cls.env["ipai.environment.control"].search(
            [("kind", "!=", "lifetime"), ("project_id", "=", cls.project.id)]
        )
        controls[0].with_user(cls.sre).record_check("fail", "Mail leaves.")
        cls.control = controls[0]

    def faults(self):
        _count, faults = self.env["ipai.ledger.verification"]._inspect_governance()
        return " ".join(fault.message for fault in faults)

    def tamper(self, table, statement):
        """Run SQL as somebody who can switch the triggers of a table off."""
        self.env.flush_all()
        identifier = SQL.identifier(table)
        self.env.cr.execute(SQL("ALTER TABLE %s DISABLE TRIGGER USER", identifier))
        self.env.cr.execute(statement)
        self.env.cr.execute(SQL("ALTER TABLE %s ENABLE TRIGGER USER", identifier))

    def test_a_sound_chain_agrees_with_them(self):
        self.assertEqual(self.faults(), "")

    def test_an_outcome_changed_behind_the_ledger_is_found(self):
        self.tamper(
            "ipai_recovery_drill", "UPDATE ipai_recovery_drill SET outcome = 'failure'"
        )
        self.assertIn("The outcome of ipai.recovery.drill", self.faults())

    def test_a_check_that_the_ledger_does_not_know_is_found(self):
        self.env.cr.execute(
            "INSERT INTO ipai_control_check (environment_id, kind, status, checked_at,"
            " checked_by_id, source_system) SELECT environment_id, kind, 'pass', now(),"
            " checked_by_id, source_system FROM ipai_control_check LIMIT 1"
        )
        self.assertIn("The ledger does not know ipai.control.check", self.faults())

    def test_a_check_that_is_gone_is_found(self):
        self.tamper("ipai_control_check", "DELETE FROM ipai_control_check")
        self.assertIn("ipai.control.check", self.faults())
        self.assertIn("no longer there", self.faults())

    def test_a_control_is_judged_by_its_checks_and_not_by_what_it_repeats(self):
        release = self.open_release()
        self.env.cr.execute("UPDATE ipai_environment_control SET status = 'pass'")
        (facts,) = release.sudo()._gather_facts()
        found = {
            control.status
            for control in facts.controls
            if control.name.endswith(self.control.kind)
        }
        self.assertIn("fail", found)
