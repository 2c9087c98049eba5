"""What has become of an approval: its state, who decided, what they changed and said; pure."""

from __future__ import annotations

from signoff.bot.text.difference import changes
from signoff.bot.text.difference import elements as difference_elements
from signoff.bot.text.text import Block, Trusted, cut, is_id, line, literal, mrkdwn, rich, visible
from signoff.bot.text.words import card as card_words
from signoff.models.approval import Approval
from signoff.models.messages import Decision

SAID = 700
"""Characters of a note, a reason or an outcome on a card; the log of decisions has them whole."""
DIFFERENCE = 1200
"""Characters of the changes on a card."""


def at_of(decision: Decision | None) -> int | None:
    """When it was recorded, in microseconds since 1970."""
    return round(decision.at.timestamp() * 1_000_000) if decision and decision.at else None


def state_line(approval: Approval) -> Trusted:
    """One line of mrkdwn for an approval that waits no more."""
    at = approval.ended_at or approval.expires_at
    decision = approval.decision
    if approval.status in ("approved", "rejected") and decision:
        at = at_of(decision) or at
        voted = card_words.APPROVED if decision.vote == "approve" else card_words.REJECTED
        voted = card_words.SENT_BACK if decision.vote == "reject" and decision.resubmit else voted
        return card_words.decided(voted, decision.approver, at, _after(approval, at))
    if approval.status == "approved":
        return card_words.decided(card_words.APPROVED_BY_POLICY, "", at, None)
    if approval.status == "rejected":
        return card_words.decided(card_words.REJECTED, "", at, _after(approval, at))
    if approval.status == "cancelled":
        return card_words.withdrawn(at)
    if approval.status == "blocked":
        return card_words.blocked(approval.action)
    if approval.restored:
        return card_words.restored(at)
    return card_words.expired(approval.expires_at)


def _after(approval: Approval, at: int) -> int:
    return max(at - (approval.shown_at or approval.created_at), 0)


def outcome_line(approval: Approval) -> Trusted | None:
    """`Running…`, then what the agent reports; None where nothing was to run."""
    if approval.status != "approved":
        return None
    return card_words.RUNNING if approval.outcome is None else report_line(approval)


def report_line(approval: Approval) -> Trusted | None:
    """What the agent reports; None until it has."""
    if approval.outcome is None:
        return None
    by = approval.decision.approver if approval.decision else ""
    return card_words.outcome(approval.outcome.succeeded, approval.outcome_at, by)


def state_blocks(approval: Approval, room: int = SAID) -> list[Block]:
    """The state of an approval that waits no more; `room` is characters for each text that somebody wrote."""
    revision, decision = approval.revision, approval.decision
    found = [_trusted(f"state:{revision}", state_line(approval))]
    said: list[Block] = []
    if decision and not is_id(decision.approver):
        said.append(line(literal(cut(visible(decision.name or decision.approver) or '""', 100))))
    if approval.edited:
        parts, whole = difference_elements(
            changes(approval.request.payload, approval.payload), min(DIFFERENCE, 2 * room), 200
        )
        said += [line(literal(card_words.CHANGED, "bold")), *parts]
        said += [] if whole else [line(literal(card_words.more_claims(), "italic"))]
    ours = approval.status in ("pending", "expired")  # the state says it already
    reason = (decision.reason if decision else "") or _policy_reason(approval)
    reason = reason or ("" if ours else approval.reason)
    if reason.strip():
        label = card_words.NOTE if approval.status == "approved" else card_words.REASON
        text = cut(visible(reason, keep="\n"), room)
        said.append({"type": "rich_text_quote", "elements": [literal(f"{label}: ", "bold"), literal(text)]})
    found += [rich(f"said:{revision}", *said)] if said else []
    outcome = outcome_line(approval)
    if outcome is not None:
        found.append(_trusted(f"outcome:{revision}", outcome))
    if approval.outcome and approval.outcome.note.strip():
        note = cut(visible(approval.outcome.note, keep="\n"), room)
        quote: Block = {"type": "rich_text_quote", "elements": [literal(note)]}
        found.append(rich(f"note:{revision}", quote))
    return found


def _policy_reason(approval: Approval) -> str:
    return approval.verdict.reason if approval.status == "blocked" else ""


def _trusted(block_id: str, text: Trusted) -> Block:
    return {"type": "section", "block_id": block_id, "text": mrkdwn(text), "expand": True}
