"""The arguments of a Web API call, which come from a form, a query or JSON."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from signoff.sandbox import json_text
from signoff.sandbox.errors import SlackError


@dataclass(frozen=True, slots=True)
class Arguments:
    """Reads one argument after the other; what is malformed raises SlackError."""

    raw: dict[str, Any]

    def string(self, name: str, default: str = "") -> str:
        """A string; numbers are taken as their text, as Slack does."""
        value = self.raw.get(name)
        if value is None:
            return default
        if isinstance(value, (dict, list)):
            raise invalid(name, "must be a string")
        return value if isinstance(value, str) else str(value)

    def required(self, name: str) -> str:
        """A string that has to be there."""
        value = self.string(name)
        if not value:
            raise invalid(name, "missing required field: " + name)
        return value

    def flag(self, name: str) -> bool:
        """true, 1 and their texts are true; what is missing is false."""
        return self.raw.get(name) in (True, 1, "1", "true", "True")

    def integer(self, name: str, default: int, error: str) -> int:
        """A whole number from 1 to 1,000. `error` is Slack's name for a wrong one."""
        try:
            value = int(self.raw.get(name) or default)
        except (TypeError, ValueError):
            raise SlackError(error) from None
        if not 1 <= value <= 1000:
            raise SlackError(error)
        return value

    def json(self, name: str, error: str) -> Any:
        """An object or array, which may come as JSON text; None where it is missing or empty text."""
        value = self.raw.get(name)
        if not isinstance(value, str):
            return value
        if not value:
            return None
        try:
            return json_text.parse(value)
        except ValueError:
            raise SlackError(error) from None


def invalid(name: str, why: str) -> SlackError:
    """invalid_arguments, as Slack words it."""
    message = f"[ERROR] {why} [json-pointer:/{name}]"
    return SlackError("invalid_arguments", response_metadata={"messages": [message]})
