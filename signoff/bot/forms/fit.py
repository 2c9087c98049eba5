"""Which input fits a field of a payload; pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from signoff.bot.forms.inputs import Choice, Fixed, Input, Moment, Tick, choice_text
from signoff.bot.forms.leaves import Path
from signoff.bot.forms.texts import Lines, Text, lines_of, text_of
from signoff.bot.text.moments import seconds
from signoff.bot.text.octets import blob
from signoff.bot.text.text import length
from signoff.bot.text.views import INPUT
from signoff.bot.text.words import forms as forms_words
from signoff.payload.canonical import canonical
from signoff.payload.reader import Field

OPTION_TEXT = 75
"""Slack: characters of an option's text."""


def input_of(path: Path, field: Field, is_group: bool, is_editable: bool) -> Input:
    """The input that fits a field; what no input brings back unchanged is edited as text, or not at all."""
    if not is_editable:
        return Fixed(path, field, is_group=is_group, why=forms_words.NOT_EDITABLE)
    if is_group:
        return Tick(path, field, False, is_group=True)
    if blob(field.value, field.schema) is not None:
        return Fixed(path, field, why=forms_words.BYTES_STAY)
    if options := choices(field):
        start = options.places[canonical(field.value)] if field.present else None
        return Choice(path, field, start, values=options.values)
    if field.scalar == "boolean" and not field.nullable:
        return Tick(path, field, field.value is True)
    if field.scalar == "string" and field.schema.get("format") == "date-time":
        at = seconds(field.value)
        if at is not None or field.value is None:
            return Moment(path, field, at)
    entry, text = lines_of(field)
    text, escapes = (text, False) if entry else text_of(field)
    if length(text) > INPUT:
        return Fixed(path, field, why=forms_words.TOO_LONG_TO_EDIT)
    if entry:
        return Lines(path, field, text, entry=entry)
    return Text(path, field, text, escapes=escapes)


@dataclass(frozen=True)
class Options:
    """The values of a select, and the place of each by its JSON."""

    values: tuple[Any, ...]
    places: Mapping[str, int]


_YES_NO_NULL: list[Any] = [True, False, None]


def choices(field: Field) -> Options | None:
    """The values of a select; None where text serves better."""
    named = field.schema.get("enum")
    values = named if isinstance(named, list) else []
    if not values and field.scalar == "boolean" and field.nullable:
        values = _YES_NO_NULL
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
