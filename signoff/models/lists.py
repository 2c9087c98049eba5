"""What lists are made of: an Approval's line without its payload, and the queries that find lines.

Every query reads an index and stops after the lines that it needs: a list over a million old Approvals
costs what one over ten does.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, false, func, literal_column, select

from signoff.models import batch_lists, codes, first_look, owners, undos
from signoff.models.approval import GONE, ApprovalStatus, Rejection
from signoff.models.batch_rows import batches
from signoff.models.rejections import rejection
from signoff.models.stops import said_of
from signoff.models.store import MAY_BE_SEEN, Store, agents, approvals, cards, decisions, now
from signoff.payload import glimpse
from signoff.payload.glimpse import Glimpse

PREFIX = 8
"""The fewest characters of an id that are looked up: as many as the index holds."""
MOST_OWNED = 20
"""Agents of one person whose Approvals are listed."""


@dataclass(frozen=True)
class Listed:
    """An Approval as one line of a list. Times are microseconds since 1970.

    `vote` (approve or reject), `approver`, `resubmit` and `decided_at` are the decision's, where there is
    one; `permalink` is the address of its card or its batch's. `named` is what the verdict calls its
    approvers, `policy` the digest of its policy, `headline` the policy's sentence, empty where it has none;
    `why` says what of the policy decided, and `rule_says` is what its rule gives for a reason. `glimpse` are
    the first values of its payload, `code` what people call it by; `rejected` is a rejection that it brings
    to mind. `outcome` says whether what was approved succeeded, None where nobody has reported; `spent_at`
    and `left_at` are Approval's, `is_over` says that nothing runs by it any more, `undone` that somebody has
    undone it. `runs_at` is of what the policy lets run after a while, 0 until it is shown; None of all else.
    `kind` is the request's. `stopped` says by whom it was stopped, where it is blocked for that.
    """

    id: str
    agent: str
    action: str
    status: ApprovalStatus
    version: int
    revision: int
    created_at: int
    expires_at: int
    ended_at: int | None
    named: tuple[str, ...] = ()
    headline: str = ""
    vote: str | None = None
    approver: str = ""
    resubmit: bool = False
    decided_at: int | None = None
    permalink: str = ""
    why: str = ""
    rule_says: str = ""
    policy: str = ""
    reversibility: str = "irreversible"
    reversibility_from: str = "nobody"
    glimpse: Glimpse = glimpse.NOTHING
    code_length: int = codes.SHORTEST
    rejected: Rejection | None = None
    outcome: bool | None = None
    spent_at: int | None = None
    is_over: bool = False
    left_at: int | None = None
    runs_at: int | None = None
    undone: bool = False
    stopped: str = ""
    kind: str = "approval"

    @property
    def code(self) -> str:
        """By which people name it."""
        return codes.code(self.id, self.code_length)

    @property
    def pending(self) -> bool:
        """True while somebody may still decide."""
        return self.status == "pending"


_COLUMNS = (
    "id",
    "agent",
    "action",
    "status",
    "version",
    "revision",
    "created_at",
    "expires_at",
    "ended_at",
    "code_length",
    "verdict",
    "glimpse",
    "rejected_before",
    "digest_sent",
    "outcome",
    "spent_at",
    "waiter",
    "absent_at",
    "runs_at",
    "kind",
    "reason",
)
_READ = ("verdict", "glimpse", "rejected_before", "digest_sent", "outcome", "waiter", "absent_at", "reason")
"""Columns of which a line holds what they say."""
_LINES = (
    select(
        *(approvals.c[name] for name in _COLUMNS),
        undos.is_undone(approvals.c.id).label("undone"),
        func.coalesce(approvals.c.receipt_expires_at <= now(), false()).label("is_over"),
        decisions.c.vote,
        decisions.c.approver,
        decisions.c.resubmit,
        decisions.c.at,
        func.coalesce(cards.c.permalink, batches.c.permalink).label("permalink"),
    )
    .outerjoin(batches, batches.c.id == approvals.c.batch_id)
    .outerjoin(cards, cards.c.approval_id == approvals.c.id)
    .outerjoin(decisions, (decisions.c.approval_id == approvals.c.id) & decisions.c.withdrawn_at.is_(None))
    .where(approvals.c.id.in_(bindparam("ids", expanding=True)))
    .order_by(cards.c.id.desc(), decisions.c.id)
)
_DECIDED = (
    select(decisions.c.approval_id, approvals.c.batch_id)
    .join(approvals, approvals.c.id == decisions.c.approval_id)
    .where(
        decisions.c.approver == bindparam("user"),
        decisions.c.withdrawn_at.is_(None),
        approvals.c.status != literal_column("'pending'"),
    )
    .order_by(decisions.c.at.desc())
    .limit(bindparam("most"))
)
_NAMES = select(agents.c.name).order_by(agents.c.name).limit(bindparam("most"))
_OWNED = (
    select(agents.c.name)
    .where(agents.c.owner == bindparam("user"))
    .order_by(agents.c.name)
    .limit(literal_column(str(MOST_OWNED)))
)
_NEWEST = (
    select(approvals.c.id, approvals.c.created_at, approvals.c.batch_id)
    .where(MAY_BE_SEEN)
    .order_by(approvals.c.created_at.desc())
    .limit(bindparam("most"))
)
_BY_AGENT = approvals.c.agent == bindparam("agent")
_BY_ACTION = approvals.c.action == bindparam("action")
_NEWEST_OF = {
    (): _NEWEST,
    ("agent",): _NEWEST.where(_BY_AGENT),
    ("action",): _NEWEST.where(_BY_ACTION),
    ("agent", "action"): _NEWEST.where(_BY_AGENT, _BY_ACTION),
}
_PREFIXED = (
    select(approvals.c.id)
    .where(
        func.substr(approvals.c.id, literal_column("1"), literal_column("8")) == bindparam("head"),
        func.substr(approvals.c.id, literal_column("1"), bindparam("length")) == bindparam("prefix"),
    )
    .limit(literal_column("2"))
)


def lines(store: Store, ids: Sequence[str]) -> list[Listed]:
    """The Approvals of these ids, in the same order; what is not there is left out."""
    if not ids:
        return []
    with store.reading() as connection:
        found = {row.id: row for row in connection.execute(_LINES, {"ids": list(ids)})}
        recalled = {
            row.id: rejection(connection, row.rejected_before, row.digest_sent)
            for row in found.values()
            if row.rejected_before and row.status == "pending"
        }
    return [_listed(found[one], recalled.get(one)) for one in ids if one in found]


def decided_by(store: Store, user_id: str, most: int) -> list[tuple[str, int | None]]:
    """The first so many lines of what a person decided, the newest decision first: ids, each with the batch
    whose only line it is, None where it stands alone.
    """
    with store.reading() as connection:

        def read(many: int) -> list[tuple[str, int | None]]:
            rows = connection.execute(_DECIDED, {"user": user_id, "most": many})
            return [(row.approval_id, row.batch_id) for row in rows]

        return batch_lists.enough(read, most)


def agent_names(store: Store, most: int) -> list[str]:
    """The agents that have asked for anything, by name, at most so many."""
    with store.reading() as connection:
        return list(connection.execute(_NAMES, {"most": most}).scalars())


def owned_agents(store: Store, user_id: str) -> list[str]:
    """The agents that a person owns, at most `MOST_OWNED`."""
    with store.reading() as connection:
        return list(connection.execute(_OWNED, {"user": user_id}).scalars())


def owner(store: Store, agent: str) -> str | None:
    """Who owns an agent: a person's id, or nobody."""
    with store.reading() as connection:
        return owners.of(connection, agent)


