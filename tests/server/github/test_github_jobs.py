"""GitHub from end to end: signed webhook in, answers out, by jobs of a real server.

The other side is the addon's stand-in for GitHub, an HTTP server that checks what
GitHub documents.
"""

import contextlib
import json
import os
import signal
import sys
import threading
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

import events
import pytest

ADDON = Path(__file__).resolve().parents[3] / "addons/ipai_release_gates_github"
sys.path.append(str(ADDON / "tests"))

from standin import Standin, signature

REPOSITORY = events.PROJECT


@pytest.fixture(scope="module")
def standin():
    with Standin("/api/v3") as standin:
        yield standin


@pytest.fixture(scope="module")
def forge(start_site, standin):
    """A site with a runner of jobs, connected to the stand-in."""
    return Forge(start_site(jobs=True), standin)


class Forge:
    """What people and GitHub do at the site."""

    def __init__(self, site, standin):
        self.site, self.standin = site, standin
        self.number = standin.install(REPOSITORY)
        self.ci, self.governance = site.rpc("ci"), site.rpc("governance")
        self._deliveries = 0
        self.create(
            site.rpc("admin"),
            "ipai.outbound.host",
            name="localhost",
            port=standin.port,
            is_internal=True,
            is_plain=True,
        )
        self.project = self.governance.execute_kw(
            "ipai.project", "search", [[("name", "=", REPOSITORY)]]
        )[0]
        self.app = self.create(
            self.governance,
            "ipai.github.app",
            name="Gates",
            client_id=standin.client_id,
            api_url=standin.api_url,
            private_key_pem=standin.pem,
        )
        self.repository = self.create(
            self.governance,
            "ipai.github.repository",
            project_id=self.project,
            app_id=self.app,
            installation=str(self.number),
        )
        self.webhook()

    @staticmethod
    def create(client, model, **values):
        return client.execute_kw(model, "create", [[values]])[0]

    def webhook(self):
        """Make the project's webhook of GitHub; its address and secret."""
        source = self.create(
            self.governance,
            "ipai.webhook.source",
            project_id=self.project,
            provider="github",
            user_id=self.ci.uid,
        )
        shown = self.governance.execute_kw(
            "ipai.webhook.source", "action_new_secret", [[source]]
        )["context"]
        address = urlsplit(shown["default_url"])
        self.hook, self.secret = (
            f"{address.path}?{address.query}",
            shown["default_secret"],
        )

    def set(self, **values):
        self.governance.execute_kw(
            "ipai.github.repository", "write", [[self.repository], values]
        )

    def deliver(self, payload, secret=None, delivery=None):
        """GitHub tells of a job that waits; the status and the answer."""
        self._deliveries += 1
        data = json.dumps(payload).encode()
        request = urllib.request.Request(
            self.site.url + self.hook,
            data,
            {
                "Content-Type": "application/json",
                "User-Agent": "GitHub-Hookshot/1",
                "X-GitHub-Event": "deployment_protection_rule",
                "X-GitHub-Delivery": delivery or f"d-{os.getpid()}-{self._deliveries}",
                "X-Hub-Signature-256": signature(secret or self.secret, data),
                "X-Odoo-Database": self.site.database,
            },
        )
        try:
            with urllib.request.urlopen(request) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def ask(self, release, environment="production"):
        """A job begins to wait; its run."""
        run = self.standin.start(
            REPOSITORY, environment, release["source_ref"], self.number
        )
        status, answer = self.deliver(self.standin.payload(run))
        assert status in (200, 202), answer
        return run

    def open(self, name):
        return events.open_release(self.ci, name)

    def send(self, login, *sent):
        answers = events.ingest(self.site.rpc(login), *sent)
        assert [a["status"] for a in answers] == ["accepted"] * len(sent), answers

    def pass_g1(self, release):
        self.send("ci", events.build(release))

    def pass_g2(self, release):
        self.send(
            "qa",
            *(
                evidence(release, code, "G2")
                for code in ("acceptance_criteria", "defect_register", "test_result")
            ),
            signoff(release, "G2", "qa_tester"),
        )

    def pass_g3(self, release):
        self.send(
            "rm",
            evidence(release, "rollback_plan", "G3"),
            evidence(release, "release_notes", "G3"),
            signoff(release, "G3", "release_manager"),
        )

    def states(self, run, *wanted, seconds=60):
        """Wait until a run was answered with just these states."""
        return self.standin.wait_for(
            lambda: [s for s, _ in self.standin.reviews(run)] == list(wanted), seconds
        )

    def request_of(self, run):
        [record] = self.site.rpc("rm").execute_kw(
            "ipai.github.protection",
            "search_read",
            [[("run", "=", str(run))]],
            {"order": "id desc", "limit": 1},
        )
        return record


