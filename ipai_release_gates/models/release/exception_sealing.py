from odoo import models
from odoo.tools import SQL

from .exception_tables import NEXT_STATES, SEALED, SEALED_RELATIONS, STAMPED


class ReleaseException(models.Model):
    """Seals requested exceptions in the database.

    The triggers are written from ``exception_tables``, so that the model and the
    database cannot differ.
    """

    _inherit = "ipai.exception"

    def init(self):
        """Write the triggers that keep a requested exception as it was requested."""
        super().init()
        self.env.cr.execute(
            SQL(
                """
                CREATE OR REPLACE FUNCTION ipai_exception_sealed() RETURNS trigger AS
                %s LANGUAGE plpgsql;
                CREATE OR REPLACE TRIGGER ipai_exception_sealed
                    BEFORE UPDATE ON ipai_exception
                    FOR EACH ROW EXECUTE FUNCTION ipai_exception_sealed();
                CREATE OR REPLACE FUNCTION ipai_exception_scope_sealed()
                RETURNS trigger AS $$
                BEGIN
                    IF EXISTS (
                        SELECT 1 FROM ipai_exception
                         WHERE id IN (
                                   CASE WHEN TG_OP <> 'DELETE'
                                        THEN NEW.exception_id END,
                                   CASE WHEN TG_OP <> 'INSERT'
                                        THEN OLD.exception_id END)
                           AND state <> 'draft'
                    ) THEN
                        RAISE EXCEPTION 'a requested exception is sealed'
                            USING ERRCODE = 'insufficient_privilege';
                    END IF;
                    RETURN coalesce(NEW, OLD);
                END $$ LANGUAGE plpgsql;
                """,
                _row_trigger(),
            )
        )
        for table in SEALED_RELATIONS:
            self.env.cr.execute(
                SQL(
                    "CREATE OR REPLACE TRIGGER %s BEFORE INSERT OR UPDATE OR DELETE"
                    " ON %s FOR EACH ROW"
                    " EXECUTE FUNCTION ipai_exception_scope_sealed()",
                    SQL.identifier(f"{table}_sealed"),
                    SQL.identifier(table),
                )
            )


def _row_trigger():
    """The body of the trigger on the table of exceptions, as an SQL literal."""
    changed = " OR ".join(f"OLD.{name} IS DISTINCT FROM NEW.{name}" for name in SEALED)
    allowed = " OR ".join(
        f"(OLD.state = '{state}' AND NEW.state IN ({_listed(following)}))"
        for state, following in NEXT_STATES.items()
    )
    stamps = "\n".join(
        f"""
        IF OLD.{name} IS DISTINCT FROM NEW.{name} AND NOT (
            OLD.state <> NEW.state AND NEW.state IN ({_listed(states)})
        ) THEN
            RAISE EXCEPTION '{name} changes with the state of an exception only'
                USING ERRCODE = 'insufficient_privilege';
        END IF;"""
        for name, states in STAMPED.items()
    )
    return f"""
    BEGIN
        IF OLD.state <> 'draft' AND ({changed}) THEN
            RAISE EXCEPTION 'a requested exception is sealed'
                USING ERRCODE = 'insufficient_privilege';
        END IF;
        {stamps}
        IF OLD.state <> NEW.state AND NOT ({allowed}) THEN
            RAISE EXCEPTION 'an exception that is % cannot become %',
                OLD.state, NEW.state USING ERRCODE = 'insufficient_privilege';
        END IF;
        RETURN NEW;
    END
    """


def _listed(states):
    return ", ".join(f"'{state}'" for state in states)
