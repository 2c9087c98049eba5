"""The books of what is more than yes and no: what is undone, and what was lost, done twice or not told."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from faults.accounts import collect
from faults.askers import Askers
from faults.asking_agent import BATCH
from faults.books import check
from faults.world import World
from flows.person import buttons, text_of
from sqlalchemy import text

from signoff import receipts

_LEFT = {
    "requests that are pending": "SELECT count(*) FROM approval WHERE status = 'pending'",
    "answers that are not published": (
        "SELECT count(*) FROM approval WHERE ended_at IS NOT NULL AND published_at IS NULL"
    ),
    "cards that are behind": "SELECT count(*) FROM approval WHERE delivered_revision < revision "
    "AND batch_id IS NULL",
    "batches that are behind": "SELECT count(*) FROM batch WHERE shown_revision < revision",
    "replies that are not posted": "SELECT count(*) FROM card_reply WHERE message IS NULL",
    "questions that wait": "SELECT count(*) FROM talk WHERE state = 'asked'",
    "results that nobody has called wrong": "SELECT count(*) FROM feedback WHERE answer IS NULL",
    "what is not undone": "SELECT count(*) FROM approval a WHERE action IN ('label.add', 'tag.add') "
    "AND outcome IS NOT NULL AND NOT EXISTS (SELECT 1 FROM approval b WHERE b.undoes = a.id)",
    "undos that nobody has taken": "SELECT count(*) FROM approval WHERE action = 'label.remove' "
    "AND spent_at IS NULL",
    "undos of which nobody told that nobody takes them": (
        "SELECT count(*) FROM approval b WHERE action = 'tag.remove' AND NOT EXISTS "
        "(SELECT 1 FROM card_reply c WHERE c.approval_id = b.undoes AND c.kind = 'undo_untaken')"
    ),
}
_ITEMS = (
    "SELECT a.id, a.status, a.batch_id, a.receipt, a.request_id FROM approval a WHERE a.batch_id IS NOT NULL"
)
_UNDOS = "SELECT id, undoes, status, spent_at, outcome, action FROM approval WHERE undoes IS NOT NULL"


def left(world: World) -> dict[str, int]:
    """What is undone now, by name; only what is not nothing."""
    with world.store.reading() as connection:
        found = {what: int(connection.execute(text(query)).scalar_one()) for what, query in _LEFT.items()}
    client = world.redis.client
    streams = client.scan_iter(match="signoff:req:*", count=1000)
    found["entries that nobody has acknowledged"] = sum(int(client.xlen(name)) for name in streams)
    return {what: count for what, count in found.items() if count}


def breaches(world: World) -> list[str]:
    """All that is not as it has to be, in words, of a world at rest."""
    lines = [line for _, line in world.journal()]
    return [
        *_common(world),
        *_answers(world, lines),
        *_one_message_each(world),
        *_batches(world),
        *_talks(world, lines),
        *_undone(world, lines),
        *_said_once(world),
    ]


def rows(world: World, query: str) -> Sequence[Any]:
    with world.store.reading() as connection:
        return connection.execute(text(query)).all()


def _common(world: World) -> Iterator[str]:
    """What holds of each request: one end, one decision, its receipt in the log, the log whole."""
    facts = collect(world)
    keys = receipts.verify_keys(world.signer.verify_key)
    cardless = {row.id for row in (*rows(world, _ITEMS), *rows(world, _UNDOS))}
    for breach in check(facts, lambda token, agent: receipts.verify(token, keys, agent)):
        carded = breach.kind == "card" and breach.text.partition(":")[0] not in cardless
        if breach.kind in ("double", "differing", "chain", "twice") or carded:
            yield f"{breach.kind}: {breach.text}"


def _answers(world: World, lines: Sequence[dict[str, Any]]) -> Iterator[str]:
    """What an agent asked it knows the end of, once, as the database has it, signed; nothing ran twice."""
    keys = receipts.verify_keys(world.signer.verify_key)
    ended = {
        row.request_id: row for row in rows(world, "SELECT request_id, agent, status, receipt FROM approval")
    }
    asked = {line["key"] for line in lines if line["event"] == "asks" and line["kind"] != "ghost"}
    done = Counter(line["key"] for line in lines if line["event"] == "ended")
    for key in asked:
        if done[key] != 1:
            yield f"{key}: ended {done[key]} times for its agent"
    tokens: dict[str, str] = {}
    for line in lines:
        if line["event"] != "answer":
            continue
        row = ended.get(line["id"])
        if row is None or (row.status, row.receipt) != (line["status"], line["token"]):
            if (row.status if row else "", line["status"]) != ("approved", "duplicate"):
                yield f"{line['key']}: its agent has another answer than the database"
            continue
        if tokens.setdefault(line["key"], line["token"]) != line["token"]:
            yield f"{line['key']}: two answers"
        receipts.verify(line["token"], keys, row.agent)
        if line["kind"] == "question" and (line["status"], line["choice"]) != ("answered", "b"):
            yield f"{line['key']}: {line['status']} {line['choice']}"
    for key, count in Counter(line["key"] for line in lines if line["event"] == "runs").items():
        if count > 1:
            yield f"{key}: ran {count} times"


def _one_message_each(world: World) -> Iterator[str]:
    """One card for each request that has one, one for each batch, and one reply for each that is noted."""
    people: Askers = world.people
    shown: Counter[tuple[str, str]] = Counter()
    for message in people.window.messages():
        metadata = message.get("metadata") or {}
        about = metadata.get("event_payload") or {}
        shown[
            str(metadata.get("event_type")), str(about.get("approval_id") or about.get("batch") or about)
        ] += 1
        if about and "ghost" in text_of(message):
            yield f"what was never frozen stands at {message['ts']}"
    for (kind, about), count in shown.items():
        if kind.startswith("signoff_") and count > 1:
            yield f"{kind} {about}: stands {count} times"


def _batches(world: World) -> Iterator[str]:
    """Frozen, all of it decided, and its card says so, and lets nobody decide any more."""
    people: Askers = world.people
    items = rows(world, _ITEMS)
    for row in rows(world, "SELECT id, state, title, size, message FROM batch"):
        mine = [one for one in items if one.batch_id == row.id]
        if (row.state, row.size) != ("frozen", BATCH) or not mine:
            yield f"batch {row.title}: {row.state}, {len(mine)} of {row.size}"
        if any(one.status != "approved" for one in mine):
            yield f"batch {row.title}: {[one.status for one in mine]}"
        card = people.window.card("", row.message or "")
        if card is None:
            yield f"batch {row.title}: no card"
        elif "approve" in " ".join(buttons(card.message)) or f"{len(mine)}" not in text_of(card.message):
            yield f"batch {row.title}: its card says {text_of(card.message)[:200]}"
    if [row for row in rows(world, "SELECT title FROM batch") if "ghost" in row.title]:
        yield "a batch whose agent died in it was frozen"


def _talks(world: World, lines: Sequence[dict[str, Any]]) -> Iterator[str]:
    """No question without a word of what became of it, no answer but its agent's, and that heard it once."""
    heard = Counter(line["talk"] for line in lines if line["event"] == "heard")
    for row in rows(world, "SELECT t.id, t.question, t.state, t.answer, a.action FROM talk t "
                    "JOIN approval a ON a.id = t.approval_id"):  # fmt: skip
        if heard[row.id] > 1:
            yield f"talk {row.id}: its agent got it {heard[row.id]} times"
        if row.state == "answered" and row.answer != f"Because of {row.question}":
            yield f"talk {row.id}: {row.question!r} was answered {row.answer!r}"
        if row.state == "answered" and row.action == "mail.hush":
            yield f"talk {row.id}: answered by nobody"
    people: Askers = world.people
    for row in rows(world, "SELECT c.message, count(n.id) AS many FROM card c LEFT JOIN note n "
                    "ON n.approval_id = c.approval_id GROUP BY c.message"):  # fmt: skip
        if not people.noted[row.message] <= row.many <= max(people.pressed[row.message, "note"], 0):
            yield f"card {row.message}: {row.many} notes of {people.pressed[row.message, 'note']} written"


