"""What the stand-in refuses: a call of the app (as Slack answers it) or an act of a person."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from signoff.bot.blocks import Problem


class SlackError(Exception):
    """A Web API call that fails: `answer` is the JSON that the app gets."""

    def __init__(self, error: str, **more: Any) -> None:
        super().__init__(error)
        self.error = error
        self.answer: dict[str, Any] = {"ok": False, "error": error, **more}


class ActError(Exception):
    """A person cannot do that: the HTTP status and the JSON for the program that drives the stand-in."""

    def __init__(self, error: str, status: int = 400, **more: Any) -> None:
        super().__init__(error)
        self.status = status
        self.answer: dict[str, Any] = {"ok": False, "error": error, **more}


def refused(error: str, problems: Sequence[Problem], under: str = "") -> SlackError:
    """`error` with the problems as Slack words them: `[ERROR] … [json-pointer:/blocks/0/text]`."""
    lines = [f"{p.message} [json-pointer:{under}{p.pointer}]" for p in problems]
    return SlackError(
        error, errors=lines, response_metadata={"messages": [f"[ERROR] {line}" for line in lines]}
    )
