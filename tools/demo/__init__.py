"""``make demo``: a release of this repository through its gates, from outside.

``repository``      what git knows: commits, authors, changes
``build``           a real build: unit tests and linter
``people``          who acts, each over XML-RPC
``play``            doing something, and holding the answer to what it must be
``opening``, ``build_integrity``, ``validation``, ``promotion``, ``operation``
                    from Build to Closed, with every wrong turn
``second_release``  a new commit re-opens the gates
``exceptions``, ``emergency``
                    what fails is passed by the answer of two people, until it expires
``incidents``, ``rollback``, ``drill``
                    what operations meet, and what follows from it for the gates
``chain``           the story rebuilt from the ledger and verified without Odoo
``record``          what happened, printed and kept; ``report`` writes it down
``ambiguities``     what the specifications left open
"""

import argparse
import ast
import platform
import xmlrpc.client
from datetime import datetime, timezone
from http.client import HTTPException
from pathlib import Path
from xml.parsers.expat import ExpatError

from .. import serve
from ..paths import ADDON, REPORTS
from ..say import Stop, say
from ..server import free_port
from . import (
    build_integrity,
    chain,
    drill,
    emergency,
    exceptions,
    incidents,
    opening,
    operation,
    people,
    promotion,
    report,
    repository,
    rollback,
    second_release,
    validation,
)
from .build import Running
from .play import Play
from .record import Record, Unexpected


def carry(url, database, build, record):
    """Carry releases of HEAD through their gates at a server.

    :param build: a function that gives the :class:`~.build.Build` of HEAD
    :param record: a :class:`~.record.Record`
    :raises Unexpected: at the first step that does not behave as it must
    """
    stage = Play(people.Crew(url, database), record)
    commit = repository.commit()
    record.facts.update(facts(url, commit))
    release = opening.open_release(stage, commit)
    opening.too_early(stage, release)
    built = build()
    build_integrity.g1(stage, release, built)
    validation.g2(stage, release, built)
    promotion.g3(stage, release)
    operation.g4(stage, release)
    name = f"{release.name}-second"
    second = second_release.pass_g2(stage, commit, name, built)
    second_release.new_revision(stage, second, built)
    excepted, unapproved = deviate(stage, commit, release, second, built)
    drill.drill(stage, second)
    chain.rebuild(stage, release)
    build_integrity.read_back(stage, release, built)
    chain.reopened(stage, second)
    chain.deviations(stage, excepted)
    chain.every(stage, (release, second, excepted, unapproved))


def deviate(stage, commit, closed, held, built):
    """Carry a release by exceptions to production and back, and try to go around.

    :param closed: the release whose deployment runs again after the rollback
    :param held: an open release, which incidents hold meanwhile
    :returns: that release, and the one that nobody approved
    """
    name = f"{closed.name}-exception"
    excepted = exceptions.two_people(stage, commit, name, built)
    exceptions.expiry(stage, excepted)
    emergency.emergency(stage, excepted)
    incident = incidents.opened(stage, excepted, held)
    rollback.roll_back(stage, excepted, closed)
    incidents.resolved(stage, incident, held)
    name = f"{closed.name}-unapproved"
    return excepted, rollback.unapproved(stage, commit, name, held)


def facts(url, commit):
    """What the report says of the circumstances."""
    manifest = ast.literal_eval((ADDON / "__manifest__.py").read_text())
    return {
        "Date": datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        "Revision": f"`{commit.sha}` ({commit.subject})",
        "Addon": f"{ADDON.name} {manifest['version']}",
        "Odoo": people.server_version(url),
        "Python": platform.python_version(),
        "Git": repository.git("version").removeprefix("git version "),
    }


def answering(port, database):
    """The address of a server that is up with the demo logins on this database."""
    known = serve.serving(database)
    for url in filter(None, (known, f"http://localhost:{port}")):
        try:
            if people.authenticate(url, database, "ci", seconds=10):
                return url
        except (OSError, HTTPException, xmlrpc.client.Error, ExpatError):
            continue  # nothing there, or something else than ours
    return None


def options(arguments):
    """The port, the database and the report that the command line names."""
    given, rest = serve.options(arguments)
    parser = argparse.ArgumentParser(prog="make demo", allow_abbrev=False)
    parser.add_argument("--report", type=Path, default=REPORTS / "dry-run.md")
    parser.add_argument("--tests", default="tests/unit", help="what the build runs")
    return parser.parse_args(rest, given)


def demo(arguments):
    """``demo [--port N] [--database NAME] [--report FILE] [--tests FOLDER]``.

    :returns: 0 if every step behaved as it must
    """
    given = options(arguments)
    record = Record()
    with Running(given.tests) as build:

        def at(url):
            say(f"· the demo acts at {url} on the database {given.database}")
            return _played(record, given.report, url, given.database, build.wait)

        url = answering(given.port, given.database)
        if url:
            return at(url)
        say("· no server is up for this database; the demo starts one and ends it")
        return serve.serve(given.database, free_port(), lambda server: at(server.url))


def _played(record, path, url, database, build):
    """Play it, and write the report also when it fails; the exit code."""
    try:
        carry(url, database, build, record)
        record.failure = ""
    except PermissionError as error:
        raise Stop(
            f"{error}: make run makes a database with the demo logins."
        ) from None
    except (Unexpected, xmlrpc.client.Error, HTTPException, OSError) as error:
        record.failure = f"failed: {error}"
    finally:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(report.markdown(record))
    refused = sum(step.refused for step in record.steps)
    say(
        f"\n{len(record.steps)} steps, {refused} wrong turns refused, "
        f"{record.seconds:.0f} s. Report: {path}"
    )
    if record.failure:
        say(f"✗ {record.failure}")
        return 1
    return 0
