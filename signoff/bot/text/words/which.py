"""What says which request it is: in a line of a list, in a notification, in a question."""

from __future__ import annotations


def and_more_fields(count: int) -> str:
    """Under the last value of a question: how many others run too."""
    return f"… and {count:,} more"


def and_more_entries(shown: str, count: int) -> str:
    """After the first entries of a list."""
    return f"{shown} and {count:,} more" if count else shown


def action_with(action: str, values: str) -> str:
    """An action and its first values, in one line."""
    return f"{action}: {values}" if values else action
