"""The inputs of a form: what each starts with, how it is drawn, and the JSON value of what was entered; pure.

What has no input that brings it back unchanged stands as text, and says why. An input that still holds what
it started with changes nothing, so a value that was left alone keeps its type and every digit.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, TypeGuard

from signoff.bot.forms.leaves import ABSENT, Path
from signoff.bot.text.moments import MINUTE, PICKER, written
from signoff.bot.text.payload import scalar_text
from signoff.bot.text.text import Block, glimpse, plain
from signoff.bot.text.views import element
from signoff.bot.text.words import forms as forms_words
from signoff.errors import Invalid
from signoff.payload.fields import coerce
from signoff.payload.reader import Field

OPTIONS = 100
"""Slack: options of a select. More come from an external select."""


@dataclass(frozen=True)
class Input:
    """A field's place in a form.

    `start` is what its input holds that nobody has touched: an option's index, a tick, seconds, or text. What
    is entered later is of the same kind.
    """

    path: Path
    field: Field
    start: Any = None
    is_group: bool = False
    """True for an object whose own fields follow."""

    takes_nothing: ClassVar[bool] = False
    """True where an input that holds nothing says something too."""

    @cached_property
    def block_id(self) -> str:
        """The same for the same place in every version of a payload."""
        return f"field:{hashlib.sha256(json.dumps(self.path).encode()).hexdigest()[:20]}"

    @property
    def object(self) -> Path:
        """Where the object is that it belongs to."""
        return self.path if self.is_group else self.path[:-1]

    @property
    def is_optional(self) -> bool:
        """True where Slack may submit it empty."""
        return self.takes_nothing or not self.field.required or self.field.nullable

    @property
    def hints(self) -> list[str]:
        """What stands under it: the agent's words about it, marked as its own."""
        field, found = self.field, []
        if field.title.strip() and field.title != field.name:
            found.append(forms_words.agent_title(glimpse(field.title, 60)))
        if field.description.strip():
            found.append(forms_words.agent_hint(glimpse(field.description, 150)))
        return found

    def entered(self, state: dict[str, Any]) -> Any:
        """What a person has entered, from the element's part of `view.state.values`."""
        return self.start

    def drawn(self, entered: Any) -> Block:
        """The element that holds what was entered."""
        raise NotImplementedError

    def value(self, entered: Any) -> Any:
        """What was entered as a JSON value, or `ABSENT`; raises Invalid, its `detail` is for the field.

        Of an input that was emptied: null where that is allowed; else the field is left out where it may be;
        else it is empty text.
        """
        if entered is not None and entered != "":
            return self.parsed(entered)
        if self.field.nullable:
            return None
        return coerce(self.field.schema, "") if self.field.required else ABSENT

    def parsed(self, entered: Any) -> Any:
        """The same of an input that holds something."""
        return entered


@dataclass(frozen=True)
class Fixed(Input):
    """A field that stands as text: nothing that is sent changes it."""

    why: str = ""


class Tick(Input):
    """A checkbox: yes or no; for an object, whether it is to be null or left out."""

    takes_nothing = True

    def entered(self, state: dict[str, Any]) -> bool:
        return bool(state.get("selected_options"))

    def drawn(self, entered: bool) -> Block:
        drops = forms_words.MAKE_NULL if self.field.nullable else forms_words.LEAVE_OUT
        box = {"text": plain(drops if self.is_group else forms_words.YES), "value": "true"}
        return element("checkboxes", options=[box], initial_options=[box] if entered else None)

    def parsed(self, entered: bool) -> Any:
        return self.value(None) if self.is_group else entered


@dataclass(frozen=True)
class Choice(Input):
    """One of a schema's values, by its index among them."""

    values: tuple[Any, ...] = ()

    def entered(self, state: dict[str, Any]) -> int | None:
        chosen = state.get("selected_option")
        if not chosen:
            return None
        text = str(chosen.get("value")) if isinstance(chosen, dict) else ""
        index = int(text) if text.isascii() and text.isdigit() and len(text) < 9 else len(self.values)
        return index if index < len(self.values) else self.start  # nobody offered that

    def drawn(self, entered: int | None) -> Block:
        initial = None if entered is None else self._option(entered)
        if len(self.values) > OPTIONS:
            pick = plain(forms_words.PICK)
            return element("external_select", min_query_length=0, placeholder=pick, initial_option=initial)
        options = [self._option(index) for index in range(len(self.values))]
        return element("static_select", options=options, initial_option=initial)

    def parsed(self, entered: int) -> Any:
        return self.values[entered]

    def suggestions(self, query: str, most: int = OPTIONS) -> list[Block]:
        """What an external select offers for what was typed: at most so many options that contain it."""
        wanted = query.strip().casefold()
        found = [at for at, value in enumerate(self.values) if wanted in choice_text(value).casefold()]
        return [self._option(index) for index in found[:most]]

    def _option(self, index: int) -> Block:
        return {"text": plain(choice_text(self.values[index])), "value": str(index)}


def choice_text(value: Any) -> str:
    """How an option of a select reads."""
    return forms_words.EMPTY_CHOICE if value is None else scalar_text(value)


class Moment(Input):
    """A date-time, in seconds since 1970: Slack's picker shows it in the person's own zone."""

    @property
    def hints(self) -> list[str]:
        return [*super().hints, forms_words.YOUR_ZONE]

    def entered(self, state: dict[str, Any]) -> Any:
        at = state.get("selected_date_time")
        untouched = _is_moment(at) and _is_moment(self.start) and at // MINUTE == self.start // MINUTE
        return self.start if untouched else at

    def drawn(self, entered: Any) -> Block:
        return element("datetimepicker", initial_date_time=entered if _is_moment(entered) else None)

    def parsed(self, entered: Any) -> str:
        if not _is_moment(entered):
            raise Invalid(forms_words.NOT_A_MOMENT)
        return written(entered, self.field.value)


def _is_moment(at: Any) -> TypeGuard[int]:
    return isinstance(at, int) and not isinstance(at, bool) and PICKER[0] <= at <= PICKER[1]
