"""What a sample agent's tickets are about: they take turns, so that no two cards in a row are the same."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")
FIRST_TICKET = 991


def case(cases: Sequence[T], ticket: str) -> T:
    """The one for a ticket."""
    return cases[(int(ticket) - FIRST_TICKET) % len(cases)]
