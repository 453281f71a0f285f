"""SARIF, as tools write it and as hostile senders might."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ingest import Rejected, parse_sarif

# Written by the tools themselves, see the README there.
SAMPLES = Path(__file__).parents[1] / "samples" / "sarif"
WRITTEN = {
    "ruff": {"error": 5},
    "bandit": {"error": 1, "warning": 1, "note": 2},
    "eslint": {"error": 1, "warning": 1, "suppressed": 1},
    # Tells the levels with its rules alone.
    "semgrep": {"error": 1, "warning": 1},
}
COUNTED = ("error", "warning", "note", "none", "suppressed")


def run(*results, **values):
    tool = {"driver": {"name": "scan", "version": "1.0"}}
    return {"tool": tool, "results": list(results), **values}


def log(*runs, **values):
    return json.dumps({"version": "2.1.0", "runs": list(runs), **values}).encode()


def read(*results, **values):
    return parse_sarif(log(run(*results, **values)))


@pytest.mark.parametrize("tool", WRITTEN)
def test_every_tool_is_counted_by_what_it_really_writes(tool):
    report = parse_sarif((SAMPLES / f"{tool}.sarif").read_bytes())
    found = {key: report.metadata[key] for key in COUNTED if report.metadata[key]}
    assert found == WRITTEN[tool]
    assert (report.status, report.evidence_type) == ("fail", "vulnerability_scan")
    (told,) = report.metadata["tools"]
    assert told["name"].lower().startswith(tool)
    assert told["version"][0].isdecimal()


def test_no_sample_is_left_untried():
    assert {path.stem for path in SAMPLES.glob("*")} == set(WRITTEN)


# -- status -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("levels", "status"),
    [
        ((), "pass"),
        (("none", "note"), "pass"),
        (("note", "warning"), "warning"),
        (("warning", "error", "note"), "fail"),
    ],
)
def test_the_worst_level_decides(levels, status):
    assert read(*({"level": level} for level in levels)).status == status


def test_a_run_that_found_nothing_passes_and_one_that_tells_nothing_does_not():
    assert read().status == "pass"
    for silent in ({"results": None}, {}):
        told = {"tool": {"driver": {"name": "scan"}}, **silent}
        report = parse_sarif(log(told))
        assert report.status == "fail"
        assert report.metadata["runs_without_results"] == 1
        # Another run that found nothing does not make up for it.
        assert parse_sarif(log(run(), told)).status == "fail"


def test_a_file_without_a_run_fails():
    assert parse_sarif(log()).status == "fail"


@pytest.mark.parametrize(
    ("outcomes", "status"),
    [([True], "pass"), ([False], "fail"), ([True, False], "fail"), ([None], "pass")],
)
def test_a_tool_that_says_it_failed_shows_nothing(outcomes, status):
    invocations = [{"executionSuccessful": outcome} for outcome in outcomes]
    assert read(invocations=invocations).status == status


@pytest.mark.parametrize(
    ("suppressions", "status"),
    [
        ([], "fail"),
        ([{"kind": "inSource"}], "pass"),
        ([{"kind": "external", "status": "accepted"}], "pass"),
        ([{"kind": "external", "status": "underReview"}], "fail"),
        ([{"kind": "external", "status": "rejected"}], "fail"),
        ([{"kind": "inSource"}, {"kind": "external", "status": "rejected"}], "fail"),
    ],
)
def test_only_a_suppression_in_force_takes_a_result_away(suppressions, status):
    report = read({"level": "error", "suppressions": suppressions})
    assert report.status == status
    assert report.metadata["suppressed"] == (status == "pass")


def test_a_result_that_is_no_more_does_not_count():
    assert read({"level": "error", "baselineState": "absent"}).status == "pass"
    assert read({"level": "error", "baselineState": "unchanged"}).status == "fail"


# -- levels -------------------------------------------------------------------

RULES = {
    "driver": {
        "name": "scan",
        "rules": [
            {"id": "A1", "defaultConfiguration": {"level": "error"}},
            {"id": "A2", "defaultConfiguration": {"level": "note"}},
            {"id": "A3"},
        ],
    },
    "extensions": [
        {
            "name": "more",
            "rules": [{"id": "B1", "defaultConfiguration": {"level": "none"}}],
        }
    ],
}


@pytest.mark.parametrize(
    ("result", "level"),
    [
        ({}, "warning"),
        ({"ruleId": "A1"}, "error"),
        ({"ruleId": "A1/2"}, "error"),
        ({"ruleId": "A1", "level": "note"}, "note"),
        ({"ruleIndex": 0}, "error"),
        ({"ruleIndex": 1, "ruleId": "A1"}, "note"),
        ({"ruleId": "A3"}, "warning"),
        ({"ruleId": "unknown"}, "warning"),
        ({"ruleIndex": 99}, "warning"),
        ({"ruleIndex": -1}, "warning"),
        ({"rule": {"id": "A1"}}, "error"),
        ({"rule": {"index": 0}}, "error"),
        ({"rule": {"index": 0, "toolComponent": {"index": 0}}}, "none"),
        ({"kind": "pass"}, "none"),
        ({"kind": "review", "ruleId": "A1"}, "none"),
        ({"kind": "fail", "ruleId": "A1"}, "error"),
    ],
)
def test_a_result_without_a_level_has_that_of_its_rule(result, level):
    report = read(result, tool=RULES)
    assert report.metadata[level] == 1
    assert sum(report.metadata[key] for key in COUNTED) == 1


# -- what is refused ----------------------------------------------------------


def refusal(data):
    with pytest.raises(Rejected) as caught:
        parse_sarif(data)
    assert caught.value.message.endswith(".")
    return caught.value


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "JSON"),
        (b"[]", "an object"),
        (b"{", "JSON"),
        (b"{}", "Not SARIF"),
        (b'{"version": "2.0.0", "runs": []}', "Not SARIF"),
        (b'{"version": "2.1.0"}', "Not SARIF"),
        (b'{"bomFormat": "CycloneDX", "specVersion": "1.6"}', "Not SARIF"),
        (b"<sarif/>", "XML"),
        (b" \n<sarif/>", "XML"),
        (b"\x1f\x8b\x08\x00", "compressed"),
        (b"PK\x03\x04", "compressed"),
        (log(run(), x=1).decode().encode("utf-16"), "UTF-16"),
        (b'{"version": "2.1.0", "runs": [], "x": "\xff"}', "UTF-8"),
        (b'{"version": "2.1.0", "runs": [], "x": NaN}', "NaN"),
        (b'{"version": "2.1.0", "runs": [], "x": -Infinity}', "Infinity"),
        (b'{"version": "2.1.0", "runs": [], "runs": []}', "twice"),
        (b'{"version": "2.1.0", "runs": [], "x": 1' + b"0" * 5000 + b"}", "too long"),
    ],
)
def test_what_is_no_sarif_is_refused_and_says_why(data, says):
    error = refusal(data)
    assert says in error.message
    assert (error.code, error.http_status) == ("invalid_field", 400)


@pytest.mark.parametrize(
    ("told", "where"),
    [
        ({"runs": [1]}, "runs[0]"),
        ({"runs": [{}]}, "tool.driver.name"),
        ({"runs": [run(1)]}, "runs[0].results[0]"),
        ({"runs": [run({"level": "bad"})]}, "runs[0].results[0]"),
        ({"runs": [run({"level": 1})]}, "runs[0].results[0].level"),
        ({"runs": [run({"kind": "bad"})]}, "runs[0].results[0]"),
        ({"runs": [run({"ruleIndex": True})]}, "results[0].ruleIndex"),
        ({"runs": [run({"suppressions": {}})]}, "results[0].suppressions"),
        ({"runs": [run(invocations=[None])]}, "runs[0].invocations[0]"),
        ({"inlineExternalProperties": []}, "inlineExternalProperties"),
        (
            {"runs": [run(externalPropertyFileReferences={"results": []})]},
            "externalPropertyFileReferences",
        ),
    ],
)
def test_what_is_wrong_is_named_by_its_place(told, where):
    data = json.dumps({"version": "2.1.0", "runs": [run()], **told}).encode()
    assert where in refusal(data).message


@pytest.mark.parametrize("depth", [99, 10_000, 1_000_000])
def test_depth_is_bounded(depth):
    deep = b"[" * depth + b"]" * depth
    data = b'{"version": "2.1.0", "runs": [], "x": ' + deep + b"}"
    if depth < 100:
        assert parse_sarif(data).status == "fail"
    else:
        assert "deep" in refusal(data).message or refusal(data).code == "too_large"


def test_a_value_just_too_deep_is_refused_by_our_own_bound():
    data = b'{"version": "2.1.0", "runs": [], "x": ' + b"[" * 100 + b"]" * 100 + b"}"
    assert "100 deep" in refusal(data).message


def test_size_and_count_are_bounded_before_anything_is_read():
    data = log(run())
    assert parse_sarif(data, max_bytes=len(data)).status == "pass"
    with pytest.raises(Rejected) as caught:
        parse_sarif(data, max_bytes=len(data) - 1)
    assert (caught.value.code, caught.value.http_status) == ("too_large", 413)
    error = refusal(b"[" + b"{}," * 600_000 + b"{}]")
    assert (error.code, error.http_status) == ("too_large", 413)


def test_a_byte_order_mark_is_passed_over():
    assert parse_sarif(b"\xef\xbb\xbf" + log(run())).status == "pass"


def test_only_bytes_are_read():
    with pytest.raises(TypeError):
        parse_sarif("{}")


def test_foreign_names_are_shown_short_and_printable():
    tool = {"driver": {"name": "s\x00c\u202ea\ud800n" + "n" * 500}}
    (told,) = read(tool=tool).metadata["tools"]
    assert told["name"].isprintable()
    assert len(told["name"]) <= 128
    told["name"].encode()


leaf = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
anything = st.recursive(
    leaf, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
)
PLACES = ["tool", "results", "invocations", "externalPropertyFileReferences"]
IN_RESULT = ["level", "kind", "rule", "ruleId", "ruleIndex", "suppressions"]


@given(st.binary())
def test_arbitrary_bytes_are_read_or_refused(data):
    try:
        parse_sarif(data)
    except Rejected as error:
        assert error.message


@given(st.sampled_from(PLACES), st.sampled_from(IN_RESULT), anything, anything)
def test_arbitrary_values_in_any_place_are_read_or_refused(place, key, outer, inner):
    told = {**run({"level": "error"}, {key: inner}), place: outer}
    for one in (told, run({"level": "error", key: inner})):
        try:
            assert parse_sarif(log(one)).status in ("pass", "warning", "fail")
        except Rejected as error:
            assert error.message


levels = st.lists(st.sampled_from(["none", "note", "warning", "error"]))


@given(levels)
def test_one_more_error_never_leaves_a_report_green(found):
    results = [{"level": level} for level in found]
    assert read(*results, {"level": "error"}).status == "fail"
