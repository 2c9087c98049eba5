"""What an approval counts for in its agent's sums, worked out anew from rows that the log answers for; pure.

No line says it: it follows from the verdict's sums, the last payload, and how and when the approval ended.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from signoff.errors import Invalid
from signoff.models.amounts import Sum, entries
from signoff.models.sums import DAY, columns
from signoff.payload.canonical import parse

Row = Mapping[str, Any]


def differing(approval: Row, text: str, found: Sequence[Row], now: int) -> tuple[str, str] | None:
    """What is wrong with an approval's rows of `amount`, and in which column; None where nothing is.

    `text` is its last payload's. One that counts no more at `now` (microseconds since 1970) may have been
    cleared away. Rows have to be as they should be; those of requests that ended otherwise are none.
    """
    wanted, held = _wanted(approval, text), {row["sum"]: row for row in found}
    for key, expected in wanted.items():
        row = held.pop(key, None)
        if row is None:
            if expected["until"] is None or expected["until"] > now:
                return "what it counts for in a sum is gone", "sum"
            continue
        wrong = [name for name, value in expected.items() if row[name] != value]
        if wrong:
            return f"amount.{wrong[0]} differs: the log makes it {expected[wrong[0]]!r}", wrong[0]
    return ("it counts for a sum that the log does not have it count for", "sum") if held else None


def _wanted(approval: Row, text: str) -> dict[str, dict[str, Any]]:
    if approval["status"] not in ("pending", "approved"):
        return {}
    try:
        verdict, payload = parse(approval["verdict"]), parse(text)
        sums = [Sum.model_validate(one) for one in verdict.get("sums", ())]
    except (Invalid, ValueError):
        return {}  # it counts for nothing that could be read
    until = None if approval["status"] == "pending" else approval["ended_at"] + DAY
    return {
        entry.key: columns(approval["id"], approval["agent"], entry, until)
        for entry in entries(sums, payload)
        if entry.amount is not None
    }
