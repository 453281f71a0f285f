"""What each level of risk asks of an exception."""

from dataclasses import dataclass
from datetime import datetime, timedelta

EMERGENCY = "emergency"

_LONG_LIFE = timedelta(days=14)
_REMIND_BEFORE = timedelta(days=7)


@dataclass(frozen=True)
class Risk:
    """The rules of one level.

    :param longest: the longest life, from taking effect to expiry
    :param personas: codes of the personas of whom one person each must approve
    :param review_within: how soon after taking effect it must be reviewed, if at all
    """

    level: str
    longest: timedelta
    personas: tuple[str, ...]
    review_within: timedelta | None = None


_BOTH = ("release_manager", "sre")

RISKS = {
    risk.level: risk
    for risk in (
        Risk("low", timedelta(days=30), ("release_manager",)),
        Risk("medium", timedelta(days=14), ("release_manager",)),
        Risk("high", timedelta(days=7), _BOTH),
        Risk("critical", timedelta(hours=48), _BOTH, timedelta(days=5)),
    )
}


def level_of(exception_type: str, level: str | None) -> str | None:
    """The level whose rules hold: an emergency is always critical."""
    return "critical" if exception_type == EMERGENCY else level


def remind_at(effective_from: datetime, expires_at: datetime) -> datetime:
    """When to remind of an expiry: 7 days before, or at 20 % of a short life left.

    :param effective_from: when the exception takes effect
    :param expires_at: when it ends
    """
    life = expires_at - effective_from
    return expires_at - (_REMIND_BEFORE if life >= _LONG_LIFE else life / 5)
