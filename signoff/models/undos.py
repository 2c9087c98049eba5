"""What undoes what: which agents say that they can, whether that was tried, and who did."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BigInteger,
    Connection,
    Update,
    bindparam,
    case,
    exists,
    false,
    func,
    literal_column,
    select,
    text,
    true,
    update,
)

from signoff.models.clock import now
from signoff.models.more_tables import UndoRow
from signoff.models.tables import AgentRow, ApprovalRow, DecisionRow
from signoff.models.undone import SILENT_SECONDS, TAKEN_SECONDS, TRIED_SECONDS, Undo, Undone

approvals: Any = ApprovalRow.__table__  # type: ignore[attr-defined]
agents: Any = AgentRow.__table__  # type: ignore[attr-defined]
decisions: Any = DecisionRow.__table__  # type: ignore[attr-defined]
rows: Any = UndoRow.__table__  # type: ignore[attr-defined]

MICROSECONDS = 1_000_000
MOST_REDRAWN = 500
"""Cards of one agent that are drawn anew once its undo was tried: the newest."""
_TRIED = rows.c.passed & (rows.c.tested_at > now() - literal_column(str(TRIED_SECONDS * 1_000_000)))
_others = approvals.alias("attempt")
_OF = (
    select(
        rows.c.action.is_not(None).label("known"),
        _TRIED.label("tried"),
        agents.c.owner,
        approvals.c.receipt_expires_at,
        select(func.count())
        .select_from(_others)
        .where(_others.c.undoes == bindparam("which"))
        .scalar_subquery()
        .label("attempts"),
        approvals.c.id,
        approvals.c.ended_at,
        approvals.c.spent_at,
        approvals.c.outcome,
        approvals.c.outcome_at,
        decisions.c.approver,
    )
    .select_from(agents)
    .outerjoin(rows, (rows.c.agent == agents.c.name) & (rows.c.action == bindparam("undo_action")))
    .outerjoin(approvals, approvals.c.undoes == bindparam("which"))
    .outerjoin(decisions, decisions.c.approval_id == approvals.c.id)
    .where(agents.c.name == bindparam("whose"))
    .order_by(approvals.c.created_at.desc())
    .limit(1)
)
_IS_AGENT = select(agents.c.name).where(agents.c.name == bindparam("whose"))
_SEEN = text(
    "INSERT INTO undo (agent, action, seen_at) SELECT name, :action, :at FROM agent WHERE name = :agent "
    "ON CONFLICT (agent, action) DO UPDATE SET seen_at = excluded.seen_at"
)
_MINE = (rows.c.agent == bindparam("whose"), rows.c.action == bindparam("what"))
_TESTING = (
    update(rows)
    .where(*_MINE)
    .values(
        test_id=bindparam("which"), test_until=now() + bindparam("long", type_=BigInteger), test_taken=false()
    )
)
_ASKED_TEST = (rows.c.test_id.is_not(None), rows.c.test_until >= now(), ~rows.c.test_taken)
_UNTAKEN = (
    select(rows.c.action, rows.c.test_id)
    .where(rows.c.agent == bindparam("whose"), *_ASKED_TEST)
    .order_by(rows.c.action)
)
_TAKE_TEST = (
    update(rows).where(*_MINE, *_ASKED_TEST, rows.c.test_id == bindparam("which")).values(test_taken=true())
)
_TESTED = (
    update(rows)
    .where(*_MINE, rows.c.test_id == bindparam("which"), rows.c.test_until >= now())
    .values(tested_at=now(), passed=bindparam("went"), fault=bindparam("why"), test_id=None, test_until=None)
)
_IS_TRIED = select(_TRIED).where(*_MINE)
_STANDING = (
    select(approvals.c.id, approvals.c.verdict)
    .where(approvals.c.undo_at.is_not(None), approvals.c.undo_at > now())
    .where(approvals.c.agent == bindparam("whose"))
    .order_by(approvals.c.undo_at.desc())
    .limit(literal_column(str(MOST_REDRAWN)))
)
_REDRAW = (
    update(approvals)
    .where(approvals.c.id.in_(bindparam("which", expanding=True)))
    .values(revision=approvals.c.revision + 1, not_before=0)
)
_SHOWN = ("agent", "action", "seen_at", "tested_at", "passed", "fault")
_LIST = select(*(rows.c[name] for name in _SHOWN)).order_by(rows.c.agent, rows.c.action)
_ONE = approvals.c.id == bindparam("approval_id")
_OFFER = update(approvals).where(_ONE).values(undo_at=approvals.c.outcome_at + bindparam("long"))
_TELL = update(approvals).where(_ONE).values(undo_at=bindparam("at", type_=BigInteger))


def _told_in(seconds: int) -> Update:
    """Its card is drawn anew now, and has something more to tell after so long."""
    return (
        update(approvals)
        .where(_ONE)
        .values(
            undo_at=now() + literal_column(str(seconds * MICROSECONDS)),
            revision=approvals.c.revision + 1,
            not_before=0,
        )
    )


_ASKED, _TAKEN = _told_in(TAKEN_SECONDS), _told_in(SILENT_SECONDS)
_DUE = (
    select(approvals.c.id)
    .where(approvals.c.undo_at.is_not(None), approvals.c.undo_at <= now())
    .order_by(approvals.c.undo_at)
    .limit(bindparam("most"))
)
_TAKE = (
    update(approvals)
    .where(_ONE, approvals.c.undo_at.is_not(None), approvals.c.undo_at <= now())
    .values(undo_at=None, revision=approvals.c.revision + 1, not_before=0)
)
_TOUCHED = (
    update(approvals)
    .where(_ONE)
    .values(
        revision=approvals.c.revision + 1,
        not_before=0,
        undo_at=case((bindparam("taken") == literal_column("1"), None), else_=approvals.c.undo_at),
    )
)


@dataclass(frozen=True)
class Undoer:
    """An agent's word that it can undo by this action, and what its own test of that came to. Times are
    microseconds since 1970.
    """

    agent: str
    action: str
    seen_at: int
    tested_at: int | None
    passed: bool
    fault: str | None


def of(connection: Connection, approval_id: str, agent: str, action: str) -> Undo:
    """What is known of undoing an approval by `action`."""
    found = connection.execute(_OF, {"which": approval_id, "whose": agent, "undo_action": action}).first()
    if found is None:
        return Undo()
    done = None
    if found.id is not None:
        succeeded = json.loads(found.outcome)["succeeded"] if found.outcome else None
        by = (found.approver or "", found.ended_at or 0)
        done = Undone(found.id, *by, found.spent_at, succeeded, found.outcome_at, found.receipt_expires_at)
    return Undo(bool(found.known), bool(found.tried), found.owner, done, found.attempts)


def is_undone(column: Any) -> Any:
    """Whether somebody has undone the approval of this column."""
    other = approvals.alias("undoing")
    return exists().where(other.c.undoes == column)


def is_agent(connection: Connection, name: str) -> bool:
    """Whether an agent of this name is known."""
    return connection.execute(_IS_AGENT, {"whose": name}).first() is not None


def seen(connection: Connection, agent: str, action: str, at: int) -> None:
    """An agent says that it can undo by this action."""
    connection.execute(_SEEN, {"agent": agent, "action": action, "at": at})


def testing(connection: Connection, agent: str, action: str, test_id: str, seconds: int) -> bool:
    """An agent is about to be asked for this test, and has so long; False where it never said that it can."""
    values = {"whose": agent, "what": action, "which": test_id, "long": seconds * MICROSECONDS}
    return connection.execute(_TESTING, values).rowcount == 1


def tested(
    connection: Connection, agent: str, action: str, test_id: str, passed: bool, fault: str | None
) -> bool:
    """The test that it was asked for came to that, which counts once; False where nobody asked for it."""
    values = {"whose": agent, "what": action, "which": test_id, "went": passed, "why": fault}
    return connection.execute(_TESTED, values).rowcount == 1


def is_tried(connection: Connection, agent: str, action: str) -> bool:
    """Whether its own test of an undo has passed lately."""
    return bool(connection.execute(_IS_TRIED, {"whose": agent, "what": action}).scalar())


def untaken(connection: Connection, agent: str) -> list[tuple[str, str]]:
    """(action, test's id) of the tests that an agent was asked for and that nobody has taken by HTTP."""
    return [(row.action, row.test_id) for row in connection.execute(_UNTAKEN, {"whose": agent})]


def take_test(connection: Connection, agent: str, action: str, test_id: str) -> bool:
    """Somebody takes a test by HTTP; False where somebody has, or it is over."""
    return connection.execute(_TAKE_TEST, {"whose": agent, "what": action, "which": test_id}).rowcount == 1


def redraw(connection: Connection, agent: str, action: str) -> int:
    """Of what an agent may undo by this action now, the cards are due; gives how many."""
    found = [
        row.id
        for row in connection.execute(_STANDING, {"whose": agent})
        if (json.loads(row.verdict).get("undo") or {}).get("action") == action
    ]
    return connection.execute(_REDRAW, {"which": sorted(found)}).rowcount if found else 0


def listed(connection: Connection) -> list[Undoer]:
    """All that agents say they can undo."""
    return [Undoer(*row) for row in connection.execute(_LIST)]


def offer(connection: Connection, approval_id: str, seconds: int) -> None:
    """What was just reported may be undone for so long: then its card says no more that it may."""
    connection.execute(_OFFER, {"approval_id": approval_id, "long": seconds * MICROSECONDS})


def tell_at(connection: Connection, approval_id: str, at: int) -> None:
    """Its card has to tell something of its undo then, too."""
    connection.execute(_TELL, {"approval_id": approval_id, "at": at})


def asked(connection: Connection, approval_id: str) -> None:
    """Somebody has undone it: its card says so, and soon whether anybody took it."""
    connection.execute(_ASKED, {"approval_id": approval_id})


def taken(connection: Connection, approval_id: str) -> None:
    """A process has taken its undo: its card says so, and soon whether anything was reported."""
    connection.execute(_TAKEN, {"approval_id": approval_id})


def due(connection: Connection, most: int = 100) -> Sequence[str]:
    """Ids of those whose cards have to tell of it."""
    return list(connection.execute(_DUE, {"most": most}).scalars())


def take(connection: Connection, approval_id: str) -> bool:
    """Its card is due; False where it was not, or somebody has seen to that."""
    return connection.execute(_TAKE, {"approval_id": approval_id}).rowcount == 1


def touch(connection: Connection, approval_id: str, *, taken: bool) -> None:
    """Something has become of its undo: its card is due. `taken`: nobody is to be told any more."""
    connection.execute(_TOUCHED, {"approval_id": approval_id, "taken": int(taken)})
