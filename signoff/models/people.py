"""A person, and where people are looked up."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol

MEMBERS = "members"
"""In a list of approvers: every full member of the workspace."""


@dataclass(frozen=True)
class Person:
    """A person, as their channel describes them now."""

    id: str
    name: str
    team_id: str = ""
    enterprise_id: str = ""
    bot: bool = False
    deleted: bool = False
    guest: bool = False
    stranger: bool = False
    tz: str = "UTC"


class Directory(Protocol):
    """Where people are looked up. Raises SignoffError when it cannot tell."""

    def home(self) -> tuple[str, str]:
        """This workspace's (team id, enterprise id; empty where it is in none)."""

    def person(self, user_id: str) -> Person:
        """One user; raises NotAllowed when there is no such user."""

    def group(self, group_id: str) -> Collection[str]:
        """The user ids in a user group; none when it is disabled or unknown."""


def is_group(approver: str) -> bool:
    """True for a user group's id (S…)."""
    return approver.startswith("S")
