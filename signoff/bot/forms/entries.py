"""What a person has put into an input: read as a JSON value, and put back into the input; pure.

An input that still holds what it showed changes nothing, so a value that was left alone keeps its type and
every digit.
"""

from __future__ import annotations

from typing import Any

from signoff.bot.forms.controls import (
    EMAIL,
    INPUT,
    PLAIN_NUMBER,
    URL,
    Control,
    choices,
    lines_kind,
    nullable,
    option,
    same,
)
from signoff.bot.forms.leaves import ABSENT
from signoff.bot.text.moments import MINUTE, PICKER, written
from signoff.bot.text.text import Block, actual
from signoff.bot.text.words import forms as forms_words
from signoff.errors import Invalid
from signoff.payload.fields import Field, coerce


def typed(found: Control, state: Any) -> Any:
    """What a person put in → a JSON value, the field's own where it was left alone, or `ABSENT`.

    `state` is the element's part of `view.state.values`; None, as for a field that was not in the form,
    counts as left alone. Raises Invalid, with a message for the field in `detail`.
    """
    field = found.field
    own = field.value if field.present else ABSENT
    if found.element is None or not isinstance(state, dict):
        return own
    if found.kind == "choice":
        return _chosen(field, state.get("selected_option"), own)
    if found.kind in ("tick", "drop"):
        ticked = bool(state.get("selected_options"))
        if found.kind == "drop":
            return own if not ticked else None if nullable(field) else ABSENT
        return own if ticked == (field.value is True) else ticked
    if found.kind == "moment":
        return _moment(found, state.get("selected_date_time"), own)
    text = state.get("selected_date" if found.kind == "date" else "value") or ""
    if not isinstance(text, str) or len(text) > INPUT:
        raise Invalid(forms_words.REASON_TOO_LONG)
    text = text.replace("\r\n", "\n")
    return own if text == found.shown else _read(found, text)


def left_alone(found: Control, state: Any) -> bool:
    """True where an input holds what the payload has."""
    own = found.field.value if found.field.present else ABSENT
    try:
        return typed(found, state) is own
    except Invalid:
        return False


def refilled(found: Control, state: Any) -> Block | None:
    """The field's element, starting with what was typed; None for a field without an input."""
    element = found.element
    if element is None or not isinstance(state, dict):
        return element
    bare = {name: value for name, value in element.items() if not name.startswith("initial_")}
    if found.kind == "choice":
        index = _index(state.get("selected_option"))
        values = choices(found.field)
        known = index is not None and index < len(values)
        return bare | ({"initial_option": option(values, index)} if known and index is not None else {})
    if found.kind in ("tick", "drop"):
        return bare | ({"initial_options": element["options"]} if state.get("selected_options") else {})
    if found.kind == "moment":
        at = state.get("selected_date_time")
        return bare | ({"initial_date_time": at} if _is_moment(at) else {})
    if found.kind == "date":
        text = state.get("selected_date")
        return bare | ({"initial_date": text} if isinstance(text, str) and text else {})
    text = state.get("value")
    text = text[:INPUT] if isinstance(text, str) else ""
    return _with_text(bare, text) if text else bare


def _with_text(element: Block, text: str) -> Block:
    """Slack refuses an input that starts with what it would not let through: such text gets a plain one."""
    kind, action = element["type"], element["action_id"]
    fits = {
        "number_input": PLAIN_NUMBER.fullmatch(text) is not None and _in_bounds(element, text),
        "email_text_input": EMAIL.fullmatch(text) is not None,
        "url_text_input": URL.fullmatch(text) is not None,
        "plain_text_input": len(text) <= element.get("max_length", INPUT),
    }[kind]
    if fits:
        return element | {"initial_value": text}
    return {"type": "plain_text_input", "action_id": action, "initial_value": text, "max_length": INPUT}


def _in_bounds(element: Block, text: str) -> bool:
    number, least, most = float(text), element.get("min_value"), element.get("max_value")
    return (least is None or float(least) <= number) and (most is None or number <= float(most))


def _read(found: Control, text: str) -> Any:
    field = found.field
    if not text.strip() if found.kind == "lines" else not text:
        return _emptied(field, found.kind)
    if found.kind == "lines":
        return [value for value in _lines(lines_kind(field), text)]
    return coerce(field.schema, actual(text) if found.escapes else text)


def _lines(kind: str, text: str) -> list[Any]:
    values = []
    for number, entry in enumerate(text.split("\n"), 1):
        if entry.strip():
            try:
                values.append(coerce({"type": kind}, entry.strip()))
            except Invalid as error:
                raise Invalid(forms_words.at_line(number, error.detail)) from None
    return values


def _emptied(field: Field, kind: str) -> Any:
    """Null where that is allowed; else the field is left out where it may be; else an empty text or list."""
    if nullable(field):
        return None
    if not field.required:
        return ABSENT
    return [] if kind == "lines" else coerce(field.schema, "")


def _index(chosen: Any) -> int | None:
    index = str(chosen.get("value")) if isinstance(chosen, dict) else ""
    return int(index) if index.isascii() and index.isdigit() and len(index) < 9 else None


def _chosen(field: Field, chosen: Any, own: Any) -> Any:
    if not chosen:
        return own if not field.present else _emptied(field, "choice")
    values, index = choices(field), _index(chosen)
    if index is None or index >= len(values):
        return own
    return own if own is not ABSENT and same(values[index], own) else values[index]


def _is_moment(at: Any) -> bool:
    return isinstance(at, int) and not isinstance(at, bool) and PICKER[0] <= at <= PICKER[1]


def _moment(found: Control, at: Any, own: Any) -> Any:
    if at is None:
        return own if not found.shown else _emptied(found.field, "moment")
    if not _is_moment(at):
        raise Invalid(forms_words.NOT_A_MOMENT)
    if found.shown and int(found.shown) // MINUTE == at // MINUTE:
        return own
    return written(at, found.field.value)
