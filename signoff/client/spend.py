"""An approval is spent before its action runs: one process may, and the server says which."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from signoff import receipts
from signoff.errors import AlreadySpent, Stopped, WaitTimeout, refusal
from signoff.models import crash
from signoff.models.identity import process_name
from signoff.models.messages import Spend
from signoff.models.receipt import Receipt

if TYPE_CHECKING:
    from signoff.client.exchange import Exchange

SPEND_SECONDS = 10.0
"""How long at least the server is given to say who may run it, whatever is left of a timeout."""
UNSAID = "It is approved, but no server has said yet who may run it: do not run it."
Runs = Literal["once", "at-least-once"]
"""How often an approved request may run. `once`: the server says first which process may; one that dies then
has not run it, and no other will. `at-least-once`: every process that asks with the same key, until one has
reported what became of it."""


async def spend(
    exchange: Exchange,
    keys: receipts.VerifyKeys,
    issuer: str,
    receipt: Receipt,
    timeout: float | None,
    by: str | None = None,
) -> None:
    """Have this process be the one that runs what was approved; see AsyncSignoff.spend.

    Who asks again, since no answer came, says the same `by`.
    """
    if not receipt.approved:
        raise refusal(receipt)
    by = by or process_name()
    try:
        response = await exchange.spend(receipt.id, Spend(by=by).model_dump_json(), timeout)
    except TimeoutError:
        late = WaitTimeout(f"Request {receipt.id}, after {timeout:g} s.", UNSAID)
        late.approved = True
        raise late from None
    if response.status != "spent":
        refused = receipts.accept(
            response, keys, agent=receipt.agent, request_id=receipt.id, issuer=issuer,
            digest_sent=receipt.digest_sent,
        )  # fmt: skip
        if refused.status == "blocked":
            raise Stopped(refused.reason, refused)
        raise AlreadySpent(detail=refused.reason, receipt=refused)
    notice = receipts.verify_notice(response.receipt or "", keys, receipt)
    if notice.by != by:
        raise AlreadySpent(notice.by, notice.at, receipt=receipt)
    receipts.verify(receipt.token, keys, receipt.agent, issuer=issuer)  # its time may be over by now
    crash.here("client.spent")
