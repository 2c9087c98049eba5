"""Requests that take several people, for the gallery; pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from signoff.bot.gallery.approval import BEGAN
from signoff.bot.gallery.cards import REFUND, Case, ended, sure
from signoff.models.approval import Voided
from signoff.models.messages import Decision
from signoff.models.seating import Seat

FINANCE = Seat(name="finance", named=("finance",), people=("U0ANA", "U0EVA"), need=1)
SECURITY = Seat(name="security, U0CTO", named=("security", "U0CTO"), people=("S0SECURITY", "U0CTO"), need=2)
_PEOPLE = (*FINANCE.people, *SECURITY.people)


def several(**more: Any) -> dict[str, Any]:
    """A verdict that wants one of finance and two of security."""
    seats = {"seats": (FINANCE, SECURITY), "approvers": _PEOPLE, "named": ("finance", "security", "U0CTO")}
    return sure("costly", "high", **seats, **more)


def by(user_id: str, seat: Seat | None = None, vote: str = "approve", **more: Any) -> Decision:
    """Somebody's vote, 38 s after it was asked."""
    at = datetime.fromtimestamp(BEGAN / 1e6 + 38, UTC)
    name = seat.name if seat else ""
    return Decision(
        vote=vote,  # type: ignore[arg-type]
        approver=user_id, name=user_id, at=at, seat=name, fits=(name,) if name else (), **more,
    )  # fmt: skip


VOTES: Mapping[str, Case] = {
    "nobody-has-voted": (REFUND, {"verdict": several()}),
    "waits-for-security": (
        REFUND,
        {"verdict": several(), "revision": 3, "decisions": (by("U0ANA", FINANCE), by("U0BEN", SECURITY))},
    ),
    "votes-void-by-an-edit": (
        REFUND,
        {
            "verdict": several(exclude=("requester", "editor")),
            "requested_by": "U0TOM",
            "payload_now": {**REFUND, "amount": 80},
            "editors": ("U0BEN",),
            "voided": (Voided("U0ANA", "ana", "approve", 1, "edited"),),
            "revision": 4,
        },
    ),
    "one-has-said-no": (
        REFUND,
        {
            "verdict": several(reject=2),
            "decisions": (
                by("U0ANA", FINANCE),
                by("U0BEN", vote="reject", reason="Wrong customer: this is *992's*."),
            ),
            "voided": (Voided("U0MIA", "mia", "approve", 1, "lost"),),
        },
    ),
    "approved-by-three": (
        REFUND,
        ended(
            "approved",
            decisions=(by("U0ANA", FINANCE), by("U0BEN", SECURITY), by("U0CTO", SECURITY)),
            verdict=several(),
        ),
    ),
}
