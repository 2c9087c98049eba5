"""Whether what ran was right: asked of people once, answered by one of them; pure.

Which outcomes people are asked about is worked out from the request's id alone, so that a policy's replay
comes to the same ones.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, get_args

from signoff.models.messages import Decision
from signoff.models.receipt_claims import FEEDBACK

KIND = FEEDBACK
"""The kind of a request that asks nothing but whether a result is right."""
Answer = Literal["right", "partly", "wrong"]
ANSWERS: tuple[Answer, ...] = get_args(Answer)
MAX_TEXT: Final = 3000
"""Characters of a correction."""
OPEN_FOR: Final = 7 * 24 * 3600 * 1_000_000
"""Microseconds that a card asks whether something was right; nobody is reminded."""
OPEN_SECONDS: Final = OPEN_FOR // 1_000_000
WHOLE: Final = 10_000
"""What a share is a part of: 1,000 is 10 %."""


@dataclass(frozen=True)
class Feedback:
    """One question of this kind. Times are microseconds since 1970; `answer` is None until somebody has said.

    `by_id` and `name` say who did, `text` is their correction. `owner` is the agent's.
    """

    id: str
    asked_at: int
    answer: Answer | None = None
    by_id: str = ""
    name: str = ""
    text: str = ""
    at: int | None = None
    owner: str | None = None

    def people(self, decisions: Sequence[Decision]) -> tuple[str, ...]:
        """The ids of who is asked about an outcome: whoever approved, by these votes, and the owner."""
        voted = [one.approver for one in decisions if one.vote == "approve"]
        return tuple(dict.fromkeys([*voted, *([self.owner] if self.owner else [])]))

    def is_open(self, at: int | None) -> bool:
        """Whether somebody may still answer, at `at`; where no time is given, as if it were asked now."""
        return self.answer is None and (at is None or at < self.asked_at + OPEN_FOR)


def is_sampled(approval_id: str, share: int) -> bool:
    """Whether this one is among the `share` of 10,000 that people are asked about."""
    drawn = int.from_bytes(hashlib.sha256(f"signoff-feedback-1:{approval_id}".encode()).digest()[:8], "big")
    return drawn % WHOLE < share


def percent(share: int) -> str:
    """A share of 10,000 as people write it: `10%`, `0.5%`."""
    return f"{share / 100:g}%"
