"""SQL that several analytics views share: the present time, forecasts, persons.

The views show what the policy core would decide at this moment. The stored status of a
gate holds until the first step of its forecast. From then on the step holds, also when
no scheduled action has judged the release again.
"""

from odoo.tools import SQL

#: The time of the transaction, naive UTC to the microsecond, as ``cr.now()``.
NOW = SQL("(now() AT TIME ZONE 'utc')")

#: The statuses in which a gate lets a release through.
OPEN = SQL("('passed', 'bypassed')")


def hours(interval):
    """The hours in an interval, as a float.

    :param interval: SQL of type interval
    """
    return SQL("(extract(epoch FROM (%s)) / 3600)::float8", interval)


def forecast_step(row):
    """The latest step of a gate's forecast that has begun: one row or none.

    :param row: SQL alias of an ``ipai_release_gate`` row
    :returns: a query with columns ``status`` and ``began_at``, for a lateral join
    """
    return SQL(
        """
        SELECT step.value ->> 'status' AS status,
               (step.value ->> 'from')::timestamp AS began_at
          FROM jsonb_array_elements(%(row)s.forecast)
               WITH ORDINALITY AS step (value, place)
         WHERE (step.value ->> 'from')::timestamp <= %(now)s
      ORDER BY step.place DESC
         LIMIT 1
        """,
        row=row,
        now=NOW,
    )


def person(user, partner):
    """The person of an account: accounts with the same e-mail address are one person.

    The same rule as ``ipai.release._person_keys``.

    :param user: SQL alias of a ``res_users`` row
    :param partner: SQL alias of its ``res_partner`` row
    """
    return SQL(
        "lower(coalesce(nullif(%(partner)s.email_normalized, ''),"
        " nullif(trim(%(partner)s.email), ''), %(user)s.login))",
        user=user,
        partner=partner,
    )


def covering(release, requirement):
    """The exceptions that cover a requirement of a release now.

    :param release: SQL alias of an ``ipai_release`` row
    :param requirement: SQL alias of a row with ``id`` and ``gate_id`` of a requirement
    :returns: the end of a query, from FROM on; the alias of the exception is ``x``
    """
    return SQL(
        """
          FROM ipai_exception x
         WHERE x.release_id = %(release)s.id
           AND x.revision_id = %(release)s.revision_id
           AND x.state = 'active'
           AND greatest(x.effective_from, x.approved_at) <= %(now)s
           AND x.expires_at > %(now)s
           AND CASE WHEN EXISTS (
                        SELECT FROM ipai_exception_requirement_rel rel
                         WHERE rel.exception_id = x.id)
                    THEN EXISTS (
                        SELECT FROM ipai_exception_requirement_rel rel
                         WHERE rel.exception_id = x.id
                           AND rel.requirement_id = %(requirement)s.id)
                    ELSE EXISTS (
                        SELECT FROM ipai_exception_gate_rel rel
                         WHERE rel.exception_id = x.id
                           AND rel.gate_id = %(requirement)s.gate_id)
               END
        """,
        release=release,
        requirement=requirement,
        now=NOW,
    )
