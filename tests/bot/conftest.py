"""Approvals to draw, and ways to look at what was drawn."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from signoff.bot.gallery.approval import made_up
from signoff.models.approval import Approval
from signoff.sandbox.remote import nodes


@pytest.fixture(scope="session")
def make() -> Callable[..., Approval]:
    """make(payload, **fields of request or Approval, verdict={…}, decision=…) → a pending Approval."""
    return made_up


@pytest.fixture(scope="session")
def walk() -> Callable[[Any], Iterator[dict[str, Any]]]:
    """Every object in blocks or a view, in the order in which they stand."""
    return nodes


@pytest.fixture(scope="session")
def seen() -> Callable[[Any], str]:
    """All text that a person sees, joined."""
    kinds = ("plain_text", "mrkdwn", "text")
    return lambda value: "".join(part["text"] for part in nodes(value) if part.get("type") in kinds)


@pytest.fixture(scope="session")
def markup() -> Callable[[Any], str]:
    """All text that Slack reads markup in."""
    return lambda value: "\n".join(part["text"] for part in nodes(value) if part.get("type") == "mrkdwn")