def evidence(release, code, gate):
    payload = {"type": code, "url": f"https://ci.example.com/{code}"}
    return events.envelope(release, "evidence", payload, gate_code=gate)


def signoff(release, gate, persona):
    payload = {"persona": persona, "decision": "approved"}
    return events.envelope(release, "gate_signoff", payload, gate_code=gate)


def test_a_rejection_with_reasons_then_an_approval_after_the_evidence(forge):
    release = forge.open("github rejected")
    forge.pass_g1(release)
    forge.pass_g2(release)
    run = forge.ask(release)
    forge.states(run, "rejected")
    _state, comment = forge.standin.reviews(run)[0]
    assert "Rejected: github rejected" in comment
    assert "- G3: " in comment
    assert len(comment) <= 1024

    forge.pass_g3(release)
    # Reported at once, though the rejected job has ended …
    forge.standin.wait_for(
        lambda: any(
            call.status == 422 and (call.body or {}).get("state") == "approved"
            for call in forge.standin.calls
        )
    )
    # … and approved when it is run again.
    status, answer = forge.deliver(forge.standin.rerun(run))
    assert status in (200, 202), answer
    forge.states(run, "rejected", "approved")


def test_a_production_job_waits_for_g3(forge):
    forge.set(answer_mode="wait")
    try:
        release = forge.open("github waits")
        forge.pass_g1(release)
        forge.pass_g2(release)
        run = forge.ask(release)
        forge.states(run, "pending")
        forge.pass_g3(release)
        forge.standin.wait_for(lambda: forge.standin.runs[run].state == "approved")
        assert "rejected" not in [s for s, _ in forge.standin.reviews(run)]
    finally:
        forge.set(answer_mode="reject")


def test_the_gates_are_shown_on_the_commit(forge):
    release = forge.open("github shown")
    commit = release["source_ref"]

    def outcome(code):
        run = forge.standin.shown(commit).get(code, {})
        return run.get("conclusion") or run.get("status")

    forge.standin.wait_for(lambda: outcome("G4") == "queued")
    forge.pass_g1(release)
    forge.standin.wait_for(lambda: outcome("G1") == "success")
    forge.send("ci", events.build(release, lint="fail"))
    forge.standin.wait_for(lambda: outcome("G1") == "failure")
    assert "lint" in forge.standin.shown(commit)["G1"]["output"]["summary"]


def test_a_forged_signature_has_nothing_answered(forge):
    release = forge.open("github forged")
    run = forge.standin.start(
        REPOSITORY, "production", release["source_ref"], forge.number
    )
    payload = forge.standin.payload(run)
    assert forge.deliver(payload, secret="another")[0] == 401
    records = forge.site.rpc("rm").execute_kw(
        "ipai.github.protection", "search_count", [[("run", "=", str(run))]]
    )
    assert records == 0


