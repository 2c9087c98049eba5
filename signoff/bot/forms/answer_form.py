"""The forms of a question: what answers it, what says that no answer fits, and what hands it on; pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from signoff.bot.blocks import VIEW_BYTES, view_bytes
from signoff.bot.blocks.limits import OPTION_TEXT
from signoff.bot.forms.talk_forms import ask_view
from signoff.bot.text.answer import default_text
from signoff.bot.text.claims import claims, said
from signoff.bot.text.options import Labels
from signoff.bot.text.prose import one_line
from signoff.bot.text.question import IN_FORM, Room, question_blocks, warnings
from signoff.bot.text.quotes import isolated
from signoff.bot.text.text import Block, length, line, literal, mrkdwn, plain, rich, visible
from signoff.bot.text.views import INPUT, asks, element, modal, note, paragraph, state_of
from signoff.bot.text.words import card as card_words
from signoff.bot.text.words import forms as forms_words
from signoff.bot.text.words import questions as words
from signoff.bot.text.words import times
from signoff.errors import Invalid
from signoff.models.approval import Approval
from signoff.models.questions import GivenAnswer, Question

_BYTES = VIEW_BYTES - 20_000
"""Of the form: Slack sends it back with what was typed."""
_CLAIMS = (2_000, 20)
_SHORT = Room(600, 0, 0, 0, lines=8)
"""Of the question over the smaller forms: it stands whole on the card, or in the form below."""


def answer_view(approval: Approval) -> Block:
    """All of the question, and an input for each way to answer it."""
    question = Question.of(approval.payload)
    labels = Labels.of(question)
    warned = warnings(approval, question, labels)
    for room in IN_FORM:
        blocks = [*_about(approval), paragraph(words.WHY[question.why], "why")]
        drawn = question_blocks(question, labels, room, "form", listed=_is_listed(question, labels))
        blocks += [*drawn.blocks, *_claims(approval)]
        blocks += [] if drawn.whole else [note(words.CUT, "cut")]
        blocks += [note(warned, "warning")] if warned else []
        blocks += [note(words.SAFETY, "safety"), *_inputs(question, labels), *_ways(approval, question)]
        view = modal("answer", words.ANSWER, blocks, approval, words.ANSWER, forms_words.CANCEL)
        if view_bytes(view) <= _BYTES:
            break
    return view


def none_view(approval: Approval) -> Block:
    """None of the options is right: what is."""
    by = element("plain_text_input", multiline=True, max_length=INPUT)
    blocks = [*_asked(approval), note(words.SAFETY, "safety")]
    blocks.append(asks("text", words.NONE_LABEL, by, words.NONE_HINT))
    return modal("none", words.NONE, blocks, approval, words.ANSWER, forms_words.CANCEL)


def hand_view(approval: Approval) -> Block:
    """Who else should answer it."""
    pick = plain(words.CHOOSE_SOMEBODY)
    by = element("users_select", placeholder=pick)
    blocks = [*_asked(approval), asks("to", words.HAND_LABEL, by, words.HAND_HINT)]
    return modal("hand", words.HAND, blocks, approval, words.HAND_SUBMIT, forms_words.CANCEL)


def ask_about_view(approval: Approval) -> Block:
    """A question back to the agent, below what it has asked."""
    view = ask_view(approval)
    return view | {"blocks": [*_asked(approval), view["blocks"][-1]]}


def read_answer(question: Question, values: Mapping[str, Any]) -> tuple[GivenAnswer, dict[str, str]]:
    """(the answer, errors by block_id) of a submitted form; whether it fits the question is not looked at."""
    chosen = state_of(values, "choice")
    options = [*(chosen.get("selected_options") or ()), chosen.get("selected_option") or {}]
    choice = tuple(str(one["value"]) for one in options if isinstance(one, dict) and one.get("value"))
    date = state_of(values, "date").get("selected_date")
    text = _typed(values)
    if not (choice or date or text):
        return GivenAnswer(), {first_input(question): _nothing(question)}
    given: dict[str, Any] = {"choice": list(choice), "text": text} | ({"date": date} if date else {})
    return _given(given, "text" if text else "date" if date else "choice")


def read_none(values: Mapping[str, Any]) -> tuple[GivenAnswer, dict[str, str]]:
    """The same of the form that says that no answer fits."""
    text = _typed(values)
    if not text:
        return GivenAnswer(), {"text": words.NOTHING_TYPED}
    return _given({"none": True, "text": text}, "text")


def read_hand(values: Mapping[str, Any]) -> str:
    """The id of who was chosen; empty where nobody was."""
    return str(state_of(values, "to").get("selected_user") or "")


def first_input(question: Question) -> str:
    """The block_id of the form's first input."""
    return "choice" if question.options else "date" if question.date else "text"


