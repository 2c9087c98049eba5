"""The threads of runs: where each stands, how many of its cards wait, and who edits its first message."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, assert_never, get_args

from sqlalchemy import Label, bindparam, case, exc, func, insert, or_, select, update

from signoff.models.approval import STATUSES, ApprovalStatus
from signoff.models.batch_rows import batches
from signoff.models.leases import Leases, rested
from signoff.models.leases import pause as lasting
from signoff.models.store import Store, approvals, cards, now
from signoff.models.tables import ThreadRow
from signoff.models.verdict import Verdict

MOST_VERDICTS = 50
"""Waiting requests whose approvers are read, to say who may decide."""

MOST_NAMED = 5
"""Waiting requests that a first message names."""

threads = ThreadRow.__table__  # type: ignore[attr-defined]

_COLUMNS = (
    threads.c.id,
    threads.c.agent,
    threads.c.run,
    threads.c.conversation,
    threads.c.message,
    threads.c.revision,
    threads.c.digest,
    threads.c.unsure,
)
_KEY = (
    threads.c.agent == bindparam("of_agent"),
    threads.c.run == bindparam("of_run"),
    threads.c.wanted == bindparam("where"),
)
_FIND = select(*_COLUMNS).where(*_KEY)
_GET = select(*_COLUMNS).where(threads.c.id == bindparam("thread_id"))
_AT = select(threads.c.id).where(
    threads.c.conversation == bindparam("where"), threads.c.message == bindparam("first")
)
_ADD = insert(threads)
LEASES = Leases(threads)
_STALE = (threads.c.shown_revision < threads.c.revision, rested(threads.c.not_before))
_TO_POST = LEASES.taking(threads.c.message.is_(None))
_TO_EDIT = LEASES.taking(threads.c.message.is_not(None), *_STALE)
_LATER = update(threads).where(*LEASES.held).values(lease_until=0, not_before=now() + bindparam("pause"))
_POSTED = (
    update(threads)
    .where(*LEASES.held, threads.c.message.is_(None))
    .values(conversation=bindparam("where"), message=bindparam("first"), digest=None, lease_until=0, unsure=0)
)
_SHOWN = (
    update(threads)
    .where(*LEASES.held)
    .values(
        shown_revision=bindparam("told"),
        # What has happened meanwhile may be that somebody's late edit stands over this one.
        digest=case((threads.c.revision == bindparam("told"), bindparam("text")), else_=None),
        lease_until=0,
        not_before=now() + bindparam("pause"),
    )
)
_LOST = (
    update(threads)
    .where(threads.c.id == bindparam("row"))
    .values(revision=threads.c.revision + 1, digest=None)
)
_FORGET = (
    update(threads)
    .where(threads.c.conversation == bindparam("where"), threads.c.message == bindparam("first"))
    .values(conversation=None, message=None, digest=None)
)
_DUE = (
    select(threads.c.id)
    .where(*_STALE, threads.c.message.is_not(None))
    .order_by(threads.c.not_before)
    .limit(bindparam("most"))
)
_REPLIES = or_(
    approvals.c.id.in_(
        select(cards.c.approval_id).where(
            cards.c.conversation == bindparam("where"), cards.c.thread == bindparam("first")
        )
    ),
    approvals.c.batch_id.in_(
        select(batches.c.id).where(
            batches.c.conversation == bindparam("where"), batches.c.thread == bindparam("first")
        )
    ),
)
"""Approvals whose card, or whose batch's, is a reply to this first message."""


Column = Literal["waiting", "decided", "undecided"]


def column_of(status: ApprovalStatus) -> Column:
    """As what a thread's tally counts it."""
    match status:
        case "pending":
            return "waiting"
        case "approved" | "answered" | "rejected" | "blocked":
            return "decided"
        case "expired" | "cancelled":
            return "undecided"
    assert_never(status)


def _many(column: Column) -> Label[int]:
    counted = [status for status in STATUSES if column_of(status) == column]
    return func.coalesce(func.sum(case((approvals.c.status.in_(counted), 1), else_=0)), 0).label(column)


_TALLY = select(*map(_many, get_args(Column))).select_from(approvals).where(_REPLIES)
_VERDICTS = (
    select(approvals.c.id, approvals.c.verdict)
    .where(_REPLIES, approvals.c.status == "pending")
    .order_by(approvals.c.created_at)
    .limit(MOST_VERDICTS)
)


@dataclass(frozen=True)
class Thread:
    """A run's thread; `conversation` and `message` are None until its first message is posted."""

    id: int
    agent: str
    run: str
    conversation: str | None
    message: str | None
    revision: int
    digest: str | None
    unsure: int = 0


