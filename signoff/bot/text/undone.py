"""What has become of undoing something, in one line of mrkdwn; pure."""

from __future__ import annotations

from signoff.bot.text.text import Trusted
from signoff.bot.text.words import undo as words
from signoff.models.approval import Approval


def undone_line(approval: Approval, now: int | None = None) -> Trusted | None:
    """By whom, and how far that is; None where nobody has undone it."""
    undo = approval.undo
    done = undo.done if undo else None
    if undo is None or done is None:
        return None
    if done.succeeded is not None:
        say = words.undone if done.succeeded else words.undo_failed
        return say(done.by_id, done.outcome_at or done.at)
    if done.unreported(now):
        return words.unreported(done.by_id, done.spent_at or done.at, undo.owner or "")
    if done.untaken(now):
        return words.untaken(done.by_id, undo.owner or "")
    return words.being_undone(done.by_id, done.at)
