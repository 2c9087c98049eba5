"""What an agent asks, as blocks: question, sources beside each other, attempts, answers; pure.

All of it is the agent's own words, so none of it stands in mrkdwn, and our own words stand around it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from signoff.bot.blocks.limits import FIELD_TEXT
from signoff.bot.text.cautions import caution_lines
from signoff.bot.text.options import Labels
from signoff.bot.text.quotes import isolated
from signoff.bot.text.text import Block, cut, length, line, literal, pieces, plain, rich, visible
from signoff.bot.text.views import BLOCK_CHARACTERS
from signoff.bot.text.words import questions as words
from signoff.bot.text.words.cautions import Claimed
from signoff.errors import Invalid
from signoff.models.approval import Approval
from signoff.models.questions import QUESTION, Question, Source

_NAME = 150
"""Characters of a source's name."""


@dataclass(frozen=True)
class Room:
    """Characters for each text of a kind: visible ones, which may be longer than what was sent."""

    question: int
    source: int
    attempt: int
    about: int
    option: int = 1_400


ON_CARD = (Room(4_000, 700, 400, 300), Room(4_000, 240, 150, 120), Room(1_500, 90, 60, 40, 160))
"""A card's, from the most to the least, until all of it fits."""
IN_FORM = (Room(9_000, 8_000, 2_600, 2_600), Room(9_000, 2_000, 600, 600), Room(3_000, 400, 150, 150, 400))
"""A form's: the first holds all that can be asked, unless most of it is not seen or takes many bytes."""


@dataclass
class Drawn:
    """Blocks, and whether they hold all of what is asked."""

    blocks: list[Block] = field(default_factory=list)
    whole: bool = True

    def cut(self, text: str, most: int) -> str:
        """A visible text in at most so many characters, and a note where that is not all of it."""
        shown = isolated(cut(text, most))
        self.whole = self.whole and length(text) <= most
        return shown


def question_in(approval: Approval) -> Question | None:
    """What is asked; None where it is no question, and where its payload is erased."""
    if approval.request.kind != QUESTION:
        return None
    try:
        return Question.of(approval.payload)
    except Invalid:
        return None


def question_blocks(question: Question, labels: Labels, room: Room, name: str, *, listed: bool) -> Drawn:
    """The question, its sources, its attempts and, where `listed`, its answers one by one.

    `name` is what the blocks are called by.
    """
    drawn = Drawn()
    asked = drawn.cut(visible(question.question, keep="\n"), room.question)
    for number, part in enumerate(pieces(asked, BLOCK_CHARACTERS)):
        quote: Block = {"type": "rich_text_quote", "elements": [literal(part)]}
        drawn.blocks.append(rich(f"question-{number}:{name}", quote))
    _sources(drawn, question, room.source, name)
    _tries(drawn, question, room.attempt, name)
    if question.options and listed:
        _options(drawn, question, labels, room, name)
    return drawn


def warnings(approval: Approval, question: Question, labels: Labels) -> str:
    """What of it can mislead, a line each; empty where nothing does."""
    said = {"question": question.question}
    for number, option in enumerate(question.options, 1):
        said[f"answer {number}"] = f"{option.text}\n{option.about}"
    for number, source in enumerate(question.sources, 1):
        said[f"source {number}"] = f"{source.name}\n{source.text}"
    for number, attempt in enumerate(question.tries, 1):
        said[f"attempt {number}"] = f"{attempt.what}\n{attempt.error}"
    if question.default and not question.options:
        said["default"] = question.default
    found = caution_lines(approval.request, {Claimed(name): text for name, text in said.items()})
    return "\n".join([*labels.warnings, *([found] if found else [])])


def _sources(drawn: Drawn, question: Question, most: int, name: str) -> None:
    """Beside each other where each fits a field: a phone shows them below each other; else one by one."""
    texts = [(_title(one), drawn.cut(visible(one.text, keep="\n"), most)) for one in question.sources]
    fields = [f"{title}\n{text}" for title, text in texts]
    if fields and all(length(one) <= FIELD_TEXT for one in fields):
        both = [plain(one) for one in fields]
        drawn.blocks.append({"type": "section", "block_id": f"sources:{name}", "fields": both})
        return
    for at, (title, text) in enumerate(texts):
        heading = line(literal(title, "bold"))
        for number, part in enumerate([*pieces(text, BLOCK_CHARACTERS)] or [words.SAYS_NOTHING]):
            quote: Block = {"type": "rich_text_quote", "elements": [literal(part)]}
            drawn.blocks.append(rich(f"source-{at}-{number}:{name}", *([] if number else [heading]), quote))


def _title(source: Source) -> str:
    return words.says(cut(visible(source.name), _NAME))


def _tries(drawn: Drawn, question: Question, most: int, name: str) -> None:
    items = []
    for attempt in question.tries:
        what = drawn.cut(visible(attempt.what, keep="\n"), most)
        error = drawn.cut(visible(attempt.error, keep="\n").strip("\n"), most)
        spans = [literal(what), literal(f" – {words.FAILED}", "italic")]
        items.append(line(*spans, *([literal(": ", "italic"), literal(error)] if error else [])))
    _list(drawn, words.TRIED, items, f"tries:{name}")


def _options(drawn: Drawn, question: Question, labels: Labels, room: Room, name: str) -> None:
    items = []
    for text, option in zip(labels.texts, question.options, strict=True):
        named = drawn.cut(text, room.option)
        about = drawn.cut(visible(option.about, keep="\n"), room.about) if option.about.strip() else ""
        items.append(line(literal(named, "bold"), *([literal(" – "), literal(about)] if about else [])))
    _list(drawn, words.ANSWERS, items, f"answers:{name}")


def _list(drawn: Drawn, heading: str, items: list[Block], block_id: str) -> None:
    """A heading of ours and a numbered list, over as many blocks as it takes."""
    start = 0
    while start < len(items):
        end, room = start, BLOCK_CHARACTERS
        while end < len(items) and (end == start or _length(items[end]) <= room):
            room -= _length(items[end])
            end += 1
        shown: Block = {"type": "rich_text_list", "style": "ordered", "elements": items[start:end]}
        shown |= {"offset": start} if start else {}
        first = [line(literal(heading, "bold"))] if start == 0 else []
        drawn.blocks.append(rich(f"{block_id}{f'-{start}' if start else ''}", *first, shown))
        start = end


def _length(item: Block) -> int:
    return sum(length(span["text"]) for span in item["elements"])
