"""One field of a form: which input fits it, what it shows, and what a person has put in; pure.

Text that cannot be seen is written as escapes in inputs too, and read back. An input that still holds what
it showed changes nothing, so a value that was left alone keeps its type and every digit.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from signoff.bot import words
from signoff.bot.payload import octets, scalar_text
from signoff.bot.text import Block, actual, cut, hides, length, plain, visible
from signoff.canonical import canonical
from signoff.errors import Invalid
from signoff.schema import Field, coerce

INPUT = 3000
"""Slack: characters of an input's value."""
OPTIONS = 100
"""Slack: options of a select; an option's text holds 75 characters."""
OPTION_TEXT = 75
MULTILINE = 80
ACTION: Final = "value"
"""The action_id of every control."""
ABSENT: Final = object()
"""What a form gives for a field that is to be left out of the payload."""

_PLAIN_NUMBER = re.compile(r"-?[0-9]{1,16}(\.[0-9]{1,16})?")
_URL = re.compile(r"https?://[^\s/]\S*")
_EMAIL = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+")


@dataclass(frozen=True)
class Control:
    """A field's place in a form: an element, or why it has none; `shown` is the text that it starts with."""

    field: Field
    element: Block | None
    shown: str = ""
    why_not: str = ""
    escapes: bool = False


def control(field: Field, editable: bool) -> Control:
    """The input that fits a field."""
    if not editable:
        return Control(field, None, why_not=words.NOT_EDITABLE)
    if field.schema.get("contentEncoding") == "base64" and octets(field.value) is not None:
        return Control(field, None, why_not=words.BYTES_STAY)
    choices = _choices(field)
    if choices:
        return Control(field, _select(field, choices))
    if _kind(field) == "boolean" and "null" not in _types(field.schema):
        return Control(field, _checkbox(field))
    shown, escapes = _shown(field)
    if length(shown) > INPUT:
        return Control(field, None, why_not=words.TOO_LONG_TO_EDIT)
    return Control(field, _text_element(field, shown, escapes), shown, escapes=escapes)


def _types(schema: dict[str, Any]) -> set[str]:
    named = schema.get("type")
    names = named if isinstance(named, list) else [named]
    return {name for name in names if isinstance(name, str)}


def _kind(field: Field) -> str:
    """The one type that a field has beside null; `json` for anything else."""
    kinds = _types(field.schema) - {"null"}
    if {"number", "integer"} == kinds:
        return "number"
    kind = kinds.pop() if len(kinds) == 1 else ""
    return kind if kind in ("string", "integer", "number", "boolean") else "json"


def _fits(kind: str, value: Any) -> bool:
    """True where a value is what its schema says, so that its text comes back as the same value."""
    if kind == "string":
        return isinstance(value, str)
    return isinstance(value, int | float) and not isinstance(value, bool)


def _choices(field: Field) -> list[Any]:
    """The values of a select; none where text serves better."""
    named = field.schema.get("enum")
    values = named if isinstance(named, list) else []
    if not values and _kind(field) == "boolean" and "null" in _types(field.schema):
        values = [True, False, None]
    if not 0 < len(values) <= OPTIONS or any(isinstance(value, list | dict) for value in values):
        return []
    texts = [_choice_text(value) for value in values]
    known = not field.present or any(_same(value, field.value) for value in values)
    fits = known and all(length(text) <= OPTION_TEXT for text in texts) and len(set(texts)) == len(texts)
    return values if fits else []


def _choice_text(value: Any) -> str:
    return words.EMPTY_CHOICE if value is None else scalar_text(value)


def _same(one: Any, other: Any) -> bool:
    return canonical(one) == canonical(other)


def _select(field: Field, values: list[Any]) -> Block:
    options = [{"text": plain(_choice_text(v)), "value": str(i)} for i, v in enumerate(values)]
    element: Block = {"type": "static_select", "action_id": ACTION, "options": options}
    if field.present:
        chosen = next(i for i, value in enumerate(values) if _same(value, field.value))
        element["initial_option"] = options[chosen]
    return element


def _checkbox(field: Field) -> Block:
    option = {"text": plain(words.YES), "value": "true"}
    element: Block = {"type": "checkboxes", "action_id": ACTION, "options": [option]}
    return element | ({"initial_options": [option]} if field.value is True else {})


def _shown(field: Field) -> tuple[str, bool]:
    """The text that an input starts with, and whether escapes stand in it."""
    kind = _kind(field)
    if not field.present or (field.value is None and kind != "json"):
        return "", False
    if kind != "json" and _fits(kind, field.value):
        if kind != "string":
            return canonical(field.value), False
        escapes = hides(field.value) or "\r" in field.value
        return (visible(field.value, keep="\n\t") if escapes else field.value), escapes
    text = json.dumps(field.value, ensure_ascii=False, indent=2)
    return (json.dumps(field.value, indent=2) if hides(text) else text), False


