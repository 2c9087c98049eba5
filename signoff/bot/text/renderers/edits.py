"""Edits of text as lines that go and lines that come, old before new; pure.

A patch is one text; an edit is an object with the old text and the new one, and several stand in a list.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from itertools import groupby
from typing import Any

from signoff.bot.text.differing import shared_beginning
from signoff.bot.text.quotes import isolated
from signoff.bot.text.renderers import Seen, Summary
from signoff.bot.text.renderers.parts import ARROW, FEW, box, fields, headline, named, said, warned
from signoff.bot.text.renderers.patches import File, Patch, read
from signoff.bot.text.row import Row, Span, is_short, json_text, name_text, scalar_text
from signoff.bot.text.text import visible
from signoff.bot.text.words import card as card_words
from signoff.bot.text.words import summaries as words

PAIRS = (
    ("oldText", "newText"),
    ("old_text", "new_text"),
    ("old_string", "new_string"),
    ("oldString", "newString"),
    ("old_str", "new_str"),
    ("oldStr", "newStr"),
    ("old_content", "new_content"),
    ("oldContent", "newContent"),
    ("search", "replace"),
    ("find", "replace"),
)
"""The names that well-known tools give an edit's old text and its new one."""
_MAY_LACK_NEW = frozenset({"new_str", "new_string", "newText", "newString", "new_text"})
SHOWN = 12
"""Lines of edits that stand there with all that is unchanged around them."""
AROUND = 3
"""Else, unchanged lines before and after a change."""
COMPARED = 40_000
"""Pairs of lines that are compared to find what two texts share, in one summary: it takes their product."""
_HINTS = ("diff", "patch")
_PATHS = ("path", "file_path", "filePath", "file", "filename", "target_file")


class _Work:
    """What one summary compares: how many pairs of lines it may yet compare, and what it leaves out."""

    def __init__(self, texts: list[tuple[str, str | None]]) -> None:
        self.left = COMPARED
        self.left_out = 0
        self.shortens = sum(max(old.count("\n"), (new or "").count("\n")) + 1 for old, new in texts) > SHOWN


def summarise(seen: Seen) -> Summary | None:
    """An edit, a list of edits, or a patch."""
    value = seen.value
    if isinstance(value, str):
        return _patch(seen)
    if isinstance(value, dict):
        return _edit(value)
    return _edits(value) if isinstance(value, list) else None


def _pair(value: Mapping[str, Any]) -> tuple[str, str] | None:
    """The names of an object's old text and its new one; None where it is no edit."""
    for old, new in PAIRS:
        if isinstance(value.get(old), str) and (
            isinstance(value.get(new), str) or (value.get(new) is None and new in _MAY_LACK_NEW)
        ):
            return old, new
    return None


def _edit(value: dict[str, Any]) -> Summary | None:
    pair = _pair(value)
    if pair is None:
        return None
    work = _Work([(value[pair[0]], value.get(pair[1]))])
    shown, removed, added = _compared(value[pair[0]], value.get(pair[1]), work)
    rows = (headline(words.changed_lines(removed, added)), *shown)
    return Summary(rows, frozenset(pair) & value.keys(), whole=not work.left_out, alone=True)


def _edits(values: list[Any]) -> Summary | None:
    pairs = [_pair(value) if isinstance(value, dict) else None for value in values]
    if not values or None in pairs:
        return None
    work = _Work(
        [(value[pair[0]], value.get(pair[1])) for value, pair in zip(values, pairs, strict=True) if pair]
    )
    rows, removed, added = list[Row](), 0, 0
    for number, (value, pair) in enumerate(zip(values, pairs, strict=True), 1):
        assert pair is not None
        rows += _beside(value, pair, number, len(values))
        shown, less, more = _compared(value[pair[0]], value.get(pair[1]), work)
        removed, added = removed + less, added + more
        rows += shown
    files = Counter(value[name] for value in values for name in _PATHS if isinstance(value.get(name), str))
    counts = (
        words.count(len(values), "edit"),
        words.count_some(len(files), "file"),
        words.changed_lines(removed, added),
    )
    every = named([_counted(name, files[name]) for name in files]) if len(files) > 1 else []
    return Summary((headline(*counts), *every, *rows), whole=not work.left_out, alone=True)


def _counted(name: str, times: int) -> list[Span]:
    """A file's name, and how many edits it has where that is more than one."""
    return [(scalar_text(name), "bold"), *([(f"  {words.times(times)}", "italic")] if times > 1 else [])]


def _near(lines: list[str], work: _Work, marks: Sequence[str]) -> list[str]:
    """Compared lines, without the unchanged ones that stand far from every change: those are counted.

    `marks`, one a line: `-` and `+` changed, a space unchanged, nothing for what is neither and stays.
    """
    if not work.shortens:
        return lines
    kept = bytearray(len(lines))
    for at, mark in enumerate(marks):
        if mark in ("-", "+"):
            start, end = max(at - AROUND, 0), min(at + AROUND + 1, len(lines))
            kept[start:end] = b"\1" * (end - start)
        elif mark != " ":
            kept[at] = 1
    shown = list[str]()
    for is_kept, run in groupby(zip(kept, lines, strict=True), key=lambda one: one[0]):
        texts = [text for _, text in run]
        if is_kept or len(texts) == 1:
            shown += texts
        else:
            shown.append(card_words.unchanged_lines(len(texts)))
            work.left_out += len(texts)
    return shown


