"""What one person ends in one go, one by one: agents are told of some at a time, in one round trip to Redis.

Each is committed before its agent is told. What a crash leaves in between, sweep tells.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from signoff.models.approval import Approval

MOST, MOST_CHARACTERS = 25, 500_000
"""Ended at a time, and of their payloads: an agent waits for no more of the others than that."""
Publish = Callable[[Sequence[Approval], int], bool]


class Rush:
    """Calls `publish` with what has ended, and with when the last did; it says whether agents were told.

    `told` are the ids of those that were, `untold` of those that were not: once Redis is away nobody waits
    for it again.
    """

    def __init__(self, publish: Publish) -> None:
        self.told: list[str] = []
        self.untold: list[str] = []
        self._publish = publish
        self._ended: list[Approval] = []
        self._characters = 0
        self._at = 0

    def add(self, approval: Approval, at: int) -> None:
        """One has ended, `at` (microseconds since 1970), and is committed."""
        self._ended.append(approval)
        self._characters += len(approval.payload_text)
        self._at = at
        if len(self._ended) >= MOST or self._characters >= MOST_CHARACTERS:
            self.tell()

    def tell(self) -> None:
        """Tell the agents of all that has ended until now."""
        ended, self._ended, self._characters = self._ended, [], 0
        if ended:
            told = not self.untold and self._publish(ended, self._at)
            (self.told if told else self.untold).extend(one.id for one in ended)