def test_a_forged_callback_has_nothing_answered(forge):
    release = forge.open("github elsewhere")
    with Standin("/api/v3") as other:
        run = other.start(REPOSITORY, "production", release["source_ref"], forge.number)
        forge.deliver(other.payload(run), delivery=f"forged-{run}")
        [record] = forge.site.rpc("rm").execute_kw(
            "ipai.github.protection",
            "search_read",
            [[("delivery", "=", f"forged-{run}")]],
        )
        assert record["state"] == "abandoned"
        assert "elsewhere" in record["problem"]
        # What comes after it is answered; so the forged one would have been.
        forge.states(forge.ask(release), "rejected")
        assert not other.calls


def test_an_outage_of_github_is_waited_for(forge):
    release = forge.open("github outage")
    forge.standin.fail(
        (502, {}, "deployment_protection_rule"),
        (429, {"Retry-After": "2"}, "deployment_protection_rule"),
    )
    run = forge.ask(release)
    forge.states(run, "rejected", seconds=120)
    assert forge.request_of(run)["attempt_count"] in (0, 2)


def test_a_revoked_installation_is_told_and_answered_once_it_is_back(forge):
    release = forge.open("github revoked")
    installation = forge.standin.installations.pop(forge.number)
    installation.tokens.clear()
    run = forge.ask(release)
    forge.standin.wait_for(
        lambda: any(
            call.status == 404 and "access_tokens" in call.path
            for call in forge.standin.calls
        )
    )
    forge.standin.installations[forge.number] = installation
    record = forge.request_of(run)
    forge.site.rpc("sre").execute_kw(
        "ipai.github.protection", "action_answer", [[record["id"]]]
    )
    forge.states(run, "rejected")


def test_no_fact_slips_in_before_an_approval(forge):
    release = forge.open("github raced")
    for step in (forge.pass_g1, forge.pass_g2, forge.pass_g3):
        step(release)
    arrived = forge.standin.hang("deployment_protection_rule")
    run = forge.ask(release)
    assert arrived.wait(60), "GitHub was not answered"
    # The approval is on its way: a failure is recorded and reported after it.
    failing = threading.Thread(
        target=forge.send, args=("ci", events.build(release, lint="fail"))
    )
    failing.start()
    failing.join(1.5)
    blocked = failing.is_alive()
    forge.standin.release()
    failing.join(60)
    assert blocked, "a failing check was recorded while the approval was on its way"
    forge.standin.wait_for(
        lambda: any(
            f"/{run}/" in call.path and (call.body or {}).get("state") == "rejected"
            for call in forge.standin.calls
        )
    )


def test_a_server_that_is_killed_while_github_answers_answers_once(start_site, forge):
    release = forge.open("github killed")
    for step in (forge.pass_g1, forge.pass_g2, forge.pass_g3):
        step(release)
    arrived = forge.standin.hang("deployment_protection_rule")
    run = forge.ask(release)
    assert arrived.wait(60), "GitHub was not answered"
    os.kill(forge.site.server.process.pid, signal.SIGKILL)
    forge.site.server.process.wait()
    forge.standin.release()
    site = start_site(forge.site.database, jobs=True)
    former, forge.site = forge.site, site
    try:
        forge.ci, forge.governance = site.rpc("ci"), site.rpc("governance")
        # What was under way is run again, a while after the server is back and whenever
        # something happens in the queue; it finds its own answer at GitHub.
        other = forge.open("github next")

        def found():
            return any(
                call.path.endswith(f"/{run}/approvals") and call.status == 200
                for call in forge.standin.calls
            )

        for _try in range(30):
            if found():
                break
            forge.send("ci", events.build(other))
            with contextlib.suppress(AssertionError):
                forge.standin.wait_for(found, seconds=3)
        assert found(), "the job of the killed server was not run again"
        assert [s for s, _ in forge.standin.reviews(run)] == ["approved"]
        # And it works for what comes next.
        forge.states(forge.ask(other), "rejected")
        assert forge.request_of(run)["state"] == "approved"
    finally:
        former.server.process = None
