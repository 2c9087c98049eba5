"""Inputs for what is written as text: words, numbers, dates, JSON, and lists of one entry a line; pure.

Text that cannot be seen is written as escapes in them too, and read back.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import date
from typing import Any

from signoff.bot.forms.inputs import Input
from signoff.bot.text.payload import code_format
from signoff.bot.text.text import Block, actual, hides, visible
from signoff.bot.text.views import INPUT, element
from signoff.bot.text.words import card as card_words
from signoff.bot.text.words import forms as forms_words
from signoff.errors import Invalid
from signoff.payload import whole
from signoff.payload.canonical import LARGEST_NUMBER, canonical
from signoff.payload.fields import coerce, is_number
from signoff.payload.reader import Field

MULTILINE = 80
NUMBERS = {
    "integer": re.compile(r"-?[0-9]{1,16}"),
    "number": re.compile(r"-?[0-9]{1,16}(\.[0-9]{1,16})?"),
}
"""What Slack takes in an input for numbers."""
_ENTRIES: dict[str, dict[str, Any]] = {
    **{kind: {"type": kind} for kind in ("string", "integer", "number")},
    whole.FORMAT: {"type": ["integer", "string"], "format": whole.FORMAT},
}
"""What a line of a list may be, and the schema of each."""
URL = re.compile(r"https?://[^\s/]\S*+")
EMAIL = re.compile(r"[^\s@]++@[^\s@][^\s@.]*+\.[^\s@]++")


@dataclass(frozen=True)
class Text(Input):
    """Text as it is typed. `escapes` says that what cannot be seen is written as escapes in it."""

    start: str = ""
    escapes: bool = False

    @property
    def is_optional(self) -> bool:
        """True as well where the text is empty already."""
        empty = not self.start and self.field.scalar == "string"
        return super().is_optional or (empty and self.drawn("")["type"] == "plain_text_input")

    @property
    def hints(self) -> list[str]:
        found, form = super().hints, code_format(self.field.schema)
        if self.field.scalar in ("", "boolean"):
            found.append(forms_words.AS_JSON)
        elif form:
            found.append(card_words.code_mark(form))
        return [*found, forms_words.ESCAPES_HINT] if self.escapes else found

    def entered(self, state: dict[str, Any]) -> str:
        text = state.get("selected_date") or state.get("value")
        return text.replace("\r\n", "\n") if isinstance(text, str) else ""

    def drawn(self, entered: str) -> Block:
        """The input that fits this text: Slack refuses one that starts with what it lets nobody send."""
        text, schema, kind = entered[:INPUT], self.field.schema, self.field.scalar
        if kind in NUMBERS and (not text or NUMBERS[kind].fullmatch(text)):
            bounds = _bounds(self.field, text)
            return element("number_input", is_decimal_allowed=kind == "number", initial_value=text, **bounds)
        form = schema.get("format") if kind == "string" and not self.escapes else None
        if form == "date" and (not text or _is_date(text)):
            return element("datepicker", initial_date=text)
        if form == "email" and (not text or EMAIL.fullmatch(text)):
            return element("email_text_input", initial_value=text)
        if form in ("uri", "url") and (not text or URL.fullmatch(text)):
            return element("url_text_input", initial_value=text)
        most = schema.get("maxLength")
        fits = isinstance(most, int) and max(len(text), 1) <= most < INPUT and not self.escapes
        long = any("\n" in shown or len(shown) > MULTILINE for shown in (self.start, text))
        return element(
            "plain_text_input",
            multiline=long or not kind or bool(code_format(schema)),
            max_length=most if fits else INPUT,
            initial_value=text,
        )

    def parsed(self, entered: str) -> Any:
        if len(entered) > INPUT:
            raise Invalid(forms_words.REASON_TOO_LONG)
        return coerce(self.field.schema, actual(entered) if self.escapes else entered)


def text_of(field: Field) -> tuple[str, bool]:
    """The text that a field's input starts with, and whether escapes stand in it."""
    value = field.value
    if not field.present or (value is None and field.scalar):
        return "", False
    if field.scalar == "string" and isinstance(value, str):
        escapes = hides(value) or "\r" in value or value.strip() != value.strip(" \n\t")
        return (visible(value, keep="\n\t", explain=False) if escapes else value), escapes
    if field.scalar == "integer" and whole.is_text(value):
        return value, False
    if field.scalar in NUMBERS and is_number(value):
        return canonical(value), False
    text = json.dumps(value, ensure_ascii=False, indent=2)
    return (json.dumps(value, indent=2) if hides(text) else text), False


def _is_date(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _bounds(field: Field, text: str) -> Block:
    """The schema's bounds, where they hold for what stands there; `check` looks at all of them later."""
    found: Block = {}
    for ours, theirs, sign in (("min_value", "minimum", 1), ("max_value", "maximum", -1)):
        bound = field.schema.get(theirs)
        if not is_number(bound) or (text and sign * (float(text) - bound) < 0):
            continue
        shown = canonical(bound) if abs(bound) < LARGEST_NUMBER else ""
        if NUMBERS[field.scalar].fullmatch(shown):
            found[ours] = shown
    if len(found) == 2 and float(found["min_value"]) > float(found["max_value"]):
        return {}
    return found


@dataclass(frozen=True)
class Lines(Text):
    """A list of scalars, one a line; `entry` is the type of each."""

    entry: str = ""
    takes_nothing = True

    @property
    def hints(self) -> list[str]:
        return [*super(Text, self).hints, forms_words.ONE_A_LINE]

    def drawn(self, entered: str) -> Block:
        return element("plain_text_input", multiline=True, max_length=INPUT, initial_value=entered[:INPUT])

    def value(self, entered: str) -> Any:
        emptied = not entered.strip() and (self.field.nullable or not self.field.required)
        return super().value("") if emptied else self.parsed(entered)

    def parsed(self, entered: str) -> list[Any]:
        if len(entered) > INPUT:
            raise Invalid(forms_words.REASON_TOO_LONG)
        found = []
        for number, line in enumerate(entered.split("\n"), 1):
            try:
                found += [coerce(_ENTRIES[self.entry], line.strip())] if line.strip() else []
            except Invalid as error:
                raise Invalid(forms_words.at_line(number, error.detail)) from None
        return found


def lines_of(field: Field) -> tuple[str, str]:
    """(the type of a list's entries, the list as text); nothing where a line could not say which entry it is.

    The type is string, integer or number, by the schema or else by the entries.
    """
    entries = field.value if field.present and field.value is not None else []
    if field.types - {"null"} != {"array"} or "prefixItems" in field.schema or not isinstance(entries, list):
        return "", ""
    items = field.schema.get("items")
    named = items.get("type") if isinstance(items, dict) else None
    if isinstance(items, dict) and items.get("format") == whole.FORMAT and named == ["integer", "string"]:
        named = whole.FORMAT
    if isinstance(named, list) and len(named) == 1:
        named = named[0]
    elif not named and entries:
        named = "string" if isinstance(entries[0], str) else "number"
    if named not in _ENTRIES or not all(_is_a_line(named, entry) for entry in entries):
        return "", ""
    return named, "\n".join(entry if isinstance(entry, str) else canonical(entry) for entry in entries)


def _is_a_line(kind: str, entry: Any) -> bool:
    if kind == whole.FORMAT and whole.is_text(entry):
        return True
    if kind != "string":
        return is_number(entry)
    return isinstance(entry, str) and bool(entry) and visible(entry) == entry  # no padding, no line's end
