"""What an agent can undo: `/v1/undo`. The undos that people ask for come as its other decisions do."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from signoff.models import tokens
from signoff.models.bodies import CanUndo
from signoff.models.messages import build
from signoff.models.receipt import Wire
from signoff.web.bodies import json_object
from signoff.web.callers import caller
from signoff.web.doors import Doors

UNDO = "/v1/undo"


class UndoTestAsked(Wire):
    """A test of an undo that somebody who runs the server has asked for.

    `token` is signed (`signoff-undo-test+jwt`): `aud` this agent, `sub` the `id`, and the `action`.
    """

    id: str
    action: str
    token: str


class UndoTests(Wire):
    """Tests that this process is to run now, and say what they came to, by their ids, within two minutes."""

    tests: tuple[UndoTestAsked, ...]


class Undoing:
    """The endpoint."""

    def __init__(self, doors: Doors) -> None:
        self._doors = doors

    def register(self, request: Request) -> Response:
        """An agent says by which actions it can undo, and what its own test of one came to.

        It is given the tests that somebody has asked for, each once: who gets one runs it, and says so here.
        """
        agent = caller(request, self._doors, tokens.ASK).agent
        undoers, said = self._doors.approvals.undoers, build(CanUndo, json_object(request))
        undoers.told(agent, said)
        wanted = tuple(
            UndoTestAsked(id=one.id, action=one.action, token=one.token)
            for one in undoers.tests(agent, said.actions)
        )
        return JSONResponse(UndoTests(tests=wanted).model_dump()) if wanted else Response(status_code=204)


def routes(doors: Doors) -> list[Route]:
    """Where the endpoint is."""
    return [Route(UNDO, Undoing(doors).register, methods=["PUT"])]
