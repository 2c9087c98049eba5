"""What a policy says of time: reminders, whom it goes to later, quiet hours, how long an approval holds."""

from __future__ import annotations

from typing import Literal

from signoff.models.messages import Risk
from signoff.models.receipt import Wire

Clock = Literal["asked", "shown"]


class Escalation(Wire):
    """After so many seconds these may decide, too: names of the policy's groups, ids, or `members`."""

    after: int
    to: tuple[str, ...]


class Quiet(Wire):
    """Hours in which nobody is pinged. `start` and `end` are minutes of the day, by the clock on the wall.

    Where `end` is not after `start`, it is the next day's. `days` are those on which they begin, 0 is Monday.
    `zone` is an IANA name, or `person`: each person's own. `but` are the risks that ping all the same.
    """

    start: int
    end: int
    days: tuple[int, ...] = (0, 1, 2, 3, 4, 5, 6)
    zone: str = "person"
    but: tuple[Risk, ...] = ()


class Timing(Wire):
    """Of one verdict. `remind` is after how many seconds those are reminded whose vote is missing.

    Seconds count from when the card was shown. `valid` is for how many seconds an approval holds after its
    last vote, None as long as any receipt. `clock` is from when the time to decide counts: `asked`, when the
    agent asked, or `shown`.
    """

    remind: tuple[int, ...] = ()
    escalate: tuple[Escalation, ...] = ()
    quiet: tuple[Quiet, ...] = ()
    valid: int | None = None
    clock: Clock = "asked"


NOTHING = Timing()
"""What holds where a policy says nothing of time."""
