"""The rows of second factors, of invitations, and of what is known of somebody's tries; and how each moves.

A factor counts in the epoch in which it was enrolled, or last affirmed by the operator: a database that was
put back cannot know what was removed since, or which codes were used.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, func, insert, select, text, update

from signoff.models.changes import clock
from signoff.models.factor_tables import FactorGuardRow, FactorInvitationRow, FactorNewsRow, FactorRow
from signoff.models.store import MICROSECONDS, Store
from signoff.models.tables import EpochRow

rows = FactorRow.__table__  # type: ignore[attr-defined]
invitations = FactorInvitationRow.__table__  # type: ignore[attr-defined]
guards = FactorGuardRow.__table__  # type: ignore[attr-defined]
told = FactorNewsRow.__table__  # type: ignore[attr-defined]
epochs = EpochRow.__table__  # type: ignore[attr-defined]

_EPOCH = select(func.coalesce(func.max(epochs.c.number), 1))
_IN_FORCE = rows.c.epoch == _EPOCH.scalar_subquery()
_STANDS = (rows.c.removed_at.is_(None), rows.c.confirmed_at.is_not(None))
_OF = select(rows, _IN_FORCE.label("in_force")).where(rows.c.user_id == bindparam("whose"), *_STANDS)
_ALL = select(rows, _IN_FORCE.label("in_force")).where(*_STANDS)
_ONE = select(rows, _IN_FORCE.label("in_force")).where(rows.c.id == bindparam("which"))
_ADD = insert(rows)
_USE = (
    update(rows)
    .where(
        rows.c.id == bindparam("which"),
        *_STANDS,
        rows.c.last_step < bindparam("step"),
        _IN_FORCE,
    )
    .values(last_step=bindparam("step"))
)
_CONFIRM = (
    update(rows)
    .where(rows.c.id == bindparam("which"), rows.c.removed_at.is_(None), rows.c.confirmed_at.is_(None))
    .values(confirmed_at=bindparam("at"), counts_from=bindparam("counts"), last_step=bindparam("step"))
)
_REMOVE = (
    update(rows)
    .where(rows.c.id == bindparam("which"), rows.c.removed_at.is_(None))
    .values(removed_at=bindparam("at"))
)
_DROP = (
    update(rows)
    .where(rows.c.user_id == bindparam("whose"), rows.c.confirmed_at.is_(None), rows.c.removed_at.is_(None))
    .values(removed_at=bindparam("at"))
)
_AFFIRM = (
    update(rows)
    .where(rows.c.id == bindparam("which"), *_STANDS)
    .values(epoch=bindparam("now_in"), last_step=bindparam("step"))
)
_INVITE = insert(invitations)
_ACCEPT = (
    update(invitations)
    .where(
        invitations.c.user_id == bindparam("whose"),
        invitations.c.code_hash == bindparam("given"),
        invitations.c.used_at.is_(None),
        invitations.c.expires_at > bindparam("at"),
        invitations.c.epoch == _EPOCH.scalar_subquery(),
    )
    .values(used_at=bindparam("at"))
)
_END_INVITATIONS = (
    update(invitations)
    .where(invitations.c.user_id == bindparam("whose"), invitations.c.used_at.is_(None))
    .values(used_at=bindparam("at"))
)
_LOCK = text(
    "INSERT INTO factor_guard (user_id, wrong) VALUES (:whose, '[]') ON CONFLICT (user_id) "
    "DO UPDATE SET wrong = factor_guard.wrong RETURNING wrong, locked_until, session_of, session_at"
)
_GUARD = select(guards).where(guards.c.user_id == bindparam("whose"))
_NOTE = (
    update(guards)
    .where(guards.c.user_id == bindparam("whose"))
    .values(wrong=bindparam("times"), locked_until=bindparam("until"))
)
_SESSION = (
    update(guards)
    .where(guards.c.user_id == bindparam("whose"))
    .values(session_of=bindparam("by"), session_at=bindparam("at"))
)
_TELL = insert(told)
_UNTOLD = select(told).where(told.c.told_at.is_(None)).order_by(told.c.id).limit(20)
_CLAIM = (
    update(told)
    .where(told.c.id == bindparam("which"), told.c.told_at.is_(None))
    .values(told_at=bindparam("now_at"))
)
_GIVE_BACK = update(told).where(told.c.id == bindparam("which")).values(told_at=None)


@dataclass(frozen=True)
class Factor:
    """A second factor as its row has it. Times are microseconds since 1970.

    `in_force` says that no restore came between; `counts` whether a code of it is taken at a time.
    """

    id: str
    user_id: str
    kind: str
    secret: str
    key: str
    by: str
    created_at: int
    confirmed_at: int | None
    counts_from: int | None
    removed_at: int | None
    last_step: int
    in_force: bool

    def counts(self, at: int) -> bool:
        """Whether it proves anything at this time."""
        return (
            self.in_force
            and self.removed_at is None
            and self.counts_from is not None
            and at >= self.counts_from
        )

    @property
    def name(self) -> str:
        """What people call it: the end of its id, where ids that were made one after the other differ."""
        return self.id[-8:]


@dataclass(frozen=True)
class Guard:
    """What is known of somebody's tries: when wrong codes were typed, and the session that goes on."""

    wrong: tuple[int, ...] = ()
    locked_until: int = 0
    session_of: str | None = None
    session_at: int = 0


