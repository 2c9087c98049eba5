"""What is stopped, on top of Home and as the answer to `/approvals resume`; pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from signoff.bot.text.text import Block, plain
from signoff.bot.text.views import note, says
from signoff.bot.text.words import stops as words
from signoff.models.stops import Stop

MOST = 10
"""Stops that one list names: what covers more makes fewer of them."""


def home_stops(found: Sequence[Stop], resumable: Collection[str]) -> list[Block]:
    """On top of Home: a heading, and each of them; nothing where nothing is stopped."""
    if not found:
        return []
    title: Block = {"type": "header", "block_id": "title:stops", "text": plain(words.HOME_TITLE)}
    return [title, *stop_blocks(found, resumable), {"type": "divider"}]


def stop_blocks(found: Sequence[Stop], resumable: Collection[str]) -> list[Block]:
    """Each of them with its reason, and *Resume…* where its id is `resumable` by who reads it."""
    blocks = list[Block]()
    for stop in found[:MOST]:
        told = says(words.line(stop), f"stop:{stop.id}:{stop.changed}")
        if stop.id in resumable:
            told["accessory"] = button("resume", words.RESUME_MORE, stop.id)
        why = words.reason(stop.reason)
        blocks += [told, *([note(why, f"why:{stop.id}:{stop.changed}")] if why else [])]
    if len(found) > MOST:
        blocks.append(says(words.more_stops(len(found) - MOST), "more:stops"))
    return blocks or [says(words.NONE, "stops")]


def button(action_id: str, label: str, value: str) -> Block:
    """A button of ours."""
    return {"type": "button", "action_id": action_id, "text": plain(label), "value": value}
