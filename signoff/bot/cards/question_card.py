"""A question of an agent's → Block Kit: the card, its buttons and its notification; pure.

What we know stands first: who asks whom, until when, and why. Then the agent's words, as such; and above the
buttons, always, that an answer lets nothing run. Its answers stand on buttons only where all of the question
stands on the card: else *Answer…* opens it.
"""

from __future__ import annotations

from collections.abc import Sequence

from signoff.bot.blocks import MESSAGE_TOTAL
from signoff.bot.cards.card import Message, metadata
from signoff.bot.cards.menu import beside, menu, menu_after, token
from signoff.bot.cards.stopped import stopped_blocks
from signoff.bot.cards.table import counted
from signoff.bot.text.answer import answer_text, default_text
from signoff.bot.text.claims import claims, said
from signoff.bot.text.heading import heading
from signoff.bot.text.options import SHORT, Labels
from signoff.bot.text.prose import one_line
from signoff.bot.text.question import (
    MOST_LINES,
    ON_CARD,
    Drawn,
    Room,
    phone_lines,
    question_blocks,
    question_in,
    warnings,
)
from signoff.bot.text.quotes import quoted
from signoff.bot.text.spoken import heard
from signoff.bot.text.spoken_question import spoken_question
from signoff.bot.text.states import state_blocks, state_line
from signoff.bot.text.text import Block, Trusted, cut, length, mrkdwn, plain, rich
from signoff.bot.text.views import title
from signoff.bot.text.words import card as card_words
from signoff.bot.text.words import notifications as notices
from signoff.bot.text.words import progress as progress_words
from signoff.bot.text.words import questions as words
from signoff.bot.text.words import times
from signoff.models.approval import Approval
from signoff.models.questions import Question

_CLAIMS = ((500, 6), (200, 3), (60, 1), (60, 1))
"""Characters and lines of what the agent says beside its question, as `ON_CARD` goes down."""
_AFTER = Room(500, 0, 0, 0, lines=8)
_ANSWERED = 700
"""Characters of what somebody typed."""
DEFAULT = 150
"""Characters of what the agent takes by default; of a longer one *You decide* stands in the form alone."""
OPTION = "option_"
"""The action id of the button of an option, before its place: `option_0` is the first one's."""
NOTIFIED = 100
"""Characters of a question where only its beginning is told."""


def question_card(approval: Approval, *, now: int | None = None, listed: bool = False) -> Message:
    """The card of a question in any state; `now` as `card` takes it.

    `listed` has its answers stand as a list, too, where buttons would do: for a place without them.
    """
    waits = approval.pending and (now is None or now < approval.expires_at)
    question = question_in(approval)
    if not waits:
        return Message(_told(approval), _over(approval, question), metadata(approval))
    if question is None:
        blocks = [*_head(approval, _asks(approval)), _context(approval, "unreadable", words.UNREADABLE)]
        return Message(_told(approval), [*blocks, _menu(approval, [])], metadata(approval))
    labels = Labels.of(question)
    warned = warnings(approval, question, labels)
    for room, claimed in zip(ON_CARD, _CLAIMS, strict=True):
        blocks, buttons = _waiting(approval, question, labels, room, claimed, warned, listed)
        if counted(blocks) <= MESSAGE_TOTAL and phone_lines(blocks) <= MOST_LINES:
            break
    told = spoken_question(approval, question, labels, warned, buttons, now)
    return Message(told, blocks, metadata(approval))


def _waiting(
    approval: Approval,
    question: Question,
    labels: Labels,
    room: Room,
    claimed: tuple[int, int],
    warned: str,
    listed: bool,
) -> tuple[list[Block], list[str]]:
    """The blocks, and what stands on the buttons."""
    on_buttons = labels.fit_buttons and not question.several
    described = labels.numbered or any(one.about.strip() for one in question.options)
    listed = listed or described or not on_buttons
    drawn = question_blocks(question, labels, room, str(approval.revision), listed=listed)
    found = _head(approval, _asks(approval))
    found += stopped_blocks(approval)
    if approval.left_at is not None:
        found.append(_context(approval, "left", progress_words.left(approval.left_at)))
    found += [
        _context(approval, "handed" if one.startswith("*Handed") else f"times-{number}", one)
        for number, one in enumerate(times.lines(approval))
    ]
    found += [_section(approval, "why", plain(words.WHY[question.why])), *drawn.blocks]
    if any(claims(approval.request)):
        said_by_it = said(approval, *claimed)
        no_reason = not approval.request.reason.strip()
        found.append(rich(f"claims:{approval.revision}", *(said_by_it[:-1] if no_reason else said_by_it)))
    if not drawn.whole:
        found.append(_context(approval, "folded", words.FOLDED))
    if warned:
        found.append(_context(approval, "warning", warned))
    rows, labelled = _actions(approval, question, labels, drawn, on_buttons)
    decide = default_text(question)
    if decide and words.DECIDE in labelled:
        found.append(_context(approval, "default", words.you_decide(approval.agent, decide)))
    found.append(_context(approval, "safety", words.SAFETY))
    return [*found, *rows], labelled


