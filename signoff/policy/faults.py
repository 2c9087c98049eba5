"""What is wrong with a policy: collected, so that a person sees all of it at once; pure."""

from __future__ import annotations

from signoff.policy.document import Document, Path
from signoff.policy.errors import PolicyError

MOST = 20
"""Faults that are told at once."""


class Faults:
    """Sentences about a file, each with the line that it is about."""

    def __init__(self, name: str, document: Document) -> None:
        self._name, self._document = name, document
        self._found: list[tuple[tuple[int, int], str]] = []

    def add(self, path: Path, sentence: str) -> None:
        """What is wrong at `path`, and what to do, without a full stop at its end."""
        self._found.append((self._document.place(path), sentence))

    def warning(self, path: Path, sentence: str) -> str:
        """A line about a place in the file that is no fault."""
        line, column = self._document.place(path)
        return f"{self._name}:{line}:{column}: warning: {_ended(sentence)}"

    def stop(self) -> None:
        """Raise PolicyError where anything is wrong, in the order of lines."""
        if not self._found:
            return
        told = sorted(dict.fromkeys(self._found))
        lines = [f"{self._name}:{line}:{column}: {_ended(what)}" for (line, column), what in told[:MOST]]
        if len(told) > MOST:
            lines.append(f"{self._name}: and {len(told) - MOST} more")
        raise PolicyError(lines)


def _ended(sentence: str) -> str:
    return sentence if sentence.endswith("?") else f"{sentence}."
