"""⋯: what can be done about a request beside deciding it, in one menu on its card; pure.

So a card has Approve (or Review…), Reject…, Edit… and this. Slack: a menu has one to five options; where
there is more to do, *More…* stands among them and opens what has no room.
"""

from __future__ import annotations

from collections.abc import Sequence

from signoff.bot.blocks import OVERFLOW_OPTIONS
from signoff.bot.text.text import Block, plain
from signoff.bot.text.views import modal, note
from signoff.bot.text.words import card as card_words
from signoff.bot.text.words import stops as words
from signoff.models.approval import Approval

MENU = "more"
"""The action id of every such menu. An option's value is what it does and what that is about."""
REST = "rest"
"""The choice that opens those that had no room."""
RECORD = "record"
"""Details… of what waits no more: all of it."""
STOP, RESUME = "stop", "resume"
Choice = tuple[str, str]
"""What it does, and what it says."""
_ROOM = OVERFLOW_OPTIONS - 2
"""Beside Details… and Stop…"""


def menu(approval: Approval, *choices: Choice) -> Block:
    """The menu of a card that waits: `choices`, then Details… and Stop…, which always have room."""
    fits = len(choices) <= _ROOM
    shown = choices if fits else (*choices[: _ROOM - 1], (REST, card_words.MORE))
    named = [(f"{name}:{token(approval)}", label) for name, label in shown]
    return options([*named, (f"details:{token(approval)}", card_words.DETAILS_MORE), stop_option(approval)])


def rest_view(approval: Approval, choices: Sequence[Choice]) -> Block:
    """*More…*: those of a menu's choices that have no room in it, as buttons."""
    left = choices[_ROOM - 1 :] if len(choices) > _ROOM else ()
    buttons = [
        {
            "type": "button",
            "action_id": f"{MENU}_{name}",
            "text": plain(label),
            "value": f"{name}:{token(approval)}",
        }
        for name, label in left
    ]
    row: Block = {"type": "actions", "block_id": "rest", "elements": buttons}
    blocks = [row] if buttons else [note(card_words.NOTHING_ELSE)]
    return modal(REST, card_words.MORE_TITLE, blocks, approval)


def menu_after(approval: Approval) -> Block:
    """The menu of a card that waits no more."""
    details = f"{RECORD}:{token(approval)}", card_words.DETAILS_MORE
    return options([details, stop_option(approval)])


def stop_option(approval: Approval) -> tuple[str, str]:
    """Stop billing-bot…, or Resume… of what is stopped: an option's value, and what it says."""
    if approval.stop is not None and approval.stop.stands:
        return f"{RESUME}:{token(approval)}", words.resume_more(approval.stop.scope)
    return f"{STOP}:{token(approval)}", words.stop_more(approval.agent)


def options(found: Sequence[tuple[str, str]]) -> Block:
    """A menu of these options: the value of each, and what it says."""
    shown = [{"text": plain(label), "value": value} for value, label in found]
    return {"type": "overflow", "action_id": MENU, "options": shown}


def beside(blocks: Sequence[Block], by: Block) -> list[Block]:
    """`blocks`, with a menu at the side of the first paragraph, where it takes no line of its own."""
    at = next(number for number, block in enumerate(blocks) if block["type"] == "section")
    return [*blocks[:at], {**blocks[at], "accessory": by}, *blocks[at + 1 :]]


def token(approval: Approval) -> str:
    """A button's value: the approval and the version of the payload that it shows."""
    return f"{approval.id}:{approval.version}"
