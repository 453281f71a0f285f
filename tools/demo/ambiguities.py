"""Where the source specifications leave a question open, and how the model answers it.

The scenario names an entry by its key at the step that runs into it; the report lists
those that were met, with the steps.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Ambiguity:
    """An open question of the specifications and its answer in the model.

    :ivar said: what the specification says
    :ivar asked: what it leaves open
    :ivar resolved: what the model does
    :ivar decision: where that was decided, if it has a page of its own
    """

    title: str
    said: str
    asked: str
    resolved: str
    decision: str = ""


AMBIGUITIES = {
    "opened_twice": Ambiguity(
        "Opening a release that is open already",
        "`open_release` is idempotent on project and name.",
        "What becomes of another commit sent along the second time?",
        "The release keeps its revision and the answer shows it; only a `revision` "
        "event or an edit of the release changes the commit, because that re-opens "
        "gates.",
    ),
    "source_of_a_local_run": Ambiguity(
        "A build without a CI system",
        "`source_system` is one of `github_actions`, `gitlab_ci`, `agent`, `manual`, "
        "`monitoring`.",
        "Which of them is a build that ran on a developer's machine?",
        "A service account may name any of them, so this run says `agent` and names "
        "no CI system that was not there. A person may only say `manual`: otherwise a "
        "developer could report a green pipeline in the name of GitHub Actions.",
        "0006",
    ),
    "tree_and_commit": Ambiguity(
        "A build of a tree that differs from its commit",
        "Checks are bound to the revision they speak of; `source_ref` is never "
        "guessed.",
        "Whose results are those of a working tree with local changes?",
        "The sender answers for `source_ref`. This run counts the files that differ "
        "from the commit and sends the number with the checks as `changed_files`.",
    ),
    "build_check": Ambiguity(
        "Which check is “the branch build”",
        "G1 demands “branch build succeeded” and “all required checks `pass`”; "
        "`build_complete` carries a status of its own beside its checks.",
        "Is the status the sum of the checks, or a fact of its own?",
        "A fact of its own: it becomes a check named `build`, which G1 demands beside "
        "the checks that the project's policy names (`unit_tests`, `lint`). A check "
        "counts by its name: the latest of a name decides, whatever gate it was sent "
        "for.",
        "0009",
    ),
    "log_reachable": Ambiguity(
        "“Build log kept and reachable”",
        "G1 demands a log that is reachable; the server never fetches an address.",
        "Who makes sure that the address answers?",
        "Nobody at the gate. G1 demands that the log is recorded, with its SHA-256 if "
        "one was sent; a log that must outlive its address is sent as a file, as "
        "here.",
    ),
    "what_a_retry_is": Ambiguity(
        "What makes two events the same",
        "Same key and same payload is a duplicate; another payload is a conflict.",
        "A client that retries after a lost answer sends a new `emitted_at`. Is that "
        "another payload?",
        "No. All of the envelope counts but `emitted_at`, which is the sender's clock "
        "and proves nothing.",
    ),
    "evidence_and_gates": Ambiguity(
        "Whether evidence for one gate serves another",
        "Evidence has an optional gate; G2 demands “test evidence”, which CI already "
        "sent when it reported the build for G1.",
        "Must QA record the same file again?",
        "Yes. Evidence recorded for a gate serves that gate, evidence recorded "
        "without one serves every gate. The tester who records it for G2 says by it "
        "that it was looked at.",
        "0009",
    ),
    "empty_register": Ambiguity(
        "A defect register without a defect",
        "G2 demands a defect register; minimum evidence is a “defect list”.",
        "Is an empty list a register?",
        "Yes: what is demanded is that somebody kept one and recorded it for this "
        "revision. Whether open defects are acceptable is the tester's judgement, "
        "given by the sign-off, unless governance adds a `metadata_match` to the "
        "requirement.",
    ),
    "unresolved_author": Ambiguity(
        "A commit author whom Odoo does not know",
        "The approver is none of the revision's authors; an author who cannot be "
        "resolved to a user blocks.",
        "What resolves one, who does it, and what is blocked?",
        "An address is a user's login, e-mail or alias; aliases are kept by "
        "governance alone. Until every address is known nobody signs, and sign-offs "
        "given before do not count. Facts and moves that need no sign-off go on.",
        "0007",
    ),
    "refused_signatures": Ambiguity(
        "Where a refused signature is kept",
        "The ledger's kinds name refused moves, not refused signatures.",
        "Does an attempt to sign without the right to leave a trace?",
        "Yes: as `signoff_refused` in the release's chain, with the reason. Whether "
        "somebody may sign is judged where the sign-off is recorded, not at the door "
        "by the sender's role, so none is lost. A malformed event stays in the ingest "
        "log.",
        "0006",
    ),
    "evidence_package": Ambiguity(
        "“Complete evidence package”",
        "G3 demands a “complete evidence package”, and rollback plan and release "
        "notes beside it.",
        "Is the package a document, or are those two part of it?",
        "It is the sum of every evidence requirement of G1 to G3, each judged for its "
        "own gate. Those two are named on their own as well, so a missing rollback "
        "plan leaves two conditions unmet.",
        "0009",
    ),
    "who_plans_rollback": Ambiguity(
        "Who records the rollback plan",
        "The roles table gives the release manager approvals, exceptions, moves and "
        "releases, but no evidence; the process lets them record rollback plan and "
        "release notes.",
        "Which of the two holds?",
        "The process: release managers record evidence. Evidence is no decision.",
        "0006",
    ),
    "green_before_deployment": Ambiguity(
        "The G4 deadline before and after it",
        "“Outcome reached within the G4 deadline.”",
        "Is the condition met while there is still time, and does it fail a confirmed "
        "release when monitoring reports again later?",
        "Without a deployment it is unmet, before the deadline it is met and says "
        "until when. The moment in which all of G4 first holds is stamped on the "
        "deployment and that stamp is compared, so a later report does not undo it.",
        "0005",
    ),
    "fallback_timer": Ambiguity(
        "“Incident fallback timer defined”",
        "G4 demands a fallback timer, default 30 minutes.",
        "Does the default define it?",
        "No. A timer that nobody recorded was not thought about: it is evidence like "
        "any other, with its `minutes`.",
        "0005",
    ),
    "status_when_closed": Ambiguity(
        "The status of a closed release",
        "Status is `draft`, `in_progress`, `promoted`, `rolled_back`, `failed` or "
        "`cancelled`; Closed is a stage.",
        "Which status has a closed release?",
        "The one that it came with, so the status still tells how it ended: "
        "`promoted`.",
    ),
    "late_result": Ambiguity(
        "A result for a revision that is no longer current",
        "Accepted as history, changes no gate.",
        "Is that an answer of success, and can it help or hurt?",
        "It is accepted with `stale` set, so that CI does not retry for ever. It is "
        "kept, shown as stale and in the ledger; neither a pass nor a failure of it "
        "reaches a verdict.",
        "0001",
    ),
    "back_to_a_commit": Ambiguity(
        "From commit A to B and back to A",
        "Facts are bound to the revision; a new commit makes approvals stale.",
        "Do the sign-offs of A count again when A returns?",
        "No. Each time a release takes a commit is a revision of its own, and facts "
        "point to that. What was proved before the detour must be proved again.",
        "0001",
    ),
    "exception_author": Ambiguity(
        "An author who decides on an exception",
        "The requester never approves an exception; the approver of a gate is none of "
        "the revision's authors.",
        "May an author approve an exception that a colleague requested?",
        "No. An exception can waive the very sign-off whose independence must be "
        "shown, so authors decide on none for their revision, and an author nobody is "
        "known for blocks the decision.",
        "0014",
    ),
    "exception_revision": Ambiguity(
        "An exception and a new commit",
        "Checks, evidence and approvals are bound to a revision; an exception names "
        "gates and a time.",
        "Does an exception that is in force outlive a new commit?",
        "No. It was approved for what the approvers looked at; otherwise a waiver for "
        "a harmless commit would carry whatever is pushed after it. It is requested "
        "again.",
        "0014",
    ),
    "exception_sealed": Ambiguity(
        "What may change of an exception that is being decided",
        "Extension is a new approval, never an edit; a life starts as `draft`.",
        "From when on is it fixed, and can it go back to `draft`?",
        "From the request on, in the model and by database triggers, and it does not "
        "go back. Changes that an approver requests reject it; an extension is a new "
        "exception that needs the former one in force.",
        "0014",
    ),
    "exception_expiry": Ambiguity(
        "The moment at which an exception ends",
        "Expiry is judged from the clock at the moment of decision; the scheduled "
        "action records it, re-opens gates, notifies.",
        "What do board and reports say between the instant and the next run?",
        "What the verdict says. The row of a gate stores, beside its status, what the "
        "status becomes at each instant at which time alone changes it; whoever reads "
        "the row picks the step that the clock has come to. Decisions read neither.",
        "0015",
    ),
    "overdue_review": Ambiguity(
        "A post-event review that nobody holds",
        "A critical exception needs a post-event review within 5 days.",
        "What does an overdue review hold, and can that be waived?",
        "While it is overdue, G3 is closed for every open release of the project, the "
        "one with the exception included. No exception covers that condition.",
        "0014",
    ),
    "unauthorised_deployment": Ambiguity(
        "A deployment that went around the gates",
        "Production is promoted to after G3; CI reports deployments after they "
        "happened.",
        "Is a report of a deployment that nobody approved refused or recorded?",
        "What is about to happen is refused, so that a pipeline stops, and so is a "
        "person's record. What has happened is recorded as unauthorised, for a ledger "
        "that refuses facts would hide them, and it opens a blocking incident.",
        "0016",
    ),
}
