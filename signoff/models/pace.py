"""One post a second in a conversation where Slack has limited us, for a while: who asks for more than that is
told each time to wait for longer. Where it has not, posts are as quick as they can be.
"""

from __future__ import annotations

from sqlalchemy import Connection, bindparam, exists, literal_column, select, text, update

from signoff.models.leases import PAUSE_SECONDS, rested
from signoff.models.leases import pause as lasting
from signoff.models.store import MICROSECONDS, Store, now
from signoff.models.tables import PauseRow

POST = "chat.postMessage"
PACE = "pace"
"""Stands among the pauses for our own: until when posts in a conversation keep a second's distance."""
PACED_SECONDS = 60.0
"""For so long after Slack has limited them."""
EVERY_SECONDS = 1.1
"""Slack: one post a second in each conversation. The tenth is for what is under way at different speeds."""

pauses = PauseRow.__table__  # type: ignore[attr-defined]

_PAUSE = text(
    "INSERT INTO pause (method, conversation, not_before) VALUES (:method, :conversation, :end) "
    "ON CONFLICT (method, conversation) DO UPDATE SET not_before = excluded.not_before "
    "WHERE pause.not_before < excluded.not_before OR pause.not_before > :most"
)
"""The longer one holds: who was stopped with an answer of Slack's shortens no pause that began since."""
_HERE = pauses.c.conversation == bindparam("where")
_PACED = select(exists().where(pauses.c.method == PACE, _HERE, ~rested(pauses.c.not_before)))
_CLAIM = (
    update(pauses)
    .where(pauses.c.method == POST, _HERE, rested(pauses.c.not_before))
    .values(not_before=now() + literal_column(str(int(EVERY_SECONDS * MICROSECONDS))))
)


def note(connection: Connection, method: str, conversation: str, seconds: float, at: int) -> None:
    """From `at` (microseconds since 1970) a method rests for a while: in a conversation, or ('') everywhere.

    Where it is posts that rest, they keep their distance for a while after.
    """
    rests = [(method, seconds)]
    if method == POST:
        rests.append((PACE, max(seconds, PACED_SECONDS)))
    most = at + PAUSE_SECONDS * MICROSECONDS
    for what, rest in rests:
        values = {"method": what, "conversation": conversation, "end": at + lasting(rest), "most": most}
        connection.execute(_PAUSE, values)


def claim(store: Store, conversation: str) -> bool:
    """Whether this caller may post there now; of many that ask within the same second one may, if distance is
    to be kept there.
    """
    where = {"where": conversation}
    with store.reading() as connection:
        if not connection.execute(_PACED, where).scalar():
            return True
    with store.transaction() as connection:
        return connection.execute(_CLAIM, where).rowcount == 1
