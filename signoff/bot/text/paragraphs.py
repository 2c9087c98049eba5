"""Rows of a payload → the elements of a rich_text block; pure.

Names are bold, the `›` between them is not; our own words are in italics.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from signoff.bot.text.moments import date_span
from signoff.bot.text.quotes import isolated
from signoff.bot.text.row import Row
from signoff.bot.text.text import Block, line, literal


def elements(shown: Iterable[Row]) -> list[Block]:
    """Rows → the elements of a rich_text block."""
    found: list[Block] = []
    spans: list[Block] = []

    def flush() -> None:
        if spans and spans[-1] == literal("\n"):
            spans.pop()
        if spans:
            found.append(line(*_joined(spans)))
            spans.clear()

    for row in shown:
        spans.extend(_name_spans(row.path))
        value = [literal(_composed(row, text), style) for text, style in row.spans if text]
        value += [literal("  "), date_span(row.at)] if row.at is not None else []
        spans.extend([literal(f"  {row.mark}", "italic")] if row.path and row.mark else [])
        if row.form == "line":
            spans.extend([*([literal("  ")] if row.path else []), *value, literal("\n")])
            continue
        spans.extend([literal("\n")] if row.path else [])
        flush()
        if row.form == "code":
            found.append({"type": "rich_text_preformatted", "elements": value})
        elif not row.path and found and found[-1]["type"] == "rich_text_list":
            found[-1]["elements"].append(line(*value))
        else:
            found.append({"type": "rich_text_list", "style": "bullet", "elements": [line(*value)]})
    flush()
    return found


def _joined(spans: list[Block]) -> list[Block]:
    """The same text in as few pieces as there are changes of style: each costs some 50 bytes of a view."""
    found: list[Block] = []
    for span in spans:
        last = found[-1] if found else {}
        if span["type"] == last.get("type") == "text" and span.get("style") == last.get("style"):
            found[-1] = {**last, "text": last["text"] + span["text"]}
        else:
            found.append(span)
    return found


def _composed(row: Row, text: str) -> str:
    """A value's text in its line; a text in lines has lines of its own."""
    if row.form == "code" or text.isascii():
        return text
    value = text.strip(" ")
    return text.replace(value, isolated(value), 1) if value else text


def _name_spans(path: tuple[str, ...]) -> Iterator[Block]:
    for index, name in enumerate(path):
        if index:
            yield literal(" › ")
        yield literal(isolated(name), "bold")
