"""An approval waits on with another vote, with one less, or at another version: compare-and-set."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Text, bindparam, func, update

from signoff.models.changes import COUNTED, IN_TIME
from signoff.models.fixed import Fixed
from signoff.models.store import approvals, cards

_VOTED = Fixed(
    update(approvals)
    .where(*IN_TIME, COUNTED)
    .values(
        version=bindparam("to_version"),
        verdict=bindparam("to_verdict"),
        glimpse=func.coalesce(bindparam("to_glimpse", type_=Text), approvals.c.glimpse),
        conversation=func.coalesce(bindparam("to_conversation", type_=Text), approvals.c.conversation),
        ballots=approvals.c.ballots + 1,
        revision=approvals.c.revision + 1,
        not_before=0,
    )
)
_LEFT_CARD = (
    update(cards)
    .where(cards.c.approval_id == bindparam("card_of"))
    .values(
        conversation=None,
        message=None,
        permalink=None,
        thread=None,
        shown_revision=0,
        unsure=0,
        fault=None,
        lease=cards.c.lease + 1,  # whoever is drawing it where it stood has lost it
        lease_until=0,
    )
)


def vote(connection: Connection, approval_id: str, seen: int, values: dict[str, Any]) -> bool:
    """Pending and still in time, at the version that was seen, and no vote has come since → with another
    vote, or without one, or at another version; False where it is not so.
    """
    return _VOTED.run(connection, {"approval_id": approval_id, "seen": seen, **values}) == 1


def leave_card(connection: Connection, approval_id: str) -> None:
    """Its card is to stand elsewhere: the message where it stood is not its card any more."""
    connection.execute(_LEFT_CARD, {"card_of": approval_id})
