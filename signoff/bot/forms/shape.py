"""What the items of a list have in common, as a schema: for one more of them; pure."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import Any

LOOKED_AT = 50
"""Items that are looked at, and fields of each."""
LEVELS = 3
_KINDS = {bool: "boolean", int: "number", float: "number", str: "string"}


def shape_of(values: Iterable[Any], levels: int = LEVELS) -> dict[str, Any]:
    """A schema of what all these values are; an empty one where they are of several kinds, or of none."""
    found = [value for value in islice(values, LOOKED_AT) if value is not None]
    kinds = {type(value) for value in found}
    if kinds == {dict} and levels:
        fields: dict[str, list[Any]] = {}
        for value in found:
            for name in islice(value, LOOKED_AT):
                fields.setdefault(name, []).append(value[name])
        named = islice(fields.items(), LOOKED_AT)
        return {"type": "object", "properties": {name: shape_of(held, levels - 1) for name, held in named}}
    if kinds == {list} and levels:
        items = shape_of((item for value in found for item in value), levels - 1)
        return {"type": "array", **({"items": items} if items else {})}
    types = {_KINDS.get(kind, "") for kind in kinds}
    kind = types.pop() if len(types) == 1 else ""
    return {"type": kind} if kind else {}
