"""What an agent asks, and how it is answered: `/v1/requests`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeVar

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from signoff.errors import Invalid
from signoff.models import identity, tokens
from signoff.models.approval import Approval
from signoff.models.messages import ApprovalRequest, Cancel, Outcome, Spend, build
from signoff.models.receipt import Wire
from signoff.models.receipt_claims import APPROVAL, QUESTION
from signoff.web import repeats
from signoff.web.bodies import BODY, json_object
from signoff.web.callers import caller, shown
from signoff.web.doors import Doors
from signoff.web.problems import Problem
from signoff.web.terms import ID, KEY, read_key
from signoff.web.turns import in_turn
from signoff.web.v1.state import State, state
from signoff.web.v1.waits import applied, seconds_of

REQUESTS = "/v1/requests"
STOPPED = "Somebody has stopped it since it was approved: run nothing, and ask again once it is resumed."
NOT_KEPT = {"Cache-Control": "no-store"}
"""Receipts and payloads are for who asked; and how a request stands changes."""
LONGEST_KEY = 255
W = TypeVar("W", bound=Wire)


@dataclass(frozen=True, slots=True)
class Standing:
    """A request's state, and whose it is. Small while it is pending: thousands may wait."""

    agent: str
    approval_id: str
    state: State

    @property
    def ended(self) -> bool:
        """Whether the state is final."""
        return self.state.status != "pending"


class Requests:
    """The endpoints."""

    def __init__(self, doors: Doors) -> None:
        self._doors = doors
        self._approvals = doors.approvals

    def routes(self) -> list[Route]:
        """Where they are."""
        one = REQUESTS + "/{id}"
        return [
            Route(REQUESTS, self.create, methods=["POST"]),
            Route(REQUESTS, self.look, methods=["GET"]),
            Route(one, self.look, methods=["GET"]),
            Route(one + "/cancel", self.cancel, methods=["POST"]),
            Route(one + "/outcome", self.report, methods=["POST"]),
            Route(one + "/spend", self.spend, methods=["POST"]),
        ]

    async def create(self, request: Request) -> Response:
        """Ask. The same request again is answered again, however often."""
        seconds = seconds_of(request)
        if not seconds:
            return self._located(await in_turn(self._create, request))
        agent = (await in_turn(caller, request, self._doors, tokens.ASK)).agent
        with self._doors.hub.place(agent):  # first: who has no place to wait has asked nothing
            stands = await in_turn(self._create, request, agent)
            request.scope.pop(BODY, None)  # it may be large
            return self._located(await self._waited(request, stands, seconds), seconds)

    async def look(self, request: Request) -> Response:
        """Where a request stands: at once, or once it has ended, or its caller's time is over."""
        seconds = seconds_of(request)
        stands = await in_turn(self.standing, request)
        if not seconds or stands.ended:
            return answer(stands.state, applied(seconds))
        with self._doors.hub.place(stands.agent):
            return answer((await self._waited(request, stands, seconds)).state, applied(seconds))

    def cancel(self, request: Request) -> Response:
        """Withdraw a request; what had been decided before stands."""
        own = self._own(request)
        said = told(Cancel, json_object(request, empty=True))
        approval = self._approvals.cancel(own.agent, own.request_id, said.reason)
        assert approval is not None
        self._approvals.tell(approval)
        return answer(self._state(approval))

    def report(self, request: Request) -> Response:
        """What became of an approved action."""
        own = self._own(request)
        if own.status != "approved":
            raise _not_approved(own)
        self._approvals.report(own.agent, own.request_id, told(Outcome, json_object(request)))
        return answer(self._state(self._approvals.get(own.id)))

    def spend(self, request: Request) -> Response:
        """Somebody is about to run what was approved; the first may. The signed notice says who that is."""
        own = self._own(request)
        by = told(Spend, json_object(request)).by
        if own.status != "approved":
            raise _not_approved(own)
        response = self._approvals.spend(own.agent, own.request_id, by)
        spent = self._approvals.get(own.id)
        if response.status == "blocked":
            raise Problem(403, "stopped", STOPPED, receipt=response.receipt)
        if response.status != "spent":
            slug = "already-spent" if spent.has_run else "not-approved"
            detail = "It was reported already." if spent.has_run else "Its time is over: nothing runs by it."
            raise Problem(409, slug, detail, receipt=response.receipt)
        if spent.spent_by != by:
            raise Problem(
                409, "already-spent", "Another process runs it, or has.",
                by=spent.spent_by, receipt=response.receipt,
            )  # fmt: skip
        return JSONResponse({"id": own.request_id, "by": by, "receipt": response.receipt})

    def standing(self, request: Request) -> Standing:
        """Where the caller's request of the id or the key in the address stands; raises Problem."""
        return self._stands(self._own(request))

    def again(self, request: Request, before: Standing) -> Standing:
        """Where it stands by now; raises Problem where the token has been revoked meanwhile."""
        shown(request, self._doors)
        return self._stands(self._approvals.get(before.approval_id))

    async def _waited(self, request: Request, stands: Standing, seconds: int) -> Standing:
        """Where it stands once it has ended, or after `seconds`; at once where this process ends."""
        if stands.ended:
            return stands

        def ended() -> Standing | None:
            found = self.again(request, stands)
            return found if found.ended else None

        hub = self._doors.hub
        with hub.for_request(stands.agent, stands.state.id, stands.approval_id) as waiter:
            found = await hub.until(waiter, seconds, request.receive, ended)
            if found is None and not waiter.over:
                found = await in_turn(self.again, request, stands)
        return found or stands

    def _create(self, request: Request, agent: str = "") -> Standing:
        agent = agent or caller(request, self._doors, tokens.ASK).agent
        approval = self._approvals.submit(agent, asked(agent, request))
        self._approvals.tell(approval)
        return self._stands(approval)

    def _located(self, stands: Standing, seconds: int = 0) -> Response:
        where = {"Location": f"{self._doors.public_url}{REQUESTS}/{stands.state.id}"}
        return answer(stands.state, where | applied(seconds))

    def _own(self, request: Request) -> Approval:
        """The caller's request of the id or key in the address; raises Problem, for another's too."""
        agent = caller(request, self._doors, tokens.ASK).agent
        if "id" not in request.path_params:
            return self._keyed(agent, request.query_params.getlist("key"))
        request_id = request.path_params["id"].lower()
        found = self._approvals.find(agent, request_id) if ID.fullmatch(request_id) else None
        if found is None:
            raise Problem(404, "not-found", f"{agent} has asked no request of this id.")
        return found

    def _keyed(self, agent: str, keys: list[str]) -> Approval:
        """The request with the one key in the address; for a caller that has kept nothing else."""
        if len(keys) != 1 or not 0 < len(keys[0]) <= LONGEST_KEY:
            raise Problem(
                422, "invalid", f"Say the request's key once, ?key=…, in 1 to {LONGEST_KEY} characters."
            )
        found = None if "\0" in keys[0] else repeats.by_key(self._doors, agent, keys[0])
        if found is None:
            raise Problem(404, "not-found", f"{agent} has asked no request with this key.")
        return found

    def _stands(self, approval: Approval) -> Standing:
        return Standing(approval.agent, approval.id, self._state(approval))

    def _state(self, approval: Approval) -> State:
        return state(approval, self._approvals.response(approval))


