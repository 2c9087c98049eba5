"""The first message of a run's thread: what the run is, how many requests wait and are decided; pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from signoff.bot.cards.card import Message
from signoff.bot.text.text import Block, Trusted, cut, mrkdwn, plain, visible
from signoff.bot.text.which import Which, titles, trusted_title
from signoff.bot.text.words import lists as lists_words
from signoff.bot.text.words import which as which_words
from signoff.models.approval import Approval
from signoff.models.lists import Listed
from signoff.models.threads import Tally, Thread


def first_message(thread: Thread, approvers: Sequence[str], first: Approval) -> Message:
    """As it is posted, before the first card stands: it mentions who may decide, and counts nothing yet.

    It names the request that the run begins with. Should its answer be lost on the way, another one is
    posted; then nothing on this one is wrong.
    """
    begins = lists_words.thread_begins(thread.agent, trusted_title(Which.of(first)))
    return _message(thread, begins, lists_words.thread_for(approvers))


def tally_message(thread: Thread, tally: Tally, waiting: Sequence[Listed] = ()) -> Message:
    """As it is edited later, with what waits longest. An edit notifies nobody: each new card does."""
    told = lists_words.thread_tally(tally.waiting, tally.decided, tally.undecided)
    status = lists_words.thread_waits(told, tally.approvers) if tally.waiting else told
    message = _message(thread, lists_words.thread_text(thread.agent, told), status)
    for one, title in zip(waiting, titles([Which.listed(one) for one in waiting]), strict=True):
        undo = which_words.cannot_be_undone(one.reversibility, one.reversibility_from)
        line = lists_words.listed(one.agent, one.expires_at, None, "", undo=undo, code=one.code)
        parts, block_id = [plain(title), mrkdwn(line)], f"waits:{one.id}:{thread.revision}"
        message.blocks.append({"type": "context", "block_id": block_id, "elements": parts})
    return message


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
