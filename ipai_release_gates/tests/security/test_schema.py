"""The rules of integrity stand in the database itself.

Odoo only warns when a constraint cannot be added, so each one is looked for there.
"""

import re
import uuid

from psycopg2 import errors

from odoo.orm.table_objects import Constraint, Index
from odoo.tools import SQL, mute_logger

from ..common import GateCase, sha

#: table → the constraints that the database has, also if no model declares them
CONSTRAINTS = {
    "ipai_project": {"name_unique", "name_format", "confirmation_hours_positive"},
    "ipai_environment": {"name_unique", "keep_reason_given"},
    "ipai_environment_control": {"environment_kind_unique"},
    "ipai_recovery_drill": {"validated_restore"},
    "ipai_gate": {"code_unique", "code_format"},
    "ipai_gate_requirement": {
        "code_unique",
        "min_count_positive",
        "hours_positive",
        "needs_approval",
        "needs_prior_gate",
        "needs_soak_time",
    },
    "ipai_release_stage": {"code_unique"},
    "ipai_persona": {"code_unique"},
    "ipai_persona_contract": {
        "complete_in_force",
        "outcomes_in_force",
        "activation_known",
    },
    "ipai_persona_expertise": {"once"},
    "ipai_agent_capability": {"code_unique", "code_format"},
    "ipai_expertise_domain": {"code_unique"},
    "ipai_evidence_type": {"code_unique"},
    "ipai_freeze_window": {"ends_after_start", "recurs_in_our_time"},
    "ipai_release": {"project_name_unique", "uuid_unique", "source_ref_format"},
    "ipai_revision": {"source_ref_format"},
    "ipai_release_gate": {"release_gate_unique"},
    "ipai_evidence": {"linked", "revision_with_release", "sha256_format"},
    "ipai_approval": {"gate_scope"},
    "ipai_deployment": {"external_unique"},
    "ipai_incident": {
        "resolved_after_detected",
        "complete_postmortem",
        "severe_postmortem",
    },
    "ipai_ingest_log": {"removed_is_settled"},
    "ipai_webhook_source": {"uuid_unique", "overlap_range"},
    "ipai_settings": {"retention_range", "requests_range", "webhook_ranges"},
    "ipai_outbound_host": {
        "name_port_unique",
        "name_format",
        "port_range",
        "plain_is_internal",
    },
    "ipai_webhook_delivery": {"uuid_unique"},
    "ipai_ledger_entry": {"release_sequence_unique"},
    "ipai_ledger_head": {"chain_unique"},
    "ipai_ledger_verification": {"release_with_scope"},
}
#: index → whether it is unique
INDEXES = {
    "ipai_ingest_log_key_unique": True,
    "ipai_ingest_log_delivery_unique": True,
    "ipai_ingest_log_retained": False,
    "ipai_settings_only_one": True,
    "ipai_persona_contract_one_in_force": True,
    "ipai_persona_contract_one_draft": True,
    "ipai_persona_contract_version_unique": True,
    "ipai_persona_expertise_one_primary": True,
    "ipai_author_alias_email_unique": True,
    "ipai_webhook_endpoint_once": True,
    "ipai_webhook_delivery_once": True,
    "ipai_ledger_entry_governance_sequence_unique": True,
    "ipai_incident_external_unique": True,
    "ipai_check_latest": False,
    "ipai_evidence_latest": False,
    "ipai_approval_latest": False,
    "ipai_deployment_latest": False,
    "ipai_incident_open_blocking": False,
    "ipai_release_board": False,
}
APPEND_ONLY = (
    "ipai_approval",
    "ipai_check",
    "ipai_ledger_entry",
    "ipai_environment_event",
    "ipai_incident_entry",
)


