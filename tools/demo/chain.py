"""The story of a release, rebuilt from its ledger alone and checked without Odoo."""

import json

from . import rooms
from .opening import WROTE
from .report import cell

#: What of an entry's body tells most about it, by kind.
_TELLING = {
    "release_opened": ("project", "name", "source_ref", "stage"),
    "revision_changed": ("from", "to"),
    "check": ("name", "status", "gate"),
    "evidence": ("type", "gate", "sha256", "url"),
    "approval": ("gate", "exception", "persona", "decision"),
    "signoff_refused": ("gate", "exception", "persona", "reason"),
    "gate_resolved": ("gate", "from", "status"),
    "gate_reopened": ("gate", "from", "status", "cause"),
    "move_allowed": ("from", "to", "reason"),
    "move_refused": ("from", "to", "unmet"),
    "release_cancelled": ("stage",),
    "deployment": ("environment", "status", "external_id", "unauthorised"),
    "deployment_refused": ("environment", "source_ref", "unmet"),
    "rollback": ("environment", "external_id", "trigger", "outcome", "restored"),
    "incident": ("external_id", "severity", "status", "postmortem"),
    "exception_requested": ("exception", "type", "risk", "gates", "expires_at"),
    "exception_approved": ("exception", "state"),
    "exception_expired": ("exception",),
    "exception_closed": ("exception", "reason"),
    "exception_reviewed": ("exception", "findings"),
}
#: What a release may do beyond going through its gates.
_BESIDES = {
    *(kind for kind in _TELLING if kind.startswith("exception_")),
    *("deployment", "rollback", "incident"),
    *("approval", "signoff_refused", "move_allowed"),
}
_FIELDS = (
    *("chain", "sequence", "kind", "actor", "occurred_at", "subject", "body"),
    *("previous_hash", "hash"),
)


def told(entry):
    """An entry's body in a few words."""
    words = []
    for key in _TELLING.get(entry.kind, sorted(entry.body)):
        value = entry.body.get(key)
        if isinstance(value, list):
            value = ", ".join(map(str, value))
        if value not in (None, "", False):
            short = key in ("sha256", "source_ref", "from", "to")
            is_hash = short and len(str(value)) >= 40
            words.append(f"{key} {str(value)[:12]}…" if is_hash else f"{key} {value}")
    return "; ".join(words)


def read(auditor, release=None):
    """A chain as the auditor reads it over XML-RPC.

    :param release: whose chain; by default that of governance
    """
    mine = (
        ["release_id.uuid", "=", release.uuid]
        if release
        else ["release_id", "=", False]
    )
    entries = auditor.read("ipai.ledger.entry", [mine], list(_FIELDS), order="sequence")
    return [
        {**{name: entry[name] for name in _FIELDS}, "body": json.loads(entry["body"])}
        for entry in entries
    ]


def head_of(auditor, release):
    """The head of a release's chain, as the auditor reads it over XML-RPC."""
    (head,) = auditor.read(
        "ipai.release",
        [["uuid", "=", release.uuid]],
        ["ledger_sequence", "ledger_hash"],
    )
    return head["ledger_sequence"], head["ledger_hash"]


def verified(play, release):
    """Read a release's chain and verify it without Odoo.

    :returns: its rows and its head
    """
    auditor = play.crew["auditor"]
    rows, head = read(auditor, release), head_of(auditor, release)
    faults = rooms.load("ledger").verify(rows, head=head)
    play.did(
        "auditor",
        f"reads the ledger of {release.name} and verifies it without Odoo",
        "\n".join(fault.message for fault in faults)
        or f"chain sound: {len(rows)} entries",
    )
    play.expect(not faults, "The chain must be sound")
    return rows, head


def reopened(play, release):
    """The second release's chain says which gates re-opened, and why."""
    rows, _ = verified(play, release)
    bodies = [row["body"] for row in rows if row["kind"] == "gate_reopened"]
    play.did(
        "auditor",
        "reads there which gates were re-opened",
        "\n".join(f"{body['gate']}: {body['cause']}" for body in bodies) or "none",
    )
    play.expect(
        {"G1", "G2"} <= {body["gate"] for body in bodies},
        "The chain must tell that G1 and G2 re-opened",
    )


def rebuild(play, release):
    """Verify the chain of a closed release and tell its story as a table."""
    ledger = rooms.load("ledger")
    play.record.chapter("The story, rebuilt from the database alone")
    play.call_refused(
        "auditor",
        "tries to change an entry of the ledger",
        "not allowed|never changed",
        *("ipai.ledger.entry", "write", [1], {"actor": "nobody"}),
    )
    rows, head = verified(play, release)
    forge(play, ledger, rows, head)
    story = ledger.rebuild(rows, ledger.CORE)
    tell(play, story, rows, head)
    play.expect(
        (story.name, story.stage, story.source_ref)
        == (release.name, "closed", release.commit.sha),
        "The chain must tell of this release, closed",
    )
    play.expect(
        {gate: found.status for gate, found in story.gates.items()}
        == dict.fromkeys(("G1", "G2", "G3", "G4"), "passed"),
        "The chain must tell that four gates passed",
    )


