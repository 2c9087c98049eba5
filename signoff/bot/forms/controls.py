"""Which input fits a field, and what it starts with; pure.

Text that cannot be seen is written as escapes in inputs too, and read back. What has no input that brings
it back unchanged stands as text, and says why.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, Literal

from signoff.bot.forms.leaves import Leaf, types
from signoff.bot.text.moments import seconds
from signoff.bot.text.payload import code_format, octets, scalar_text
from signoff.bot.text.text import Block, cut, hides, length, plain, visible
from signoff.bot.text.words import card as card_words
from signoff.bot.text.words import forms as forms_words
from signoff.errors import Invalid
from signoff.payload.canonical import canonical
from signoff.payload.fields import Field

INPUT = 3000
"""Slack: characters of an input's value."""
OPTIONS = 100
"""Slack: options of a select; an option's text holds 75 characters. More come from an external select."""
OPTION_TEXT = 75
MULTILINE = 80
ACTION: Final = "value"
"""The action_id of every control."""
Kind = Literal["none", "drop", "choice", "tick", "date", "moment", "lines", "json", "text"]

PLAIN_NUMBER = re.compile(r"-?[0-9]{1,16}(\.[0-9]{1,16})?")
URL = re.compile(r"https?://[^\s/]\S*")
EMAIL = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+")


@dataclass(frozen=True)
class Control:
    """A field's place in a form: an element, or why it has none; `shown` is the text that it starts with."""

    leaf: Leaf
    kind: Kind
    element: Block | None = None
    shown: str = ""
    why_not: str = ""
    escapes: bool = False

    @property
    def field(self) -> Field:
        """The field of the payload."""
        return self.leaf.field


def control(leaf: Leaf, editable: bool) -> Control:
    """The input that fits a field."""
    field = leaf.field
    if not editable:
        return Control(leaf, "none", why_not=forms_words.NOT_EDITABLE)
    if leaf.group:
        label = forms_words.MAKE_NULL if nullable(field) else forms_words.LEAVE_OUT
        return Control(leaf, "drop", _checkbox(label, False))
    if field.schema.get("contentEncoding") == "base64" and octets(field.value) is not None:
        return Control(leaf, "none", why_not=forms_words.BYTES_STAY)
    values = choices(field)
    if values:
        return Control(leaf, "choice", _select(field, values))
    if scalar_kind(field) == "boolean" and not nullable(field):
        return Control(leaf, "tick", _checkbox(forms_words.YES, field.value is True))
    return _moment(leaf) or _lines(leaf) or _text(leaf)


def nullable(field: Field) -> bool:
    """True where null is allowed."""
    return "null" in types(field.schema)


def scalar_kind(field: Field) -> str:
    """The one type that a field has beside null; `json` for anything else."""
    kinds = types(field.schema) - {"null"}
    if {"number", "integer"} == kinds:
        return "number"
    kind = kinds.pop() if len(kinds) == 1 else ""
    return kind if kind in ("string", "integer", "number", "boolean") else "json"


def choices(field: Field) -> list[Any]:
    """The values of a select; none where text serves better."""
    named = field.schema.get("enum")
    values = named if isinstance(named, list) else []
    if not values and scalar_kind(field) == "boolean" and nullable(field):
        values = [True, False, None]
    if not values or any(isinstance(value, list | dict) for value in values):
        return []
    texts = [choice_text(value) for value in values]
    known = not field.present or any(same(value, field.value) for value in values)
    fits = known and all(length(text) <= OPTION_TEXT for text in texts) and len(set(texts)) == len(texts)
    return values if fits else []


def choice_text(value: Any) -> str:
    """How an option of a select reads."""
    return forms_words.EMPTY_CHOICE if value is None else scalar_text(value)


def same(one: Any, other: Any) -> bool:
    """Equal as JSON: true is not 1."""
    return canonical(one) == canonical(other)


def option(values: list[Any], index: int) -> Block:
    """One option of a select; its value is its place in the schema's enum."""
    return {"text": plain(choice_text(values[index])), "value": str(index)}


def suggestions(field: Field, query: str) -> list[Block]:
    """What an external select offers for what was typed: at most 100 options, all of them containing it."""
    values, wanted = choices(field), query.strip().casefold()
    found = (index for index, value in enumerate(values) if wanted in choice_text(value).casefold())
    return [option(values, index) for index, _ in zip(found, range(OPTIONS), strict=False)]


def _select(field: Field, values: list[Any]) -> Block:
    if len(values) > OPTIONS:
        element = _element("external_select", min_query_length=0, placeholder=plain(forms_words.PICK))
    else:
        element = _element("static_select", options=[option(values, index) for index in range(len(values))])
    if field.present:
        chosen = next(index for index, value in enumerate(values) if same(value, field.value))
        element["initial_option"] = option(values, chosen)
    return element


def _checkbox(label: str, ticked: bool) -> Block:
    box = {"text": plain(label), "value": "true"}
    return _element("checkboxes", options=[box], **({"initial_options": [box]} if ticked else {}))


def _moment(leaf: Leaf) -> Control | None:
    """Slack's picker for a date-time that it can hold; another is edited as text, so that nothing is lost."""
    field = leaf.field
    if scalar_kind(field) != "string" or field.schema.get("format") != "date-time":
        return None
    at = seconds(field.value)
    if at is None:
        empty = not field.present or field.value is None
        return Control(leaf, "moment", _element("datetimepicker")) if empty else None
    return Control(leaf, "moment", _element("datetimepicker", initial_date_time=at), str(at))


