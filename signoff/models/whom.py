"""Whom a verdict asks, as lists read it from many rows."""

from __future__ import annotations

from typing import Any, NamedTuple


class Asked(NamedTuple):
    """Whom a verdict asks, as it names them, its policy's digest, and `grace` where it asks nobody yet."""

    named: tuple[str, ...]
    policy: str
    grace: bool = False

    @classmethod
    def of(cls, verdict: dict[str, Any]) -> Asked:
        """From a verdict as its row has it."""
        grace = verdict.get("effect") == "allow"
        return cls(tuple(verdict.get("named", ())), verdict.get("policy", ""), grace)
