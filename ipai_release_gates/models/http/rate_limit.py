import math

from odoo import api, models, sql_db
from odoo.tools import SQL

#: Seconds in which a key may spend its requests at once.
_WINDOW = 60


class RateLimit(models.Model):
    """How much of its requests per minute each API key has spent.

    A bucket per key that holds a minute's requests and is refilled evenly (the generic
    cell rate algorithm: of a key only the instant is stored until which its bucket
    would be full again). The row is written in a transaction of its own, at READ
    COMMITTED, where two requests of one key wait for each other for the time of one
    statement and no request can fail another's transaction; other keys have other rows.

    The table is unlogged: it is written by every request, and after a crash of
    PostgreSQL all buckets are full, which harms nobody.
    """

    _name = "ipai.rate.limit"
    _description = "Requests spent by an API key"
    _auto = False
    _log_access = False

    def init(self):
        # The id is that of the key; nothing of the key itself is here.
        self.env.cr.execute(
            SQL(
                """
                CREATE UNLOGGED TABLE IF NOT EXISTS %s (
                    id integer PRIMARY KEY,
                    spent_until timestamptz NOT NULL
                )
                """,
                SQL.identifier(self._table),
            )
        )

    @api.model
    def _seconds_to_wait(self, key_id, per_minute):
        """Spend one request of a key.

        :param int key_id: id of the API key
        :param int per_minute: how many it has; 0 is no limit
        :returns: 0 if it had one left, else after how many whole seconds it has again
        """
        if not per_minute:
            return 0
        share = SQL("make_interval(secs => %s)", _WINDOW / per_minute)
        # A millisecond, so that rounding takes no request from anybody.
        window = SQL("make_interval(secs => %s)", _WINDOW + 0.001)
        with sql_db.db_connect(self.env.cr.dbname).cursor() as own:
            own.execute("SET TRANSACTION ISOLATION LEVEL READ COMMITTED")
            own.execute(
                SQL(
                    """
                    INSERT INTO ipai_rate_limit AS bucket (id, spent_until)
                         VALUES (%(key)s, clock_timestamp() + %(share)s)
                    ON CONFLICT (id) DO UPDATE
                            SET spent_until = %(share)s
                                + greatest(bucket.spent_until, clock_timestamp())
                          WHERE bucket.spent_until + %(share)s
                                <= clock_timestamp() + %(window)s
                      RETURNING id
                    """,
                    key=key_id,
                    share=share,
                    window=window,
                )
            )
            if own.fetchone():
                return 0
            own.execute(
                SQL(
                    """
                    SELECT extract(epoch FROM
                               spent_until + %s - %s - clock_timestamp())
                      FROM ipai_rate_limit WHERE id = %s
                    """,
                    share,
                    window,
                    key_id,
                )
            )
            (seconds,) = own.fetchone() or (0,)
        return max(1, math.ceil(seconds))

    @api.autovacuum
    def _remove_full_buckets(self):
        """A bucket that is full again says nothing; those of former keys go with it."""
        self.env.cr.execute(
            "DELETE FROM ipai_rate_limit WHERE spent_until < now() - interval '1 day'"
        )
