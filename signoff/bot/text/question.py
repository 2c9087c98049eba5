"""What an agent asks, as blocks: question, sources beside each other, attempts, answers; pure.

All of it is the agent's own words, so none of it stands in mrkdwn, and our own words stand around it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain

from signoff.bot.blocks.limits import FIELD_TEXT
from signoff.bot.text.cautions import caution_lines
from signoff.bot.text.options import Labels
from signoff.bot.text.poses import poses
from signoff.bot.text.prose import one_line, prose
from signoff.bot.text.quotes import isolated, quoted
from signoff.bot.text.text import Block, cut, length, line, literal, pieces, plain, rich
from signoff.bot.text.views import BLOCK_CHARACTERS
from signoff.bot.text.words import questions as words
from signoff.bot.text.words.cautions import Claimed
from signoff.errors import Invalid
from signoff.models.approval import Approval
from signoff.models.questions import QUESTION, Question, Source

_NAME = 150
"""Characters of a source's name."""
_BESIDE = 6
"""Lines of a source that stands beside another, in one line: longer ones stand below each other."""
PHONE = 42
"""Characters of a line of a phone, about."""
MOST_LINES = 60
"""Lines of a phone that a card takes, its buttons aside: two screens, however much the agent says."""


@dataclass(frozen=True)
class Room:
    """Characters for each text of a kind: visible ones, which may be longer than what was sent.

    `lines` are those of a text in lines, `most` is how many sources, and how many attempts, are shown.
    """

    question: int
    source: int
    attempt: int
    about: int
    option: int = 1_400
    lines: int = 10_000
    most: int = 10

    @property
    def error_lines(self) -> int:
        """Of an attempt's error: a third of those of the question."""
        return self.lines // 3


ON_CARD = (
    Room(4_000, 700, 400, 300, lines=12),
    Room(4_000, 240, 150, 120, lines=12),
    Room(1_500, 120, 80, 60, 150, lines=8),
    Room(400, 90, 60, 40, 80, lines=4, most=3),
)
"""A card's, from the most to the least, until all of it fits, in characters and in lines of a phone."""
IN_FORM = (Room(9_000, 8_000, 2_600, 2_600), Room(9_000, 2_000, 600, 600), Room(3_000, 400, 150, 150, 400))
"""A form's: the first holds all that can be asked, unless most of it is not seen or takes many bytes."""


@dataclass
class Drawn:
    """Blocks, and whether they hold all of what is asked."""

    blocks: list[Block] = field(default_factory=list)
    whole: bool = True

    def cut(self, text: str, most: int, lines: int = 1) -> str:
        """A visible text in at most so many characters and lines, and a note where that is not all of it."""
        kept = "\n".join(text.split("\n")[:lines])
        shown = cut(kept, most)
        self.whole = self.whole and length(text) <= most and kept == text
        return isolated(shown if kept == text or shown != kept else f"{kept} …")

    def first(self, count: int, of: int) -> None:
        """A note where only the first ones stand."""
        self.whole = self.whole and count >= of


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
    asked = drawn.cut(prose(question.question), room.question, room.lines)
    for number, part in enumerate(pieces(asked, BLOCK_CHARACTERS)):
        quote: Block = {"type": "rich_text_quote", "elements": [literal(part)]}
        drawn.blocks.append(rich(f"question-{number}:{name}", quote))
    _sources(drawn, question, room, name)
    _tries(drawn, question, room, name)
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
    claimed = {name: getattr(approval.request, name) for name in ("title", "reason")}
    posing = [name for name, text in (said | claimed).items() if name[:6] != "answer" and poses(text)]
    lines = [*labels.warnings, *([words.looks_ours(posing)] if posing else [])]
    return "\n".join([*lines, *([found] if found else [])])


def beside(question: Question) -> bool:
    """Whether its sources are short enough to stand beside each other, each in quotes and in one line."""
    return all(
        prose(one.text).count("\n") < _BESIDE and length(_title(one) + _quoted(one.text)) < FIELD_TEXT
        for one in question.sources
    )


