"""Who may decide; pure: asks a Directory, and fails closed."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence

from signoff.approvals.errors import GroupsUnread, NotAllowed
from signoff.models import matching
from signoff.models.people import MEMBERS, Directory, Person, is_group
from signoff.models.seating import Seat


def may_decide(user_id: str, approvers: Collection[str], directory: Directory) -> Person:
    """The person, if they may decide now; raises NotAllowed with the reason.

    Guests, bots, deleted users and people of another organisation never may, whatever the list says. On an
    Enterprise Grid people of its other workspaces are such, too, by the list of workspaces that Slack has of
    them. Where it gives none, who is named has to be of the same organisation at least, and is no `member`.
    The workspace is compared by the user's own team id: the one in a click's context is the reader's.
    Where nobody can say who is in a group, nobody decides as its member: raises GroupsUnread.
    """
    person = directory.person(user_id)
    team, enterprise = directory.home()
    member = person.is_in(team)
    ours = member or (bool(enterprise) and person.enterprise_id == enterprise and not person.teams)
    if not ours or person.bot or person.deleted or person.guest or person.stranger:
        raise NotAllowed("Only members of this workspace can decide.")
    if (MEMBERS in approvers and member) or user_id in approvers:
        return person
    if _is_in(user_id, [approver for approver in approvers if is_group(approver)], directory):
        return person
    if MEMBERS in approvers:
        raise NotAllowed("Only members of this workspace can decide.")
    raise NotAllowed("Only the approvers named on the card can decide.", tuple(approvers))


def is_anybody_left(approvers: Collection[str], directory: Directory, most: int = 200) -> bool:
    """Whether anybody may decide now, of these; True where that takes looking at more than `most` people.

    What the directory raises passes, and GroupsUnread where who is in a group is not known.
    """
    if MEMBERS in approvers:
        return True
    looked_at = 0
    for user_id in _people(approvers, directory):
        try:
            may_decide(user_id, (user_id,), directory)
            return True
        except NotAllowed:
            looked_at += 1
            if looked_at == most:
                return True
    return False


def reachable(approvers: Collection[str], directory: Directory, most: int = 200) -> tuple[list[str], bool]:
    """Who of these may decide now, and whether that is all of them: it is not where nobody says who is in a
    group, or where that takes looking at more than `most` people.
    """
    found, looked_at = list[str](), 0
    try:
        for user_id in dict.fromkeys(_people(approvers, directory)):
            looked_at += 1
            if looked_at > most:
                return found, False
            try:
                may_decide(user_id, (user_id,), directory)
                found.append(user_id)
            except NotAllowed:
                pass
    except GroupsUnread:
        return found, False
    return found, True


def can_fill(
    seats: Sequence[Seat],
    directory: Directory,
    person: Callable[[str], str],
    *,
    barred: Collection[str] = (),
    voted: Collection[str] = (),
    named: bool = False,
) -> bool:
    """Whether the seats can be filled by those who may decide now, without the persons `barred`.

    `person` gives the account that somebody counts by, `voted` are those who have approved already. True
    where nobody can tell. `named` counts nobody of whom neither the policy nor a group says who they are.
    """
    if not named and any(MEMBERS in seat.people for seat in seats):
        return True
    people = {person(one): one for one in voted}
    for seat in seats:
        found, whole = reachable([one for one in seat.people if one != MEMBERS], directory)
        if not whole:
            return True
        people |= {person(one): one for one in found}
    fits = [
        [kind for kind, seat in enumerate(seats) if _may_fill(one, seat, directory)]
        for who, one in people.items()
        if who not in barred
    ]
    return matching.is_full(fits, [seat.need for seat in seats])


def _may_fill(user_id: str, seat: Seat, directory: Directory) -> bool:
    try:
        may_decide(user_id, seat.people, directory)
    except NotAllowed:
        return False
    return True


def _people(approvers: Collection[str], directory: Directory) -> Iterator[str]:
    """Those that are named, then those in groups; raises GroupsUnread after all others were given."""
    yield from (approver for approver in approvers if not is_group(approver))
    unread: GroupsUnread | None = None
    for approver in approvers:
        if is_group(approver):
            try:
                members = directory.group(approver)
            except GroupsUnread as error:
                unread = error
                continue
            yield from members
    if unread:
        raise unread


def _is_in(user_id: str, groups: Collection[str], directory: Directory) -> bool:
    """Whether they are in one of the groups; raises GroupsUnread where that one may be among those unread."""
    unread, why = list[str](), ""
    for group in groups:
        try:
            if user_id in directory.group(group):
                return True
        except GroupsUnread as error:
            unread, why = [*unread, *error.groups], error.why
    if unread:
        raise GroupsUnread(unread, why)
    return False
