"""How much an agent may ask for: what is over the policy's limits, and what waits already."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Connection

from signoff.errors import Duplicate, Limited
from signoff.models import changes, flood
from signoff.models.messages import ApprovalRequest, moment
from signoff.models.questions import QUESTION
from signoff.models.verdict import Verdict
from signoff.policy.policy import Policy

_PER_HOUR = {QUESTION: "questions"}
"""What is said of a kind of requests that has a limit of its own."""


@dataclass(frozen=True)
class Flooded:
    """An agent has asked for too much: what its conversation is told. `until` is microseconds since 1970.

    `kind` is `per_hour`, `questions` (of those in any hour) or `pending`, `most` the limit that it is at.
    """

    conversation: str
    kind: str
    most: int
    until: int


class TooMuch(Limited):
    """A request over its agent's limits."""

    def __init__(self, detail: str, flooded: Flooded) -> None:
        super().__init__(detail)
        self.flooded = flooded


def check_flood(
    connection: Connection, now: Policy, agent: str, request: ApprovalRequest, verdict: Verdict
) -> list[str]:
    """The ids of what waits and is the same, and that nobody waits for any more: this takes its place."""
    limits, kind = now.limits(agent, request.kind), request.kind
    if verdict.effect != "ask" and limits.per_hour is None:
        return []
    flood.lock(connection, agent)
    same = flood.same(connection, agent, request) if verdict.effect == "ask" else []
    if same and not same[0].left:
        first = same[0].request_id
        raise Duplicate(f"The same action with the same payload waits already, as request {first}.")
    at = changes.clock(connection)
    if limits.per_hour is not None:
        free = flood.free_at(connection, agent, kind, limits.per_hour)
        if free > at:
            until = min(free, at + flood.HOUR)
            raise TooMuch(
                f"{agent} may ask {_often(limits.per_hour, kind)} in any hour, and has: "
                f"try again after {_clock(until)}{anew(request)}.",
                Flooded(verdict.conversation, _PER_HOUR.get(kind, "per_hour"), limits.per_hour, until),
            )
    if limits.pending is not None and verdict.effect == "ask":
        count, expires = flood.waiting(connection, agent, kind)
        if count - len(same) >= limits.pending:
            when = f"; the first of them expires at {_clock(expires)}" if expires else ""
            raise TooMuch(
                f"{count:,} requests of {agent} wait for a decision, and {limits.pending:,} may: "
                f"try again once one is decided{anew(request)}{when}.",
                Flooded(verdict.conversation, "pending", limits.pending, at + flood.HOUR),
            )
    return [one.id for one in same]


def _often(times: int, kind: str) -> str:
    if kind == QUESTION:
        return "one question" if times == 1 else f"{times:,} questions"
    return "once" if times == 1 else f"{times:,} times"


def anew(request: ApprovalRequest) -> str:
    """A refusal is the answer of its id, which a key and the content make."""
    return ", under another key" if request.key else ""


def _clock(microseconds: int) -> str:
    """A time for an agent: ISO 8601 in UTC, to the next second."""
    return (moment(microseconds).replace(microsecond=0) + timedelta(seconds=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
