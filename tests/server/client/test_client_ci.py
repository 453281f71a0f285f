"""The action, the template and the example: what CI would run of them, is run."""

import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from urllib.parse import urlsplit

import events
import pytest
import yaml
from clients import FOLDER, Client, commit_in
from gateway import Gateway

ACTION = FOLDER / "action/action.yml"
TEMPLATE = FOLDER / "gitlab/ipai-gates.gitlab-ci.yml"
EXAMPLE = FOLDER / "examples/github-workflow.yml"
USES = "OWNER/REPOSITORY/client/action@REF"
#: Where the client keeps what waits, if nothing says another place.
SPOOL = "~/.local/state/ipai-gates"

if str(FOLDER) not in sys.path:
    sys.path.insert(0, str(FOLDER))

from ipai_gates import parser


def load(path):
    return yaml.safe_load(path.read_text())


def action_step():
    (step,) = load(ACTION)["runs"]["steps"]
    return step


def example_jobs():
    return load(EXAMPLE)["jobs"]


def example_steps(job=None):
    """The steps of the example that use the action."""
    jobs = example_jobs()
    chosen = [jobs[job]] if job else jobs.values()
    return [
        step for each in chosen for step in each["steps"] if step.get("uses") == USES
    ]


def template_jobs():
    return {name: job for name, job in load(TEMPLATE).items() if name.startswith(".")}


# --- structure -----------------------------------------------------------------------


def test_the_action_hands_its_inputs_over_by_environment_only():
    action, step = load(ACTION), action_step()
    assert action["runs"]["using"] == "composite"
    assert "${{" not in step["run"], "typed into a shell, an input could be a command"
    used = set(re.findall(r"inputs\.([\w-]+)", str(step["env"])))
    assert used == set(action["inputs"])
    written = re.compile(r"steps\.gates\.outputs\.(\w+)")
    outputs = {written.search(each["value"])[1] for each in action["outputs"].values()}
    assert outputs == {
        "IPAI_GATES_RELEASE",
        "IPAI_GATES_ELIGIBLE",
        "IPAI_GATES_EXIT_CODE",
    }


def test_no_secret_is_in_the_files():
    for step in example_steps():
        assert step["with"]["key"] == "${{ secrets.GATES_KEY }}"
    assert "IPAI_GATES_KEY:" not in TEMPLATE.read_text()


def test_the_example_uses_inputs_that_there_are_and_commands_that_parse():
    inputs = load(ACTION)["inputs"]
    required = {name for name, each in inputs.items() if each.get("required")}
    for step in example_steps():
        given = step["with"]
        assert required <= set(given) <= set(inputs)
        words = [word for word in given.get("arguments", "").splitlines() if word]
        parser.build().parse_args([given["command"], *words])


def scripts():
    yield "action", action_step()["run"]
    for name, job in template_jobs().items():
        for part in ("before_script", "script"):
            if part in job:
                yield f"{name} {part}", "\n".join(job[part])
    for path in (".ci/run", ".ci/report"):
        yield path, (FOLDER.parent / path).read_text()


@pytest.mark.parametrize(
    ("name", "script"), [pytest.param(*s, id=s[0]) for s in scripts()]
)
def test_every_script_is_bash(name, script):
    done = subprocess.run(
        ["bash", "-n"], input=script, text=True, capture_output=True, check=False
    )
    assert done.returncode == 0, f"{name}: {done.stderr}"


def test_the_template_calls_commands_that_there_are():
    jobs = template_jobs()
    lines = []
    for job in jobs.values():
        text = "\n".join(job.get("script", []))
        for name, value in job.get("variables", {}).items():
            text = text.replace(f"${name}", value)
        lines += text.splitlines()
    assert len(lines) == len(jobs) - 1
    for line in lines:
        command, *words = shlex.split(line)
        assert command == "ipai-gates"
        parser.build().parse_args(words)
    assert {job.get("extends") for job in jobs.values()} == {None, ".ipai-gates"}


def test_a_job_of_the_template_that_left_something_behind_fails_and_keeps_it():
    jobs = template_jobs()
    assert jobs[".ipai-gates:flush"]["allow_failure"] is False
    cache = jobs[".ipai-gates"]["cache"]
    assert cache["when"] == "always"
    assert cache["paths"] == [".ipai-gates/"]
    spool = jobs[".ipai-gates"]["variables"]["IPAI_GATES_SPOOL"]
    assert spool == "$CI_PROJECT_DIR/.ipai-gates"


