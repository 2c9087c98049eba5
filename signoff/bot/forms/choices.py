"""Inputs that choose among what is offered: a schema's values, yes or no, whether something stays; pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from signoff.bot.forms.inputs import Input, Place
from signoff.bot.forms.leaves import ABSENT, Leaf
from signoff.bot.text.payload import scalar_text
from signoff.bot.text.text import Block, plain
from signoff.bot.text.views import element
from signoff.bot.text.words import forms as forms_words
from signoff.errors import Invalid

OPTIONS = 100
"""Slack: options of a select. More come from an external select."""


@dataclass(frozen=True)
class Choice(Input):
    """One of a schema's values, by its index among them."""

    values: tuple[Any, ...] = ()

    @property
    def is_optional(self) -> bool:
        """True where it may be left out; null is chosen like any other value."""
        return not self.field.required

    def entered(self, state: dict[str, Any]) -> int | None:
        chosen = state.get("selected_option")
        if not chosen:
            return None
        text = str(chosen.get("value")) if isinstance(chosen, dict) else ""
        index = int(text) if text.isascii() and text.isdigit() and len(text) < 9 else len(self.values)
        return index if index < len(self.values) else self.start  # nobody offered that

    def is_like(self, other: Place) -> bool:
        return isinstance(other, Choice) and self._texts == other._texts

    @property
    def _texts(self) -> list[str]:
        return [self._text(index) for index in range(len(self.values))]

    def drawn(self, entered: int | None) -> Block:
        initial = None if entered is None else self._option(entered)
        if len(self.values) > OPTIONS:
            pick = plain(forms_words.PICK)
            return element("external_select", min_query_length=0, placeholder=pick, initial_option=initial)
        options = [self._option(index) for index in range(len(self.values))]
        return element("static_select", options=options, initial_option=initial, placeholder=self.placeholder)

    def parsed(self, entered: int) -> Any:
        return self.values[entered]

    def suggestions(self, query: str, most: int = OPTIONS) -> list[Block]:
        """What an external select offers for what was typed: at most so many options that contain it."""
        wanted = query.strip().casefold()
        found = [at for at, value in enumerate(self.values) if wanted in choice_text(value).casefold()]
        return [self._option(index) for index in found[:most]]

    def _option(self, index: int) -> Block:
        return {"text": plain(self._text(index)), "value": str(index)}

    def _text(self, index: int) -> str:
        return choice_text(self.values[index])


def choice_text(value: Any) -> str:
    """How an option of a select reads."""
    return forms_words.EMPTY_CHOICE if value is None else scalar_text(value)


@dataclass(frozen=True)
class Ways(Choice):
    """A few ways that stand below each other: one is always chosen, so nothing is sent unsaid."""

    texts: tuple[str, ...] = ()

    @property
    def is_optional(self) -> bool:
        """False: leaving it out is one of the ways."""
        return False

    @property
    def hints(self) -> list[str]:
        told = forms_words.not_given(self.default)
        return [hint for hint in super().hints if hint != told or hint[:-1] not in self.texts]

    def drawn(self, entered: int | None) -> Block:
        options = [self._option(index) for index in range(len(self.values))]
        initial = None if entered is None else options[entered]
        return element("radio_buttons", options=options, initial_option=initial)

    def value(self, entered: int | None) -> Any:
        if entered is None:
            raise Invalid(forms_words.CHOOSE_ONE)
        return self.values[entered]

    def _text(self, index: int) -> str:
        return self.texts[index]


def yes_or_no(leaf: Leaf) -> Ways:
    """A boolean: yes, no, null where that is allowed, and not given where the schema does not ask for it."""
    field, base = leaf.field, Place(leaf)
    ways: list[tuple[Any, str]] = [(True, forms_words.YES), (False, forms_words.NO)]
    if field.nullable:
        ways.append((None, forms_words.EMPTY_CHOICE))
    if not field.required:
        removed = forms_words.REMOVE if base.is_item else ""
        ways.append((ABSENT, removed or forms_words.not_given_choice(base.default)))
    current = field.value if field.present else ABSENT
    start = next((at for at, (value, _) in enumerate(ways) if value is current), None)
    return Ways(leaf, start, tuple(value for value, _ in ways), tuple(text for _, text in ways))


def fate(leaf: Leaf) -> Ways:
    """Whether an object, a list, or an item of one stays, goes, or becomes null."""
    field = leaf.field
    ways: list[tuple[Any, str]] = [(field.value, forms_words.KEEP)]
    if leaf.kind == "item":
        ways.append((ABSENT, forms_words.REMOVE))
    elif not field.required:
        ways.append((ABSENT, forms_words.LEAVE_OUT))
    if field.nullable:
        ways.append((None, forms_words.MAKE_NULL))
    return Ways(leaf, 0, tuple(value for value, _ in ways), tuple(text for _, text in ways))
