"""A patch as text → its lines, each with what it does, and its files; pure and linear.

Unified diffs (with and without git's headers), the patches between `*** Begin Patch` and `*** End Patch`, and
blocks of search and replace. What a header says is compared with what stands under it; every line is kept.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal

from signoff.bot.text.words import summaries as words

Mark = Literal["-", "+", " ", ""]
"""Gone, new, around; nothing for headers and all else."""
_HUNK = re.compile(r"@@ -(?P<o>\d{1,9})(?:,(?P<old>\d{1,9}))?+ \+(?P<n>\d{1,9})(?:,(?P<new>\d{1,9}))?+ @@")
_BEGINS = re.compile(
    r"\s*+(?:diff --git |--- [^\n]*+\n\+\+\+ |\*\*\* Begin Patch|From [0-9a-f]{40} |Index: )"
)
_BLOCK = re.compile(r"^(?:<{5,9}|-{5,9}) ?SEARCH>?\s*$", re.MULTILINE)
_NOTES = {
    "deleted file mode": words.DELETED,
    "new file mode": words.CREATED,
    "GIT binary patch": words.BINARY,
    "Binary files": words.BINARY,
    "rename from": words.RENAMED,
}
_EXECUTES = re.compile(r"new (?:file )?mode 1[0-7]{2}[1357]")


@dataclass
class File:
    """A file that a patch names, by all the names that it gives it."""

    names: dict[str, None] = field(default_factory=dict)
    """In order, each once."""
    notes: list[str] = field(default_factory=list)
    removed: int = 0
    added: int = 0

    def name(self, text: str) -> None:
        """Another name."""
        self.names.setdefault(text)

    def note(self, text: str) -> None:
        """What becomes of the file."""
        if text not in self.notes:
            self.notes.append(text)


@dataclass
class Patch:
    """Lines with their marks, without the character that marks them; files; and what is odd."""

    lines: list[tuple[Mark, str]] = field(default_factory=list)
    files: list[File] = field(default_factory=list)
    odd: list[str] = field(default_factory=list)
    removed: int = 0
    added: int = 0

    def file(self) -> File:
        """Another one."""
        self.files.append(File())
        return self.files[-1]

    def line(self, mark: Mark, text: str) -> None:
        """Another one, of the last file."""
        self.lines.append((mark, text))
        if mark not in ("-", "+"):
            return
        removed, added = (1, 0) if mark == "-" else (0, 1)
        self.removed, self.added = self.removed + removed, self.added + added
        if self.files:
            self.files[-1].removed += removed
            self.files[-1].added += added

    def say(self, text: str) -> None:
        """Something odd, once."""
        if text not in self.odd:
            self.odd.append(text)


def read(text: str, hinted: bool) -> Patch | None:
    """A text as a patch; None where it is none. `hinted` where its name or its schema says that it is one."""
    if _BLOCK.search(text):
        return _blocks(text)
    start = _BEGINS.match(text)
    if start and "*** Begin Patch" in start[0]:
        return _envelope(text)
    if (start or hinted) and re.search(r"^(?:@@|diff --git |GIT binary|--- )", text, re.MULTILINE):
        return _Unified(text).patch
    return None


def _blocks(text: str) -> Patch | None:
    """Blocks of search and replace; a file's name may stand in the line before one."""
    patch, mark, before = Patch(), "", ""
    for line in text.split("\n"):
        bare = line.rstrip()
        if mark == "" and _BLOCK.fullmatch(bare):
            if before or not patch.files:
                patch.file()
                if before:
                    patch.files[-1].name(before)
            mark = "-"
        elif mark == "-" and re.fullmatch(r"={5,9}", bare):
            mark = "+"
        elif mark == "+" and re.fullmatch(r"(?:>{5,9}|\+{5,9}) ?REPLACE<?", bare):
            mark = before = ""
        else:
            if mark == "-":
                patch.line("-", line)
            elif mark == "+":
                patch.line("+", line)
            else:
                before = bare.strip("`# ") if bare and not bare.startswith("```") else before
                patch.line("", line)
            continue
        patch.line("", line)
    if mark:
        patch.say(words.HUNKS_LIE)
    return patch


def _envelope(text: str) -> Patch:
    """What stands between `*** Begin Patch` and `*** End Patch`."""
    patch = Patch()
    for line in text.split("\n"):
        head = re.match(r"\*\*\* (Add File|Update File|Delete File|Move to|Rename to): ?(.*)", line)
        if head:
            what, name = head[1], head[2].strip()
            file = patch.files[-1] if what in ("Move to", "Rename to") and patch.files else patch.file()
            file.name(name)
            if what in ("Add File", "Delete File", "Move to", "Rename to"):
                file.note({"A": words.CREATED, "D": words.DELETED}.get(what[0], words.RENAMED))
            patch.line("", line)
        elif line[:1] in ("-", "+", " "):
            patch.line(line[0], line[1:])  # type: ignore[arg-type]
        else:
            patch.line("", line)
    return patch


