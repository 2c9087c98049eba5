"""A person, and where people are looked up."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol

MEMBERS = "members"
"""In a list of approvers: every full member of this workspace, not of all of an Enterprise Grid."""


@dataclass(frozen=True)
class Person:
    """A person, as their channel describes them now."""

    id: str
    name: str
    team_id: str = ""
    enterprise_id: str = ""
    teams: tuple[str, ...] = ()
    """On an Enterprise Grid: all workspaces that they are in; empty elsewhere."""
    bot: bool = False
    deleted: bool = False
    guest: bool = False
    stranger: bool = False
    tz: str = "UTC"
    status: str = ""
    """What they say of themselves in Slack, such as that they are on vacation: shown, and not believed."""
    deputy_for: str = ""
    """In whose place they act, where they may do something for somebody else alone: that person's id."""

    def is_in(self, team_id: str) -> bool:
        """Whether they are in this workspace. Where Slack lists their workspaces, the list alone counts."""
        return bool(team_id) and (team_id in self.teams if self.teams else self.team_id == team_id)


class Directory(Protocol):
    """Where people are looked up. Raises SignoffError when it cannot tell."""

    def home(self) -> tuple[str, str]:
        """This workspace's (team id, enterprise id; empty where it is in none)."""

    def person(self, user_id: str) -> Person:
        """One user; raises NotAllowed when there is no such user."""

    def group(self, group_id: str) -> Collection[str]:
        """The user ids in a user group; none when it is disabled or unknown.

        Raises GroupsUnread, a NotAllowed, where that is not said until somebody changes something.
        """


def is_group(approver: str) -> bool:
    """True for a user group's id (S…)."""
    return approver.startswith("S")
