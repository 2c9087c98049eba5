"""For tests of agents that use Signoff: scripted approvals, without server, Redis or Slack.

Installing Signoff gives pytest the fixture `signoff_approvals`. While a test uses it, every client in the
process, also one made when a module was imported, is answered by the test:

    def test_a_refund_is_made_with_the_corrected_amount(signoff_approvals):
        signoff_approvals.edit("refund.*", {"amount": 80})
        assert my_agent.handle(ticket) == "refunded 80"
        assert signoff_approvals.requests[0].payload["amount"] == 120

Nothing is approved that the test has not said. Receipts are really signed, with a key made for the test:
no client or executor with a real verify key accepts one.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

# Signoff itself is imported where it is used: pytest loads this module wherever it is installed.
if TYPE_CHECKING:
    from signoff.models.messages import ApprovalRequest, Outcome, Response
    from signoff.models.receipt import Receipt, Status
    from signoff.receipts import Signer

AGENT = "test-agent"
"""The agent's name while the fixture is in use."""
NOT_AFTER = timedelta(hours=1)


@dataclass(frozen=True)
class _Script:
    """What becomes of requests whose action matches."""

    action: str
    status: str
    by: str | None = None
    reason: str = ""
    resubmit: bool = False
    changes: Mapping[str, Any] | None = None


@dataclass
class Approvals:
    """What a test says to requests, and what it was asked.

    `action` may be a pattern: `refund.*`, `*`. Where several match, what was said last holds. `by` is the
    reviewer's name. A request that nothing matches raises AssertionError in the agent's code, and fails the
    test at its end where the agent swallowed that.
    """

    requests: list[ApprovalRequest] = field(default_factory=list)
    """What was asked, in order; asking again with the same key does not count."""
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    """Request id → what the agent reported."""
    _scripts: list[_Script] = field(default_factory=list)
    _faults: list[str] = field(default_factory=list)

    def approve(self, action: str = "*", *, by: str = "Test reviewer", note: str = "") -> None:
        """Approve as asked, perhaps with a note."""
        self._scripts.append(_Script(action, "approved", by, note))

    def edit(
        self, action: str, changes: Mapping[str, Any], *, by: str = "Test reviewer", note: str = ""
    ) -> None:
        """Approve with other values in some fields; one that a reviewer could not make fails the test."""
        self._scripts.append(_Script(action, "approved", by, note, changes=changes))

    def reject(
        self, action: str = "*", reason: str = "No.", *, resubmit: bool = False, by: str = "Test reviewer"
    ) -> None:
        """Reject; `resubmit` asks the agent to come back with changes."""
        self._scripts.append(_Script(action, "rejected", by, reason, resubmit))

    def expire(self, action: str = "*") -> None:
        """Nobody answers, and the request ends."""
        self._scripts.append(_Script(action, "expired"))

    def block(self, action: str = "*", reason: str = "Blocked by policy.") -> None:
        """The policy blocks it."""
        self._scripts.append(_Script(action, "blocked", reason=reason))

    def leave_pending(self, action: str = "*") -> None:
        """Nobody answers yet: `wait` raises WaitTimeout at once, `cancel` works, what is said later holds."""
        self._scripts.append(_Script(action, "pending"))

    def _fail(self, message: str) -> NoReturn:
        self._faults.append(message)
        raise AssertionError(message)

    def _script_for(self, action: str) -> _Script | None:
        return next((s for s in reversed(self._scripts) if fnmatchcase(action, s.action)), None)


