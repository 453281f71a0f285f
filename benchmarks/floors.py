"""What the addon costs against Odoo's own floor, in one run.

Installs ``project`` in the database that is named (a throw-away copy, see README.md),
then runs each measurement and its floor in turn and prints medians, queries and ratios.
"""

import os
import statistics
import subprocess
import sys
import time

ROUNDS = 15
BATCH = 500


def main():
    """Install the floor's module, then measure inside an Odoo shell."""
    database = sys.argv[1]
    odoo = [sys.executable, "tools/scripts/odoo_bin.py"]
    quiet = ["--no-http", "--log-level=error"]
    subprocess.run(
        [*odoo, "-d", database, "-i", "project", "--stop-after-init", *quiet],
        check=True,
    )
    code = (
        "import sys; sys.path.insert(0, 'benchmarks'); import floors; floors.run(env)"
    )
    subprocess.run(
        [*odoo, "shell", "-d", database, *quiet],
        input=code + "\n",
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": os.getcwd()},
    )


class Bench:
    """Releases, tasks and plain records to measure on."""

    def __init__(self, env):
        self.env = env
        self.rm = self._user(env, "bench-rm", "release_manager")
        self.ci = self._user(env, "bench-ci", "ci_service")
        env["ipai.project"].create({"name": "bench/marks", "required_checks": ""})
        project = env["project.project"].create({"name": "Floor"})
        self.stages = env["project.task.type"].create(
            [{"name": name, "project_ids": [(4, project.id)]} for name in ("A", "B")]
        )
        self.project = project
        self.manager = env["res.users"].create(
            {
                "name": "Floor",
                "login": "bench-task",
                "group_ids": [(4, env.ref("project.group_project_manager").id)],
            }
        )
        self.number = 0

    @staticmethod
    def _user(env, login, role):
        group = env.ref(f"ipai_release_gates.group_{role}")
        return env["res.users"].create(
            {"name": login, "login": login, "group_ids": [(6, 0, group.ids)]}
        )

    def plane(self):
        return self.env["ipai.control.plane"].with_user(self.ci)

    def release(self):
        self.number += 1
        return self.plane().open_release(
            {
                "project": "bench/marks",
                "name": f"bench-{self.number}",
                "source_ref": f"{self.number:040x}".replace("0" * 39, "a" * 39),
                "environment_target": "production",
                "authors": ["author@example.com"],
            }
        )

    def events(self, release, count, event_type, payload):
        return [
            {
                "schema_version": "v1.0",
                "idempotency_key": f"agent/{release['uuid']}/{event_type}/{number}",
                "event_type": event_type,
                "source_system": "agent",
                "release_id": release["uuid"],
                "emitted_at": "2026-01-01T00:00:00Z",
                "payload": {
                    "source_ref": release["source_ref"],
                    **{k: v.format(number) for k, v in payload.items()},
                },
            }
            for number in range(count)
        ]

    # --- each prepares, and returns what is timed ------------------------------------

    def move(self):
        release = self.release()
        build = {"status": "pass", "log_url": "https://ci.example.com/{}"}
        (event,) = self.events(release, 1, "build_complete", build)
        event["payload"]["checks"] = []
        assert self.plane().ingest([event])[0]["status"] == "accepted"
        record = self.env["ipai.release"].with_user(self.rm).browse(release["id"])
        stage = self.env.ref("ipai_release_gates.stage_qa_validation").id
        return lambda: record.write({"stage_id": stage})

    def move_floor(self):
        task = self.env["project.task"].create(
            {
                "name": "Floor",
                "project_id": self.project.id,
                "stage_id": self.stages[0].id,
            }
        )
        task = task.with_user(self.manager)
        return lambda: task.write({"stage_id": self.stages[1].id})

    def ingest(self):
        events = self.events(
            self.release(),
            BATCH,
            "check_result",
            {"name": "check {}", "status": "pass"},
        )
        plane = self.plane()
        return lambda: plane.ingest(events)

    def ingest_floor(self):
        tags = self.env["res.partner.category"]
        vals_list = [{"name": f"Floor {number}"} for number in range(BATCH)]
        return lambda: tags.create(vals_list)

    def verdict(self):
        release, plane = self.release(), self.plane()
        return lambda: plane.verdict(release["uuid"], "production")

    def verdict_floor(self):
        task = self.env["project.task"].create(
            {"name": "Floor", "project_id": self.project.id}
        )
        task = task.with_user(self.manager)
        return lambda: task.read()


def timed(env, prepare):
    """Seconds and queries of one run, from cold record caches to the flush."""
    act = prepare()
    env.flush_all()
    env.cr.flush()
    env.invalidate_all()
    queries, begun = env.cr.sql_log_count, time.perf_counter()
    act()
    env.flush_all()
    env.cr.flush()
    return time.perf_counter() - begun, env.cr.sql_log_count - queries


def run(env):
    """Print one line per measurement."""
    bench = Bench(env)
    print(
        f"{'what':<10}{'ms':>9}{'floor ms':>10}{'ratio':>7}{'queries':>9}{'floor':>7}"
    )
    for what in ("move", "ingest", "verdict"):
        pairs = []
        for _round in range(ROUNDS + 1):
            ours = timed(env, getattr(bench, what))
            floor = timed(env, getattr(bench, f"{what}_floor"))
            pairs.append((ours, floor))
        pairs = pairs[1:]  # the first warms the registry's caches
        ours = statistics.median(o[0] for o, _ in pairs) * 1000
        floor = statistics.median(f[0] for _, f in pairs) * 1000
        ratio = statistics.median(o[0] / f[0] for o, f in pairs)
        queries, floor_queries = pairs[-1][0][1], pairs[-1][1][1]
        print(
            f"{what:<10}{ours:>9.1f}{floor:>10.1f}{ratio:>7.2f}{queries:>9}"
            f"{floor_queries:>7}"
        )
    # The database is a throw-away copy.
    env.cr.commit()


if __name__ == "__main__":
    main()