@pytest.mark.parametrize("job", list(example_jobs()))
def test_each_job_of_the_example_ends_with_its_spool_delivered_or_kept(job):
    steps = example_jobs()[job]["steps"]
    reports = [n for n, step in enumerate(steps) if step.get("uses") == USES]
    restore, save = (
        next(n for n, s in enumerate(steps) if s.get("uses", "").startswith(which))
        for which in ("actions/cache/restore@", "actions/cache/save@")
    )
    flush = steps[reports[-1]]
    assert flush["with"]["command"] == "flush"
    assert flush["with"]["on-outage"] == "fail"
    assert restore < reports[0]
    assert reports[-1] < save
    assert flush["if"] == steps[save]["if"] == "always()"
    taken, kept = steps[restore]["with"], steps[save]["with"]
    assert taken["path"] == kept["path"] == SPOOL
    # Each attempt writes a cache of its own, and takes up the latest there is.
    assert "github.run_attempt" in kept["key"]
    assert kept["key"].startswith(taken["restore-keys"])
    other = [each for each in example_jobs() if each != job]
    assert not any(kept["key"].startswith(f"ipai-gates-{each}") for each in other)


def test_the_readme_calls_commands_that_there_are():
    text = (FOLDER / "README.md").read_text()
    lines = re.findall(r"^ipai-gates .*$", text, re.MULTILINE)
    assert len(lines) >= 10
    called = set()
    for line in lines:
        words = shlex.split(line, comments=True)[1:]
        called.add(parser.build().parse_args(words).command)
    # The ten a reader looks for first, each with an example.
    assert called >= {
        *("open", "build", "check", "evidence", "junit", "deploy", "health"),
        *("verdict", "wait", "flush"),
    }


# --- GitHub --------------------------------------------------------------------------


