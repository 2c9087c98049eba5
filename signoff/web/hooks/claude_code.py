"""Claude Code's http hook: `POST /v1/hooks/claude-code`. Nothing of Signoff is installed where it runs.

A call of a tool is asked about as any other request, by the agent whose token (scope `hook`) it shows, and
held until people have decided: white space keeps the connection meanwhile. Who hangs up, and a server that
stops, withdraw what was asked. An approval is spent right before it is answered: one hook may run it.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from signoff import receipts, signatures
from signoff.errors import AlreadySpent, Cancelled, Invalid, Stopped, refusal
from signoff.models import tokens, tool_calls
from signoff.models.approval import Approval
from signoff.models.identity import process_name
from signoff.models.messages import MOST_VALUES, ApprovalRequest, Outcome
from signoff.models.receipt import ApprovedReceipt
from signoff.models.tool_calls import NoCall, ToolCall
from signoff.payload import corrections
from signoff.payload.canonical import canonical, parse
from signoff.queue.outage import is_outage
from signoff.web.bodies import BODY, json_text
from signoff.web.callers import caller, shown
from signoff.web.doors import Doors
from signoff.web.hooks.denials import CLAUDE_CODE, answer, denial, said_event, told
from signoff.web.hooks.held import Beat, Held
from signoff.web.problems import Problem, unavailable
from signoff.web.repeats import by_key
from signoff.web.turns import in_turn
from signoff.web.v1.requests import named, spell_out

log = logging.getLogger("signoff.web")

MOST: Final = 8 * 1024 * 1024
"""Bytes of what a hook sends: of a call that has run, what the tool gave, too, which nobody looks at."""
ABANDONED: Final = "Claude Code does not wait for it any more."
"""Why a request is withdrawn. Where the same call is asked about again, it is asked anew."""
TOO_LATE: Final = "Nobody decided in time."
ROUNDS: Final = 100
LONGEST_DEFER: Final = 30 * 86_400


@dataclass(frozen=True)
class _Asked:
    """One call that was asked about. Small: thousands may wait."""

    agent: str
    request_id: str
    approval_id: str
    event: str
    action: str


class Hook:
    """The endpoint."""

    def __init__(self, doors: Doors) -> None:
        self._doors = doors
        self._approvals = doors.approvals
        self._keys = signatures.verify_keys(doors.signer.verify_key)

    async def take(self, request: Request) -> Response:
        """Decide on a call, or note what became of one; whatever fails denies."""
        event, action = said_event(request.url.query), "The call"
        try:
            agent = (await in_turn(caller, request, self._doors, tokens.HOOK)).agent
            call = await in_turn(_read, request)
            if call is None:
                return answer({})
            event, action = call.event, call.action
            if call.succeeded is not None:
                await in_turn(self._report, agent, call)
                return answer({})
            return await self._decided(request, agent, call, _defer(request))
        except Exception as error:
            if event in tool_calls.AFTER:
                log.warning("what became of a hook's call is not noted: %s", type(error).__name__)
            return answer(denial(event, told(error, action)))

    async def _decided(self, request: Request, agent: str, call: ToolCall, defer: int | None) -> Response:
        with ExitStack() as place:
            place.enter_context(self._doors.hub.place(agent))  # first: who has no place has asked nothing
            found = await in_turn(self._ask, agent, call)
            if not found.pending:
                return answer(await in_turn(self._answer, found, call.event))
            request.scope.pop(BODY, None)  # it may be large
            asked = _Asked(agent, found.request_id, found.id, call.event, call.action)
            return self._held(request, asked, defer, place.pop_all().close)

    def _held(
        self, request: Request, asked: _Asked, defer: int | None, leave: Callable[[], None]
    ) -> Response:
        """The answer to a call that waits for people."""

        async def waited(beat: Beat) -> dict[str, Any]:
            try:
                return await self._waited(request, asked, defer, beat)
            except Exception as error:
                await self._withdraw(asked)
                return tool_calls.denied(asked.event, told(error, asked.action))

        return Held(waited, leave)

    async def _waited(self, request: Request, asked: _Asked, defer: int | None, beat: Beat) -> dict[str, Any]:
        """The decision, once there is one, or the caller's time is over; raises for what there is instead."""

        def ended() -> Approval | None:
            shown(request, self._doors)
            found = self._approvals.get(asked.approval_id)
            return None if found.pending else found

        hub, clock = self._doors.hub, asyncio.get_running_loop().time
        end = None if defer is None else clock() + defer
        with hub.for_request(asked.agent, asked.request_id, asked.approval_id) as waiter:
            while True:
                left = self._doors.heartbeat_seconds if end is None else end - clock()
                left = min(left, self._doors.heartbeat_seconds)
                found = await hub.until(waiter, left, request.receive, ended)
                if found is not None:
                    return await in_turn(self._answer, found, asked.event)
                waiter.comes_again = False
                if waiter.over or hub.closing:
                    raise unavailable()
                if end is not None and clock() >= end:
                    if asked.event == "PreToolUse":
                        return tool_calls.deferred(asked.event, _deferred(asked.action))
                    await self._withdraw(asked, TOO_LATE)  # no prompt can be put off
                    found = ended()
                    if found is None:
                        raise unavailable()
                    return await in_turn(self._answer, found, asked.event)
                await beat()

    def _ask(self, agent: str, call: ToolCall) -> Approval:
        """A call as a request; what an earlier hook of the same call has withdrawn is asked anew."""
        for number in range(ROUNDS):
            asked = _request(agent, call, number)
            try:
                found = self._approvals.submit(agent, asked)
                self._approvals.tell(found)
            except Exception as error:
                if is_outage(error):  # it may be there by now, and its hook is denied
                    with suppress(Exception):
                        self._approvals.cancel(agent, str(asked.id), ABANDONED)
                raise
            if found.status != "cancelled" or found.reason != ABANDONED:
                return found
        raise Cancelled(ABANDONED)

    def _answer(self, found: Approval, event: str) -> dict[str, Any]:
        """What has ended as a decision: spent, where it may run; raises NotApproved."""
        response = self._approvals.response(found)
        receipt = receipts.accept(
            response, self._keys, agent=found.agent, request_id=found.request_id,
            digest_sent=found.digest_sent, issuer=self._doors.deployment,
        )  # fmt: skip
        if not isinstance(receipt, ApprovedReceipt):
            raise refusal(receipt)
        by = process_name()
        notice = self._approvals.spend(found.agent, found.request_id, by)
        if notice.status == "blocked":
            raise Stopped(receipt=receipt)
        if notice.status != "spent" or self._approvals.get(found.id).spent_by != by:
            raise AlreadySpent(receipt=receipt)
        who = receipt.decided_by
        sent = found.request.payload
        said = corrections.told(sent, receipt.payload, who.name, receipt.reason) if who else ""
        back = tool_calls.given_back(found.request.action, receipt.payload, edited=receipt.edited)
        return tool_calls.allowed(event, back, said)

    def _report(self, agent: str, call: ToolCall) -> None:
        """What became of a call that was approved here; others are passed over."""
        for number in range(ROUNDS):
            found = by_key(self._doors, agent, _key(call, number) or "")
            if found is None:
                return
            if found.status == "approved":
                same = tool_calls.asks_user(call.action) or canonical(call.payload) == found.payload_text
                if not same:
                    log.error("a call ran with another input than was approved: id=%s", found.id)
                outcome = Outcome(
                    succeeded=bool(call.succeeded) and same, note="" if same else tool_calls.OTHER_INPUT
                )
                self._approvals.report(agent, found.request_id, outcome)
                return

    async def _withdraw(self, asked: _Asked, reason: str = ABANDONED) -> None:
        """Nobody waits for it: it is not asked any more. What was decided meanwhile is never spent."""
        try:
            await in_turn(self._approvals.cancel, asked.agent, asked.request_id, reason)
        except Exception as error:
            log.warning(
                "a hook's request is not withdrawn: id=%s %s", asked.approval_id, type(error).__name__
            )


