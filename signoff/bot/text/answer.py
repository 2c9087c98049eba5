"""What somebody has answered to a question, as people read and hear it; pure."""

from __future__ import annotations

from signoff.bot.text.prose import one_line, prose
from signoff.bot.text.quotes import isolated, quoted
from signoff.bot.text.text import Block, cut, line, literal
from signoff.bot.text.words import questions as words
from signoff.errors import Invalid
from signoff.models.approval import Approval
from signoff.models.questions import GivenAnswer, Question

HEARD = 300
"""Characters of a text that somebody typed, where it is heard."""


def given(approval: Approval) -> GivenAnswer | None:
    """The answer; None where there is none that can be read."""
    said = approval.decision.answer if approval.decision else None
    if said is None:
        return None
    try:
        return GivenAnswer.of(said)
    except Invalid:
        return None


def answer_elements(approval: Approval, room: int) -> list[Block]:
    """The elements of a rich_text block: what was chosen, each on a line, a date, and what was typed.

    `room` is characters of what was typed.
    """
    answer = given(approval)
    if answer is None:
        return []
    heading = _heading(answer)
    found = [line(literal(heading, "italic"))] if heading else []
    chosen = _chosen(approval, answer)
    if len(chosen) > 1:
        items = [line(literal(isolated(text), "bold")) for text in chosen]
        found.append({"type": "rich_text_list", "style": "bullet", "elements": items})
    elif chosen:
        found.append(line(literal(isolated(chosen[0]), "bold")))
    if answer.text.strip():
        typed = isolated(cut(prose(answer.text), room))
        found.append({"type": "rich_text_quote", "elements": [literal(typed)]})
    return found


def answer_text(approval: Approval) -> str:
    """The same in one visible line, each part in quotes; empty where there is none."""
    answer = given(approval)
    if answer is None:
        return ""
    parts = [quoted(text) for text in _chosen(approval, answer)]
    if answer.text.strip():
        parts.append(quoted(cut(one_line(answer.text), HEARD)))
    return " ".join(part for part in (_heading(answer), ", ".join(parts)) if part)


def default_text(question: Question) -> str:
    """What the agent takes where it is left to it, as one visible line; empty where it has no default."""
    if question.default is None:
        return ""
    option = question.option(question.default)
    if option is not None:
        return one_line(option.text)
    return words.day(question.default) if not question.free_text else one_line(question.default)


def _heading(answer: GivenAnswer) -> str:
    """Our words before an answer that chooses nothing."""
    return f"{words.LEFT_TO_AGENT}:" if answer.default else f"{words.NONE_FITS}:" if answer.none else ""


def _chosen(approval: Approval, answer: GivenAnswer) -> list[str]:
    """The texts of what was chosen, and the date; visible. An option that is not there stands by its id."""
    try:
        question: Question | None = Question.of(approval.payload)
    except Invalid:  # its payload is erased
        question = None
    options = [question.option(one) if question else None for one in answer.choice]
    texts = [
        one_line(option.text if option else one) for one, option in zip(answer.choice, options, strict=True)
    ]
    return [*texts, *([words.day(answer.date)] if answer.date else [])]
