"""Was this right? Asked on the card of what ran, and what somebody has said of it in its place; pure.

Three plain buttons: none is greener than another.
"""

from __future__ import annotations

from collections.abc import Sequence

from signoff.bot.text.prose import prose
from signoff.bot.text.quotes import isolated
from signoff.bot.text.text import Block, Trusted, cut, literal, mrkdwn, plain, rich
from signoff.bot.text.which import Which, title
from signoff.bot.text.words import card as card_words
from signoff.bot.text.words import feedback as words
from signoff.models.approval import Approval

SAID = 700
"""Characters of a correction on a card; Details… has it whole."""
SAID_OF_ONE = 300
"""Of a correction of one of several."""
LINE = 100
"""Characters of which one of several it is."""
PRESSED = "feedback_"
"""The action ids of the buttons, before the answer."""


def feedback_blocks(approval: Approval, room: int = SAID, now: int | None = None) -> list[Block]:
    """What is asked of an outcome, or was said of it; nothing where nobody is asked, or not any more."""
    asked = approval.feedback
    if asked is None:
        return []
    if asked.answer is not None:
        return given_blocks(approval, room)
    if not asked.is_open(now):
        return []
    people = card_words.audience(asked.people(approval.decisions))
    question = Trusted(f"*{words.ASKS}*")
    revision = approval.revision
    return [
        section(f"right:{revision}", question),
        small(f"asked:{revision}", mrkdwn(words.asks_whom(people))),
        buttons(approval),
    ]


def batch_feedback(items: Sequence[tuple[int, Approval]], now: int | None) -> list[Block]:
    """The same of those of a batch that people are asked about, each by its number."""
    found: list[Block] = []
    people: tuple[str, ...] = ()
    for number, one in items:
        asked = one.feedback
        if asked is not None and asked.answer is not None:
            first, *more = given_blocks(one, SAID_OF_ONE)
            said = words.of_one(number, words.given(asked.answer, asked.by_id, asked.at))
            found += [first | {"text": mrkdwn(said)}, *more]
        elif asked is not None and asked.is_open(now):
            people = tuple(dict.fromkeys([*people, *asked.people(one.decisions)]))
            question = Trusted(f"*{words.asks_of(number)}*")
            which = plain(title(Which.of(one), LINE))
            found += [section("right", question), small("which", which), buttons(one)]
    for at, block in enumerate(found):
        block["block_id"] = f"{block['block_id']}:{at}"
    who = [small("asked", mrkdwn(words.asks_whom(card_words.audience(people))))] if people else []
    return [*found, *who]


def feedback_line(approval: Approval, now: int | None = None) -> Trusted | None:
    """The same for who hears it; None where there is nothing to say."""
    asked = approval.feedback
    if asked is None:
        return None
    if asked.answer is not None:
        return words.given(asked.answer, asked.by_id, asked.at)
    return Trusted(words.ASKS) if asked.is_open(now) else None


def given_blocks(approval: Approval, room: int) -> list[Block]:
    """Who said what, and their correction."""
    asked, revision = approval.feedback, approval.revision
    assert asked is not None and asked.answer is not None
    found = [section(f"right:{revision}", words.given(asked.answer, asked.by_id, asked.at))]
    if asked.text.strip():
        text = isolated(cut(prose(asked.text), room))
        spans = [literal(f"{words.CORRECTION}: ", "bold"), literal(text)]
        found.append(rich(f"correction:{revision}", {"type": "rich_text_quote", "elements": spans}))
    return found


def buttons(approval: Approval, *more: Block) -> Block:
    """Right, Partly…, Wrong…, and `more`."""
    value = f"{approval.id}:{approval.version}"
    elements: list[Block] = [
        {"type": "button", "action_id": f"{PRESSED}{answer}", "text": plain(label), "value": value}
        for answer, label in words.BUTTONS.items()
    ]
    return {"type": "actions", "block_id": f"feedback:{approval.revision}", "elements": [*elements, *more]}


def section(block_id: str, text: Trusted) -> Block:
    """A paragraph of our own words."""
    return {"type": "section", "block_id": block_id, "text": mrkdwn(text), "expand": True}


def small(block_id: str, *parts: Block) -> Block:
    """A small line."""
    return {"type": "context", "block_id": block_id, "elements": list(parts)}
