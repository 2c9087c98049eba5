"""Whom a card asks now, and whom later: people of groups one by one, quiet hours and deputies reckoned in."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from signoff.approvals.deputies import Deputies
from signoff.approvals.errors import NotAllowed
from signoff.approvals.seats import waiting_for
from signoff.errors import SignoffError
from signoff.models.approval import Approval
from signoff.models.people import MEMBERS, Directory, Person, is_group
from signoff.models.presence import Called, Later
from signoff.models.quiet import quiet_until
from signoff.models.timing import Timing

MOST_PEOPLE = 20
"""A group of more is called as a whole: nobody reads a line of so many names."""


class Callers:
    """Reckons. What the directory cannot say leaves a group whole, and a person's zone UTC."""

    def __init__(self, directory: Directory, deputies: Deputies) -> None:
        self._directory = directory
        self._deputies = deputies

    def people(self, approvers: Iterable[str]) -> tuple[str, ...]:
        """Ids of users, and of groups that are called as a whole; `members` are called by nobody."""
        found = dict[str, None]()
        for one in approvers:
            if is_group(one):
                found |= dict.fromkeys(self._members(one))
            elif one != MEMBERS:
                found[one] = None
        return tuple(found)

    def called(
        self,
        approvers: Collection[str],
        wanted: Sequence[str],
        timing: Timing,
        shown_at: int,
        now: int,
        voted: Collection[str] = (),
    ) -> Called:
        """Whom a card asks: of `approvers` (ids) those whose vote is `wanted`, or who stand in for them.

        Quiet hours are reckoned at `shown_at`, when the card pings; who is told later is until then.
        """
        if not timing.quiet and not self._deputies.any():
            return Called(tuple(wanted))
        people = tuple(one for one in self.people(wanted) if one not in voted)
        stand_ins = self._deputies.stand_ins(approvers, people)
        instead = {one.person: one.deputy for one in stand_ins}
        asked = tuple(dict.fromkeys(instead.get(one, one) for one in people))
        later = {}
        for one in asked if timing.quiet else ():
            at = self.quiet_until(one, timing, shown_at)
            if at > max(shown_at, now):
                later[one] = Later(one, self.name(one), at)
        if not later and not stand_ins:
            return Called(tuple(wanted))
        members = (MEMBERS,) if MEMBERS in wanted else ()
        awake = tuple(one for one in asked if one not in later)
        return Called((*awake, *members), tuple(later.values()), stand_ins)

    def of(self, approval: Approval, now: int) -> Called:
        """Whom the card of what waits asks now, by its verdict."""
        verdict, voted = approval.verdict, [vote.approver for vote in approval.decisions]
        asked = list(dict.fromkeys(one for seat in waiting_for(approval) for one in seat.people))
        shown_at = approval.shown_at or now
        return self.called(verdict.approvers, asked or verdict.approvers, verdict.times, shown_at, now, voted)

    def instead(self, approvers: Collection[str], people: Sequence[str]) -> tuple[str, ...]:
        """These people, each who is away with who stands in for them in their place."""
        stand_ins = {one.person: one.deputy for one in self._deputies.stand_ins(approvers, people)}
        return tuple(dict.fromkeys(stand_ins.get(one, one) for one in people))

    def quiet_until(self, person: str, timing: Timing, at: int) -> int:
        """When somebody may be pinged, from `at` on; both in microseconds since 1970."""
        if not timing.quiet:
            return at
        found = None if is_group(person) else self._person(person)
        return quiet_until(timing.quiet, found.tz if found else "UTC", at)

    def name(self, person: str) -> str:
        """As they write it; untrusted."""
        found = None if is_group(person) else self._person(person)
        return found.name if found else person

    def _person(self, user_id: str) -> Person | None:
        try:
            return self._directory.person(user_id)
        except (SignoffError, KeyError):
            return None

    def _members(self, group: str) -> tuple[str, ...]:
        try:
            members = self._directory.group(group)
        except (NotAllowed, SignoffError):
            return (group,)
        return tuple(sorted(members)) if len(members) <= MOST_PEOPLE else (group,)
