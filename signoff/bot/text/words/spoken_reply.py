"""What is said in a card's thread: what each kind of reply is made into."""

from __future__ import annotations

from dataclasses import dataclass

from signoff.bot.text.text import Trusted


@dataclass(frozen=True)
class Spoken:
    """`sentence` is ours; `quotes` is what somebody wrote, shown letter by letter below it."""

    sentence: Trusted
    quotes: tuple[str, ...] = ()