def _text_element(field: Field, shown: str, escapes: bool) -> Block:
    kind, schema, clear = _kind(field), field.schema, not escapes
    initial = {"initial_value": shown} if shown else {}
    if kind in ("integer", "number") and (not shown or _PLAIN_NUMBER.fullmatch(shown)):
        return _element("number_input", is_decimal_allowed=kind == "number", **_bounds(field), **initial)
    form = schema.get("format") if kind == "string" and clear else None
    if form == "date" and (not shown or _is_date(shown)):
        return _element("datepicker", **({"initial_date": shown} if shown else {}))
    if form == "email" and (not shown or _EMAIL.fullmatch(shown)):
        return _element("email_text_input", **initial)
    if form in ("uri", "url") and (not shown or _URL.fullmatch(shown)):
        return _element("url_text_input", **initial)
    most = schema.get("maxLength")
    own = most if isinstance(most, int) and max(len(shown), 1) <= most < INPUT and clear else INPUT
    multiline = kind == "json" or "\n" in shown or len(shown) > MULTILINE
    return _element("plain_text_input", multiline=multiline, max_length=own, **initial)


def _element(kind: str, **more: Any) -> Block:
    return {"type": kind, "action_id": ACTION, **more}


def _is_date(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _bounds(field: Field) -> Block:
    """The schema's bounds, where they hold for what stands there; `check` looks at all of them later."""
    found: Block = {}
    value = field.value if _fits("number", field.value) else None
    for ours, theirs, sign in (("min_value", "minimum", 1), ("max_value", "maximum", -1)):
        bound = field.schema.get(theirs)
        if not _fits("number", bound) or not _PLAIN_NUMBER.fullmatch(text := _number(bound)):
            continue
        if value is None or sign * (value - bound) >= 0:
            found[ours] = text
    if len(found) == 2 and float(found["min_value"]) > float(found["max_value"]):
        return {}
    return found


def _number(value: Any) -> str:
    try:
        return canonical(value)
    except Invalid:
        return ""


def typed(control: Control, state: Any) -> Any:
    """What a person put in → a JSON value, the field's own where it was left alone, or `ABSENT`.

    `state` is the element's part of `view.state.values`; None, as for a field that was not in the form,
    counts as left alone. Raises Invalid, with a message for the field in `detail`.
    """
    field, element = control.field, control.element
    own = field.value if field.present else ABSENT
    if element is None or not isinstance(state, dict):
        return own
    if element["type"] == "static_select":
        return _chosen(control, state, own)
    if element["type"] == "checkboxes":
        ticked = bool(state.get("selected_options"))
        return own if ticked == (field.value is True) else ticked
    text = state.get("selected_date" if element["type"] == "datepicker" else "value") or ""
    if not isinstance(text, str) or len(text) > INPUT:
        raise Invalid(words.REASON_TOO_LONG)
    text = text.replace("\r\n", "\n")
    if text == control.shown:
        return own
    if not text:
        return _emptied(field)
    return coerce(field.schema, actual(text) if control.escapes else text)


def _chosen(control: Control, state: Block, own: Any) -> Any:
    option = state.get("selected_option")
    if not option:
        return own if not control.field.present else _emptied(control.field)
    values, index = _choices(control.field), str(option.get("value"))
    if not index.isascii() or not index.isdigit() or int(index) >= len(values):
        return own
    value = values[int(index)]
    return own if own is not ABSENT and _same(value, own) else value


def _emptied(field: Field) -> Any:
    """Null where that is allowed; else the field is left out where it may be; else an empty text."""
    if "null" in _types(field.schema):
        return None
    return coerce(field.schema, "") if field.required else ABSENT


def may_be_empty(control: Control) -> bool:
    """True where Slack may submit the input empty."""
    kind = control.element["type"] if control.element else ""
    if kind == "checkboxes" or not control.field.required or "null" in _types(control.field.schema):
        return True
    return kind == "plain_text_input" and not control.shown and _kind(control.field) == "string"


def hint(control: Control) -> str:
    """What stands under the input: the agent's description, marked as its own, and how to write it."""
    parts = []
    if control.field.description.strip():
        parts.append(words.agent_hint(cut(visible(control.field.description), 150)))
    if control.element and control.element["type"] == "plain_text_input" and _kind(control.field) == "json":
        parts.append(words.AS_JSON)
    if control.escapes:
        parts.append(words.ESCAPES_HINT)
    return " ".join(parts)
