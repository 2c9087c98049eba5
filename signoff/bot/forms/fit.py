"""Which input fits a field of a payload; pure."""

from __future__ import annotations

from typing import Any

from signoff.bot.forms.inputs import Choice, Drop, Fixed, Input, Moment, Null, Tick, choice_text
from signoff.bot.forms.leaves import Path
from signoff.bot.forms.texts import INPUT, Lines, Text, entry_type, lines_of, text_of
from signoff.bot.text.moments import seconds
from signoff.bot.text.payload import octets
from signoff.bot.text.text import length
from signoff.bot.text.words import forms as forms_words
from signoff.payload.canonical import canonical
from signoff.payload.fields import Field

OPTION_TEXT = 75
"""Slack: characters of an option's text."""


def input_of(path: Path, field: Field, group: bool, editable: bool) -> Input:
    """The input that fits a field; `group` is True for an object whose own fields follow."""
    if not editable:
        return Fixed(path, field, why=forms_words.NOT_EDITABLE)
    if group:
        return (Null if field.nullable else Drop)(path, field, False)
    if field.schema.get("contentEncoding") == "base64" and octets(field.value) is not None:
        return Fixed(path, field, why=forms_words.BYTES_STAY)
    texts = choices(field)
    if texts:
        at = list(texts).index(canonical(field.value)) if field.present else None
        return Choice(path, field, at, tuple(texts.values()))
    if field.scalar == "boolean" and not field.nullable:
        return Tick(path, field, field.value is True)
    return _moment(path, field) or _text(path, field)


def choices(field: Field) -> dict[str, Any]:
    """The values of a select by their JSON; none where text serves better."""
    named = field.schema.get("enum")
    values = named if isinstance(named, list) else []
    if not values and field.scalar == "boolean" and field.nullable:
        values = [True, False, None]
    if any(isinstance(value, list | dict) for value in values):
        return {}
    texts = {choice_text(value) for value in values}
    found = {canonical(value): value for value in values}
    known = not field.present or canonical(field.value) in found
    fits = known and all(length(text) <= OPTION_TEXT for text in texts) and len(texts) == len(values)
    return found if fits else {}


def _moment(path: Path, field: Field) -> Input | None:
    """Slack's picker for a date-time that it can hold; another is edited as text, so that nothing is lost."""
    if field.scalar != "string" or field.schema.get("format") != "date-time":
        return None
    at = seconds(field.value)
    empty = not field.present or field.value is None
    return Moment(path, field, at) if empty or at is not None else None


def _text(path: Path, field: Field) -> Input:
    entry = entry_type(field)
    text, escapes = (lines_of(field), False) if entry else text_of(field)
    if length(text) > INPUT:
        return Fixed(path, field, why=forms_words.TOO_LONG_TO_EDIT)
    return Lines(path, field, text, entry=entry) if entry else Text(path, field, text, escapes)
