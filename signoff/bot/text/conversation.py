"""A conversation that an agent gives as context: told from ordinary context, and in pages; pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from signoff.bot.text.quotes import isolated
from signoff.bot.text.text import Block, line, literal, pieces, rich, visible
from signoff.models.talks import MOST_TURNS

NAME = "conversation"
"""The name in `context` that holds one: more turns, or anything else than turns, is ordinary context."""
ROLE = 40
"""Characters of a role."""
PIECE = 2800
PAGE_BYTES = 60_000
PAGE_TURNS = 20
PAGE_BLOCKS = 80

Turn = tuple[str, str]


def turns(context: Mapping[str, Any]) -> list[Turn]:
    """(role, text) of each turn, in order; none where there is no conversation, or no well-formed one."""
    said = context.get(NAME)
    if not isinstance(said, list) or not 1 <= len(said) <= MOST_TURNS:
        return []
    found = []
    for one in said:
        if not isinstance(one, dict) or one.keys() != {"role", "text"}:
            return []
        role, text = one["role"], one["text"]
        if not isinstance(role, str) or not isinstance(text, str) or not 0 < len(role) <= ROLE:
            return []
        found.append((role, text))
    return found


def without(context: Mapping[str, Any]) -> dict[str, Any]:
    """The rest of a context: all of it where it holds no conversation that is shown by itself."""
    found = dict(context)
    if turns(context):
        del found[NAME]
    return found


def pages(context: Mapping[str, Any]) -> list[list[Block]]:
    """Its blocks by page, the newest turn first."""
    found: list[list[Block]] = [[]]
    room, left = PAGE_BYTES, PAGE_TURNS
    for number, (role, text) in reversed(list(enumerate(turns(context), 1))):
        new = True
        for block in _turn(number, role, text):
            size = len(json.dumps(block))
            if found[-1] and (size > room or len(found[-1]) == PAGE_BLOCKS or (new and left == 0)):
                found.append([])
                room, left = PAGE_BYTES, PAGE_TURNS
            found[-1].append(block)
            room, new = room - size, False
        left -= 1
    return found


def _turn(number: int, role: str, text: str) -> Iterator[Block]:
    head = line(literal(isolated(visible(role)), "bold"), literal(f"  #{number}"))
    shown = visible(text, keep="\n")
    for at, part in enumerate(pieces(shown, PIECE)):
        quote = {"type": "rich_text_quote", "elements": [literal(isolated(part))]}
        yield rich(f"turn:{number}:{at}", *([head] if at == 0 else []), quote)
    if not shown:
        yield rich(f"turn:{number}", head)
