"""What well-known tool servers are asked to do: the requests of docs/gallery.md, before and after; pure."""

from __future__ import annotations

from collections.abc import Mapping

from signoff.bot.gallery.cards import Case
from signoff.bot.gallery.cloud import CLOUD
from signoff.bot.gallery.code import CODE
from signoff.bot.gallery.data import DATA
from signoff.bot.gallery.letters import LETTERS
from signoff.bot.gallery.money import MONEY
from signoff.bot.gallery.shape import Shape

THEMES: Mapping[str, Mapping[str, Shape]] = {
    "Code, and what runs it": CODE,
    "What runs": CLOUD,
    "Data": DATA,
    "Money": MONEY,
    "Letters to people": LETTERS,
}
SHAPES: Mapping[str, Shape] = {name: shape for theme in THEMES.values() for name, shape in theme.items()}
BEFORE: Mapping[str, Case] = {name: shape.before for name, shape in SHAPES.items()}
