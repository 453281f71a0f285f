"""What the client reads: JUnit files, git's authors, and foreign text."""

import os

import client_parts  # noqa: F401  makes the client importable
import ingest
import pytest
from ipai_gates import git, junit, say
from ipai_gates.problems import UsageProblem

CASES = {
    "passed": "<testsuite><testcase/></testsuite>",
    "failed": "<testsuites><testsuite><testcase><failure/></testcase>"
    "<testcase/></testsuite></testsuites>",
    "error": "<testsuite><testcase><skipped/><error/></testcase></testsuite>",
    "skipped": "<testsuite><testcase><skipped/></testcase></testsuite>",
    "nothing": "<testsuites/>",
    "only claimed": "<testsuite errors='1'><testcase/></testsuite>",
    "by attribute": "<testsuite><testcase status='notrun'/>"
    "<testcase result='failed'/></testsuite>",
    "nested": "<testsuites><testsuite><testsuite><testcase/></testsuite>"
    "<testcase><system-out><failure/></system-out></testcase></testsuite></testsuites>",
    "namespace": "<testsuite xmlns='urn:x'><testcase><failure/></testcase></testsuite>",
    "flaky": "<testsuite><testcase><flakyFailure/></testcase></testsuite>",
}


@pytest.mark.parametrize("name", CASES)
def test_a_junit_file_is_counted_as_the_server_counts_it(name):
    data = CASES[name].encode()
    status, counts = junit.summary(data, "unit.xml")
    theirs = ingest.parse_junit(data)
    assert status == theirs.status
    assert counts == {key: getattr(theirs, key) for key in counts}


@pytest.mark.parametrize(
    "text",
    [
        "no xml",
        "<html/>",
        "<testsuite>",
        "<!DOCTYPE x [<!ENTITY a 'b'>]><testsuite><testcase/></testsuite>",
        "<?xml version='1.0' encoding='nonsense'?><testsuite/>",
    ],
)
def test_what_is_no_junit_file_is_no_result(text):
    with pytest.raises(UsageProblem, match="unit.xml is no JUnit file"):
        junit.summary(text.encode(), "unit.xml")


@pytest.fixture
def repository(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run("git", "init", "-q")
    return tmp_path


def run(*words, **environ):
    import subprocess

    env = {**os.environ, **environ}
    done = subprocess.run(words, check=True, capture_output=True, text=True, env=env)
    return done.stdout.strip()


def commit(text, author, committer=None):
    people = {"AUTHOR": author, "COMMITTER": committer or author}
    environ = {}
    for role, address in people.items():
        environ[f"GIT_{role}_NAME"] = environ[f"GIT_{role}_EMAIL"] = address
    run("git", "commit", "-q", "--allow-empty", "-m", text, **environ)
    return run("git", "rev-parse", "HEAD")


def test_authors_are_all_who_wrote_or_committed_since_the_last_tag(repository):
    commit("before", "old@x.org")
    run("git", "tag", "v1")
    commit("one", "A@x.org", "b@x.org")
    last = commit(
        "two\n\nCo-authored-by: C <c@x.org>\nSigned-off-by: D <d@x.org>", "a@x.org"
    )
    assert git.authors(last) == ["a@x.org", "b@x.org", "c@x.org"]
    # The tag of the release itself is not the one before it.
    run("git", "tag", "v2")
    assert git.authors(last) == ["a@x.org", "b@x.org", "c@x.org"]
    assert git.authors(last, since=f"{last}^") == ["a@x.org", "c@x.org"]


def test_without_a_tag_everybody_is_an_author(repository):
    commit("one", "a@x.org")
    assert git.authors(commit("two", "b@x.org")) == ["a@x.org", "b@x.org"]


def test_authors_are_never_told_by_half(repository, monkeypatch):
    sha = commit("one", "a@x.org")
    last = commit("two", "b@x.org")
    with pytest.raises(UsageProblem, match="is not in this folder"):
        git.authors("f" * 40)
    with pytest.raises(UsageProblem, match="no such commit"):
        git.authors(last, since="nothing")
    with pytest.raises(UsageProblem, match="no commit after"):
        git.authors(sha, since=last)
    run("git", "clone", "-q", "--depth", "1", f"file://{repository}", "shallow")
    monkeypatch.chdir(repository / "shallow")
    with pytest.raises(UsageProblem, match="fetch-depth: 0"):
        git.authors(last)


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("one\ntwo\x1b[31m", "one two [31m"),
        ("x\n::set-env name=A::b", "x : :set-env name=A: :b"),
        ("##[error]no", "## [error]no"),
    ],
)
def test_foreign_text_commands_neither_terminal_nor_runner(text, cleaned):
    assert say.clean(text) == cleaned
