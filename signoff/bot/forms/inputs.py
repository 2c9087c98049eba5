"""The inputs of a form: what each starts with, how it is drawn, and the JSON value of what was entered; pure.

Text that cannot be seen is written as escapes in inputs too, and read back. What has no input that brings
it back unchanged stands as text, and says why. An input that still holds what it started with changes
nothing, so a value that was left alone keeps its type and every digit.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any, ClassVar, Final, TypeGuard

from signoff.bot.forms.leaves import ABSENT, Path
from signoff.bot.text.moments import MINUTE, PICKER, written
from signoff.bot.text.payload import scalar_text
from signoff.bot.text.text import Block, cut, plain, visible
from signoff.bot.text.words import forms as forms_words
from signoff.errors import Invalid
from signoff.payload.fields import Field, coerce

ACTION: Final = "value"
"""The action_id of every input."""
OPTIONS = 100
"""Slack: options of a select. More come from an external select."""


def element(kind: str, **more: Any) -> Block:
    """An element of Block Kit, without what is None or empty text."""
    given = {name: value for name, value in more.items() if value is not None and value != ""}
    return {"type": kind, "action_id": ACTION, **given}


@dataclass(frozen=True)
class Input:
    """A field's place in a form. `start` is what an input holds that nobody has touched.

    What is entered is kept in a form of its own kind: an option's index, a tick, seconds, or text.
    """

    path: Path
    field: Field
    start: Any = None
    takes_nothing: ClassVar[bool] = False
    """True where an input that holds nothing says something too."""

    @property
    def block_id(self) -> str:
        """The same for the same place in every version of a payload."""
        return f"field:{hashlib.sha256(json.dumps(self.path).encode()).hexdigest()[:20]}"

    @property
    def group(self) -> Path:
        """The object that it stands in."""
        return self.path[:-1]

    @property
    def is_optional(self) -> bool:
        """True where Slack may submit it empty."""
        return self.takes_nothing or not self.field.required or self.field.nullable

    @property
    def hints(self) -> list[str]:
        """What stands under it: the agent's words about it, marked as its own, and how to write it."""
        field, found = self.field, []
        if field.title.strip() and field.title != field.name:
            found.append(forms_words.agent_title(cut(visible(field.title), 60)))
        if field.description.strip():
            found.append(forms_words.agent_hint(cut(visible(field.description), 150)))
        return [*found, *self.own_hints]

    @property
    def own_hints(self) -> list[str]:
        """How to write it."""
        return []

    def entered(self, state: dict[str, Any]) -> Any:
        """What a person has entered, from the element's part of `view.state.values`."""
        raise NotImplementedError

    def drawn(self, entered: Any) -> Block:
        """The element that holds what was entered."""
        raise NotImplementedError

    def value(self, entered: Any) -> Any:
        """What was entered as a JSON value, or `ABSENT`; raises Invalid, its `detail` is for the field."""
        raise NotImplementedError

    def emptied(self) -> Any:
        """Null where that is allowed; else the field is left out where it may be; else empty text."""
        if self.field.nullable:
            return None
        return coerce(self.field.schema, "") if self.field.required else ABSENT


@dataclass(frozen=True)
class Fixed(Input):
    """A field that stands as text: nothing that is sent changes it."""

    why: str = ""

    def entered(self, state: dict[str, Any]) -> Any:
        """Nothing, whatever was sent."""
        return self.start


class Tick(Input):
    """Yes or no, as a checkbox."""

    takes_nothing = True
    label: ClassVar[str] = forms_words.YES

    def entered(self, state: dict[str, Any]) -> bool:
        """Whether it is ticked."""
        return bool(state.get("selected_options"))

    def drawn(self, entered: bool) -> Block:
        """A checkbox."""
        box = {"text": plain(self.label), "value": "true"}
        return element("checkboxes", options=[box], initial_options=[box] if entered else None)

    def value(self, entered: bool) -> Any:
        """True or false."""
        return entered


class Null(Tick):
    """Sets an object to null, or leaves it out."""

    label = forms_words.MAKE_NULL

    @property
    def group(self) -> Path:
        """The object itself: its fields follow."""
        return self.path

    def value(self, entered: bool) -> Any:
        """None: only a tick is read."""
        return None


class Drop(Null):
    """Leaves an object out."""

    label = forms_words.LEAVE_OUT

    def value(self, entered: bool) -> Any:
        """Nothing of it."""
        return ABSENT


@dataclass(frozen=True)
class Choice(Input):
    """One of a schema's values. What is entered is its index among them."""

    values: tuple[Any, ...] = ()

    def entered(self, state: dict[str, Any]) -> int | None:
        """The index of the chosen option; of one that nobody offered, what it started with."""
        chosen = state.get("selected_option")
        if not chosen:
            return None
        text = str(chosen.get("value")) if isinstance(chosen, dict) else ""
        index = int(text) if text.isascii() and text.isdigit() and len(text) < 9 else len(self.values)
        return index if index < len(self.values) else self.start

    def drawn(self, entered: int | None) -> Block:
        """A select; one that is searched where the values are many."""
        initial = None if entered is None else self.option(entered)
        if len(self.values) > OPTIONS:
            pick = plain(forms_words.PICK)
            return element("external_select", min_query_length=0, placeholder=pick, initial_option=initial)
        options = [self.option(index) for index in range(len(self.values))]
        return element("static_select", options=options, initial_option=initial)

    def value(self, entered: int | None) -> Any:
        """The chosen value."""
        return self.emptied() if entered is None else self.values[entered]

    def option(self, index: int) -> Block:
        """One option of a select; its value is its place among the values."""
        return {"text": plain(choice_text(self.values[index])), "value": str(index)}

    def suggestions(self, query: str) -> list[Block]:
        """What an external select offers for what was typed: at most 100 options that contain it."""
        wanted = query.strip().casefold()
        found = (at for at, value in enumerate(self.values) if wanted in choice_text(value).casefold())
        return [self.option(index) for index, _ in zip(found, range(OPTIONS), strict=False)]


def choice_text(value: Any) -> str:
    """How an option of a select reads."""
    return forms_words.EMPTY_CHOICE if value is None else scalar_text(value)


class Moment(Input):
    """A date-time, in seconds since 1970: Slack's picker shows it in the person's own zone."""

    @property
    def own_hints(self) -> list[str]:
        """Whose zone it is."""
        return [forms_words.YOUR_ZONE]

    def entered(self, state: dict[str, Any]) -> Any:
        """Seconds; within the minute that it started with nothing was chosen anew."""
        at = state.get("selected_date_time")
        started = _is_moment(at) and _is_moment(self.start) and at // MINUTE == self.start // MINUTE
        return self.start if started else at

    def drawn(self, entered: Any) -> Block:
        """A picker."""
        return element("datetimepicker", initial_date_time=entered if _is_moment(entered) else None)

    def value(self, entered: Any) -> Any:
        """As text, with the offset that it had."""
        if entered is None:
            return self.emptied()
        if not _is_moment(entered):
            raise Invalid(forms_words.NOT_A_MOMENT)
        return written(entered, self.field.value)


def _is_moment(at: Any) -> TypeGuard[int]:
    return isinstance(at, int) and not isinstance(at, bool) and PICKER[0] <= at <= PICKER[1]
