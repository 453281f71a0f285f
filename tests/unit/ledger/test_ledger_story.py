"""The story of a release, read from its ledger entries."""

import functools
import random

import ledger
import pytest
from ledger import CORE, GENESIS, Draft, Story

extend = functools.partial(ledger.extend, kinds=CORE)
rebuild = functools.partial(ledger.rebuild, kinds=CORE)

ONE, TWO = "1" * 40, "2" * 40

EVENTS = [
    (
        "release_opened",
        {
            "project": "acme/odoo",
            "name": "1.0",
            "source_ref": ONE,
            "authors": ["dev@example.com"],
            "stage": "build",
        },
    ),
    ("check", {"name": "unit_tests", "status": "pass", "source_ref": ONE}),
    ("move_refused", {"from": "build", "to": "qa", "unmet": ["No build log", "x"]}),
    (
        "gate_resolved",
        {"gate": "G1", "status": "passed", "from": "pending", "source_ref": ONE},
    ),
    ("move_allowed", {"from": "build", "to": "qa", "reason": "", "source_ref": ONE}),
    (
        "gate_resolved",
        {"gate": "G2", "status": "failed", "from": "pending", "source_ref": ONE},
    ),
    (
        "revision_changed",
        {"from": ONE, "to": TWO, "authors": ["x@example.com"], "stage": "build"},
    ),
    (
        "gate_reopened",
        {
            "gate": "G1",
            "from": "passed",
            "status": "pending",
            "source_ref": TWO,
            "cause": "new revision",
        },
    ),
    (
        "move_allowed",
        {"from": "build", "to": "production", "reason": "go", "source_ref": TWO},
    ),
    (
        "deployment",
        {
            "environment": "production",
            "status": "in_progress",
            "external_id": "d1",
            "source_ref": TWO,
        },
    ),
    (
        "deployment",
        {
            "environment": "staging",
            "status": "succeeded",
            "external_id": "d1",
            "source_ref": TWO,
        },
    ),
    (
        "deployment",
        {
            "environment": "production",
            "status": "succeeded",
            "external_id": "d1",
            "source_ref": TWO,
        },
    ),
    ("signoff_refused", {"gate": "G3", "persona": "sre", "reason": "author"}),
]


def write(events, chain="release-1"):
    drafts = [
        Draft(chain, kind, f"user:{n}", f"2026-01-31T09:30:{n:02}.000000Z", "s", body)
        for n, (kind, body) in enumerate(events)
    ]
    return extend(0, GENESIS, drafts)


@pytest.fixture
def story():
    return rebuild(write(EVENTS))


def test_a_story_knows_its_release_and_where_it_stands(story):
    assert (story.chain, story.project, story.name) == ("release-1", "acme/odoo", "1.0")
    assert (story.stage, story.source_ref) == ("production", TWO)


def test_revisions_come_in_order_with_their_authors(story):
    found = [(revision.source_ref, revision.authors) for revision in story.revisions]
    assert found == [(ONE, ("dev@example.com",)), (TWO, ("x@example.com",))]


def test_each_gate_has_its_last_resolution_and_why_it_reopened(story):
    one, two = story.gates["G1"], story.gates["G2"]
    assert (one.status, one.source_ref, one.cause) == ("pending", TWO, "new revision")
    assert (two.status, two.source_ref, two.cause) == ("failed", ONE, None)


def test_moves_include_the_refused_ones_with_what_was_unmet(story):
    found = [(m.origin, m.target, m.allowed, m.unmet) for m in story.moves]
    assert found == [
        ("build", "qa", False, ("No build log", "x")),
        ("build", "qa", True, ()),
        ("build", "production", True, ()),
    ]
    assert story.moves[0].actor == "user:2"
    assert story.moves[0].at == "2026-01-31T09:30:02.000000Z"


def test_a_refused_move_leaves_the_release_where_it_was():
    assert rebuild(write(EVENTS[:3])).stage == "build"


def test_a_new_revision_may_pull_the_release_back_or_leave_it():
    assert rebuild(write(EVENTS[:7])).stage == "build"
    kept = [*EVENTS[:6], ("revision_changed", {"from": ONE, "to": TWO})]
    assert rebuild(write(kept)).stage == "qa"


def test_a_deployment_has_its_last_status_per_environment(story):
    assert {key: d.status for key, d in story.deployments.items()} == {
        ("production", "d1"): "succeeded",
        ("staging", "d1"): "succeeded",
    }


def test_a_rollback_marks_the_deployment_it_takes_back():
    rollback = {"environment": "production", "external_id": "d2", "rollback_of": "d1"}
    story = rebuild(write([*EVENTS, ("rollback", rollback)]))
    rolled_back = story.deployments["production", "d1"]
    assert (rolled_back.status, rolled_back.source_ref) == ("rolled_back", TWO)


def test_every_entry_can_be_read_in_order_and_by_kind(story):
    assert [entry.kind for entry in story.events] == [kind for kind, _ in EVENTS]
    assert [e.body["name"] for e in story.of("check", "evidence")] == ["unit_tests"]


def test_the_order_of_rows_does_not_change_the_story(story):
    rows = [vars(entry) for entry in write(EVENTS)]
    random.Random(1).shuffle(rows)
    assert rebuild(rows) == story


def test_absent_keys_and_further_keys_are_tolerated():
    kinds = [kind for kind, _body in EVENTS]
    story = rebuild(write([(kind, {"extra": [1]}) for kind in (*kinds, "rollback")]))
    assert story.stage is None
    assert len(story.events) == len(kinds) + 1


def test_no_rows_tell_an_empty_story():
    assert rebuild([]) == Story()


def test_rows_of_two_chains_tell_no_story():
    with pytest.raises(ValueError, match="2 chains"):
        rebuild([*write(EVENTS), *write(EVENTS, "release-2")])


def test_a_row_that_is_no_entry_is_refused():
    with pytest.raises(ValueError, match="body"):
        rebuild([{**vars(write(EVENTS)[0]), "body": None}])


def opened_and(*events):
    return rebuild(write([EVENTS[0], *events]))


def test_a_cancelled_release_keeps_the_stage_it_was_in():
    story = opened_and(("release_cancelled", {"stage": "build", "source_ref": ONE}))
    assert (story.cancelled, story.stage, story.moves) == (True, "build", [])


def test_a_cancellation_of_an_older_chain_is_no_move():
    former = {"from": "build", "to": "cancelled", "reason": "cancelled"}
    story = opened_and(("move_allowed", former))
    assert (story.cancelled, story.stage, story.moves) == (True, "build", [])


def test_an_entry_of_an_unknown_kind_changes_nothing_but_is_kept():
    rows = ledger.extend(
        0,
        GENESIS,
        [Draft("r", "toy", "x", "2026-01-31T09:30:00.000000Z", "s,1", {"to": "qa"})],
        {"toy"},
    )
    story = rebuild(rows)
    assert story.stage is None
    assert [entry.kind for entry in story.events] == ["toy"]
