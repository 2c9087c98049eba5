"""The seats that a verdict asks for; frozen."""

from __future__ import annotations

from typing import Any, Literal

from signoff.models.receipt import Wire

Excluded = Literal["owner", "requester", "editor"]
"""Who may not approve: the agent's owner, whom it says it asks for, whoever has changed the payload."""
EXCLUDED: tuple[Excluded, ...] = ("owner", "requester", "editor")


class Seat(Wire):
    """Places that `need` people fill, each of them one.

    `named` is whom the policy names (groups, ids, `members`), `name` the same in one text, by which the log,
    receipts and cards call the seat. `people` are ids of users and user groups, or `members`, as they were
    when it was judged.
    """

    name: str = ""
    people: tuple[str, ...] = ()
    need: int = 1
    named: tuple[str, ...] = ()

    def said(self) -> dict[str, Any]:
        """As a policy's file says it."""
        return {"from": list(self.named), "need": self.need}
