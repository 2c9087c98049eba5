"""What a policy says of stops: who may stop and resume, and what stops an agent by itself; pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

WITHIN = 600
"""Seconds in which a breaker counts, where nothing is said."""


@dataclass(frozen=True)
class StopRules:
    """Who may stop and resume (groups, ids): nobody named is all approvers, the agent's owner and admins.

    `resume` says whether another person than who stopped it has to resume it.
    """

    who: tuple[str, ...] = ()
    resume: Literal["second", "any"] = "second"


@dataclass(frozen=True)
class Breaker:
    """An agent is stopped by itself after so many rejections (`denied`), or actions that `failed`, in
    `within` seconds; None counts nothing.
    """

    denied: int | None = None
    failed: int | None = None
    within: int = WITHIN
