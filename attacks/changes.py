"""What was shown, and to whom, is no longer so when it is decided."""

from __future__ import annotations

from attacks import rules
from attacks.person import Person, buttons
from attacks.world import World, held, until
from signoff import NotApproved

PAYLOAD = {"customer": "cus_42", "amount": 160}


def a_form_is_submitted_by_who_is_no_approver_any_more(world: World) -> None:
    """Ana opens a form, the policy has ben in her place, and she submits it."""
    ana = Person(world, rules.ANA)
    ticket, card = world.asked("form-bot", "named.form", PAYLOAD)
    ana.click(card, "edit")
    ana.submit(ana.form("edit"), amount="90")
    form = ana.form("difference")
    with world.under(rules.HANDED_OVER):
        ana.submit(form)
        ana.close()
        world.waits(ticket)


def a_button_is_pressed_by_who_is_no_approver_any_more(world: World) -> None:
    """The same with Approve, Reject and a word in the thread."""
    ticket, card = world.asked("form-bot", "named.button", PAYLOAD)
    with world.under(rules.HANDED_OVER):
        world.click(card, "approve", rules.ANA)
        said = {"channel": world.channel, "text": "<@U0APPROVBT> reject no", "thread_ts": card["ts"]}
        world.slack.act(type="message", user=rules.ANA, **said)
        world.waits(ticket)


def what_a_new_policy_blocks_is_still_approved(world: World) -> None:
    """The policy blocks it while its card stands, and the approver clicks."""
    ticket, card = world.asked("form-bot", "named.shut", PAYLOAD)
    with world.under(rules.SHUT):
        world.click(card, "approve", rules.ANA)
        found = ticket.get()
        held(found is not None and found.status == "blocked", f"it is {found and found.status}")
        until("a card without buttons", lambda: not buttons(world.card("named.shut")))


def two_approve_and_the_second_overrules_the_first(world: World) -> None:
    """One approves with another amount, the other the amount of before, at a screen that is behind."""
    ana, ben = Person(world, world.approver), Person(world, world.other)
    ticket, card = world.asked("two-bot", "refund.two", PAYLOAD)
    for person in (ana, ben):
        person.click(card, "edit")
    ben.submit(ben.form("edit"), amount="999999")
    ana.submit(ana.form("edit"), amount="90")
    ana.submit(ana.form("difference"))
    receipt = ticket.wait(30)
    ben.submit(ben.form("difference"))
    ben.click(card, "approve")
    ben.close()
    held(receipt.payload == {**PAYLOAD, "amount": 90}, f"it runs {receipt.payload}")
    again = world.agent("two-bot").resume(ticket.id).wait(30)
    held(again.token == receipt.token, "there are two receipts")


def a_payload_changes_while_it_is_asked_for(world: World) -> None:
    """The caller's own object, after `request` and before `wait`."""
    payload = {"to": ["ana"]}
    ticket, card = world.asked("two-bot", "refund.moving", payload)
    payload["to"].append("mallory")
    world.click(card, "approve")
    receipt = ticket.wait(30)
    held(receipt.payload == {"to": ["ana"]}, f"it runs {receipt.payload}")


def a_request_that_was_withdrawn_runs(world: World) -> None:
    """The approver clicks, right after the agent has withdrawn it."""
    ticket, card = world.asked("two-bot", "refund.gone", PAYLOAD)
    ticket.cancel()
    world.click(card, "approve")
    try:
        ticket.wait(20)
    except NotApproved:
        return
    held(False, "it was approved")
