"""What is stopped, for people and for guards: a stop, what it covers, and what it voids; pure.

A stop stands until somebody resumes it, at once or in two steps: while it is `staged` all that it covers is
asked about. What was approved before a stop was resumed stays void for ever: whoever resumes has not looked
at it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Any, Literal

Kind = Literal["agent", "action", "all"]
OPERATOR, API, SIGNOFF = "operator", "api", "signoff"
"""Who stops or resumes where it is no person: the operator's shell, a token, or Signoff itself."""
OPERATORS = frozenset((OPERATOR, API))
"""All who act for the operator: one of them is no other person than another."""
STOPS_KEY = "signoff:dec:_stops"
"""Where the signed statement stands in Redis. No agent's name holds a `_`."""
MOST_STOPS = 100
"""Stops that a statement may hold: whoever wants more is to stop more at once."""
LONGEST_NAME = 40
"""Characters of a name in a statement."""


@dataclass(frozen=True)
class StopScope:
    """What is to be stopped: one `agent` by its name, an `action` (a glob) of all agents, or `all`."""

    kind: Kind
    name: str = ""

    def covers(self, agent: str, action: str) -> bool:
        """Whether it is about this agent's action."""
        match self.kind:
            case "all":
                return True
            case "agent":
                return self.name == agent
            case "action":
                return fnmatchcase(action, self.name)

    def __str__(self) -> str:
        return "everything" if self.kind == "all" else self.name


@dataclass(frozen=True)
class Stop:
    """One stop as its row says. `number` names it, `changed` is the statement's number since its last change.

    `by` is a user id, or one of OPERATOR, API and SIGNOFF; `undos` says that undos may run all the same.
    Times are microseconds since 1970: `staged_at` since when all is asked about, `ended_at` since when it is
    over, by whom in `resumed_by`.
    """

    id: str
    number: int
    changed: int
    kind: Kind
    name: str
    by: str
    by_name: str
    reason: str
    at: int
    undos: bool = False
    staged_at: int | None = None
    ended_at: int | None = None
    resumed_by: str = ""
    resumed_name: str = ""

    @property
    def scope(self) -> StopScope:
        """What it covers."""
        return StopScope(self.kind, self.name)

    @property
    def staged(self) -> bool:
        """Whether it is resumed in part: all that it covers is asked about."""
        return self.staged_at is not None and self.ended_at is None

    @property
    def stands(self) -> bool:
        """Whether nothing of what it covers may run."""
        return self.staged_at is None and self.ended_at is None

    @property
    def until(self) -> int | None:
        """What was approved until then is void; None while it stands."""
        return self.ended_at if self.staged_at is None else self.staged_at

    def holds(self, agent: str, action: str, *, undo: bool = False) -> bool:
        """Whether it stands in the way of this agent's action now."""
        return self.stands and self._covers(agent, action, undo)

    def voids(self, agent: str, action: str, issued_at: int, *, undo: bool = False) -> bool:
        """Whether what was approved then (microseconds) may not run."""
        over = self.until is None or issued_at <= self.until
        return over and self._covers(agent, action, undo)

    def _covers(self, agent: str, action: str, undo: bool) -> bool:
        return not (undo and self.undos) and self.scope.covers(agent, action)

    @property
    def said(self) -> str:
        """What an agent is told: `stopped by @ana`."""
        return stopped_by(self.by, self.by_name)


SAID = "stopped by "
"""How what an agent is told of a stop begins."""


STOPPED = "somebody has stopped "
"""How it begins what a verdict was decided by, where that was a stop and not the policy."""


def said_of(effect: str, why: str, rule_says: str, reason: str) -> str:
    """By whom a request that ended as blocked was stopped; empty where the policy blocks it.

    Takes its verdict's `effect`, `why` and reason, and why it ended: what waited when it was stopped may have
    ended for that.
    """
    if effect == "block":
        return rule_says if why.startswith(STOPPED) else ""
    return reason if reason.startswith(SAID) else ""


def stopped_by(by: str, name: str) -> str:
    """Who has stopped it, in a few words, for an agent."""
    if by == SIGNOFF:
        return f"{SAID}Signoff"
    return f"{SAID}the operator" if by in OPERATORS else f"{SAID}@{name or by}"


@dataclass(frozen=True)
class Stopping:
    """A stop as a signed statement tells of it. Times are whole seconds since 1970; `until` as in Stop."""

    kind: Kind
    name: str
    said: str
    at: int
    undos: bool = False
    until: int | None = None

    @classmethod
    def of(cls, stop: Stop) -> Stopping:
        """The same, shortened."""
        until = None if stop.until is None else stop.until // 1_000_000
        said = stopped_by(stop.by, stop.by_name[:LONGEST_NAME])
        return cls(stop.kind, stop.name, said, stop.at // 1_000_000, stop.undos, until)

    @classmethod
    def read(cls, claims: Any) -> Stopping:
        """What stands in a statement; raises ValueError, TypeError or KeyError for what is none."""
        kind, name, said = claims["kind"], claims["name"], claims["said"]
        at, until, undos = claims["at"], claims.get("until"), claims.get("undos", False)
        if kind not in ("agent", "action", "all") or not isinstance(name, str) or not isinstance(said, str):
            raise ValueError("it is no stop")
        if type(at) is not int or type(undos) is not bool or not (until is None or type(until) is int):
            raise ValueError("its times are none")
        return cls(kind, name, said, at, undos, until)

    def claims(self) -> dict[str, Any]:
        """As a statement holds it."""
        found: dict[str, Any] = {"kind": self.kind, "name": self.name, "said": self.said, "at": self.at}
        if self.undos:
            found["undos"] = True
        if self.until is not None:
            found["until"] = self.until
        return found

    def voids(self, agent: str, action: str, issued_at: datetime, *, undo: bool = False) -> bool:
        """Whether a receipt that was issued then may not run."""
        if undo and self.undos:
            return False
        over = self.until is None or int(issued_at.timestamp()) <= self.until
        return over and StopScope(self.kind, self.name).covers(agent, action)
