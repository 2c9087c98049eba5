"""Requests that are asked together, `/v1/batches`: all come in one body, and are frozen at once."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Annotated, Any, cast

from pydantic import BaseModel, Field, StringConstraints
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from signoff.errors import Invalid, NotApproved
from signoff.models import batch_names, codes, identity, tokens
from signoff.models.batches import BatchState
from signoff.models.bodies import MAX_BATCH
from signoff.models.messages import ApprovalRequest, BatchName, Freeze, build
from signoff.models.receipt import Receipt, Status, Wire
from signoff.models.receipt_claims import QUESTION
from signoff.payload.canonical import canonical
from signoff.web.bodies import BODY, json_object
from signoff.web.callers import caller, shown
from signoff.web.doors import Doors
from signoff.web.problems import Problem
from signoff.web.terms import KEY, read_key
from signoff.web.turns import in_turn
from signoff.web.v1.requests import NOT_KEPT, committed, named, spell_out
from signoff.web.v1.state import State, state, timestamp
from signoff.web.v1.waits import applied, seconds_of

BATCHES = "/v1/batches"
MOST_BYTES = 4 * 1024 * 1024
"""Bytes of a body: 500 requests of 5 KB, and what they say beside. More of them are sent one by one, with
`batch`, and frozen by whoever speaks Redis."""
MOST_VALUES = 100_000
ENOUGH_BYTES = 4 * 1024 * 1024
"""An answer that has so much in payloads and receipts ends there, and says what comes next."""
MOST_FAULTS = 20
_RECIPE = "signoff-batch-1"


class Together(Wire):
    """Requests that are asked together, as they are sent. With a `name` they can be sent again."""

    title: Annotated[str, StringConstraints(min_length=1, max_length=150)] = Field(
        description="What people read first."
    )
    run: Annotated[str, StringConstraints(max_length=100)] | None = Field(
        default=None, description="Names the agent's piece of work that this belongs to."
    )
    name: BatchName | None = Field(
        default=None, description="128 random bits in hexadecimal; made by the server if not said."
    )
    requests: Annotated[tuple[dict[str, Any], ...], Field(min_length=1, max_length=MAX_BATCH)] = Field(
        description="Each as `POST /v1/requests` takes it: approvals, no questions."
    )


class BatchStands(BaseModel):
    """Where a batch stands. `items` are its requests, in the order in which they were sent."""

    name: str = Field(description="The batch's name: what `GET /v1/batches/{name}` takes.")
    title: str
    run: str | None = None
    state: BatchState = Field(
        description="`frozen`; `dropped` where it never came to that: nobody was asked."
    )
    size: int = Field(description="How many requests it has.")
    pending: int = Field(description="How many of them wait for a person.")
    permalink: str | None = Field(default=None, description="Where people see its card, once it is there.")
    items: list[State] = Field(description="From `from` on, as many as one answer holds.")
    next: int | None = Field(default=None, description="What to ask for as `from`, where this is not all.")


@dataclass(frozen=True)
class _Named:
    """A batch of an agent's, by its row, and the ids of its requests."""

    agent: str
    id: int
    ids: tuple[str, ...]


