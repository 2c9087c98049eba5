"""Whom a mail goes to, field by field: how many, then all of them; pure.

Each field of recipients has a summary of its own, so that no long one stands before a short one on a card.
"""

from __future__ import annotations

import re
from typing import Any

from signoff.bot.text.quotes import value_of
from signoff.bot.text.renderers import Seen, Summary
from signoff.bot.text.renderers.parts import box, headline
from signoff.bot.text.row import ONE_LINE, Row, is_short, list_text, name_text, scalar_text
from signoff.bot.text.text import visible
from signoff.bot.text.words import summaries as words

_NAMES = frozenset(
    [
        *(
            f"{role}{form}"
            for role in ("to", "cc", "bcc")
            for form in ("", "recipients", "addresses", "address")
        ),
        *(f"{role}{form}" for role in ("to", "cc", "bcc") for form in ("email", "emails", "list")),
        *("recipient", "recipients", "receiver", "receivers", "attendees", "invitees"),
    ]
)
"""A field's name in small letters, without signs."""
_BETWEEN = re.compile(r"[\W_]+")
_INSIDE = ("emailaddress", "mailbox", "recipient")
_ADDRESSES = ("address", "email", "mail", "emailaddress", "addr")


def plainly(name: str) -> str:
    """A name in small letters, without signs."""
    return _BETWEEN.sub("", name.lower())


def recipients(seen: Seen) -> Summary | None:
    """A field of recipients that does not stand on one line anyway."""
    if plainly(seen.name) not in _NAMES:
        return None
    if isinstance(seen.value, str):
        return _text(seen.value)
    if not isinstance(seen.value, list) or not seen.value:
        return None
    items = [_item(item) for item in seen.value]
    if sum("@" in item for item, _ in items) * 2 < len(items):
        return None
    if all(map(is_short, seen.value)) and len(list_text(seen.value)) <= ONE_LINE // 2:
        return None
    whole = all(is_all for _, is_all in items)
    text = " ".join(f"• {item}" for item, _ in items)
    rows = (headline(words.count(len(items), "recipient")), Row((), ((text, ""),)))
    return Summary(rows, whole=whole)


def _text(value: str) -> Summary | None:
    number = value.count("@")
    if number < 2 or ("\n" not in value and len(value) <= ONE_LINE):
        return None
    whole = box(visible(value, keep="\n\t")) if "\n" in value else Row((), ((scalar_text(value), ""),))
    return Summary((headline(words.count(number, "recipient")), whole), whole=True)


def _item(item: Any) -> tuple[str, bool]:
    """One recipient, visible: the address, then what else stands there; and whether that is all of it."""
    if is_short(item):
        return value_of(scalar_text(item)), True
    if not isinstance(item, dict):
        return value_of(visible(str(item)[:ONE_LINE])), False
    fields, whole = dict[str, Any](), True
    for name, value in item.items():
        if isinstance(value, dict) and plainly(name) in _INSIDE and not fields.keys() & value.keys():
            fields |= value
        elif name in fields:
            whole = False
        else:
            fields[name] = value
    address = next((name for name in fields if plainly(name) in _ADDRESSES and is_short(fields[name])), None)
    shown = [value_of(scalar_text(fields[address]))] if address is not None else []
    for name, value in fields.items():
        if name == address:
            continue
        if not is_short(value):
            whole = False
        elif plainly(name) in ("name", "displayname"):
            shown.append(value_of(scalar_text(value)))
        else:
            shown.append(f"{value_of(name_text(name))} {value_of(scalar_text(value))}")
    return ", ".join(shown) or "…", whole
