"""Somebody writes to the database."""

from __future__ import annotations

import sqlite3
from contextlib import closing

from attacks.world import NotTried, World, held

PAYLOAD = {"customer": "cus_42", "amount": 120}


def _write(world: World, statement: str, *values: object) -> None:
    file = world.data / "signoff.db"
    if not file.exists():
        raise NotTried("this server's database is no SQLite file in its data folder")
    with closing(sqlite3.connect(file, timeout=10)) as connection, connection:
        connection.execute(statement, values)


def the_payload_is_changed_after_its_card_stood(world: World) -> None:
    """`UPDATE payload` behind the card, then the approver clicks."""
    ticket = world.agent("row-bot").request("refund.row", PAYLOAD, reversible=True)
    card = world.card("refund.row")
    more = '{"amount":999999,"customer":"cus_42"}'
    _write(world, "UPDATE payload SET text = ? WHERE approval_id = ?", more, ticket.id)
    world.click(card, "approve")
    found = ticket.get()
    held(found is not None and found.status == "pending", f"it is {found and found.status}")
    ticket.cancel()


def the_log_is_written_anew(world: World) -> None:
    """A line of the log is changed, or deleted."""
    for statement in ("UPDATE audit_event SET actor = 'U0EVE'", "DELETE FROM audit_event"):
        try:
            _write(world, statement)
        except sqlite3.DatabaseError:
            continue
        held(False, statement)
