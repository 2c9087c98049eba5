"""The client's other side in tests: it answers as `signoff.client.script.Approvals` says."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncGenerator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from signoff.client.script import AGENT, Approvals, Script
from signoff.client.scripted_questions import ScriptedQuestions
from signoff.client.scripted_receipts import receipt_of
from signoff.client.scripted_words import NOTHING_COMES, OTHER_CONTENT, UNDECIDED, UNSAID_QUESTION, unsaid
from signoff.errors import Invalid, Unreachable
from signoff.models.lessons import Wanted
from signoff.models.messages import (
    ApprovalRequest,
    Cancel,
    Freeze,
    Outcome,
    Reply,
    Response,
    Spend,
)
from signoff.models.questions import QUESTION, GivenAnswer, Question
from signoff.models.receipt import DEPLOYMENT, Notice
from signoff.models.receipt_claims import FEEDBACK
from signoff.models.talks import Message
from signoff.payload.canonical import canonical
from signoff.payload.schema import check
from signoff.payload.usable import usable
from signoff.payload.whole import as_text
from signoff.receipts import Signer, sign, sign_lessons, sign_notice, token_digest
from signoff.stops import sign as sign_stops

OPEN = ("pending", "held")
"""What leaves a request undecided."""
QUIET_SECONDS = 10.0
"""How long decisions() waits while nothing is asked, decided or reported."""


class ScriptedExchange:
    """A `signoff.client.exchange.Exchange` for any number of threads and event loops."""

    def __init__(self, approvals: Approvals, signer: Signer) -> None:
        self._approvals = approvals
        self._signer = signer
        self._asked: dict[str, ApprovalRequest] = {}
        self._keys: dict[str, str] = {}
        self._responses: dict[str, Response] = {}
        self._done: defaultdict[str, set[str]] = defaultdict(set)
        self._spent: dict[str, str] = {}
        self._told: dict[str, Response] = {}
        self._over = False
        self._questions = ScriptedQuestions(approvals._news, signer)
        approvals._undo = self.undo
        self._news, approvals._decide = approvals._news, self.decide
        approvals._put = self._questions.put

    async def send(self, kind: str, request_id: str, body: str) -> None:
        """Take one entry; raises AssertionError for a request that nothing was said about."""
        with self._news.lock:
            if kind == "request" and request_id not in self._asked:
                self._take(ApprovalRequest.decode(body))
            elif kind == "cancel" and request_id in self._asked and request_id not in self._responses:
                reason = Cancel.model_validate_json(body).reason
                self._approvals.withdrawn[request_id] = reason
                self._respond(request_id, Script("", "cancelled", reason=reason))
            elif kind == "lessons":
                self._teach(request_id, Wanted.model_validate_json(body))
            elif kind == "message":
                reply = Reply.model_validate_json(body)
                self._approvals._replies.setdefault(request_id, None if reply.unable else reply.text)
            elif kind == "outcome":
                self._approvals.outcomes[request_id] = Outcome.model_validate_json(body)
            self._news.tell()

    async def send_batch(self, requests: Sequence[tuple[str, str]], entry_id: str, body: str) -> None:
        """Each request as if it were asked by itself; `Approvals.batches` has them together."""
        for request_id, text in requests:
            await self.send("request", request_id, text)
        frozen = Freeze.model_validate_json(body)
        with self._news.lock:
            self._approvals.batches.append((frozen.title, [self._asked[str(one)] for one in frozen.ids]))
            self._news.tell()

    async def refused(self, entry_id: str, body: str) -> Response:
        """No batch is at fault here."""
        return await asyncio.get_running_loop().create_future()  # type: ignore[no-any-return]

    async def lookup(self, request_id: str) -> Response | None:
        """The state now."""
        with self._news.lock:
            request = self._asked.get(request_id)
            if request is None or request_id in self._responses:
                return self._responses.get(request_id)
            expires_at = time.time_ns() // 1000 + request.expires_in * 1_000_000
            return Response(status="pending", action=request.action, expires_at=expires_at)

    async def find(self, nonce: str) -> str | None:
        """The id of the first request with this key."""
        with self._news.lock:
            return next((id_ for id_, one in self._asked.items() if one.key and one.nonce == nonce), None)

    async def wait(self, request_id: str, timeout: float | None, body: str | None = None) -> Response:
        """The final response. Raises TimeoutError: at once where the test leaves the request pending."""
        async with asyncio.timeout(timeout):
            while True:
                with self._news.lock:
                    if request_id in self._told:
                        return self._told[request_id]
                    if request_id in self._responses:
                        return self._responses[request_id]
                    if not self._is_held(request_id):
                        break
                    if self._over:
                        raise Unreachable("The test that was to decide this is over.")
                    news = self._news.listen()
                await asyncio.wrap_future(news)
        if timeout is None:
            self._approvals._fail(UNDECIDED.format(id=request_id))
        raise TimeoutError

    async def spend(self, request_id: str, body: str, timeout: float | None) -> Response:
        """The first who wants to run it may."""
        with self._news.lock:
            approved = self._responses[request_id].receipt or ""
            if request_id not in self._spent:
                by = Spend.model_validate_json(body).by
                signed = token_digest(approved)
                notice = Notice(id=request_id, agent=AGENT, signed=signed, by=by, at=datetime.now(UTC))
                self._spent[request_id] = sign_notice(self._signer, notice, DEPLOYMENT)
            return Response(status="spent", receipt=self._spent[request_id])

    async def stops(self) -> str | None:
        """Nothing is."""
        return sign_stops(self._signer, DEPLOYMENT, 0, (), int(time.time()))

    async def is_received(self, request_id: str, timeout: float) -> bool:
        """True for every request that was sent."""
        return request_id in self._asked

    def inbox(self, group: str, take_over_ms: int | None = None) -> ScriptedInbox:
        """What was decided in the test, for one group of readers."""
        return ScriptedInbox(self, group)

    def questions(self) -> ScriptedQuestions:
        """What the test asks the agent."""
        return self._questions

    async def message(self, talk_id: str) -> Message | None:
        """One of these questions."""
        return self._questions.messages.get(talk_id)

    async def close(self) -> None:
        """There is nothing to let go."""

    async def undo(self, first: ApprovalRequest, payload: Mapping[str, Any], script: Script) -> Outcome:
        """Have undone what was approved: see `scripted_undo`."""
        from signoff.client.scripted_undo import play

        with self._news.lock:
            known = self._responses.get(str(first.id))
        if known is None or known.status != "approved":
            raise AssertionError(f"{first.action} was not approved, so there is nothing to undo.")
        undo_id, outcome = await play(self._signer, first, payload, script)
        with self._news.lock:
            self._approvals.outcomes[undo_id] = outcome
            self._news.tell()
        return outcome

    def decide(self) -> None:
        """Decide what can be decided by what the test has said, and wake those who wait for it."""
        with self._news.lock:
            for request_id, request in self._asked.items():
                script = self._approvals._script_for(request)
                if request_id not in self._responses and script and script.status not in OPEN:
                    self._respond(request_id, script)
            self._news.tell()

    def end(self) -> None:
        """The test is over: whoever still waits is told so."""
        with self._news.lock:
            self._over = self._questions.over = True
            self._news.tell()

    def _take(self, request: ApprovalRequest) -> None:
        request_id = str(request.id)
        if request.kind == FEEDBACK:
            self._approvals.feedback.append(request)
            self._asked[request_id] = request
            self.decide()
            return
        self._approvals.requests.append(request)
        if self._approvals._script_for(request) is None:
            self._approvals._fail(UNSAID_QUESTION if request.kind == QUESTION else unsaid(request.action))
        self._asked[request_id] = request
        if request.key and self._keys.setdefault(request.key, request_id) != request_id:
            self._respond(request_id, Script("", "invalid", reason=OTHER_CONTENT))
        self.decide()

    def _teach(self, asked: str, wanted: Wanted) -> None:
        found = [one for one in self._approvals.lessons if wanted.action in (None, one.action)]
        told = sign_lessons(self._signer, DEPLOYMENT, AGENT, asked, found[: wanted.limit], datetime.now(UTC))
        self._told[asked] = Response(status="lessons", receipt=told)

    def _has_held(self) -> bool:
        """Whether the test has agents wait: until it decides what was asked, or what is asked next."""
        scripts = self._approvals._scripts
        undecided = self._asked.keys() - self._responses
        return bool(scripts and scripts[-1].status == "held") or any(map(self._is_held, undecided))

    def _nothing_comes(self) -> str:
        undecided = [one.action for id_, one in self._asked.items() if id_ not in self._responses]
        left = f"left undecided: {', '.join(undecided)}" if undecided else "all that was asked has come"
        return NOTHING_COMES.format(seconds=QUIET_SECONDS, left=left)

    def _is_held(self, request_id: str) -> bool:
        request = self._asked.get(request_id)
        script = self._approvals._script_for(request) if request else None
        return script is not None and script.status == "held"

    def _respond(self, request_id: str, script: Script) -> None:
        request = self._asked[request_id]
        payload = _changed(request, script.changes) if script.changes else request.payload
        if isinstance(payload, str):
            self._approvals._fail(payload)
        text = canonical(payload)
        approved = script.status == "approved"
        receipt = receipt_of(request, script, text if approved else None, self._answer(request, script))
        self._responses[request_id] = Response(
            status=script.status,
            action=request.action,
            receipt=sign(self._signer, receipt),
            payload=text if approved else None,
            notes=self._approvals._notes_of(request) or None,
        )

    def _answer(self, request: ApprovalRequest, script: Script) -> dict[str, Any] | None:
        """What a person answers, as the server would record it; fails the test where none could."""
        if script.answer is None:
            return None
        try:
            given = GivenAnswer.of(script.answer)
            given = given if request.kind == FEEDBACK else given.check(Question.of(request.payload))
        except Invalid as error:
            self._approvals._fail(f"A person could not answer so. {error.detail}")
        return given.said()


class ScriptedInbox:
    """A `signoff.client.road.Arrivals`: what is not acknowledged comes again to the next who reads."""

    def __init__(self, exchange: ScriptedExchange, group: str) -> None:
        self._exchange, self._done = exchange, exchange._done[group]
        self._undoes = group.startswith("undo:")

    async def ids(self) -> AsyncGenerator[tuple[bytes, str], None]:
        """In the order of decisions, until the test is over; raises AssertionError where nothing happens."""
        exchange, told = self._exchange, set[str]()
        while True:
            with exchange._news.lock:
                # What undoes is called by the test itself: see `Approvals.undo`.
                due = [
                    one for one in exchange._responses if not self._undoes and one not in self._done | told
                ]
                if not due and exchange._over:
                    return
                patience = None if self._undoes or exchange._has_held() else QUIET_SECONDS
                news = exchange._news.listen()
            for request_id in due:
                told.add(request_id)
                yield request_id.encode(), request_id
            if due:
                continue
            try:
                async with asyncio.timeout(patience):
                    await asyncio.wrap_future(news)
            except TimeoutError:
                exchange._approvals._fail(exchange._nothing_comes())

    async def ack(self, entry: bytes) -> None:
        """Does not come again to this group."""
        self._done.add(entry.decode())

    def leave(self) -> None:
        """There are no others."""

    async def close(self) -> None:
        """There is nothing to let go."""


def _changed(request: ApprovalRequest, changes: Mapping[str, Any]) -> dict[str, Any] | str:
    """The payload as a reviewer would have corrected it, or why they could not."""
    if request.editable is not True:
        fixed = changes.keys() - set(request.editable or ())
        if fixed:
            return f"{request.action}: a reviewer cannot change {', '.join(sorted(fixed))} (see editable=)."
    payload = {**request.payload, **as_text(dict(changes))}
    schema = usable(request.json_schema).schema if request.json_schema else None
    problems = check(schema, payload) if schema else []
    return f"{request.action}: a reviewer could not make this change: {problems[0]}." if problems else payload
