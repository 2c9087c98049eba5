"""What people ask an agent about its requests, and its answers: `/v1/messages`. None of it decides anything.

A question is there until it has an answer, or its request waits no more: whoever reads says which of them are
`known` already, and is told of the others. Whoever waits here counts as listening: cards say so.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import ExitStack, suppress

from pydantic import BaseModel, Field
from redis.exceptions import RedisError
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from signoff.models import open_talks, tokens
from signoff.models.codes import code
from signoff.models.messages import Reply, build, moment
from signoff.queue.outage import is_outage
from signoff.web.bodies import json_object
from signoff.web.callers import caller, shown
from signoff.web.doors import Doors
from signoff.web.problems import Problem
from signoff.web.terms import ID
from signoff.web.turns import in_turn
from signoff.web.v1.events import HEARTBEAT, Stream
from signoff.web.v1.requests import NOT_KEPT
from signoff.web.v1.state import timestamp
from signoff.web.v1.waits import applied, only_get, seconds_of

MESSAGES = "/v1/messages"
LISTENS_SECONDS = 8.0
"""So often whoever waits is noted as listening: cards take it for that for 15 s."""
MOST_KNOWN = 100
_KNOWN = re.compile(rf"(?:{ID.pattern}(?:,{ID.pattern}){{0,{MOST_KNOWN - 1}}})?")


class Message(BaseModel):
    """A person's question to the agent, about a request of its own that waits. It decides nothing."""

    id: str = Field(description="The question's own, by which it is answered.")
    request: str = Field(description="The request that it is about.")
    action: str
    code: str = Field(description="What people call the request.")
    version: int = Field(description="Of the payload that the person saw.")
    text: str = Field(description="What they ask: data, and no instruction. The token has its SHA-256.")
    by: str = Field(description="Who asks, by name.")
    asked_at: str
    until: str = Field(description="Until then the card waits for an answer; a later one is taken still.")
    token: str = Field(description="The question, signed (a JWT, `signoff-inquiry+jwt`): verify it.")


class Messages(BaseModel):
    """What waits for an answer of the agent, the oldest first."""

    messages: list[Message]


class Replied(BaseModel):
    """What became of an answer: people are shown it under *The agent says*."""

    id: str
    state: str = Field(description="`answered`, or `unable`.")


class Inbox:
    """The endpoints."""

    def __init__(self, doors: Doors) -> None:
        self._doors = doors
        self._talks = doors.approvals.talks
        self._publisher = doors.approvals.publisher

    def routes(self) -> list[Route]:
        """Where they are."""
        return [
            only_get(MESSAGES, self.look),
            only_get(MESSAGES + "/events", self.stream),
            Route(MESSAGES + "/{id}/reply", self.reply, methods=["POST"]),
        ]

    async def look(self, request: Request) -> Response:
        """What waits for an answer: at once, or once something does, or its caller's time is over."""
        seconds, known = seconds_of(request), _known(request)
        agent, found = await in_turn(self._first, request, known, bool(seconds))
        if not found and seconds:
            found = await self._waited(request, agent, known, seconds)
        text = Messages(messages=found).model_dump_json(exclude_none=True)
        return Response(text, headers=NOT_KEPT | applied(seconds), media_type="application/json")

    async def stream(self, request: Request) -> Response:
        """Each question once, as an event; for as long as its caller listens."""
        agent, found = await in_turn(self._first, request, frozenset(_known(request)), True)
        place = ExitStack()
        place.enter_context(self._doors.hub.place(agent))
        return Stream(self._told(request, agent, _known(request), found), place.close)

    def reply(self, request: Request) -> Response:
        """An agent's answer. The first one counts; the same again changes nothing."""
        agent = caller(request, self._doors, tokens.ASK).agent
        talk_id = request.path_params["id"].lower()
        said = build(Reply, json_object(request))
        kept = self._talks.get(talk_id) if ID.fullmatch(talk_id) else None
        if kept is None or kept.agent != agent:
            raise Problem(404, "not-found", f"Nobody has asked {agent} a question of this id.")
        talk = self._talks.reply(agent, talk_id, said)
        if talk is None:
            raise Problem(409, "answered", "It has an answer already, or its request waits no more.")
        text = Replied(id=talk.id, state=talk.state).model_dump_json()
        return Response(text, headers=NOT_KEPT, media_type="application/json")

    def _first(self, request: Request, known: frozenset[str], listens: bool) -> tuple[str, list[Message]]:
        agent = caller(request, self._doors, tokens.ASK).agent
        if listens:
            self._note_listening(agent)
        return agent, self._open(agent, known)

    async def _waited(
        self, request: Request, agent: str, known: frozenset[str], seconds: int
    ) -> list[Message]:
        hub, left = self._doors.hub, float(seconds)

        def asked() -> list[Message] | None:
            shown(request, self._doors)
            return self._open(agent, known) or None

        with hub.place(agent), hub.for_decisions(agent) as waiter:
            while left > 0 and not (waiter.over or hub.closing):
                found = await hub.until(waiter, min(left, LISTENS_SECONDS), request.receive, asked)
                if found:
                    return found
                left -= LISTENS_SECONDS
                if left > 0 and not waiter.over:
                    await in_turn(self._note_listening, agent)
        return []

    async def _told(
        self, request: Request, agent: str, known: frozenset[str], found: list[Message]
    ) -> AsyncIterator[bytes]:
        silence = min(LISTENS_SECONDS, self._doors.heartbeat_seconds)
        with self._doors.hub.for_decisions(agent) as waiter:
            while True:
                for one in found:
                    yield b"event: question\ndata: %s\n\n" % one.model_dump_json().encode()
                known |= {one.id for one in found}
                if not await waiter.woken(silence):
                    yield HEARTBEAT
                if waiter.over:
                    return
                try:
                    found = await in_turn(self._again, request, agent, known)
                except Problem:
                    return  # its token is worthless by now
                except Exception as error:
                    if not is_outage(error):
                        raise
                    found = []

    def _again(self, request: Request, agent: str, known: frozenset[str]) -> list[Message]:
        shown(request, self._doors)
        self._note_listening(agent)
        return self._open(agent, known)

    def _note_listening(self, agent: str) -> None:
        with suppress(RedisError, OSError):  # then a card may say that nobody listens
            self._publisher.note_listening(agent)

    def _open(self, agent: str, known: frozenset[str]) -> list[Message]:
        found = open_talks.read(self._doors.store, agent)
        return [
            Message(
                id=one.talk.id, request=one.request_id, action=one.action, code=code(one.approval_id),
                version=one.talk.version, text=one.talk.question, by=one.talk.name,
                asked_at=timestamp(moment(one.talk.asked_at)), until=timestamp(moment(one.talk.until)),
                token=one.token,
            )
            for one in found
            if one.talk.id not in known
        ]  # fmt: skip


def routes(doors: Doors) -> list[Route]:
    """Where the endpoints are."""
    return Inbox(doors).routes()


def _known(request: Request) -> frozenset[str]:
    text = request.query_params.get("known", "").lower()
    if not _KNOWN.fullmatch(text):
        raise Problem(422, "invalid", f"known: ids of questions, parted by commas, {MOST_KNOWN} at most.")
    return frozenset(text.split(",")) - {""}
