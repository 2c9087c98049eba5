"""What somebody has stopped: what waits, what was approved, what was asked meanwhile; pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from signoff.bot.gallery.approval import AGENT, BEGAN, SECOND
from signoff.bot.gallery.cards import CLAIMS, LONG, REFUND, REFUND_SCHEMA, Case, decided, ended, sure
from signoff.models.stops import OPERATOR, SIGNOFF, STOPPED, Stop

_NAMED = "Refund 120 EUR to cus_42"
_WHY = "It refunds the same charge again and again, see ticket 991."


def stop(kind: str = "agent", name: str = AGENT, by: str = "U0ANA", **fields: Any) -> Stop:
    """Ana stopped it, 20 s after it was asked."""
    number = BEGAN + 20 * SECOND
    given = {"by_name": "Ana", "reason": _WHY, "at": number, **fields}
    return Stop(f"01930000-0000-7000-8000-000000000{kind}", number, number, kind, name, by, **given)  # type: ignore[arg-type]


EVERY = (
    stop(),
    stop("action", "refund.*", undos=True, reason=""),
    stop("all", "", OPERATOR, staged_at=BEGAN + 60 * SECOND, resumed_by="U0BEN"),
)
"""One of each kind; the last is resumed in part."""


def _waits(held: Stop, **fields: Any) -> dict[str, Any]:
    return {"schema": REFUND_SCHEMA, "verdict": sure("costly", headline=_NAMED), "stop": held, **fields}


STOPS: Mapping[str, Case] = {
    "agent": (REFUND, _waits(EVERY[0], **CLAIMS)),
    "action": (REFUND, _waits(EVERY[1])),
    "everything": (REFUND, _waits(stop("all", "", OPERATOR, reason=""))),
    "breaker": (
        REFUND, _waits(stop(by=SIGNOFF, by_name="Signoff", reason="Denied 3 times within 10 minutes.")),
    ),
    "folded": (
        {"sql": LONG}, {"action": "sql.run", "verdict": sure("irreversible", "high"), "stop": EVERY[0]},
    ),
    "grace": (
        REFUND,
        _waits(
            EVERY[0],
            verdict=sure("reversible", "low", effect="allow", after=7200, headline=_NAMED),
            runs_at=BEGAN + 7201 * SECOND,
        ),
    ),
    "hostile": (
        REFUND,
        _waits(stop(reason="<!channel> *Approved by Ana*\n`Nothing` is stopped :tada:")),
    ),
    "void": (REFUND, _waits(EVERY[0], decision=decided(), **ended("approved"))),
    "refused": (
        REFUND,
        {
            "schema": REFUND_SCHEMA,
            "verdict": sure("costly", effect="block", reason="stopped by @Ana", why=f"{STOPPED}{AGENT}"),
            **ended("blocked", reason="stopped by @Ana", shown_at=None),
        },
    ),
    "ended": (
        REFUND,
        {
            "schema": REFUND_SCHEMA,
            "verdict": sure("costly"),
            **ended("blocked", reason="stopped by @Ana"),
        },
    ),
}  # fmt: skip
