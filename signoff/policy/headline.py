"""A rule's headline: a sentence with fields of the payload in it; pure.

It is the one trusted sentence on a card, so what an agent chose has to be seen as a value: one line, short,
and in quotation marks where it could be read as more than a name or a number.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Any

from signoff.payload.canonical import canonical

MOST = 200
"""Characters of a headline as it is written."""
MOST_VALUE = 60
"""Characters of one value in it."""
HIDDEN = "\ufffd"
"""Stands for a character that is not seen, so that a value with one does not look like one without."""
_SPACES = ("Zs", "Zl", "Zp", "Cc")
_FIELD = re.compile(r"\{([^{}]*)\}")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*(?:\.[A-Za-z][A-Za-z0-9_-]*)*", re.ASCII)
_PLAIN = re.compile(r"[A-Za-z0-9_.@+:/#-]+", re.ASCII)


class Headline:
    """A sentence with `{field}` and `{field.field}` in it. Raises ValueError for any other use of braces.

    `{action}` and `{agent}` are the request's; a payload's own fields of these names are `{payload.action}`
    and `{payload.agent}`. There are no formats, conversions or indexes: what is in the braces only ever names
    a field.
    """

    def __init__(self, text: str) -> None:
        for name in _FIELD.findall(text):
            if not _NAME.fullmatch(name):
                raise ValueError(
                    f"{{{name}}} names no field: between braces stands a field of the payload, "
                    "as {amount} or {customer.name}, without a format"
                )
        if "{" in (rest := _FIELD.sub("", text)) or "}" in rest:
            raise ValueError("a brace has no partner: fields are written {amount}")
        if any(_breaks(one) for one in text if one != " "):
            raise ValueError("it stands on one line: take out line breaks and characters that are not seen")
        self.text = text

    def fill(self, action: str, agent: str, payload: dict[str, Any]) -> str | None:
        """The sentence for a request; None where a field is missing, empty or no single value."""
        values: list[str] = []
        for name in _FIELD.findall(self.text):
            value = {"action": action, "agent": agent}.get(name) or _shown(_look_up(payload, name))
            if value is None:
                return None
            values.append(value)
        found = iter(values)
        return _FIELD.sub(lambda _: next(found), self.text)


def _look_up(payload: dict[str, Any], name: str) -> Any:
    value: Any = payload
    parts = name.split(".")
    for part in parts[1:] if parts[0] == "payload" and parts[1:] else parts:
        if not isinstance(value, dict) or part not in value:
            return None
        value = value[part]
    return value


def _shown(value: Any) -> str | None:
    """A text, number or truth value → one short line; None for anything else."""
    if isinstance(value, bool | int | float):
        return canonical(value)
    if not isinstance(value, str):
        return None
    if len(value) <= MOST_VALUE and _PLAIN.fullmatch(value):
        return value
    # Line breaks, and characters that are not seen or turn the line around, never reach the sentence.
    text = " ".join("".join(map(_seen, value)).split())
    text = text if len(text) <= MOST_VALUE else text[: MOST_VALUE - 1] + "…"
    if not text.strip(f"{HIDDEN} "):
        return None
    return _quoted(text)


def _quoted(text: str) -> str:
    inner = re.sub('["“”„‟〝〞＂]', "'", text)
    return f"“{inner}”"


def _seen(character: str) -> str:
    if not _breaks(character):
        return character
    return " " if unicodedata.category(character) in _SPACES else HIDDEN


def _breaks(character: str) -> bool:
    return unicodedata.category(character)[0] in "CZ"
