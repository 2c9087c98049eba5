"""A hundred small refunds are one large one."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from attacks.world import NotTried, World, held
from signoff import Ticket


def _ask(world: World, payloads: list[dict[str, Any]], agent: str, action: str) -> list[str]:
    """What becomes of each, asked by six threads at once; what waits is withdrawn."""
    if world.policy is None:
        raise NotTried("which policy the server goes by is not known: --policy")
    client = world.agent(agent)

    def ask(payload: dict[str, Any]) -> Ticket:
        return client.request(action, payload, reversible=True)

    with ThreadPoolExecutor(6) as pool:
        tickets = list(pool.map(ask, payloads))
        return list(pool.map(world.status, tickets))


def many_small_ones_at_once_are_more_than_the_sum(world: World) -> None:
    """Forty of 40 EUR from six threads, where 400 a day run unasked."""
    found = _ask(
        world, [{"amount": 40, "currency": "EUR", "n": n} for n in range(40)], "sum-bot", "small.refund"
    )
    held(
        found.count("approved") == 10 and found.count("pending") == 30, f"{found.count('approved')} of 10 ran"
    )


def an_amount_counts_for_nothing_or_less(world: World) -> None:
    """Amounts below nothing, texts, true, none, other spellings of the currency, once the sum is full."""
    full = _ask(
        world, [{"amount": 100, "currency": "EUR", "n": n} for n in range(4)], "less-bot", "small.less"
    )
    held(full.count("approved") == 4, f"the sum itself is not as it should be: {full}")
    odd: list[dict[str, Any]] = [
        {"amount": value, "currency": "EUR", "o": 1}
        for value in (-400, -0.000001, "40", "-40", True, None, "1e1", "٤٠", [40], {"value": 40}, 1e-9)
    ]
    odd += [{"amount": 90, "currency": name} for name in ("eur", " EUR", "E\u200bUR", None, ["EUR"])]
    odd += [{"currency": "EUR"}, {"amount": 90}]
    found = _ask(world, odd, "less-bot", "small.less")
    went = [one for one, status in zip(odd, found, strict=True) if status == "approved"]
    held(not went, f"went through: {went}")


def a_sum_is_passed_by_what_is_asked_again(world: World) -> None:
    """What is withdrawn and asked anew, over and over, does not free more."""
    first = _ask(
        world, [{"amount": 100, "currency": "USD", "n": n} for n in range(4)], "again-bot", "small.again"
    )
    ran = first.count("approved")
    for turn in range(3):
        found = _ask(
            world, [{"amount": 100, "currency": "USD", "t": turn, "n": n} for n in range(3)], "again-bot",
            "small.again",
        )  # fmt: skip
        ran += found.count("approved")
    held(ran == 4, f"{ran} of 4 ran")
