"""The report of a run, in Markdown."""

from .ambiguities import AMBIGUITIES

_HEAD = (
    "One real run of `make demo`: continuous integration, the four personas, "
    "governance and an auditor carry a release of this repository from Build to "
    "Closed over XML-RPC, with every wrong turn on the way; another needs exceptions, "
    "meets an incident in production and is rolled back. Nothing here was written by "
    "hand; the next run writes it anew: "
    '`make demo ARGS="--report docs/reference/dry-run.md"`.'
)


def cell(text):
    """Text as one cell of a table."""
    return text.replace("|", "\\|").replace("\n", "<br>")


def _chapter(chapter):
    lines = [f"### {chapter.title}", ""]
    lines += ["| # | who | what | answer | s |", "| --: | --- | --- | --- | --: |"]
    for step in chapter.steps:
        mark = "**refused**: " if step.refused else ""
        answer = f"{mark}{cell(step.answer)}"
        lines.append(
            f"| {step.number} | {step.who} | {cell(step.what)} | {answer} "
            f"| {step.seconds:.2f} |"
        )
    for block in chapter.blocks:
        lines += ["", block]
    return [*lines, ""]


def _refusals(record):
    for step in record.steps:
        if step.refused:
            yield f"{step.number}. {step.who} {step.what}:"
            yield ""
            yield "   ```text"
            yield from (f"   {line}" for line in step.answer.splitlines())
            yield "   ```"
            yield ""


def _ambiguities(record):
    for number, (key, steps) in enumerate(record.findings.items(), start=1):
        found = AMBIGUITIES[key]
        met = ", ".join(map(str, dict.fromkeys(steps)))
        page = f" (decision {found.decision})" if found.decision else ""
        yield f"### {number}. {found.title}"
        yield ""
        yield f"- Met at step {met}."
        yield f"- The specifications say: {found.said}"
        yield f"- Open: {found.asked}"
        yield f"- Resolved{page}: {found.resolved}"
        yield ""


def markdown(record):
    """The whole report of a record."""
    refused = sum(step.refused for step in record.steps)
    outcome = record.failure or "every step behaved as it must"
    lines = ["# Dry run", "", _HEAD, "", "| | |", "| --- | --- |"]
    lines += [f"| {name} | {cell(value)} |" for name, value in record.facts.items()]
    lines += [
        f"| Steps | {len(record.steps)}, of which {refused} refused as they must be |",
        f"| Time | {record.seconds:.1f} s |",
        f"| Outcome | **{cell(outcome)}** |",
        "",
        "## What happened",
        "",
    ]
    for chapter in record.chapters:
        lines += _chapter(chapter)
    lines += ["## Every refusal, in full", "", *_refusals(record)]
    lines += [
        "## Ambiguities of the specifications that this run met",
        "",
        "Decisions are pages of `docs/decisions/`.",
        "",
        *_ambiguities(record),
    ]
    return "\n".join(lines).rstrip() + "\n"