def routes(doors: Doors) -> list[Route]:
    """Where the endpoints are."""
    return Requests(doors).routes()


def answer(found: State, headers: dict[str, str] | None = None) -> Response:
    """A state as it is sent."""
    said = NOT_KEPT | (headers or {})
    return Response(found.model_dump_json(exclude_none=True), headers=said, media_type="application/json")


def _not_approved(one: Approval) -> Problem:
    if one.request.kind != APPROVAL:
        return Problem(409, "not-approved", "It is no approval: no answer to it lets anything run.")
    stands = "nobody has decided yet" if one.pending else f"it ended as {one.status}"
    return Problem(409, "not-approved", f"Nothing is to run by it: {stands}.")


def told(kind: type[W], values: dict[str, Any]) -> W:
    """A body → the message; raises Invalid."""
    return build(kind, values)


def asked(agent: str, request: Request) -> ApprovalRequest:
    """The request in a body; where it has no id and nonce, we make them, and its caller trusts us with that.

    Raises Problem or Invalid.
    """
    values = json_object(request)
    key = read_key(request.headers)
    if key and values.setdefault("key", key) != key:
        raise Invalid(f"{KEY} and key differ: say it once.")
    if trace := request.headers.get("traceparent"):
        values.setdefault("traceparent", trace)
    spell_out(values)
    given = [name for name in ("id", "nonce") if values.get(name) is not None]
    if len(given) == 1:
        raise Invalid("Send id and nonce both, or neither.")
    if given:
        return committed(agent, ApprovalRequest.read(values))
    return named(agent, values)


def named(agent: str, values: dict[str, Any], nonce: str | None = None) -> ApprovalRequest:
    """What an agent asks, with a nonce (if none is given) and an id that we make: the same ones each time for
    a key. Raises Invalid.
    """
    key = values.get("key")
    if nonce is None:
        nonce = identity.keyed_nonce(key, None) if isinstance(key, str) else identity.new_nonce()
    found = ApprovalRequest.read({**values, "id": "0" * 32, "nonce": nonce})
    made = identity.request_id(found.kind, agent, found.action, found.digest, nonce)
    return found.model_copy(update={"id": made})


def committed(agent: str, found: ApprovalRequest) -> ApprovalRequest:
    """A request that its id commits to; raises Problem, which says whose the token is: that is mistaken."""
    if not found.commits(agent):
        detail = (
            f"This token is {agent}'s, and the id is not the one of what {agent} asks for: an id commits to "
            "the agent's name, the action and the payload."
        )
        raise Problem(422, "invalid", detail, agent=agent)
    return found


def spell_out(values: dict[str, Any]) -> None:
    """The conveniences that Python has → the wire's one way to say each."""
    if (reversible := values.pop("reversible", None)) is not None:
        if values.get("reversibility") is not None:
            raise Invalid("reversible and reversibility say the same: say it once.")
        short = {True: "reversible", False: "irreversible"}
        values["reversibility"] = short[reversible] if isinstance(reversible, bool) else reversible
    if values.get("kind") == QUESTION:
        values.setdefault("action", QUESTION)
    if isinstance(values.get("alternatives"), str):
        values["alternatives"] = [values["alternatives"]] if values["alternatives"] else []
