"""What is said in cards' threads, by kind: a row here is all that another kind needs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from signoff.bot.text.text import Trusted
from signoff.models.approval import Approval


@dataclass(frozen=True)
class Spoken:
    """`sentence` is ours; `quotes` is what somebody wrote, shown letter by letter below it."""

    sentence: Trusted
    quotes: tuple[str, ...] = ()


Sentence = Callable[[Approval, Mapping[str, Any]], Spoken | None]
"""An approval as it is now, and what was noted (`models.card_replies.add`) → what is said; None: nothing."""
KINDS: dict[str, Sentence] = {}
"""By the `kind` of `models.card_replies.add`."""
