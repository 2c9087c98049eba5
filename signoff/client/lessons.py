"""What an agent asks of its server about its work: lessons; and whether a result is right, of its owner."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

from signoff import receipts
from signoff.client import mistakes
from signoff.client.answers import Named
from signoff.errors import Invalid, NotVerified, WaitTimeout, refusal
from signoff.models import identity, spans
from signoff.models.lessons import MOST, Lessons, Wanted
from signoff.models.messages import ApprovalRequest, Outcome, build
from signoff.models.receipt_claims import FEEDBACK
from signoff.payload.canonical import canonical, digest, parse

if TYPE_CHECKING:
    from signoff.client.link import Link

UNTOLD = "No server has told any lessons yet: is `signoff serve` running?"


async def lessons(link: Link, action: str | None, limit: int, timeout: float | None) -> Lessons:
    """See AsyncSignoff.lessons."""
    if action is not None:
        mistakes.check_action(action)
    mistakes.check_timeout(timeout)
    if type(limit) is not int or not 1 <= limit <= MOST:
        raise Invalid(f"limit is a number from 1 to {MOST}.")
    asked, exchange = str(uuid4()), link.exchange()
    body = Wanted(action=action, limit=limit).model_dump_json(exclude_none=True)
    await exchange.send("lessons", asked, body)
    try:
        response = await exchange.wait(asked, timeout)
    except TimeoutError:
        raise WaitTimeout(f"After {timeout:g} s.", UNTOLD) from None
    if response.status != "lessons":  # an older server, which has refused what it does not know
        raise refusal(link.answers().accept(response, Named(asked)))
    keys, issuer = link.keys()
    found = receipts.verify_lessons(response.receipt or "", keys, link.agent, asked, issuer=issuer)
    if len(found) > limit or (action is not None and any(one.action != action for one in found)):
        raise NotVerified("These are not the lessons that were asked for.")
    return found


async def ask_feedback(link: Link, result: Any, action: str, title: str) -> str:
    """See AsyncSignoff.ask_feedback."""
    mistakes.check_action(action)
    build(Outcome, {"succeeded": True, "result": result})  # its size, and that it is JSON
    text = canonical({"result": result})
    nonce, sent = identity.new_nonce(), digest(text)
    request_id = identity.request_id(FEEDBACK, link.agent, action, sent, nonce)
    values = {"id": request_id, "nonce": nonce, "kind": FEEDBACK, "action": action, "title": title}
    asked = build(ApprovalRequest, {**values, "payload": parse(text), "traceparent": spans.current()})
    await link.exchange().send("request", str(request_id), asked.with_text(text).encode())
    return str(request_id)
