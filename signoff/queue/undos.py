"""What the intake asks of who knows what agents can undo: see `signoff.approvals.undoers`."""

from __future__ import annotations

from typing import Protocol

from signoff.models.messages import CanUndo


class Undos(Protocol):
    """The one writer's part of that."""

    def told(self, agent: str, said: CanUndo) -> None:
        """What an agent says that it can undo, and what its test came to."""