class Batches:
    """The endpoints."""

    def __init__(self, doors: Doors) -> None:
        self._doors = doors
        self._approvals = doors.approvals

    def routes(self) -> list[Route]:
        """Where they are."""
        return [
            Route(BATCHES, self.create, methods=["POST"]),
            Route(BATCHES + "/{name}", self.look, methods=["GET"]),
        ]

    async def create(self, request: Request) -> Response:
        """Ask all of it, or nothing where one is not valid. The same again is answered again."""
        name = await in_turn(self._create, request)
        request.scope.pop(BODY, None)
        found = await in_turn(self._own, request, name)
        where = {"Location": f"{self._doors.public_url}{BATCHES}/{name}"}
        return self._answer(await in_turn(self._stands, found, 0), where)

    async def look(self, request: Request) -> Response:
        """Where it stands: at once, or once all of it has ended, or its caller's time is over."""
        seconds, first = seconds_of(request), _from(request)
        own = await in_turn(self._own, request, request.path_params["name"])
        waits = await in_turn(self._waiting, own) if seconds else []
        if waits:
            hub = self._doors.hub

            def ended() -> bool | None:
                shown(request, self._doors)
                return None if self._waiting(own) else True

            with hub.place(own.agent), hub.for_requests(own.agent, waits) as waiter:
                await hub.until(waiter, seconds, request.receive, ended)
        await in_turn(shown, request, self._doors)  # it may have been revoked meanwhile
        return self._answer(await in_turn(self._stands, own, first), applied(seconds))

    def _create(self, request: Request) -> str:
        agent = caller(request, self._doors, tokens.ASK).agent
        values, key = json_object(request, values=MOST_VALUES), read_key(request.headers)
        said = build(Together, values)
        name = said.name or _name(agent, key)
        asked = _read(agent, name, said, key or name)
        self._doors.rates.count(agent, len(asked) - 1)
        self._check_name(agent, name, [str(one.id) for one in asked])
        for one in asked:
            self._take(agent, one)
        frozen = Freeze(title=said.title, run=said.run, ids=tuple(one.id for one in asked))
        self._approvals.batches.freeze(agent, name, frozen)
        return name

    def _check_name(self, agent: str, name: str, ids: list[str]) -> None:
        """Raise Invalid where others were asked under this name: before any of these is."""
        found = batch_names.find(self._doors.store, agent, name)
        if found is None:
            return
        if found.ids is None:
            same = set(batch_names.held(self._doors.store, found.id)) <= set(ids)
        else:
            same = list(found.ids) == ids
        if not same:
            raise Invalid("Under this name, or key, other requests were asked together: take another one.")

    def _take(self, agent: str, asked: ApprovalRequest) -> None:
        """One of them; where the server does not take it, its own receipt says so, and the rest goes on."""
        try:
            self._approvals.tell(self._approvals.submit(agent, asked))
        except NotApproved as error:
            if self._approvals.find(agent, str(asked.id)) is None:
                status = cast(Status, error.status)
                self._approvals.refuse(agent, str(asked.id), status, error.detail[:2000])

    def _own(self, request: Request, name: str) -> _Named:
        """The caller's batch of this name; raises Problem, for another's too."""
        agent = caller(request, self._doors, tokens.ASK).agent
        found = batch_names.find(self._doors.store, agent, name)
        if found is None:
            raise Problem(404, "not-found", f"{agent} has no batch of this name.")
        return _Named(agent, found.id, found.ids or tuple(batch_names.held(self._doors.store, found.id)))

    def _waiting(self, own: _Named) -> list[tuple[str, str]]:
        """(request's id, approval's) of what waits in it: on its card, and apart."""
        return batch_names.waiting(self._doors.store, own.agent, own.ids)

    def _stands(self, own: _Named, first: int) -> BatchStands:
        batch = self._approvals.batches.get(own.id)
        known = {one.request_id: one for one in (*batch.items, *batch.apart)}
        items, size, following = list[State](), 0, None
        for place, request_id in enumerate(own.ids[first:], first):
            if size >= ENOUGH_BYTES:
                following = place
                break
            approval = known.get(request_id)
            if approval is not None:
                one = state(approval, self._approvals.response(approval))
            else:
                one = _refused(request_id, self._approvals.refused(own.agent, request_id))
            items.append(one)
            size += len(one.receipt or "") + len(one.payload or "") + len(one.spent or "")
        return BatchStands(
            name=batch.name, title=batch.title, run=batch.run, state=batch.state, size=len(own.ids),
            pending=sum(one.pending for one in known.values()), permalink=batch.permalink, items=items,
            next=following,
        )  # fmt: skip

    def _answer(self, stands: BatchStands, headers: dict[str, str]) -> Response:
        text = stands.model_dump_json(exclude_none=True)
        return Response(text, headers=NOT_KEPT | headers, media_type="application/json")


def routes(doors: Doors) -> list[Route]:
    """Where the endpoints are."""
    return Batches(doors).routes()


def _read(agent: str, name: str, said: Together, key: str) -> list[ApprovalRequest]:
    """All requests of a batch; raises Problem, which names each that is not valid: then nothing is asked."""
    found, faults = list[ApprovalRequest](), list[dict[str, Any]]()
    seen = dict[tuple[str, str], int]()
    for place, values in enumerate(said.requests):
        try:
            one = _item(agent, name, said.run, dict(values), f"{key}\n{place}")
            first = seen.setdefault((one.action, one.digest), place)
            if first != place:
                raise Invalid(f"requests[{first}] is the same: each is asked once.")
            found.append(one)
        except (Invalid, Problem) as error:
            faults.append({"item": place, "detail": error.detail})
            if len(faults) == MOST_FAULTS:
                break
    if faults:
        detail = f"requests[{faults[0]['item']}]: {faults[0]['detail']} Nothing of the batch was asked."
        raise Problem(422, "invalid", detail, faults=faults)
    return found


def _item(agent: str, name: str, run: str | None, values: dict[str, Any], key: str) -> ApprovalRequest:
    """One request of a batch. Where it has no id and no key of its own, `key` makes the same id each time."""
    if values.get("kind", "approval") == QUESTION:
        raise Invalid("A batch holds approvals: ask a question by itself.")
    if values.setdefault("batch", name) != name:
        raise Invalid("Its batch is another one: leave it out.")
    if run is not None:
        values.setdefault("run", run)
    spell_out(values)
    given = [one for one in ("id", "nonce") if values.get(one) is not None]
    if len(given) == 1:
        raise Invalid("Send id and nonce both, or neither.")
    if given:
        return committed(agent, ApprovalRequest.read(values))
    own = values.get("key") is not None
    return named(agent, values, None if own else identity.keyed_nonce(key, None))


def _name(agent: str, key: str | None) -> str:
    """A batch's name: the same each time for an Idempotency-Key."""
    if key is None:
        return identity.new_nonce()
    return hashlib.sha256(canonical([_RECIPE, agent, key], KEY).encode()).hexdigest()[:32]


def _refused(request_id: str, receipt: Receipt | None) -> State:
    """Of a request that never became an Approval; `pending` where its agent was not told anything yet."""
    if receipt is None:
        return State(id=request_id, status="pending", action="", code=codes.code(request_id), expires_at="")
    return State(
        id=request_id, status=receipt.status, action=receipt.action, code=codes.code(request_id),
        expires_at=timestamp(receipt.issued_at), receipt=receipt.token,
    )  # fmt: skip


def _from(request: Request) -> int:
    text = request.query_params.get("from", "0")
    if not (text.isascii() and text.isdigit() and len(text) <= 3):
        raise Problem(422, "invalid", f"from: the place of a request, 0 to {MAX_BATCH - 1}, please.")
    return int(text)
