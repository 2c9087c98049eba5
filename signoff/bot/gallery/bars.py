"""What docs/gallery.md promises of a shape, measured on what Slack is sent; pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from signoff.bot.blocks import check_message, check_view
from signoff.bot.forms.review import pages, review_view
from signoff.bot.gallery.layouts import approval_of, card_of
from signoff.bot.gallery.shape import Shape
from signoff.bot.text.fold import shown_whole
from signoff.bot.text.quotes import value_of
from signoff.bot.text.row import is_short, scalar_text
from signoff.payload.schema import check

Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Bars:
    """`approves` on the card; else Review… has so many `pages`. `hidden` are one-line fields that no block of
    the card shows; `refused` is what intake's check of the schema, or Slack, would say no to."""

    approves: bool
    pages: int
    fields: int
    hidden: tuple[Path, ...]
    summed_up: int
    refused: tuple[str, ...]


def measured(shape: Shape) -> Bars:
    """The bars of one shape, of its card while it waits; what is refused, of the decided card as well."""
    approval, drawn = approval_of(shape.before), card_of(shape.before)
    shown = _shown(drawn.blocks)
    lines = list(_leaves(shape.payload))
    hidden = tuple(path for path, value in lines if not _stands_in(shown, scalar_text(value)))
    after = card_of(shape.after)
    problems = [
        *check(shape.schema, shape.payload),
        *check_message(drawn.blocks, drawn.text),
        *check_message(after.blocks, after.text),
        *(one for page in range(len(pages(approval))) for one in check_view(review_view(approval, page + 1))),
    ]
    return Bars(
        approves=shown_whole(approval),
        pages=len(pages(approval)),
        fields=len(lines),
        hidden=tuple(path for path in hidden if path[0] != shape.summed_up),
        summed_up=sum(path[0] == shape.summed_up for path in hidden),
        refused=tuple(map(str, problems)),
    )


def _leaves(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """The scalars of one line, wherever they stand."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _leaves(inner, (*path, name))
    elif isinstance(value, list):
        for at, inner in enumerate(value, 1):
            yield from _leaves(inner, (*path, at))
    elif is_short(value):
        yield path, value


def _stands_in(shown: str, text: str) -> bool:
    """As it is, or in the quotes of a line with others."""
    return text in shown or value_of(text) in shown


def _shown(blocks: list[dict[str, Any]]) -> str:
    """All texts of a card's blocks above the agent's own words, without the signs that isolate directions."""
    found: list[str] = []
    for block in blocks:
        if str(block.get("block_id", "")).startswith("payload:"):
            found += _texts(block)
    return "".join(char for char in "\n".join(found) if char not in "\u2066\u2067\u2068\u2069")


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for name, inner in value.items():
            if name == "text" and isinstance(inner, str):
                yield inner
            else:
                yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)
