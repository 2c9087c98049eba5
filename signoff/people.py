"""Who may decide; pure: asks a Directory, and fails closed."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol

from signoff.errors import NotAllowed

MEMBERS = "members"
"""In a list of approvers: every full member of the workspace."""


@dataclass(frozen=True)
class Person:
    """A Slack user, as Slack describes them now."""

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


def may_decide(user_id: str, approvers: Collection[str], directory: Directory) -> Person:
    """The person, if they may decide now; raises NotAllowed with the reason.

    Guests, bots, deleted users and people of another organisation never may, whatever the list says.
    The workspace is compared by the user's own team id: the one in a click's context is the reader's.
    """
    person = directory.person(user_id)
    team, enterprise = directory.home()
    ours = bool(team) and person.team_id == team
    ours = ours or (bool(enterprise) and person.enterprise_id == enterprise)
    if not ours or person.bot or person.deleted or person.guest or person.stranger:
        raise NotAllowed("Only members of this workspace can decide.")
    if MEMBERS in approvers or user_id in approvers:
        return person
    if any(user_id in directory.group(approver) for approver in approvers if is_group(approver)):
        return person
    raise NotAllowed("Only the approvers named on the card can decide.", tuple(approvers))
