"""The whole payload in pages: what Review… opens, and the page that approves; pure."""

from __future__ import annotations

from signoff.bot.text.fold import PIECE_LINES, split
from signoff.bot.text.payload import Row, rows
from signoff.bot.text.text import Block
from signoff.bot.text.views import (
    BLOCK_CHARACTERS,
    chunks,
    final,
    modal,
    note,
    page_back,
    read_metadata,
    row_blocks,
    stakes,
    warned,
)
from signoff.bot.text.words import card as card_words
from signoff.bot.text.words import forms as forms_words
from signoff.models.approval import Approval
from signoff.payload.canonical import digest

PAGE = 9000
"""Characters of a page: a few screens of a phone. In Slack's JSON a character is at most 6 bytes here, so
a page stays far below the 250 KB of a view."""
PAGE_BLOCKS = 60
PAGE_LINES = 150


def pages(approval: Approval) -> list[list[Row]]:
    """The payload's rows by page; at least one page. Together they hold every byte of it."""
    whole = rows(approval.request.json_schema, approval.payload, whole=True)
    found: list[list[Row]] = [[]]
    left = (PAGE, PAGE_LINES, PAGE_BLOCKS)
    for group in chunks(split(whole, BLOCK_CHARACTERS), PIECE_LINES):
        takes = (sum(row.size for row in group), sum(row.lines for row in group), 1)
        if found[-1] and any(take > room for take, room in zip(takes, left, strict=True)):
            found.append([])
            left = (PAGE, PAGE_LINES, PAGE_BLOCKS)
        found[-1] += group
        left = (left[0] - takes[0], left[1] - takes[1], left[2] - takes[2])
    return found


def review_view(approval: Approval, page: int = 1, *, may_decide: bool = True) -> Block:
    """One page, counted from 1; a number outside is taken to the nearest.

    Submit goes on to the next; on the last one it approves, for those who may, while the approval is pending.
    """
    found = pages(approval)
    page = min(max(page, 1), len(found))
    last = page == len(found)
    shown = found[page - 1]
    blocks: list[Block] = []
    if len(found) > 1:
        where = forms_words.page_of(page, len(found))
        on = page > 1 and shown and not shown[0].path
        blocks.append(note(f"{where} · {forms_words.continued(page - 1)}" if on else where, "page"))
    if page == 1 and approval.request.schema_left_out:
        blocks.append(note(card_words.SCHEMA_LEFT_OUT, "schema"))
    blocks += row_blocks(shown, f"page:{page}") if shown else [note(card_words.EMPTY_PAYLOAD)]
    if last:
        blocks += [{"type": "divider"}, *_end(approval, may_decide)]
    else:
        blocks.append(note(forms_words.read_on(), "on"))
    if page > 1:
        blocks.append(page_back("page", approval))
    approves = card_words.APPROVE if may_decide and approval.pending else None
    return modal(
        "review",
        approval.action,
        blocks,
        approval,
        approves if last else forms_words.NEXT,
        page=page,
        pages=len(found),
    )


def read_page(view: Block) -> tuple[int, int]:
    """(the page that a review view shows, how many there are); raises UnknownApproval."""
    kept = read_metadata(view)
    page, count = kept.get("page"), kept.get("pages")
    return (page, count) if isinstance(page, int) and isinstance(count, int) else (1, 1)


def _end(approval: Approval, may_decide: bool) -> list[Block]:
    sha256 = note(forms_words.digest_line(digest(approval.payload_text)), "digest")
    if not approval.pending:
        return [stakes(approval), note(forms_words.only_decided(approval.status), "over"), sha256]
    return [
        stakes(approval),
        *warned(approval, approval.payload),
        *([final(approval)] if may_decide else []),
        sha256,
    ]
