"""A question that waits, as it is heard: all of it as mrkdwn, within a message's bytes; pure.

See `spoken`: what the agent wrote stands behind a `•` (one of its answers) or a `|` (a line of a text).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from signoff.bot.text.answer import default_text
from signoff.bot.text.claims import claims
from signoff.bot.text.options import Labels
from signoff.bot.text.prose import one_line, prose
from signoff.bot.text.question import beside
from signoff.bot.text.quotes import isolated, quoted
from signoff.bot.text.size import TEXT_BYTES, shortened
from signoff.bot.text.spoken import (
    HEAD,
    WARNINGS,
    behind_bar,
    heard,
    size,
    spelled,
    stopped_lines,
    within,
)
from signoff.bot.text.text import Trusted, cut, escape, visible
from signoff.bot.text.words import card as card_words
from signoff.bot.text.words import progress as progress_words
from signoff.bot.text.words import questions as words
from signoff.bot.text.words import spoken as spoken_words
from signoff.bot.text.words import stops as stop_words
from signoff.bot.text.words import times
from signoff.models.approval import Approval
from signoff.models.questions import Question

FIRST = 160
"""Characters of the question in the first line, which is what a lock screen shows."""
QUESTION = 2_000
"""Bytes of the rest of it that its answers leave it."""
_NOTICE = 130
"""Bytes of the line that says what does not fit."""
_DEFAULT = 400
"""Bytes of what *You decide* means, and of what can be pressed."""
_OURS = (words.ANSWER_MORE, words.NONE_MORE, words.DECIDE, words.HAND_MORE)


def spoken_question(
    approval: Approval, question: Question, labels: Labels, warned: str, buttons: list[str], now: int | None
) -> Trusted:
    """The question, its answers, then what it found and tried, as the card has them.

    `warned` is what can mislead, a line each, `buttons` what stands on the card's. `now` is the database's
    clock. Where not all of it fits, the agent's lines are left out and counted, the last ones first.
    """
    head = [Trusted(shortened(line, HEAD)) for line in _head(approval, question, now)]
    tail = [*_tail(approval, question, warned, buttons)]
    room = TEXT_BYTES - size([*head, *tail])
    asked = _fitted(_asked(question), min(QUESTION, room - 2 * _NOTICE))
    room -= size(asked)
    offered = _fitted(_offered(question, labels), room - _NOTICE)
    beside = _fitted(_beside(approval, question), room - size(offered))
    return Trusted(shortened("\n".join([*head, *asked, *offered, *beside, *tail]), TEXT_BYTES))


def _fitted(lines: Iterable[Trusted], room: int) -> list[Trusted]:
    """As many of them as there is room for; where there is none, not even a word that some are left out."""
    return within([*lines], room, spoken_words.more_lines) if room > _NOTICE else []


def _head(approval: Approval, question: Question, now: int | None) -> Iterator[Trusted]:
    shown = heard(quoted(cut(visible(_line(question)), FIRST)))
    yield words.asks(approval.agent, shown, approval.expires_at, now)
    yield words.asks_whom(card_words.audience(times.people(approval)), approval.code)
    yield from stopped_lines(approval)
    yield from (Trusted(one.replace("*", "")) for one in times.lines(approval))
    if approval.left_at is not None:
        yield progress_words.left(approval.left_at)
    yield escape(words.WHY[question.why])


def _asked(question: Question) -> Iterator[Trusted]:
    """The question again where the first line does not hold all of it."""
    text = prose(question.question)
    if text != _line(question) or len(text) > FIRST:
        yield escape(f"{words.ASKS}:")
        yield from map(behind_bar, text.split("\n"))


def _line(question: Question) -> str:
    """The question in one line."""
    return " ".join(question.question.split())


def _offered(question: Question, labels: Labels) -> Iterator[Trusted]:
    if question.options:
        yield escape(words.ANSWERS)
    for number, (text, option) in enumerate(zip(labels.texts, question.options, strict=True), 1):
        about = one_line(option.about)
        yield heard(f"• {number}. {isolated(text)}{f' – {isolated(about)}' if about else ''}")


def _beside(approval: Approval, question: Question) -> Iterator[Trusted]:
    short = beside(question)
    for source in question.sources:
        name, text = words.says(one_line(source.name)), prose(source.text)
        if short:
            yield heard(f"{name} {quoted(one_line(text)) if text else words.SAYS_NOTHING}")
            continue
        yield heard(name)
        yield from map(behind_bar, text.split("\n"))
    if question.tries:
        yield escape(f"{words.TRIED}:")
    in_lines = any("\n" in prose(attempt.error) for attempt in question.tries)
    for number, attempt in enumerate(question.tries, 1):
        error = prose(attempt.error) if in_lines else one_line(attempt.error)
        told = f"{number}. {one_line(attempt.what)} – {words.FAILED}{f': {error}' if error else ''}"
        yield from map(behind_bar, told.split("\n"))
    found = list(claims(approval.request))
    if found:
        yield escape(f"{card_words.AGENT_SAYS}:")
    for claim in found:
        label = f"{claim.label}: " if claim.label else ""
        yield from map(behind_bar, f"{label}{claim.text}".split("\n"))


def _tail(approval: Approval, question: Question, warned: str, buttons: list[str]) -> Iterator[Trusted]:
    lines = [line for line in warned.split("\n") if line]
    yield from within([*map(spelled, lines)], WARNINGS, spoken_words.more_warnings)
    default = default_text(question)
    if default:
        yield Trusted(shortened(heard(words.you_decide(approval.agent, default)), _DEFAULT))
    yield escape(words.SAFETY)
    if approval.stop is not None:
        yield stop_words.HOW_TO_RESUME
        return
    every = heard(words.how(buttons))
    ours = [label for label in buttons if label in _OURS]
    yield every if size([every]) <= _DEFAULT else heard(words.how(ours))
