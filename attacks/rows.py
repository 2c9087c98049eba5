"""Somebody writes to the rows of the database, while the server runs."""

from __future__ import annotations

import json

from attacks.world import World, held, refused
from signoff import NotApproved, NotVerified, WaitTimeout

PAYLOAD = {"customer": "cus_42", "amount": 120}


def the_payload_is_changed_after_its_card_stood(world: World) -> None:
    """`UPDATE payload` behind the card, then the approver clicks."""
    ticket, card = world.asked("row-bot", "refund.row", PAYLOAD)
    kept = world.rows("payload", ticket.id)[0]["text"]
    change = "UPDATE payload SET text = ? WHERE approval_id = ?"
    world.write(change, '{"amount":999999,"customer":"cus_42"}', ticket.id)
    world.click(card, "approve")
    found = ticket.get()
    world.write(change, kept, ticket.id)
    ticket.cancel()
    held(found is not None and found.status == "pending", f"it is {found and found.status}")


def a_row_is_approved_by_nobody(world: World) -> None:
    """`UPDATE approval SET status = 'approved'`: the agent gets no receipt for it."""
    ticket, _ = world.asked("row-bot", "refund.status", PAYLOAD)
    row = world.row(ticket.id)
    try:
        change = "UPDATE approval SET status = 'approved', ended_at = created_at WHERE id = ?"
        world.write(change, ticket.id)
        with refused(NotApproved, NotVerified, WaitTimeout):
            world.agent("row-bot").resume(ticket.id).wait(5)
    finally:
        change = "UPDATE approval SET status = 'pending', ended_at = NULL, published_at = ? WHERE id = ?"
        world.write(change, row["published_at"], ticket.id)
    ticket.cancel()


def the_receipt_of_one_row_stands_in_another(world: World) -> None:
    """A small request's receipt under a large one's id: the agent that waits runs nothing."""
    small = world.approved("row-bot", "refund.little", {"amount": 1})
    ticket, _ = world.asked("row-bot", "refund.much", {"amount": 999_999})
    kept = world.row(ticket.id)
    try:
        change = (
            "UPDATE approval SET status = 'approved', receipt = ?, ended_at = created_at, "
            "published_at = NULL, receipt_expires_at = expires_at WHERE id = ?"
        )
        world.write(change, small.token, ticket.id)
        with refused(NotApproved, NotVerified, WaitTimeout):
            world.agent("row-bot").resume(ticket.id).wait(8)
    finally:
        change = (
            "UPDATE approval SET status = 'pending', receipt = NULL, ended_at = NULL, published_at = ?, "
            "receipt_expires_at = NULL WHERE id = ?"
        )
        world.write(change, kept["published_at"], ticket.id)


def a_stranger_is_written_into_the_verdict(world: World) -> None:
    """`UPDATE approval SET verdict` with somebody else as approver, who then clicks."""
    ticket, card = world.asked("row-bot", "refund.verdict", PAYLOAD)
    kept = world.row(ticket.id)["verdict"]
    theirs = json.dumps({**json.loads(kept), "approvers": ["U0MIA00001"]})
    world.write("UPDATE approval SET verdict = ? WHERE id = ?", theirs, ticket.id)
    world.click(card, "approve", "U0MIA00001")
    found = ticket.get()
    world.write("UPDATE approval SET verdict = ? WHERE id = ?", kept, ticket.id)
    held(found is not None and found.status == "pending", f"it is {found and found.status}")
    ticket.cancel()


def a_verdict_is_made_to_let_it_run(world: World) -> None:
    """`UPDATE approval SET verdict` to allow, and the agent asks the same again."""
    ticket, _ = world.asked("row-bot", "refund.allow", PAYLOAD, key="allow")
    kept = world.row(ticket.id)["verdict"]
    theirs = json.dumps({**json.loads(kept), "effect": "allow", "approvers": []})
    world.write("UPDATE approval SET verdict = ? WHERE id = ?", theirs, ticket.id)
    with refused(NotApproved, NotVerified, WaitTimeout):
        world.agent("row-bot").ask("refund.allow", PAYLOAD, reversible=True, key="allow", timeout=4)
    world.write("UPDATE approval SET verdict = ? WHERE id = ?", kept, ticket.id)
    ticket.cancel()


def a_spent_row_is_made_new_again(world: World) -> None:
    """`UPDATE approval SET spent_by = NULL` after its run: the log has to tell of it."""
    world.agent("row-bot").ask("free.spend", PAYLOAD, reversible=True, key="spend-1", timeout=30)
    with world.copied() as copy:
        held(copy.verifies().ok, "the log does not hold as it is")
        copy.run("UPDATE approval SET spent_by = NULL, spent_at = NULL WHERE key = 'spend-1'")
        held(copy.verifies().column.startswith("approval.spent"), f"it says {copy.verifies()}")
