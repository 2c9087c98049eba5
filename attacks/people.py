"""Somebody who may not decide, or what was not shown, decides."""

from __future__ import annotations

from attacks.world import World, held

PAYLOAD = {"customer": "cus_42", "amount": 120}


def a_stranger_approves(world: World) -> None:
    """A click by somebody who is no approver, a guest, a bot, an unknown id."""
    ticket = world.agent("card-bot").request("refund.stranger", PAYLOAD, reversible=True)
    card = world.card("refund.stranger")
    people = world.slack.state()["users"]
    for person in people:
        if person["id"] not in world.approvers:
            world.click(card, "approve", person["id"])
    world.click(card, "approve", "U0NOBODY01")
    found = ticket.get()
    held(found is not None and found.status == "pending", f"it is {found and found.status}")
    ticket.cancel()


def words_in_a_thread_approve(world: World) -> None:
    """`approve`, `LGTM`, a thumb: in the thread of a card, by an approver."""
    ticket = world.agent("card-bot").request("refund.words", PAYLOAD, reversible=True)
    card = world.card("refund.words")
    for text in ("approve", "LGTM", "yes", ":+1:", "<@U0APPROVBT> approve"):
        world.slack.act(
            type="message", user=world.approver, channel=world.channel, text=text, thread_ts=card["ts"]
        )
    found = ticket.get()
    held(found is not None and found.status == "pending", f"it is {found and found.status}")
    ticket.cancel()


def a_click_of_before_decides_what_came_after(world: World) -> None:
    """A button of a card that has ended."""
    ticket = world.agent("card-bot").request("refund.late", PAYLOAD, reversible=True)
    card = world.card("refund.late")
    ticket.cancel()
    world.click(card, "approve")
    found = ticket.get()
    held(found is not None and found.status == "cancelled", f"it is {found and found.status}")
