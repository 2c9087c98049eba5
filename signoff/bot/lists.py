"""What /approvals answers: the list of what somebody may decide, and help; pure. No list has an Approve."""

from __future__ import annotations

import re
from collections.abc import Sequence

from signoff.bot import words
from signoff.bot.text import Block, mrkdwn, plain
from signoff.models.approval import Approval

PER_PAGE = 10
_LINK = re.compile(r"https?://[A-Za-z0-9.:-]+/[A-Za-z0-9/_.?=&%-]{1,500}")


def approvals_list(items: Sequence[Approval], page: int = 1, pages: int = 1) -> list[Block]:
    """One page of pending approvals, oldest first as they come: at most `PER_PAGE`; page counts from 1.

    The buttons that turn the page are `list_back` and `list_next`; their value is the page to show.
    """
    if not items:
        return [{"type": "section", "text": mrkdwn(words.NOTHING_WAITS)}]
    heading = words.waiting(len(items), page, pages)
    found: list[Block] = [{"type": "context", "block_id": "list", "elements": [plain(heading)]}]
    for item in items[:PER_PAGE]:
        found += _item(item)
    turns = []
    if page > 1:
        turns.append(_turn("list_back", words.BACK, page - 1))
    if page < pages:
        turns.append(_turn("list_next", words.NEXT, page + 1))
    return found + ([{"type": "actions", "block_id": "turn", "elements": turns}] if turns else [])


def help_text() -> str:
    """How to use it, as mrkdwn."""
    return words.HELP


def _item(item: Approval) -> list[Block]:
    link = item.card.permalink if item.card and item.card.permalink else ""
    about = words.listed(item.agent, item.expires_at, link if _LINK.fullmatch(link) else "")
    review: Block = {
        "type": "button",
        "action_id": "review",
        "text": plain(words.REVIEW_MORE),
        "value": f"{item.id}:{item.version}",
    }
    name = f"{item.id}:{item.revision}"
    return [
        {"type": "section", "block_id": f"item:{name}", "text": plain(item.action), "accessory": review},
        {"type": "context", "block_id": f"about:{name}", "elements": [mrkdwn(about)]},
    ]


def _turn(action_id: str, label: str, page: int) -> Block:
    return {"type": "button", "action_id": action_id, "text": plain(label), "value": str(page)}
