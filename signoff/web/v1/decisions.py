"""Every decision on an agent's requests, for who parks a task and goes on with others: `/v1/decisions`."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, BaseModel, Field, StringConstraints
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from signoff.models import codes, tokens
from signoff.models.messages import build
from signoff.models.receipt import Wire
from signoff.web.bodies import json_object
from signoff.web.callers import caller, shown
from signoff.web.doors import Doors
from signoff.web.problems import Problem
from signoff.web.turns import in_turn
from signoff.web.v1.requests import NOT_KEPT
from signoff.web.v1.state import State, state, timestamp
from signoff.web.v1.waits import applied, seconds_of

DECISIONS = "/v1/decisions"
GROUP, MOST_ENTRIES = r"^[A-Za-z0-9._-]{1,100}$", 1000
ENTRY, MOST_ENTRY = r"^[0-9]{1,20}-[0-9]{1,20}$", 2**64 - 1
DEFAULT_GROUP = "default"
"""The one that Python's `decisions()` reads."""
USUAL, MOST = 20, 100
"""Decisions in one answer."""
ENOUGH_BYTES = 1024 * 1024
"""An answer that has so much in payloads and receipts takes no more."""
_AT_ONCE = 10


class Decision(State):
    """A State as it comes to a group; `entry` is what to acknowledge."""

    entry: str = Field(description="What `POST /v1/decisions/ack` takes. It comes again until then.")


class Decisions(BaseModel):
    """What came to a group, the oldest first."""

    decisions: list[Decision]


def _entry(text: str) -> str:
    """What Redis takes for a place in a stream: two numbers of 64 bits."""
    if any(int(part) > MOST_ENTRY for part in text.split("-")):
        raise ValueError("there is no such entry")
    return text


class Ack(Wire):
    """Those are done with."""

    group: Annotated[str, StringConstraints(pattern=GROUP)] = DEFAULT_GROUP
    entries: Annotated[
        tuple[Annotated[str, StringConstraints(pattern=ENTRY), AfterValidator(_entry)], ...],
        Field(min_length=1, max_length=MOST_ENTRIES),
    ]


class Arrivals:
    """The endpoints."""

    def __init__(self, doors: Doors) -> None:
        self._doors = doors
        self._approvals = doors.approvals

    async def look(self, request: Request) -> Response:
        """What came to a group: at once, or once something has, or its caller's time is over."""
        seconds, group, most = seconds_of(request), _group(request), _most(request)
        agent, found = await in_turn(self._first, request, group, most)
        if not found and seconds:
            hub = self._doors.hub

            def arrived() -> list[Decision] | None:
                shown(request, self._doors)
                return self._arrived(agent, group, most) or None

            with hub.place(agent), hub.for_decisions(agent) as waiter:
                found = await hub.until(waiter, seconds, request.receive, arrived) or []
        text = Decisions(decisions=found).model_dump_json(exclude_none=True)
        return Response(text, headers=NOT_KEPT | applied(seconds), media_type="application/json")

    def acknowledge(self, request: Request) -> Response:
        """They come no more to this group."""
        agent = caller(request, self._doors, tokens.ASK).agent
        said = build(Ack, json_object(request))
        self._approvals.publisher.acknowledge(agent, said.group, list(said.entries))
        return Response(status_code=204)

    def leave(self, request: Request) -> Response:
        """Nobody reads as this group any more: Redis keeps nothing of it. Read again, it begins anew."""
        agent = caller(request, self._doors, tokens.ASK).agent
        self._approvals.publisher.leave(agent, _group(request))
        return Response(status_code=204)

    def _first(self, request: Request, group: str, most: int) -> tuple[str, list[Decision]]:
        agent = caller(request, self._doors, tokens.ASK).agent
        return agent, self._arrived(agent, group, most)

    def _arrived(self, agent: str, group: str, most: int) -> list[Decision]:
        """What comes now; what is nothing (any more) is acknowledged, and so is what is said twice."""
        publisher = self._approvals.publisher
        found, size = dict[str, Decision](), 0
        while len(found) < most and size < ENOUGH_BYTES:
            entries = publisher.arrivals(agent, group, min(_AT_ONCE, most - len(found)))
            if not entries:
                break
            passed = []
            for entry, request_id in entries:
                one = None if request_id in found else self._decided(agent, entry, request_id)
                if one is None:
                    passed.append(entry)
                    continue
                found[request_id] = one
                size += len(one.receipt or "") + len(one.payload or "")
            if passed:
                publisher.acknowledge(agent, group, passed)
        return list(found.values())

    def _decided(self, agent: str, entry: str, request_id: str) -> Decision | None:
        approval = self._approvals.find(agent, request_id)
        if approval is not None:
            stands = state(approval, self._approvals.response(approval))
            return None if approval.pending else Decision(**stands.model_dump(), entry=entry)
        refused = self._approvals.refused(agent, request_id)
        if refused is None:
            return None
        return Decision(
            id=request_id, status=refused.status, action=refused.action, code=codes.code(request_id),
            expires_at=timestamp(refused.issued_at), receipt=refused.token, entry=entry,
        )  # fmt: skip


def routes(doors: Doors) -> list[Route]:
    """Where the endpoints are."""
    endpoints = Arrivals(doors)
    return [
        Route(DECISIONS, endpoints.look, methods=["GET"]),
        Route(DECISIONS, endpoints.leave, methods=["DELETE"]),
        Route(DECISIONS + "/ack", endpoints.acknowledge, methods=["POST"]),
    ]


def _group(request: Request) -> str:
    group = request.query_params.get("group", DEFAULT_GROUP)
    if not re.fullmatch(GROUP, group):
        raise Problem(422, "invalid", "group: 1 to 100 letters, digits, dots, dashes or underscores, please.")
    return group


def _most(request: Request) -> int:
    text = request.query_params.get("limit", str(USUAL))
    if not re.fullmatch(r"[0-9]{1,3}", text) or not 1 <= int(text) <= MOST:
        raise Problem(422, "invalid", f"limit: 1 to {MOST}, please.")
    return int(text)
