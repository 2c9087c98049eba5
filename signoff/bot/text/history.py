"""What happened to a request, when; pure. It stands in *Details…*: a card tells only how things are."""

from __future__ import annotations

from signoff.bot.text.difference import count_changes
from signoff.bot.text.states import at_of, outcome_line, state_line
from signoff.bot.text.text import Block, Trusted
from signoff.bot.text.undone import undone_line
from signoff.bot.text.views import says
from signoff.bot.text.words import forms as forms_words
from signoff.bot.text.words import progress as progress_words
from signoff.bot.text.words import times
from signoff.bot.text.words import undo as undo_words
from signoff.models.approval import Approval


def history(approval: Approval, now: int | None = None) -> list[Trusted]:
    """Received, shown, edited, decided, reported: those that have happened, in this order.

    Of what is approved it says too that nobody has reported; of what waits, that nobody waits for it.
    """
    found = [forms_words.received(approval.agent, approval.created_at)]
    if approval.shown_at is not None:
        found.append(forms_words.shown(approval.shown_at))
    if approval.handed_to:
        found.append(times.handed(approval.handed_to, approval.handed_by or ""))
    if approval.verdict.held_by:
        found.append(undo_words.held_by(approval.verdict.held_by))
    if approval.pending and approval.verdict.in_grace:
        found.append(undo_words.allows(approval.runs_at, approval.verdict.after or 0))
    decision = approval.decision
    if approval.edited:
        number = count_changes(approval.request.payload, approval.payload)
        at = at_of(decision) or approval.ended_at or approval.created_at
        found.append(forms_words.edited(at, decision.approver if decision else "", number))
    if not approval.pending:
        found.append(state_line(approval))
    elif approval.left_at is not None:
        found.append(progress_words.left(approval.left_at))
    outcome = outcome_line(approval, now)
    if outcome is not None:
        found.append(outcome)
    if (undone := undone_line(approval, now)) is not None:
        found.append(undone)
    return found


def history_block(approval: Approval, now: int | None = None) -> Block:
    """The same as one block."""
    return says(Trusted("\n".join(history(approval, now))), "history")