def _beside(value: dict[str, Any], pair: tuple[str, str], number: int, of: int) -> Iterator[Row]:
    """Which edit it is, and what else stands in it: a file's name first."""
    others = {name: value[name] for name in value if name not in pair or value[name] is None}
    others = {name: others[name] for name in sorted(others, key=lambda name: name not in _PATHS)}
    short = [(name, item) for name, item in others.items() if is_short(item)]
    yield Row((), ((words.numbered(number, of) + "  ", "italic"), *fields(short)))
    for name, item in others.items():
        if not is_short(item):
            yield Row((), ((name_text(name), "bold"),))
            yield box(visible(item, keep="\n\t") if isinstance(item, str) else json_text(item))


def _compared(old: str, new: str | None, work: _Work) -> tuple[list[Row], int, int]:
    """Old and new text as rows, and how many lines go and come."""
    new = new or ""
    rows: list[Row] = []
    windows = [_all_crlf(text) for text in (old, new)]
    if any(windows):
        both = windows[0] and (windows[1] or not new)
        rows.append(said(words.crlf("" if both else "old " if windows[0] else "new ")))
        old, new = (
            text.replace("\r\n", "\n") if so else text for text, so in zip((old, new), windows, strict=True)
        )
    lines, removed, added = _by_line(old, new, work)
    return (
        [*rows, *([box("\n".join(_near(lines, work, list(map(_mark_of, lines)))))] if lines else [])],
        removed,
        added,
    )


def _all_crlf(text: str) -> bool:
    return "\r\n" in text and text.count("\r\n") == text.count("\n")


def _split(text: str) -> tuple[list[str], bool]:
    """A text's lines, visible, and whether the last one has a line end."""
    ended = text.endswith("\n")
    body = text[:-1] if ended else text
    return (visible(body, keep="\n\t").split("\n") if text else []), ended


def _by_line(old: str, new: str, work: _Work) -> tuple[list[str], int, int]:
    (before, old_ends), (after, new_ends) = _split(old), _split(new)
    start = shared_beginning(before, after)
    end = shared_beginning(before[start:][::-1], after[start:][::-1])
    gone, come = before[start : len(before) - end], after[start : len(after) - end]
    shown = [_marked(" ", text) for text in before[:start]]
    removed = added = 0
    for kind, less, more in _changes(gone, come, work):
        if kind == "equal":
            shown += [_marked(" ", text) for text in less]
            continue
        shown += [_marked("-", text) for text in less] + [_marked("+", text) for text in more]
        removed, added = removed + len(less), added + len(more)
    shown += [_marked(" ", text) for text in before[len(before) - end :]]
    if old_ends != new_ends:
        one = not before or not after
        shown.append(words.ENDS if one else words.OLD_ENDS if old_ends else words.NEW_ENDS)
    return shown, removed, added


def _changes(gone: list[str], come: list[str], work: _Work) -> Iterator[tuple[str, list[str], list[str]]]:
    pairs = len(gone) * len(come)
    if not gone or not come or pairs > work.left:
        yield "replace", gone, come
        return
    work.left -= pairs
    for kind, i1, i2, j1, j2 in SequenceMatcher(None, gone, come, autojunk=False).get_opcodes():
        yield kind, gone[i1:i2], come[j1:j2]


def _marked(mark: str, text: str) -> str:
    """A visible line after its mark."""
    return f"{mark} {isolated(text)}" if text else mark if mark != " " else ""


def _mark_of(line: str) -> str:
    """The mark that a compared line has; an empty one is unchanged."""
    return line[:1] if line[:1] in ("-", "+") else " " if not line or line.startswith("  ") else ""


def _patch(seen: Seen) -> Summary | None:
    text = seen.value
    name = seen.name.lower()
    hinted = seen.schema.get("format") == "diff" or any(name.endswith(hint) for hint in _HINTS)
    patch = read(text, hinted)
    if patch is None:
        return None
    contents = [content for _, content in patch.lines]
    rows: list[Row] = [warned(odd) for odd in patch.odd]
    changed = [content for mark, content in patch.lines if mark]
    if changed and all(content.endswith("\r") for content in changed):
        rows.append(said(words.crlf()))
        contents = [content.removesuffix("\r") for content in contents]
    if contents and not contents[-1] and not patch.lines[-1][0]:
        contents.pop()
    shown = visible("\n".join(contents), keep="\n\t").split("\n")
    lines = [
        _marked(mark, text) if mark else text for (mark, _), text in zip(patch.lines, shown, strict=False)
    ]
    rows += _files(_sorted(patch))
    counts = (words.count_some(len(patch.files), "file"), words.changed_lines(patch.removed, patch.added))
    work = _Work([(text, None)])
    lines = _near(lines, work, [mark for mark, _ in patch.lines[: len(lines)]])
    return Summary((headline(*counts), *rows, box("\n".join(lines))), whole=not work.left_out)


def _sorted(patch: Patch) -> list[File]:
    """Files that are deleted first."""
    return sorted(patch.files, key=lambda file: words.DELETED not in file.notes)


def _files(files: list[File]) -> Iterable[Row]:
    """What becomes of each; of many, no more than their names and what is more than a change of lines."""
    return named([_file(file, len(files) <= FEW) for file in files])


def _file(file: File, counted: bool) -> list[Span]:
    spans: list[Span] = []
    for name in file.names:
        spans += [(ARROW, "")] if spans else []
        spans.append((scalar_text(name), "bold"))
    about = words.of_file(file.notes, file.removed, file.added) if counted else ", ".join(file.notes)
    return [*spans, ("  " + about if spans else about, "italic")] if about or not spans else spans
