"""What has become of requests that were asked together: how many of each, by whom, and what ran; pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import assert_never

from signoff.bot.cards.batch_items import note_block, numbered, told_apart
from signoff.bot.cards.feedback_parts import batch_feedback
from signoff.bot.cards.menu import beside, options, stop_option
from signoff.bot.text.quotes import isolated
from signoff.bot.text.row import Row, Span
from signoff.bot.text.text import Block, Trusted, cut, length, line, literal, mrkdwn, rich, visible
from signoff.bot.text.views import row_blocks, says
from signoff.bot.text.words import batches as words
from signoff.bot.text.words import card as card_words
from signoff.models.approval import Approval
from signoff.models.batches import Batch

ORDER = ("wait", "approved", "answered", "rejected", "sent back", "expired", "withdrawn", "blocked by policy")
"""How states are counted, in this order."""
STATES = {"pending": "wait", "cancelled": "withdrawn", "blocked": "blocked by policy"}
"""Of a status its word there, where that is another."""
MOST = 8
"""Lines of who decided which, and of what they said."""
SAID = 200
"""Characters of a reason."""
_LINKS = 5
NAMED = 30
"""Decided requests of which the card keeps the values: Look through… has all of them, in full."""
EACH, ROOM = 120, 2_400
"""Characters of one, and of all of them."""


@dataclass(frozen=True)
class Standing:
    """How many of each there are: `line` in one line, `blocks` with who decided, and what stands apart."""

    line: Trusted
    blocks: tuple[Block, ...]


def standing(batch: Batch, now: int | None) -> Standing:
    """How a batch stands; past its time what waits counts as expired, even before that is recorded."""
    states = [state(one, now) for one in batch.items]
    told = counted(batch.items, now)
    blocks = [says(told, f"counts:{batch.revision}")]
    lines = _by_whom(batch.numbered, states)
    if lines:
        blocks.append(_context(f"by:{batch.revision}", lines))
    if batch.apart:
        blocks.append(_context(f"apart:{batch.revision}", [_apart(batch.apart)]))
    return Standing(told, tuple(blocks))


def counted(asked: Sequence[Approval], now: int | None = None) -> Trusted:
    """`31 wait · 4 approved`: how many of each."""
    counts = Counter(state(one, now) for one in asked)
    return words.counts([(name, counts[name]) for name in ORDER if counts[name]])


def state(one: Approval, now: int | None) -> str:
    """An adjective of `ORDER`."""
    match one.status:
        case "pending":
            return "expired" if now is not None and now >= one.expires_at else STATES["pending"]
        case "rejected":
            return "sent back" if one.decision and one.decision.resubmit else "rejected"
        case "cancelled" | "blocked":
            return STATES[one.status]
        case "approved" | "answered" | "expired":
            return one.status
    assert_never(one.status)


def ended_blocks(batch: Batch, now: int | None) -> list[Block]:
    """Which those are that wait no more: their numbers stand for something only where this does."""
    every = told_apart(batch.items, [number for number, _ in batch.numbered])
    asked = [row for row, one in zip(every, batch.items, strict=True) if state(one, now) != "wait"]
    if not asked:
        return []
    rows, room = list[Row](), ROOM
    for whole in asked[:NAMED]:
        row = replace(whole, spans=_first(whole.spans, EACH))
        room -= row.size
        if room < 0:
            break
        rows.append(row)
    found = row_blocks(rows, f"ended:{batch.revision}")
    if len(asked) > len(rows):
        found.append(note_block(f"ended-more:{batch.revision}", words.more_items(len(asked) - len(rows))))
    return found


def _first(spans: Sequence[Span], room: int) -> tuple[Span, ...]:
    """The first characters of a row."""
    found = list[Span]()
    for text, style in spans:
        if room <= 0:
            break
        found.append((cut(text, room), style))
        room -= length(text)
    return tuple(found)


def look_button(batch: Batch) -> Block:
    """*Look through…*: all of them in pages."""
    return {
        "type": "button",
        "action_id": "batch_look",
        "text": {"type": "plain_text", "text": words.LOOK_THROUGH, "emoji": False},
        "value": str(batch.id),
    }


def over_blocks(batch: Batch, now: int | None) -> list[Block]:
    """When none waits any more: how many of each, what people said, and what the agent reports."""
    by = options([stop_option(batch.items[0])]) if batch.items else None
    stands = standing(batch, now).blocks
    found = [*(beside(stands, by) if by else stands), *ended_blocks(batch, now)]
    approved = [one for one in batch.items if one.status == "approved"]
    outcomes = Counter(one.outcome.succeeded if one.outcome else None for one in approved)
    if approved:
        told = words.reported(outcomes[True], outcomes[False], outcomes[None])
        found.append(says(told, f"outcome:{batch.revision}"))
    found += batch_feedback(batch.numbered, now)
    quotes = _said(batch.numbered)
    if quotes:
        found.append(rich(f"said:{batch.revision}", *quotes))
    return [
        *found,
        {"type": "actions", "block_id": f"actions:{batch.revision}", "elements": [look_button(batch)]},
    ]


def _by_whom(items: Sequence[tuple[int, Approval]], states: Sequence[str]) -> list[Trusted]:
    groups: dict[tuple[str, str], list[int]] = {}
    for (number, one), name in zip(items, states, strict=True):
        if name != "wait":
            by = one.decision.approver if one.decision else ""
            groups.setdefault((name, by), []).append(number)
    ordered = sorted(groups.items(), key=lambda group: ORDER.index(group[0][0]))
    return [words.decided_by(name, len(of), by, numbered(of)) for (name, by), of in ordered][:MOST]


def _apart(items: Sequence[Approval]) -> Trusted:
    why = Counter(words.apart_because(one) for one in items).most_common()
    links = [one.card.permalink for one in items if one.card and one.card.permalink][:_LINKS]
    named = ", ".join(f"<{link}|{number}>" for number, link in enumerate(links, 1))
    return Trusted(words.apart(len(items), why) + (f" · cards {named}" if named else ""))


def _said(items: Sequence[tuple[int, Approval]]) -> list[Block]:
    """Reasons and notes, each once, with whose numbers; and how what failed has failed."""
    about: dict[tuple[str, str], list[int]] = {}
    for number, one in items:
        said = one.decision.reason.strip() if one.decision else ""
        if said:
            label = card_words.NOTE if one.status == "approved" else card_words.REASON
            about.setdefault((label, said), []).append(number)
        if one.outcome and not one.outcome.succeeded:
            about.setdefault(("Failed", one.outcome.note.strip()), []).append(number)
    return [_quote(label, numbers, text) for (label, text), numbers in list(about.items())[:MOST]]


def _quote(label: str, numbers: Sequence[int], text: str) -> Block:
    shown = isolated(cut(visible(text, keep="\n"), SAID))
    return line(literal(f"{label}, {numbered(numbers)}: ", "bold"), literal(f"{shown}\n"))


def _context(block_id: str, lines: Sequence[Trusted]) -> Block:
    return {"type": "context", "block_id": block_id, "elements": [mrkdwn(Trusted("\n".join(lines)))]}
