"""Several requests in pages, every payload in full: what *Review…* of a batch opens; pure.

What all share stands once, on the first page; then each with what is its own, those that stand out first. A
page approves what was shown up to its end, at the versions that it shows, and nothing else.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from signoff.approvals.errors import UnknownApproval
from signoff.bot.cards.batch_after import counted, state
from signoff.bot.cards.batch_items import Gathered, Item, note_block
from signoff.bot.cards.batch_parts import approve_button, button, claims_of, marked, stakes_block
from signoff.bot.text.claims import claims
from signoff.bot.text.fold import split
from signoff.bot.text.paragraphs import elements
from signoff.bot.text.quotes import quoted
from signoff.bot.text.row import Row
from signoff.bot.text.text import Block, cut, length, mrkdwn, plain, rich, visible
from signoff.bot.text.views import BLOCK_CHARACTERS, BLOCK_ROWS, TITLE, note, says
from signoff.bot.text.words import batch_marks as mark_words
from signoff.bot.text.words import batches as words
from signoff.bot.text.words import card as card_words
from signoff.bot.text.words import forms as forms_words
from signoff.bot.together.gathering import gathered_once
from signoff.models.approval import Approval
from signoff.models.batches import Review

PAGE_BYTES = 150_000
"""Of a page's blocks as JSON. Slack: a view holds 250 KB."""
PAGE_BLOCKS = 70
"""Slack: a view holds 100 blocks."""
PAGE_ITEMS = 25
"""Requests of a page: who reads on a phone turns pages rather than scroll through hundreds."""
CLAIMS = (2500, 25)
SHORT = 160
"""Characters of what the agent says of one of them that stand on a line, in quotes."""
LOOK = "look:"
"""How the id of a review begins that is only to look at; its batch's id follows."""


@dataclass(frozen=True)
class Looked:
    """A review with its requests as they are now: `numbers` are what people know them by, `title` the
    agent's for a batch, empty without one. `came_from` is the review that this one was begun in, `digest` is
    of what its pages show: the view keeps it, and what decides there compares it.
    """

    review: Review
    asked: tuple[Approval, ...]
    numbers: tuple[int, ...]
    title: str = ""
    came_from: str = ""
    digest: str = ""

    @property
    def shown(self) -> tuple[Approval, ...]:
        """Each with the payload that the review is about, whatever has been made of it since."""
        versions = (version for _, version in self.review.items)
        return tuple(as_reviewed(one, at) for one, at in zip(self.asked, versions, strict=True))

    @property
    def over(self) -> bool:
        """Whether it is only to look at: nothing is decided in it."""
        return self.review.id.startswith(LOOK)

    @property
    def value(self) -> str:
        """What a button says of it."""
        return f"review:{self.review.id}"

    def waits(self, at: int) -> bool:
        """Whether one of them can still be decided as it was shown."""
        return self.asked[at].pending and self.asked[at].version == self.review.items[at][1]


@dataclass(frozen=True)
class Page:
    """One page: its blocks, and how many of the requests have been shown whole at its end."""

    blocks: tuple[Block, ...]
    seen: int


def as_reviewed(approval: Approval, version: int) -> Approval:
    """An Approval with the payload of an earlier version: that of the first one is as the agent sent it."""
    if approval.version == version or version != 1:
        return approval
    sent = approval.request
    return replace(approval, version=1, payload=sent.payload, payload_text=sent.payload_text)


def review_pages(looked: Looked) -> list[Page]:
    """All pages; at least one. Together they hold every byte of every payload."""
    found = gathered_once(looked.review.id, looked.shown, looked.numbers)
    return pages(looked, found)


def pages(looked: Looked, found: Gathered) -> list[Page]:
    """The same, where the caller has gathered them."""
    by_number = {one.number: one for one in found.items}
    items = [by_number[number] for number in looked.numbers]
    differ = len({tuple((said.label, said.text) for said in claims(one.request)) for one in looked.asked}) > 1
    shared = [row for rows in found.shared for row in rows]
    done: list[Page] = []
    blocks: list[Block] = []
    room, started, whole = PAGE_BYTES, 0, 0
    for number, (rows, ends, starts) in enumerate(_groups(shared, items, looked, differ)):
        block = rich(f"page:{number}", *elements(rows))
        size = len(json.dumps(block))
        full = size > room or len(blocks) == PAGE_BLOCKS or started + starts > PAGE_ITEMS
        if blocks and full:
            done.append(Page(tuple(blocks), whole))
            blocks, room, started = [], PAGE_BYTES, 0
        blocks.append(block)
        room, started, whole = room - size, started + starts, whole + ends
    return [*done, Page(tuple(blocks), len(items))]


