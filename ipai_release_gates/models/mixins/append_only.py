from odoo import api, models
from odoo.tools import SQL


class AppendOnlyMixin(models.AbstractModel):
    """A table that the database lets nobody change, delete from or truncate.

    The triggers bind the application's own role too, which owns the table.
    """

    _name = "ipai.append.only.mixin"
    _description = "Append-only record"

    def init(self):
        super().init()
        if not self._abstract:
            self._forbid(self._table, "UPDATE OR DELETE")

    @api.model
    def _forbid(self, table, events):
        """Write the triggers that refuse row events, and truncation, on a table.

        :param str table: name of a table
        :param str events: ``DELETE`` or ``UPDATE OR DELETE``
        """
        self.env.cr.execute(
            """
            CREATE OR REPLACE FUNCTION ipai_append_only() RETURNS trigger AS $$
            BEGIN
                RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP
                    USING ERRCODE = 'insufficient_privilege';
            END $$ LANGUAGE plpgsql
            """
        )
        for event, level in ((events, "ROW"), ("TRUNCATE", "STATEMENT")):
            name = f"{table}_append_only_{level.lower()}"
            self.env.cr.execute(
                SQL(
                    "CREATE OR REPLACE TRIGGER %s BEFORE %s ON %s FOR EACH %s"
                    " EXECUTE FUNCTION ipai_append_only()",
                    SQL.identifier(name),
                    SQL(event),
                    SQL.identifier(table),
                    SQL(level),
                )
            )
