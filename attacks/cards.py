"""What stands in the channel is not the card, or is not what the row says."""

from __future__ import annotations

import json
import urllib.request

from attacks.person import buttons
from attacks.world import JSON, World, held, until

PAYLOAD = {"customer": "cus_42", "amount": 120}
HOUR = 3_600_000_000


def _copy(world: World, card: JSON) -> JSON:
    """Post the same message once more, as a delivery does that lost its answer; the copy."""
    body = {
        "channel": world.channel,
        "text": card["text"],
        "blocks": card["blocks"],
        "metadata": card["metadata"],
    }
    request = urllib.request.Request(
        f"{world.slack.api_url}chat.postMessage", json.dumps(body).encode(),
        {"Authorization": f"Bearer {world.bot_token}", "Content-Type": "application/json"},
    )  # fmt: skip
    with urllib.request.urlopen(request, timeout=30) as answer:
        ts = json.load(answer)["ts"]
    return _message(world, ts)


def _message(world: World, ts: str) -> JSON:
    return next(one for one in world.slack.messages(world.channel) if one["ts"] == ts)


def a_double_of_an_ended_request_is_pressed(world: World) -> None:
    """Approve on a second card of what was withdrawn: nothing is decided, and it loses its buttons."""
    ticket, card = world.asked("card-bot", "refund.double", PAYLOAD)
    double = _copy(world, card)
    ticket.cancel()
    world.click(double, "approve")
    found = ticket.get()
    held(found is not None and found.status == "cancelled", f"it is {found and found.status}")
    until("a double without buttons", lambda: not buttons(_message(world, double["ts"])))


def a_double_is_pressed_and_decides_twice(world: World) -> None:
    """Approve on the card and on its double, by two people: one decision, one receipt."""
    ticket, card = world.asked("card-bot", "refund.doubled", PAYLOAD)
    double = _copy(world, card)
    world.click(double, "approve", world.other)
    receipt = ticket.wait(30)
    world.click(card, "approve", world.approver)
    held(receipt.decided_by and receipt.decided_by.id == world.other, f"{receipt.decided_by} has decided it")
    held(len(world.rows("decision", ticket.id)) == 1, "it was decided twice")
    until(
        "no buttons anywhere", lambda: not any(buttons(_message(world, one["ts"])) for one in (card, double))
    )


def a_card_of_one_request_carries_the_button_of_another(world: World) -> None:
    """A message with another request's metadata: its button decides what the button is of."""
    small, card = world.asked("card-bot", "refund.cheaper", {"amount": 1})
    big, other = world.asked("card-bot", "refund.dearer", {"amount": 999_999})
    mixed = _copy(world, {**card, "metadata": other["metadata"]})
    world.click(mixed, "approve")
    small_now, big_now = until("an answer", small.get), until("an answer", big.get)
    held(big_now.status == "pending", f"the other one is {big_now.status}, this one {small_now.status}")
    for ticket in (small, big):
        world.status(ticket)


def a_lease_without_an_end_keeps_live_buttons(world: World) -> None:
    """The card's row is leased for an hour to come, as after a clock was put back, and the request ends."""
    ticket, _ = world.asked("card-bot", "refund.leased", PAYLOAD)
    world.write("UPDATE card SET lease_until = lease_until + ? WHERE approval_id = ?", HOUR, ticket.id)
    ticket.cancel()
    until("a card without buttons", lambda: not buttons(world.card("refund.leased")))
