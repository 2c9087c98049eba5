"""The inputs of a form: what each starts with, how it is drawn, and the JSON value of what was entered; pure.

What has no input that brings it back unchanged stands as text, and says why. An input that still holds what
it started with changes nothing, so a value that was left alone keeps its type and every digit.
"""

from __future__ import annotations

import hashlib
import json
from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeGuard

from signoff.bot.forms.leaves import ABSENT, Leaf, Path
from signoff.bot.text.meaning import Meaning, meaning
from signoff.bot.text.moments import MINUTE, PICKER, written
from signoff.bot.text.payload import scalar_text
from signoff.bot.text.text import Block, glimpse, plain
from signoff.bot.text.views import element
from signoff.bot.text.words import forms as forms_words
from signoff.bot.text.words import meaning as meaning_words
from signoff.errors import Invalid
from signoff.payload.fields import coerce
from signoff.payload.reader import Field

DESCRIPTION = 150
"""Characters of a schema's description under an input."""
DEFAULT = 60
"""Characters of a default."""


@dataclass(frozen=True)
class Place:
    """A field's place in a form, whether it has an input there (`Input`) or stands as text (`Fixed`).

    `start` is what its input holds that nobody has touched: an option's index, seconds, or text. What is
    entered later is of the same kind.
    """

    leaf: Leaf
    start: Any = None

    @property
    def path(self) -> Path:
        """Where it is in the payload."""
        return self.leaf.path

    @property
    def field(self) -> Field:
        """What the schema and the payload say of it."""
        return self.leaf.field

    @cached_property
    def block_id(self) -> str:
        """The same for the same place in every version of a payload."""
        return f"field:{hashlib.sha256(json.dumps(self.path).encode()).hexdigest()[:20]}"

    @property
    def object(self) -> Path:
        """Where the object is that it belongs to."""
        return self.path if self.leaf.kind in ("whole", "item") else self.path[:-1]

    def is_like(self, other: Place) -> bool:
        """Whether what was entered at another place means the same at this one."""
        return type(self) is type(other)

    @property
    def added(self) -> Path:
        """Of a field that is new: the place of the item that it adds to a list; empty where it adds none."""
        places = [n for n, part in enumerate(self.path, 1) if isinstance(part, int)]
        return self.path[: places[-1]] if places and self.leaf.is_new else ()

    @property
    def is_item(self) -> bool:
        """True for an entry of a list: emptied, it is removed."""
        return isinstance(self.path[-1], int)

    @property
    def is_optional(self) -> bool:
        """True where Slack may submit it empty, and then says "(optional)"."""
        return not self.field.required or self.field.nullable

    @cached_property
    def meaning(self) -> Meaning:
        """What the number stands for that it holds."""
        return meaning(self.field.schema, self.field.name, self.field.value, self.leaf.beside)

    @property
    def default(self) -> str:
        """What its schema names as its default, as visible text; empty where it names none."""
        if "default" not in self.field.schema:
            return ""
        default = self.field.schema["default"]
        text = json.dumps(default, ensure_ascii=False) if isinstance(default, list | dict) else ""
        return glimpse(text, DEFAULT) if text else glimpse(scalar_text(default), DEFAULT)

    @property
    def hints(self) -> list[str]:
        """What stands under it: the agent's words about it, marked as its own."""
        field, found = self.field, []
        if self.default and not self.field.present:
            found.append(forms_words.not_given(self.default))
        if field.title.strip() and field.title != field.name:
            found.append(forms_words.agent_title(glimpse(field.title, 60)))
        described = glimpse(field.description.strip(), DESCRIPTION)
        if described:
            found.append(forms_words.agent_hint(described))
        if (unit := self.meaning.unit) and unit.strip("…") not in described:
            found.append(f"{self.meaning.claim[0].upper()}{self.meaning.claim[1:]}.")
        return found

    @property
    def placeholder(self) -> Block | None:
        """What an input says that holds nothing: what comes of that."""
        if self.leaf.is_new:
            text = forms_words.NOT_ADDED if self.is_item else forms_words.NOT_GIVEN
        elif self.field.present and self.field.nullable:
            text = forms_words.EMPTY_CHOICE
        elif self.is_item:
            text = forms_words.REMOVED
        else:
            text = meaning_words.default(self.default) if self.default else forms_words.NOT_GIVEN
        return plain(text) if self.is_optional else None


@dataclass(frozen=True)
class Input(Place, ABC):
    """A place where something is entered, in an element of Slack's."""

    @abstractmethod
    def entered(self, state: dict[str, Any]) -> Any:
        """What a person has entered, from the element's part of `view.state.values`."""

    @abstractmethod
    def drawn(self, entered: Any) -> Block:
        """The element that holds what was entered."""

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
class Fixed(Place):
    """A field that stands as text, and `why`: nothing that is sent changes it."""

    why: str = ""


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
