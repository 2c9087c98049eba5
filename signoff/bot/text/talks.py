"""A talk with the agent as it is shown: on a card, aloud, and whole in Details; pure."""

from __future__ import annotations

import json
from collections.abc import Iterator

from signoff.bot.text.moments import date_span
from signoff.bot.text.prose import prose
from signoff.bot.text.quotes import isolated
from signoff.bot.text.text import Block, cut, line, literal, pieces, rich, visible
from signoff.bot.text.words import talks as words
from signoff.models.approval import Approval
from signoff.models.talks import Note, Talk

ON_CARD = 2
"""Talks that a card shows: the last ones."""
CUT = 280
"""Characters of a question, and of an answer, on a card."""
PIECE = 2800
DETAILS_BYTES = 60_000
DETAILS_BLOCKS = 40
_SECOND = 1_000_000


def on_card(approval: Approval, most: int = CUT) -> list[Block]:
    """What was asked last and what came of it, in one block; none where nobody has asked.

    `most` is how many characters of each text there is room for.
    """
    shown = approval.talks[-ON_CARD:]
    if not shown:
        return []
    earlier = len(approval.talks) - len(shown)
    elements = [line(literal(words.earlier(earlier), "italic"))] if earlier else []
    for talk in shown:
        elements += _talk(approval.agent, talk, min(most, CUT))
    return [rich(f"talk:{approval.revision}", *elements)]


def aloud(approval: Approval) -> Iterator[tuple[str, bool]]:
    """The same as lines; True of a line that somebody wrote."""
    if earlier := len(approval.talks[:-ON_CARD]):
        yield words.earlier(earlier), False
    for talk in approval.talks[-ON_CARD:]:
        yield f"{words.asked(isolated(visible(talk.name)))}:", False
        yield from ((one, True) for one in _cut(talk.question, CUT).split("\n"))
        yield words.waits(approval.agent, talk), False
        if talk.answer and talk.answer.strip():
            yield from ((one, True) for one in _cut(talk.answer, CUT).split("\n"))


def in_details(approval: Approval) -> list[Block]:
    """All talks, the last one first, and all notes, whole: as far as there is room."""
    found: list[Block] = []
    if approval.talks:
        found.append(rich("talks", line(literal(words.TALK, "bold"))))
    for talk in reversed(approval.talks):
        found += _whole(approval.agent, talk)
    if approval.notes:
        found.append(rich("notes", line(literal(words.NOTES, "bold"))))
        found += [_note(one) for one in approval.notes]
    room, shown = DETAILS_BYTES, list[Block]()
    for block in found:
        room -= len(json.dumps(block))
        if room < 0 or len(shown) == DETAILS_BLOCKS:
            shown.append(rich("talks:more", line(literal("…", "italic"))))
            break
        shown.append(block)
    return shown


def _talk(agent: str, talk: Talk, most: int) -> Iterator[Block]:
    yield _head(words.asked(isolated(visible(talk.name))), talk.asked_at)
    yield _quote(_cut(talk.question, most))
    yield _outcome(agent, talk)
    if talk.answer and talk.answer.strip():
        yield _quote(_cut(talk.answer, most))


def _whole(agent: str, talk: Talk) -> Iterator[Block]:
    name = f"talk:{talk.id}"
    yield rich(f"{name}:asked", _head(words.asked(isolated(visible(talk.name))), talk.asked_at))
    yield from _quotes(f"{name}:question", talk.question)
    yield rich(f"{name}:outcome", _outcome(agent, talk))
    if talk.answer and talk.answer.strip():
        yield from _quotes(f"{name}:answer", talk.answer)


def _outcome(agent: str, talk: Talk) -> Block:
    if talk.answered_at is None:
        return line(literal(words.waits(agent, talk), "italic"))
    return _head(words.waits(agent, talk), talk.answered_at)


def _note(note: Note) -> Block:
    head = _head(isolated(visible(note.name)), note.at)
    return rich(f"note:{note.id}", head, _quote(_cut(note.text, PIECE - 200)))


def _head(text: str, at: int) -> Block:
    return line(literal(text, "bold"), literal("  "), date_span(at // _SECOND))


def _quote(text: str) -> Block:
    return {"type": "rich_text_quote", "elements": [literal(isolated(text))]}


def _quotes(name: str, text: str) -> Iterator[Block]:
    for number, part in enumerate(pieces(prose(text), PIECE)):
        yield rich(f"{name}:{number}", _quote(part))


def _cut(text: str, most: int) -> str:
    return cut(prose(text), most)
