"""The blocks themselves: which fields each kind has, and on which surface it may stand."""

from __future__ import annotations

from typing import Any, Final

from signoff.bot.blocks.elements import ELEMENTS, IN_ACTIONS, IN_INPUT, IN_SECTION, image
from signoff.bot.blocks.limits import (
    ACTIONS_ELEMENTS,
    ALERT_TEXT,
    ALT_TEXT,
    CARD_BODY,
    CARD_TITLE,
    CAROUSEL_CARDS,
    CONTAINER_BLOCKS,
    CONTEXT_ACTIONS_ELEMENTS,
    CONTEXT_ELEMENTS,
    DATA_TABLE_ROWS,
    DATA_TABLE_TEXT,
    FIELD_TEXT,
    HEADER_TEXT,
    ID,
    LABEL,
    MARKDOWN_TEXT,
    SECTION_FIELDS,
    SECTION_TEXT,
    TABLE_COLUMNS,
    TABLE_ROWS,
    TEXT,
    VIDEO_AUTHOR,
    VIDEO_TITLE,
)
from signoff.bot.blocks.rich import rich_parts, rich_text
from signoff.bot.blocks.rules import (
    Check,
    Rule,
    Shape,
    boolean,
    integer,
    items,
    nullable,
    number,
    once,
    one_of,
    plain,
    string,
    text,
    typed,
    web_url,
)

_BLOCK_ID = once(string(ID), "block_ids", "block_id must be unique")
_children: dict[str, Rule] = {}


def _block(required: tuple[str, ...] = (), one: tuple[str, ...] = (), **fields: Rule) -> Shape:
    return Shape({**fields, "block_id": _BLOCK_ID}, required, one)


def _only(rule: Rule, *surfaces: str) -> Rule:
    def somewhere(check: Check, value: Any, at: str) -> None:
        if check.surface not in surfaces:
            check.add(at, f"this block is only for a {' or a '.join(surfaces)}")
        rule(check, value, at)

    return somewhere


def _markdown(check: Check, value: Any, at: str) -> None:
    string(MARKDOWN_TEXT)(check, value, at)
    check.markdown += len(value) if isinstance(value, str) else 0
    if check.markdown > MARKDOWN_TEXT:
        check.add(at, f"markdown blocks hold {MARKDOWN_TEXT} characters together")


def _table(check: Check, value: Any, at: str) -> None:
    check.tables += 1
    if check.tables > 1:
        check.add(at, "only one table is allowed")
    _TABLE(check, value, at)


def _data_table(check: Check, value: Any, at: str) -> None:
    _DATA_TABLE(check, value, at)
    rows = value.get("rows") if isinstance(value, dict) else None
    if not isinstance(rows, list) or not all(isinstance(row, list) for row in rows):
        return
    if len({len(row) for row in rows}) > 1:
        check.add(f"{at}/rows", "every row must have as many cells as the header")
    for column, cell in enumerate(rows[0] if rows else ()):
        if isinstance(cell, dict) and cell.get("type") == "rich_text":
            check.add(f"{at}/rows/0/{column}/type", "unsupported type: rich_text")
    if sum(map(characters, rows)) > DATA_TABLE_TEXT:
        check.add(f"{at}/rows", f"all cells together must be less than {DATA_TABLE_TEXT + 1} characters")


def characters(value: Any) -> int:
    """Characters of every `text` in it."""
    if isinstance(value, list):
        return sum(map(characters, value))
    if not isinstance(value, dict):
        return 0
    own = value.get("text")
    return (len(own) if isinstance(own, str) else 0) + sum(map(characters, value.values()))


def _input_element(check: Check, value: Any, at: str) -> None:
    typed(ELEMENTS, *IN_INPUT)(check, value, at)
    if isinstance(value, dict) and value.get("type") == "file_input" and check.surface != "modal":
        check.add(at, "file_input is only for a modal")


