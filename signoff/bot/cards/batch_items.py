"""Several requests as they are read beside each other: what they share, and each with what is its own; pure.

`gathered` is made once of all payloads in full; what of it a card or a page of a form shows is their affair.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from signoff.bot.text.alphabet import looks, skeleton
from signoff.bot.text.cautions import cautions
from signoff.bot.text.common import Common, Path, common
from signoff.bot.text.outliers import alike, outliers
from signoff.bot.text.payload import not_given, values
from signoff.bot.text.quotes import quoted
from signoff.bot.text.row import Row, Span
from signoff.bot.text.text import Block, cut, length, plain, visible
from signoff.bot.text.told import cell, claim, common_rows, item_rows, path_text
from signoff.bot.text.words import batches as words
from signoff.bot.text.words import card as card_words
from signoff.bot.text.words import cautions as caution_words
from signoff.bot.text.words.summaries import WARNS
from signoff.models.approval import Approval
from signoff.payload.canonical import canonical
from signoff.payload.reader import Field

COLUMNS = 4
"""Of a table, its numbers' own not counted: a phone shows about so many beside each other."""
CELL, WIDTH = 60, 72
"""Characters of a cell, and of the widest cells of all columns together."""
TABLED = 99
"""Rows beside the header. Slack: a table holds 100."""
ABSENT = "—"
"""In a cell of what one does not have: a text would stand in quotes."""
WARNED = 5
"""Lines of what can mislead."""


@dataclass(frozen=True)
class Item:
    """One of them: `number` is what people know it by, `marks` say why it stands out, `rows` are its own."""

    number: int
    approval: Approval
    marks: tuple[str, ...]
    fields: Mapping[Path, Field]
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Gathered:
    """`shared` are the rows of what is the same in all, a tuple a field; `items` begin with those that stand
    out. `warnings` are what can mislead, the worst first, each with the numbers of those it is about.
    """

    shared: tuple[tuple[Row, ...], ...]
    items: tuple[Item, ...]
    paths: tuple[Path, ...]
    one_action: bool
    warnings: tuple[str, ...]

    @property
    def outliers(self) -> tuple[Item, ...]:
        """Those that stand out."""
        return tuple(one for one in self.items if one.marks)

    @property
    def others(self) -> tuple[Item, ...]:
        """The others, in their order."""
        return tuple(one for one in self.items if not one.marks)


def gathered(asked: Sequence[Approval], numbers: Sequence[int], whole: bool = False) -> Gathered:
    """All of these beside each other. `whole` gives bytes in full, not only described."""
    shared = common([(one.request.json_schema, one.payload) for one in asked])
    left_out = [_left_out(one) for one in asked]
    same_left = len(set(left_out)) == 1
    noted = [_notes(one) for one in asked]
    marks = outliers(asked, shared, ["\n".join(text for text, _ in notes) for notes in noted])
    one_action = len({one.action for one in asked}) == 1
    items = []
    for at in [*marks, *(at for at in range(len(asked)) if at not in marks)]:
        first: list[Span] = [] if one_action else [(asked[at].action, "")]
        rows = item_rows(str(numbers[at]), shared.own[at], first, whole)
        rows += [] if same_left else [Row((), spans) for spans in left_out[at]]
        told = tuple(mark.text for mark in marks.get(at, ()))
        items.append(Item(numbers[at], asked[at], told, shared.own[at], tuple(rows)))
    rows_shared = common_rows(shared.same, whole)
    if same_left and left_out:
        rows_shared += [(Row((), spans),) for spans in left_out[0]]
    warnings = _warnings(noted, numbers) + _alike(asked, shared, numbers)
    return Gathered(tuple(rows_shared), tuple(items), shared.paths, one_action, tuple(warnings))


def told_apart(asked: Sequence[Approval], numbers: Sequence[int]) -> list[Row]:
    """Of each the values that are its own, in one row with its number: without what they share, and without
    the long ones, or only how the first of them begins where there are no others.
    """
    shared = common([(one.request.json_schema, one.payload) for one in asked])
    one_action = len({one.action for one in asked}) == 1
    found = []
    for number, one, own in zip(numbers, asked, shared.own, strict=True):
        short = {path: field for path, field in own.items() if cell(field) is not None}
        first: list[Span] = [] if one_action else [(one.action, "")]
        row = item_rows(str(number), short, first, False)[0]
        if not short:
            row = replace(row, spans=(*first, *_beginning(own)))
        found.append(row)
    return found


def _beginning(own: Mapping[Path, Field]) -> list[Span]:
    """How the first of some long values begins."""
    for path, field in own.items():
        text = field.value if isinstance(field.value, str) else canonical(field.value)
        shown = quoted(cut(visible(text.strip().split("\n")[0]), CELL))
        return [(cut(path_text(path), CELL), "bold"), (f" {shown} …", "")]
    return [(words.NOTHING_OF_ITS_OWN, "italic")]


