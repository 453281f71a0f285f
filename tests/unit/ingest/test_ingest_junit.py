"""JUnit files: what is read of each dialect, and what is refused."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ingest import Rejected, parse_envelope, parse_junit, to_checks

# One report per dialect, shaped as the tool writes it: two tests pass, one fails, one
# has an error (where the tool knows the difference), one is skipped.
PYTEST = """<?xml version="1.0" encoding="utf-8"?>
<testsuites name="pytest tests"><testsuite name="pytest" errors="1" failures="1"
 skipped="1" tests="5" time="0.039" timestamp="2026-01-31T09:30:00" hostname="ci">
<testcase classname="tests.test_x" name="test_a" time="0.001" />
<testcase classname="tests.test_x" name="test_b" time="0.002"><failure
 message="assert 0">def test_b(): assert 0</failure></testcase>
<testcase classname="tests.test_x" name="test_c" time="0.000"><skipped
 type="pytest.skip" message="later">x.py:4: later</skipped></testcase>
<testcase classname="tests.test_x" name="test_d" time="0.003"><properties>
<property name="failure" value="no"/></properties><system-out>
&lt;failure/&gt;</system-out></testcase>
<testcase classname="tests.test_x" name="test_d" time="0.000"><error
 message="failed on teardown">RuntimeError</error></testcase>
</testsuite></testsuites>"""

SUREFIRE = """<?xml version="1.0" encoding="UTF-8"?>
<testsuite xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
 xsi:noNamespaceSchemaLocation="https://example.org/surefire-test-report.xsd"
 version="3.0" name="example.ATest" time="1,234.5" tests="5" errors="1" skipped="1"
 failures="1" flakes="1"><properties><property name="a" value="b"/></properties>
<testcase name="a" classname="example.ATest" time="1,234.5"/>
<testcase name="b" classname="example.ATest" time="0"><failure
 type="AssertionError"><![CDATA[at <error/>]]></failure><rerunFailure
 type="AssertionError"><stackTrace>x</stackTrace></rerunFailure></testcase>
<testcase name="c" classname="example.ATest" time="0"><error type="E"/></testcase>
<testcase name="d" classname="example.ATest" time="0"><skipped/></testcase>
<testcase name="e" classname="example.ATest" time="0"><flakyFailure
 type="AssertionError"><stackTrace>x</stackTrace></flakyFailure></testcase>
</testsuite>"""

JEST = """<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="jest tests" tests="5" failures="1" errors="1" time="1.36">
<testsuite name="board" errors="0" failures="1" skipped="1" tests="4" time="0.486">
<testcase classname="board drags" name="board drags" time="0.1"/>
<testcase classname="board drops" name="board drops" time="0.2"/>
<testcase classname="board says" name="board says" time="0"><failure>Error: no
</failure></testcase>
<testcase classname="board later" name="board later" time="0"><skipped/></testcase>
</testsuite><testsuite name="broken" errors="1" failures="0" skipped="0" tests="1"
 time="0"><testcase classname="Test execution failure" name="broken" time="0"><error>
Cannot find module</error></testcase></testsuite></testsuites>"""

GO_JUNIT_REPORT = """<?xml version="1.0" encoding="UTF-8"?>
<testsuites tests="5" failures="1" errors="1" skipped="1">
<testsuite name="example.org/a" tests="4" failures="1" errors="0" id="0" skipped="1"
 time="0.160"><properties><property name="go.version" value="1.22"/></properties>
<testcase name="TestA" classname="example.org/a" time="0.060"></testcase>
<testcase name="TestB" classname="example.org/a" time="0.100"/>
<testcase name="TestC" classname="example.org/a" time="0.000"><failure
 message="Failed">c_test.go:9</failure></testcase>
<testcase name="TestD" classname="example.org/a" time="0.000"><skipped
 message="Skipped"></skipped></testcase></testsuite>
<testsuite name="example.org/b" tests="1" failures="0" errors="1" id="1" time="0">
<testcase name="[build failed]" classname="example.org/b" time="0.000"><error
 message="Build error">b.go:3</error></testcase></testsuite></testsuites>"""

GOTESTSUM = """<?xml version="1.0" encoding="UTF-8"?>
<testsuites tests="5" failures="2" errors="0" time="1.2">
<testsuite tests="4" failures="1" time="0.2" name="example.org/a">
<properties><property name="go.version" value="go1.22"></property></properties>
<testcase classname="example.org/a" name="TestA" time="0.1"></testcase>
<testcase classname="example.org/a" name="TestA/sub" time="0.1"></testcase>
<testcase classname="example.org/a" name="TestC" time="0"><failure message="Failed"
 type="">=== RUN TestC</failure></testcase>