def newest(
    store: Store, most: int, about: str = "", among: Sequence[str] | None = None
) -> list[tuple[str, int | None]]:
    """The newest lines, newest first: of the agent or the action `about`, and of the agents `among`. Ids,
    each with its batch, as `decided_by` gives them.
    """
    wanted: list[dict[str, str]]
    if among is None:
        wanted = [{"agent": about}, {"action": about}] if about else [{}]
    else:
        wanted = [{"agent": agent} | ({} if about in ("", agent) else {"action": about}) for agent in among]
    with store.reading() as connection:

        def read(many: int) -> list[tuple[str, int | None]]:
            found: dict[str, Any] = {}
            for values in wanted:
                found |= _some(connection, values, many)
            order = sorted(found, key=lambda one: (found[one].created_at, one), reverse=True)[:many]
            return [(one, found[one].batch_id) for one in order]

        return batch_lists.enough(read, most)


def with_prefix(store: Store, prefix: str) -> list[str]:
    """Ids that begin so, at most two; `prefix` has at least `PREFIX` characters."""
    values = {"head": prefix[:PREFIX], "prefix": prefix, "length": len(prefix)}
    with store.reading() as connection:
        return list(connection.execute(_PREFIXED, values).scalars())


def with_code(store: Store, code: str) -> list[str]:
    """Ids whose code this is, as long as it is; where there is none, those whose code begins so."""
    with store.reading() as connection:
        found = first_look.with_heads(connection, codes.heads(code))
    exact = [one for one, length in found if codes.code(one, length) == code]
    return exact or [one for one, _ in found if codes.code(one, len(code)) == code]


def _some(connection: Connection, values: dict[str, str], most: int) -> dict[str, Any]:
    rows = connection.execute(_NEWEST_OF[tuple(values)], {**values, "most": most})
    return {row.id: row for row in rows}


def _listed(row: Any, recalled: Rejection | None) -> Listed:
    taken = {name: getattr(row, name) for name in _COLUMNS if name not in _READ}
    verdict = json.loads(row.verdict)
    return Listed(
        **taken,
        named=tuple(verdict.get("named", ())),
        policy=verdict.get("policy", ""),
        headline=verdict.get("headline") or "",
        vote=row.vote,
        approver=row.approver or "",
        resubmit=bool(row.resubmit),
        decided_at=row.at,
        permalink=row.permalink or "",
        why=verdict.get("why", ""),
        rule_says=verdict.get("reason", "") if verdict.get("rule") else "",
        reversibility=verdict.get("reversibility", "irreversible"),
        reversibility_from=verdict.get("reversibility_from", "nobody"),
        glimpse=glimpse.read(row.glimpse),
        rejected=recalled,
        outcome=json.loads(row.outcome)["succeeded"] if row.outcome else None,
        is_over=bool(row.is_over),
        undone=bool(row.undone),
        stopped=_stopped(row, verdict),
        left_at=row.absent_at if row.waiter == GONE else None,
    )


def _stopped(row: Any, verdict: dict[str, Any]) -> str:
    if row.status != "blocked":
        return ""
    effect, why, rule_says = (verdict.get(name, "") for name in ("effect", "why", "reason"))
    return said_of(effect, why, rule_says, row.reason)
