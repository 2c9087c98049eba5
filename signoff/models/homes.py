"""Who has opened App Home, what it shows, and who publishes it next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import bindparam, delete, exc, insert, literal_column, select, update

from signoff.models.store import MICROSECONDS, Store, now
from signoff.models.tables import AuditEventRow, HomeRow

OPEN_SECONDS = 24 * 3600
"""So long after it was opened a Home is kept up to date."""
CLAIM_SECONDS = 40
"""Longer than publishing a batch may take; what a dead worker had claimed is free again by then."""

homes = HomeRow.__table__  # type: ignore[attr-defined]
events = AuditEventRow.__table__  # type: ignore[attr-defined]

_OPENED = update(homes).where(homes.c.user_id == bindparam("user")).values(opened_at=now())
_BLANK = update(homes).where(homes.c.user_id == bindparam("user")).values(digest=None)
_ADD = insert(homes).values(user_id=bindparam("user"), opened_at=now(), not_before=0)
_DUE = select(homes.c.user_id, homes.c.digest).where(
    homes.c.opened_at > now() - literal_column(str(OPEN_SECONDS * MICROSECONDS)), homes.c.not_before <= now()
)
_CLAIM = (
    update(homes)
    .where(
        homes.c.user_id == bindparam("user"),
        homes.c.not_before <= now(),
        homes.c.digest.is_not_distinct_from(bindparam("before")),
    )
    .values(not_before=now() + literal_column(str(CLAIM_SECONDS * MICROSECONDS)))
)
_SHOWS = (
    update(homes)
    .where(homes.c.user_id == bindparam("user"))
    .values(digest=bindparam("shown"), not_before=now() + bindparam("pause"))
)
_LATER = (
    update(homes).where(homes.c.user_id == bindparam("user")).values(not_before=now() + bindparam("pause"))
)
_FORGET = delete(homes).where(homes.c.user_id == bindparam("user"))
_CHANGE = select(events.c.seq).order_by(events.c.seq.desc()).limit(literal_column("1"))


@dataclass(frozen=True)
class Opened:
    """A person whose Home may be published now; `digest` is of what it shows, None where it is blank."""

    user_id: str
    digest: str | None


def note_opened(store: Store, user_id: str, *, blank: bool = False) -> None:
    """A person looks at their Home; `blank` where Slack shows nothing of ours there."""
    values = {"user": user_id}
    try:
        with store.transaction() as connection:
            if connection.execute(_OPENED, values).rowcount == 0:
                connection.execute(_ADD, values)
            elif blank:
                connection.execute(_BLANK, values)
    except exc.IntegrityError:  # another bot was faster to add them
        with store.transaction() as connection:
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
    """Those of them that are ours to publish; the others somebody else has just published, or will."""
    with store.transaction() as connection:
        return [
            one
            for one in wanted
            if connection.execute(_CLAIM, {"user": one.user_id, "before": one.digest}).rowcount == 1
        ]


def settle(store: Store, shown: Mapping[str, str], later: Mapping[str, float], pause: float) -> None:
    """What became of those claimed: `shown` (user → digest) rest `pause` s, `later` so many of their own.

    Somebody in neither stays claimed until that runs out.
    """
    with store.transaction() as connection:
        for user_id, digest in shown.items():
            values = {"user": user_id, "shown": digest, "pause": int(pause * MICROSECONDS)}
            connection.execute(_SHOWS, values)
        for user_id, seconds in later.items():
            connection.execute(_LATER, {"user": user_id, "pause": int(seconds * MICROSECONDS)})


def forget(store: Store, user_id: str) -> None:
    """Nobody has this Home any more."""
    with store.transaction() as connection:
        connection.execute(_FORGET, {"user": user_id})
