"""Who has opened App Home, what it shows, and who publishes it next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import bindparam, delete, func, literal_column, select, text, update

from signoff.models import changes
from signoff.models.leases import pause, rested
from signoff.models.store import MICROSECONDS, Store, now
from signoff.models.tables import AuditEventRow, HomeRow

OPEN_SECONDS = 24 * 3600
"""So long after it was opened a Home is kept up to date."""
CLAIM_SECONDS = 40
"""Longer than publishing a batch may take; what a dead worker had claimed is free again by then."""

homes = HomeRow.__table__  # type: ignore[attr-defined]
events = AuditEventRow.__table__  # type: ignore[attr-defined]

_OPENED = text(
    "INSERT INTO home (user_id, opened_at, not_before) VALUES (:user, :at, 0) ON CONFLICT (user_id) "
    "DO UPDATE SET opened_at = excluded.opened_at, "
    "digest = CASE WHEN :blank = 1 THEN NULL ELSE home.digest END"
)
_DUE = select(homes.c.user_id, homes.c.digest).where(
    homes.c.opened_at > now() - literal_column(str(OPEN_SECONDS * MICROSECONDS)), rested(homes.c.not_before)
)
_CLAIM = (
    update(homes)
    .where(
        homes.c.user_id == bindparam("user"),
        rested(homes.c.not_before),
        homes.c.digest.is_not_distinct_from(bindparam("before")),
    )
    .values(
        not_before=now() + literal_column(str(CLAIM_SECONDS * MICROSECONDS)),
        lease=homes.c.lease + 1,
    )
    .returning(homes.c.lease)
)
_MINE = (homes.c.user_id == bindparam("user"), homes.c.lease == bindparam("mine"))
_NOTE = (
    update(homes)
    .where(*_MINE)
    .values(digest=func.coalesce(bindparam("shown"), homes.c.digest), not_before=now() + bindparam("pause"))
)
_LOST = update(homes).where(homes.c.user_id == bindparam("user")).values(digest=None, lease=homes.c.lease + 1)
"""What it shows is not known. Who is at it now loses it too; nobody else begins before they are done."""
_FORGET = delete(homes).where(*_MINE)
_CHANGE = select(events.c.seq).order_by(events.c.seq.desc()).limit(literal_column("1"))


@dataclass(frozen=True)
class Opened:
    """A person whose Home may be published now; `digest` is of what it shows, None where it is blank.

    `lease` is of who has claimed it; 0 before that.
    """

    user_id: str
    digest: str | None
    lease: int = 0


@dataclass(frozen=True)
class Published:
    """What became of one: the `digest` of what it shows now (None: what it did), and its rest in seconds."""

    user_id: str
    digest: str | None
    rest: float
    lease: int


def note_opened(store: Store, user_id: str, *, blank: bool = False) -> None:
    """A person looks at their Home; `blank` where Slack shows nothing of ours there."""
    with store.transaction() as connection:
        values = {"user": user_id, "at": changes.clock(connection), "blank": int(blank)}
        connection.execute(_OPENED, values)


def due(store: Store) -> list[Opened]:
    """Everybody who opened it in the last 24 h and whom nobody publishes just now or just did."""
    with store.reading() as connection:
        return [Opened(row.user_id, row.digest) for row in connection.execute(_DUE)]


def change(store: Store) -> int:
    """Counts what has happened: the last line of the audit log, which every visible change appends to."""
    with store.reading() as connection:
        return connection.execute(_CHANGE).scalar() or 0


def claim(store: Store, wanted: Sequence[Opened]) -> list[Opened]:
    """Those of them that are ours to publish; the others somebody else has just published, or will.

    Whose end nobody notes stay claimed until that runs out.
    """
    if not wanted:
        return []
    found = []
    with store.transaction() as connection:
        for one in wanted:
            lease = connection.execute(_CLAIM, {"user": one.user_id, "before": one.digest}).scalar()
            if lease is not None:
                found.append(Opened(one.user_id, one.digest, int(lease)))
    return found


def note_published(store: Store, found: Sequence[Published]) -> None:
    """What became of those claimed. Where somebody else has claimed one since, it is published once more."""
    if found:
        with store.transaction() as connection:
            for one in found:
                mine = {"user": one.user_id, "mine": one.lease}
                values = {"shown": one.digest, "pause": pause(one.rest)}
                if connection.execute(_NOTE, mine | values).rowcount == 0:
                    connection.execute(_LOST, {"user": one.user_id})


def forget(store: Store, one: Opened) -> None:
    """Nobody has this Home any more; unless somebody else has claimed it since."""
    with store.transaction() as connection:
        connection.execute(_FORGET, {"user": one.user_id, "mine": one.lease})
