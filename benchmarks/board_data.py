"""Releases and tasks for the boards: as many, in as many stages, as evenly spread."""

import subprocess

CARDS = 5000
#: How many per cent of what is open stand in which stage, the last of which is closed.
SPREAD = (35, 30, 25, 10, 0)
#: How many of either are made by Odoo; the others are copies.
REAL = 200
_FILL = "import sys; sys.path.insert(0, 'benchmarks'); import board_data; "


def fill(database, login):
    """Install ``project`` and fill the database; the id of the project of the tasks."""
    from tools import odoo

    odoo.install("Installing project", database, ["project"])
    done = subprocess.run(
        odoo.command(
            "shell", "-d", database, "--no-http", "--log-level=warn", "--workers=0"
        ),
        input=f"{_FILL}board_data.run(env, {login!r})\n",
        stdout=subprocess.PIPE,
        env=odoo.environment(),
        text=True,
        check=True,
    )
    (line,) = (li for li in done.stdout.splitlines() if li.startswith("PROJECT "))
    return int(line.split()[1])


def run(env, login):
    """Fill the database of a shell, and print the project of the tasks."""
    user = env["res.users"].create(
        {
            "name": "Bench",
            "login": login,
            "password": login,
            "group_ids": [
                (4, env.ref("ipai_release_gates.group_release_manager").id),
                (4, env.ref("project.group_project_manager").id),
            ],
        }
    )
    owners = user + env["res.users"].create(
        [{"name": f"Owner {number}", "login": f"owner-{number}"} for number in range(9)]
    )
    releases(env(user=user.id), owners)
    project = tasks(env(user=user.id), owners)
    env.cr.commit()
    # Planner and visibility map know what is there, as they would after a night.
    env.cr._cnx.autocommit = True
    env.cr.execute("VACUUM ANALYZE")
    print("PROJECT", project.id)


def releases(env, owners):
    """Real releases with revisions, gates and chains, put where a team would have them.

    The release manager opens ``REAL`` of them. Copies of their rows, their stages and
    how their gates stand are written by SQL: the evidence that would carry 5,000 of
    them there is not what a board reads.
    """
    projects = (
        env["ipai.project"]
        .sudo()
        .create(
            [{"name": f"bench/{number}", "required_checks": ""} for number in range(10)]
        )
    )
    env["ipai.release"].create(
        [
            {
                "name": f"2026.{number}",
                "project_id": projects[number % 10].id,
                "source_ref": f"{number + 1:040x}",
                "author_emails": "author@example.com",
                "user_id": owners[number % 10].id,
                "priority": "1" if number % 20 == 0 else "0",
            }
            for number in range(REAL)
        ]
    )
    env.flush_all()
    multiply(env.cr)
    env.invalidate_all()
    stages = env["ipai.release.stage"].search([])
    first = env["ipai.release"].search([], order="id", limit=1).id
    at = 0
    for stage, share in zip(stages, SPREAD, strict=True):
        env.cr.execute(
            """
            UPDATE ipai_release SET stage_id = %s, status = 'in_progress',
                stage_entered_at =
                    now() AT TIME ZONE 'UTC' - (id %% 12) * INTERVAL '1 day'
            WHERE (id - %s) %% 100 >= %s AND (id - %s) %% 100 < %s
            """,
            (stage.id, first, at, first, at + share),
        )
        at += share
    env.cr.execute(
        """
        WITH standing AS (
            SELECT r.id, s.sequence AS at, r.id % 20 AS dice,
                (SELECT l.gate_id FROM ipai_release_stage l
                 WHERE l.sequence > s.sequence ORDER BY l.sequence LIMIT 1) AS next_gate
            FROM ipai_release r JOIN ipai_release_stage s ON s.id = r.stage_id
        ), judged AS (
            UPDATE ipai_release_gate g SET
                condition_count = 6, met_count = g.id % 6,
                waived_until = CASE WHEN g.gate_id = p.next_gate AND p.dice = 19
                    THEN now() AT TIME ZONE 'UTC' + INTERVAL '2 days' END,
                status = CASE
                    WHEN g.gate_id = p.next_gate THEN CASE
                        WHEN p.dice < 12 THEN 'in_progress'
                        WHEN p.dice < 15 THEN 'failed'
                        WHEN p.dice < 19 THEN 'passed' ELSE 'bypassed' END
                    WHEN EXISTS (
                        SELECT FROM ipai_release_stage e
                        WHERE e.gate_id = g.gate_id AND e.sequence <= p.at
                    ) THEN 'passed'
                    ELSE 'pending' END
            FROM standing p WHERE p.id = g.release_id
            RETURNING g.release_id, g.gate_id, g.status
        )
        UPDATE ipai_release r SET next_gate_status = j.status,
            blocking_summary = CASE WHEN j.status IN ('in_progress', 'failed')
                THEN 'G2: No acceptance criteria for ' || r.name || ' (+3)' END
        FROM judged j JOIN standing p ON p.id = j.release_id AND p.next_gate = j.gate_id
        WHERE r.id = j.release_id
        """
    )