def _actions(
    approval: Approval, question: Question, labels: Labels, drawn: Drawn, on_buttons: bool
) -> tuple[list[Block], list[str]]:
    """The agent's answers in a row of their own, then ours; and what stands on all of them."""
    value, rows, labelled = token(approval), list[Block](), list[str]()
    if approval.stop is not None:
        return [_menu(approval, [])], labelled
    if on_buttons and drawn.whole:
        most = SHORT + 8
        named = [labels.label(at, most) for at in range(len(question.options))]
        buttons = [_button(f"{OPTION}{at}", text, value) for at, text in enumerate(named)]
        rows.append(_row(approval, "options", buttons))
        labelled += named
    ours = []
    more = question.free_text or question.date
    if not labelled or more:
        ours.append(_button("answer", words.ANSWER_MORE, value))
    if labelled:
        ours.append(_button("none", words.NONE_MORE, value))
    default = default_text(question)
    if default and drawn.whole and length(default) <= DEFAULT:
        ours.append(_button("you_decide", words.DECIDE, value))
    ours.append(_button("hand", words.HAND_MORE, value))
    labelled += [str(button["text"]["text"]) for button in ours]
    return [*rows, _menu(approval, ours)], labelled


def _menu(approval: Approval, buttons: Sequence[Block]) -> Block:
    return _row(approval, "actions", [*buttons, menu(approval)])


def _over(approval: Approval, question: Question | None) -> list[Block]:
    """What was asked, and who has answered what."""
    found = _head(approval, mrkdwn(card_words.asked(approval.agent, approval.created_at, approval.code)))
    if question is not None:
        labels = Labels.of(question)
        asked = question.model_copy(update={"sources": (), "tries": (), "options": ()})
        found += question_blocks(asked, labels, _AFTER, str(approval.revision), listed=False).blocks
    return [*found, *beside(state_blocks(approval, _ANSWERED), menu_after(approval))]


def _head(approval: Approval, about: Block) -> list[Block]:
    """The header, the same in every state, and the line below it."""
    revision = approval.revision
    return [
        {"type": "header", "block_id": f"header:{revision}", "text": title(heading(approval))},
        {"type": "context", "block_id": f"about:{revision}", "elements": [about]},
    ]


def _asks(approval: Approval) -> Block:
    verdict = approval.verdict
    return mrkdwn(card_words.asks(approval.agent, verdict.approvers, approval.expires_at, approval.code))


def _context(approval: Approval, name: str, text: str) -> Block:
    """A small line: plain text, but for what we made of ids and times."""
    part = mrkdwn(Trusted(text)) if name in ("left", "handed") else plain(text)
    return {"type": "context", "block_id": f"{name}:{approval.revision}", "elements": [part]}


def _section(approval: Approval, name: str, text: Block) -> Block:
    return {"type": "section", "block_id": f"{name}:{approval.revision}", "text": text, "expand": True}


def _row(approval: Approval, name: str, elements: list[Block]) -> Block:
    return {"type": "actions", "block_id": f"{name}:{approval.revision}", "elements": elements}


def _button(action_id: str, label: str, value: str) -> Block:
    return {"type": "button", "action_id": action_id, "text": plain(label), "value": value}


def _told(approval: Approval) -> Trusted:
    """The notification and what is heard once it is over."""
    what = heard(quoted(cut(one_line(str(approval.payload.get("question", ""))), NOTIFIED)))
    answer = answer_text(approval)
    lines = [Trusted(state_line(approval).replace("*", "")), *([heard(answer)] if answer else [])]
    return notices.asked(approval.agent, what, *lines)