_CELLS: dict[str, Rule] = {
    "raw_text": Shape({"text": string(SECTION_TEXT)}, ("text",)),
    "raw_number": Shape({"value": number, "text": string(SECTION_TEXT)}, ("value", "text")),
    "rich_text": rich_text,
}
_TABLE = _block(
    ("rows",),
    rows=items(items(typed(_CELLS), 1, TABLE_COLUMNS), 1, TABLE_ROWS),
    column_settings=items(
        nullable(Shape({"align": one_of("left", "center", "right"), "is_wrapped": boolean})), 0, TABLE_COLUMNS
    ),
)
_DATA_TABLE = _block(
    ("caption", "rows"),
    caption=string(TEXT),
    rows=items(items(typed(_CELLS), 1, TABLE_COLUMNS), 2, DATA_TABLE_ROWS + 1),
    page_size=integer(1, DATA_TABLE_ROWS),
    row_header_column_index=integer(0, TABLE_COLUMNS - 1),
)
_CONTEXT: dict[str, Rule] = {
    "image": image(),
    "plain_text": text(TEXT, "plain_text"),
    "mrkdwn": text(TEXT, "mrkdwn"),
}
_CARD = _block(
    (),
    ("hero_image", "title", "actions", "body"),
    hero_image=image(),
    icon=image(),
    title=text(CARD_TITLE),
    subtitle=text(CARD_TITLE),
    body=text(CARD_BODY),
    actions=items(typed(ELEMENTS, "button"), 1, CONTEXT_ACTIONS_ELEMENTS),
)
BLOCKS: Final[dict[str, Rule]] = {
    "section": _block(
        (),
        ("text", "fields"),
        text=text(SECTION_TEXT),
        fields=items(text(FIELD_TEXT), 1, SECTION_FIELDS),
        accessory=typed(ELEMENTS, *IN_SECTION),
        expand=boolean,
    ),
    "header": _block(("text",), text=plain(HEADER_TEXT)),
    "context": _block(("elements",), elements=items(typed(_CONTEXT), 1, CONTEXT_ELEMENTS)),
    "divider": _block(),
    "actions": _block(("elements",), elements=items(typed(ELEMENTS, *IN_ACTIONS), 1, ACTIONS_ELEMENTS)),
    "input": _block(
        ("label", "element"),
        label=plain(LABEL),
        element=_input_element,
        hint=plain(LABEL),
        optional=boolean,
        dispatch_action=boolean,
    ),
    "image": image(title=plain(ALT_TEXT), block_id=_BLOCK_ID),
    "rich_text": _block(("elements",), elements=rich_parts),
    "markdown": _only(_block(("text",), text=_markdown), "message"),
    "table": _only(_table, "message"),
    "data_table": _only(_data_table, "message", "home"),
    "context_actions": _only(
        _block(
            ("elements",),
            elements=items(typed(ELEMENTS, "feedback_buttons", "icon_button"), 1, CONTEXT_ACTIONS_ELEMENTS),
        ),
        "message",
    ),
    "alert": _only(
        _block(
            ("text",),
            text=text(ALERT_TEXT),
            level=one_of("default", "info", "warning", "error", "success"),
        ),
        "modal",
    ),
    "video": _block(
        ("alt_text", "title", "thumbnail_url", "video_url"),
        alt_text=string(ALT_TEXT),
        title=plain(VIDEO_TITLE),
        title_url=web_url,
        description=plain(VIDEO_TITLE),
        thumbnail_url=web_url,
        video_url=web_url,
        author_name=string(VIDEO_AUTHOR),
        provider_name=string(VIDEO_AUTHOR),
        provider_icon_url=web_url,
    ),
    "card": _only(_CARD, "message"),
    "carousel": _only(
        _block(("elements",), elements=items(typed({"card": _CARD}), 1, CAROUSEL_CARDS)), "message"
    ),
    "container": _only(
        _block(
            ("child_blocks",),
            ("title", "rich_text_title"),
            child_blocks=items(typed(_children), 1, CONTAINER_BLOCKS),
            title=plain(CARD_TITLE),
            rich_text_title=rich_text,
            subtitle=text(CARD_TITLE),
            width=one_of("narrow", "standard", "wide", "full"),
            icon=image(),
            is_collapsible=boolean,
            default_collapsed=boolean,
            has_header_divider=boolean,
        ),
        "message",
    ),
}
_children.update({name: rule for name, rule in BLOCKS.items() if name != "container"})
