"""The whole payload in pages: what Review… opens, and the page that approves; pure."""

from __future__ import annotations

import json
from collections.abc import Sequence

from signoff.bot.forms.edit_form import can_edit
from signoff.bot.forms.frame import about_blocks, claims_blocks, other_ways
from signoff.bot.text.fold import PIECE_LINES, split
from signoff.bot.text.paragraphs import elements
from signoff.bot.text.payload import rows
from signoff.bot.text.row import Row
from signoff.bot.text.text import Block, rich
from signoff.bot.text.views import (
    BLOCK_CHARACTERS,
    chunks,
    final,
    modal,
    note,
    page_back,
    read_metadata,
    stakes,
    warned,
)
from signoff.bot.text.words import card as card_words
from signoff.bot.text.words import forms as forms_words
from signoff.bot.text.words.schema import unusable
from signoff.models.approval import Approval

PAGE_BYTES = 190_000
"""Bytes of a page's payload as JSON. Slack: a view holds 250 KB."""
PAGE_BLOCKS = 80
"""Slack: a view holds 100 blocks."""


def pages(approval: Approval, whole: Sequence[Row] | None = None) -> list[list[Block]]:
    """The payload's blocks by page; at least one page. Together they hold every byte of it.

    Few pages, as large as a view can be: who wants to read on scrolls, and who has read enough decides.
    `whole` are all its rows, where the caller has them.
    """
    whole = rows_of(approval) if whole is None else whole
    found: list[list[Block]] = [[]]
    left = PAGE_BYTES
    for number, group in enumerate(chunks(split(whole, BLOCK_CHARACTERS), PIECE_LINES)):
        block = rich(f"page:{number}", *elements(group))
        size = len(json.dumps(block))
        if found[-1] and (size > left or len(found[-1]) == PAGE_BLOCKS):
            found.append([])
            left = PAGE_BYTES
        found[-1].append(block)
        left -= size
    return found


def rows_of(approval: Approval) -> list[Row]:
    """All of the payload's rows, with bytes as text."""
    return list(rows(approval.request.json_schema, approval.payload, True, approval.in_thread))


def review_view(approval: Approval, page: int = 1, *, may_decide: bool = True) -> Block:
    """One page, counted from 1; a number outside is taken to the nearest.

    Submit goes on to the next; on the last one it approves, for those who may, while the approval is pending.
    """
    whole = rows_of(approval)
    found = pages(approval, whole)
    page = min(max(page, 1), len(found))
    last = page == len(found)
    blocks = about_blocks(approval)
    if len(found) > 1:
        blocks.append(note(forms_words.page_of(page, len(found)), "page"))
    if page == 1 and approval.request.schema_left_out:
        blocks.append(note(unusable(approval.request.schema_gaps), "schema"))
    blocks += found[page - 1] or [note(card_words.EMPTY_PAYLOAD)]
    if last:
        blocks += [{"type": "divider"}, *_end(approval, may_decide, whole)]
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


def _end(approval: Approval, may_decide: bool, whole: Sequence[Row]) -> list[Block]:
    """What the card says below the payload, and the other ways to decide."""
    found = [stakes(approval), *claims_blocks(approval)]
    if not approval.pending:
        return [*found, note(forms_words.only_decided(approval.status), "over")]
    found += warned(approval, approval.payload)
    if not may_decide:
        return found
    return [*found, final(approval), other_ways(approval, edit=can_edit(approval, whole))]
