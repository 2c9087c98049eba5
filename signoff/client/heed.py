"""Before what is not spent runs: what people have stopped, by a statement that is signed and young."""

from __future__ import annotations

from signoff import stops
from signoff.client.road import Exchange
from signoff.errors import Stopped
from signoff.models.receipt import Receipt
from signoff.receipts import VerifyKeys

UNSAID = "No server says what is stopped: see that a worker runs, and that this agent may read it in Redis."


async def heed(exchange: Exchange, keys: VerifyKeys, issuer: str, receipt: Receipt, highest: int) -> int:
    """The number of the newest statement; raises Stopped where it is in the way of this receipt, too old, or
    older than the one numbered `highest`, and NotVerified.
    """
    token = await exchange.stops()
    if token is None:
        raise Stopped(UNSAID, receipt)
    found = stops.verify(token, keys, issuer=issuer)
    stops.check_fresh(found, stops.FRESH_SECONDS, highest)
    if why := found.why(receipt):
        raise Stopped(f"{why[:1].upper()}{why[1:]}.", receipt)
    return found.number