def forge(play, ledger, rows, head):
    """A copy of the chain in which one refusal was turned into a move is found out."""
    at = next(n for n, row in enumerate(rows) if row["kind"] == "move_refused")
    forged = [dict(row) for row in rows]
    forged[at]["kind"] = "move_allowed"
    faults = ledger.verify(forged, head=head)
    play.did(
        "auditor",
        "turns one refusal into a move, in a copy, and verifies that",
        "found out: " + "\n".join(fault.message for fault in faults),
    )
    play.expect(
        [fault.sequence for fault in faults] == [rows[at]["sequence"]],
        "The verifier must find exactly the forged entry",
    )


def tell(play, story, rows, head):
    """Print the story, and keep it with all hashes for the report."""
    refused = sum(not move.allowed for move in story.moves)
    play.did(
        "auditor",
        "rebuilds the story from these rows and nothing else",
        f"{story.project} {story.name}: {len(story.revisions)} revision, "
        f"{len(story.moves) - refused} moves, {refused} refused moves, "
        f"{len(story.of('approval'))} sign-offs, "
        f"{len(story.of('signoff_refused'))} refused sign-offs, now {story.stage}",
    )
    seen = [
        step
        for step in play.record.steps
        if step.refused
        and step.what.startswith((f"tries to move {story.name} ", WROTE))
    ]
    play.expect(
        refused == len(seen),
        f"The chain must tell of {len(seen)} refused moves, also of those whose "
        f"transaction was rolled back; it tells of {refused}",
    )
    keep(play, story, rows, head)


def keep(play, story, rows, head, kinds=None):
    """Print a story, and keep it with all hashes for the report.

    :param kinds: which entries to show; by default all
    """
    shown = [entry for entry in story.events if not kinds or entry.kind in kinds]
    some = f"{len(shown)} of them here, " if kinds else ""
    lines = [
        f"Chain `{story.chain}`, {len(rows)} entries, {some}head `{head[1]}`:",
        "",
        "| # | time (UTC) | who | what | of it | hash |",
        "| --: | --- | --- | --- | --- | --- |",
    ]
    for entry in shown:
        cells = str(entry.sequence), entry.occurred_at[11:19], entry.actor
        digest = entry.hash.partition(":")[2][:12]
        cells += entry.kind.replace("_", " "), told(entry), f"`{digest}…`"
        lines.append(f"| {' | '.join(map(cell, cells))} |")
        play.record.tell(
            f"{entry.sequence:>4} {cells[1]} {entry.actor:<11}"
            f"{cells[3]:<20} {cells[4]}"[:118]
        )
    play.record.block("\n".join(lines))


def deviations(play, release):
    """The chain of a release that needed exceptions tells of each, in order."""
    play.record.chapter("The exceptions and the rollback, from the ledger")
    rows, head = verified(play, release)
    ledger = rooms.load("ledger")
    keep(play, ledger.rebuild(rows, ledger.CORE), rows, head, _BESIDES)
    exceptions = [
        row["kind"].partition("_")[2]
        for row in rows
        if row["kind"].startswith("exception_")
    ]
    play.expect(
        exceptions
        == [
            *("requested", "closed"),  # of a commit that was replaced
            *("requested", "approved"),  # by two people
            *("requested", "closed"),  # the extension
            *("requested", "approved", "expired"),  # by the clock
            *("requested", "approved", "reviewed"),  # the emergency
        ],
        f"The chain must tell of every exception, it tells {exceptions}",
    )


def every(play, releases):
    """Verify each chain from outside and by the button, governance's included."""
    play.record.chapter("Every chain verified")
    for release in releases:
        verified(play, release)
        press(
            *(play, f"presses “Verify Ledger” at {release.name}"),
            *("ipai.release", "action_verify_ledger", [play.id_of(release)]),
        )
    rows = read(play.crew["auditor"])
    # What concerns another company only is not shown; the button looks at all of it.
    faults = [
        fault for fault in rooms.load("ledger").verify(rows) if fault.code != "missing"
    ]
    switched = [
        (body["before"].get("active"), body["after"].get("active"))
        for body in (row["body"] for row in rows if row["kind"] == "policy_changed")
        if "restore_drill" in body["what"] and body["before"] and body["after"]
    ]
    play.did(
        "auditor",
        "reads the governance chain and verifies it without Odoo",
        "\n".join(fault.message for fault in faults)
        or f"chain sound: {len(rows)} entries; the last about the restore drill tell "
        "that its requirement was put in force and taken out",
    )
    play.expect(rows and not faults, "The governance chain must be sound")
    play.expect(
        switched[-2:] == [(False, True), (True, False)],
        f"The governance chain must tell what was switched, it tells {switched[-2:]}",
    )
    press(
        *(
            play,
            "presses “Verify Chain”, which compares the head of that chain too",
        ),
        *("ipai.ledger.entry", "action_verify_governance", []),
    )


def press(play, what, model, method, *arguments):
    """Press a button that verifies a chain, which must be sound."""
    answer = play.crew["auditor"].call(model, method, *arguments)
    params = answer.get("params", {})
    told = f"{params.get('title')}: {params.get('message')}"
    play.did("auditor", what, told if params else str(answer))
    play.expect(params.get("type") == "success", "The server must find it sound")