def lines_kind(field: Field) -> str:
    """`string`, `integer` or `number` for a list of those, by its schema or else by its entries; or empty."""
    if types(field.schema) - {"null"} != {"array"} or "prefixItems" in field.schema:
        return ""
    found, named = field.schema.get("items"), ""
    kinds = types(found) if isinstance(found, dict) else set()
    if len(kinds) == 1:
        named = kinds.pop()
    elif not kinds and isinstance(field.value, list) and field.value:
        named = "string" if isinstance(field.value[0], str) else "number"
    return named if named in ("string", "integer", "number") else ""


def _lines(leaf: Leaf) -> Control | None:
    """A list of scalars, one a line; where a line could not say which it is, the list is edited as JSON."""
    field = leaf.field
    kind = lines_kind(field)
    entries = field.value if field.present and field.value is not None else []
    if not kind or not isinstance(entries, list) or not all(_is_a_line(kind, entry) for entry in entries):
        return None
    shown = "\n".join(entry if isinstance(entry, str) else canonical(entry) for entry in entries)
    if length(shown) > INPUT:
        return Control(leaf, "none", why_not=forms_words.TOO_LONG_TO_EDIT)
    initial = {"initial_value": shown} if shown else {}
    element = _element("plain_text_input", multiline=True, max_length=INPUT, **initial)
    return Control(leaf, "lines", element, shown)


def _is_a_line(kind: str, entry: Any) -> bool:
    if kind != "string":
        return isinstance(entry, int | float) and not isinstance(entry, bool)
    return isinstance(entry, str) and bool(entry) and visible(entry) == entry  # no padding, no line's end


def _text(leaf: Leaf) -> Control:
    field, kind = leaf.field, scalar_kind(leaf.field)
    shown, escapes = _shown(field)
    if length(shown) > INPUT:
        return Control(leaf, "none", why_not=forms_words.TOO_LONG_TO_EDIT)
    dated = kind == "string" and field.schema.get("format") == "date" and not escapes
    if dated and (not shown or _is_date(shown)):
        initial = {"initial_date": shown} if shown else {}
        return Control(leaf, "date", _element("datepicker", **initial), shown)
    element = _text_element(field, shown, escapes)
    return Control(leaf, "json" if kind in ("json", "boolean") else "text", element, shown, escapes=escapes)


def _shown(field: Field) -> tuple[str, bool]:
    """The text that an input starts with, and whether escapes stand in it."""
    kind = scalar_kind(field)
    if not field.present or (field.value is None and kind != "json"):
        return "", False
    if kind == "string" and isinstance(field.value, str):
        escapes = hides(field.value) or "\r" in field.value
        return (visible(field.value, keep="\n\t") if escapes else field.value), escapes
    if kind in ("integer", "number") and is_number(field.value):
        return canonical(field.value), False
    text = json.dumps(field.value, ensure_ascii=False, indent=2)
    return (json.dumps(field.value, indent=2) if hides(text) else text), False


def _text_element(field: Field, shown: str, escapes: bool) -> Block:
    kind, schema, clear = scalar_kind(field), field.schema, not escapes
    initial = {"initial_value": shown} if shown else {}
    if kind in ("integer", "number") and (not shown or PLAIN_NUMBER.fullmatch(shown)):
        return _element("number_input", is_decimal_allowed=kind == "number", **_bounds(field), **initial)
    form = schema.get("format") if kind == "string" and clear else None
    if form == "email" and (not shown or EMAIL.fullmatch(shown)):
        return _element("email_text_input", **initial)
    if form in ("uri", "url") and (not shown or URL.fullmatch(shown)):
        return _element("url_text_input", **initial)
    most = schema.get("maxLength")
    own = most if isinstance(most, int) and max(len(shown), 1) <= most < INPUT and clear else INPUT
    long = "\n" in shown or len(shown) > MULTILINE
    multiline = kind == "json" or long or bool(code_format(schema))
    return _element("plain_text_input", multiline=multiline, max_length=own, **initial)


def _element(kind: str, **more: Any) -> Block:
    return {"type": kind, "action_id": ACTION, **more}


def _is_date(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def is_number(value: Any) -> bool:
    """True for a JSON number."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def _bounds(field: Field) -> Block:
    """The schema's bounds, where they hold for what stands there; `check` looks at all of them later."""
    found: Block = {}
    value = field.value if is_number(field.value) else None
    for ours, theirs, sign in (("min_value", "minimum", 1), ("max_value", "maximum", -1)):
        bound = field.schema.get(theirs)
        if not is_number(bound) or not PLAIN_NUMBER.fullmatch(text := _number(bound)):
            continue
        if scalar_kind(field) == "integer" and "." in text:
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


def may_be_empty(found: Control) -> bool:
    """True where Slack may submit the input empty."""
    kind = found.element["type"] if found.element else ""
    if kind == "checkboxes" or found.kind == "lines" or not found.field.required or nullable(found.field):
        return True
    return kind == "plain_text_input" and not found.shown and scalar_kind(found.field) == "string"


def hint(found: Control) -> str:
    """What stands under the input: the agent's words about it, marked as its own, and how to write it."""
    field, parts = found.field, []
    if field.title.strip() and field.title != field.name:
        parts.append(forms_words.agent_title(cut(visible(field.title), 60)))
    if field.description.strip():
        parts.append(forms_words.agent_hint(cut(visible(field.description), 150)))
    if found.kind == "text" and (form := code_format(field.schema)):
        parts.append(card_words.code_mark(form))
    own = {"json": forms_words.AS_JSON, "lines": forms_words.ONE_A_LINE, "moment": forms_words.YOUR_ZONE}
    parts += [own[found.kind]] if found.kind in own else []
    return " ".join([*parts, forms_words.ESCAPES_HINT] if found.escapes else parts)
