"""Requests that an agent asks together → one card, its buttons and its notification; pure.

What all share stands once, what differs as a table, those that stand out before the others, each with why.
*Approve all* stands only where common and differing parts together are every payload in full on this very
card, and why, as far as the agent says it, of each; its value names each request and version that the card
shows, and their digest. Else the card has *Review…* there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from signoff.approvals.errors import UnknownApproval
from signoff.bot.blocks import BUTTON_VALUE, MESSAGE_BLOCKS, MESSAGE_TOTAL
from signoff.bot.cards.batch_after import ended_blocks, look_button, over_blocks, standing
from signoff.bot.cards.batch_items import Gathered, Item, gathered, note_block, table
from signoff.bot.cards.batch_parts import (
    approve_button,
    button,
    claims_each,
    claims_of,
    marked,
    same_claims,
    stakes_block,
)
from signoff.bot.cards.batch_text import TOLD, heard_card
from signoff.bot.cards.card import Message
from signoff.bot.cards.menu import options, stop_option
from signoff.bot.cards.stopped import stopped_blocks
from signoff.bot.cards.table import counted
from signoff.bot.text.fold import fold
from signoff.bot.text.payload import Value
from signoff.bot.text.row import Row
from signoff.bot.text.text import Block, Trusted, cut, line, literal, mrkdwn, plain, rich, visible
from signoff.bot.text.views import row_blocks, says
from signoff.bot.text.views import title as header
from signoff.bot.text.words import batch_heard, times
from signoff.bot.text.words import batches as words
from signoff.bot.text.words import card as card_words
from signoff.bot.text.words.schema import unusable
from signoff.models.approval import Approval
from signoff.models.batches import Batch
from signoff.models.shown import Shown as ShownThen
from signoff.models.shown import digest_of

ON_CARD = (1500, 15, 6000)
"""Characters and lines of long values, and characters of short ones, that a card holds whole."""
LONG_LINES = 90
"""Lines of all of them on a card: whoever has to scroll on may as well turn pages."""
_ROOMS = ((1000, 10, 2500, 6, 4), (600, 6, 1200, 4, 3), (300, 3, 600, 2, 2), (120, 1, 300, 1, 1))
"""Where not all fits: characters and lines of long shared values, characters of short ones, and how many that
stand out and others are named, until a message holds it."""
_EACH = (160, 2, 400)


@dataclass(frozen=True)
class Shown:
    """What one message shows: `asked` wait, each with its number."""

    batch: Batch
    asked: tuple[Approval, ...]
    numbers: tuple[int, ...]
    found: Gathered

    @property
    def rev(self) -> int:
        """By which block ids differ from those before."""
        return self.batch.revision


def batch_card(batch: Batch, *, now: int | None = None) -> Message:
    """The card of a frozen batch, whatever has become of its requests.

    `now` is the database's clock, in microseconds since 1970: what is past its time has no buttons.
    """
    waits = [(at, one) for at, one in batch.numbered if _waits(one, now)]
    if not waits:
        blocks = [*_head(batch), *over_blocks(batch, now)]
        return Message(_after_text(batch, now), blocks, batch_metadata(batch))
    numbers, asked = tuple(at for at, _ in waits), tuple(one for _, one in waits)
    shown = Shown(batch, asked, numbers, gathered(asked, numbers))
    whole = _whole(shown, now)
    text = heard_card(batch, asked, shown.found, standing(batch, now), whole is not None)
    return Message(text, whole or _folded(shown, now), batch_metadata(batch))


def batch_metadata(batch: Batch) -> dict[str, Any]:
    """How a batch's card is found again. Slack: any app in the workspace reads it."""
    return {"event_type": "signoff_batch", "event_payload": {"agent": batch.agent, "batch": batch.id}}


def shown_token(batch_id: int, shown: Sequence[tuple[int, int]], digest: str) -> str:
    """The value of *Approve all*: which of a batch's requests, by number, which version of each, and the
    digest of what was shown of them.
    """
    spans: list[tuple[int, int, int]] = []
    for number, version in shown:
        if spans and spans[-1][1] == number - 1 and spans[-1][2] == version:
            spans[-1] = (spans[-1][0], number, version)
        else:
            spans.append((number, number, version))
    return f"{batch_id}:{','.join(f'{first}-{last}.{version}' for first, last, version in spans)}:{digest}"