def numbered(numbers: Iterable[int]) -> str:
    """`1–3, 7`."""
    spans: list[list[int]] = []
    for number in sorted(numbers):
        if spans and number == spans[-1][1] + 1:
            spans[-1][1] = number
        else:
            spans.append([number, number])
    named = [str(a) if a == b else f"{a}–{b}" if b > a + 1 else f"{a}, {b}" for a, b in spans]
    return ", ".join(named[:12]) + (", …" if len(named) > 12 else "")


def table(items: Sequence[Item], found: Gathered, block_id: str) -> Block | None:
    """What differs as Slack's table, a row each in full; None where that would not be read on a phone."""
    columns = len(found.paths) + (not found.one_action)
    if not 2 <= len(items) <= TABLED or not 1 <= columns <= COLUMNS:
        return None
    rows = [_cells(one, found) for one in items]
    heads = [_heads(path, items) for path in found.paths]
    header = [words.NUMBER, *([] if found.one_action else ["action"]), *heads]
    if None in heads or any(text is None or length(text) > CELL for row in rows for text in row):
        return None
    lines = [[text or "" for text in row] for row in (header, *rows)]
    if sum(max(map(length, column)) for column in zip(*lines, strict=True)) > WIDTH:
        return None
    if any(len(one.rows) > 1 for one in items):
        return None
    return {
        "type": "table",
        "block_id": block_id,
        "rows": [[{"type": "raw_text", "text": text} for text in line] for line in lines],
        "column_settings": [{"is_wrapped": True} for _ in header],
    }


def _cells(one: Item, found: Gathered) -> list[str | None]:
    first = [] if found.one_action else [one.approval.action]
    own = [cell(one.fields[path]) if path in one.fields else ABSENT for path in found.paths]
    return [str(one.number), *first, *own]


def _heads(path: Path, items: Sequence[Item]) -> str | None:
    """A column's head, with the unit that the schema claims; None where that is not the same for all."""
    claims = {claim(one.fields[path]) for one in items if path in one.fields}
    if len(claims) > 1:
        return None
    said = next(iter(claims), "")
    return f"{path_text(path)} ({said})" if said else path_text(path)


def _left_out(approval: Approval) -> tuple[tuple[Span, ...], ...]:
    """What its payload leaves to defaults, as lines."""
    found = not_given(approval.request.json_schema, approval.payload)
    return tuple(row.spans for value in found for row in value.rows)


def _notes(approval: Approval) -> list[tuple[str, int]]:
    """What in one can mislead, and what a summary of it warns of, each with how bad it is."""
    found = [(one.text, one.rank) for one in cautions(approval.request, approval.payload)]
    for value in values(approval.request.json_schema, approval.payload):
        found += [(row.text, 1) for row in value.rows if row.text.startswith(WARNS)]
    return found


def _warnings(noted: Sequence[Sequence[tuple[str, int]]], numbers: Sequence[int]) -> list[str]:
    about: dict[str, list[int]] = {}
    ranks: dict[str, int] = {}
    for number, notes in zip(numbers, noted, strict=True):
        for text, rank in notes:
            about.setdefault(text, []).append(number)
            ranks[text] = rank
    lines = sorted(about, key=lambda text: ranks[text])
    shown = [words.warned(_which(about[text], numbers), text) for text in lines[:WARNED]]
    return shown + ([caution_words.and_more(len(lines) - WARNED)] if len(lines) > WARNED else [])


def _which(about: Sequence[int], numbers: Sequence[int]) -> str:
    return words.in_all() if len(set(about)) == len(numbers) else numbered(set(about))


def _alike(asked: Sequence[Approval], shared: Common, numbers: Sequence[int]) -> list[str]:
    """Which of them ask for the same, or read alike."""
    lines = [
        " ".join([one.action, *(canonical([list(path), field.value]) for path, field in own.items())])
        for one, own in zip(asked, shared.own, strict=True)
    ]
    found = list(alike(lines, lambda text: looks(skeleton(text))))
    told = []
    for places, same in sorted(found, key=lambda one: one[1]):
        say = words.are_the_same if same else words.look_alike
        told.append(say(numbered(numbers[at] for at in places)))
    return told[:WARNED] + ([caution_words.and_more(len(told) - WARNED)] if len(told) > WARNED else [])


def stakes(asked: Sequence[Approval]) -> list[tuple[str, int]]:
    """How they are rated, the most frequent first: one entry where it is the same for all."""
    known = [one.verdict for one in asked]
    counts = Counter(
        card_words.stakes(one.reversibility, one.reversibility_from, one.risk, one.risk_from).replace("*", "")
        for one in known
    )
    return counts.most_common()


def note_block(block_id: str, text: str) -> Block:
    """A small line of plain text."""
    return {"type": "context", "block_id": block_id, "elements": [plain(text)]}
