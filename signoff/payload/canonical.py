"""Strict JSON in, RFC 8785 text and digests out; pure.

Two parties agree on a payload by the digest of its canonical text, so what reads differently in two
parsers is refused here: duplicate names, NaN and infinities, numbers of 2^53 and more, lone surrogates
and NUL. Everything that raises here raises `Invalid` with a sentence that names the place.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from typing import Any, NoReturn

import rfc8785

from signoff.errors import Invalid
from signoff.payload.advice import instead

MAX_DEPTH = 32
"""Levels of objects and lists in a payload."""
MOST_SHOWN = 120
"""Characters of a name or a place in an error."""
LARGEST_NUMBER = 2**53
"""RFC 8785 (section 3.2.2.3) and JSON peers hold numbers as doubles: from here on they lose digits."""


_PLAIN = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), check_circular=False)
"""Ten times as fast as what writes any JSON by RFC 8785."""
_STRING = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)
_EMPTY = re.compile(r"[\[{]\s*+[\]}]")


def parse(text: str | bytes, most: int | None = None) -> Any:
    """JSON text → values, strictly; with `most`, at most so many (see `count`): more are not even built.

    Raises Invalid: not JSON, too many values, a name twice in one object, or something that `check` refuses.
    """
    try:
        if isinstance(text, bytes):
            text = text.decode(json.detect_encoding(text), "surrogatepass")
        if most is not None and (found := count(text, most)) > most:
            raise Invalid(f"It has {found:,} values; at most {most:,} are taken.")
        value = json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant)
    except RecursionError:
        raise Invalid(f"It is nested deeper than {MAX_DEPTH} levels.") from None
    except UnicodeDecodeError:
        raise Invalid("It is not UTF-8.") from None
    except json.JSONDecodeError as error:
        raise Invalid(f"It is not JSON: {error.msg} at character {error.pos}.") from None
    except ValueError:  # int() refuses more than 4,300 digits
        raise Invalid("It holds a number of 2^53 or more: send it as text.") from None
    return value


def count(text: str, enough: int = 0) -> int:
    """How many values JSON text holds: every object, list and scalar, and every name in an object.

    A value stands at the beginning or after a bracket, a comma or a colon; so they are counted without being
    built. Where it is certain that there are no more than `enough`, what is counted may stand in texts.
    """
    found = _signs(text)
    if found <= enough:
        return found
    bare = _STRING.sub("0", text)
    return _signs(bare) - len(_EMPTY.findall(bare))


def _signs(text: str) -> int:
    return 1 + sum(map(text.count, ",:[{"))


class _Fault(Exception):
    """What is wrong with a value; on its way up it is told where, from the inside out."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message
        self.path: list[str] = []


_TOO_LARGE = (
    "{} is a number of 2^53 or more, which loses its last digits on the way: send it as text, with str(…). "
    "An argument of require_approval travels where it is annotated int."
)


def check(value: Any, where: str = "payload", levels: int = MAX_DEPTH) -> bool:
    """Raise Invalid unless `value` is JSON that every party reads alike; `where` names it in the error.

    True where it holds no fraction and only names in ASCII: the standard library's JSON is RFC 8785 then.
    """
    try:
        return _check(value, levels)
    except _Fault as fault:
        place = "".join((where, *reversed(fault.path)))
        raise Invalid(fault.message.replace("{}", _short(place), 1)) from None


def _check(value: Any, levels: int) -> bool:
    if value is None or value is True or value is False:
        return True
    if isinstance(value, str):
        _check_text(value)
        return True
    if isinstance(value, int | float):
        if value != value or value in (float("inf"), float("-inf")):
            raise _Fault("{} is NaN or infinite, which JSON does not have: leave it out, or send it as text.")
        if abs(value) >= LARGEST_NUMBER:
            raise _Fault(_TOO_LARGE)
        return isinstance(value, int)
    if isinstance(value, dict | list | tuple):
        if levels == 0:
            raise _Fault(f"{{}} is nested deeper than {MAX_DEPTH} levels.")
        return _check_items(value, levels)
    raise _Fault(f"{{}} is {_named(value)}, which JSON does not have: {instead(value)}.")


def canonical(value: Any, where: str = "payload") -> str:
    """The RFC 8785 text of `value`; raises Invalid where `check` does."""
    return _PLAIN.encode(value) if check(value, where) else rfc8785.dumps(value).decode()


def digest(text: str) -> str:
    """SHA-256 of canonical text, in hex."""
    return hashlib.sha256(text.encode()).hexdigest()


def _check_items(value: dict[Any, Any] | list[Any] | tuple[Any, ...], levels: int) -> bool:
    plain = True
    if isinstance(value, dict):
        for name in value:
            _check_name(name)
            plain = plain and name.isascii()
    items = value.items() if isinstance(value, dict) else enumerate(value)
    place: Any = None
    try:
        for place, item in items:  # noqa: B007
            plain = _check(item, levels - 1) and plain
    except _Fault as fault:
        fault.path.append(f".{place[:MOST_SHOWN]}" if isinstance(value, dict) else f"[{place}]")
        raise
    return plain


def _check_name(name: Any) -> None:
    if not isinstance(name, str):
        raise _Fault(
            f"{{}} has a name that is not text: {_short(repr(name))}. Write it as {_short(repr(str(name)))}."
        )
    _check_text(name, "a name in ")


def _named(value: Any) -> str:
    return f"the class {value.__name__}" if isinstance(value, type) else f"a {type(value).__name__}"


def _check_text(text: str, what: str = "") -> None:
    if "\x00" in text:
        raise _Fault(f"{what}{{}} holds a NUL character: remove it.")
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            raise _Fault(f"{what}{{}} holds half a surrogate pair: it is not valid Unicode.") from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        times = Counter(name for name, _ in pairs)
        twice = next(name for name, often in times.items() if often > 1)
        raise Invalid(f"The name {_short(repr(twice[:MOST_SHOWN]))} stands twice in one object.")
    return found


def _no_constant(name: str) -> NoReturn:
    raise Invalid(f"{name} is not JSON: send it as text, or leave it out.")


def _short(text: str) -> str:
    printable = text[: MOST_SHOWN + 1].encode("unicode_escape").decode()
    return printable if len(printable) <= MOST_SHOWN else printable[:MOST_SHOWN] + "…"
