"""What is known of undoing what an approval let run; frozen."""

from __future__ import annotations

from dataclasses import dataclass

TAKEN_SECONDS = 30
"""An undo that nobody has taken for so long is told to the agent's owner."""
SILENT_SECONDS = 300
"""An undo that was taken, and of which nobody has reported for so long, is told to the agent's owner."""
VALID_SECONDS = 900
"""For so long a worker may take an undo; one that comes later runs nothing."""
TRIED_SECONDS = 30 * 24 * 3600
"""For so long a test that has passed counts: what undoes something changes, and so does what it undoes."""
_TAKEN = TAKEN_SECONDS * 1_000_000
_SILENT = SILENT_SECONDS * 1_000_000


@dataclass(frozen=True)
class Undone:
    """Somebody undid it. Times are microseconds since 1970.

    `approval_id` is the undo's own, approved `at` by the person `by_id`. `spent_at` is when a process took
    it; `succeeded` what it has reported, None until then. `until` is when its receipt is no longer valid.
    """

    approval_id: str
    by_id: str
    at: int
    spent_at: int | None = None
    succeeded: bool | None = None
    outcome_at: int | None = None
    until: int | None = None

    def again(self, now: int | None) -> bool:
        """Whether it may be tried once more at `now`: it failed, or nobody took it while it was valid."""
        if self.succeeded is not None:
            return not self.succeeded
        return self.spent_at is None and None not in (now, self.until) and (now or 0) >= (self.until or 0)

    def untaken(self, now: int | None) -> bool:
        """Whether nobody has taken it for too long, at `now`."""
        waits = self.spent_at is None and self.succeeded is None
        return waits and now is not None and now >= self.at + _TAKEN

    def unreported(self, now: int | None) -> bool:
        """Whether a process took it, and has said nothing for too long, at `now`."""
        waits = self.spent_at is not None and self.succeeded is None
        return waits and now is not None and now >= (self.spent_at or 0) + _SILENT


@dataclass(frozen=True)
class Undo:
    """Whether the agent says that it can undo it, whether its own test of that has passed lately, whose agent
    it is, and what somebody did last, of how many `attempts`.
    """

    known: bool = False
    tried: bool = False
    owner: str | None = None
    done: Undone | None = None
    attempts: int = 0
