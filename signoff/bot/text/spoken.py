"""A card that waits, as it is heard: the whole of it as mrkdwn, within a message's bytes; pure.

Slack's screen readers read a message's top-level `text` and none of its blocks. What the agent wrote stands
behind a `•` (a field) or a `|` (a line of a text), so that no line of it passes for one of ours; nothing in
it works as a mention, a link or markup.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence

from signoff.bot.text.claims import answers, claims
from signoff.bot.text.fold import Folded
from signoff.bot.text.quotes import isolated, quoted, value_of
from signoff.bot.text.renderers.tables import NONE
from signoff.bot.text.row import Row
from signoff.bot.text.seating import votes_heard
from signoff.bot.text.size import TEXT_BYTES, shortened
from signoff.bot.text.talks import aloud
from signoff.bot.text.text import Block, Trusted, date, escape, sentence, visible
from signoff.bot.text.words import card as card_words
from signoff.bot.text.words import factors as factor_words
from signoff.bot.text.words import progress as progress_words
from signoff.bot.text.words import spoken as spoken_words
from signoff.bot.text.words import stops as stop_words
from signoff.bot.text.words import times
from signoff.bot.text.words import undo as undo_words
from signoff.bot.text.words.schema import unusable
from signoff.models.approval import Approval

WARNINGS = 800
"""Bytes of what can mislead."""
HEAD = 600
"""Bytes of each line above the values."""
CLAIMS = 900
"""Bytes of the agent's words that the payload leaves room for."""
_NOTICE = 120
"""Bytes for the line that says what does not fit."""
_SCHEME = re.compile(r"(?<=[A-Za-z0-9]):(?=//)")
"""In an address: Slack makes links of what has a scheme."""
_CODE = re.compile("`([^`]*)`")
_SECOND = 1_000_000


def spoken(
    first: Trusted, approval: Approval, folded: Folded, edits: bool, warning: str, before: Iterable[Block]
) -> Trusted:
    """`first`, then what the card shows, in its order: values, stakes, the agent's words, how to decide.

    `folded` is the payload as the card has it, `edits` whether an Edit… stands on it, `warning` and `before`
    what it says of what can mislead (see `caution_lines`) and of an earlier no (see `recalled`). Where
    not all of it fits, values are left out and counted: what Signoff knows and how to decide is always there.
    """
    head, stakes = _head(first, approval, before), [*_stakes(approval, folded, warning)]
    grace = approval.verdict.in_grace
    how = undo_words.HOW_TO_HOLD if grace else spoken_words.how(folded.whole, edits)
    if approval.stop is not None:
        how = stop_words.HOW_TO_RESUME
    told = [*_claims(approval)]
    room = TEXT_BYTES - size([*head, *stakes, how])
    shown = within([*told_values(folded.rows)], room - min(size(told), CLAIMS), spoken_words.more_lines)
    said = within(told, room - size(shown), lambda _: escape(card_words.more_claims()))
    return Trusted(shortened("\n".join([*head, *shown, *stakes, *said, how]), TEXT_BYTES))


def _head(first: Trusted, approval: Approval, before: Iterable[Block]) -> list[Trusted]:
    verdict = approval.verdict
    asks = spoken_words.asks(approval.action, card_words.audience(times.people(approval)), approval.code)
    if verdict.in_grace:
        people = card_words.audience(verdict.approvers)
        told = undo_words.about(approval.agent, approval.code, people)
        asks = Trusted(f"{card_words.action_name(approval.action)}, {told}")
    over = [heard(card_words.asks_as(visible(verdict.over)))] if verdict.over else []
    left = [progress_words.left(approval.left_at)] if approval.left_at is not None else []
    votes = [
        Trusted(f"{one}: {heard(isolated(said))}" if said else one) for one, said in votes_heard(approval)
    ]
    beside = [
        *stopped_lines(approval),
        *votes,
        *(Trusted(one.replace("*", "")) for one in times.lines(approval)),
    ]
    lines = (first, asks, *beside, *left, *over, *map(_as_heard, before))
    return [Trusted(shortened(line, HEAD)) for line in lines]


def stopped_lines(approval: Approval) -> list[Trusted]:
    """Since when, by whom and why nobody can decide it; none where that is not so."""
    if approval.stop is None:
        return []
    why = stop_words.reason(approval.stop.reason)
    return [Trusted(stop_words.holds(approval.stop).strip("*")), *([heard(why)] if why else [])]


def _as_heard(part: Block) -> Trusted:
    """A text object of ours, or of what somebody wrote: that is plain text, of one line."""
    own = part["type"] == "mrkdwn"
    return Trusted(part["text"].replace("*", "")) if own else heard(part["text"].replace("\n", " "))