<testcase classname="example.org/a" name="TestD" time="0"><skipped
 message="d_test.go:3"></skipped></testcase></testsuite>
<testsuite tests="1" failures="1" time="0" name="example.org/b">
<testcase classname="" name="TestMain" time="0"><failure message="Failed"
 type="">FAIL [build failed]</failure></testcase></testsuite></testsuites>"""

PHPUNIT = """<?xml version="1.0" encoding="UTF-8"?>
<testsuites><testsuite name="Project" tests="5" assertions="9" errors="1"
 failures="1" skipped="1" time="0.5"><testsuite name="ATest" file="/a/ATest.php"
 tests="5" assertions="9" errors="1" failures="1" skipped="1" time="0.5">
<testsuite name="ATest::testData" tests="2" assertions="2" errors="0" failures="1"
 skipped="0" time="0.2"><testcase name="testData with data set #0" class="ATest"
 classname="ATest" file="/a/ATest.php" line="9" assertions="1" time="0.1"/>
<testcase name="testData with data set #1" time="0.1"><failure
 type="ExpectationFailedException">no</failure></testcase></testsuite>
<testcase name="testB" class="ATest" line="20" assertions="1" time="0.1"/>
<testcase name="testC" class="ATest" line="25" time="0.1"><error
 type="Exception">no</error></testcase>