def review_view(looked: Looked, page: int = 1, *, decides: bool = True, laid: str = "") -> Block:
    """One page, counted from 1; a number outside is taken to the nearest. It keeps how many it has shown.

    `laid` is how the page before was laid out, as that keeps it: where they are laid out otherwise by now, it
    begins with the first page again, so that nothing counts as seen that fell between two pages.
    """
    found = gathered_once(looked.review.id, looked.shown, looked.numbers)
    every = pages(looked, found)
    layout = _layout(every)
    page = 1 if laid not in ("", layout) else min(max(page, 1), len(every))
    here, last = every[page - 1], page == len(every)
    blocks = [*_about(looked, page == 1), *_warned(looked, found, page == 1)]
    if len(every) > 1:
        told = words.page_of(page, len(every), here.seen, len(looked.asked))
        blocks.append(note_block("page", told))
    if page == 1 and found.shared and len(looked.asked) > 1:
        blocks.append(says(words.same_in_all(len(looked.asked)), "same"))
    blocks += here.blocks or (note(card_words.EMPTY_PAYLOAD),)
    if last and page > 1:
        blocks.append(stakes_block(looked.asked, "stakes-again"))
    blocks += _ways(looked, here.seen, last) if decides else []
    blocks += _turns(page, last)
    kept: dict[str, Any] = {"review": looked.review.id, "page": page, "seen": here.seen}
    kept |= {"from": looked.came_from, "digest": looked.digest, "laid": layout}
    title = words.RESULT_TITLE if looked.over else words.TITLE
    return batch_modal("batch_review", title, blocks, **kept)


def _layout(every: Sequence[Page]) -> str:
    """Of how pages are laid out: which requests end on which, and how many rows each block has."""
    found = [(one.seen, [len(block["elements"]) for block in one.blocks]) for one in every]
    return hashlib.sha256(json.dumps(found).encode()).hexdigest()[:16]


def read_kept(view: Block) -> dict[str, Any]:
    """What a view of several keeps; raises UnknownApproval for what is none of ours."""
    try:
        kept = json.loads(view.get("private_metadata") or "")
    except ValueError:
        raise UnknownApproval from None
    if not isinstance(kept, dict) or not isinstance(kept.get("review"), str):
        raise UnknownApproval
    return kept


def batch_modal(
    callback_id: str, title: str, blocks: Sequence[Block], submit: str = "", **kept: Any
) -> Block:
    """A view about several requests. `clear_on_close`, because those below it may be of yesterday."""
    found: Block = {
        "type": "modal",
        "callback_id": callback_id,
        "title": plain(cut(title, TITLE)),
        "close": plain(forms_words.CLOSE),
        "clear_on_close": True,
        "private_metadata": json.dumps({name: value for name, value in kept.items() if value != ""}),
        "blocks": list(blocks),
    }
    return found | ({"submit": plain(submit)} if submit else {})


def _groups(
    shared: Sequence[Row], items: Sequence[Item], looked: Looked, differ: bool
) -> Iterator[tuple[list[Row], int, int]]:
    """Rows of one block each, how many requests end in it, and how many begin."""
    group: list[Row] = []
    room, ends, starts = BLOCK_CHARACTERS, 0, 0
    parts: list[list[Row]] = [list(split(shared, BLOCK_CHARACTERS))]
    parts += [list(split(_rows(one, looked, at, differ), BLOCK_CHARACTERS)) for at, one in enumerate(items)]
    for at, rows in enumerate(parts):
        for index, row in enumerate(rows):
            begins = at > 0 and index == 0
            new = group and (
                row.size > room or len(group) >= BLOCK_ROWS or (begins and (at - 1) % PAGE_ITEMS == 0)
            )
            if new:
                yield group, ends, starts
                group, room, ends, starts = [], BLOCK_CHARACTERS, 0, 0
            group.append(row)
            room -= row.size
            starts += begins
        ends += at > 0
    if group:
        yield group, ends, starts


