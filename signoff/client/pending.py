"""A request that waits for its decision: its state, and what is told of it meanwhile."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

WAITING = "%s is asked, and waits for a decision: %s (`signoff status %s` tells its state)"
"""Its code is what people see of it; where its card is, nobody knows yet."""
HELD = "request %s is held: %s. It waits until somebody resumes it, or its time is over"
UNSEEN = (
    " No server has taken it yet: is `signoff serve` running? And an id is known to its own agent alone, "
    "which is {agent} here."
)
UNKNOWN_KEY = (
    "No server knows a request of {agent} with the key {key!r}: it was never asked, no server has taken it "
    "yet, it was asked with another SIGNOFF_AGENT_SECRET, or its time is long over. Ask with this key: "
    "{asks} attaches to what was asked before."
)
REQUESTS, QUESTIONS = "request()", "request_question()"
"""What asks with a key again."""


@dataclass(frozen=True)
class Pending:
    """A request that nobody has decided yet. `expires_at` is when it ends unanswered.

    `held` says who has stopped it, where somebody has: nobody decides on it until somebody resumes it.
    """

    id: str
    action: str
    expires_at: datetime | None
    status: str = "pending"
    held: str = ""
