"""Files of payloads in their cards' threads: what is wanted there, what stands there, what has to go.

A file goes up in steps, and Slack says of none whether it was done before. So its id is noted before
anybody can see it: whoever comes after a step that was cut off looks for that file, or deletes it, and it
never stands there twice. Nobody notes anything by another's lease.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from sqlalchemy import (
    Connection,
    and_,
    bindparam,
    case,
    delete,
    literal_column,
    or_,
    select,
    text,
    update,
)  # fmt: skip

from signoff.models.leases import pause, rested, take
from signoff.models.store import MICROSECONDS, Store, files, now, payloads

FileState = Literal["wanted", "posted", "unwanted"]
CLAIM_SECONDS: Final = 90
"""Longer than an upload and a look for an earlier one take; then what a dead worker had claimed is free."""
MOST_ERASED: Final = 100
"""Files that one look finds whose payloads were erased."""

_THIS = files.c.id == bindparam("row")
_MINE = and_(_THIS, files.c.lease == bindparam("mine"))
_OPEN = or_(files.c.state == literal_column("'wanted'"), files.c.state == literal_column("'unwanted'"))
_NOT_POSTED = files.c.state != literal_column("'posted'")  # as the index has it
_ADD = text(
    "INSERT INTO card_file (approval_id, version, digest, conversation, thread, state, not_before) "
    "VALUES (:about, :version, :digest, :where, :thread, 'wanted', 0) "
    "ON CONFLICT (approval_id, digest, conversation, thread) DO NOTHING"
)
_OTHERS = and_(
    files.c.approval_id == bindparam("about"),
    files.c.state != literal_column("'unwanted'"),
    or_(
        files.c.digest.not_in(bindparam("digests", expanding=True)),
        files.c.conversation != bindparam("where"),
        files.c.thread != bindparam("first"),
    ),
)
_UNWANTED = {"state": "unwanted", "digest": None, "not_before": 0, "lease": files.c.lease + 1}
_DROP_OTHERS = delete(files).where(_OTHERS, files.c.file.is_(None))
_UNWANT_OTHERS = update(files).where(_OTHERS).values(**_UNWANTED)
_LATE = and_(files.c.approval_id == bindparam("about"), files.c.state == literal_column("'wanted'"))
_DROP_LATE = delete(files).where(_LATE, files.c.file.is_(None))
_UNWANT_LATE = update(files).where(_LATE).values(**_UNWANTED)
_NEXT = (
    select(files.c.id)
    .where(_NOT_POSTED, rested(files.c.not_before))
    .order_by(
        case((files.c.state == literal_column("'wanted'"), literal_column("0")), else_=literal_column("1"))
    )
    .order_by(files.c.id)
    .limit(1)
)
_CLAIM = (
    update(files)
    .where(_THIS, _OPEN, rested(files.c.not_before))
    .values(
        not_before=now() + literal_column(str(CLAIM_SECONDS * MICROSECONDS)),
        lease=files.c.lease + 1,
    )
    .returning(files)
)
_NAME = update(files).where(_MINE, _OPEN).values(file=bindparam("name"))
_POSTED = update(files).where(_MINE, files.c.state == "wanted").values(state="posted", not_before=0)
_LATER = update(files).where(_MINE).values(not_before=now() + bindparam("pause"))
_DONE = delete(files).where(_MINE)
_ERASED = (
    select(files.c.id)
    .outerjoin(
        payloads,
        and_(payloads.c.approval_id == files.c.approval_id, payloads.c.version == files.c.version),
    )
    .where(
        files.c.state != literal_column("'unwanted'"),
        or_(payloads.c.erased_at.is_not(None), payloads.c.approval_id.is_(None)),
    )
    .order_by(files.c.id)
    .limit(literal_column(str(MOST_ERASED)))
)
_UNWANT = update(files).where(_THIS).values(**_UNWANTED)
_OF_FILE = select(files.c.id).where(files.c.file == bindparam("name"))
_CARRY = text(
    "INSERT INTO card_file (approval_id, version, conversation, thread, file, state, not_before) "
    "VALUES (:about, :version, :where, :thread, :name, 'unwanted', 0)"
)
STAND: Final = "SELECT approval_id, version, conversation, thread, file FROM card_file WHERE file IS NOT NULL"
"""For whoever replaces a database: what stands in threads by it."""


@dataclass(frozen=True)
class Claimed:
    """A file that is this process's for `CLAIM_SECONDS`. `file` is Slack's id, None where it has none yet."""

    id: int
    lease: int
    approval_id: str
    digest: str | None
    state: FileState
    conversation: str
    thread: str
    file: str | None


def settle(
    connection: Connection, approval_id: str, version: int, where: tuple[str, str], digests: Collection[str]
) -> None:
    """These files are to stand in this conversation's thread, and no others of this approval anywhere."""
    conversation, thread = where
    others = {"about": approval_id, "where": conversation, "first": thread, "digests": list(digests) or [""]}
    connection.execute(_DROP_OTHERS, others)
    connection.execute(_UNWANT_OTHERS, others)
    for digest in digests:
        values = {"about": approval_id, "version": version, "digest": digest}
        connection.execute(_ADD, values | {"where": conversation, "thread": thread})


def give_up(connection: Connection, approval_id: str) -> None:
    """What does not stand there yet is of no use any more: nobody decides by it."""
    connection.execute(_DROP_LATE, {"about": approval_id})
    connection.execute(_UNWANT_LATE, {"about": approval_id})


def erased(store: Store) -> int:
    """Have those go whose payload was erased, or whose approval's rows are gone; how many were found."""
    with store.reading() as connection:
        found = connection.execute(_ERASED).scalars().all()
    if found:
        with store.transaction("unwant") as connection:
            for row in found:
                connection.execute(_UNWANT, {"row": row})
    return len(found)


def claim(store: Store) -> Claimed | None:
    """The next one, for who does what it needs: what somebody waits for first. None where none is due."""
    found = take(store, _NEXT, _CLAIM)
    if found is None:
        return None
    return Claimed(
        found.id, found.lease, found.approval_id, found.digest, found.state, found.conversation, found.thread,
        found.file,
    )  # fmt: skip


def note_name(store: Store, claimed: Claimed, file: str | None) -> bool:
    """The id that Slack gave it, or none any more; False where somebody else has had it since."""
    with store.transaction() as connection:
        return connection.execute(_NAME, _mine(claimed) | {"name": file}).rowcount == 1


def note_posted(connection: Connection, claimed: Claimed) -> bool:
    """It stands in the thread; False where somebody else has had it since, or it has to go."""
    return connection.execute(_POSTED, _mine(claimed)).rowcount == 1


def note_gone(connection: Connection, claimed: Claimed) -> bool:
    """It stands nowhere, and shall not; False where somebody else has had it since."""
    return connection.execute(_DONE, _mine(claimed)).rowcount == 1


def postpone(store: Store, claimed: Claimed, seconds: float) -> None:
    """Another time; nothing happens where somebody else has had it since."""
    with store.transaction() as connection:
        connection.execute(_LATER, _mine(claimed) | {"pause": pause(seconds)})


def carry(connection: Connection, stand: Iterable[Sequence[Any]]) -> None:
    """Files of a database that was replaced (`STAND`): those that no row here knows have to go."""
    for approval_id, version, conversation, thread, file in stand:
        if connection.execute(_OF_FILE, {"name": file}).first() is None:
            values = {"about": approval_id, "version": version, "where": conversation, "thread": thread}
            connection.execute(_CARRY, values | {"name": file})


def _mine(claimed: Claimed) -> dict[str, object]:
    return {"row": claimed.id, "mine": claimed.lease}
