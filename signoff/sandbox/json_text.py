"""JSON that comes from outside."""

from __future__ import annotations

import json
from typing import Any, Final, NoReturn

MOST_LEVELS: Final = 100
"""Of objects and arrays in each other: what is kept has to be written out again."""


def parse(text: str | bytes) -> Any:
    """The value. Raises ValueError for what is not JSON (NaN is not) or nested too deeply."""
    try:
        value = json.loads(text, parse_constant=_no_constant)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    level, depth = [value], 0
    while level:
        depth += 1
        if depth > MOST_LEVELS:
            raise ValueError("nested too deeply")
        level = [child for item in level if isinstance(item, (dict, list)) for child in _children(item)]
    return value


def _children(item: dict[str, Any] | list[Any]) -> Any:
    return item.values() if isinstance(item, dict) else item


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
