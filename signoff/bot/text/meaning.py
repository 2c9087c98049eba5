"""What a number stands for: its currency, and the unit that its schema claims; pure.

A currency is a value of the payload itself, which runs with the number. A unit is what a schema says of it,
and so a claim of the agent's: it is quoted, never computed with.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from signoff.bot.text.quotes import quoted
from signoff.bot.text.text import glimpse
from signoff.bot.text.words import meaning as words
from signoff.payload.fields import is_number

UNIT = 60
"""Characters of a unit; of a longer sentence the part around the word that names it."""
READ = 600
"""Characters of a description that are looked at."""

_NUMERIC_TEXT = re.compile(r"[+-]?[0-9]{1,24}(?:\.[0-9]{1,24})?", re.ASCII)
_CODE = re.compile(r"[A-Za-z]{3,5}|[$€£¥₹₩₽₺₴]")
_WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_MONEY = re.compile(
    "amount|amt|balance|budget|charge|cost|credit|debit|deposit|discount|fees?|fines?|gross|net|paid|payment|"
    "payout|price|refund|salary|subtotal|sum|tax|taxes|tip|total|value|wage",
    re.IGNORECASE,
)
_CURRENCIES = ("currency", "currency_code", "currencyCode", "Currency", "CurrencyCode", "ccy")
_SUFFIXES = ("_currency", "Currency", ".currency", "_currency_code", "CurrencyCode", "-currency")
_UNIT_KEYWORDS = ("x-unit", "x-units", "unit", "units")
_MACHINE = re.compile(r"u?int[0-9]*|float[0-9]*|double|decimal|number|integer|int-?64|bigint")
"""Formats that say how a number is stored, not what it means."""
_UNITS = re.compile(
    r"%|(?<![^\W_])(?:cents?|centimes?|centavos?|rappen|penn(?:y|ies)|pence|kopeks?|paise|"
    r"(?:minor|smallest|base|major|atomic|currency)[ -](?:currency[ -])?units?|subunits?|satoshis?|g?wei|"
    r"lamports|micros|"
    r"dollars?|euros?|pounds?|francs?|yen|rupees?|usd|eur|gbp|chf|jpy|"
    r"basis[ -]points?|bps|per ?cents?|percentages?|per ?mille|fractions?|ratio|"
    r"(?:nano|micro|milli)?(?:seconds|secs|sekunden)|milli(?:second|sekunden)|ms|minutes|minuten|hours|stunden|"
    r"days|tagen?|weeks|months|years|epoch|unix[ -]?time(?:stamp)?|"
    r"(?:kilo|mega|giga|tera|kibi|mebi|gibi)?(?:bytes?|bits?)|[kmgt]i?b|[kmg]bps|"
    r"pixels?|px|(?:kilo|centi|milli)?met(?:er|re)s?|km|cm|mm|miles?|feet|inch(?:es)?|"
    r"(?:kilo|milli)?grams?|kg|lbs?|ounces?|lit(?:er|re)s?|"
    r"degrees?|celsius|fahrenheit|kelvin|radians?|tokens|watts?|kwh|"
    r"millicores?|milli-?cpus?|v?cpus?|v?cores?|thousands?|millions?|"
    r"per (?:second|minute|hour|day|month|year))"
    r"(?![^\W_])",
    re.IGNORECASE,
)
_HUNDREDTHS = re.compile(
    r"\b(?:cents?|centimes?|centavos?|rappen|pence|penn(?:y|ies)|kopeks?|paise|"
    r"(?:minor|smallest)[ -](?:currency[ -])?units?|subunits?)\b",
    re.IGNORECASE,
)
_NEGATED = re.compile(r"\b(?:not|never|no|or|per|if|unless|except)\b|n't", re.IGNORECASE)
"""Such a sentence may say something else: then nothing is made of it."""
_NO_HUNDREDTHS = re.compile(
    "BHD|BIF|CLF|CLP|DJF|GNF|IQD|ISK|JOD|JPY|KMF|KRW|KWD|LYD|MGA|MRU|OMR|PYG|RWF|TND|UGX|UYI|VND|VUV|XAF|XOF|"
    "XPF|[¥₩]"
)
"""ISO 4217: currencies without hundredths, or with thousandths."""
_SENTENCES = re.compile(r"(?<=[.!?;])\s+|\n+")


@dataclass(frozen=True)
class Meaning:
    """What is known of a number, all of it visible text: empty where there is nothing.

    `currency` stands in the payload, at the name `currency_field` beside the number; `unit` is the schema's
    word for it.
    """

    currency: str = ""
    currency_field: str = ""
    unit: str = ""
    major: str = ""
    """Of an amount that its schema says is in cents: what it then is, as `1,299.00 EUR`; else empty."""

    @property
    def claim(self) -> str:
        """The unit, marked as the agent's and in quotes that it cannot close; empty without one."""
        return words.says_unit(quoted(self.unit), self.major) if self.unit else ""