def parse_shown(value: str) -> ShownThen:
    """Such a value; raises UnknownApproval for what is none."""
    try:
        batch_id, rest, digest = value.split(":")
        versions: dict[int, int] = {}
        for span in rest.split(","):
            numbers, _, version = span.partition(".")
            first, _, last = numbers.partition("-")
            if int(last) - int(first) > 10_000:
                raise ValueError
            versions |= dict.fromkeys(range(int(first), int(last) + 1), int(version))
        return ShownThen(int(batch_id), versions, digest)
    except ValueError:
        raise UnknownApproval from None


def actions_of(asked: Sequence[Approval]) -> list[tuple[str, int]]:
    """Which actions, and how many of each, the most frequent first."""
    return Counter(one.action for one in asked).most_common()


def _waits(one: Approval, now: int | None) -> bool:
    return one.pending and (now is None or now < one.expires_at)


def _head(batch: Batch, *about: Trusted) -> list[Block]:
    """The header, the same in every state; below it what the agent calls it, marked as that."""
    title = header(words.header(actions_of(batch.items), len(batch.items)))
    parts = [
        mrkdwn(text) for text in about or (words.asked(batch.agent, batch.frozen_at or batch.created_at),)
    ]
    called = visible(batch.title.strip())
    parts += [plain(words.called(cut(called, 200)))] if called else []
    return [
        {"type": "header", "block_id": f"header:{batch.revision}", "text": title},
        {"type": "context", "block_id": f"about:{batch.revision}", "elements": parts},
    ]


def _top(shown: Shown, now: int | None) -> list[Block]:
    """Who asks whom, until when, how many of each, and how many have cards of their own."""
    batch, asked = shown.batch, shown.asked
    approvers = tuple(dict.fromkeys(name for one in asked for name in times.people(one)))
    ends = {one.expires_at for one in asked}
    about = words.asks(batch.agent, approvers, ends)
    told = list(dict.fromkeys(line for one in asked for line in times.lines(one)))[:TOLD]
    return [
        *_head(batch, about),
        *stopped_blocks(next((one for one in asked if one.stop is not None), asked[0])),
        *([_told(batch.revision, told)] if told else []),
        *standing(batch, now).blocks,
        *ended_blocks(batch, now),
        {"type": "divider"},
    ]


def _told(revision: int, lines: Sequence[Trusted]) -> Block:
    """Who is asked when, and in whose place."""
    return {"type": "context", "block_id": f"times:{revision}", "elements": [*map(mrkdwn, lines)]}


def _bottom(shown: Shown, whole: bool, room: tuple[int, int]) -> list[Block]:
    """What is at stake, the agent's words, what can mislead, and the buttons."""
    rev, asked = shown.rev, shown.asked
    found: list[Block] = [] if whole else [note_block(f"folded:{rev}", words.folded())]
    gaps = [one for one in asked if one.request.schema_left_out]
    if gaps:
        found.append(note_block(f"schema:{rev}", unusable(gaps[0].request.schema_gaps)))
    found += [{"type": "divider"}, stakes_block(asked, f"stakes:{rev}")]
    found += _over_sums(shown)
    each = None if same_claims(asked) or not whole else claims_each(asked, shown.numbers, f"claims:{rev}")
    found += each or claims_of(asked, room, f"claims:{rev}")
    if shown.found.warnings:
        found.append(note_block(f"warning:{rev}", cut("\n".join(shown.found.warnings), 1500)))
    return [*found, _actions(shown, whole)]


def _over_sums(shown: Shown) -> list[Block]:
    """Which sums of the policy had a person asked."""
    told = dict.fromkeys(visible(one.verdict.over) for one in shown.asked if one.verdict.over)
    lines = [card_words.asks_as(why) for why in list(told)[:3]]
    return [note_block(f"over:{shown.rev}", "\n".join(lines))] if lines else []


def _actions(shown: Shown, whole: bool) -> Block:
    batch, asked, count = shown.batch, shown.asked, len(shown.asked)
    pairs = [(at, one.version) for at, one in zip(shown.numbers, shown.asked, strict=True)]
    value = shown_token(batch.id, pairs, digest_of(shown.asked))
    fits = len(value) <= BUTTON_VALUE
    if whole and fits:
        first = approve_button("batch_approve", words.approve_all(count), value, shown.asked)
    else:
        first = button("batch_review", card_words.REVIEW_MORE, str(batch.id))
    others = [
        button("batch_reject", words.REJECT_ALL, value if fits else str(batch.id)),
        button("batch_each", words.REVIEW_EACH, str(batch.id)),
    ]
    held = [one for one in shown.asked if one.stop is not None]
    if held:  # what is stopped nobody decides: of the others, each by itself
        first, *others = others[1:] if len(held) < count else [look_button(batch)]
    more = [("batch_review", card_words.REVIEW_MORE)] if first["action_id"] == "batch_approve" else []
    if count < len(batch.items) and first["action_id"] != "batch_look":
        more.append(("batch_look", words.LOOK_THROUGH))
    by = options([*((f"{name}:{batch.id}", label) for name, label in more), stop_option((held or asked)[0])])
    return {"type": "actions", "block_id": f"actions:{shown.rev}", "elements": [first, *others, by]}


