"""The protocol's endpoints, under `/aap`: that is the base URL that its clients are given."""

from __future__ import annotations

import hashlib
import re

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from signoff.errors import Duplicate, Invalid
from signoff.models import tokens
from signoff.models.approval import Approval
from signoff.models.messages import Outcome, build
from signoff.web.aap.faults import Fault, conflict, endpoint, invalid
from signoff.web.aap.submission import not_ours, read
from signoff.web.aap.wire import is_ours, outcome_of, told
from signoff.web.bodies import json_object
from signoff.web.callers import caller, shown
from signoff.web.doors import Doors
from signoff.web.repeats import by_key, is_same
from signoff.web.terms import ID, KEY, LONGEST
from signoff.web.turns import in_turn

BASE = "/aap/v1"


class Endpoints:
    """Create, get with wait, cancel, consume, outcome; and why nobody provisions here."""

    def __init__(self, doors: Doors) -> None:
        self._doors = doors
        self._approvals = doors.approvals
        self._secret = doors.signer.derive("aap requests").hex()

    def routes(self) -> list[Route]:
        """Where they are."""
        one = BASE + "/requests/{id}"
        return [
            Route(BASE + "/requests", self.create, methods=["POST"]),
            Route(one, self.look, methods=["GET"]),
            Route(one, self.cancel, methods=["DELETE"]),
            Route(one + "/consume", self.consume, methods=["POST"]),
            Route(one + "/outcome", self.report, methods=["POST"]),
            Route(BASE + "/instances", self.provision, methods=["POST"]),
        ]

    @endpoint
    async def create(self, request: Request) -> Response:
        """Ask. The same submission under the same key is answered with the same request."""
        return await in_turn(self._create, request)

    @endpoint
    async def look(self, request: Request) -> Response:
        """How it stands: at once, or once it has ended, or its caller's time is over."""
        seconds = _seconds(request)
        own = await in_turn(self._own, request)
        if seconds and own.pending:
            with self._doors.hub.place(own.agent):
                own = await self._waited(request, own, seconds)
        return JSONResponse(told(own))

    @endpoint
    async def cancel(self, request: Request) -> Response:
        """Withdraw it; what had been decided before stands."""
        return await in_turn(self._cancel, request)

    @endpoint
    async def consume(self, request: Request) -> Response:
        """A client is about to run it: the first one may."""
        return await in_turn(self._consume, request)

    @endpoint
    async def report(self, request: Request) -> Response:
        """What became of it."""
        return await in_turn(self._report, request)

    @endpoint
    async def provision(self, request: Request) -> Response:
        """Nobody is given a token, or has decisions sent anywhere, but by an operator."""
        await in_turn(caller, request, self._doors, tokens.ASK)
        raise Fault(
            403, "permission", "provisioning_not_supported",
            "An operator makes tokens (`signoff agent add`), and says where decisions are sent.",
        )  # fmt: skip

    def _create(self, request: Request) -> Response:
        agent = caller(request, self._doors, tokens.ASK).agent
        asked = read(agent, json_object(request), _key(request), self._secret)
        assert asked.key is not None
        approval, status = by_key(self._doors, agent, asked.key), 200
        if approval is None:
            try:
                approval, new = self._approvals.take(agent, asked)
                status = 201 if new else 200
            except (Duplicate, Invalid):
                approval = by_key(self._doors, agent, asked.key)  # somebody was faster with the same key
                if approval is None:
                    raise
        if not is_same(approval.request, asked):
            raise conflict("idempotency_conflict")
        self._approvals.tell(approval)
        return JSONResponse(told(approval), status)

    def _cancel(self, request: Request) -> Response:
        own = self._own(request)
        ended = self._approvals.cancel(own.agent, own.request_id) or own
        if ended.status != "cancelled":
            raise conflict("already_terminal")
        self._approvals.tell(ended)
        return JSONResponse(told(ended))

    def _consume(self, request: Request) -> Response:
        own, key = self._own(request), _key(request)
        if own.status != "approved":
            raise conflict("not_approved")
        by = f"aap-{hashlib.sha256(key.encode()).hexdigest()}"
        response = self._approvals.spend(own.agent, own.request_id, by)
        spent = self._approvals.get(own.id)
        if response.status == "spent" and spent.spent_by == by:
            return JSONResponse(told(spent))
        raise conflict("already_consumed" if spent.has_run else "approval_expired")

    def _report(self, request: Request) -> Response:
        own, values = self._own(request), json_object(request)
        status, note = values.get("status"), values.get("note", "")
        if status not in ("succeeded", "failed") or values.keys() - {"status", "note"}:
            raise invalid("status is succeeded or failed; note is a text; nothing else is said.")
        said = build(Outcome, {"succeeded": status == "succeeded", "note": note})
        if own.spent_at is None:
            raise conflict("not_consumed")
        self._approvals.report(own.agent, own.request_id, said)
        reported = self._approvals.get(own.id)
        if reported.outcome is None or outcome_of(reported.outcome.succeeded) != status:
            raise conflict("outcome_conflict")
        if reported.outcome.note != said.note:
            raise conflict("outcome_conflict")
        return JSONResponse(told(reported))

    async def _waited(self, request: Request, own: Approval, seconds: int) -> Approval:
        """The request once it has ended, or after `seconds`; at once where this process ends."""

        def looked_up() -> Approval:
            shown(request, self._doors)  # the token may have been revoked meanwhile
            return self._approvals.get(own.id)

        def ended() -> Approval | None:
            found = looked_up()
            return None if found.pending else found

        hub = self._doors.hub
        with hub.for_request(own.agent, own.request_id, own.id) as waiter:
            found = await hub.until(waiter, seconds, request.receive, ended)
            if found is None and not waiter.over:
                found = await in_turn(looked_up)
        return found or own

    def _own(self, request: Request) -> Approval:
        """The caller's request of the id in the address, where it was asked here; raises Fault."""
        agent = caller(request, self._doors, tokens.ASK).agent
        named = request.path_params["id"].lower()
        found = self._approvals.find(agent, named) if ID.fullmatch(named) else None
        if found is None or not is_ours(found):
            raise not_ours()
        return found


def routes(doors: Doors) -> list[Route]:
    """Where the endpoints are."""
    return Endpoints(doors).routes()


def _seconds(request: Request) -> int:
    """How long a client waits, of `?wait=25s`: 30 s at most."""
    found = re.fullmatch(r"([0-9]{1,9})s?", request.query_params.get("wait", "0"))
    if found is None:
        raise invalid("wait: a time like 25s, please.")
    return min(LONGEST, int(found[1]))


def _key(request: Request) -> str:
    given = request.headers.getlist(KEY)
    if len(given) > 1:
        raise invalid(f"There are {len(given)} headers {KEY}: send one.")
    key = given[0] if given else ""
    if not re.fullmatch(r"[\x21-\x7e]{1,255}", key):
        raise invalid(f"Send an {KEY}, of 1 to 255 visible characters.", "missing_idempotency_key")
    return key
