"""A world at rest → the facts for its books: what the agents, the rows, the log, Redis and Slack say."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from faults.books import Answer, Facts, Made, Row, Said, Shown
from faults.keepers import kept
from sqlalchemy import text

from signoff.approvals import audit
from signoff.payload.canonical import digest
from signoff.queue import stream
from signoff.receipts import verify_keys

if TYPE_CHECKING:
    from faults.world import World

_ROWS = text(
    "SELECT a.id, a.agent, a.request_id, a.status, a.version, a.revision, a.receipt, a.verdict, c.message, "
    "p.text "
    "FROM approval a LEFT JOIN card c ON c.approval_id = a.id "
    "LEFT JOIN payload p ON p.approval_id = a.id AND p.version = a.version"
)
_DECISIONS = text("SELECT approval_id, approver, vote FROM decision WHERE withdrawn_at IS NULL ORDER BY id")
_EVENTS = text("SELECT approval_id, kind, data FROM audit_event WHERE kind IN ('submit', 'receipt')")
_LEFT = {
    "requests that are pending": "SELECT count(*) FROM approval WHERE status = 'pending'",
    "answers that are not published": (
        "SELECT count(*) FROM approval WHERE ended_at IS NOT NULL AND published_at IS NULL"
    ),
    "cards that are behind": "SELECT count(*) FROM approval WHERE delivered_revision < revision",
    "doubles that are not redrawn": "SELECT count(*) FROM card_double",
    "files that are not there, or not gone": "SELECT count(*) FROM card_file WHERE state <> 'posted'",
    "first messages that are behind": "SELECT count(*) FROM thread WHERE shown_revision < revision",
    "leases that are held": "SELECT count(*) FROM card WHERE lease_until > 0",
}


def left(world: World) -> dict[str, int]:
    """What is undone, by name. A lease that nobody gave back counts while something waits for it."""
    found = {}
    with world.store.reading() as connection:
        for what, query in _LEFT.items():
            found[what] = int(connection.execute(text(query)).scalar_one())
    if not found["cards that are behind"]:
        del found["leases that are held"]
    client = world.redis.client
    streams = list(client.scan_iter(match=stream.REQUESTS + "*", count=1000))
    found["entries that nobody has acknowledged"] = sum(int(client.xlen(name)) for name in streams)
    dead = [fields[b"agent"] for _, fields in client.xrange(stream.DEAD)]
    found["dead letters"] = sum(agent.startswith(b"agent-") for agent in dead)
    agents = [part for name, part in world.parts.items() if name.startswith("agent")]
    found["agents that wait"] = sum(part.code != 0 for part in agents)
    return found


def collect(world: World) -> Facts:
    """Everything that everybody knows."""
    facts = Facts(
        left=world.left(),
        told=[Said(*_fields(told)) for told in world.people.told],
        saved=[Said(*_fields(told)) for told in world.people.saved],
    )
    for agent, line in world.journal():
        if line["event"] == "made":
            facts.made.append(Made(agent, line["id"], line["digest"], line["payload"]))
        elif line["event"] == "answer":
            facts.answers.append(Answer(agent, line["id"], line["status"], line["token"], line["payload"]))
        elif line["event"] == "runs":
            facts.ran.append((agent, line["id"]))
        elif line["event"] == "unverified":
            facts.unverified.append(f"{line['id']}: {line['fault']}")
    facts.rows = _rows(world)
    facts.shown = [
        Shown(card.approval_id, card.ts, card.revision, card.open) for card in world.people.window.cards()
    ]
    known = {(row.agent, row.request_id) for row in facts.rows}
    facts.refused = {(answer.agent, answer.id) for answer in facts.answers} - known
    found = audit.verify(world.store)
    facts.kept = kept(world.store, world.redis.client, verify_keys(world.signer.verify_key))
    facts.chain = "" if found.ok else f"line {found.seq}: {found.fault}"
    return facts


def decisions_of(world: World, approval_id: str) -> tuple[list[str], int]:
    """Who has decided one approval, and how often its end stands in the log."""
    given = {"id": approval_id}
    with world.store.reading() as connection:
        who = connection.execute(text("SELECT approver FROM decision WHERE approval_id = :id"), given)
        people = [str(person) for person in who.scalars()]
        ends = text("SELECT count(*) FROM audit_event WHERE approval_id = :id AND kind = 'receipt'")
        return people, int(connection.execute(ends, given).scalar_one())


def _rows(world: World) -> list[Row]:
    deciders: defaultdict[str, list[tuple[str, str]]] = defaultdict(list)
    signed: defaultdict[str, list[str]] = defaultdict(list)
    submits: defaultdict[str, int] = defaultdict(int)
    with world.store.reading() as connection:
        for approval_id, person, answer in connection.execute(_DECISIONS):
            deciders[approval_id].append((person, answer))
        for approval_id, kind, data in connection.execute(_EVENTS):
            if kind == "submit":
                submits[approval_id] += 1
            else:
                signed[approval_id].append(json.loads(data)["signed"])
        rows = connection.execute(_ROWS).all()
    return [
        Row(
            row.id, row.agent, row.request_id, row.status, row.revision, row.receipt,
            allowed=json.loads(row.verdict)["effect"] in ("allow", "notify"),
            silent=json.loads(row.verdict)["effect"] in ("allow", "block"),
            deciders=tuple(deciders[row.id]),
            submits=submits[row.id],
            signed=tuple(signed[row.id]),
            card=row.message,
            version=row.version,
            digest=digest(row.text or ""),
        )
        for row in rows
    ]  # fmt: skip


def _fields(told: Any) -> tuple[str, str, str, str]:
    return told.approval_id, told.user, told.status, told.saved