class _ScriptedExchange:
    """The client's other side (`signoff.client.exchange.Exchange`), played by `Approvals`. For any thread."""

    def __init__(self, approvals: Approvals, signer: Signer) -> None:
        self._approvals = approvals
        self._signer = signer
        self._lock = threading.RLock()
        self._asked: dict[str, ApprovalRequest] = {}
        self._keys: dict[str, str] = {}
        self._responses: dict[str, Response] = {}
        self._spent: dict[str, str] = {}

    async def send(self, kind: str, request_id: str, body: str) -> None:
        """Take one entry; raises AssertionError for a request that nothing was said about."""
        from signoff.models.messages import ApprovalRequest, Cancel, Outcome

        with self._lock:
            if kind == "request" and request_id not in self._asked:
                self._take(ApprovalRequest.decode(body))
            elif kind == "cancel" and request_id in self._asked and self._pending(request_id):
                reason = Cancel.model_validate_json(body).reason
                self._respond(request_id, _Script("", "cancelled", reason=reason))
            elif kind == "outcome":
                self._approvals.outcomes[request_id] = Outcome.model_validate_json(body)

    async def lookup(self, request_id: str) -> Response | None:
        """The state now."""
        from signoff.models.messages import Response

        with self._lock:
            request = self._asked.get(request_id)
            if request is None:
                return None
            if not self._pending(request_id):
                return self._responses[request_id]
            expires_at = time.time_ns() // 1000 + request.expires_in * 1_000_000
            return Response(status="pending", action=request.action, expires_at=expires_at)

    async def wait(self, request_id: str, timeout: float | None, body: str | None = None) -> Response:
        """The final response; raises TimeoutError at once where the test leaves the request pending."""
        response = await self.lookup(request_id)
        if response is not None and response.status != "pending":
            return response
        if timeout is None:
            self._approvals._fail(
                f"The agent waits without a timeout for request {request_id}, which the test leaves "
                "undecided: say what becomes of it, for example signoff_approvals.approve()."
            )
        raise TimeoutError

    async def spend(self, request_id: str, body: str, timeout: float | None) -> Response:
        """The first who wants to run it may."""
        from signoff.models.messages import Response, Spend
        from signoff.models.receipt import DEPLOYMENT, Notice
        from signoff.receipts import sign_notice, token_digest

        with self._lock:
            approved = self._responses[request_id].receipt or ""
            if request_id not in self._spent:
                by = Spend.model_validate_json(body).by
                signed = token_digest(approved)
                notice = Notice(id=request_id, agent=AGENT, signed=signed, by=by, at=datetime.now(UTC))
                self._spent[request_id] = sign_notice(self._signer, notice, DEPLOYMENT)
            return Response(status="spent", receipt=self._spent[request_id])

    async def is_received(self, request_id: str, timeout: float) -> bool:
        """True for every request that was sent."""
        return request_id in self._asked

    async def close(self) -> None:
        """There is nothing to let go."""

    def _take(self, request: ApprovalRequest) -> None:
        request_id = str(request.id)
        self._approvals.requests.append(request)
        if self._approvals._script_for(request.action) is None:
            self._approvals._fail(
                f"The agent asked for {request.action}, and the test has not said what becomes of it. Say so "
                f"before: signoff_approvals.approve({request.action!r}), or reject, edit, expire, block, "
                "leave_pending."
            )
        self._asked[request_id] = request
        if request.key and self._keys.setdefault(request.key, request_id) != request_id:
            reason = "This key was used for another request: use a new key for other content."
            self._respond(request_id, _Script("", "invalid", reason=reason))

    def _pending(self, request_id: str) -> bool:
        """Decide what can be decided by now."""
        if request_id in self._responses:
            return False
        script = self._approvals._script_for(self._asked[request_id].action)
        if script is None or script.status == "pending":
            return True
        self._respond(request_id, script)
        return False

    def _respond(self, request_id: str, script: _Script) -> None:
        from signoff.models.messages import Response
        from signoff.payload.canonical import canonical
        from signoff.receipts import sign

        request = self._asked[request_id]
        payload = _changed(request, script.changes) if script.changes else request.payload
        if isinstance(payload, str):
            self._approvals._fail(payload)
        text = canonical(payload)
        approved = script.status == "approved"
        receipt = _receipt(request, script, text if approved else None)
        self._responses[request_id] = Response(
            status=script.status,
            action=request.action,
            receipt=sign(self._signer, receipt),
            payload=text if approved else None,
        )


@pytest.fixture
def signoff_approvals(monkeypatch: pytest.MonkeyPatch) -> Iterator[Approvals]:
    """Answers every Signoff client in this process for one test: see `Approvals`."""
    from signoff.client import client
    from signoff.receipts import Signer, verify_keys

    approvals, signer = Approvals(), Signer.generate()
    exchange = _ScriptedExchange(approvals, signer)
    substitute = client.Substitute(exchange, AGENT, verify_keys(signer.verify_key))
    monkeypatch.setattr(client, "substitute", substitute)
    yield approvals
    if approvals._faults:
        pytest.fail(approvals._faults[0], pytrace=False)


def _changed(request: ApprovalRequest, changes: Mapping[str, Any]) -> dict[str, Any] | str:
    """The payload as a reviewer would have corrected it, or why they could not."""
    from signoff.payload.schema import check
    from signoff.payload.usable import usable
    from signoff.payload.whole import as_text

    if request.editable is not True:
        fixed = changes.keys() - set(request.editable or ())
        if fixed:
            return f"{request.action}: a reviewer cannot change {', '.join(sorted(fixed))} (see editable=)."
    payload = {**request.payload, **as_text(dict(changes))}
    schema = usable(request.json_schema).schema if request.json_schema else None
    problems = check(schema, payload) if schema else []
    return f"{request.action}: a reviewer could not make this change: {problems[0]}." if problems else payload


def _receipt(request: ApprovalRequest, script: _Script, final: str | None) -> Receipt:
    from signoff.models.messages import payload_digest
    from signoff.models.receipt import Decider, Receipt
    from signoff.payload.canonical import digest
    from signoff.receipts import new_jti

    now = datetime.now(UTC)
    sent = payload_digest(request.payload)
    status: Status = script.status  # type: ignore[assignment]
    return Receipt(
        id=str(request.id),
        agent=AGENT,
        action=request.action,
        status=status,
        version=2 if final and digest(final) != sent else 1,
        digest_sent=sent,
        digest=digest(final) if final else None,
        decided_by=Decider(id="U0TEST", name=script.by, at=now) if script.by else None,
        reason=script.reason,
        resubmit=script.resubmit,
        jti=new_jti(),
        nonce=request.nonce,
        issued_at=now,
        not_after=now + NOT_AFTER,
    )
