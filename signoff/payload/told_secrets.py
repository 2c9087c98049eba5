"""A secret that stands before its name, as in `x is my password`: patterns, and what they are about; pure.

What follows a name (`password: x`) is found by `secrets`; here the value comes first, so that a word before
`is` could be anything. It counts only where it is somebody's own, or said to be *the* password of something.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_IS = r"[ \t]{1,3}(?:is|was|ist|war|es|est|\u00e9|\u00e8|\u2013|\u2014|-|\u044d\u0442\u043e)[ \t]{1,3}"
_OWN = (
    r"(?:my|our|your|his|her|their|mein|meine|unser|unsere|mi|nuestra|mon|ma|notre|minha|nossa|la mia|il mio"
    r"|\u043c\u043e\u0439|\u043d\u0430\u0448)[ \t]{1,3}"
)
_THE = r"(?:the|das|la|el|le|a|\u0438)[ \t]{1,3}"
_KIND = (
    r"(?:(?:new|old|current|own|temporary|temp|first|second|login|account|admin|root|wifi|neues)"
    r"[ \t]{1,3}){0,2}"
)
_END = r"(?!\w)(?=[ \t]{0,3}(?:[.,;!?)\"\n]|\Z|(?:for|of|to|at|on|in|there|now|f\u00fcr|pour|para|per)\b))"
_NUMBER = r"(?<![\w.,])([0-9]{3}[ -]?[0-9]{0,5})"
_CODES = (
    r"(?:pin|otp|totp|tan|cvv2?|cvc2?|puk"
    r"|(?:verification|security|one[- ]time|2fa|mfa|login|auth\w{0,12})[ -]code)"
)
_ITS = r"(?:the|that|this|here is the|der|dein|le|el|il|o)[ \t]{1,3}"
_VERB = r"[ \t]{1,3}(?:is|was|ist|war|lautet|est|es|\u00e8|\u00e9)"
_PLACE = re.compile(
    r"(?:field|column|col|row|step|option|line|page|input|param|arg|item|version|slot|entry|part)s?[\W_]?[0-9]+"
    r"|[$%{]{0,2}[A-Z][A-Z_]*[}%]{0,2}|\S*[/@]\S*|https?:\S*",
)
"""What names a place where a secret is, and not the secret: a field, a variable, an address."""


def patterns(password: str) -> tuple[re.Pattern[str], re.Pattern[str], tuple[re.Pattern[str], ...]]:
    """Of passwords, of keys and of codes; `password` is a pattern of the words for one."""
    before = rf"(?<!\S)(\S{{4,80}}){_IS}"
    words = re.compile(rf"{before}(?:{_OWN}|{_THE}){_KIND}{password}{_END}", re.I)
    key = r"(?:secret|token|api[ _-]?key|access[ _-]?key|private[ _-]?key|credentials?)"
    keys = re.compile(rf"{before}{_OWN}{_KIND}{key}{_END}", re.I)
    codes = (
        re.compile(rf"{_NUMBER}{_IS}(?:{_OWN}|{_THE})?{_KIND}{_CODES}{_END}", re.I),
        re.compile(rf"(?<![\w.,])([0-9]{{3}}[ -]?[0-9]{{1,5}}){_IS}{_OWN}{_KIND}code{_END}", re.I),
        re.compile(rf"(?<!\w){_OWN}{_KIND}code{_IS}([0-9]{{3}}[ -]?[0-9]{{1,5}}){_END}", re.I),
        re.compile(
            rf"(?:\A|[\n.,;!?])[ \t]{{0,3}}(?:{_ITS}code(?:{_VERB})?|code(?:{_VERB}|[ \t]{{0,3}}[:=]))"
            r"[ \t:=]{0,3}"
            rf"([0-9][0-9 -]{{2,7}}[0-9]){_END}",
            re.I,
        ),
    )
    return words, keys, codes


def values(pattern: re.Pattern[str], text: str) -> Iterator[str]:
    """What stands where the secret would, without its quotes; but what only names a place."""
    for found in pattern.finditer(text):
        value = found.group(1).strip("\"'\u201c\u201d\u201e*`.,;!?()")
        if not _PLACE.fullmatch(value):
            yield value
