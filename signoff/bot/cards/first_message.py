"""The first message of a run's thread: what the run is, how many requests wait and are decided; pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from signoff.bot.cards.card import Message
from signoff.bot.text.heading import at_stake
from signoff.bot.text.text import Block, Trusted, cut, mrkdwn, plain, visible
from signoff.bot.text.which import Which, title, titles, trusted_title
from signoff.bot.text.words import lists as lists_words
from signoff.models.approval import Approval
from signoff.models.lists import Listed
from signoff.models.threads import Tally, Thread

FEW = 3
"""Waiting requests that the text names, of which a notification shows the first line or two."""
ROOM = 60
"""Characters of the values of each there."""
HEADER = 150
"""Characters, by Slack."""
_MACHINE_MADE = re.compile(
    r"(?:[A-Za-z]+[-_:])?(?:[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|(?=[0-9]*[a-fA-F])[0-9a-fA-F]{16,}|[0-9A-HJKMNP-TV-Z]{26})"
)
"""A run's name that says nothing to people: a UUID, a digest, a ULID."""


def first_message(thread: Thread, approvers: Sequence[str], first: Approval) -> Message:
    """As it is posted, before the first card stands: it mentions who may decide, and counts nothing yet.

    It names the request that the run begins with. Should its answer be lost on the way, another one is
    posted; then nothing on this one is wrong.
    """
    which = Which.of(first)
    begins = lists_words.thread_begins(thread.agent, trusted_title(which))
    return _message(thread, begins, lists_words.thread_for(approvers), title(which))


def tally_message(thread: Thread, tally: Tally, waiting: Sequence[Listed] = ()) -> Message:
    """As it is edited later, with what waits longest. An edit notifies nobody: each new card does."""
    told = lists_words.thread_tally(tally.waiting, tally.decided, tally.undecided)
    status = lists_words.thread_waits(told, tally.approvers) if tally.waiting else told
    asked = [Which.listed(one) for one in waiting]
    few = 0 < tally.waiting == len(asked) <= FEW
    text = (
        lists_words.thread_asks(thread.agent, [trusted_title(which, ROOM) for which in asked], told)
        if few
        else lists_words.thread_text(thread.agent, told)
    )
    named = titles(asked)
    message = _message(thread, text, status, named[0] if few and len(named) == 1 else "")
    for one, shown in zip(waiting, named, strict=True):
        undo = at_stake(one.action, one.reversibility, one.reversibility_from)
        line = lists_words.listed(one.agent, one.expires_at, None, "", undo=undo, code=one.code)
        parts, block_id = [plain(shown), mrkdwn(line)], f"waits:{one.id}:{thread.revision}"
        message.blocks.append({"type": "context", "block_id": block_id, "elements": parts})
    return message


def moved_message(thread: Thread, permalink: str | None) -> Message:
    """What takes the place of a first message that was posted beside another one."""
    status = lists_words.thread_elsewhere(permalink)
    return _message(thread, lists_words.thread_text(thread.agent, status), status)


def _metadata(thread: Thread) -> dict[str, Any]:
    """How a first message is found again. Slack: any app in the workspace reads it."""
    return {"event_type": "signoff_thread", "event_payload": {"agent": thread.agent, "thread": thread.id}}


def _message(thread: Thread, text: Trusted, status: Trusted, asked: str = "") -> Message:
    """`asked` is what its only request asks for, which is its header then; empty: that it is a run's."""
    revision = thread.revision
    header = cut(asked or lists_words.thread_title(thread.agent), HEADER)
    named = lists_words.run_named(cut(visible(thread.run), 300))
    telling = [] if _MACHINE_MADE.fullmatch(thread.run) else [plain(named)]
    who = [plain(lists_words.thread_title(thread.agent))] if asked else []
    blocks: list[Block] = [
        {
            "type": "header",
            "block_id": f"thread:{revision}",
            "text": plain(header),
        },
        *(
            [{"type": "context", "block_id": f"run:{revision}", "elements": [*who, *telling]}]
            if who or telling
            else []
        ),
        {"type": "section", "block_id": f"tally:{revision}", "text": mrkdwn(status), "expand": True},
    ]
    return Message(text, blocks, _metadata(thread))
