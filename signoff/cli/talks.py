"""What people asked an agent about a request and noted for it, and the batch that it came in, as lines."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from signoff.cli.output import iso, laid_out

if TYPE_CHECKING:
    from signoff.models.approval import Approval
    from signoff.models.batch_lists import Folded
    from signoff.models.talks import Talk

_STATES = {
    "asked": "is asked, and has not answered yet",
    "unable": "cannot answer that",
    "silent": "has not answered",
    "unheard": "was not listening, and has not answered",
}


def batch_line(approval: Approval, found: Folded | None) -> str:
    """With what it was asked, and where it is shown; empty where it was asked by itself."""
    if approval.request.batch is None:
        return ""
    if found is None:
        return f"asked with others ({approval.request.batch}); it has a card of its own"
    others = len(found.ids) - 1
    with_ = f"{others:,} other{'s' if others > 1 else ''}"
    return f"“{found.title}”: on one card with {with_} ({approval.request.batch})"


def talk_lines(approval: Approval, clock: Callable[[int], str]) -> list[str]:
    """What was asked and answered, and what was noted, in order; `clock` writes a time."""
    lines = list[str]()
    for talk in approval.talks:
        who = f"{talk.name} ({talk.by_id}) {clock(talk.asked_at)}"
        lines.append(laid_out(f"{'asked':<9}", f"{who}: {talk.question}"))
        lines.append(laid_out(f"{'':9}", _answered(approval.agent, talk)))
    for note in approval.notes:
        lines.append(laid_out(f"{'noted':<9}", f"{note.name} ({note.by_id}) {clock(note.at)}: {note.text}"))
    return lines


def talks_of(approval: Approval) -> list[dict[str, Any]]:
    """What was asked and answered, for a program."""
    from signoff.models.messages import moment

    return [
        {
            "by": talk.by_id,
            "at": iso(moment(talk.asked_at)),
            "question": talk.question,
            "state": talk.state,
            "answer": talk.answer,
        }
        for talk in approval.talks
    ]


def _answered(agent: str, talk: Talk) -> str:
    if talk.answer is not None and talk.state == "answered":
        return f"{agent}: {talk.answer}"
    return f"{agent} {_STATES[talk.state]}"