def told_values(rows: Sequence[Row]) -> Iterator[Trusted]:
    """A line each; of a text in lines, its name and then its lines. Our own words are those in italics."""
    if not rows:
        yield escape(card_words.EMPTY_PAYLOAD)
    for row in rows:
        name = _name(row)
        if row.form == "line" and not _is_table(row) and (name or row.spans[0][1] == "italic"):
            moment = f" ({date(row.at * _SECOND)})" if row.at is not None else ""
            value = heard(isolated(row.text)) if row.text else ""
            yield Trusted(f"{name}{value}{moment}".rstrip())
            continue
        if name:
            yield Trusted(name.rstrip())
        yield from map(behind_bar, row.text.split("\n") if not _is_table(row) else _table(row))


def _is_table(row: Row) -> bool:
    """Whether a row stands as a table, and not as text beside it."""
    return bool(row.table) and not row.text


def _table(row: Row) -> Iterator[str]:
    """The lines of what stands as a table, as its text has them: nobody hears which column a cell is in."""
    names, *lines = row.table
    for number, line in enumerate(lines, 1):
        cells = zip(names, line, strict=True)
        told = [f"{value_of(name)} {value_of(cell)}" for name, cell in cells if cell != NONE]
        yield f"{number}. {' · '.join(told)}"


def _name(row: Row) -> str:
    """`• amount: `; empty where a value goes on, or where the row is ours."""
    if not row.path:
        return ""
    mark = f" {row.mark}" if row.mark else ""
    return f"• {heard(' › '.join(map(isolated, row.path)) + mark + ':')} "


def _stakes(approval: Approval, folded: Folded, warning: str) -> Iterator[Trusted]:
    """What Signoff says of it."""
    verdict = approval.verdict
    if not folded.whole and approval.stop is None:
        yield escape(card_words.FOLDED)
    if approval.request.schema_left_out:
        yield heard(unusable(approval.request.schema_gaps))
    known = (verdict.reversibility, verdict.reversibility_from, verdict.risk, verdict.risk_from)
    yield Trusted(card_words.stakes(*known).replace("*", ""))
    if verdict.asks_proof and not verdict.in_grace:
        yield heard(factor_words.wants(verdict.second_factor is not None, verdict.confirm))
    lines = [line for line in warning.split("\n") if line]
    yield from within([*map(spelled, lines)], WARNINGS, spoken_words.more_warnings)


def _claims(approval: Approval) -> Iterator[Trusted]:
    """What the agent says beside the payload, each line behind a `|`."""
    found = list(claims(approval.request))
    if found or answers(approval):
        yield escape(f"{card_words.AGENT_SAYS}:")
    for claim in found:
        label = f"{claim.label}: " if claim.label else ""
        yield from map(behind_bar, f"{label}{claim.text}".split("\n"))
    if not approval.request.reason.strip():
        yield heard(card_words.no_reason(approval.agent))
    for text, theirs in aloud(approval):
        yield behind_bar(text) if theirs else heard(text)


def heard(text: str) -> Trusted:
    """One visible line of anybody's as mrkdwn, in which nothing works as markup, mention or link."""
    return sentence(unlinked(Trusted(text)))


def spelled(line: str) -> Trusted:
    """A line of what can mislead, whose words stand in quotes and not as code."""
    return heard(_CODE.sub(lambda found: quoted(found[1]), line))


def unlinked(text: Trusted) -> Trusted:
    """The same, without an address that Slack would make a link of: it does where no `verbatim` keeps it."""
    return Trusted(_SCHEME.sub("\\\\u{3a}", text))


def behind_bar(line: str) -> Trusted:
    """A visible line of the agent's, so that it cannot pass for one of ours."""
    return Trusted(f"| {heard(isolated(line))}")


def within(lines: list[Trusted], room: int, more: Callable[[int], Trusted]) -> list[Trusted]:
    """The first lines within `room` bytes; the one that passes it is cut, and the rest is said by `more`."""
    if size(lines) <= room:
        return lines
    shown: list[Trusted] = []
    room -= _NOTICE
    for at, line in enumerate(lines):
        taken = size([line])
        if taken > room:
            cut = [Trusted(shortened(line, room - 1))] if room > _NOTICE else []
            return [*shown, *cut, more(len(lines) - at)]
        shown.append(line)
        room -= taken
    return shown


def size(lines: Sequence[str]) -> int:
    """Bytes, each with its line's end."""
    return sum(len(line.encode("utf-8", "surrogatepass")) + 1 for line in lines)