@dataclass(frozen=True)
class News:
    """What a person and the admins are to be told, once: `what` is a word, such as `enrolled`."""

    id: int
    user_id: str
    what: str
    by: str
    at: int


def of(connection: Connection, user_id: str) -> list[Factor]:
    """Somebody's factors that were not removed, oldest first."""
    found = connection.execute(_OF.order_by(rows.c.created_at), {"whose": user_id})
    return [_factor(row) for row in found]


def every(connection: Connection) -> list[Factor]:
    """Everybody's factors that were not removed."""
    return [_factor(row) for row in connection.execute(_ALL.order_by(rows.c.user_id, rows.c.created_at))]


def one(connection: Connection, factor_id: str) -> Factor | None:
    """A factor by its id, also one that was removed or never confirmed."""
    found = connection.execute(_ONE, {"which": factor_id}).first()
    return None if found is None else _factor(found)


def add(connection: Connection, values: dict[str, Any]) -> None:
    """A new one, of the epoch of now."""
    connection.execute(_ADD, values | {"epoch": epoch(connection), "last_step": values.get("last_step", 0)})


def use(connection: Connection, factor_id: str, step: int) -> bool:
    """Whether the factor stands, and no code of this step or a newer one was used; now this one is."""
    return connection.execute(_USE, {"which": factor_id, "step": step}).rowcount == 1


def confirm(connection: Connection, factor_id: str, at: int, counts: int, step: int) -> bool:
    """Whether it was waiting for its first code; now it stands, and counts from then on."""
    given = {"which": factor_id, "at": at, "counts": counts, "step": step}
    return connection.execute(_CONFIRM, given).rowcount == 1


def remove(connection: Connection, factor_id: str, at: int) -> bool:
    """Whether it stood; from now on no code of it counts."""
    return connection.execute(_REMOVE, {"which": factor_id, "at": at}).rowcount == 1


def drop_unconfirmed(connection: Connection, user_id: str, at: int) -> None:
    """What somebody began to enrol and did not end."""
    connection.execute(_DROP, {"whose": user_id, "at": at})


def affirm(connection: Connection, factor_id: str, step: int) -> bool:
    """A factor counts in this epoch, too; no code of a step up to this one."""
    given = {"which": factor_id, "step": step, "now_in": epoch(connection)}
    return connection.execute(_AFFIRM, given).rowcount == 1


def invite(connection: Connection, values: dict[str, Any]) -> None:
    """An invitation, in place of those that somebody had."""
    connection.execute(_END_INVITATIONS, {"whose": values["user_id"], "at": values["created_at"]})
    connection.execute(_INVITE, values | {"epoch": epoch(connection)})


def accept(connection: Connection, user_id: str, code_hash: str, at: int) -> bool:
    """Whether somebody has been invited with this code, and has not used it; now they have."""
    return connection.execute(_ACCEPT, {"whose": user_id, "given": code_hash, "at": at}).rowcount == 1


def epoch(connection: Connection) -> int:
    """The number of the epoch of now."""
    return int(connection.execute(_EPOCH).scalar_one())


def lock(connection: Connection, user_id: str) -> Guard:
    """What is known of somebody's tries; until the transaction ends nobody else tries for them."""
    return _guard(connection.execute(_LOCK, {"whose": user_id}).one())


def guard(connection: Connection, user_id: str) -> Guard:
    """The same, only to look."""
    found = connection.execute(_GUARD, {"whose": user_id}).first()
    return Guard() if found is None else _guard(found)


def note_tries(connection: Connection, user_id: str, wrong: Sequence[int], until: int) -> None:
    """When wrong codes were typed, and until when none is taken; after `lock`."""
    given = {"whose": user_id, "times": json.dumps(list(wrong)), "until": until}
    connection.execute(_NOTE, given)


def begin_session(connection: Connection, user_id: str, factor_id: str, at: int) -> None:
    """A code was given that may count for more; after `lock`."""
    connection.execute(_SESSION, {"whose": user_id, "by": factor_id, "at": at})


def tell(connection: Connection, user_id: str, what: str, by: str, at: int) -> None:
    """Have a person and the admins told of something."""
    connection.execute(_TELL, {"user_id": user_id, "what": what, "by": by, "at": at})


def untold(store: Store) -> list[News]:
    """What is still to be told, the oldest first, some at a time."""
    with store.reading() as connection:
        found = connection.execute(_UNTOLD).all()
    return [News(row.id, row.user_id, row.what, row.by, row.at) for row in found]


def claim(store: Store, news: News) -> bool:
    """Whether it is this process that tells it."""
    with store.transaction() as connection:
        return connection.execute(_CLAIM, {"which": news.id, "now_at": clock(connection)}).rowcount == 1


def give_back(store: Store, news: News) -> None:
    """It could not be told: another time."""
    with store.transaction() as connection:
        connection.execute(_GIVE_BACK, {"which": news.id})


def step_of(at: int) -> int:
    """Which step of 30 s a time is in (RFC 6238)."""
    return at // (30 * MICROSECONDS)


def _factor(row: Any) -> Factor:
    names = Factor.__dataclass_fields__
    return Factor(
        **{name: getattr(row, name) for name in names if name != "in_force"}, in_force=bool(row.in_force)
    )


def _guard(row: Any) -> Guard:
    return Guard(tuple(json.loads(row.wrong)), int(row.locked_until), row.session_of, int(row.session_at))
