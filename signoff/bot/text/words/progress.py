"""What is said of an approved action while nobody has reported what became of it, and of who waits."""

from __future__ import annotations

from signoff.bot.text.text import Trusted, date
from signoff.bot.text.words.card import duration

MINUTE = 60_000_000
"""Microseconds. A younger silence has no age: an agent may take so long to begin."""
_UNITS = (86_400_000_000, 3_600_000_000, MINUTE)


def unreported(silent: int | None) -> Trusted:
    """Nobody was told that they may run it. `silent` is for how long, in microseconds."""
    return Trusted(f"The agent has not reported yet{_for_over(silent)}")


def started(at: int, silent: int | None) -> Trusted:
    """A process was told at `at` that it may run it."""
    return Trusted(f"Started {date(at)}, not reported yet{_for_over(silent)}")


def never(started_at: int | None) -> Trusted:
    """Its receipt's time is over: nothing runs by it any more."""
    if started_at is None:
        return Trusted("The agent never reported")
    return Trusted(f"Started {date(started_at)}, never reported")


UNATTENDED = Trusted(
    "The agent was not waiting when this was decided: it is told when it comes back. It has not reported yet"
)


def left(at: int) -> Trusted:
    """On what is pending, where an agent has waited for it and does so no more."""
    return Trusted(f"Nobody waits for this any more, since {date(at)}: the agent may have ended")


def _for_over(silent: int | None) -> str:
    """A span that stays true while a message stands: ` · for over 10 min`; nothing of less than a minute."""
    if silent is None or silent < MINUTE:
        return ""
    unit = next(unit for unit in _UNITS if silent >= unit)
    return f" · for over {duration(silent // unit * unit)}"
