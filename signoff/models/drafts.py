"""What people have entered in forms that edit, until they approve it.

It is kept here because a channel keeps little with a form (Slack 3,000 characters), and one page's fields may
hold more. It is no state of an approval: nothing is decided by it, and what comes of it is checked like any
other edit.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import bindparam, delete, exists, insert, literal_column, select, update

from signoff.models.approval import Approval
from signoff.models.store import MICROSECONDS, Store, approvals, now
from signoff.models.tables import DraftRow

MAX_TEXT = 512 * 1024
"""Bytes of one draft, as JSON."""
KEPT_SECONDS = 24 * 3600
"""A draft that was left goes after so long."""
ENDED_SECONDS = 3600
"""One of a request that has ended goes after so long: whoever has its form open is shown what they typed."""

drafts = DraftRow.__table__  # type: ignore[attr-defined]

_MINE = (
    drafts.c.id == bindparam("which"),
    drafts.c.approval_id == bindparam("about"),
    drafts.c.approver == bindparam("who"),
)
_READ = select(drafts.c.text).where(*_MINE)
_KEPT = {"version": bindparam("seen"), "text": bindparam("what"), "updated_at": now()}
_WRITE = update(drafts).where(*_MINE).values(_KEPT)
_ADD = insert(drafts).values(
    id=bindparam("which"), approval_id=bindparam("about"), approver=bindparam("who"), **_KEPT
)
_ANY = select(drafts.c.id).limit(literal_column("1"))
_CLEAR = delete(drafts).where(
    (drafts.c.updated_at < now() - literal_column(str(KEPT_SECONDS * MICROSECONDS)))
    | exists(  # not IN, which would read a million old approvals for one draft
        select(approvals.c.id).where(
            approvals.c.id == drafts.c.approval_id,
            approvals.c.status != "pending",
            approvals.c.ended_at < now() - literal_column(str(ENDED_SECONDS * MICROSECONDS)),
        )
    )
)


class Drafts:
    """Reads and writes drafts. The database's errors pass."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def read(self, draft_id: str, approval: Approval, user_id: str) -> dict[str, Any]:
        """What this person has entered in a form so far, by block_id; none where nothing is kept."""
        with self._store.reading() as connection:
            values = {"which": draft_id, "about": approval.id, "who": user_id}
            text = connection.execute(_READ, values).scalar()
        return dict(json.loads(text)) if text else {}

    def write(self, draft_id: str, approval: Approval, user_id: str, entered: Mapping[str, Any]) -> bool:
        """Keep what was entered, instead of what was kept before; False where that is too much to keep."""
        text = json.dumps(dict(entered))
        if len(text) > MAX_TEXT:
            return False
        whose = {"which": draft_id, "about": approval.id, "who": user_id}
        values = whose | {"seen": approval.version, "what": text}
        with self._store.transaction() as connection:
            if connection.execute(_WRITE, values).rowcount == 0:
                connection.execute(_ADD, values)
        return True

    def clear(self) -> None:
        """Delete what nobody needs any more: of requests that ended an hour ago, and left for a day."""
        with self._store.reading() as connection:
            if connection.execute(_ANY).first() is None:
                return
        with self._store.transaction() as connection:
            connection.execute(_CLEAR)
