"""The first message of a run's thread: what the run is, how many requests wait and are decided; pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from signoff.bot.cards.card import Message
from signoff.bot.text.text import Block, Trusted, cut, mrkdwn, plain, visible
from signoff.bot.text.words import lists as lists_words
from signoff.models.threads import Tally, Thread


def first_message(thread: Thread, approvers: Sequence[str]) -> Message:
    """As it is posted, before the first card stands: it mentions who may decide. It counts nothing yet.

    Should its answer be lost on the way, another one is posted; then nothing on this one is wrong.
    """
    return _message(thread, lists_words.thread_begins(thread.agent), lists_words.thread_for(approvers))


def tally_message(thread: Thread, tally: Tally) -> Message:
    """As it is edited later. An edit notifies nobody: each new card mentions who may decide it."""
    told = lists_words.thread_tally(tally.waiting, tally.decided, tally.undecided)
    status = lists_words.thread_waits(told, tally.approvers) if tally.waiting else told
    return _message(thread, lists_words.thread_text(thread.agent, told), status)


def moved_message(thread: Thread, permalink: str | None) -> Message:
    """What takes the place of a first message that was posted beside another one."""
    status = lists_words.thread_elsewhere(permalink)
    return _message(thread, lists_words.thread_text(thread.agent, status), status)


def _metadata(thread: Thread) -> dict[str, Any]:
    """How a first message is found again. Slack: any app in the workspace reads it."""
    return {"event_type": "signoff_thread", "event_payload": {"agent": thread.agent, "thread": thread.id}}


def _message(thread: Thread, text: Trusted, status: Trusted) -> Message:
    revision = thread.revision
    named = lists_words.run_named(cut(visible(thread.run), 300))
    blocks: list[Block] = [
        {
            "type": "header",
            "block_id": f"thread:{revision}",
            "text": plain(lists_words.thread_title(thread.agent)),
        },
        {"type": "context", "block_id": f"run:{revision}", "elements": [plain(named)]},
        {"type": "section", "block_id": f"tally:{revision}", "text": mrkdwn(status), "expand": True},
    ]
    return Message(text, blocks, _metadata(thread))
