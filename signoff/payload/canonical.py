"""Strict JSON in, RFC 8785 text and digests out; pure.

Two parties agree on a payload by the digest of its canonical text, so what reads differently in two
parsers is refused here: duplicate names, NaN and infinities, numbers of 2^53 and more, lone surrogates
and NUL. Everything that raises here raises `Invalid` with a sentence that names the place.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any, NoReturn

import rfc8785

from signoff.errors import Invalid

MAX_DEPTH = 32
"""Levels of objects and lists in a payload."""
LARGEST_NUMBER = 2**53
"""RFC 8785 (section 3.2.2.3) and JSON peers hold numbers as doubles: from here on they lose digits."""


def parse(text: str | bytes) -> Any:
    """JSON text → values, strictly.

    Raises Invalid: not JSON, a name twice in one object, or something that `check` refuses.
    """
    try:
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


def check(value: Any, where: str = "payload", levels: int = MAX_DEPTH) -> None:
    """Raise Invalid unless `value` is JSON that every party reads alike; `where` names it in the error."""
    if value is None or value is True or value is False:
        return
    if isinstance(value, dict | list | tuple) and levels == 0:
        raise Invalid(f"{_short(where)} is nested deeper than {MAX_DEPTH} levels.")
    if isinstance(value, str):
        _check_text(value, where)
    elif isinstance(value, int | float):
        if value != value or abs(value) >= LARGEST_NUMBER:
            raise Invalid(f"{_short(where)} is NaN, infinite, or 2^53 or more: send it as text.")
    elif isinstance(value, dict):
        for name, item in value.items():
            if not isinstance(name, str):
                raise Invalid(f"{_short(where)} has a name that is not text: {_short(repr(name))}.")
            _check_text(name, f"a name in {where}")
            check(item, f"{where}.{name}", levels - 1)
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            check(item, f"{where}[{index}]", levels - 1)
    else:
        raise Invalid(f"{_short(where)} is a {type(value).__name__}, which JSON does not have.")


def canonical(value: Any, where: str = "payload") -> str:
    """The RFC 8785 text of `value`; raises Invalid where `check` does."""
    check(value, where)
    return rfc8785.dumps(value).decode()


def digest(text: str) -> str:
    """SHA-256 of canonical text, in hex."""
    return hashlib.sha256(text.encode()).hexdigest()


def _check_text(text: str, where: str) -> None:
    if "\x00" in text:
        raise Invalid(f"{_short(where)} holds a NUL character: remove it.")
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            raise Invalid(f"{_short(where)} holds half a surrogate pair: it is not valid Unicode.") from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise Invalid(f"The name {_short(repr(twice))} stands twice in one object.")
    return found


def _no_constant(name: str) -> NoReturn:
    raise Invalid(f"{name} is not JSON: send it as text, or leave it out.")


def _short(text: str, limit: int = 120) -> str:
    printable = text.encode("unicode_escape").decode()
    return printable if len(printable) <= limit else printable[:limit] + "…"
