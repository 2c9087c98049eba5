"""A conversation that an agent gives: in pages, all of it, the newest turn first."""

from __future__ import annotations

from typing import Any

import pytest

from signoff.bot.text.conversation import PAGE_TURNS, pages, turns, without
from signoff.models.talks import MOST_TURNS


def told(count: int, text: str = "") -> dict[str, Any]:
    said = [{"role": ("user", "assistant")[n % 2], "text": f"Turn {n}. {text}"} for n in range(count)]
    return {"conversation": said, "ticket": 7}


def numbers(page: list[dict[str, Any]]) -> list[int]:
    """Which turns begin on a page, counted from 1."""
    beginnings = [block["block_id"].split(":") for block in page]
    return [int(number) for _, number, at in beginnings if at == "0"]


@pytest.mark.parametrize("text", ["", "word " * 240, "😀" * 600])
def test_all_of_two_hundred_turns_stand_in_pages_the_newest_first(text: str) -> None:
    found = pages(told(MOST_TURNS, text))
    assert [number for page in found for number in numbers(page)] == list(range(MOST_TURNS, 0, -1))
    assert all(1 <= len(numbers(page)) <= PAGE_TURNS for page in found)
    assert len(found) >= MOST_TURNS // PAGE_TURNS
    assert "Turn 0." in str(found[-1]) and without(told(MOST_TURNS, text)) == {"ticket": 7}


def test_more_turns_than_that_are_ordinary_context() -> None:
    """As from an agent that no client of ours has stopped."""
    many = told(MOST_TURNS + 1)
    assert turns(many) == [] and without(many) == many