@dataclass(frozen=True)
class Tally:
    """How many of a thread's cards wait, were decided, or ended without anybody's decision.

    `approvers` may decide something that waits; `first` are the ids of what waits longest.
    """

    waiting: int = 0
    decided: int = 0
    undecided: int = 0
    approvers: tuple[str, ...] = ()
    first: tuple[str, ...] = ()


def of_run(store: Store, agent: str, run: str, wanted: str) -> Thread:
    """The thread of an agent's run in the conversation that the policy names; noted where it is new."""
    key = {"of_agent": agent, "of_run": run, "where": wanted}
    with store.reading() as connection:
        row = connection.execute(_FIND, key).first()
    if row is None:
        values = {"agent": agent, "run": run, "wanted": wanted}
        defaults = {"revision": 0, "shown_revision": 0, "not_before": 0, "lease_until": 0}
        try:
            with store.transaction() as connection:
                connection.execute(_ADD, values | defaults)
        except exc.IntegrityError:  # another delivery was faster to note it
            pass
        with store.reading() as connection:
            row = connection.execute(_FIND, key).one()
    return Thread(*row)


def get(store: Store, thread_id: int) -> Thread | None:
    """One thread as it is now."""
    with store.reading() as connection:
        row = connection.execute(_GET, {"thread_id": thread_id}).first()
    return Thread(*row) if row else None


def at(store: Store, conversation: str, message: str) -> int | None:
    """The id of the run's thread with this first message; None where it is no run's."""
    with store.reading() as connection:
        return connection.execute(_AT, {"where": conversation, "first": message}).scalar()


def take_to_post(store: Store, thread_id: int) -> int | None:
    """The lease on posting its first message; None where it stands, or somebody else posts it."""
    return LEASES.take(store, thread_id, _TO_POST)


def take_to_edit(store: Store, thread_id: int) -> int | None:
    """The lease on editing its first message; None where that is not due, or another does it."""
    return LEASES.take(store, thread_id, _TO_EDIT)


def postpone(store: Store, thread_id: int, lease: int, seconds: float) -> None:
    """Give a lease back, and let nobody edit the first message for a while; `lost` where it is another's."""
    with store.transaction() as connection:
        values = {"row": thread_id, "mine": lease, "pause": lasting(seconds)}
        if connection.execute(_LATER, values).rowcount == 0:
            connection.execute(_LOST, {"row": thread_id})


def note_posted(store: Store, thread_id: int, lease: int, conversation: str, message: str) -> bool:
    """Its first message stands; gives the lease back. False where another has had it: then theirs counts."""
    values = {"row": thread_id, "mine": lease, "where": conversation, "first": message}
    with store.transaction() as connection:
        return connection.execute(_POSTED, values).rowcount == 1


def note_shown(store: Store, thread: Thread, lease: int, digest: str, pause: float) -> bool:
    """Its first message tells `thread.revision`; gives the lease back. `pause` in seconds until the next.

    False where another has had the lease since: theirs may be the older text in Slack now, so that it is
    told once more.
    """
    with store.transaction() as connection:
        values = {
            "row": thread.id,
            "mine": lease,
            "told": thread.revision,
            "text": digest,
            "pause": lasting(pause),
        }
        if connection.execute(_SHOWN, values).rowcount == 1:
            return True
        connection.execute(_LOST, {"row": thread.id})
        return False


def forget(store: Store, conversation: str, message: str) -> None:
    """Its first message is gone: the next card posts another."""
    with store.transaction() as connection:
        connection.execute(_FORGET, {"where": conversation, "first": message})


def due(store: Store, most: int = 50) -> Sequence[int]:
    """Ids of threads whose first message tells what is no longer so, and may be edited now."""
    with store.reading() as connection:
        return connection.execute(_DUE, {"most": most}).scalars().all()


def look(store: Store, thread_id: int) -> tuple[Thread, Tally] | None:
    """A thread and what has become of its cards; None where its first message does not stand."""
    with store.reading() as connection:
        row = connection.execute(_GET, {"thread_id": thread_id}).first()
        if row is None or row.conversation is None or row.message is None:
            return None
        where = {"where": row.conversation, "first": row.message}
        counted = connection.execute(_TALLY, where).one()
        waiting = connection.execute(_VERDICTS, where).all()
    approvers: dict[str, None] = {}
    for one in waiting:
        approvers |= dict.fromkeys(Verdict.model_validate_json(one.verdict).approvers)
    numbers = (int(counted.waiting), int(counted.decided), int(counted.undecided))
    return Thread(*row), Tally(*numbers, tuple(approvers), tuple(one.id for one in waiting[:MOST_NAMED]))
