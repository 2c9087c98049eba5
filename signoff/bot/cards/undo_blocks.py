"""On the card of what ran: whether it can be undone, the button, and what became of that; pure."""

from __future__ import annotations

from signoff.approvals.offers import filled, offered_until
from signoff.bot.text.text import Block, mrkdwn, plain, visible
from signoff.bot.text.undone import undone_line
from signoff.bot.text.words import undo as words
from signoff.models.approval import Approval


def undo_blocks(approval: Approval, now: int | None = None) -> list[Block]:
    """None where the policy names no undo, or its time is over. `now` is the database's clock."""
    revision = approval.revision
    if approval.verdict.undo is None:
        return []
    if undone_line(approval, now) is not None:  # that is what became of it: it stands above, see below
        done = approval.undo.done if approval.undo else None
        return _offer(approval, now) if done and done.again(now) else []
    if approval.outcome is None:
        return [_context(f"undo:{revision}", mrkdwn(words.undo_later(approval.agent)))]
    return _offer(approval, now)


def _offer(approval: Approval, now: int | None) -> list[Block]:
    """The button, while its time lasts."""
    revision, until, known = approval.revision, offered_until(approval), filled(approval)
    if until is None or (now is not None and now >= until):
        return []
    if known.payload is None:
        return [_context(f"undo:{revision}", plain(visible(words.missing(known.missing))))]
    parts = [mrkdwn(words.can_be_undone(until))]
    if approval.undo is None or not approval.undo.tried:
        parts.append(mrkdwn(words.NEVER_TRIED))
    button = {
        "type": "button",
        "action_id": "undo",
        "text": plain(words.UNDO_MORE),
        "value": f"{approval.id}:{approval.version}",
    }
    return [
        _context(f"undo:{revision}", *parts),
        {"type": "actions", "block_id": f"undoing:{revision}", "elements": [button]},
    ]


def undone_blocks(approval: Approval, now: int | None = None) -> list[Block]:
    """What has become of undoing it, as a state of its own: a line as large as *Approved by …*."""
    told = undone_line(approval, now) if approval.verdict.undo is not None else None
    if told is None:
        return []
    block_id = f"undone:{approval.revision}"
    return [{"type": "section", "block_id": block_id, "text": mrkdwn(told), "expand": True}]


def _context(block_id: str, *parts: Block) -> Block:
    return {"type": "context", "block_id": block_id, "elements": list(parts)}
