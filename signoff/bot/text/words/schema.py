"""What people read about a schema that could not be used, or not in full."""

from __future__ import annotations

from collections.abc import Iterable

from signoff.bot.text.words.card import SCHEMA_LEFT_OUT
from signoff.payload.gaps import Gap, Why

UNUSABLE = "Its schema could not be used: fields are shown as sent, and edits are not checked by it."
IN_A_FORM = 5
"""Gaps that a form names; *Details…* has them all."""
_WHY: dict[Why, str] = {
    "pattern": "needs a search that may never end, or is too large",
    "outside": "leads outside the schema",
    "missing": "leads nowhere",
    "circle": "leads back to itself",
    "wrong": "is not what JSON Schema allows there",
    "dialect": "names rules that are not known here: read as 2020-12",
    "deep": "stands too deep",
    "large": "the schema is too large",
    "costly": "is too costly to check",
    "depends": "means nothing without what was left out in it",
    "unsaid": "the agent could not send it",
}
_ALL = "all of it"
_DEEPER = "all that it says below the first fields"
TITLE = "Left out of its schema"
EDITS = "Edits are not checked by it."


def unusable(gaps: Iterable[Gap]) -> str:
    """What stands on a card whose schema is left out whole."""
    return SCHEMA_LEFT_OUT if any(gap.why == "costly" for gap in gaps) else UNUSABLE


def unchecked(gaps: tuple[Gap, ...]) -> str:
    """What stands in a form of which a part of the schema is left out."""
    named = "; ".join(map(left_out, gaps[:IN_A_FORM]))
    more = f"; and {len(gaps) - IN_A_FORM} more" if len(gaps) > IN_A_FORM else ""
    return f"{TITLE}: {named}{more}. {EDITS}"


def left_out(gap: Gap) -> str:
    """One gap: the keyword, its place, and why. The place holds names of the agent's."""
    what = {"": _ALL, "*": _DEEPER}.get(gap.keyword, gap.keyword)
    where = f" of {gap.place}" if gap.place else ""
    return f"{what}{where} ({_WHY[gap.why]})"
