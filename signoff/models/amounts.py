"""Sums that a policy bounds: what a request counts for, in exact decimals; pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_UP, Decimal
from typing import Any

from signoff.models.receipt import Wire

LARGEST = Decimal(10**12)
"""An amount beyond counts as this one: over any sum that a policy can name."""
STEP = Decimal("0.000001")
"""Amounts are counted in millionths, rounded up."""
_NUMBER = re.compile(r"[+-]?[0-9]{1,15}(?:\.[0-9]{1,18})?")
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9 ._:@/+-]{0,62}[A-Za-z0-9])?")
_MISSING = object()


class Sum(Wire):
    """What may come together in any 24 hours, of one agent: `field` of the payload, at most `most`.

    `place` is where the policy says so: a rule's name, empty for the agent's own limits. `field` and `by` are
    paths, such as `payload.amount`; each value of `by` has a sum of its own. `most` is a decimal as text.
    """

    place: str
    field: str
    by: str | None = None
    most: str


@dataclass(frozen=True)
class Entry:
    """What one request counts for in one sum; `amount` is None where that cannot be said, `fault` says why.

    `bucket` is the value of `by` as it is compared, `unit` as it stands in the payload.
    """

    sum: Sum
    bucket: str = ""
    unit: str = ""
    amount: Decimal | None = None
    fault: str = ""

    @property
    def key(self) -> str:
        """Names the sum: another field is another sum, and so is another rule."""
        return f"{self.sum.place}\n{self.sum.field}\n{self.sum.by or ''}"

    def over(self, before: Decimal) -> bool:
        """Whether a person has to be asked, where so much has been counted `before`."""
        return self.amount is None or before + self.amount > Decimal(self.sum.most)

    def told(self, before: Decimal, agent: str) -> str:
        """Why a person is asked, for a card."""
        whose = f"“{self.sum.place}”" if self.sum.place else agent
        if self.amount is None:
            return f"{whose} cannot be summed up: {self.fault}"
        unit = f" {self.unit}" if self.unit else ""
        return (
            f"{whose} would be {shown(before + self.amount)} of {shown(Decimal(self.sum.most))}{unit} today"
        )


def entries(sums: Iterable[Sum], payload: dict[str, Any]) -> list[Entry]:
    """What a payload counts for in each of these sums."""
    return [_entry(one, payload) for one in sums]


def amount_of(value: Any) -> Decimal | None:
    """A number, or a text that is one (`120.00`), as its size without a sign, in millionths rounded up.

    None for all else: true and false, exponents, thousands' separators, spaces, digits of other scripts.
    """
    if isinstance(value, str):
        found = Decimal(value) if value.isascii() and _NUMBER.fullmatch(value) else None
    elif isinstance(value, int | float) and not isinstance(value, bool):
        found = Decimal(repr(value))  # a float's shortest spelling is what the payload's text has
    else:
        found = None
    if found is None or not found.is_finite():
        return None
    size = abs(found)
    return LARGEST if size >= LARGEST else size.quantize(STEP, rounding=ROUND_UP)


def shown(amount: Decimal) -> str:
    """`2,040` or `2,040.50`."""
    if amount == amount.to_integral_value():
        return f"{amount:,.0f}"
    text = f"{amount:,f}".rstrip("0")
    return text + "0" if text[-2] == "." else text


def _entry(one: Sum, payload: dict[str, Any]) -> Entry:
    value = _at(payload, one.field)
    unit = "" if one.by is None else _at(payload, one.by)
    if value is _MISSING or unit is _MISSING:
        return Entry(one, fault=f"{one.field if value is _MISSING else one.by} is missing")
    amount = amount_of(value)
    if amount is None:
        return Entry(one, fault=f"{one.field} is no number")
    if one.by is not None:
        unit = str(unit) if isinstance(unit, int) and not isinstance(unit, bool) else unit
        # Letters that look alike, or cannot be seen, would have a sum of their own: only plain names have.
        if not isinstance(unit, str) or not _NAME.fullmatch(unit):
            return Entry(one, fault=f"{one.by} is no plain name")
    return Entry(one, unit.casefold(), unit, amount)


def _at(payload: dict[str, Any], path: str) -> Any:
    found: Any = payload
    for name in path.split(".")[1:]:
        if not isinstance(found, dict) or name not in found:
            return _MISSING
        found = found[name]
    return found
