"""Stopping, resuming, and what is stopped: `/v1/stop`, `/v1/stops`."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, Field, StringConstraints
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from signoff.approvals.stop_errors import NothingStopped, SamePerson, TooManyStops
from signoff.errors import Invalid
from signoff.models import tokens
from signoff.models.messages import build, moment
from signoff.models.receipt import Wire
from signoff.models.stops import API, Kind, Stop, StopScope
from signoff.stops import LONGEST_FRESH
from signoff.web.bodies import json_object
from signoff.web.callers import caller
from signoff.web.doors import Doors
from signoff.web.problems import Problem

STOP, STOPS = "/v1/stop", "/v1/stops"
SAME = (
    "Somebody else has to resume it: a person in Slack, or the operator (`signoff resume`). "
    "The policy's `stop: {resume: any}` lets whoever stopped it."
)


class ToStop(Wire):
    """What is to be stopped: an agent, a pattern of actions, or all. Say one of them."""

    agent: Annotated[str, Field(description="One agent, by its name.")] = ""
    action: Annotated[str, Field(description="An action of all agents; * is any characters.")] = ""
    all: Annotated[bool, Field(description="Everything.")] = False
    reason: str = ""
    undos: Annotated[bool, Field(description="Whether undos may run all the same.")] = False
    withdraw: Annotated[bool, Field(description="End what waits, instead of holding it.")] = False

    @property
    def scope(self) -> StopScope:
        """What that is; raises Invalid."""
        named = [(kind, name) for kind, name in (("agent", self.agent), ("action", self.action)) if name]
        if len(named) + self.all != 1:
            raise Invalid("Say one of agent, action and all.")
        if self.all:
            return StopScope("all")
        return StopScope("agent", self.agent) if self.agent else StopScope("action", self.action)


class ToResume(Wire):
    """How it goes on: at once, or `staged`: then all of it is asked about until it is resumed for good."""

    staged: bool = False


class Seen(Wire):
    """A guard heeds the statement with this `number`, and none that is older than `fresh` seconds."""

    guard: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]{1,100}$")]
    number: Annotated[int, Field(ge=0, le=2**53 - 1)]
    fresh: Annotated[int, Field(ge=1, le=LONGEST_FRESH)]


class StopTold(BaseModel):
    """One stop. `staged`: all that it covers is asked about; `until` as in the statement."""

    id: str
    kind: Kind
    name: str
    said: str
    at: str
    undos: bool
    staged: bool
    number: int


class StopsTold(BaseModel):
    """What is stopped now. `token` is the same, signed (a JWT, `signoff-stops+jwt`): verify it."""

    number: int
    token: str
    stops: list[StopTold]


class Effect(BaseModel):
    """A stop, and what is known of what was granted before and had not run.

    `void` are those whose guards have confirmed it; `unconfirmed` others, which could run until `until`;
    `spent` are reported to run, or to have run.
    """

    stop: StopTold
    void: int
    unconfirmed: int
    until: str | None
    spent: int
    said: str


class Stops:
    """The endpoints."""

    def __init__(self, doors: Doors) -> None:
        self._doors = doors
        self._stopping = doors.approvals.stopping

    def routes(self) -> list[Route]:
        """Where they are."""
        return [
            Route(STOP, self.stop, methods=["POST"]),
            Route(STOP + "/{id}", self.effect, methods=["GET"]),
            Route(STOP + "/{id}/resume", self.resume, methods=["POST"]),
            Route(STOPS, self.look, methods=["GET"]),
            Route(STOPS + "/seen", self.seen, methods=["PUT"]),
        ]

    def stop(self, request: Request) -> Response:
        """Stop something."""
        caller(request, self._doors, tokens.STOP)
        said = build(ToStop, json_object(request))
        try:
            stop = self._stopping.stop(
                said.scope, by=API, reason=said.reason, undos=said.undos, withdraw=said.withdraw
            )
        except TooManyStops as error:
            raise Problem(422, "invalid", error.detail or str(error)) from None
        return _answer(self._effect(stop))

    def effect(self, request: Request) -> Response:
        """What is known of a stop by now."""
        caller(request, self._doors, tokens.STOP)
        found = self._stopping.get(request.path_params["id"])
        if found is None:
            raise Problem(404, "not-found", "There is no such stop.")
        return _answer(self._effect(found))

    def resume(self, request: Request) -> Response:
        """Let it run again."""
        caller(request, self._doors, tokens.STOP)
        said = build(ToResume, json_object(request))
        try:
            resumed = self._stopping.resume(request.path_params["id"], by=API, staged=said.staged)
        except NothingStopped:
            raise Problem(404, "not-found", "That is not stopped, or was resumed already.") from None
        except SamePerson:
            raise Problem(403, "same-person", SAME) from None
        return _answer(_told(resumed))

    def look(self, request: Request) -> Response:
        """What is stopped now, for guards and agents: any token may ask."""
        caller(request, self._doors, tokens.ANY)
        number, token, standing = self._stopping.now()
        return _answer(StopsTold(number=number, token=token, stops=[_told(one) for one in standing]))

    def seen(self, request: Request) -> Response:
        """A guard says which number it heeds."""
        token = caller(request, self._doors, tokens.SPEND)
        said = build(Seen, json_object(request))
        self._stopping.seen(token.id, said.guard, said.number, said.fresh)
        return Response(status_code=204)

    def _effect(self, stop: Stop) -> Effect:
        known = self._stopping.known(stop)
        until = moment(known.until).strftime("%Y-%m-%dT%H:%M:%SZ") if known.until else None
        clock = f"{moment(known.until):%H:%M} UTC" if known.until else ""
        counts = {"void": known.void, "unconfirmed": known.unconfirmed, "spent": known.spent}
        return Effect(stop=_told(stop), until=until, said=known.said(clock), **counts)


def _told(stop: Stop) -> StopTold:
    return StopTold(
        id=stop.id, kind=stop.kind, name=stop.name, said=stop.said, undos=stop.undos, staged=stop.staged,
        at=moment(stop.at).strftime("%Y-%m-%dT%H:%M:%SZ"), number=stop.number,
    )  # fmt: skip


def _answer(said: BaseModel) -> JSONResponse:
    found: dict[str, Any] = said.model_dump()
    return JSONResponse(found, headers={"Cache-Control": "no-store"})


def routes(doors: Doors) -> list[Route]:
    """Where the endpoints are."""
    return Stops(doors).routes()
