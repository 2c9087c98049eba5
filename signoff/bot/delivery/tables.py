"""Data tables on cards, as long as Slack takes them: a workspace may not have them yet."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from signoff.bot.cards.card import Message
from signoff.bot.cards.table import has_table, without_tables
from signoff.bot.slack.errors import SlackRefused

log = logging.getLogger("signoff.deliver")

T = TypeVar("T")
REFUSED = frozenset({"invalid_blocks", "invalid_blocks_format", "invalid_arguments"})


class Tables:
    """Sends messages, and remembers, until the process ends, that Slack takes no data table."""

    def __init__(self) -> None:
        self._refused = False

    def send(self, message: Message, by: Callable[[Message], T]) -> tuple[Message, T]:
        """What was sent in the end, and what `by` gave. One with a table that Slack refuses goes as text.

        Raises what `by` raises; of a message that is refused as text too, the second refusal.
        """
        if not has_table(message.blocks):
            return message, by(message)
        as_text = replace(message, blocks=without_tables(message.blocks))
        if self._refused:
            return as_text, by(as_text)
        try:
            return message, by(message)
        except SlackRefused as error:
            if error.code not in REFUSED:
                raise
            log.info("a card with a table was refused, it goes as text: %s", error.code)
        found = by(as_text)
        self._refused = True
        return as_text, found
