"""What a plan changes, resource by resource, whichever tool made it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Change:
    """What becomes of one resource: `kind` is one of the words of `summaries.KINDS`, `note` is ours.

    `name` and `becomes`, where it goes on under another name, are as the plan has them.
    """

    kind: str
    name: str
    note: str = ""
    becomes: str = ""


@dataclass(frozen=True)
class Plan:
    """All of it; entries that could not be read, outputs that change, and what is odd, in our words."""

    changes: list[Change]
    unread: int = 0
    outputs: int = 0
    odd: str = ""
