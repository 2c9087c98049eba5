"""Inputs for what is written as text: words, numbers, dates, JSON; pure.

Text that cannot be seen is written as escapes in them too, and read back. An input that holds nothing means
that nothing is given; empty text is written `""`.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import date
from typing import Any

from signoff.bot.forms.inputs import Input
from signoff.bot.forms.line_ends import ends_of, in_lines
from signoff.bot.text.payload import code_format
from signoff.bot.text.text import Block, actual, hides, plain, visible
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
EMPTY_TEXT = '""'
_EMPTY_TEXTS = re.compile(r'["“”„]{2}|[‘’]{2}')
"""Empty text, also as phones write it."""
URL = re.compile(r"https?://[^\s/]\S*+")
EMAIL = re.compile(r"[^\s@]++@[^\s@][^\s@.]*+\.[^\s@]++")


@dataclass(frozen=True)
class Text(Input):
    """Text as it is typed. `escapes` says that what cannot be seen is written as escapes in it."""

    start: str = ""
    escapes: bool = False

    @property
    def hints(self) -> list[str]:
        found, form, kind = super().hints, code_format(self.field.schema), self.field.scalar
        if kind in ("", "boolean"):
            open_ended = self.field.types - {"null"} <= {"array", "object"} and bool(self.field.types)
            found.append(forms_words.AS_JSON_OPEN if open_ended else forms_words.AS_JSON_ANY)
        elif form:
            found.append(card_words.code_mark(form))
        if kind == "string" and self.start == EMPTY_TEXT and not self.escapes:
            found.append(forms_words.EMPTY_TEXT_HINT)
        return [*found, forms_words.ESCAPES_HINT] if self.escapes else found

    @property
    def placeholder(self) -> Block | None:
        if self.is_optional or self.field.scalar != "string" or not self._may_be_empty:
            return super().placeholder
        return plain(forms_words.EMPTY_TEXT_PLACE)

    @property
    def _may_be_empty(self) -> bool:
        least = self.field.schema.get("minLength")
        return not (isinstance(least, int) and least > 0) and "format" not in self.field.schema

    def entered(self, state: dict[str, Any]) -> str:
        text = state.get("selected_date") or state.get("value")
        return in_lines(text) if isinstance(text, str) else ""

    def drawn(self, entered: str) -> Block:
        """The input that fits this text: Slack refuses one that starts with what it lets nobody send."""
        text, schema, kind = entered[:INPUT], self.field.schema, self.field.scalar
        if kind in NUMBERS and (not text or NUMBERS[kind].fullmatch(text)):
            bounds = _bounds(self.field, text)
            decimal = kind == "number"
            return element(
                "number_input",
                is_decimal_allowed=decimal,
                initial_value=text,
                placeholder=self.placeholder,
                **bounds,
            )
        form = schema.get("format") if kind == "string" and not self.escapes else None
        if form == "date" and (not text or _is_date(text)):
            return element("datepicker", initial_date=text, placeholder=self.placeholder)
        if form == "email" and (not text or EMAIL.fullmatch(text)):
            return element("email_text_input", initial_value=text, placeholder=self.placeholder)
        if form in ("uri", "url") and (not text or URL.fullmatch(text)):
            return element("url_text_input", initial_value=text, placeholder=self.placeholder)
        most = schema.get("maxLength")
        least = len(EMPTY_TEXT) if self._may_be_empty else 1
        fits = isinstance(most, int) and max(len(text), least) <= most < INPUT and not self._is_rewritten
        long = any("\n" in shown or len(shown) > MULTILINE for shown in (self.start, text))
        return element(
            "plain_text_input",
            multiline=long or not kind or bool(code_format(schema)),
            max_length=most if fits else INPUT,
            initial_value=text,
            placeholder=self.placeholder,
        )

    @property
    def _takes_marks(self) -> bool:
        return not self.field.schema.keys() & {"enum", "const"}

    @property
    def _is_rewritten(self) -> bool:
        """True where what is entered may be shorter than what it stands for."""
        return self.escapes or (isinstance(self.field.value, str) and "\r" in self.field.value)

    def parsed(self, entered: str) -> Any:
        if len(entered) > INPUT:
            raise Invalid(forms_words.REASON_TOO_LONG)
        if self.field.scalar != "string":
            return coerce(self.field.schema, entered)
        is_empty = self._takes_marks and _EMPTY_TEXTS.fullmatch(entered.strip())
        return "" if is_empty else coerce(self.field.schema, self._meant(entered))

    def _meant(self, entered: str) -> str:
        """The text that was entered, with the line ends that it had."""
        lines = [actual(line) if self.escapes else line for line in entered.split("\n")]
        value = self.field.value if isinstance(self.field.value, str) else ""
        ends = ends_of(value, self.start, entered)
        return "".join(line + end for line, end in zip(lines, [*ends, ""], strict=True))


def text_of(field: Field) -> tuple[str, bool]:
    """The text that a field's input starts with, and whether escapes stand in it."""
    value = field.value
    if not field.present or (value is None and field.scalar):
        return "", False
    if field.scalar == "string" and isinstance(value, str):
        return _shown(value, not field.schema.keys() & {"enum", "const"})
    if field.scalar == "integer" and whole.is_text(value):
        return value, False
    if field.scalar in NUMBERS and is_number(value):
        return canonical(value), False
    text = json.dumps(value, ensure_ascii=False, indent=2)
    return (json.dumps(value, indent=2) if hides(text) else text), False


def _shown(value: str, marks: bool) -> tuple[str, bool]:
    if not value and marks:
        return EMPTY_TEXT, False
    if marks and _EMPTY_TEXTS.fullmatch(value.strip()):  # a text that would be read as the mark
        return "".join(f"\\u{{{ord(char):x}}}" for char in value), True
    text = in_lines(value)
    escapes = hides(text) or "\r" in text or text.strip() != text.strip(" \n\t")
    return (visible(text, keep="\n\t", explain=False) if escapes else text), escapes


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
