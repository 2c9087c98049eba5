"""A state machine: any verbs in any order, crashes between any two steps, and a simple model beside it.

To add a verb: write a `@rule` that draws a request from `self.requests` (or puts one there), takes
`crash=CRASH`, does the real thing inside `self.attempt(crash, …)` or, if it comes by the stream,
`self.send(…)`, and then says in the `Request` what has to be so. After every verb `all_is_as_the_model_says`
compares; add what your verb promises there, and a new crash point to `parts.POINTS`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, multiple, rule
from machine.model import (
    REFUSALS,
    Request,
    doubles,
    expected,
    is_handed_over,
    refusal,
    refused_by_policy,
    standing,
)
from machine.parts import IN_TRANSACTION, POINTS, Crash, Parts
from machine.rules import ALL, Rules
from sqlalchemy import text
from support import a_request, send_entry

from signoff import receipts
from signoff.approvals import audit
from signoff.approvals.errors import AlreadyDecided, BlockedNow, NotRecorded, TimeRanOut
from signoff.models.messages import Cancel, Outcome, payload_digest
from signoff.queue import stream

CRASH = st.sampled_from([None] * 8 + list(POINTS))
PEOPLE = st.sampled_from(["U0ANA", "U0BEN", "U0MIA"])
AMOUNT = st.sampled_from([10, 40, 80, 120, 121, 2000, 9000])
DECISIONS = text("SELECT approver, vote, version FROM decision WHERE approval_id = :id")
TIME = text("SELECT expires_at FROM approval WHERE id = :id")
PUT_BACK = text("UPDATE approval SET expires_at = :was WHERE id = :id")
RUN_OUT = text("UPDATE approval SET expires_at = 1 WHERE id = :id")

LEFT = text(
    "UPDATE approval SET waiter = 'gone', absent_at = created_at WHERE id = :id AND status = 'pending'"
)


class Machine(RuleBasedStateMachine):
    """One agent, its requests, three people, policies that say who of them may decide what, and a server
    that crashes.
    """

    requests: Bundle[Request] = Bundle("requests")

    def __init__(self, parts: Parts, redis: Any, verify_key: str, agent: str) -> None:
        super().__init__()
        self.parts, self.redis, self.agent = parts, redis, agent
        self.keys = receipts.verify_keys(verify_key)
        self.known: list[Request] = []
        self.refused: list[Request] = []
        self.times: dict[str, int] = {}
        redis.flushall()
        parts.build()
        self.follow(ALL[0])

    def follow(self, rules: Rules) -> None:
        self.rules, self.parts.policy = rules, rules.policy

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
        send_entry(self.redis, self.agent, kind, str(request_id), body)
        self.attempt(crash, self.parts.drain)
        self.parts.drain()

    def answer(self, request_id: Any) -> Any:
        return stream.response(self.redis, self.agent, str(request_id))

    @rule(target=requests, amount=AMOUNT, key=st.sampled_from([None, None, "k1", "k2"]), crash=CRASH)
    def submit(self, amount: int, key: str | None, crash: str | None) -> Any:
        payload = {"customer": "cus_42", "amount": amount}
        sent = a_request(payload=payload, key=key, agent=self.agent)
        again = next((one for one in (*self.known, *self.refused) if one.sent.id == sent.id), None)
        if again:  # the same key and content make the same id: it is the same request, and answered as it was
            self.send(crash, "request", sent.id, sent.encode())
            answer = self.answer(sent.id)
            assert answer is not None and answer.status == again.status
            return multiple()
        request = Request(sent, payload=payload, policy=self.rules.policy.digest)
        request.answer, request.rule = self.rules.verdict(amount)
        request.status = expected(request, self.known, self.rules)
        self.send(crash, "request", sent.id, sent.encode())
        found, answer = self.parts.store.find(self.agent, str(sent.id)), self.answer(sent.id)
        assert answer is not None and answer.status == request.status
        if request.status in REFUSALS:
            assert found is None
            request.receipt = answer.receipt
            self.refused.append(request)
            return multiple()
        assert found is not None
        if request.status == "pending" and self.rules.pending:
            for left in doubles(request, self.known):
                left.ends("cancelled")
        request.approval_id = found.id
        self.known.append(request)
        return request

    @rule(rules=st.sampled_from(ALL))
    def reload(self, rules: Rules) -> None:
        """Another policy is in force: what waits is decided by today's people, or ends as blocked."""
        self.follow(rules)

    @rule(request=requests, crash=CRASH)
    def send_again(self, request: Request, crash: str | None) -> None:
        self.send(crash, "request", request.sent.id, request.sent.encode())
        assert self.answer(request.sent.id).status == request.status, "it is answered again"

    @rule(crash=CRASH)
    def send_again_what_was_refused(self, crash: str | None) -> None:
        """As a client does that has not heard yet: it is not asked about after all."""
        for request in self.refused[-1:]:
            self.send(crash, "request", request.sent.id, request.sent.encode())

    @rule(request=requests, crash=CRASH)
    def reuse_an_id(self, request: Request, crash: str | None) -> None:
        other = request.sent.model_copy(update={"payload": {"customer": "cus_666", "amount": 9999}})
        self.send(crash, "request", request.sent.id, other.encode())

    @rule(request=requests, crash=CRASH)
    def cancel(self, request: Request, crash: str | None) -> None:
        self.send(crash, "cancel", request.sent.id, Cancel(reason="not needed").model_dump_json())
        if request.status == "pending" and not request.ran_out:
            request.ends("cancelled")

    @rule(request=requests)
    def leave(self, request: Request) -> None:
        """A look has found that nobody waits for it any more, who did."""
        request.left = request.left or request.waits
        with self.parts.store.transaction() as connection:
            connection.execute(LEFT, {"id": request.approval_id})

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

    @rule(request=requests, user=PEOPLE, amount=AMOUNT, crash=CRASH)
    def edit(self, request: Request, user: str, amount: int, crash: str | None) -> None:
        payload = {**request.payload, "amount": amount}
        self.decide(crash, request, request.version, user, "approve", payload=payload)

    @rule(request=requests, user=PEOPLE, crash=CRASH)
    def reject(self, request: Request, user: str, crash: str | None) -> None:
        self.decide(crash, request, request.version, user, "reject", reason="No")

    @rule(target=requests, other=st.sampled_from(["reject", "cancel", "run_out"]))
    def be_overtaken(self, other: str) -> Any:
        """Somebody or something else is faster, after a click was found to be in order."""
        self.follow(ALL[0])
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
        edited = more.get("payload") or request.payload
        refused = refusal(request, version, user, self.rules)
        blocked = refused is BlockedNow
        if refused is None and answer == "approve":
            refused = refused_by_policy(request, edited, self.rules)
        handed = answer == "approve" and is_handed_over(request, user, edited, self.rules)

        def click() -> None:
            try:
                self.parts.approvals.decide(request.approval_id, version, user, answer, **more)  # type: ignore[arg-type]
            except NotRecorded as error:
                assert type(error) is refused, f"{error!r}, not {refused}"
            else:
                assert refused is None, f"recorded, not {refused}"

        done = self.attempt(crash, click)
        if done and blocked:
            self.block(request)
        if done and refused is None:
            _, request.rule, request.policy = standing(request, self.rules)
            if handed:
                request.revision += 1
            else:
                request.ends("approved" if answer == "approve" else "rejected", user)
            if edited != request.payload:
                request.version, request.payload = request.version + 1, edited
                judged, rule = self.rules.verdict(edited["amount"])
                if judged == "ask":
                    request.rule, request.policy = rule, self.rules.policy.digest

    def block(self, request: Request) -> None:
        """It ends as today's policy says."""
        _, request.rule, request.policy = standing(request, self.rules)
        request.ends("blocked")

    @rule(request=requests)
    def run_out(self, request: Request) -> None:
        """Its time is over. Tests move rows, not clocks."""
        if request.status == "pending":
            with self.parts.store.transaction() as connection:
                was = connection.execute(TIME, {"id": request.approval_id}).scalar_one()
                self.times.setdefault(request.approval_id, was)
                connection.execute(RUN_OUT, {"id": request.approval_id})
            request.ran_out = True

    @rule()
    def empty_redis(self) -> None:
        """What is in rows is published again; a refusal is in none."""
        self.redis.flushall()
        self.refused.clear()

    @rule(crash=CRASH)
    def sweep(self, crash: str | None) -> None:
        self.attempt(crash, self.parts.sweep)
        self.parts.sweep()
        for request in self.known:
            if request.status == "pending" and request.ran_out:
                request.ends("expired")
            elif request.waits and standing(request, self.rules)[0] == "block":
                self.block(request)
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
            expected = [(request.approver, answers[row.status], row.version)] if request.approver else []
            assert [tuple(one) for one in decided] == expected
            assert request.approver or row.status != "approved" or row.verdict.effect in ("allow", "notify")
            assert (row.verdict.rule, row.verdict.policy) == (request.rule, request.policy)
            self.has_one_answer(request)
        for request in self.refused:
            assert self.parts.store.find(self.agent, str(request.sent.id)) is None
            assert self.answer(request.sent.id).receipt == request.receipt, "a refusal is the one answer"

    def has_one_answer(self, request: Request) -> None:
        """What is published, if it is, is the row's receipt, and holds for the agent."""
        answer = self.answer(request.sent.id)
        if answer is None or answer.receipt is None:
            return
        assert answer.receipt == request.receipt, "a request has one answer"
        sent = {"request_id": str(request.sent.id), "digest_sent": payload_digest(request.sent.payload)}
        receipt = receipts.accept(answer, self.keys, agent=self.agent, **sent)
        assert receipt.status == request.status
        assert (receipt.rule, receipt.policy) == (request.rule, request.policy), "a rule of a policy in force"
        if receipt.approved:
            assert receipt.payload == request.payload
            decided_by = receipt.decided_by.id if receipt.decided_by else ""
            assert decided_by == request.approver and (decided_by or request.answer in ("allow", "notify"))

    def teardown(self) -> None:
        self.sweep(None)
        with self.parts.store.transaction() as connection:  # the log tells of other times than a test's
            for approval_id, was in self.times.items():
                connection.execute(PUT_BACK, {"id": approval_id, "was": was})
        found = audit.verify(self.parts.store)
        assert found.ok, found
