"""A list of like objects as Slack's data table, and as text where Slack does not take one; pure.

A data table pages, so it never counts as shown whole: no Approve stands beside one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby

from signoff.bot.blocks import (
    DATA_TABLE_ROWS,
    DATA_TABLE_TEXT,
    MESSAGE_TOTAL,
    total_length,
)
from signoff.bot.text.row import Row
from signoff.bot.text.text import Block, cut, length, literal, rich
from signoff.bot.text.views import row_blocks
from signoff.bot.text.words import summaries as words

PAGE = 10
"""Rows that Slack shows at once: about a phone's screen."""
CAPTION = 300
TEXT = 1500
"""Characters of a table that stands as text: about a phone's screen, see `fold.CHARACTERS`."""
KIND = "data_table"


def table_block(row: Row, block_id: str) -> Block:
    """The table of a row that has one: as many of its lines as Slack takes; its caption counts them all."""
    header, *lines = row.table
    room = DATA_TABLE_TEXT - 2 * CAPTION - sum(map(length, header))
    kept: list[Sequence[str]] = []
    for line in lines[:DATA_TABLE_ROWS]:
        room -= sum(map(length, line))
        if room < 0:
            break
        kept.append(line)
    name = cut(" › ".join(row.path), CAPTION)
    return {
        "type": KIND,
        "block_id": block_id,
        "caption": words.caption(name, len(kept), len(lines)),
        "page_size": PAGE,
        "rows": [[_cell(text) for text in line] for line in (header, *kept)],
    }


def payload_blocks(shown: Iterable[Row], prefix: str) -> list[Block]:
    """Rows as blocks; one that has a table and no text stands as the table."""
    found: list[Block] = []
    groups = groupby(shown, key=lambda row: bool(row.table) and not row.text)
    for number, (is_table, rows) in enumerate(groups):
        if is_table:
            found += [table_block(row, f"{prefix}:table-{number}-{at}") for at, row in enumerate(rows)]
        else:
            found += row_blocks(rows, prefix if number == 0 else f"{prefix}-{number}")
    return found


def counted(blocks: Sequence[Block]) -> int:
    """Characters of a message that share its total: a data table has one of its own."""
    return total_length([block for block in blocks if block["type"] != KIND])


def has_table(blocks: Sequence[Block]) -> bool:
    """Whether a message holds a data table."""
    return any(block["type"] == KIND for block in blocks)


def without_tables(blocks: Sequence[Block]) -> list[Block]:
    """The same message with its data tables as text, as far as there is room."""
    room = min(TEXT, max(MESSAGE_TOTAL - counted(blocks), CAPTION))
    return [_as_text(block, room) if block["type"] == KIND else block for block in blocks]


def _as_text(block: Block, room: int) -> Block:
    lines = [" │ ".join(cell["text"] for cell in line) for line in block["rows"]]
    kept: list[str] = []
    for line in lines:
        room -= length(line) + 1
        if room < 0 and kept:
            break
        kept.append(cut(line, CAPTION) if room < 0 else line)
    more = words.more_rows(len(lines) - len(kept)) if len(kept) < len(lines) else ""
    parts: list[Block] = [{"type": "rich_text_preformatted", "elements": [literal("\n".join(kept))]}]
    if more:
        parts.append({"type": "rich_text_section", "elements": [literal(more, "italic")]})
    return rich(block["block_id"], *parts)


def _cell(text: str) -> Block:
    return {"type": "raw_text", "text": text or '""'}