def meaning(schema: Mapping[str, Any], name: str, value: Any, siblings: Mapping[str, Any]) -> Meaning:
    """What is known of a number, or of a text that holds one, at `name` in an object with these `siblings`.

    `schema` is the field's own (`Field.schema`); anything else than a number means nothing. Never raises.
    """
    if not is_amount(value):
        return Meaning()
    found = currency_field(name, siblings)
    currency, said = str(siblings[found]) if found else "", unit(schema)
    return Meaning(currency, found, said, _in_major(value, said, currency))


def is_amount(value: Any) -> bool:
    """True for a number, and for a text that is one, as `"450.00"`."""
    return is_number(value) or (isinstance(value, str) and _NUMERIC_TEXT.fullmatch(value) is not None)


def currency_field(name: str, siblings: Mapping[str, Any]) -> str:
    """The name beside `name` that holds the currency of that amount; empty where `name` is no money's."""
    others: list[str] = [name + suffix for suffix in _SUFFIXES]
    others += _CURRENCIES if _is_money(name) else ()
    for other in others:
        if code_of(siblings.get(other)):
            return other
    return ""


def code_of(value: Any) -> str:
    """A value as the code or the sign of a currency; empty for anything else."""
    return value if isinstance(value, str) and len(value) < 9 and _CODE.fullmatch(value) else ""


def unit(schema: Mapping[str, Any]) -> str:
    """The unit that a schema claims for its number, as visible text of at most 60 characters; else empty."""
    for word in _UNIT_KEYWORDS:
        if isinstance(named := schema.get(word), str) and named.strip():
            return glimpse(named.strip(), UNIT)
    described = schema.get("description")
    for sentence in _SENTENCES.split(described[:READ].strip()) if isinstance(described, str) else ():
        if found := _UNITS.search(sentence):
            return _around(sentence.rstrip("; "), found)
    named = schema.get("format")
    if isinstance(named, str) and 0 < len(named.strip()) <= UNIT and not _MACHINE.fullmatch(named):
        return glimpse(named.strip(), UNIT)
    return ""


def _in_major(value: Any, unit: str, currency: str) -> str:
    """An amount in hundredths, as people write it: nobody divides by a hundred at the fortieth card."""
    if not isinstance(value, int) or isinstance(value, bool) or not _HUNDREDTHS.search(unit):
        return ""
    if _NEGATED.search(unit) or _NO_HUNDREDTHS.fullmatch(currency.upper()):
        return ""
    return f"{Decimal(value) / 100:,.2f} {glimpse(currency.upper(), 9)}".strip()


def _is_money(name: str) -> bool:
    return len(name) <= 100 and any(map(_MONEY.fullmatch, _WORDS.findall(name)))


def _around(sentence: str, found: re.Match[str]) -> str:
    """A short sentence as it is; of a long one what leads to the word, so that a "not" before it stays."""
    if len(sentence) <= UNIT - 10:
        return glimpse(sentence, UNIT)
    start = sentence.rfind(" ", 0, max(found.start() - 25, 0)) + 1
    head = f"…{sentence[start:]}" if start else sentence
    return glimpse(head, UNIT)
