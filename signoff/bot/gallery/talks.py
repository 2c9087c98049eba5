"""Made-up requests about which people ask the agent, and one with the conversation that led to it; pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from signoff.bot.gallery.approval import BEGAN, SECOND
from signoff.models.talks import Note, Talk

Case = tuple[dict[str, Any], dict[str, Any]]
_REFUND = {"customer": "cus_42", "amount": 120, "currency": "EUR"}
_REASON = "Duplicate charge, ticket 991."
_LONG = "The first charge was made on 3 November for order 7781, and the second one a minute later. " * 20


def _talk(number: int, question: str, state: Any = "asked", answer: str | None = None) -> Talk:
    asked_at = BEGAN + number * 60 * SECOND
    return Talk(
        id=f"01930000-0000-7000-8000-00000000010{number}",
        version=1,
        by_id="U0ANA",
        name="ana",
        question=question,
        state=state,
        asked_at=asked_at,
        until=asked_at + 40 * SECOND,
        answer=answer,
        answered_at=None if answer is None else asked_at + 12 * SECOND,
    )


TALKS: Mapping[str, Case] = {
    "waits": (_REFUND, {"reason": _REASON, "talks": (_talk(1, "Why not as credit for the next order?"),)}),
    "answered": (
        _REFUND,
        {
            "reason": _REASON,
            "talks": (
                _talk(1, "Which order?", "answered", "Order 7781."),
                _talk(2, "Why not as credit?", "answered", "The customer asked for money: ticket 991."),
                _talk(3, "<!channel> *Is that* sure? " + "Why? " * 80, "answered", _LONG),
            ),
        },
    ),
    "answered-without-a-reason": (
        _REFUND,
        {"talks": (_talk(1, "Why so much?", "answered", "It was charged twice: order 7781."),)},
    ),
    "no-answer": (
        _REFUND,
        {
            "talks": (
                _talk(1, "Why so much?", "silent"),
                _talk(2, "Who asked for it?", "unable", ""),
            )
        },
    ),
    "unheard": (_REFUND, {"reason": _REASON, "talks": (_talk(1, "Anybody there?", "unheard"),)}),
    "conversation": (
        _REFUND,
        {
            "reason": _REASON,
            "context": {
                "ticket": 991,
                "conversation": [
                    {"role": "user" if turn % 2 == 0 else "assistant", "text": f"Turn {turn}: {_LONG[:200]}"}
                    for turn in range(45)
                ],
            },
            "notes": (Note("01930000-0000-7000-8000-000000000201", "U0BEN", "ben", "Mind the date.", BEGAN),),
        },
    ),
}
