"""Whom a verdict asks, as lists read it from many rows."""

from __future__ import annotations

from typing import Any, NamedTuple


class Asked(NamedTuple):
    """Whom a verdict asks, as it names them, its policy's digest, `grace` where it asks nobody yet, and how
    many people it takes.
    """

    named: tuple[str, ...]
    policy: str
    grace: bool = False
    places: int = 1

    @classmethod
    def of(cls, verdict: dict[str, Any]) -> Asked:
        """From a verdict as its row has it."""
        grace = verdict.get("effect") == "allow"
        places = sum(seat["need"] for seat in verdict.get("seats", ())) or 1
        return cls(tuple(verdict.get("named", ())), verdict.get("policy", ""), grace, places)
