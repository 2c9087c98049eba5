"""What it costs to compile a schema's patterns, counted before anything is compiled; pure.

The figures are in steps of 10 ns, as in `tariff`, and upper bounds of what was measured: what the engine
parses counts as it is written, what it builds as it is once its repetitions are written out.
"""

from __future__ import annotations

import re
from typing import Any

from signoff.payload.tariff import TooCostly

MAX_COMPILED = 8_000_000
"""Steps of all patterns of a schema, each once: 0.08 s at most."""
MAX_STATES = 40_000
"""Of one pattern: the engine stops at its limit of size, see `schema.PATTERNS`."""
EACH = 2_000
CHARACTER = 100
REPEATED = 450
"""A repetition, whatever it repeats."""
STATE = 100
WIDE = 600
"""A state of what stands for most of Unicode: `.`, `\\D`, `[^a]`."""
FIRST = 2_500
"""Such a one, for the first time."""
TABLE = 17_000
"""One of a property's hundreds of ranges: `\\pL`."""
FOLDED = 4
"""By how much all is dearer where upper and lower case are the same."""
FOLDED_RANGE = 250_000
"""A range of what is not ASCII there: each of its characters is looked up."""

_TOKEN = re.compile(
    r"(?P<table>\\[pP])|(?P<wide>\\[DWSsB]|\[\^|\.)|(?P<first>\\[dwb])|(?P<escape>\\.)|(?P<open>[(\[])|(?P<close>[)\]])"
    r"|(?P<count>\{\s*(?P<least>[0-9]{1,9})\s*,?\s*(?P<most>[0-9]{0,9})\s*\})|(?P<times>[*+?])|(?P<char>.)",
    re.DOTALL,
)
_FOLDS = re.compile(r"\(\?[a-zA-Z]*i")
_FAR = re.compile(r"\\[xuU]|[^\x00-\x7f]")


def check_patterns(schema: dict[str, Any]) -> None:
    """Raise TooCostly where all `pattern` and `patternProperties` of `schema` take too long to compile.

    Whatever has such a name counts, wherever it stands: a reference may lead there. The same pattern counts
    once, as the validator keeps what it has compiled.
    """
    left, seen, steps = [schema], set[str](), 0
    while left:
        value: Any = left.pop()
        if isinstance(value, list):
            left += value
            continue
        if not isinstance(value, dict):
            continue
        left += value.values()
        named = value.get("patternProperties")
        found = [*(named if isinstance(named, dict) else ()), value.get("pattern")]
        for pattern in found:
            if isinstance(pattern, str) and pattern not in seen:
                seen.add(pattern)
                steps += compile_price(pattern)
                if steps > MAX_COMPILED:
                    raise TooCostly(
                        "The schema asks for too many checks by its patterns: use fewer or simpler ones."
                    )


def compile_price(pattern: str) -> int:
    """An upper bound of the steps that compiling `pattern` takes."""
    states, parsed = _weights(pattern)
    total = EACH + parsed
    if _FOLDS.search(pattern):
        states, total = states * FOLDED, total * FOLDED
        if _FAR.search(pattern):
            total += FOLDED_RANGE * pattern.count("-")
    return total + min(states, MAX_STATES)


def _weights(pattern: str) -> tuple[int, int]:
    """The states once repetitions are written out, and what parsing takes."""
    levels, last, parsed, first = [0], 0, CHARACTER * len(pattern), True
    for found in _TOKEN.finditer(pattern):
        kind, weight = found.lastgroup, STATE
        if kind in ("open", "wide") and found[0][0] in "([":
            levels.append(WIDE if kind == "wide" else 0)
            last, weight = 0, 0
        elif kind == "close":
            weight = levels.pop() if len(levels) > 1 else 0
        elif kind in ("most", "count", "times"):
            times = max(2, int(found["least"] or 0), int(found["most"] or 0))
            weight = min(last * (times - 1), MAX_STATES)
            parsed += REPEATED
            levels[-1] += weight
            last = min(last + weight, MAX_STATES)
            continue
        elif kind == "table":
            weight = TABLE
        elif kind == "wide":
            weight = WIDE
        if kind in ("wide", "table", "first"):
            parsed += FIRST if first else WIDE // 2
            first = False
        levels[-1] += weight
        last = weight
    return sum(levels), parsed
