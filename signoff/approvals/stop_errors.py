"""Why nothing was stopped or resumed, and why nobody decides on what is.

NotRecorded
├── MayNotStop  SamePerson  NothingStopped  TooManyStops
└── Held
"""

from __future__ import annotations

from collections.abc import Sequence

from signoff.approvals.errors import NotAllowed, NotRecorded
from signoff.models.stops import Stop


class MayNotStop(NotAllowed):
    """This person may neither stop that nor resume it.

    `approvers` are those who may, as far as they are named.
    """

    def __init__(self, detail: str = "", approvers: Sequence[str] = ()) -> None:
        super().__init__(detail or "Only those whom the policy names under `stop` can do that.", approvers)


class SamePerson(NotRecorded):
    """Somebody else than who stopped it has to resume it: another person, or the operator in the shell."""


class NothingStopped(NotRecorded):
    """That is not stopped, or was resumed already."""


class TooManyStops(NotRecorded):
    """Too much is stopped one by one: stop more at once, and resume what that covers."""


class Held(NotRecorded):
    """It is stopped: nobody decides on it until somebody resumes it.

    `stop` is which.
    """

    def __init__(self, stop: Stop) -> None:
        super().__init__(f"It is {stop.said}.")
        self.stop = stop