def multiply(cr):
    """Copy the releases that were opened, row by row, until there are ``CARDS``."""
    copy(
        cr,
        "ipai_release",
        f"ipai_release o, generate_series(1, {CARDS // REAL - 1}) AS n",
        name="o.name || '.' || n",
        uuid="gen_random_uuid()",
        revision_id="NULL",
        source_ref="encode(sha256((o.uuid || n)::bytea), 'hex')",
    )
    cr.execute(
        """
        CREATE TEMP TABLE copies AS SELECT o.id AS origin, c.id, c.source_ref
        FROM ipai_release c JOIN ipai_release o ON o.project_id = c.project_id
            AND o.revision_id IS NOT NULL AND c.name LIKE o.name || '.%'
        WHERE c.revision_id IS NULL
        """
    )
    copies = "o JOIN copies c ON c.origin = o.release_id"
    revision = {"release_id": "c.id", "source_ref": "c.source_ref"}
    copy(cr, "ipai_revision", f"ipai_revision {copies}", **revision)
    copy(cr, "ipai_release_gate", f"ipai_release_gate {copies}", release_id="c.id")
    cr.execute(
        "UPDATE ipai_release r SET revision_id = v.id FROM ipai_revision v"
        " WHERE v.release_id = r.id AND r.revision_id IS NULL"
    )


def copy(cr, table, source, **values):
    """Copy the columns of ``o``, but those that ``values`` has an expression for."""
    cr.execute(
        "SELECT array_agg(quote_ident(column_name)) FROM information_schema.columns"
        " WHERE table_name = %s AND NOT column_name = ANY(%s)",
        (table, ["id", *values]),
    )
    (names,) = cr.fetchone()
    cr.execute(
        f"INSERT INTO {table} ({', '.join([*names, *values])})"
        f" SELECT {', '.join([*(f'o.{name}' for name in names), *values.values()])}"
        f" FROM {source}"
    )


def tasks(env, owners):
    """Open tasks of one project, each with an assignee; the project."""
    stages = env["ipai.release.stage"].search([])
    project = env["project.project"].create({"name": "Floor"})
    types = env["project.task.type"].create(
        [
            {
                "name": stage.name,
                "sequence": number,
                "fold": stage.fold,
                "rotting_threshold_days": stage.rotting_threshold_days,
                "project_ids": [(4, project.id)],
            }
            for number, stage in enumerate(stages)
        ]
    )
    columns = [
        column.id
        for column, share in zip(types, SPREAD, strict=True)
        for _card in range(share)
    ]
    states = ("01_in_progress", "02_changes_requested", "03_approved")
    # Mails to the assignees are no part of it.
    quiet = {"tracking_disable": True, "mail_auto_subscribe_no_notify": True}
    env["project.task"].with_context(**quiet).create(
        [
            {
                "name": f"Task {number}",
                "project_id": project.id,
                "stage_id": columns[number % 100],
                "state": states[number % 3],
                "priority": "1" if number % 20 == 0 else "0",
                "user_ids": [(4, owners[number % 10].id)],
            }
            for number in range(REAL)
        ]
    )
    env.flush_all()
    copy(
        env.cr,
        "project_task",
        f"project_task o, generate_series(1, {CARDS // REAL - 1}) AS n"
        f" WHERE o.project_id = {project.id}",
        name="o.name || '.' || n",
    )
    env.cr.execute(
        """
        INSERT INTO project_task_user_rel (task_id, user_id)
        SELECT c.id, u.user_id FROM project_task_user_rel u
        JOIN project_task o ON o.id = u.task_id AND o.project_id = %s
        JOIN project_task c ON c.name LIKE o.name || '.%%' AND c.project_id = %s
        """,
        (project.id, project.id),
    )
    env.invalidate_all()
    env.cr.execute(
        """
        UPDATE project_task SET date_last_stage_update =
            now() AT TIME ZONE 'UTC' - (id %% 12) * INTERVAL '1 day'
        WHERE project_id = %s
        """,
        (project.id,),
    )
    return project
