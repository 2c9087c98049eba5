"""Inputs for lists of scalars, one a line; pure. An empty list is written `[]`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from signoff.bot.forms.texts import Text
from signoff.bot.text.text import Block, plain, visible
from signoff.bot.text.views import INPUT, element
from signoff.bot.text.words import forms as forms_words
from signoff.errors import Invalid
from signoff.payload import whole
from signoff.payload.canonical import canonical
from signoff.payload.fields import coerce, is_number
from signoff.payload.reader import Field

EMPTY_LIST = "[]"
_KINDS = {str: "string", int: "number", float: "number", bool: "boolean"}
_ENTRIES: dict[str, dict[str, Any]] = {
    **{kind: {"type": kind} for kind in ("string", "integer", "number", "boolean")},
    whole.FORMAT: {"type": ["integer", "string"], "format": whole.FORMAT},
}
"""What a line of a list may be, and the schema of each."""


@dataclass(frozen=True)
class Lines(Text):
    """A list of scalars, one a line; `entry` is the type of each."""

    entry: str = ""

    @property
    def hints(self) -> list[str]:
        return [*super(Text, self).hints, forms_words.ONE_A_LINE]

    @property
    def placeholder(self) -> Block | None:
        return super(Text, self).placeholder or plain(forms_words.EMPTY_LIST_PLACE)

    def drawn(self, entered: str) -> Block:
        return element(
            "plain_text_input",
            multiline=True,
            max_length=INPUT,
            initial_value=entered[:INPUT],
            placeholder=self.placeholder,
        )

    def value(self, entered: str) -> Any:
        emptied = not entered.strip() and (self.field.nullable or not self.field.required)
        return super().value("") if emptied else self.parsed(entered)

    def parsed(self, entered: str) -> list[Any]:
        if len(entered) > INPUT:
            raise Invalid(forms_words.REASON_TOO_LONG)
        if entered.strip() == EMPTY_LIST:
            return []
        found = []
        for number, line in enumerate(entered.split("\n"), 1):
            try:
                found += [coerce(_ENTRIES[self.entry], line.strip())] if line.strip() else []
            except Invalid as error:
                raise Invalid(forms_words.at_line(number, error.detail)) from None
        return found


def lines_of(field: Field) -> tuple[str, str]:
    """(the type of a list's entries, the list as text); nothing where a line could not say which entry it is.

    The type is string, integer, number or boolean, by the schema or else by the entries.
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
        named = _KINDS.get(type(entries[0]))
    if not isinstance(named, str) or named not in _ENTRIES:
        return "", ""
    if not all(_is_a_line(named, entry) for entry in entries):
        return "", ""
    text = "\n".join(entry if isinstance(entry, str) else canonical(entry) for entry in entries)
    return named, text or (EMPTY_LIST if field.value == [] else "")


def _is_a_line(kind: str, entry: Any) -> bool:
    if kind == whole.FORMAT and whole.is_text(entry):
        return True
    if kind == "boolean":
        return isinstance(entry, bool)
    if kind != "string":
        return is_number(entry)
    if not isinstance(entry, str) or not entry or entry == EMPTY_LIST:
        return False
    return visible(entry) == entry  # no padding, no line's end
