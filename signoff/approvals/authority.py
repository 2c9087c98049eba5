"""Who may decide; pure: asks a Directory, and fails closed."""

from __future__ import annotations

from collections.abc import Collection

from signoff.approvals.errors import NotAllowed
from signoff.models.people import MEMBERS, Directory, Person, is_group


def may_decide(user_id: str, approvers: Collection[str], directory: Directory) -> Person:
    """The person, if they may decide now; raises NotAllowed with the reason.

    Guests, bots, deleted users and people of another organisation never may, whatever the list says. On an
    Enterprise Grid `members` are those of this workspace; from the organisation's others only who is named
    may, in person or by a user group. The workspace is compared by the user's own team id: the one in a
    click's context is the reader's.
    """
    person = directory.person(user_id)
    team, enterprise = directory.home()
    member = person.is_in(team)
    ours = member or (bool(enterprise) and person.enterprise_id == enterprise)
    if not ours or person.bot or person.deleted or person.guest or person.stranger:
        raise NotAllowed("Only members of this workspace can decide.")
    if (MEMBERS in approvers and member) or user_id in approvers:
        return person
    if any(user_id in directory.group(approver) for approver in approvers if is_group(approver)):
        return person
    if MEMBERS in approvers:
        raise NotAllowed("Only members of this workspace can decide.")
    raise NotAllowed("Only the approvers named on the card can decide.", tuple(approvers))
