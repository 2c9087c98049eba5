"""A database and a Redis at rest → what the books of questions, batches, undoing and talks are about."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from typing import Any

from faults.promises import Entry, Kept
from sqlalchemy import text

from signoff import receipts
from signoff.models.store import MICROSECONDS, Store
from signoff.models.talks import Message
from signoff.payload.canonical import parse
from signoff.queue import stream
from signoff.receipts import VerifyKeys

_ROWS = text(
    "SELECT a.id, a.agent, a.status, a.kind, a.receipt, a.verdict, a.created_at, a.ended_at, "
    "a.undoes, a.spent_at, a.outcome, a.outcome_at, a.receipt_expires_at, a.runs_at, a.batch_id, b.state, "
    "f.answer AS said "
    "FROM approval a LEFT JOIN batch b ON b.id = a.batch_id LEFT JOIN feedback f ON f.approval_id = a.id"
)
_VOTES = text("SELECT approval_id, approver, answer FROM decision WHERE withdrawn_at IS NULL ORDER BY id")
_TALKS = text("SELECT id, approval_id, answer FROM talk ORDER BY id")
_LINES = text(
    "SELECT approval_id, kind, data FROM audit_event WHERE kind IN ('batch', 'talk', 'held', 'feedback')"
)


def kept(store: Store, redis: Any, keys: VerifyKeys) -> Kept:
    """All requests, and what does not hold of people's questions that stand on agents' streams."""
    with store.reading() as connection:
        rows = connection.execute(_ROWS).all()
        votes = defaultdict[str, list[Any]](list)
        for vote in connection.execute(_VOTES):
            votes[vote.approval_id].append(vote)
        talks = connection.execute(_TALKS).all()
        lines = [(one, kind, json.loads(data)) for one, kind, data in connection.execute(_LINES)]
    counted = Counter((one, kind) for one, kind, _ in lines)
    freezes = Counter(said["id"] for _, kind, said in lines if kind == "batch" and "size" in said)
    asked = Counter(said["talk"] for _, kind, said in lines if kind == "talk")
    of_talks = defaultdict[str, list[tuple[int, str | None]]](list)
    for talk in talks:
        of_talks[talk.approval_id].append((asked[talk.id], talk.answer))
    found = Kept(unverified=_unverified(redis, keys, {row.agent for row in rows}, {one.id for one in talks}))
    for row in rows:
        verdict, mine = json.loads(row.verdict), votes[row.id]
        outcome, undo = json.loads(row.outcome or "{}"), verdict.get("undo")
        until = row.outcome_at + undo["seconds"] * MICROSECONDS if undo and row.outcome_at else None
        answer = next((parse(one.answer) for one in mine if one.answer), None)
        found.entries.append(
            Entry(
                row.id, row.agent, row.status, row.kind, row.receipt, answer,
                voters=tuple(one.approver for one in mine),
                created_at=row.created_at,
                ended_at=row.ended_at,
                frozen=None if row.batch_id is None else row.state == "frozen",
                freezes=freezes[row.batch_id],
                undoes=row.undoes,
                undo_until=until,
                spent=row.spent_at is not None,
                succeeded=outcome.get("succeeded"),
                over_at=row.receipt_expires_at or 0,
                graced=verdict["effect"] == "allow" and verdict.get("after") is not None,
                held=counted[row.id, "held"] > 0,
                runs_at=row.runs_at or None,
                talks=tuple(of_talks[row.id]),
                says=counted[row.id, "feedback"],
                feedback=row.said,
            )
        )  # fmt: skip
    return found


def _unverified(redis: Any, keys: VerifyKeys, agents: set[str], known: set[str]) -> list[str]:
    """Each entry of a kind `message` is a question that is known, and whose text, if it stands, is signed."""
    found = []
    for agent in sorted(agents):
        for _, fields in redis.xrange(stream.decisions(agent)):
            talk_id = fields[b"id"].decode()
            if fields.get(b"kind") != b"message":
                continue
            body = redis.get(stream.message(agent, talk_id))
            try:
                assert talk_id in known, "nobody asked that"
                if body:
                    message = Message.model_validate_json(body)
                    receipts.accept_inquiry(message, keys, agent=agent, talk_id=talk_id)
            except Exception as error:
                found.append(f"{talk_id}: {type(error).__name__}")
    return found
