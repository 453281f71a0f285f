"""What a scenario is made of: somebody does something, and the answer must be right."""

import json
import re
import xmlrpc.client
from dataclasses import dataclass

from . import repository
from .report import cell

PLANE = "ipai.control.plane"


@dataclass(frozen=True)
class Release:
    """A release under way: how the façade knows it, and its commit."""

    uuid: str
    name: str
    commit: repository.Commit


class Play:
    """The moves of a scenario, each kept in the record and checked against it.

    :param crew: everybody who acts
    :param record: what is printed and kept
    """

    def __init__(self, crew, record):
        self.crew = crew
        self.record = record

    # --- what must succeed -----------------------------------------------------------

    def did(self, login, what, answer=""):
        """Record what somebody did."""
        self.record.step(self.crew[login].name, what, answer)

    def plane(self, login, method, *arguments):
        """Call a method of the façade."""
        return self.crew[login].call(PLANE, method, *arguments)

    def send(self, login, what, event, stale=False):
        """Send an event, which must be taken.

        :param stale: whether it is about a revision that is no longer current
        :returns: the answer
        """
        (answer,) = self.crew.ingest(login, event)
        words = f"accepted, event {answer['ingest_id']}"
        if answer["status"] != "accepted":
            words = self.words(answer)
        elif answer["detail"]["stale"]:
            words += ", as history: it speaks of an earlier revision"
        self.did(login, what, words)
        self.record.expect(
            answer["status"] == "accepted" and answer["detail"]["stale"] is stale,
            f"The event must be accepted, got {answer}",
        )
        return answer

    def move(self, login, release, stage):
        """Move a release, which must be allowed."""
        answer = self.plane(login, "request_move", release.uuid, stage)
        words = (
            f"moved, now {answer['status']}" if answer["moved"] else answer["message"]
        )
        self.did(login, f"moves {release.name} to {stage}", words)
        self.record.expect(
            answer["moved"] and answer["stage"] == stage, "The move must be allowed"
        )
        return answer

    def call(self, login, what, answer, model, method, *arguments):
        """Call a method, which must be allowed.

        :param answer: what to tell of it: a text, or a function of what it returned
        :returns: what it returned
        """
        returned = self.crew[login].call(model, method, *arguments)
        self.did(login, what, answer(returned) if callable(answer) else answer)
        return returned

    # --- what must be refused --------------------------------------------------------

    @staticmethod
    def words(answer):
        """A refusing answer of the façade, in full."""
        detail = answer["detail"]
        at = f" [{detail['field']}]" if detail.get("field") else ""
        return (
            f"{answer['http_status']} {detail.get('code')}{at}: {detail.get('message')}"
        )

    def send_refused(self, login, what, event, http, code, words=""):
        """Send an event, which must be refused with this status, code and reason.

        :param words: regular expression that the reason must match
        """
        (answer,) = self.crew.ingest(login, event)
        self.check_refused(login, what, answer, http, code, words)

    def check_refused(self, login, what, answer, http, code, words=""):
        """Tell a refusing answer, and hold it to its status, code and reason."""
        text = self.words(answer)
        self.record.step(self.crew[login].name, what, text, refused=True)
        self.record.expect(
            (answer["status"], answer["http_status"], answer["detail"].get("code"))
            == ("rejected", http, code)
            and re.search(words, text),
            f"The event must be rejected with {http} {code} /{words}/",
        )

    def move_refused(self, login, release, stage, unmet):
        """Try a move that must be refused for exactly these conditions.

        :param unmet: set of ``"G1:branch_build"``; ``"mover"`` for the wrong persona
        """
        answer = self.plane(login, "request_move", release.uuid, stage)
        what = f"tries to move {release.name} to {stage}"
        self.record.step(self.crew[login].name, what, answer["message"], refused=True)
        named = {f"{r['gate']}:{r['code']}".lstrip(":") for r in answer["reasons"]}
        self.record.expect(
            not answer["moved"] and named == set(unmet),
            f"The move must be refused for {sorted(unmet)}, got {sorted(named)}",
        )

    def call_refused(self, login, what, words, model, method, *arguments):
        """Call a method that must raise, with a message that matches *words*."""
        try:
            self.crew[login].call(model, method, *arguments)
            message = ""
        except xmlrpc.client.Fault as fault:
            message = fault.faultString.strip()
        name = self.crew[login].name
        self.record.step(name, what, message or "it was allowed", refused=True)
        self.record.expect(
            re.search(words, message), f"The call must be refused with /{words}/"
        )

    # --- what it came to -------------------------------------------------------------

    def one(self, model, domain, fields):
        """The one record that a domain means, as the auditor reads it."""
        found = self.crew["auditor"].read(model, domain, fields)
        self.record.expect(len(found) == 1, f"One {model} must be there: {domain}")
        return found[0]

    def id_of(self, release):
        """The database id of a release."""
        return self.one("ipai.release", [["uuid", "=", release.uuid]], ["name"])["id"]

    def told(self, release, kind):
        """The bodies of the entries of a kind in a release's ledger, in order."""
        rows = self.crew["auditor"].read(
            "ipai.ledger.entry",
            [["release_id.uuid", "=", release.uuid], ["kind", "=", kind]],
            ["body"],
            order="sequence",
        )
        return [json.loads(row["body"]) for row in rows]

    def expect(self, holds, message):
        """Go on only if this holds."""
        self.record.expect(holds, message)

    def gates(self, release):
        """The stored status of each gate, as the auditor reads it."""
        rows = self.crew["auditor"].read(
            "ipai.release.gate",
            [["release_id.uuid", "=", release.uuid]],
            ["gate_id", "status"],
        )
        return {row["gate_id"][1].split()[0]: row["status"] for row in rows}

    def lacking(self, release, gate):
        """The codes of the conditions that a gate lacks by a fresh verdict."""
        judged = self.verdict(release)
        conditions = next(g for g in judged if g["code"] == gate)["conditions"]
        return {c["code"] for c in conditions if c["state"] == "unmet"}

    def verdict(self, release, target="production"):
        """The gates of a fresh verdict: all of it but the time it was given."""
        return self.plane("auditor", "verdict", release.uuid, target)["gates"]

    def show_verdict(self, release, target="production"):
        """Put the present verdict into the report, and tell it in one line."""
        verdict = self.plane("auditor", "verdict", release.uuid, target)
        eligible = "eligible" if verdict["eligible"] else "not eligible"
        about = f"`{release.name}` for {target}, revision `{verdict['revision'][:7]}`"
        lines = [
            f"Verdict on {about}: **{eligible}**",
            "",
            "| gate | status | condition | state | reason |",
            "| --- | --- | --- | --- | --- |",
        ]
        for gate in verdict["gates"]:
            for condition in gate["conditions"]:
                cells = gate["code"], gate["status"], condition["name"]
                cells += condition["state"], cell(condition["reason"])
                lines.append(f"| {' | '.join(cells)} |")
        self.record.block("\n".join(lines))
        told = ", ".join(
            f"{gate['code']} {gate['status']}" for gate in verdict["gates"]
        )
        eligible = "eligible" if verdict["eligible"] else "not eligible"
        self.did("auditor", f"asks for the verdict for {target}", f"{eligible}: {told}")
        return verdict
