"""Which input fits a field of a payload; pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from signoff.bot.forms.choices import Choice, choice_text, fate, yes_or_no
from signoff.bot.forms.inputs import Fixed, Input, Moment
from signoff.bot.forms.leaves import Leaf
from signoff.bot.forms.lines import Lines, lines_of
from signoff.bot.forms.texts import Text, text_of
from signoff.bot.text.moments import seconds
from signoff.bot.text.octets import blob
from signoff.bot.text.text import length
from signoff.bot.text.views import INPUT
from signoff.bot.text.words import forms as forms_words
from signoff.payload.canonical import canonical
from signoff.payload.reader import Field

OPTION_TEXT = 75
"""Slack: characters of an option's text."""


def input_of(leaf: Leaf, is_editable: bool = True) -> Input | Fixed:
    """The input that fits a field; what no input brings back unchanged is edited as text, or not at all."""
    field = leaf.field
    if not is_editable:
        return Fixed(leaf, why=forms_words.NOT_EDITABLE)
    if leaf.kind == "rest":
        return Fixed(leaf, why=forms_words.MORE_ITEMS_STAY)
    if leaf.kind != "value":
        return fate(leaf)
    if blob(field.value, field.schema) is not None:
        return Fixed(leaf, why=forms_words.BYTES_STAY)
    if options := choices(field):
        start = options.places[canonical(field.value)] if field.present else None
        return Choice(leaf, start, values=options.values)
    if field.scalar == "boolean" and "const" not in field.schema and _fits_yes_or_no(field):
        return yes_or_no(leaf)
    if field.scalar == "string" and field.schema.get("format") == "date-time":
        at = seconds(field.value)
        if at is not None or field.value is None:
            return Moment(leaf, at)
    entry, text = lines_of(field)
    text, escapes = (text, False) if entry else text_of(field)
    if length(text) > INPUT:
        return Fixed(leaf, why=forms_words.TOO_LONG_TO_EDIT)
    if entry:
        return Lines(leaf, text, entry=entry)
    return Text(leaf, text, escapes=escapes)


def has_one_input(field: Field) -> bool:
    """True for a list that one input holds, an entry a line."""
    entry, text = lines_of(field)
    return bool(entry) and length(text) <= INPUT


def _fits_yes_or_no(field: Field) -> bool:
    return not field.present or isinstance(field.value, bool) or (field.value is None and field.nullable)


@dataclass(frozen=True)
class Options:
    """The values of a select, and the place of each by its JSON."""

    values: tuple[Any, ...]
    places: Mapping[str, int]


def choices(field: Field) -> Options | None:
    """The values of a select; None where text serves better."""
    named = field.schema.get("enum")
    values = named if isinstance(named, list) else []
    found: Options | None = field.described.shared.make("choices", values, _options) if values else None
    known = found is not None and (not field.present or canonical(field.value) in found.places)
    return found if known else None


def _options(values: list[Any]) -> Options | None:
    if any(isinstance(value, list | dict) for value in values):
        return None
    texts = {choice_text(value) for value in values}
    if len(texts) != len(values) or any(length(text) > OPTION_TEXT for text in texts):
        return None
    found = {canonical(value): value for value in values}
    return Options(tuple(found.values()), {text: at for at, text in enumerate(found)})
