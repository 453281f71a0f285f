"""Gates as check runs, or as commit statuses, of the commit they judge."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .text import clip, plain, units

if TYPE_CHECKING:
    from odoo.addons.ipai_release_gates.policy import GateVerdict

Json = dict[str, Any]

#: What GitHub takes of a summary, and of the description of a status.
MAX_SUMMARY, MAX_DESCRIPTION = 65535, 140
_MAX_TITLE, _MAX_NAME = 255, 100

#: status of a gate → status and conclusion of a check run. A required check lets a
#: neutral one pass, but shows it grey: what passed by an exception is not plain green.
_RUN = {
    "pending": ("queued", None),
    "in_progress": ("in_progress", None),
    "passed": ("completed", "success"),
    "failed": ("completed", "failure"),
    "bypassed": ("completed", "neutral"),
}
_STATUS = {
    "pending": "pending",
    "in_progress": "pending",
    "passed": "success",
    "failed": "failure",
    "bypassed": "success",
}
_MARK = {"met": "✅", "unmet": "❌", "waived": "⚠️", "not_applicable": "➖"}


@dataclass(frozen=True)
class CheckRun:
    """What GitHub is to show of one gate at one commit.

    :ivar body: of the request, without the commit
    """

    body: Json

    @property
    def status(self) -> str:
        """``queued``, ``in_progress``, ``completed``; of a status its state."""
        return str(self.body.get("status") or self.body["state"])

    @property
    def conclusion(self) -> str:
        """``success``, ``failure``, ``neutral``, or empty while it is not completed."""
        return str(self.body.get("conclusion") or "")

    @property
    def digest(self) -> str:
        """The same for the same body: what is there already is not sent again."""
        text = json.dumps(self.body, sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()


def check_run(
    gate: GateVerdict,
    title: str,
    details_url: str,
    external_id: str,
    words: Mapping[str, str],
) -> CheckRun:
    """A gate as check run.

    :param title: one line on how it stands, plain text
    :param details_url: of the release
    :param external_id: ours
    :param words: state of a condition → how it is called
    :returns: :class:`CheckRun`
    """
    status, conclusion = _RUN[gate.status]
    body: Json = {
        "name": _name(gate),
        "status": status,
        "details_url": details_url,
        "external_id": external_id,
        "output": {
            "title": clip(" ".join(title.split()), _MAX_TITLE),
            "summary": _summary(gate, words),
        },
    }
    if conclusion:
        body["conclusion"] = conclusion
    return CheckRun(body)


def closing_run(run: Mapping[str, str], title: str) -> CheckRun:
    """What closes the check run of a commit that the release has left behind.

    :param run: ``name``, ``details_url`` and ``external_id`` it was made with
    :param title: why, plain text
    """
    return CheckRun(
        {
            **run,
            "status": "completed",
            # GitHub keeps "stale" to itself.
            "conclusion": "neutral",
            "output": {"title": clip(title, _MAX_TITLE), "summary": plain(title)},
        }
    )


def commit_status(gate: GateVerdict, title: str, details_url: str) -> CheckRun:
    """A gate as commit status, where the app may not write check runs."""
    return CheckRun(
        {
            "state": _STATUS[gate.status],
            "target_url": details_url,
            "description": clip(" ".join(title.split()), MAX_DESCRIPTION),
            "context": f"release-gates/{gate.code}",
        }
    )


def _name(gate: GateVerdict) -> str:
    return clip(f"{gate.code} {gate.name}", _MAX_NAME)


def _summary(gate: GateVerdict, words: Mapping[str, str]) -> str:
    order = {"unmet": 0, "waived": 1, "met": 2, "not_applicable": 3}
    lines: list[str] = []
    used = 0
    conditions = sorted(
        gate.conditions, key=lambda c: (order.get(c.state, 0), not c.adverse)
    )
    for number, condition in enumerate(conditions):
        line = (
            f"- {_MARK.get(condition.state, '')} **{plain(condition.name)}** "
            f"({words.get(condition.state, condition.state)}): "
            f"{plain(condition.reason)}"
        )
        more = f"- … {len(conditions) - number}"
        if used + units(line) + 1 + units(more) > MAX_SUMMARY:
            lines.append(more)
            break
        lines.append(line)
        used += units(line) + 1
    return "\n".join(lines) or "–"