<testcase name="testD" class="ATest" line="30" time="0.1"><skipped/></testcase>
</testsuite></testsuite></testsuites>"""

DIALECTS = {
    "pytest": (PYTEST, (5, 1, 1, 1), ["pytest"]),
    "surefire": (SUREFIRE, (5, 1, 1, 1), ["example.ATest"]),
    "jest-junit": (JEST, (5, 1, 1, 1), ["board", "broken"]),
    "go-junit-report": (
        GO_JUNIT_REPORT,
        (5, 1, 1, 1),
        ["example.org/a", "example.org/b"],
    ),
    "gotestsum": (GOTESTSUM, (5, 2, 0, 1), ["example.org/a", "example.org/b"]),
    "phpunit": (PHPUNIT, (5, 1, 1, 1), ["ATest", "ATest::testData"]),
}
# Written by the tools themselves, see the README there.
SAMPLES = Path(__file__).parents[1] / "samples" / "junit"
WRITTEN = {
    "pytest": (8, 1, 1, 2),
    "unittest-xml-reporting": (6, 2, 1, 2),
    "nose2": (6, 2, 1, 2),
    "behave": (4, 1, 1, 1),
    "robot-framework": (3, 1, 0, 1),
    # A file that cannot be loaded is written twice; a todo like a test that passed.
    "jest-junit": (6, 2, 1, 1),
    "mocha-junit-reporter": (5, 2, 0, 2),
    "vitest": (4, 1, 0, 2),
    # A todo that failed is skipped and failed: the worse of it counts.
    "node-test": (5, 2, 0, 1),
    # Of the two that CTest did not run, one had asked to be skipped.
    "ctest": (5, 1, 1, 2),
}
GREEN = b'<testsuite name="a"><testcase name="t" time="0.5"/></testsuite>'


def read(body, **options):
    return parse_junit(body.encode(), **options)


def suite(cases, attributes=""):
    return f"<testsuites><testsuite {attributes}>{cases}</testsuite></testsuites>"


@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_dialect_is_counted_by_its_test_cases(dialect):
    body, counts, suites = DIALECTS[dialect]
    report = read(body)
    found = (report.tests, report.failures, report.errors, report.skipped)
    assert found == counts
    assert [name for name, _counts in report.suites] == suites
    assert sum(inner.tests for _name, inner in report.suites) == report.tests
    assert report.status == "fail"


@pytest.mark.parametrize("tool", WRITTEN)
def test_every_tool_is_counted_by_what_it_really_writes(tool):
    report = parse_junit((SAMPLES / f"{tool}.xml").read_bytes())
    found = (report.tests, report.failures, report.errors, report.skipped)
    assert found == WRITTEN[tool]
    assert report.status == "fail"


def test_no_sample_is_left_untried():
    assert {path.stem for path in SAMPLES.glob("*.xml")} == set(WRITTEN)


@pytest.mark.parametrize(
    ("message", "outcome"),
    [
        ("Unable to find executable", "errors"),
        ("Required Files Missing", "errors"),
        ("Fixture dependency failed", "errors"),
        ("SKIP_RETURN_CODE=77", "skipped"),
        ("SKIP_REGULAR_EXPRESSION_MATCHED", "skipped"),
    ],
)
def test_what_ctest_could_not_run_is_an_error_unless_it_asked_to_be_skipped(
    message, outcome
):
    case = f'<testcase status="notrun"><skipped message="{message}"/></testcase>'
    report = read(suite(f"{case}<testcase/>"))
    assert getattr(report, outcome) == 1
    assert report.status == ("fail" if outcome == "errors" else "pass")


def test_a_nested_suite_is_counted_once():
    counts = dict(read(PHPUNIT).suites)
    assert (counts["ATest"].tests, counts["ATest::testData"].tests) == (3, 2)


def test_time_is_summed_from_the_test_cases_in_any_spelling():
    assert read(SUREFIRE).time == 1234.5
    assert read(PYTEST).time == pytest.approx(0.006)
    odd = "".join(f'<testcase time="{t}"/>' for t in ("nan", "inf", "-1", "x", "", "2"))
    assert read(suite(odd)).time == 2


def test_tests_that_ran_and_did_not_fail_are_a_pass():
    report = parse_junit(GREEN)
    assert (report.tests, report.time, report.status) == (1, 0.5, "pass")


@pytest.mark.parametrize(
    "body", ["<testsuites/>", "<testsuite/>", suite("", 'tests="9" failures="0"')]
)
def test_a_report_without_a_test_case_is_a_fail(body):
    report = read(body)
    assert (report.tests, report.status) == (0, "fail")


def test_a_run_in_which_every_test_was_skipped_is_no_pass():
    report = read(suite("<testcase><skipped/></testcase>" * 2))
    assert report.status == "skipped"


def test_attributes_that_claim_success_are_not_believed():
    body = suite("<testcase><failure/></testcase>", 'tests="1" failures="0"')
    assert read(body).failures == 1


@pytest.mark.parametrize("claim", ['failures="1"', 'errors="1"'])
def test_a_suite_that_admits_a_failure_elsewhere_is_a_fail(claim):
    report = read(suite("<testcase/>", claim))
    assert (report.failures, report.errors, report.status) == (0, 0, "fail")


def test_a_case_that_failed_twice_is_one_case_with_its_worst_outcome():
    body = "<testcase><skipped/><failure/><error/><failure/></testcase>"
    report = read(suite(body))
    assert (report.tests, report.failures, report.errors) == (1, 0, 1)
    assert report.skipped == 0


@pytest.mark.parametrize(
    ("attribute", "key"),
    [
        ('status="notrun"', "skipped"),
        ('status="disabled"', "skipped"),
        ('status="failed"', "failures"),
        ('result="Error"', "errors"),
        ('status="run" result="skipped"', "skipped"),
    ],
)
def test_an_outcome_may_stand_in_an_attribute(attribute, key):
    report = read(suite(f"<testcase {attribute}/>"))
    assert getattr(report, key) == 1


def test_only_children_of_the_case_itself_decide_its_outcome():
    body = "<testcase><system-out><failure/></system-out></testcase>"
    assert read(suite(body)).status == "pass"


def test_cases_right_under_the_root_and_after_an_inner_suite_are_counted():
    body = (
        "<testsuites><testcase/><testsuite name='a'><testcase/><testsuite name='b'/>"
        "<testcase/></testsuite><properties/><testcase/></testsuites>"
    )
    report = read(body)
    assert [(name, inner.tests) for name, inner in report.suites] == [
        ("", 2),
        ("a", 2),
        ("b", 0),
    ]


def test_a_namespace_does_not_hide_the_elements():
    body = suite("<testcase><failure/></testcase>").replace(
        "<testsuites>", '<testsuites xmlns="urn:junit">'
    )
    assert read(body).failures == 1


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "iso-8859-1", "cp1252"])
def test_the_declared_encoding_is_respected(encoding):
    body = f'<?xml version="1.0" encoding="{encoding}"?>' + suite(
        "<testcase/>", 'name="é"'
    )
    assert parse_junit(body.encode(encoding)).suites[0][0] == "é"


# -- hostile input ------------------------------------------------------------

BOMB = """<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">
<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]><testsuite name="&c;"/>"""
EXTERNAL = """<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>
<testsuite><testcase>&a;</testcase></testsuite>"""


@pytest.mark.parametrize(
    "body",
    [
        BOMB,
        EXTERNAL,
        "<!DOCTYPE testsuite><testsuite><testcase/></testsuite>",
        '<!DOCTYPE testsuite SYSTEM "http://example.com/x.dtd"><testsuite/>',
        '<!DOCTYPE x [<!ENTITY % p SYSTEM "http://example.com/p"> %p;]><testsuite/>',
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_document_type_is_refused_before_anything_is_expanded(body, encoding):
    with pytest.raises(Rejected, match="document type") as caught:
        parse_junit(body.encode(encoding))
    assert (caught.value.code, caught.value.http_status) == ("invalid_field", 400)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"not xml",
        b"<testsuite>",
        b"<testsuite/><testsuite/>",
        b"<html><testcase/></html>",
        b"<testcase/>",
        b"<testsuite>&undefined;</testsuite>",
        b"<testsuite>\xff</testsuite>",
        b"<testsuite>\x00</testsuite>",
        b'<?xml version="1.0" encoding="klingon"?><testsuite/>',
        b'<?xml version="1.0" encoding="utf-7"?><testsuite/>',
        b'<?xml version="1.0" encoding="hex"?><testsuite/>',
        b"<testsuite>" * 200 + b"</testsuite>" * 200,
        b'{"version": "2.1.0"}',
        b"\x1f\x8b\x08\x00",
    ],
)
def test_what_is_no_junit_report_is_refused(data):
    with pytest.raises(Rejected) as caught:
        parse_junit(data)
    assert caught.value.http_status == 400
    assert caught.value.message


def test_a_report_is_bounded_before_it_is_read():
    assert parse_junit(GREEN, max_bytes=len(GREEN)).tests == 1
    with pytest.raises(Rejected) as caught:
        parse_junit(GREEN, max_bytes=len(GREEN) - 1)
    assert (caught.value.code, caught.value.http_status) == ("too_large", 413)


def test_only_bytes_are_read():
    with pytest.raises(TypeError):
        parse_junit(GREEN.decode())


@given(st.binary(max_size=200))
def test_arbitrary_bytes_are_refused_and_never_crash(data):
    for body in (data, b"<testsuite>" + data + b"</testsuite>"):
        try:
            report = parse_junit(body)
        except Rejected:
            continue
        assert report.status in ("pass", "fail", "skipped")


outcomes = st.lists(st.sampled_from(["", "<failure/>", "<error/>", "<skipped/>"]))


@given(outcomes, st.sampled_from(["<failure/>", "<error/>"]))
def test_one_more_failing_test_never_turns_a_report_green(cases, failing):
    body = "".join(f"<testcase>{outcome}</testcase>" for outcome in cases)
    assert read(suite(f"{body}<testcase>{failing}</testcase>")).status == "fail"


# -- as checks ----------------------------------------------------------------


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_report_becomes_a_check_that_an_envelope_takes(dialect):
    checks = to_checks(read(DIALECTS[dialect][0]), "unit_tests")
    (check,) = build(checks)
    assert (check["name"], check["status"]) == ("unit_tests", "fail")
    assert check["metadata"]["tests"] == 5


def test_a_report_of_a_thousand_long_names_still_fits_an_envelope():
    name = "𝒳" * 1000
    body = "".join(f'<testsuite name="{name}"/>' for _n in range(1000))
    (check,) = build(to_checks(read(f"<testsuites>{body}</testsuites>"), "x"))
    assert check["metadata"]["suite_count"] == 1000
    assert len(check["metadata"]["suites"]) == 50


def build(checks):
    raw = {
        "schema_version": "v1.0",
        "idempotency_key": "gitlab_ci/1/build_complete/1",
        "event_type": "build_complete",
        "source_system": "gitlab_ci",
        "release_id": 1,
        "emitted_at": "2026-01-31T09:30:00Z",
        "payload": {
            "source_ref": "a" * 40,
            "status": "fail",
            "checks": checks,
            "log_url": "https://ci.example.com/1",
        },
    }
    return parse_envelope(raw).payload["checks"]