def typed_block(values: Mapping[str, Any]) -> list[Block]:
    """What had been typed into a form that came to nothing, to be copied; no block where nothing was."""
    text = _typed(values)
    if not text:
        return []
    quote: Block = {"type": "rich_text_quote", "elements": [literal(isolated(visible(text[:2_000], "\n")))]}
    return [rich("typed", line(literal(words.NOT_USED, "bold")), quote)]


def _given(said: dict[str, Any], block_id: str) -> tuple[GivenAnswer, dict[str, str]]:
    try:
        return GivenAnswer.of(said), {}
    except Invalid:
        return GivenAnswer(), {block_id: words.TOO_LONG if block_id == "text" else words.NOTHING_CHOSEN}


def _typed(values: Mapping[str, Any]) -> str:
    value = state_of(values, "text").get("value")
    return value.strip() if isinstance(value, str) else ""


def _nothing(question: Question) -> str:
    """What is said where a form is sent with nothing in it."""
    if question.options:
        return words.NOTHING_SAID if question.free_text else words.NOTHING_CHOSEN
    return words.NOTHING_DATED if question.date and not question.free_text else words.NOTHING_TYPED


def _about(approval: Approval) -> list[Block]:
    told = card_words.asks(approval.agent, times.people(approval), approval.expires_at, approval.code)
    parts = [mrkdwn(told)]
    if approval.handed_to:
        parts.append(mrkdwn(times.handed(approval.handed_to, approval.handed_by or "")))
    return [{"type": "context", "block_id": "about", "elements": parts}]


def _asked(approval: Approval) -> list[Block]:
    """Who asks, and the question alone."""
    question = Question.of(approval.payload)
    alone = question.model_copy(update={"options": (), "sources": (), "tries": ()})
    return [
        *_about(approval),
        *question_blocks(alone, Labels.of(alone), _SHORT, "form", listed=False).blocks,
    ]


def _claims(approval: Approval) -> list[Block]:
    """What else the agent says; no block where it says nothing else."""
    if not any(claims(approval.request)):
        return []
    found = said(approval, *_CLAIMS)
    return [rich("claims", *(found if approval.request.reason.strip() else found[:-1]))]


def _is_listed(question: Question, labels: Labels) -> bool:
    """Whether the options stand above their input too: where that does not hold all of them."""
    return any(
        labels.is_cut(at, OPTION_TEXT) or length(_described(option.about)) > OPTION_TEXT
        for at, option in enumerate(question.options)
    )


def _described(about: str) -> str:
    return isolated(one_line(about))


def _inputs(question: Question, labels: Labels) -> list[Block]:
    """Where there are several, each may be left empty: whether one is filled in is looked at afterwards."""
    ways = bool(question.options) + question.date + question.free_text
    found: list[Block] = []
    if question.options:
        listed = _is_listed(question, labels)
        options = [
            _option(labels.label(at, OPTION_TEXT), one.id, "" if listed else _described(one.about))
            for at, one in enumerate(question.options)
        ]
        by = element("checkboxes" if question.several else "radio_buttons", options=options)
        label = words.CHOOSE_SEVERAL if question.several else words.CHOOSE
        found.append(asks("choice", label, by, optional=ways > 1))
    if question.date:
        found.append(asks("date", words.DATE, element("datepicker"), optional=ways > 1))
    if question.free_text:
        label = words.WORDS_BESIDE if ways > 1 else words.WORDS
        by = element("plain_text_input", multiline=True, max_length=INPUT)
        found.append(asks("text", label, by, words.WORDS_HINT, optional=ways > 1))
    return found


def _option(text: str, value: str, about: str) -> Block:
    option: Block = {"text": plain(text), "value": value}
    return option | ({"description": plain(about)} if about else {})


def _ways(approval: Approval, question: Question) -> list[Block]:
    """The other ways than to choose: none of them, leaving it to the agent, somebody else."""
    value, ways, found = f"{approval.id}:{approval.version}", list[tuple[str, str]](), list[Block]()
    if question.options:
        ways.append(("none", words.NONE_MORE))
    if default := default_text(question):
        ways.append(("you_decide", words.DECIDE))
        found.append(note(words.you_decide(approval.agent, default), "default"))
    ways.append(("hand", words.HAND_MORE))
    buttons = [
        {"type": "button", "action_id": name, "text": plain(label), "value": value} for name, label in ways
    ]
    return [*found, {"type": "actions", "block_id": "ways", "elements": buttons}]
