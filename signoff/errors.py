"""Every exception that an agent catches. The docstring's first line is the message.

    SignoffError
    ├── NotApproved            nothing may run
    │   ├── Rejected  Expired  Blocked  Cancelled  Limited  Stopped
    │   ├── Duplicate          it is asked, decided or run already
    │   │   └── AlreadySpent   another process runs it, or has
    │   └── Invalid            the request itself is at fault
    ├── WaitTimeout            this process stopped waiting; the request stays pending
    ├── Unreachable            Redis cannot be reached
    ├── NotVerified            an answer came, but it is not a valid receipt for this request
    │   └── OtherAction  OtherPayload   it is valid, and for something else than what is about to run
    └── ConfigError            a setting is missing or wrong

The server's own stand beside what raises them: `policy.errors`, `approvals.errors`, `bot.slack.errors`.
"""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar, Literal, Protocol

Refused = Literal["rejected", "expired", "blocked", "cancelled", "duplicate", "limited", "invalid"]
"""How a request ends that may not run."""


class Decider(Protocol):
    """Who decided: their id, name, and when (UTC)."""

    @property
    def id(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def at(self) -> datetime: ...


class Refusal(Protocol):
    """What a refused agent can read of its signed receipt; it is a `signoff.Receipt`."""

    @property
    def id(self) -> str: ...
    @property
    def action(self) -> str: ...
    @property
    def status(self) -> str: ...
    @property
    def reason(self) -> str: ...
    @property
    def resubmit(self) -> bool: ...
    @property
    def never_shown(self) -> bool: ...
    @property
    def decided_by(self) -> Decider | None: ...
    @property
    def token(self) -> str: ...


class SignoffError(Exception):
    """Something went wrong in Signoff."""

    action = ""
    """What was not run, where that is known."""

    def __init__(self, detail: str = "") -> None:
        self.detail = detail
        first = (type(self).__doc__ or "").strip().splitlines()[0]
        super().__init__(f"{first} {detail}".strip())


class NotApproved(SignoffError):
    """The request was not approved: do not run it.

    `receipt` is the signed answer; None where the client itself refused to send the request. `action` is what
    may not run, where that is known: a request that was refused unread has a receipt that does not name it.
    """

    status: ClassVar[Refused]

    def __init__(self, detail: str = "", receipt: Refusal | None = None, action: str = "") -> None:
        super().__init__(detail)
        self.receipt = receipt
        self.action = action or (receipt.action if receipt else "")


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
    """It is asked, decided or run already: do not run it again."""

    status = "duplicate"


class AlreadySpent(Duplicate):
    """It runs, or has run, under this approval already: ask with another key.

    `by` names who spent it (as they named themselves), `at` is when (UTC); None where that is not known.
    """

    def __init__(
        self, by: str = "", at: datetime | None = None, detail: str = "", receipt: Refusal | None = None
    ) -> None:
        when = f" at {at:%Y-%m-%d %H:%M:%S} UTC" if at else ""
        super().__init__(detail or (f"Spent by {by}{when}." if by else ""), receipt)
        self.by, self.at = by, at


class Stopped(NotApproved):
    """Somebody has stopped this agent, or whether they did cannot be told: nothing may run."""

    status = "blocked"


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

    def __init__(self, detail: str = "", says: str = "") -> None:
        super().__init__(detail)
        if says:  # what waits is no request for an approval
            self.args = (f"{says} {detail}".strip(),)

    approved = False
    """True where it was approved already, and only the server's word that it may run did not come."""
    attaches = True
    """False where it was asked without a key: asking again would be another request, and not this one's."""


class Unreachable(SignoffError, ConnectionError):
    """Redis cannot be reached: nothing may run."""


class NotVerified(SignoffError):
    """The answer is not a valid receipt for this request: nothing may run."""


def refusal(receipt: Refusal, detail: str = "") -> SignoffError:
    """What is raised of a verified receipt that approves nothing, as an answer to a question does."""
    kind = NOT_APPROVED.get(receipt.status)
    if kind is None:
        if receipt.status == "approved":
            return NotVerified("It is an approval, and answers no question.")
        return NotVerified("It answers a question, and approves nothing.")
    return kind(detail or receipt.reason, receipt)


class OtherAction(NotVerified):
    """The receipt approves another action: nothing may run."""


class OtherPayload(NotVerified):
    """The receipt approves another payload: nothing may run."""


class ConfigError(SignoffError):
    """A setting is missing or wrong."""
