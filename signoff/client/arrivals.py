"""What arrives at an agent, verified, for ever: its decisions."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from functools import partial

from signoff.client.answers import Named
from signoff.client.inbox import Delivery
from signoff.client.link import Link
from signoff.errors import NotVerified
from signoff.models.receipt import Receipt


async def deliveries(link: Link, group: str) -> AsyncGenerator[Delivery, None]:
    """Every decision on an agent's requests: see `AsyncSignoff.decisions`."""
    inbox = link.exchange().inbox(group)
    try:
        async with aclosing(inbox.ids()) as arrivals:
            async for entry, request_id in arrivals:
                receipt = await _receipt(link, request_id)
                if receipt is None:
                    await inbox.ack(entry)  # its time is over, or somebody forged it: never to be run
                    continue
                yield Delivery(receipt, partial(inbox.ack, entry))
    finally:
        await inbox.close()


async def _receipt(link: Link, request_id: str) -> Receipt | None:
    """What was decided of it, verified; None where that is nothing of ours, or gone."""
    answers = link.answers()
    response = await answers.exchange.lookup(request_id)
    try:
        return answers.accept(response, Named(request_id)) if response else None
    except NotVerified:
        return None
