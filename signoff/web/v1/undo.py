"""What an agent can undo: `/v1/undo`. The undos that people ask for come as its other decisions do."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from signoff.models import tokens
from signoff.models.bodies import CanUndo
from signoff.models.messages import build
from signoff.web.bodies import json_object
from signoff.web.callers import caller
from signoff.web.doors import Doors

UNDO = "/v1/undo"


class Undoing:
    """The endpoint."""

    def __init__(self, doors: Doors) -> None:
        self._doors = doors

    def register(self, request: Request) -> Response:
        """An agent says by which actions it can undo, and what its own test of one came to."""
        agent = caller(request, self._doors, tokens.ASK).agent
        self._doors.approvals.undoers.told(agent, build(CanUndo, json_object(request)))
        return Response(status_code=204)


def routes(doors: Doors) -> list[Route]:
    """Where the endpoint is."""
    return [Route(UNDO, Undoing(doors).register, methods=["PUT"])]
