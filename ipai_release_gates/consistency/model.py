"""All checks of the governance model."""

from collections.abc import Callable

from . import coverage, people, requirements, stages
from .finding import Finding, Findings
from .values import Model

#: Each takes a :class:`~.values.Model` and yields findings.
CHECKS: tuple[Callable[[Model], Findings], ...] = (
    *stages.CHECKS,
    *requirements.CHECKS,
    *people.CHECKS,
    *coverage.CHECKS,
)


def model_findings(model: Model) -> list[Finding]:
    """What contradicts itself in the governance model.

    :param model: :class:`~.values.Model`
    :returns: list of :class:`~.finding.Finding`, errors first, each once
    """
    found = dict.fromkeys(finding for check in CHECKS for finding in check(model))
    return sorted(found, key=lambda each: (each.severity, str(each.place), each.code))