class TestSchema(GateCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.release = cls.open_release()
        cls.pass_gates(cls.release, "G1", "G2")
        cls.deploy(cls.release, environment="staging")
        cls.env["ipai.incident"].with_user(cls.sre).create(
            {"release_id": cls.release.id, "name": "Down", "external_id": "INC-1"}
        )
        cls.drill = (
            cls.env["ipai.recovery.drill"]
            .with_user(cls.sre)
            .create(
                {
                    "environment_id": cls.environments["staging"].id,
                    "drill_type": "backup_restore",
                    "outcome": "partial",
                    "note": "The files came back, the database did not.",
                }
            )
        )
        cls.env.flush_all()

    def _constraints(self):
        self.env.cr.execute(
            "SELECT conrelid::regclass::text, conname FROM pg_constraint"
            " WHERE convalidated AND conrelid::regclass::text LIKE 'ipai\\_%'"
        )
        return set(self.env.cr.fetchall())

    def _indexes(self):
        self.env.cr.execute(
            "SELECT c.relname, i.indisunique, pg_get_indexdef(i.indexrelid)"
            " FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid"
            " WHERE i.indisvalid AND c.relname LIKE 'ipai\\_%'"
        )
        return {name: (unique, text) for name, unique, text in self.env.cr.fetchall()}

    def _refused_by_database(self, error, query, *params):
        with (
            mute_logger("odoo.sql_db"),
            self.assertRaises(error) as caught,
            self.env.cr.savepoint(),
        ):
            self.env.cr.execute(SQL(query, *params))
        return caught.exception.diag

    # --- what is declared ------------------------------------------------------------

    def test_every_declared_constraint_and_index_is_in_the_database(self):
        constraints, indexes = self._constraints(), self._indexes()
        declared = [
            (self.env[model]._table, name, each)
            for model in self.registry
            if model.startswith("ipai.") and not self.env[model]._abstract
            for name, each in self.env[model]._table_objects.items()
        ]
        self.assertGreater(len(declared), 30)
        for table, name, each in declared:
            if isinstance(each, Constraint):
                self.assertIn((table, name), constraints)
            else:
                self.assertIsInstance(each, Index)
                self.assertEqual(indexes[name][0], each.unique, name)

    def test_the_constraints_the_design_asks_for_are_in_the_database(self):
        found = self._constraints()
        for table, names in CONSTRAINTS.items():
            for name in names:
                self.assertIn((table, f"{table}_{name}"), found)

    def test_the_indexes_the_design_asks_for_are_in_the_database(self):
        found = self._indexes()
        for name, unique in INDEXES.items():
            self.assertEqual(found[name][0], unique, name)

    # --- append-only -----------------------------------------------------------------

    def test_the_append_only_triggers_are_there_and_enabled(self):
        self.env.cr.execute(
            "SELECT tgrelid::regclass::text, pg_get_triggerdef(oid) FROM pg_trigger"
            " WHERE NOT tgisinternal AND tgenabled IN ('O', 'A')"
            " AND tgrelid::regclass::text = ANY(%s)",
            [list(APPEND_ONLY)],
        )
        found = self.env.cr.fetchall()
        for table in APPEND_ONLY:
            text = " ".join(definition for name, definition in found if name == table)
            for event in ("UPDATE", "DELETE", "TRUNCATE"):
                self.assertIn(event, text, table)

    def test_what_is_append_only_refuses_update_delete_and_truncate_by_sql(self):
        for table in APPEND_ONLY:
            self.env.cr.execute(SQL("SELECT count(*) FROM %s", SQL.identifier(table)))
            self.assertTrue(self.env.cr.fetchone()[0], f"nothing to refuse in {table}")
            for query in (
                "UPDATE %s SET id = id",
                "DELETE FROM %s",
                "TRUNCATE %s CASCADE",
            ):
                diag = self._refused_by_database(
                    errors.InsufficientPrivilege, query, SQL.identifier(table)
                )
                self.assertIn("append-only", diag.message_primary)

    # --- evidence --------------------------------------------------------------------

    def _insert_evidence(self, type_code, **links):
        type_ = self.env["ipai.evidence.type"].search([("code", "=", type_code)])
        values = {
            "type_id": type_.id,
            "type_code": type_code,
            "source_system": "manual",
            "recorded_by_id": self.qa.id,
            "recorded_at": self.env.cr.now(),
            **links,
        }
        return SQL(
            "INSERT INTO ipai_evidence (%s) VALUES %s",
            SQL(", ").join(map(SQL.identifier, values)),
            tuple(values.values()),
        )

    def test_evidence_linked_to_nothing_is_refused_by_the_database(self):
        diag = self._refused_by_database(
            errors.CheckViolation, "%s", self._insert_evidence("test_result")
        )
        self.assertEqual(diag.constraint_name, "ipai_evidence_linked")

    def test_a_reference_may_be_linked_to_nothing(self):
        self.env.cr.execute(self._insert_evidence("reference"))
        self.assertEqual(self.env.cr.rowcount, 1)

    def test_evidence_on_a_gate_a_check_a_deployment_or_a_drill_is_linked(self):
        check = self.release.check_ids[0]
        deployment = self.release.deployment_ids
        for links in (
            {"gate_id": self.gates["G2"].id},
            {"check_id": check.id},
            {"deployment_id": deployment.id},
            {"drill_id": self.drill.id},
        ):
            self.env.cr.execute(self._insert_evidence("test_result", **links))

    def test_evidence_on_a_release_needs_a_revision_and_the_other_way_round(self):
        for links in (
            {"release_id": self.release.id},
            {
                "revision_id": self.release.revision_id.id,
                "gate_id": self.gates["G2"].id,
            },
        ):
            diag = self._refused_by_database(
                errors.CheckViolation,
                "%s",
                self._insert_evidence("test_result", **links),
            )
            self.assertEqual(
                diag.constraint_name, "ipai_evidence_revision_with_release"
            )

    # --- operations ------------------------------------------------------------------

    def test_the_database_refuses_what_operations_must_not_record(self):
        for table, change, name in (
            ("ipai_incident", "severity = 'high'", "severe_postmortem"),
            ("ipai_incident", "postmortem_status = 'complete'", "complete_postmortem"),
            ("ipai_environment", "keep = true", "keep_reason_given"),
            ("ipai_environment", "keep = true, keep_reason = ' '", "keep_reason_given"),
        ):
            with self.subTest(table=table, change=change):
                diag = self._refused_by_database(
                    errors.CheckViolation,
                    "UPDATE %s SET %s",
                    SQL.identifier(table),
                    SQL(change),
                )
                self.assertEqual(diag.constraint_name, f"{table}_{name}")

    def test_the_database_refuses_a_successful_restore_that_was_not_validated(self):
        for outcome in ("failure", "success"):
            statement = SQL(
                "INSERT INTO ipai_recovery_drill (environment_id, project_id,"
                " drill_type, outcome, executed_at, recorded_at, executed_by_id)"
                " SELECT id, project_id, 'backup_restore', %s, now(), now(), %s"
                " FROM ipai_environment LIMIT 1",
                outcome,
                self.sre.id,
            )
            if outcome == "failure":
                self.env.cr.execute(statement)
                self.assertEqual(self.env.cr.rowcount, 1)
                continue
            diag = self._refused_by_database(errors.CheckViolation, "%s", statement)
            self.assertEqual(
                diag.constraint_name, "ipai_recovery_drill_validated_restore"
            )

    def test_a_sha256_that_is_none_is_refused_by_the_database(self):
        diag = self._refused_by_database(
            errors.CheckViolation,
            "%s",
            self._insert_evidence("reference", sha256="abc"),
        )
        self.assertEqual(diag.constraint_name, "ipai_evidence_sha256_format")

    # --- log -------------------------------------------------------------------------

    def _insert_log(self, status, key="manual/x/evidence/1"):
        values = {
            "idempotency_key": key,
            "status": status,
            "payload_sha256": "0" * 64,
            "user_id": self.ci.id,
            "company_id": self.env.company.id,
            "received_at": self.env.cr.now(),
        }
        return SQL(
            "INSERT INTO ipai_ingest_log (%s) VALUES %s",
            SQL(", ").join(map(SQL.identifier, values)),
            tuple(values.values()),
        )

    def test_a_key_is_taken_once_among_accepted_and_pending_events_only(self):
        _unique, definition = self._indexes()["ipai_ingest_log_key_unique"]
        self.assertRegex(definition, r"\(idempotency_key\) WHERE .*accepted.*pending")
        for status in ("received", "rejected", "duplicate", "error") * 2:
            self.env.cr.execute(self._insert_log(status))
        self.env.cr.execute(self._insert_log("accepted"))
        for status in ("accepted", "pending"):
            diag = self._refused_by_database(
                errors.UniqueViolation, "%s", self._insert_log(status)
            )
            self.assertEqual(diag.constraint_name, "ipai_ingest_log_key_unique")

    # --- releases and their rows -----------------------------------------------------

    def test_a_commit_that_is_no_full_sha_is_refused_by_the_database(self):
        for table in ("ipai_release", "ipai_revision"):
            for wrong in ("main", sha("x")[:12], sha("x").upper(), sha("x") + "\n"):
                diag = self._refused_by_database(
                    errors.CheckViolation,
                    "UPDATE %s SET source_ref = %s WHERE %s = %s",
                    SQL.identifier(table),
                    wrong,
                    SQL.identifier("id" if table == "ipai_release" else "release_id"),
                    self.release.id,
                )
                self.assertEqual(diag.constraint_name, f"{table}_source_ref_format")

    def test_a_sha256_commit_is_taken_by_the_database(self):
        self.env.cr.execute(
            "UPDATE ipai_release SET source_ref = %s WHERE id = %s",
            ["ab" * 32, self.release.id],
        )

    def _copy_row(self, table, row_id, **changes):
        """An INSERT that repeats a row with some columns changed."""
        self.env.cr.execute(
            "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass"
            " AND attnum > 0 AND NOT attisdropped AND attname <> 'id'",
            [table],
        )
        columns = [name for (name,) in self.env.cr.fetchall()]
        values = [
            SQL("%s", changes[name]) if name in changes else SQL.identifier(name)
            for name in columns
        ]
        return SQL(
            "INSERT INTO %s (%s) SELECT %s FROM %s WHERE id = %s",
            SQL.identifier(table),
            SQL(", ").join(map(SQL.identifier, columns)),
            SQL(", ").join(values),
            SQL.identifier(table),
            row_id,
        )

    def test_two_releases_of_a_project_cannot_share_a_name(self):
        query = self._copy_row("ipai_release", self.release.id, uuid=str(uuid.uuid4()))
        diag = self._refused_by_database(errors.UniqueViolation, "%s", query)
        self.assertEqual(diag.constraint_name, "ipai_release_project_name_unique")

    def test_two_releases_cannot_share_a_uuid(self):
        query = self._copy_row("ipai_release", self.release.id, name="another")
        diag = self._refused_by_database(errors.UniqueViolation, "%s", query)
        self.assertEqual(diag.constraint_name, "ipai_release_uuid_unique")

    def test_a_release_has_one_row_per_gate(self):
        row = self.release.release_gate_ids[0]
        query = self._copy_row("ipai_release_gate", row.id)
        diag = self._refused_by_database(errors.UniqueViolation, "%s", query)
        self.assertEqual(diag.constraint_name, "ipai_release_gate_release_gate_unique")

    def test_a_chain_has_one_entry_per_sequence_number(self):
        entry = self.ledger(self.release)[0]
        query = self._copy_row("ipai_ledger_entry", entry.id)
        diag = self._refused_by_database(errors.UniqueViolation, "%s", query)
        self.assertEqual(
            diag.constraint_name, "ipai_ledger_entry_release_sequence_unique"
        )

    def test_a_decision_on_a_gate_names_the_gate_in_the_database(self):
        approval = self.release.approval_ids[0]
        query = self._copy_row("ipai_approval", approval.id, gate_id=None)
        diag = self._refused_by_database(errors.CheckViolation, "%s", query)
        self.assertEqual(diag.constraint_name, "ipai_approval_gate_scope")

    def test_facts_and_their_releases_cannot_be_deleted_under_each_other(self):
        for table in (
            "ipai_check",
            "ipai_evidence",
            "ipai_approval",
            "ipai_ledger_entry",
        ):
            self.env.cr.execute(
                "SELECT pg_get_constraintdef(oid) FROM pg_constraint"
                " WHERE contype = 'f' AND conrelid = %s::regclass"
                " AND confrelid IN"
                " ('ipai_release'::regclass, 'ipai_revision'::regclass)",
                [table],
            )
            found = [definition for (definition,) in self.env.cr.fetchall()]
            self.assertTrue(found)
            for definition in found:
                self.assertTrue(re.search("ON DELETE RESTRICT", definition), definition)