def _whole(shown: Shown, now: int | None) -> list[Block] | None:
    """The card with every payload in full, and why it is asked of each; None where that does not fit it."""
    found, rev = shown.found, shown.rev
    if not same_claims(shown.asked) and claims_each(shown.asked, shown.numbers, "claims") is None:
        return None
    rows = [row for rows in found.shared for row in rows] + [row for one in found.items for row in one.rows]
    if any(row.partial for row in rows) or sum(row.size for row in rows) > MESSAGE_TOTAL:
        return None
    long = [value for value in _values(found) if not value.is_line]
    if not fold(long, *ON_CARD[:2], ON_CARD[2]).whole:
        return None
    blocks = _shared(shown, [row for shared in found.shared for row in shared])
    if found.outliers:
        blocks.append(says(words.LOOK_FIRST, f"first:{rev}"))
        blocks += row_blocks([row for one in found.outliers for row in marked(one)], f"outliers:{rev}")
    if found.others and len(found.items) > 1 and (found.paths or not found.one_action or found.outliers):
        tabled = table(found.others, found, f"table:{rev}")
        blocks += [says(words.THE_OTHERS, f"others:{rev}")] if found.outliers else []
        others = [row for one in found.others for row in one.rows]
        if tabled is None and sum(row.lines for row in others) > LONG_LINES:
            return None
        blocks += [tabled] if tabled else row_blocks(others, f"items:{rev}")
    for room in ((700, 8), (200, 3)):
        every = [*_top(shown, now), *blocks, *_bottom(shown, True, room)]
        if counted(every) <= MESSAGE_TOTAL and len(every) <= MESSAGE_BLOCKS:
            return every
    return None


def _values(found: Gathered) -> list[Value]:
    return [Value(rows) for rows in found.shared] + [Value((row,)) for one in found.items for row in one.rows]


def _shared(shown: Shown, rows: Sequence[Row]) -> list[Block]:
    rev, count = shown.rev, len(shown.asked)
    if not rows:
        shared = shown.found.paths or not shown.found.one_action
        return [note_block(f"same:{rev}", words.nothing_shared() if shared else card_words.EMPTY_PAYLOAD)]
    heading = [says(words.same_in_all(count), f"same-in:{rev}")] if count > 1 else []
    return [*heading, *row_blocks(rows, f"same:{rev}")]


def _folded(shown: Shown, now: int | None) -> list[Block]:
    """As much of it as a message holds; what is left out is counted where it stood."""
    found, rev = shown.found, shown.rev
    every: list[Block] = []
    for characters, lines, short, first, then in _ROOMS:
        kept = fold([Value(rows) for rows in found.shared], characters, lines, short).rows
        blocks = _shared(shown, kept)
        if found.outliers:
            blocks.append(says(words.LOOK_FIRST, f"first:{rev}"))
            blocks += _some(found.outliers, first, f"outliers:{rev}")
        if found.others and len(found.items) > 1:
            blocks += [says(words.THE_OTHERS, f"others:{rev}")] if found.outliers else []
            blocks += _some(found.others, then, f"items:{rev}")
        every = [*_top(shown, now), *blocks, *_bottom(shown, False, (characters // 2, lines))]
        if counted(every) <= MESSAGE_TOTAL and len(every) <= MESSAGE_BLOCKS:
            break
    return every


def _some(items: Sequence[Item], most: int, block_id: str) -> list[Block]:
    """The first of them, each folded, and how many come after."""
    rows = [row for one in items[:most] for row in fold([Value((row,)) for row in marked(one)], *_EACH).rows]
    blocks = row_blocks(rows, block_id)
    if len(items) > most:
        more = line(literal(words.more_items(len(items) - most), "italic"))
        blocks.append(rich(f"{block_id}-more", more))
    return blocks


def _after_text(batch: Batch, now: int | None) -> Trusted:
    counts: Literal[""] | Trusted = standing(batch, now).line
    return batch_heard.spoken_after(
        batch.agent, batch_heard.of_actions(actions_of(batch.items)), Trusted(counts)
    )
