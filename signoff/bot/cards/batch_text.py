"""A batch's card as it is heard: mrkdwn within a message's bytes, its first line ours alone; pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from signoff.bot.cards.batch_after import Standing
from signoff.bot.cards.batch_items import Gathered, stakes
from signoff.bot.text.place import BETWEEN
from signoff.bot.text.quotes import isolated
from signoff.bot.text.row import Row
from signoff.bot.text.size import TEXT_BYTES, shortened
from signoff.bot.text.spoken import heard, stopped_lines
from signoff.bot.text.text import Trusted, cut, escape, visible
from signoff.bot.text.words import batch_heard, times
from signoff.bot.text.words import batches as words
from signoff.bot.text.words import stops as stop_words
from signoff.models.approval import Approval
from signoff.models.batches import Batch

_NOTICE = 120
LINE = 400
"""Characters of one line: of a longer value the rest is to be read."""
TOLD = 10
"""Lines about who is asked when, of all requests together."""


def heard_card(
    batch: Batch, asked: Sequence[Approval], found: Gathered, stands: Standing, whole: bool
) -> Trusted:
    """First who asks for what, how many of each; then what they share, each of them, and how to decide."""
    what = batch_heard.of_actions(Counter(one.action for one in batch.items).most_common())
    ends = words.until([one.expires_at for one in asked])
    head = [batch_heard.spoken_first(batch.agent, what, ends), Trusted(stands.line.replace("*", ""))]
    held = [one for one in asked if one.stop is not None]
    head += stopped_lines(held[0]) if held else []
    told = dict.fromkeys(line for one in asked for line in times.lines(one))
    head += [Trusted(line.replace("*", "")) for line in [*told][:TOLD]]
    if called := visible(batch.title.strip()):
        head.append(heard(words.called(cut(called, 200))))
    tail = [Trusted(", ".join(f"{text} ({count:,})" for text, count in stakes(asked)))]
    tail += [heard(cut(text.replace("`", "'"), LINE)) for text in found.warnings]
    tail.append(stop_words.HOW_TO_RESUME if held else batch_heard.how(whole, len(asked)))
    room = TEXT_BYTES - _size([*head, *tail]) - _NOTICE
    shown: list[Trusted] = []
    for text in _lines(found):  # of what does not fit, nothing is made: there may be megabytes of it
        room -= len(text.encode("utf-8", "surrogatepass")) + 1
        if room < 0:
            shown.append(batch_heard.more_heard(max(_count(found) - len(shown), 1)))
            break
        shown.append(text)
    return Trusted(shortened("\n".join([*head, *shown, *tail]), TEXT_BYTES))


def _lines(found: Gathered) -> Iterator[Trusted]:
    if any(found.shared):
        yield escape(f"{words.THE_SAME}:")
        for rows in found.shared:
            yield from _row(rows)
    for one in found.items:
        why = f" ({'; '.join(one.marks)})" if one.marks else ""
        first, *others = one.rows
        yield heard(isolated(cut(f"• {one.number}{why}: {first.text or words.NOTHING_OF_ITS_OWN}", LINE)))
        yield from _row(others)


def _count(found: Gathered) -> int:
    rows = [row for rows in found.shared for row in rows] + [row for one in found.items for row in one.rows]
    return bool(found.shared) + sum(1 + row.text.count("\n") for row in rows)


def _row(rows: Sequence[Row]) -> Iterator[Trusted]:
    for row in rows:
        name = f"• {BETWEEN.join(map(isolated, row.path))}: " if row.path else ""
        texts = row.text.split("\n")
        yield heard(cut(f"{name}{isolated(texts[0])}", LINE))
        yield from (heard(cut(f"| {isolated(text)}", LINE)) for text in texts[1:])


def _size(lines: Sequence[str]) -> int:
    return sum(len(text.encode("utf-8", "surrogatepass")) + 1 for text in lines)