class Runner:
    """Runs the action's steps as a runner of GitHub does."""

    def __init__(self, home, site, sha):
        self.home, self.site = home, site
        self.variables = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "GITHUB_ACTIONS": "true",
            "GITHUB_REPOSITORY": events.PROJECT,
            "GITHUB_SHA": sha,
            "GITHUB_REF_NAME": f"v-{sha[:8]}",
            "GITHUB_RUN_ID": str(int(sha[:8], 16)),
            "GITHUB_RUN_ATTEMPT": "1",
            "GITHUB_JOB": "build",
            "GITHUB_SERVER_URL": "https://github.example.com",
        }
        self.steps = {}
        self.number = 0

    def _value(self, text, inputs):
        """An expression of a workflow or the action, as GitHub would fill it in."""

        def fill(match):
            kind, _, name = match[1].partition(".")
            if kind == "inputs":
                return inputs[name]
            return {
                "github.action_path": str(ACTION.parent),
                "github.ref_name": self.variables["GITHUB_REF_NAME"],
                "vars.GATES_URL": self.site.url,
                "secrets.GATES_KEY": self.site.api_key("ci"),
                "steps.open.outputs.release": self.release,
                "needs.build.outputs.release": self.release,
            }[match[1]]

        return re.sub(r"\$\{\{ ([\w.-]+) \}\}", fill, text)

    @property
    def release(self):
        return self.steps.get("open", {}).get("IPAI_GATES_RELEASE", "")

    def use(self, step, **more):
        """Run one step that uses the action; its exit code and what it printed."""
        self.number += 1
        inputs = {
            name: each.get("default", "")
            for name, each in load(ACTION)["inputs"].items()
        }
        given = {**step["with"], **more}
        inputs |= {name: self._value(text, inputs) for name, text in given.items()}
        run = action_step()
        output = self.home / f"output-{self.number}"
        output.touch()
        done = subprocess.run(
            # As documented for "shell: bash".
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", run["run"]],
            env={
                **self.variables,
                **{k: self._value(v, inputs) for k, v in run["env"].items()},
                "GITHUB_ACTION": f"__ipai_{self.number}",
                "GITHUB_OUTPUT": str(output),
            },
            cwd=self.home / "repository",
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        lines = output.read_text().splitlines()
        self.steps[step.get("id")] = dict(line.split("=", 1) for line in lines)
        return done.returncode, done.stdout


@pytest.fixture
def runner(site, tmp_path):
    folder = tmp_path / "repository"
    commit_in(folder, "a change " + events.commit())
    (folder / "reports").mkdir()
    (folder / "reports/unit.xml").write_text(
        "<testsuite><testcase name='a'/></testsuite>"
    )
    sha = commit_in(folder, "the release " + events.commit())
    return Runner(tmp_path, site, sha)


def step_named(job, word):
    found = [
        step
        for step in example_steps(job)
        if word in step.get("name", "") or step.get("id") == word
    ]
    assert len(found) == 1
    return found[0]


def sign(rpc, release, sha, login, gate, persona):
    event = events.envelope(
        {"uuid": release, "source_ref": sha},
        "gate_signoff",
        {"persona": persona, "decision": "approved", "rationale_text": "verified"},
        gate_code=gate,
    )
    (answer,) = events.ingest(rpc(login), event)
    assert answer["status"] == "accepted", answer


def test_the_example_passes_g1_and_waits_for_g3(runner, site, rpc):
    """The worked example from its first step to its last, with people in between."""
    passing = [s for s in example_steps("build") if s.get("if") != "failure()"]
    job = example_jobs()["deploy"]["steps"]
    failed = step_named("deploy", "Report a deployment that failed")
    (begun,) = (step["id"] for step in job if step.get("run") == "make deploy")
    for outcome in ("failure", "cancelled"):
        assert f"steps.{begun}.outcome == '{outcome}'" in failed["if"]
    said = {}
    for step in passing:
        code, said[step.get("name")] = runner.use(step)
        assert code == 0, said
    assert "eligible for production (G1 passed)" in said["See G1 passed"]

    runner.variables["GITHUB_JOB"] = "deploy"
    wait = step_named("deploy", "Wait for G3")
    code, output = runner.use(wait, arguments="--for\n0\n")
    assert code == 1, output
    assert "G3 needs" in output
    ask = step_named("deploy", "Ask for the deployment")
    code, output = runner.use(ask)
    assert (code, "must not begin" in output) == (3, True), output

    sha = runner.variables["GITHUB_SHA"]
    client = Client(
        runner.home,
        site.url,
        site.api_key("ci"),
        {"release": runner.release, "source_ref": sha, "run": sha},
    )
    for gate, types in {
        "G2": ("acceptance_criteria", "defect_register", "test_result"),
        "G3": ("approval_record", "rollback_plan", "release_notes"),
    }.items():
        for type_ in types:
            link = f"https://docs.example.com/{type_}"
            done = client("evidence", type_, "--link", link, "--gate", gate)
            assert done.code == 0, done.said
    sign(rpc, runner.release, sha, "qa", "G2", "qa_tester")
    sign(rpc, runner.release, sha, "rm", "G3", "release_manager")
    code, output = runner.use(wait, arguments="--for\n30\n")
    assert code == 0, output
    assert runner.steps[None]["IPAI_GATES_ELIGIBLE"] == "true"
    code, output = runner.use(ask)
    assert code == 0, output
    assert deployments(rpc, runner.release) == ["in_progress"]
    before_it_ended = dict(runner.variables)
    code, output = runner.use(failed)
    assert code == 0, output
    assert deployments(rpc, runner.release) == ["failed"]

    # Run again: another deployment, which ends well.
    runner.variables = {**before_it_ended, "GITHUB_RUN_ATTEMPT": "2"}
    code, output = runner.use(ask)
    assert code == 0, output
    code, output = runner.use(step_named("deploy", "Report how it ended"))
    assert code == 0, output
    assert deployments(rpc, runner.release) == ["failed", "succeeded"]


def deployments(rpc, release):
    domain = [["release_id.uuid", "=", release]]
    found = rpc("rm").execute_kw(
        "ipai.deployment", "search_read", [domain, ["status"]], {"order": "id"}
    )
    return [each["status"] for each in found]


def test_what_an_outage_left_behind_fails_the_job_and_is_delivered_by_the_next(
    runner, site, rpc
):
    """The runner is thrown away; what the cache has kept of it reaches the server."""
    port = urlsplit(site.url).port
    with Gateway(port, port) as network:
        online = {"url": network.url, "patience": "0"}
        code, output = runner.use(step_named("build", "open"), **online)
        assert code == 0, output
        flush = step_named("build", "Deliver what an outage")
        network.cut()
        assert runner.use(step_named("build", "Report the build"), **online)[0] == 0
        code, output = runner.use(flush, **online)
        assert code == 4, output
        checks = [["release_id.uuid", "=", runner.release], ["name", "=", "lint"]]

        def count():
            return rpc("rm").execute_kw("ipai.check", "search_count", [checks])

        assert count() == 0
        network.mend()
        spool, cache = runner.home / SPOOL.removeprefix("~/"), runner.home / "cache"
        spool.rename(cache)
        assert "0 of 0 delivered" in runner.use(flush, **online)[1]
        shutil.rmtree(spool)
        cache.rename(spool)
        runner.variables["GITHUB_RUN_ATTEMPT"] = "2"
        code, output = runner.use(flush, **online)
        assert (code, count()) == (0, 1), output
        assert "0 of 0 delivered" in runner.use(flush, **online)[1]


def test_an_outage_holds_up_no_report_and_allows_no_deployment(runner, site):
    build = step_named("build", "Report the build")
    offline = {"url": "http://127.0.0.1:9", "patience": "0"}
    code, output = runner.use(build, **offline)
    assert (code, "in the spool" in output) == (0, True), output
    code, output = runner.use(build, **offline, **{"on-outage": "fail"})
    assert code == 4, output
    assert runner.use(step_named("deploy", "Ask for"), **offline)[0] == 2
    assert (
        runner.use(
            step_named("build", "See G1 passed"), **offline, arguments="--for\n0"
        )[0]
        != 0
    )


def test_an_input_is_never_run(runner, site):
    evil = "$(touch evil) `touch evil`; touch evil"
    step = {"with": {"command": evil, "url": site.url, "key": "0" * 40}}
    code, _output = runner.use(
        step, arguments=f"{evil}\n'; touch evil; '", release=evil
    )
    assert code == 5
    assert not list(runner.home.rglob("evil"))


# --- GitLab --------------------------------------------------------------------------


def test_the_template_installs_the_client_and_carries_a_release(site, rpc, tmp_path):
    """Its jobs as GitLab's runner would run them, with the client that pip installs."""
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "venv"], check=True)
    ignored = shutil.ignore_patterns("__pycache__", "*.egg-info", "build")
    shutil.copytree(FOLDER, tmp_path / "client", ignore=ignored)
    folder = tmp_path / "repository"
    sha = commit_in(folder, "a change " + events.commit())
    (folder / "unit.xml").write_text("<testsuite><testcase name='a'/></testsuite>")
    variables = {
        **os.environ,
        "PATH": f"{tmp_path / 'venv/bin'}:{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "GITLAB_CI": "true",
        "CI_PROJECT_PATH": events.PROJECT,
        "CI_PROJECT_DIR": str(folder),
        "CI_COMMIT_SHA": sha,
        "CI_COMMIT_REF_SLUG": "v1",
        "CI_PIPELINE_ID": "100",
        "CI_JOB_URL": "https://gitlab.example.com/jobs/1",
        "IPAI_GATES_URL": site.url,
        "IPAI_GATES_KEY": site.api_key("ci"),
        "IPAI_GATES_CLIENT": str(tmp_path / "client"),
        "IPAI_GATES_NAME": f"gitlab-{sha[:8]}",
        "IPAI_GATES_JUNIT": "unit.xml",
    }
    jobs = template_jobs()

    def job(name, part="script", **more):
        own = {**jobs[".ipai-gates"]["variables"], **jobs[name].get("variables", {})}
        own = {k: os.path.expandvars(v) for k, v in own.items()}
        own["IPAI_GATES_SPOOL"] = str(folder / ".ipai-gates")
        variables["CI_JOB_ID"] = str(time.time_ns())
        return subprocess.run(
            ["bash", "-eo", "pipefail", "-c", "\n".join(jobs[name][part])],
            env={**variables, **own, **more},
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )

    installed = job(".ipai-gates", "before_script")
    assert installed.returncode == 0, installed.stderr
    opened = job(".ipai-gates:open")
    assert opened.returncode == 0, opened.stderr
    dotenv = (folder / "ipai-gates.env").read_text().splitlines()
    handed = dict(line.split("=", 1) for line in dotenv)
    assert len(handed["IPAI_GATES_RELEASE"]) == 36
    variables.update(handed)
    built = job(".ipai-gates:build")
    assert built.returncode == 0, built.stderr
    assert job(".ipai-gates:flush").returncode == 0
    wait = jobs[".ipai-gates:wait"]["script"]
    jobs[".ipai-gates:wait"]["script"] = [wait[0].replace("3600", "0")]
    waited = job(".ipai-gates:wait")
    assert waited.returncode == 1, waited.stderr
    assert "G3 needs" in waited.stderr
    version = subprocess.run(
        [tmp_path / "venv/bin/ipai-gates", "--version"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert version.stdout.strip()
