"""What somebody writes to the app in a message: a word and the rest of it; pure.

Slack sends a message's text with `&`, `<` and `>` escaped, and mentions and links as `<…>`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from signoff.models import codes

Meaning = Literal["pending", "reject", "approve", "details", "ask", "note", "help"]
_MENTION = re.compile(r"<@([UW][A-Z0-9]{1,40})(?:\|[^<>]*)?>")
_LEADING = re.compile(rf"\s*(?:{_MENTION.pattern.replace('([UW]', '(?:[UW]')}[\s,:;]*)+")
_WORD = re.compile(r"[^\s.,:;!?]+")
_LINK = re.compile(r"<([^<>|]+)(?:\|([^<>]*))?>")
_REJECT = frozenset({"reject", "rejected"})
_DETAILS = frozenset({"details", "show"})
_APPROVE = frozenset(
    """
    approve approved approves accept accepted allow confirm confirmed go lgtm ok okay sure y yep yes proceed
    ship run +1 thumbsup white_check_mark 👍 ✅
    """.split()  # noqa: SIM905
)
"""Words by which somebody may mean to approve. None of them does: they are told why."""


@dataclass(frozen=True)
class Spoken:
    """`rest` is all that follows the word, as it was typed; without spaces around it."""

    meaning: Meaning
    rest: str = ""


def read(text: str, bot_id: str) -> Spoken | None:
    """A message's text → what it asks of the app; None where it does not begin with the app's mention.

    Upper and lower case, line breaks, and other people mentioned beside the app make no difference. What is
    not known asks for help.
    """
    leading = _LEADING.match(text)
    if leading is None or bot_id not in _MENTION.findall(leading.group()):
        return None
    said = text[leading.end() :]
    first = _WORD.match(said)
    word = first.group().lower() if first else "help"
    rest = typed(said[first.end() :]).strip().lstrip(".,:;!?").strip() if first else ""
    if word in _REJECT:
        return Spoken("reject", rest)
    if word in _APPROVE:
        return Spoken("approve", rest)
    if word in _DETAILS:
        return Spoken("details", rest)
    if word == "ask":
        return Spoken("ask", rest)
    if word == "note":
        return Spoken("note", rest)
    return Spoken("pending" if word == "pending" else "help", rest)


def code_first(rest: str) -> tuple[str | None, str]:
    """(a code that `rest` begins with, or None; what follows it, else all of it)."""
    first, _, after = rest.partition(" ") if "\n" not in rest.split(" ", 1)[0] else rest.partition("\n")
    found = codes.read(first.rstrip(".,:;!?"))
    return (found, after.strip()) if found else (None, rest)


def typed(text: str) -> str:
    """A message's text as the person typed it: links and channels by name, `&`, `<` and `>` themselves."""
    shown = _LINK.sub(_as_typed, text.replace("\r\n", "\n"))
    return shown.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _as_typed(found: re.Match[str]) -> str:
    target, name = found.group(1), found.group(2) or ""
    if target[0] in "@!":
        return found.group()  # a mention stays one: an id is the only sure name
    if target[0] == "#":
        return f"#{name or target[1:]}"
    if not name or name == target:
        return target
    return name if target.endswith((name, f"{name}/")) else f"{name} ({target})"
