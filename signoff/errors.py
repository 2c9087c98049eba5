"""Every exception that Signoff raises. The docstring's first line is the message.

SignoffError
├── NotApproved            nothing may run
│   ├── Rejected  Expired  Blocked  Cancelled  Duplicate  Limited
│   └── Invalid            the request itself is at fault
├── WaitTimeout            this process stopped waiting; the request stays pending
├── Unreachable            Redis cannot be reached
├── NotVerified            an answer came, but it is not a valid receipt for this request
├── ConfigError            a setting is missing or wrong
│   └── PolicyError        (server) so is the policy's file
├── NotRecorded            (server) a person's decision changed nothing
│   ├── AlreadyDecided  EditedMeanwhile  TimeRanOut
│   ├── NotAllowed  EditNotAllowed  BlockedNow
│   └── UnknownApproval  Restored
└── SlackError             (server) what Slack answered, translated once
    ├── SlackUnavailable   later: it is busy, away, or did not say what it did
    └── SlackRefused       never, until somebody changes something
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from signoff.models.messages import Receipt


class SignoffError(Exception):
    """Something went wrong in Signoff."""

    def __init__(self, detail: str = "") -> None:
        self.detail = detail
        first = (type(self).__doc__ or "").strip().splitlines()[0]
        super().__init__(f"{first} {detail}".strip())


class NotApproved(SignoffError):
    """The request was not approved: do not run it.

    `receipt` is the signed answer; None where the client itself refused to send the request.
    """

    status: ClassVar[str] = ""

    def __init__(self, detail: str = "", receipt: Receipt | None = None) -> None:
        super().__init__(detail)
        self.receipt = receipt


class Rejected(NotApproved):
    """A person rejected the request."""

    status = "rejected"


class Expired(NotApproved):
    """Nobody answered in time: this is not a rejection, and nothing may run."""

    status = "expired"


class Blocked(NotApproved):
    """The policy blocks this action."""

    status = "blocked"


class Cancelled(NotApproved):
    """The request was withdrawn."""

    status = "cancelled"


class Duplicate(NotApproved):
    """The same request is already waiting or decided under another id."""

    status = "duplicate"


class Limited(NotApproved):
    """This agent has asked for too much at once: wait before asking again."""

    status = "limited"


class Invalid(NotApproved):
    """The request is not valid: correct it and send a new one."""

    status = "invalid"


NOT_APPROVED: dict[str, type[NotApproved]] = {
    kind.status: kind for kind in (Rejected, Expired, Blocked, Cancelled, Duplicate, Limited, Invalid)
}


class WaitTimeout(SignoffError, TimeoutError):
    """Nobody has decided yet: the request stays pending, and resume() waits for it again."""


class Unreachable(SignoffError, ConnectionError):
    """Redis cannot be reached: nothing may run."""


class NotVerified(SignoffError):
    """The answer is not a valid receipt for this request: nothing may run."""


class ConfigError(SignoffError):
    """A setting is missing or wrong."""


class PolicyError(ConfigError):
    """The policy's file is wrong.

    `faults` are sentences, each with file and line and what to do.
    """

    def __init__(self, faults: Sequence[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = tuple(faults)


class NotRecorded(SignoffError):
    """Nothing has changed."""


class UnknownApproval(NotRecorded):
    """There is no such request."""


class Restored(NotRecorded):
    """Signoff was restored from a backup, and the request ended with that."""


class NotAllowed(NotRecorded):
    """This person may not decide.

    `approvers` are those who may, by today's policy, where that is why.
    """

    def __init__(self, detail: str = "", approvers: Sequence[str] = ()) -> None:
        super().__init__(detail)
        self.approvers = tuple(approvers)


class EditNotAllowed(NotAllowed):
    """This person may decide, but not on what their changes would make of the request."""


class BlockedNow(NotRecorded):
    """The policy in force blocks this: it can only be rejected.

    `edited` is True where it is the changes that it blocks.
    """

    def __init__(self, detail: str = "", *, edited: bool = False) -> None:
        super().__init__(detail)
        self.edited = edited


class AlreadyDecided(NotRecorded):
    """Somebody was faster.

    `status` is what the request has become, `by` the name of who decided (empty where nobody did),
    `by_id` their Slack id and `at` the time in microseconds since 1970.
    """

    def __init__(self, status: str, by: str = "", by_id: str = "", at: int = 0) -> None:
        super().__init__(f"It is {status} already.")
        self.status, self.by, self.by_id, self.at = status, by, by_id, at


class TimeRanOut(NotRecorded):
    """The request expired before the decision.

    `at` is when, in microseconds since 1970.
    """

    def __init__(self, at: int) -> None:
        super().__init__()
        self.at = at


class EditedMeanwhile(NotRecorded):
    """The payload was changed since it was shown: look at it again.

    `by` is the name of who changed it.
    """

    def __init__(self, by: str = "") -> None:
        super().__init__()
        self.by = by


class SlackError(SignoffError):
    """Slack did not do it."""


class SlackUnavailable(SlackError):
    """Slack is busy or away.

    `seconds` is how long it asked to be left alone (its Retry-After), else a pause of ours. `limited` is the
    method that was called too often, else empty.
    """

    def __init__(self, detail: str = "", seconds: float = 2.0, *, limited: str = "") -> None:
        super().__init__(detail)
        self.seconds, self.limited = seconds, limited


class SlackRefused(SlackError):
    """Slack refuses.

    `code` is Slack's own word for it, such as `channel_not_found`.
    """

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(f"{code}. {detail}".strip())
        self.code = code
