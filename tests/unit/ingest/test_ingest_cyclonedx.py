"""CycloneDX, as tools write it and as hostile senders might."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ingest import Rejected, parse_cyclonedx

# Written by the tools themselves, see the README there.
SAMPLES = Path(__file__).parents[1] / "samples" / "cyclonedx"
WRITTEN = {
    "cyclonedx-py-1.4": ("1.4", 2),
    "cyclonedx-py-1.6": ("1.6", 2),
    "cyclonedx-py-1.7": ("1.7", 2),
    "npm-sbom-1.5": ("1.5", 3),
    "cyclonedx-npm-1.5": ("1.5", 3),
}
PART = {"type": "library", "name": "six", "version": "1.16.0"}
SETTLED = ("resolved", "resolved_with_pedigree", "false_positive", "not_affected")


def bom(*vulnerabilities, **values):
    told = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "components": [PART],
        "vulnerabilities": list(vulnerabilities),
    }
    return json.dumps({**told, **values}).encode()


def known(*severities, state=None):
    """A vulnerability with some ratings and what an analysis says of it."""
    told = {"id": "CVE-2026-1", "ratings": [{"severity": s} for s in severities]}
    return {**told, "analysis": {"state": state}} if state else told


def read(*vulnerabilities, **values):
    return parse_cyclonedx(bom(*vulnerabilities, **values))


@pytest.mark.parametrize("tool", WRITTEN)
def test_every_tool_is_counted_by_what_it_really_writes(tool):
    report = parse_cyclonedx((SAMPLES / f"{tool}.json").read_bytes())
    version, components = WRITTEN[tool]
    assert report.metadata["format"] == f"CycloneDX {version}"
    assert report.metadata["components"] == components
    # A list of parts is no scan.
    assert (report.status, report.evidence_type) == ("skipped", "sbom")


def test_no_sample_is_left_untried():
    assert {path.stem for path in SAMPLES.glob("*.json")} == set(WRITTEN)


def test_xml_is_refused_with_the_way_out():
    with pytest.raises(Rejected, match="XML.*JSON only: convert"):
        parse_cyclonedx((SAMPLES / "cyclonedx-npm.xml").read_bytes())


def test_the_serial_number_and_time_are_kept():
    report = parse_cyclonedx((SAMPLES / "npm-sbom-1.5.json").read_bytes())
    assert report.metadata["serial_number"].startswith("urn:uuid:4aa672b5")
    assert report.metadata["timestamp"].startswith("2026-01-31T09:30:00")


# -- status -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("severity", "status"),
    [
        ("critical", "fail"),
        ("high", "fail"),
        ("unknown", "fail"),
        ("medium", "warning"),
        ("low", "warning"),
        ("info", "pass"),
        ("none", "pass"),
    ],
)
@pytest.mark.parametrize("state", [None, "exploitable", "in_triage"])
def test_an_open_vulnerability_decides_by_its_severity(severity, status, state):
    report = read(known(severity, state=state))
    assert (report.status, report.evidence_type) == (status, "vulnerability_scan")
    assert report.metadata["open"][severity] == 1


@pytest.mark.parametrize("state", SETTLED)
def test_a_vulnerability_that_is_settled_does_not(state):
    report = read(known("critical", state=state))
    assert (report.status, report.evidence_type) == ("pass", "vulnerability_scan")
    assert report.metadata["settled"][state] == 1
    assert not any(report.metadata["open"].values())
    assert read(known("critical", state=state), known("high")).status == "fail"


def test_what_nobody_rated_may_be_the_worst():
    for vulnerability in (known(), {"id": "x"}, {"ratings": [{"score": 1}]}):
        report = read(vulnerability)
        assert report.status == "fail"
        assert report.metadata["open"]["unknown"] == 1


@pytest.mark.parametrize(
    ("severities", "counted"),
    [
        (("low", "critical", "none"), "critical"),
        (("unknown", "medium"), "medium"),
        (("unknown", "unknown"), "unknown"),
    ],
)
def test_of_several_ratings_the_worst_counts(severities, counted):
    assert read(known(*severities)).metadata["open"][counted] == 1


@pytest.mark.parametrize("vulnerabilities", [None, []])
def test_a_file_that_names_no_vulnerability_is_no_scan_and_never_passes(
    vulnerabilities,
):
    report = read(vulnerabilities=vulnerabilities)
    assert (report.status, report.evidence_type) == ("skipped", "sbom")
    report = read(vulnerabilities=vulnerabilities, components=[])
    assert (report.status, report.evidence_type) == ("fail", "sbom")


def test_components_are_counted_at_every_depth():
    inner = {**PART, "components": [PART, {**PART, "components": [PART]}]}
    report = read(components=[PART, inner])
    assert report.metadata["components"] == 5


# -- what is refused ----------------------------------------------------------


def refusal(data):
    with pytest.raises(Rejected) as caught:
        parse_cyclonedx(data)
    assert caught.value.message.endswith(".")
    return caught.value


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "JSON"),
        (b"{}", "Not CycloneDX"),
        (b'{"version": "2.1.0", "runs": []}', "Not CycloneDX"),
        (bom(specVersion="1.3"), "specVersion"),
        (bom(specVersion="2.0"), "specVersion"),
        (bom(specVersion=None), "specVersion"),
        (bom(specVersion=1.6), "specVersion"),
        (bom(components={}), "components: Must be a list"),
        (bom(components=[1]), "components[0]"),
        (bom(1), "vulnerabilities[0]"),
        (bom(known("terrible")), "vulnerabilities[0]"),
        (bom(known("high", state="fine")), "vulnerabilities[0].analysis"),
        (bom({"ratings": [1]}), "vulnerabilities[0].ratings[0]"),
        (bom(serialNumber=1), "serialNumber"),
        (bom(metadata={"timestamp": 1}), "metadata.timestamp"),
        (b'\xef\xbb\xbf<bom xmlns="http://cyclonedx.org/schema/bom/1.6"/>', "XML"),
        (
            b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><bom>&a;</bom>',
            "XML",
        ),
    ],
)
def test_what_cannot_be_read_is_refused_and_says_why(data, says):
    error = refusal(data)
    assert says in error.message
    assert (error.code, error.http_status) == ("invalid_field", 400)


def test_components_inside_components_without_end_are_refused():
    part = dict(PART)
    for _depth in range(60):
        part = {"components": [part]}
    assert "deep" in refusal(bom(components=[part])).message


def test_size_is_bounded():
    data = bom()
    with pytest.raises(Rejected) as caught:
        parse_cyclonedx(data, max_bytes=len(data) - 1)
    assert caught.value.http_status == 413


leaf = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
anything = st.recursive(
    leaf, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
)
PLACES = ["components", "vulnerabilities", "metadata", "serialNumber", "specVersion"]


@given(st.sampled_from(PLACES), anything)
def test_arbitrary_values_in_any_place_are_read_or_refused(place, value):
    for data in (bom(known("high"), **{place: value}), bom({"ratings": value})):
        try:
            report = parse_cyclonedx(data)
        except Rejected as error:
            assert error.message
        else:
            assert report.status != "pass" or place == "vulnerabilities"


severities = st.sampled_from(["critical", "high", "medium", "low", "info", "none"])


@given(st.lists(severities))
def test_one_more_critical_vulnerability_never_leaves_a_report_green(found):
    assert read(*map(known, found), known("critical")).status == "fail"
