"""One request for who looks it up: as its card shows it, without what decides, or with everything; pure."""

from __future__ import annotations

from signoff.bot.blocks import view_bytes
from signoff.bot.cards.menu import token
from signoff.bot.cards.question_card import question_card
from signoff.bot.forms.modals import details_view
from signoff.bot.kinds import kind_of
from signoff.bot.text.fold import fold, split
from signoff.bot.text.heading import way_in
from signoff.bot.text.options import Labels
from signoff.bot.text.payload import values
from signoff.bot.text.question import IN_FORM, question_blocks, question_in
from signoff.bot.text.states import state_blocks
from signoff.bot.text.text import Block, mrkdwn, plain
from signoff.bot.text.views import BLOCK_CHARACTERS, note, row_blocks
from signoff.bot.text.words import card as card_words
from signoff.bot.text.words import lists as lists_words
from signoff.models.approval import Approval
from signoff.models.questions import QUESTION

_CHARACTERS, _LINES = 40_000, 600
"""What Details… shows of a payload."""
_BYTES = 90_000
"""Of a question: the agent's other words stand below it."""
VIEW_BLOCKS = 100
"""Slack: blocks of a modal."""


def record_blocks(approval: Approval, *, may_decide: bool, now: int) -> list[Block]:
    """The request as a message: Review… where it waits and who reads it may decide, else Details….

    `now` is the database's clock, in microseconds since 1970.
    """
    waits = approval.pending and now < approval.expires_at
    drawn = question_card(approval, now=now, listed=True) if approval.request.kind == QUESTION else None
    drawn = drawn or kind_of(approval).card(approval, now=now)
    shown = [_without(block) for block in drawn.blocks if block["type"] != "actions"]
    review = waits and may_decide and approval.stop is None
    action_id, label = way_in(approval.action) if review else ("details", card_words.DETAILS_MORE)
    button = {"type": "button", "action_id": action_id, "text": plain(label), "value": token(approval)}
    return [*shown, {"type": "actions", "block_id": "record", "elements": [button]}]


def _without(block: Block) -> Block:
    """A block without the card's menu at its side."""
    return {name: value for name, value in block.items() if name != "accessory"}


def record_view(approval: Approval, now: int) -> Block:
    """The request as a modal: its state, its payload, the agent's words, and what Signoff knows of it."""
    view = details_view(approval, now)
    if approval.pending:
        asked = lists_words.listed(approval.agent, approval.expires_at, now, "")
    else:
        asked = card_words.asked(approval.agent, approval.created_at, approval.code)
    about = [plain(approval.action), mrkdwn(asked)]
    head: list[Block] = [{"type": "context", "block_id": "record", "elements": about}]
    head += [] if approval.pending else state_blocks(approval, now=now)
    head += [{"type": "divider"}, *_payload(approval), {"type": "divider"}]
    rest: list[Block] = view["blocks"]
    over = len(head) + len(rest) - VIEW_BLOCKS
    if over > 0:  # of the agent's words; the last four blocks, what is known of it, stay
        rest = [*rest[: -4 - over - 1], note(card_words.TRUNCATED), *rest[-4:]]
    return view | {"callback_id": "record", "blocks": head + rest}


def _payload(approval: Approval) -> list[Block]:
    """All of it: of a question what it asks, as its form shows it."""
    asked = question_in(approval)
    if asked is not None:
        for room in IN_FORM:
            drawn = question_blocks(asked, Labels.of(asked), room, "record", listed=True)
            if view_bytes(drawn.blocks) <= _BYTES:
                break
        return drawn.blocks if drawn.whole else [*drawn.blocks, note(card_words.TRUNCATED)]
    payload = fold(values(approval.request.json_schema, approval.payload, whole=True), _CHARACTERS, _LINES)
    return row_blocks(split(payload.rows, BLOCK_CHARACTERS), "payload") or [note(card_words.EMPTY_PAYLOAD)]
