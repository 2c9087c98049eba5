"""The answers that an agent offers, as labels: visible, told from our own words and from each other; pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from signoff.bot.text.alphabet import skeleton
from signoff.bot.text.poses import poses
from signoff.bot.text.prose import one_line
from signoff.bot.text.quotes import isolated
from signoff.bot.text.text import cut, exact, length
from signoff.bot.text.words import questions as words
from signoff.models.questions import Option, Question

SHORT = 30
"""Characters of an answer that a button shows on a phone too. Slack: it may cut a button's text there."""
MOST_BUTTONS = 5
NAMED = 60
"""Characters of an answer in a warning."""


@dataclass(frozen=True)
class Labels:
    """How the options of a question read: `texts` are visible, in the question's order."""

    options: tuple[Option, ...]

    @classmethod
    def of(cls, question: Question) -> Labels:
        """The labels of a question's options."""
        return cls(question.options)

    @cached_property
    def texts(self) -> tuple[str, ...]:
        """Each as one visible line."""
        return tuple(one_line(option.text) for option in self.options)

    @cached_property
    def warnings(self) -> tuple[str, ...]:
        """Options that read like our words, and those that read like each other: a line each."""
        return (*self._ours(), *self._alike())

    @cached_property
    def numbered(self) -> bool:
        """Whether their numbers stand before them: where a text alone would not tell which one it is."""
        return bool(self.warnings) or any(length(text) > SHORT for text in self.texts)

    @cached_property
    def fit_buttons(self) -> bool:
        """Whether each has room on a button of its own."""
        few = 0 < len(self.texts) <= MOST_BUTTONS
        return few and all(length(isolated(text)) <= SHORT for text in self.texts)

    def label(self, at: int, most: int) -> str:
        """One of them in at most `most` characters."""
        number = f"{at + 1}. " if self.numbered else ""
        text = isolated(self.texts[at])
        if length(number) + length(text) > most:
            text = isolated(cut(self.texts[at], most - length(number) - 2))
        return f"{number}{text}"

    def is_cut(self, at: int, most: int) -> bool:
        """Whether `label` does not hold all of it."""
        return length(isolated(self.texts[at])) + (len(f"{at + 1}. ") if self.numbered else 0) > most

    def _ours(self) -> Iterator[str]:
        found = [at for at, one in enumerate(self.options, 1) if poses(one.text) or poses(one.about)]
        if found:
            yield words.looks_ours([f"answer {at}" for at in found])

    def _alike(self) -> Iterator[str]:
        seen: dict[str, int] = {}
        for at, option in enumerate(self.options):
            first = seen.setdefault(skeleton(option.text).casefold(), at)
            if first != at:
                pair = (self._named(first), self._named(at))
                yield words.looks_alike(first + 1, pair[0], at + 1, pair[1])

    def _named(self, at: int) -> str:
        return cut(exact(self.options[at].text), NAMED)
