"""What an executor's guard asks: `POST /v1/receipts/spend`, one more store of what was spent."""

from __future__ import annotations

import logging
from typing import Annotated, Any

from pydantic import Field, StringConstraints
from redis.exceptions import RedisError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from signoff import receipts, signatures
from signoff.approvals import epochs
from signoff.approvals.guarded import Guarded
from signoff.errors import Stopped
from signoff.guard import Guard
from signoff.models import tokens
from signoff.models.identity import process_name
from signoff.models.messages import build
from signoff.models.receipt import Receipt, Wire
from signoff.models.store import Store
from signoff.models.tokens import Token
from signoff.web.bodies import json_object
from signoff.web.callers import caller
from signoff.web.doors import Doors
from signoff.web.problems import Problem, translated

log = logging.getLogger("signoff.web")

KEPT_OUT = "{agent} is kept out (`signoff agent off`, or all of its tokens were revoked): nothing of it runs."
RESTORED = (
    "The server's database was put back after this receipt was issued: whether it has run since is not known "
    "any more. Run nothing; ask again, under another key."
)


class ToSpend(Wire):
    """A receipt, and what is about to run by it. `by` names this one try: said again, answered again."""

    receipt: Annotated[str, StringConstraints(max_length=signatures.MAX_TOKEN)]
    action: Annotated[str, StringConstraints(max_length=100)]
    payload: dict[str, Any]
    by: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]{16,100}$")] = Field(
        default_factory=process_name
    )


class _KeptOut:
    """Whether an operator keeps an agent out; see `Stops`."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def stopped(self, agent: str, action: str) -> str:
        """Why nothing of this agent's may run now, else empty."""
        return KEPT_OUT.format(agent=agent) if tokens.kept_out(self._store, agent) else ""


class Spends:
    """The endpoint."""

    def __init__(self, doors: Doors) -> None:
        self._doors = doors
        self._keys = signatures.verify_keys(doors.signer.verify_key)

    def spend(self, request: Request) -> Response:
        """Check a receipt against what is about to run, and spend it: the first may run it."""
        token = caller(request, self._doors, tokens.SPEND)
        said = build(ToSpend, json_object(request))
        try:
            receipt, run = self._spent(token, said)
        except Exception as error:
            problem = translated(error)
            if problem.status < 500:
                self._doors.refusals.count(problem.slug)
            raise problem from None
        self._tell(receipt)
        return JSONResponse({"agent": receipt.agent, "action": said.action, "payload": run, "by": said.by})

    def _spent(self, token: Token, said: ToSpend) -> tuple[Receipt, dict[str, Any]]:
        agent, store = signatures.audience_of(said.receipt), self._doors.store
        if not token.may_spend(agent, said.action):
            raise Problem(403, "not-allowed", "This token spends no receipts of this agent and action.")
        try:
            receipt = receipts.verify(said.receipt, self._keys, agent, issuer=self._doors.deployment)
            guard = Guard(
                Guarded(store, token.id, receipt), keys=self._keys, agents=[agent], stops=_KeptOut(store),
                deployment=self._doors.deployment,
            )  # fmt: skip
            if epochs.is_before(store, receipt.issued_at):
                raise Problem(409, "restored", RESTORED)
            return receipt, guard.spend(receipt, said.payload, action=said.action, by=said.by)
        except Stopped as error:
            raise Problem(403, "stopped", error.detail) from None

    def _tell(self, receipt: Receipt) -> None:
        """Its agent is told, and so Redis knows, that it was spent. Where Redis is away sweep repeats it."""
        approvals = self._doors.approvals
        if (found := approvals.find(receipt.agent, receipt.id)) is None:
            return
        try:
            approvals.tell(found)
        except RedisError as error:
            self._doors.store.unpublish(found.id)
            log.warning("not told yet that a guard has spent: id=%s %s", found.id, type(error).__name__)


def routes(doors: Doors) -> list[Route]:
    """Where the endpoint is."""
    return [Route("/v1/receipts/spend", Spends(doors).spend, methods=["POST"])]