def _rows(one: Item, looked: Looked, at: int, differ: bool) -> list[Row]:
    """A request's own rows: why it stands out, what has become of it, and what the agent says of it alone."""
    rows = marked(one)
    if (said := _became(looked, at)) is not None:
        rows.append(Row((), ((said, "italic"),)))
    if differ and (told := list(claims(one.approval.request))):
        text = "\n".join(f"{claim.label}: {claim.text}" if claim.label else claim.text for claim in told)
        if "\n" in text or length(text) > SHORT:
            rows += [Row((), ((card_words.AGENT_SAYS, "italic"),)), Row((), ((text, ""),), "code")]
        else:
            rows.append(Row((), ((f"{card_words.AGENT_SAYS}: ", "italic"), (quoted(text), ""))))
    return rows


def _became(looked: Looked, at: int) -> str | None:
    """What has become of one that is not decided here any more, and the code to look it up by."""
    current = looked.asked[at]
    if current.pending and looked.waits(at):
        return mark_words.by_code(mark_words.WAITS, current.code) if looked.over else None
    if current.pending:
        return mark_words.CHANGED_SINCE
    by = visible(current.decision.name.strip()) if current.decision else ""
    return mark_words.by_code(mark_words.became(state(current, None), by), current.code)


def _about(looked: Looked, first: bool) -> list[Block]:
    """Who asks whom, and until when; on the first page what the agent calls it, too. Over what is only to
    look at, how many of each there are.
    """
    asked = [one for at, one in enumerate(looked.asked) if looked.waits(at)]
    if not asked and not looked.over:
        return [says(words.NOTHING_WAITS, "about")]
    of = asked or looked.asked
    approvers = tuple(dict.fromkeys(name for one in of for name in one.verdict.approvers))
    told = words.asks(of[0].agent, approvers, {one.expires_at for one in of})
    told = told if asked else words.asked(of[0].agent, min(one.created_at for one in of))
    called = visible(looked.title.strip())
    parts = [plain(words.header(_actions(looked.asked), len(looked.asked))), mrkdwn(told)]
    parts += [plain(words.called(cut(called, 200)))] if called and first else []
    about: Block = {"type": "context", "block_id": "about", "elements": parts}
    return [about, says(counted(looked.asked), "counts")] if looked.over and first else [about]


def _actions(asked: Sequence[Approval]) -> list[tuple[str, int]]:
    counts: dict[str, int] = {}
    for one in asked:
        counts[one.action] = counts.get(one.action, 0) + 1
    return sorted(counts.items(), key=lambda pair: -pair[1])


def _warned(looked: Looked, found: Gathered, first: bool) -> list[Block]:
    """What is at stake, what the agent says, and what can mislead: once, before all else."""
    if not first:
        return []
    told = {tuple((said.label, said.text) for said in claims(one.request)) for one in looked.asked}
    blocks = [stakes_block(looked.asked, "stakes")]
    blocks += claims_of(looked.asked, CLAIMS, "claims") if len(told) == 1 else []
    blocks += [note_block("warning", cut("\n".join(found.warnings), 2900))] if found.warnings else []
    return [*blocks, {"type": "divider"}]


def _ways(looked: Looked, seen: int, last: bool) -> list[Block]:
    """The buttons that decide."""
    waiting = [one for at, one in enumerate(looked.asked[:seen]) if looked.waits(at)]
    every = sum(looked.waits(at) for at in range(len(looked.asked)))
    buttons = []
    if waiting:
        label = words.approve_all(len(waiting)) if last else words.approve_seen(len(waiting))
        buttons.append(approve_button("batch_approve_seen", label, str(seen), waiting))
    if every:
        buttons.append(button("batch_reject", words.REJECT_ALL, looked.value))
        buttons.append(button("batch_each", words.REVIEW_EACH, looked.value))
    found: list[Block] = [{"type": "divider"}]
    if waiting:
        found.append(note_block("runs", words.confirm_text(*_undo(waiting))))
    return [*found, {"type": "actions", "block_id": "ways", "elements": buttons}] if buttons else []


def _undo(asked: Sequence[Approval]) -> tuple[int, int, int, int]:
    kinds = [
        "nobody" if one.verdict.reversibility_from == "nobody" else one.verdict.reversibility for one in asked
    ]
    return len(asked), kinds.count("irreversible"), kinds.count("nobody"), kinds.count("costly")


def _turns(page: int, last: bool) -> list[Block]:
    """The way to the page before and to the next."""
    buttons = [button("batch_page_back", forms_words.BACK, str(page - 1))] if page > 1 else []
    buttons += [] if last else [button("batch_page_next", forms_words.NEXT, str(page + 1))]
    return [{"type": "actions", "block_id": "pages", "elements": buttons}] if buttons else []