def routes(doors: Doors) -> list[Route]:
    """Where the endpoint is."""
    return [Route(CLAUDE_CODE, Hook(doors).take, methods=["POST"])]


def _read(request: Request) -> ToolCall | None:
    """The call in a body; None where it is about something else.

    What a tool is about to run is parsed as strictly as payloads are. Raises Problem, Invalid or NoCall.
    """
    text = json_text(request)
    try:
        event = tool_calls.event_of(text)
        if event is None:
            event = parse(text, MOST_VALUES)
        elif event["hook_event_name"] in tool_calls.HARMLESS:
            return None
        return tool_calls.read(event)
    except NoCall:
        raise Problem(400, "not-json") from None


def _request(agent: str, call: ToolCall, number: int) -> ApprovalRequest:
    values = {"kind": "approval", "action": call.action, "payload": call.payload, **call.claims}
    spell_out(values)
    return named(agent, {**values, "key": _key(call, number)})


def _key(call: ToolCall, number: int) -> str | None:
    """The call's own key; of one that is asked anew, with its number."""
    return f"{call.key}#{number + 1}" if call.key and number else call.key


def _defer(request: Request) -> int | None:
    """After how many seconds the run is to end, to be resumed; None where it waits. Raises Invalid."""
    given = request.query_params.get("defer")
    if given is None:
        return None
    if not re.fullmatch(r"[0-9]{1,7}", given) or int(given) > LONGEST_DEFER:
        raise Invalid(f"defer: whole seconds, please, {LONGEST_DEFER:,} at most.")
    return int(given)


def _deferred(action: str) -> str:
    return f"{action} waits for those who approve: resume this session once they have decided."