class _Unified:
    """Reads a unified diff line by line, as `patch` and git do: inside a hunk by the counts of its header."""

    def __init__(self, text: str) -> None:
        self.patch = Patch()
        self.old = self.new = 0
        self.loose = not _HUNK.search(text)
        self.seen_hunk = self.loose
        lines = text.split("\n")
        for at, line in enumerate(lines):
            if self.old <= 0 and self.new <= 0:
                self._outside(line, lines, at)
            elif not self._inside(line, lines, at):
                self.patch.say(words.HUNKS_LIE)
                self.old = self.new = 0
                self._outside(line, lines, at)
        if self.old > 0 or self.new > 0:
            self.patch.say(words.HUNKS_LIE)

    def _inside(self, line: str, lines: list[str], at: int) -> bool:
        mark = line[:1]
        if line.startswith("--- ") and self._begins_file(lines, at) and (self.old, self.new) != (1, 1):
            return False
        if mark in ("", "\r") and at == len(lines) - 1:
            return False
        if mark not in ("-", "+", " ", "", "\r", "\\"):
            return False
        if mark == "\\":
            self.patch.line("", line)
            return True
        self.old -= mark != "+"
        self.new -= mark != "-"
        if min(self.old, self.new) < 0:
            self.patch.say(words.HUNKS_LIE)
        self._changed(line)
        return True

    def _changed(self, line: str) -> None:
        self.patch.line(line[0] if line[:1] in ("-", "+") else " ", line[1:])  # type: ignore[arg-type]

    def _outside(self, line: str, lines: list[str], at: int) -> None:
        if self._header(line, lines, at) or (line.rstrip("\r") == "-- " and at >= len(lines) - 4):
            self.patch.line("", line)
        elif line[:1] in ("-", "+") and self.seen_hunk:
            if not self.loose:
                self.patch.say(words.HUNKS_LIE)
            self._changed(line)
        elif line[:1] == " " and self.seen_hunk:
            self._changed(line)
        else:
            self.patch.line("", line)

    def _header(self, line: str, lines: list[str], at: int) -> bool:
        patch = self.patch
        if line.startswith("diff --git "):
            self._start(patch.file())
            for name in _git_names(line[len("diff --git ") :].rstrip("\r")):
                patch.files[-1].name(name)
        elif line.startswith("--- ") and at + 1 < len(lines) and lines[at + 1].startswith("+++ "):
            if not patch.files or self.seen_hunk or patch.files[-1].removed or patch.files[-1].added:
                self._start(patch.file())
            self._names(_bare(line[4:]), _bare(lines[at + 1][4:]))
        elif line.startswith("+++ ") and at and lines[at - 1].startswith("--- ") and not self.loose_line(at):
            pass
        elif found := _HUNK.match(line):
            self.old, self.new = (int(found[name] or "1") for name in ("old", "new"))
            self.seen_hunk = True
        elif line.startswith("@@"):
            self.seen_hunk = self.loose = True
        elif patch.files and not self.seen_hunk:
            self._noted(line)
            return True
        else:
            return False
        return True

    def loose_line(self, at: int) -> bool:
        """Whether the line before was taken for a change: then this one is none of a header."""
        return bool(self.patch.lines) and self.patch.lines[-1][0] != ""

    def _start(self, file: File) -> None:
        self.seen_hunk = self.loose = False

    def _names(self, old: str, new: str) -> None:
        file = self.patch.files[-1]
        if old == "/dev/null":
            file.note(words.CREATED)
        if new == "/dev/null":
            file.note(words.DELETED)
        plain = all(
            name == "/dev/null" or name.startswith(start) for name, start in ((old, "a/"), (new, "b/"))
        )
        for name in (old, new):
            if name != "/dev/null":
                file.name(name[2:] if plain else name)

    def _noted(self, line: str) -> None:
        file = self.patch.files[-1]
        for start, note in _NOTES.items():
            if line.startswith(start):
                file.note(note)
        if line.startswith(("rename from ", "rename to ", "copy from ", "copy to ")):
            file.name(line.split(" ", 2)[2].rstrip("\r"))
        if _EXECUTES.match(line):
            file.note(words.EXECUTABLE)

    def _begins_file(self, lines: list[str], at: int) -> bool:
        if at + 2 >= len(lines) or not lines[at + 1].startswith("+++ "):
            return False
        return lines[at + 2].startswith("@@ ")


def _bare(name: str) -> str:
    """A file's name in a header, without the time that may follow it."""
    return name.split("\t", 1)[0].rstrip("\r")


def _git_names(both: str) -> list[str]:
    """The names in `a/x b/x`."""
    half = len(both) // 2
    if both[:2] == "a/" and both[half : half + 3] == " b/" and both[2:half] == both[half + 3 :]:
        return [both[2:half]]
    old, between, new = both.partition(" b/")
    return [old.removeprefix("a/"), new] if between and " b/" not in new else [both]
