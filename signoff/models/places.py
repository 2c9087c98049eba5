"""Which approvals a message is about. The row decides, never what stands in the message."""

from __future__ import annotations

from sqlalchemy import bindparam, case, select, union_all

from signoff.models.store import Store, approvals, cards

MOST = 100
"""Approvals of one thread that are looked at."""

_HERE = cards.c.conversation == bindparam("conversation")
_AT = select(cards.c.approval_id).where(_HERE, cards.c.message == bindparam("message")).order_by(cards.c.id)
# Not two comparisons with OR: each half has an index of its own.
_REPLIES = union_all(
    select(cards.c.approval_id).where(_HERE, cards.c.message == bindparam("message")),
    select(cards.c.approval_id).where(_HERE, cards.c.thread == bindparam("message")),
).subquery()
_IN_THREAD = (
    select(approvals.c.id)
    .where(approvals.c.id.in_(select(_REPLIES.c.approval_id)))
    .order_by(
        case((approvals.c.status == "pending", 0), else_=1),
        approvals.c.ended_at.desc(),
        approvals.c.created_at,
        approvals.c.id,
    )
    .limit(MOST)
)


def at(store: Store, conversation: str, message: str) -> list[str]:
    """The ids of the approvals whose card this message is: one, or none."""
    with store.reading() as connection:
        return list(connection.execute(_AT, {"conversation": conversation, "message": message}).scalars())


def in_thread(store: Store, conversation: str, message: str) -> list[str]:
    """The ids of the approvals whose card is this message or stands in its thread.

    What waits comes first, the oldest before the others; then what ended, the last one first.
    """
    with store.reading() as connection:
        return list(
            connection.execute(_IN_THREAD, {"conversation": conversation, "message": message}).scalars()
        )
