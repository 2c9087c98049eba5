"""What an executor's guard asks: `POST /v1/receipts/spend`, one more store of what was spent."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, StringConstraints
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from signoff import signatures
from signoff.errors import NotVerified
from signoff.guard import Guard
from signoff.models import tokens
from signoff.models.identity import process_name
from signoff.models.messages import build
from signoff.models.receipt import Wire
from signoff.spent import SqlStore
from signoff.web.bodies import json_object
from signoff.web.callers import caller
from signoff.web.doors import Doors
from signoff.web.problems import Problem


class ToSpend(Wire):
    """A receipt, and what is about to run by it. `by` names this one try: said again, answered again."""

    receipt: Annotated[str, StringConstraints(max_length=signatures.MAX_TOKEN)]
    action: Annotated[str, StringConstraints(max_length=100)]
    payload: dict[str, Any]
    by: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]{16,100}$")] = Field(
        default_factory=process_name
    )


class Spends:
    """The endpoint."""

    def __init__(self, doors: Doors) -> None:
        self._doors = doors
        self._store = SqlStore(doors.store.engine)
        self._keys = signatures.verify_keys(doors.signer.verify_key)

    def spend(self, request: Request) -> Response:
        """Check a receipt against what is about to run, and spend it: the first may run it."""
        token = caller(request, self._doors, tokens.SPEND)
        said = build(ToSpend, json_object(request))
        agent = signatures.audience_of(said.receipt)
        if not token.may_spend(agent, said.action):
            raise Problem(403, "not-allowed", "This token spends no receipts of this agent and action.")
        try:
            guard = Guard(self._store, keys=self._keys, agents=[agent], deployment=self._doors.deployment)
            run = guard.spend(said.receipt, said.payload, action=said.action, by=said.by)
        except NotVerified as error:
            raise Problem(422, "not-verified", error.detail) from None
        return JSONResponse({"agent": agent, "action": said.action, "payload": run, "by": said.by})


def routes(doors: Doors) -> list[Route]:
    """Where the endpoint is."""
    return [Route("/v1/receipts/spend", Spends(doors).spend, methods=["POST"])]
