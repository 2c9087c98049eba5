"""Summaries of long values, each made by a renderer of its own; pure.

A renderer looks at one value of a payload and either knows its shape, and gives a summary of it, or gives
None. A summary is ours and stands before the value, never instead of it: *Review…* shows all of it all the
same, unless the summary itself shows every byte that matters to what runs (`whole`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from signoff.bot.text.row import Row

ROOM = 30_000
"""Characters of one payload that renderers read word by word. That takes some 3 µs each, and a request of
256 KB may take 0.25 s in all."""


@dataclass(frozen=True)
class Seen:
    """A value that may be summed up: a text, a list or an object of a payload.

    `name` is the field's, as sent; `schema` what describes it, empty where nothing does; `beside` the object
    that holds it. All of it is the agent's. `room` is how many characters may be read word by word: what
    takes more than a pattern's time looks at no longer text, and says so.
    """

    name: str
    value: Any
    schema: Mapping[str, Any]
    beside: Mapping[str, Any]
    room: int = ROOM


@dataclass(frozen=True)
class Summary:
    """What a renderer makes of a value.

    `rows` stand under the value's name: a row without a path goes on under it, one with a path has names of
    its own. `takes` are fields of an object that the summary stands for (none: all of it). `whole` says that
    no value of them is left out or cut: then they are not shown a second time.
    """

    rows: tuple[Row, ...]
    takes: frozenset[str] = frozenset()
    whole: bool = False
    readable: bool = False
    """True where people read the summary more easily than the text itself, however short that is: HTML."""


Renderer = Callable[[Seen], Summary | None]
