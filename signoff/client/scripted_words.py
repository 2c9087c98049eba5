"""What a test is told whose agent asks or waits for what the test has not said."""

from __future__ import annotations

OTHER_CONTENT = "This key was used for another request: use a new key for other content."
UNDECIDED = (
    "The agent waits without a timeout for request {id}, which the test leaves undecided: say what becomes "
    "of it, for example signoff_approvals.approve(), or let it wait until you do: signoff_approvals.hold()."
)
UNSAID_QUESTION = (
    "The agent asked a person something, and the test has not said what becomes of it. Say so before: "
    'signoff_approvals.answer("a"), or expire, block, hold, leave_pending.'
)
NOTHING_COMES = (
    "The agent waits in decisions() for what never comes: for {seconds:g} s nothing was asked or said "
    "({left}). Have it leave its loop once it has what it parked for, or say what becomes of the rest, for "
    "example signoff_approvals.approve(). Where it is to wait for as long as the test likes: "
    "signoff_approvals.hold()."
)


def unsaid(action: str) -> str:
    return (
        f"The agent asked for {action}, and the test has not said what becomes of it. Say so before: "
        f"signoff_approvals.approve({action!r}), or reject, edit, expire, block, hold, leave_pending."
    )
