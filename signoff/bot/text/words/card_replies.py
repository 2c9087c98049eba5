"""What is said in cards' threads, by kind: a row here is all that another kind needs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from signoff.bot.text.words import talks, times, undo
from signoff.bot.text.words.spoken_reply import Spoken as Spoken
from signoff.models.approval import Approval

Sentence = Callable[[Approval, Mapping[str, Any]], Spoken | None]
"""An approval as it is now, and what was noted (`models.card_replies.add`) → what is said; None: nothing."""


def _undo_untaken(approval: Approval, said: Mapping[str, Any]) -> Spoken | None:
    done = approval.undo.done if approval.undo else None
    if done is None or done.spent_at is not None or done.succeeded is not None:
        return None  # somebody took it meanwhile
    return Spoken(undo.untaken_reply(str(said.get("owner", ""))))


def _undo_unreported(approval: Approval, said: Mapping[str, Any]) -> Spoken | None:
    done = approval.undo.done if approval.undo else None
    if done is None or done.spent_at is None or done.succeeded is not None:
        return None  # it was reported meanwhile
    return Spoken(undo.unreported_reply(str(said.get("owner", ""))))


def _undo_failed(_: Approval, said: Mapping[str, Any]) -> Spoken:
    return Spoken(undo.failed_reply(str(said.get("by", ""))))


KINDS: dict[str, Sentence] = {
    "called": times.called,
    "handed": times.handed_reply,
    "talk": talks.in_thread,
    "undo_untaken": _undo_untaken,
    "undo_unreported": _undo_unreported,
    "undo_failed": _undo_failed,
}
"""By the `kind` of `models.card_replies.add`."""
