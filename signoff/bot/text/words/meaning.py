"""What stands beside a number, and in the place of a value that was not given."""

from __future__ import annotations


def says_unit(unit: str, major: str = "") -> str:
    """What a schema says of a number; `unit` is visible text in quotes, `major` the sum that it then is."""
    return f"the agent says {unit}: {major}" if major else f"the agent says {unit}"


def money(name: str, currency: str) -> str:
    """The label of an amount; both are visible text."""
    return f"{name} ({currency})"


def not_given(default: str = "") -> str:
    """In the place of a value that a payload does not have; `default` is visible text, or empty for none."""
    return f"not given (default: {default}, the agent's schema says)" if default else "not given"


def default(text: str) -> str:
    """The same in short, where its schema names a default; visible text."""
    return f"Not given (default: {text})"
