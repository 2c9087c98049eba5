"""A state machine: any verbs in any order, crashes between any two steps, and a simple model beside it.

To add a verb: write a `@rule` that draws a request from `self.requests` (or puts one there), takes
`crash=CRASH`, does the real thing inside `self.attempt(crash, …)` or, if it comes by the stream,
`self.send(…)`, and then says in the `Request` what has to be so. After every verb `all_is_as_the_model_says`
compares; add what your verb promises there, and a new crash point to `parts.POINTS`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, multiple, rule
from machine.parts import APPROVERS, IN_TRANSACTION, POINTS, Crash, Parts
from sqlalchemy import text
from support import a_request

from signoff import audit, receipts
from signoff.errors import AlreadyDecided, EditedMeanwhile, NotAllowed, TimeRanOut
from signoff.models.messages import ApprovalRequest, Cancel, Outcome, payload_digest
from signoff.queue import stream

CRASH = st.sampled_from([None] * 8 + list(POINTS))
PEOPLE = st.sampled_from(["U0ANA", "U0BEN", "U0MIA"])
AMOUNT = st.sampled_from([80, 120])
DECISIONS = text("SELECT approver, answer, version FROM decision WHERE approval_id = :id")
RUN_OUT = text("UPDATE approval SET expires_at = 1 WHERE id = :id")


@dataclass(eq=False)
class Request:
    """What has to be so of one request. `revision` is the last that was seen, `receipt` the first."""

    sent: ApprovalRequest
    approval_id: str = ""
    status: str = "pending"
    version: int = 1
    payload: dict[str, Any] = field(default_factory=dict)
    approver: str = ""
    ran_out: bool = False
    reported: bool = False
    revision: int = 1
    receipt: str | None = None

    def ends(self, status: str, approver: str = "") -> None:
        self.status, self.approver = status, approver
        self.revision += 1


class Machine(RuleBasedStateMachine):
    """One agent, its requests, three people of whom two may decide, and a server that crashes."""

    requests: Bundle[Request] = Bundle("requests")

    def __init__(self, parts: Parts, redis: Any, verify_key: str, agent: str) -> None:
        super().__init__()
        self.parts, self.redis, self.agent = parts, redis, agent
        self.keys = receipts.verify_keys(verify_key)
        self.known: list[Request] = []
        redis.flushall()
        parts.build()

    def attempt(self, crash: str | None, do: Callable[[], Any]) -> bool:
        """Do it, or crash on the way and start again; True where the change, if there was one, is there."""
        self.parts.armed = crash
        try:
            do()
        except Crash:
            self.parts.build()
            return crash != IN_TRANSACTION
        finally:
            self.parts.armed = None
        return True

    def send(self, crash: str | None, kind: str, request_id: Any, body: str) -> None:
        """By the stream; what a crash left unacknowledged is delivered again."""
        self.redis.xadd(stream.requests(self.agent), stream.entry(kind, str(request_id), body))
        self.attempt(crash, self.parts.drain)
        self.parts.drain()

    def answer(self, request_id: Any) -> Any:
        return stream.published(self.redis, self.agent, str(request_id))

    @rule(target=requests, amount=AMOUNT, key=st.sampled_from([None, None, "k1", "k2"]), crash=CRASH)
    def submit(self, amount: int, key: str | None, crash: str | None) -> Any:
        payload = {"customer": "cus_42", "amount": amount}
        sent = a_request(payload=payload, key=key)
        first = next((one for one in self.known if key and one.sent.key == key), None)
        self.send(crash, "request", sent.id, sent.encode())
        if first:
            same = payload_digest(first.sent.payload) == payload_digest(payload)
            assert self.answer(sent.id).status == ("duplicate" if same else "invalid")
            assert self.parts.store.find(self.agent, str(sent.id)) is None
            return multiple()
        found = self.parts.store.find(self.agent, str(sent.id))
        assert found is not None and self.answer(sent.id).status == "pending"
        request = Request(sent, approval_id=found.id, payload=payload)
        self.known.append(request)
        return request

    @rule(request=requests, crash=CRASH)
    def send_again(self, request: Request, crash: str | None) -> None:
        self.send(crash, "request", request.sent.id, request.sent.encode())
        assert self.answer(request.sent.id).status == request.status, "it is answered again"

    @rule(request=requests, crash=CRASH)
    def reuse_an_id(self, request: Request, crash: str | None) -> None:
        other = request.sent.model_copy(update={"payload": {"customer": "cus_666", "amount": 9999}})
        self.send(crash, "request", request.sent.id, other.encode())

    @rule(request=requests, crash=CRASH)
    def cancel(self, request: Request, crash: str | None) -> None:
        self.send(crash, "cancel", request.sent.id, Cancel(reason="not needed").model_dump_json())
        if request.status == "pending" and not request.ran_out:
            request.ends("cancelled")

    @rule(request=requests, succeeded=st.booleans(), crash=CRASH)
    def report(self, request: Request, succeeded: bool, crash: str | None) -> None:
        outcome = Outcome(succeeded=succeeded, note="done")
        self.send(crash, "outcome", request.sent.id, outcome.model_dump_json())
        if request.status == "approved" and not request.reported:
            request.reported = True
            request.revision += 1

    @rule(request=requests, user=PEOPLE, seen=st.sampled_from([0, 0, 0, -1, 1]), crash=CRASH)
    def approve(self, request: Request, user: str, seen: int, crash: str | None) -> None:
        self.decide(crash, request, request.version + seen, user, "approve")

    @rule(request=requests, user=PEOPLE, amount=st.sampled_from([10, 80]), crash=CRASH)
    def edit(self, request: Request, user: str, amount: int, crash: str | None) -> None:
        payload = {**request.payload, "amount": amount}
        self.decide(crash, request, request.version, user, "approve", payload=payload)

    @rule(request=requests, user=PEOPLE, crash=CRASH)
    def reject(self, request: Request, user: str, crash: str | None) -> None:
        self.decide(crash, request, request.version, user, "reject", reason="No")

    @rule(target=requests, other=st.sampled_from(["reject", "cancel", "run_out"]))
    def be_overtaken(self, other: str) -> Any:
        """Somebody or something else is faster, after a click was found to be in order."""
        request = self.submit(120, None, None)
        instead = {
            "reject": partial(self.decide, None, request, request.version, "U0BEN", "reject"),
            "cancel": partial(self.cancel, request, None),
            "run_out": partial(self.run_out, request),
        }
        self.parts.meanwhile = instead[other]
        with pytest.raises(TimeRanOut if other == "run_out" else AlreadyDecided):
            self.parts.approvals.decide(request.approval_id, request.version, "U0ANA", "approve")
        assert self.parts.meanwhile is None
        return request

    def decide(
        self, crash: str | None, request: Request, version: int, user: str, answer: str, **more: Any
    ) -> None:
        """A click: refused where it has to be, and else recorded whole or not at all."""
        refused = self.refusal(request, version, user)

        def click() -> None:
            try:
                self.parts.approvals.decide(request.approval_id, version, user, answer, **more)  # type: ignore[arg-type]
            except (NotAllowed, TimeRanOut, AlreadyDecided, EditedMeanwhile) as error:
                assert type(error) is refused, f"{error!r}, not {refused}"
            else:
                assert refused is None, f"recorded, not {refused}"

        if self.attempt(crash, click) and refused is None:
            request.ends("approved" if answer == "approve" else "rejected", user)
            edited = more.get("payload")
            if edited is not None and edited != request.payload:
                request.version, request.payload = request.version + 1, edited

    def refusal(self, request: Request, version: int, user: str) -> type[Exception] | None:
        if user not in APPROVERS:
            return NotAllowed
        if request.status == "expired" or (request.status == "pending" and request.ran_out):
            return TimeRanOut
        if request.status != "pending":
            return AlreadyDecided
        return None if version == request.version else EditedMeanwhile

    @rule(request=requests)
    def run_out(self, request: Request) -> None:
        """Its time is over. Tests move rows, not clocks."""
        if request.status == "pending":
            with self.parts.store.transaction() as connection:
                connection.execute(RUN_OUT, {"id": request.approval_id})
            request.ran_out = True

    @rule()
    def empty_redis(self) -> None:
        self.redis.flushall()

    @rule(crash=CRASH)
    def sweep(self, crash: str | None) -> None:
        self.attempt(crash, self.parts.sweep)
        self.parts.sweep()
        for request in self.known:
            if request.status == "pending" and request.ran_out:
                request.ends("expired")
        for request in self.known:
            answer, row = self.answer(request.sent.id), self.parts.approvals.get(request.approval_id)
            assert answer is not None and answer.status == request.status, "all is published"
            assert row.pending or row.published_at is not None

    @invariant()
    def all_is_as_the_model_says(self) -> None:
        for request in self.known:
            row = self.parts.approvals.get(request.approval_id)
            assert (row.status, row.version) == (request.status, request.version), (
                "a final state never changes"
            )
            assert (row.payload, row.revision) == (request.payload, request.revision)
            assert row.request.payload == request.sent.payload
            request.receipt = request.receipt or row.receipt
            assert row.receipt == request.receipt and (row.receipt is None) == row.pending
            with self.parts.store.reading() as connection:
                decided = connection.execute(DECISIONS, {"id": row.id}).all()
            answers = {"approved": "approve", "rejected": "reject"}
            expected = [(request.approver, answers[row.status], row.version)] if row.status in answers else []
            assert [tuple(one) for one in decided] == expected
            assert not expected or request.approver in APPROVERS
            self.has_one_answer(request)

    def has_one_answer(self, request: Request) -> None:
        """What is published, if it is, is the row's receipt, and holds for the agent."""
        answer = self.answer(request.sent.id)
        if answer is None or answer.receipt is None:
            return
        assert answer.receipt == request.receipt, "a request has one answer"
        sent = {"request_id": str(request.sent.id), "digest_sent": payload_digest(request.sent.payload)}
        receipt = receipts.accept(answer, self.keys, agent=self.agent, **sent)
        assert receipt.status == request.status
        if receipt.approved:
            assert receipt.payload == request.payload
            assert receipt.decided_by and receipt.decided_by.id == request.approver

    def teardown(self) -> None:
        self.sweep(None)
        found = audit.verify(self.parts.store)
        assert found.ok, found
