"""What has become of an approval: its state, who decided, what they changed and said; pure."""

from __future__ import annotations

from typing import assert_never

from signoff.bot.text.answer import answer_elements
from signoff.bot.text.difference import each_change
from signoff.bot.text.difference import elements as difference_elements
from signoff.bot.text.prose import prose
from signoff.bot.text.quotes import isolated
from signoff.bot.text.text import Block, Trusted, cut, is_id, line, literal, mrkdwn, rich, visible
from signoff.bot.text.words import card as card_words
from signoff.bot.text.words import factors as factor_words
from signoff.bot.text.words import progress as progress_words
from signoff.bot.text.words import stops as stop_words
from signoff.bot.text.words import undo as undo_words
from signoff.models.approval import ASKED_ANEW, Approval
from signoff.models.messages import Decision
from signoff.models.stops import said_of

SAID = 700
"""Characters of a note, a reason or an outcome on a card; the log of decisions has them whole."""
DIFFERENCE = 1200
"""Characters of the changes on a card."""


def at_of(decision: Decision | None) -> int | None:
    """When it was recorded, in microseconds since 1970."""
    return round(decision.at.timestamp() * 1_000_000) if decision and decision.at else None


def state_line(approval: Approval) -> Trusted:
    """One line of mrkdwn for an approval that waits no more, or whose time is over."""
    decision, ended = approval.decision, approval.ended_at or approval.expires_at
    at = at_of(decision) or ended
    match approval.status:
        case "pending" | "expired" if approval.restored:
            return card_words.restored(ended)
        case "expired" | "pending" if approval.verdict.in_grace:
            return undo_words.never_ran(approval.expires_at)
        case "pending":
            return card_words.overdue(approval.expires_at)
        case "approved" if decision is None and approval.verdict.in_grace:
            return undo_words.nobody_held(ended)
        case "approved" if decision is None:
            return card_words.approved_by_policy(ended)
        case "approved" if len(approval.decisions) > 1:
            people = [one.approver for one in approval.decisions if one.vote == "approve"]
            return card_words.approved_by(people, at, _after(approval, at))
        case "approved":
            how = factor_words.with_factor((decision and decision.second_factor) or "")
            return card_words.approved(_approver(approval), at, _after(approval, at), how)
        case "answered":
            return card_words.answered(_approver(approval), at, _after(approval, at))
        case "rejected":
            resubmit = decision is not None and decision.resubmit
            return card_words.rejected(resubmit, _approver(approval), at, _after(approval, at))
        case "expired":
            return card_words.expired(approval.expires_at)
        case "cancelled" if approval.reason == ASKED_ANEW:
            return card_words.asked_anew(ended)
        case "cancelled":
            return card_words.withdrawn(ended)
        case "blocked" if said := stop_said(approval):
            return stop_words.blocked(said, ended)
        case "blocked":
            return card_words.blocked(approval.action)
    assert_never(approval.status)


def stop_said(approval: Approval) -> str:
    """By whom it was stopped, where it is blocked for that; else empty."""
    verdict = approval.verdict
    return said_of(verdict.effect, verdict.why, verdict.reason, approval.reason)


def _approver(approval: Approval) -> str:
    return approval.decision.approver if approval.decision else ""


def _after(approval: Approval, at: int) -> int:
    return max(at - (approval.shown_at or approval.created_at), 0)


def outcome_line(approval: Approval, now: int | None = None) -> Trusted | None:
    """What the agent reports, or that it has not; None where nothing was to run.

    `now`, in microseconds since 1970, is when it is read or drawn: without it no age is told.
    """
    match approval.status:
        case "approved" if approval.stop is not None and not approval.has_run:
            return stop_words.void(approval.stop)
        case "approved":
            return report_line(approval) or progress_line(
                approval.ended_at or approval.created_at,
                approval.spent_at,
                over=now is not None and approval.is_over(now),
                unattended=approval.left_at is not None,
                now=now,
            )
        case "pending" | "answered" | "rejected" | "expired" | "cancelled" | "blocked":
            return None
    assert_never(approval.status)


def progress_line(
    approved_at: int, spent_at: int | None, *, over: bool, unattended: bool, now: int | None
) -> Trusted:
    """What is known of an approved action of which nobody has reported what became."""
    if over:
        return progress_words.never(spent_at)
    since = max(approved_at, spent_at or 0)
    silent = None if now is None else now - since
    if spent_at is not None:
        return progress_words.started(spent_at, silent)
    return progress_words.UNATTENDED if unattended else progress_words.unreported(silent)


def report_line(approval: Approval) -> Trusted | None:
    """What the agent reports; None until it has."""
    if approval.outcome is None:
        return None
    return card_words.outcome(approval.outcome.succeeded, approval.outcome_at, _approver(approval))


def state_blocks(approval: Approval, room: int = SAID, now: int | None = None) -> list[Block]:
    """The state of an approval that waits no more; `room` is characters for each text that somebody wrote."""
    revision, decision = approval.revision, approval.decision
    found = [_trusted(f"state:{revision}", state_line(approval))]
    said: list[Block] = []
    if decision and not is_id(decision.approver):
        said.append(line(literal(isolated(cut(visible(decision.name or decision.approver) or '""', 100)))))
    if approval.edited:
        parts, whole = difference_elements(
            each_change(approval.request.payload, approval.payload), min(DIFFERENCE, 2 * room), 200
        )
        said += [line(literal(card_words.CHANGED, "bold")), *parts]
        said += [] if whole else [line(literal(card_words.more_claims(), "italic"))]
    said += answer_elements(approval, room)
    label, reason = _reason(approval)
    if reason.strip():
        text = cut(prose(reason), room)
        said.append(
            {"type": "rich_text_quote", "elements": [literal(f"{label}: ", "bold"), literal(isolated(text))]}
        )
    found += [rich(f"said:{revision}", *said)] if said else []
    outcome = outcome_line(approval, now)
    if outcome is not None:
        found.append(_trusted(f"outcome:{revision}", outcome))
    if approval.outcome and approval.outcome.note.strip():
        note = isolated(cut(prose(approval.outcome.note), room))
        quote: Block = {"type": "rich_text_quote", "elements": [literal(note)]}
        found.append(rich(f"note:{revision}", quote))
    return found


def _reason(approval: Approval) -> tuple[str, str]:
    """What it is called, and why it ended so; empty where the state says it already."""
    said = approval.decision.reason if approval.decision else ""
    match approval.status:
        case "approved":
            return card_words.NOTE, said or approval.reason
        case "cancelled" if approval.reason == ASKED_ANEW:
            return card_words.REASON, ""
        case "rejected" | "cancelled":
            return card_words.REASON, said or approval.reason
        case "blocked" if stop_said(approval):
            return card_words.REASON, ""
        case "blocked":
            return card_words.REASON, approval.verdict.reason or approval.reason
        case "pending" | "expired" | "answered":
            return card_words.REASON, said
    assert_never(approval.status)


def _trusted(block_id: str, text: Trusted) -> Block:
    return {"type": "section", "block_id": block_id, "text": mrkdwn(text), "expand": True}