def phone_lines(blocks: Iterable[Block]) -> int:
    """Lines of a phone that they take, about, without buttons."""
    texts = chain.from_iterable(_texts(block) for block in blocks if block["type"] != "actions")
    return sum(max(1, -(-length(one) // PHONE)) for text in texts for one in text.split("\n"))


def _texts(block: Block) -> Iterator[str]:
    """The paragraphs of a block."""
    if block["type"] == "rich_text_list" or block["type"] == "rich_text":
        for element in block["elements"]:
            yield from _texts(element)
    elif block["type"].startswith("rich_text"):
        yield "".join(span.get("text", "") for span in block["elements"])
    elif block["type"] == "context":
        yield " ".join(part["text"] for part in block["elements"])
    else:
        yield from (part["text"] for part in (block.get("text"), *block.get("fields", ())) if part)


def _quoted(text: str) -> str:
    """A source's text in a line of its own; what says nothing is said to."""
    return quoted(one_line(text)) if text.strip() else words.SAYS_NOTHING


def _sources(drawn: Drawn, question: Question, room: Room, name: str) -> None:
    """Beside each other where they are short: a phone shows them below each other; else one by one.

    The agent's texts stand in quotes, as everywhere: in a field it is ours that breaks the lines.
    """
    shown = question.sources[: room.most]
    drawn.first(room.most, len(question.sources))
    if shown and beside(question):
        texts = [drawn.cut(one_line(one.text), room.source) for one in shown]
        said = [quoted(text) if text else words.SAYS_NOTHING for text in texts]
        both = [plain(f"{_title(one)}\n{text}") for one, text in zip(shown, said, strict=True)]
        drawn.blocks.append({"type": "section", "block_id": f"sources:{name}", "fields": both})
        return
    for at, one in enumerate(shown):
        heading = line(literal(_title(one, room.source), "bold"))
        text = drawn.cut(prose(one.text), room.source, room.lines)
        for number, part in enumerate([*pieces(text, BLOCK_CHARACTERS)] or [words.SAYS_NOTHING]):
            drawn.blocks.append(
                rich(f"source-{at}-{number}:{name}", *([] if number else [heading]), _quote(part))
            )


def _title(source: Source, most: int = _NAME) -> str:
    return words.says(cut(one_line(source.name), min(most, _NAME)))


def _quote(text: str) -> Block:
    return {"type": "rich_text_quote", "elements": [literal(text)]}


def _tries(drawn: Drawn, question: Question, room: Room, name: str) -> None:
    """A list; where an error has lines, each attempt as a paragraph with its error in a quote below."""
    shown, items = question.tries[: room.most], list[Block]()
    drawn.first(room.most, len(question.tries))
    in_lines = any("\n" in prose(attempt.error) for attempt in shown)
    for number, attempt in enumerate(shown, 1):
        what = drawn.cut(one_line(attempt.what), room.attempt)
        spans = [literal(what), literal(f" – {words.FAILED}", "italic")]
        if not in_lines:
            error = drawn.cut(one_line(attempt.error), room.attempt)
            items.append(line(*spans, *([literal(": ", "italic"), literal(error)] if error else [])))
            continue
        error = drawn.cut(prose(attempt.error), room.attempt, room.error_lines)
        head = [line(literal(words.TRIED, "bold"))] if number == 1 else []
        for part, text in enumerate([*pieces(error, BLOCK_CHARACTERS)] or [""]):
            first = [] if part else [*head, line(literal(f"{number}. "), *spans)]
            below = [_quote(text)] if text else []
            drawn.blocks.append(rich(f"try-{number}-{part}:{name}", *first, *below))
    _list(drawn, words.TRIED, items, f"tries:{name}")


def _options(drawn: Drawn, question: Question, labels: Labels, room: Room, name: str) -> None:
    items = []
    for text, option in zip(labels.texts, question.options, strict=True):
        named = drawn.cut(text, room.option)
        about = drawn.cut(one_line(option.about), room.about) if option.about.strip() else ""
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