def _undone(world: World, lines: Sequence[dict[str, Any]]) -> Iterator[str]:
    """Each is undone by one approval, which ran once, or of which its dead process had not begun to."""
    found = rows(world, _UNDOS)
    for undoes, count in Counter(row.undoes for row in found).items():
        if count != 1:
            yield f"{undoes}: undone {count} times"
    for key, count in Counter(line["key"] for line in lines if line["event"] == "undoes").items():
        if count != 1:
            yield f"{key}: its undo ran {count} times"
    ran = {line["key"] for line in lines if line["event"] == "undoes"}
    taken = [row for row in found if row.action == "label.remove" and row.spent_at is not None]
    reported = [row for row in taken if row.outcome and json.loads(row.outcome)["succeeded"]]
    if len(reported) > len(ran) or len(ran) > len(taken):
        yield f"{len(taken)} undos were taken, {len(ran)} ran, {len(reported)} were reported"


def _said_once(world: World) -> Iterator[str]:
    """What is said in a card's thread is said once, as is what somebody says of a result."""
    query = (
        "SELECT approval_id, kind, said, count(*) AS many FROM card_reply GROUP BY approval_id, kind, said"
    )
    for row in rows(world, query):
        if row.many > 1:
            yield f"{row.approval_id}: {row.kind} is told {row.many} times"
    query = (
        "SELECT approval_id, count(*) AS many FROM audit_event WHERE kind = 'feedback' GROUP BY approval_id"
    )
    for row in rows(world, query):
        if row.many > 1:
            yield f"{row.approval_id}: {row.many} answers to whether it was right"
