"""What says which request it is: in a line of a list, in a notification, in a question."""

from __future__ import annotations

from signoff.bot.text.text import Trusted, date, is_id, mention


def and_more_fields(count: int) -> str:
    """Under the last value of a question: how many others run too."""
    return f"… and {count:,} more"


def and_more_entries(shown: str, count: int) -> str:
    """After the first entries of a list."""
    return f"{shown} and {count:,} more" if count else shown


def with_values(what: str, values: str) -> str:
    """A headline or an action, and its first values, in one line."""
    return f"{what}: {values}" if values else what


def cannot_be_undone(reversibility: str, source: str) -> str:
    """In a list, of what is not simply undone; else empty: a list has no room for what is as usual."""
    if source == "nobody":
        return "nobody said whether it can be undone"
    return {"costly": "costly to undo", "irreversible": "cannot be undone"}.get(reversibility, "")


def rejected_before(by_id: str, at: int, same: bool, resubmit: bool) -> Trusted:
    """Before the reason: who said no to the same, or to nearly the same, and when."""
    who = mention(by_id) if is_id(by_id) else "Somebody"
    did = "sent back" if resubmit else "rejected"
    return Trusted(f"{who} *{did} {'the same' if same else 'one like it'}* · {date(at)}")


def differs(changes: str) -> str:
    """What is not as it was in the one that was rejected; visible text."""
    return f"This one: {changes}"


def file_in(name: str, kind: str) -> str:
    """A field that holds a file: its name (visible) and what it is; not its base64, which says nothing."""
    return f"{name} ({kind})"
