"""Inputs for what is written as text: words, numbers, dates, JSON, and lists of one entry a line; pure."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import date
from typing import Any

from signoff.bot.forms.inputs import Input, element
from signoff.bot.text.payload import code_format
from signoff.bot.text.text import Block, actual, hides, visible
from signoff.bot.text.words import card as card_words
from signoff.bot.text.words import forms as forms_words
from signoff.errors import Invalid
from signoff.payload.canonical import canonical
from signoff.payload.fields import Field, coerce, is_number

INPUT = 3000
"""Slack: characters of an input's value."""
MULTILINE = 80

PLAIN_NUMBER = re.compile(r"-?[0-9]{1,16}(\.[0-9]{1,16})?")
URL = re.compile(r"https?://[^\s/]\S*")
EMAIL = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+")


@dataclass(frozen=True)
class Text(Input):
    """Text as it is typed. `escapes` says that what cannot be seen is written as escapes in it."""

    start: str = ""
    escapes: bool = False

    @property
    def is_optional(self) -> bool:
        """True where it may be left out or null, and where its text is empty already."""
        empty = not self.start and self.field.scalar == "string"
        return super().is_optional or (empty and self.drawn("")["type"] == "plain_text_input")

    @property
    def own_hints(self) -> list[str]:
        """That this is JSON, or whose word it is that it is code; and what escapes are."""
        form = code_format(self.field.schema)
        found = [card_words.code_mark(form)] if form else []
        found = [forms_words.AS_JSON] if self.field.scalar in ("", "boolean") else found
        return [*found, forms_words.ESCAPES_HINT] if self.escapes else found

    def entered(self, state: dict[str, Any]) -> str:
        """The text, or the date as text."""
        text = state.get("selected_date") or state.get("value")
        return text.replace("\r\n", "\n") if isinstance(text, str) else ""

    def drawn(self, entered: str) -> Block:
        """The input that fits this text: Slack refuses one that starts with what it lets nobody send."""
        text, schema, kind = entered[:INPUT], self.field.schema, self.field.scalar
        if kind in ("integer", "number") and (not text or PLAIN_NUMBER.fullmatch(text)):
            bounds = _bounds(self.field, text)
            decimal = kind == "number"
            return element("number_input", is_decimal_allowed=decimal, initial_value=text, **bounds)
        form = schema.get("format") if kind == "string" and not self.escapes else None
        if form == "date" and (not text or _is_date(text)):
            return element("datepicker", initial_date=text)
        if form == "email" and (not text or EMAIL.fullmatch(text)):
            return element("email_text_input", initial_value=text)
        if form in ("uri", "url") and (not text or URL.fullmatch(text)):
            return element("url_text_input", initial_value=text)
        most = schema.get("maxLength")
        fits = isinstance(most, int) and max(len(text), 1) <= most < INPUT and not self.escapes
        long = "\n" in text or len(text) > MULTILINE or kind in ("", "boolean") or bool(code_format(schema))
        return element(
            "plain_text_input", multiline=long, max_length=most if fits else INPUT, initial_value=text
        )

    def value(self, entered: str) -> Any:
        """By the field's schema."""
        if len(entered) > INPUT:
            raise Invalid(forms_words.REASON_TOO_LONG)
        if not entered:
            return self.emptied()
        return coerce(self.field.schema, actual(entered) if self.escapes else entered)


def text_of(field: Field) -> tuple[str, bool]:
    """The text that a field's input starts with, and whether escapes stand in it."""
    kind = field.scalar or "json"
    if not field.present or (field.value is None and kind != "json"):
        return "", False
    if kind == "string" and isinstance(field.value, str):
        escapes = hides(field.value) or "\r" in field.value
        return (visible(field.value, keep="\n\t") if escapes else field.value), escapes
    if kind in ("integer", "number") and is_number(field.value):
        return canonical(field.value), False
    text = json.dumps(field.value, ensure_ascii=False, indent=2)
    return (json.dumps(field.value, indent=2) if hides(text) else text), False


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
        if not is_number(bound) or not PLAIN_NUMBER.fullmatch(shown := _number(bound)):
            continue
        if field.scalar == "integer" and "." in shown:
            continue
        if not text or sign * (float(text) - bound) >= 0:
            found[ours] = shown
    if len(found) == 2 and float(found["min_value"]) > float(found["max_value"]):
        return {}
    return found


def _number(value: Any) -> str:
    try:
        return canonical(value)
    except Invalid:
        return ""


@dataclass(frozen=True)
class Lines(Text):
    """A list of scalars, one a line; `entry` is the type of each."""

    entry: str = ""
    takes_nothing = True

    @property
    def own_hints(self) -> list[str]:
        """How a list is written."""
        return [forms_words.ONE_A_LINE]

    def drawn(self, entered: str) -> Block:
        """An input of several lines."""
        return element("plain_text_input", multiline=True, max_length=INPUT, initial_value=entered[:INPUT])

    def value(self, entered: str) -> Any:
        """A list; of no lines, null or nothing where that is allowed."""
        if len(entered) > INPUT:
            raise Invalid(forms_words.REASON_TOO_LONG)
        found = []
        for number, line in enumerate(entered.split("\n"), 1):
            try:
                found += [coerce({"type": self.entry}, line.strip())] if line.strip() else []
            except Invalid as error:
                raise Invalid(forms_words.at_line(number, error.detail)) from None
        return found or self.emptied()

    def emptied(self) -> Any:
        """An empty list, where it can be neither null nor left out."""
        return [] if self.field.required and not self.field.nullable else super().emptied()


def entry_type(field: Field) -> str:
    """`string`, `integer` or `number` for a list of those, by its schema or else by its entries; or empty.

    Empty too where a line could not say which entry it is.
    """
    entries = field.value if field.present and field.value is not None else []
    if field.types - {"null"} != {"array"} or "prefixItems" in field.schema or not isinstance(entries, list):
        return ""
    items = field.schema.get("items")
    named = items.get("type") if isinstance(items, dict) else None
    if isinstance(named, list) and len(named) == 1:
        named = named[0]
    elif not named and entries:
        named = "string" if isinstance(entries[0], str) else "number"
    if named not in ("string", "integer", "number"):
        return ""
    return str(named) if all(_is_a_line(str(named), entry) for entry in entries) else ""


def _is_a_line(kind: str, entry: Any) -> bool:
    if kind != "string":
        return is_number(entry)
    return isinstance(entry, str) and bool(entry) and visible(entry) == entry  # no padding, no line's end


def lines_of(field: Field) -> str:
    """The text that the input of such a list starts with."""
    entries = field.value if field.present and field.value is not None else []
    return "\n".join(entry if isinstance(entry, str) else canonical(entry) for entry in entries)
