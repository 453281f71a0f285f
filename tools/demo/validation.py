"""G2: QA validates and signs, once it is known who wrote the revision."""

from . import documents

G2 = {"acceptance_criteria", "defect_register", "test_evidence", "qa_signoff"}


def g2(play, release, build):
    """QA validates and signs; the developer, the manager and a stranger do not."""
    play.record.chapter("G2 Validation Readiness")
    play.move("dev", release, "qa_validation")
    play.move_refused(
        *("rm", release, "staging_acceptance"), {f"G2:{code}" for code in G2}
    )
    play.send_refused(
        "sre",
        "records the defect register in QA's place",
        play.crew.event(
            *("sre", release.uuid, "evidence"),
            documents.file(release, "defect_register", "defects.csv", b"none\n"),
            gate="G2",
        ),
        *(403, "forbidden", "for gate G4"),
    )
    record_for_g2(play, release, build)
    sign_offs_of_g2(play, release)
    play.expect(play.gates(release)["G2"] == "passed", "G2 must have passed")
    play.move_refused("qa", release, "staging_acceptance", {"mover"})
    play.move("rm", release, "staging_acceptance")
    play.show_verdict(release, "staging")


def record_for_g2(play, release, build):
    """What G2 asks QA for."""
    register = documents.defect_register(build.junit)
    for what, payload in (
        ("records the acceptance criteria, mapped to tests", documents.file(
            release, "acceptance_criteria", "acceptance-criteria.md",
            documents.acceptance_criteria(build.junit))),
        (f"records the defect register, {register.count(b'open')} open", documents.file(
            release, "defect_register", "defects.csv", register)),
        ("records the JUnit file as test evidence", documents.file(
            release, "test_result", "unit-tests.xml", build.junit,
            tests=build.tests.tests, failures=build.tests.failures)),
    ):  # fmt: skip
        event = play.crew.event("qa", release.uuid, "evidence", payload, gate="G2")
        play.send("qa", what, event)
    play.record.finding("empty_register")


def sign(play, login, release, gate, persona, **more):
    """A sign-off as that person would send it."""
    payload = {
        "source_ref": release.commit.sha,
        "persona": persona,
        "decision": "approved",
        "rationale_text": "Everything that this gate asks for was looked at.",
        **more,
    }
    return play.crew.event(login, release.uuid, "gate_signoff", payload, gate=gate)


def sign_offs_of_g2(play, release):
    """Who cannot sign G2, why, and who does in the end."""
    play.send_refused(
        "qa",
        "signs in somebody else's name",
        sign(play, "qa", release, "G2", "qa_tester", approver="rm@example.com"),
        *(400, "identity_in_payload"),
    )
    unknown = withdraw_mapping(play, release)
    if unknown:
        play.send_refused(
            "qa",
            f"signs G2, but Odoo does not know who {', '.join(unknown)} is",
            sign(play, "qa", release, "G2", "qa_tester"),
            *(403, "forbidden", "No user is known for author"),
        )
        play.record.finding("unresolved_author")
    for address in unknown:
        play.crew["governance"].call(
            "ipai.author.alias",
            "create",
            [{"email": address, "user_id": user_id(play, "dev")}],
        )
        play.did("governance", f"maps {address} to the user dev", "recorded")
    play.send_refused(
        "dev",
        "signs G2, whose author dev is",
        sign(play, "dev", release, "G2", "qa_tester"),
        *(403, "forbidden", "hold"),
    )
    play.send_refused(
        "rm",
        "signs G2 as a QA tester",
        sign(play, "rm", release, "G2", "qa_tester"),
        *(403, "forbidden", "does not hold the persona"),
    )
    play.record.finding("refused_signatures")
    play.send("qa", "signs G2", sign(play, "qa", release, "G2", "qa_tester"))


def user_id(play, login):
    """The id of a demo user, as governance reads it."""
    (user,) = play.crew["governance"].read(
        "res.users", [["login", "=", login]], ["login"]
    )
    return user["id"]


def withdraw_mapping(play, release):
    """The release's authors whom Odoo does not know, or only by an earlier run.

    That run's mapping is taken back first, so that every run meets the same strangers.
    """
    governance = play.crew["governance"]
    authors = list(release.commit.authors)
    aliases = governance.read(
        "ipai.author.alias",
        [["email", "in", authors], ["user_id", "=", user_id(play, "dev")]],
        ["email"],
    )
    if aliases:
        governance.call("ipai.author.alias", "unlink", [row["id"] for row in aliases])
        play.did(
            "governance",
            "takes back the mapping of an earlier run",
            ", ".join(row["email"] for row in aliases),
        )
    users = governance.read(
        "res.users",
        ["|", ["login", "in", authors], ["email", "in", authors]],
        ["login", "email"],
    )
    others = governance.read("ipai.author.alias", [["email", "in", authors]], ["email"])
    known = {row["email"] for row in [*users, *others]} | {
        row["login"] for row in users
    }
    return [address for address in authors if address not in known]
