"""Persona contracts: what is missing, how versions are numbered, what is published."""

from governance import (
    FIELDS,
    SECTIONS,
    difference,
    missing,
    next_version,
    template_markdown,
    to_markdown,
)

FULL = {
    **dict.fromkeys(FIELDS, "One.\nTwo."),
    "outcomes": "1\n2\n3",
    "governance_overlay": "template.md#governance-overlay",
    "review_cadence": "monthly",
}
FORMER = {"major": 1, "minor": 3, **FULL}


def test_a_full_contract_lacks_nothing():
    assert missing(FULL) == []


def test_each_empty_section_is_named():
    for name in FIELDS:
        assert len(missing({**FULL, name: " \n"})) == 1
    assert len(missing({})) == len(FIELDS) + 2


def test_versions_are_major_for_rights_and_prohibitions_only():
    assert next_version(None, FULL) == (1, 0, ())
    for name in FIELDS:
        version = next_version(FORMER, {**FULL, name: "Other."})[:2]
        major = name in ("decision_rights", "prohibited_actions")
        assert version == ((2, 0) if major else (1, 4)), name


def test_white_space_makes_no_major_version_and_no_difference():
    other = {**FULL, "decision_rights": "\n One. \n\nTwo.\n"}
    assert next_version(FORMER, other)[:2] == (1, 4)
    assert difference(FORMER, other) == ""


def test_a_difference_names_the_section():
    text = difference(FORMER, {**FULL, "kpis": "One.\nThree."})
    assert text == "KPIs:\n-Two.\n+Three."


def test_what_is_published_has_every_section_and_no_markup_of_others():
    text = to_markdown(
        {
            **FULL,
            "mission": "<script>alert(1)</script>",
            "code": "dev",
            "name": "Dev <b>",
            "version": "1.0",
            "domains": [("x.y", "primary")],
        }
    )
    for number, section in enumerate(SECTIONS, 1):
        assert f"## {number}. {section.title}\n" in text
        assert f"| {number} | {section.title} |" in template_markdown()
    assert "<script" not in text and "<b>" not in text
