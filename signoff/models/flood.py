"""How much an agent has asked for, and what its conversation is told when that is too much."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, case, func, literal_column, select, text, update

from signoff.models.approval import GONE
from signoff.models.messages import ApprovalRequest
from signoff.models.store import MICROSECONDS, Store, agents, approvals, now
from signoff.models.tables import FloodWarningRow

HOUR = 3600 * MICROSECONDS
warnings = FloodWarningRow.__table__  # type: ignore[attr-defined]

# For PostgreSQL: two intakes must not both find that there is room. SQLite has one writer anyway.
_LOCK = select(agents.c.name).where(agents.c.name == bindparam("agent")).with_for_update()
_WAITS = (
    approvals.c.agent == bindparam("agent"),
    approvals.c.status == literal_column("'pending'"),
    approvals.c.expires_at > now(),
)
_LEFT = case(
    (approvals.c.waiter == literal_column(f"'{GONE}'"), literal_column("1")), else_=literal_column("0")
)
_SAME = (
    select(approvals.c.id, approvals.c.request_id, _LEFT.label("left"))
    .where(
        *_WAITS,
        approvals.c.kind == bindparam("kind"),
        approvals.c.action == bindparam("action"),
        approvals.c.digest_sent == bindparam("sent"),
    )
    .order_by(_LEFT, approvals.c.created_at)
    .limit(100)
)
_PENDING = select(func.count(), func.min(approvals.c.expires_at)).where(
    *_WAITS, approvals.c.kind == bindparam("kind")
)
_NTH = (
    select(approvals.c.created_at)
    .where(approvals.c.agent == bindparam("agent"), approvals.c.kind == bindparam("kind"))
    .order_by(approvals.c.created_at.desc())
    .limit(1)
    .offset(bindparam("skip"))
)
_QUIET = select(warnings.c.until).where(warnings.c.agent == bindparam("agent"), warnings.c.until > now())
_RENEW = (
    update(warnings)
    .where(warnings.c.agent == bindparam("about"), warnings.c.until <= now())
    .values(text=bindparam("what"), until=bindparam("end"))
)
_ADD = text(
    "INSERT INTO flood_warning (agent, text, until) VALUES (:about, :what, :end) "
    "ON CONFLICT (agent) DO NOTHING"
)
_UNTOLD = select(warnings.c.agent).where(warnings.c.text.is_not(None)).limit(100)
_WHAT = select(warnings.c.text, warnings.c.until).where(warnings.c.agent == bindparam("agent"))
_CLAIM = (
    update(warnings)
    .where(warnings.c.agent == bindparam("about"), warnings.c.text == bindparam("what"))
    .values(text=None)
)
_BACK = (
    update(warnings)
    .where(
        warnings.c.agent == bindparam("about"),
        warnings.c.text.is_(None),
        warnings.c.until == bindparam("end"),
    )
    .values(text=bindparam("what"))
)


def lock(connection: Connection, agent: str) -> None:
    """Until the transaction ends nobody else counts what this agent asks for."""
    connection.execute(_LOCK, {"agent": agent})


@dataclass(frozen=True)
class Same:
    """A request that waits; `left` where its agent had waited for it, and does so no more."""

    id: str
    request_id: str
    left: bool


def same(connection: Connection, agent: str, request: ApprovalRequest) -> list[Same]:
    """An agent's requests of this kind, for this action with this payload, that wait; those left are last."""
    asked = {"kind": request.kind, "action": request.action, "sent": request.digest}
    found = connection.execute(_SAME, {"agent": agent, **asked})
    return [Same(row.id, row.request_id, bool(row.left)) for row in found]


def waiting(connection: Connection, agent: str, kind: str) -> tuple[int, int]:
    """How many of an agent's requests of a kind wait, and when the first expires (0 where none does)."""
    count, first = connection.execute(_PENDING, {"agent": agent, "kind": kind}).one()
    return int(count), int(first or 0)


def free_at(connection: Connection, agent: str, kind: str, per_hour: int) -> int:
    """When an agent that may ask so often in any hour may ask again, in microseconds since 1970."""
    if per_hour < 1:
        return 2**62
    nth = connection.execute(_NTH, {"agent": agent, "kind": kind, "skip": per_hour - 1}).scalar()
    return int(nth) + HOUR if nth is not None else 0


def warn(store: Store, agent: str, what: dict[str, Any], until: int) -> bool:
    """Have a conversation told about an agent, unless one has been and `until` (microseconds) lies ahead."""
    values = {"about": agent, "what": json.dumps(what), "end": until}
    with store.reading() as connection:
        if connection.execute(_QUIET, {"agent": agent}).first():
            return False
    with store.transaction("flood") as connection:
        renewed = connection.execute(_RENEW, values).rowcount == 1
        return renewed or connection.execute(_ADD, values).rowcount == 1


def untold(store: Store) -> list[str]:
    """Agents that a conversation is to be told about."""
    with store.reading() as connection:
        return list(connection.execute(_UNTOLD).scalars())


def claim(store: Store, agent: str) -> dict[str, Any] | None:
    """What is to be told about an agent, for the one who tells it. `claimed` is which warning it is."""
    with store.transaction() as connection:
        found = connection.execute(_WHAT, {"agent": agent}).first()
        if found is None or found.text is None:
            return None
        if connection.execute(_CLAIM, {"about": agent, "what": found.text}).rowcount == 0:
            return None
    return {**json.loads(found.text), "claimed": int(found.until)}


def give_back(store: Store, agent: str, what: dict[str, Any]) -> None:
    """It could not be told: another time, unless there has been another warning since."""
    text = json.dumps({name: value for name, value in what.items() if name != "claimed"})
    with store.transaction() as connection:
        connection.execute(_BACK, {"about": agent, "what": text, "end": what["claimed"]})
