"""Which renderers there are; pure."""

from __future__ import annotations

from signoff.bot.text.renderers import Renderer, Seen, Summary

RENDERERS: tuple[Renderer, ...] = ()


def summarise(seen: Seen) -> Summary | None:
    """The first summary that a renderer makes of a value; None where none knows its shape."""
    return next((found for one in RENDERERS if (found := one(seen)) is not None), None)
