"""Who may decide in the place of somebody who is away: whom the policy lets, by rows and directory."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace

from signoff.approvals import authority, chains
from signoff.approvals.errors import GroupsUnread, NotAllowed
from signoff.errors import SignoffError
from signoff.models.absences import Absence
from signoff.models.people import Directory, Person, is_group
from signoff.models.presence import StandIn
from signoff.policy.policy import Policy


class Deputies:
    """Looks them up anew each time. `away` gives who is away now, by person."""

    def __init__(
        self, policy: Callable[[], Policy], directory: Directory, away: Callable[[], Mapping[str, Absence]]
    ) -> None:
        self._policy = policy
        self._directory = directory
        self._away = away

    def may(self, user_id: str, approvers: Collection[str]) -> Person:
        """The person, if they are one of these, or stand in for one who is away; raises NotAllowed."""
        try:
            return authority.may_decide(user_id, approvers, self._directory)
        except GroupsUnread:
            raise
        except NotAllowed:
            person = self.principal(user_id, approvers)
            if person is None:
                raise
            return replace(authority.may_decide(user_id, (user_id,), self._directory), deputy_for=person)

    def still_may(self, user_id: str, deputy_for: str | None, approvers: Collection[str]) -> None:
        """Look at somebody again who has voted: for themselves, or in the place of somebody; raises
        NotAllowed.
        """
        if deputy_for is None:
            authority.may_decide(user_id, approvers, self._directory)
            return
        authority.may_decide(user_id, (user_id,), self._directory)
        if not self.stands(user_id, deputy_for, approvers):
            raise NotAllowed("They do not stand in for anybody who may decide any more.")

    def principal(self, user_id: str, approvers: Collection[str]) -> str | None:
        """In whose place this person may decide now, of these approvers (ids); None where in nobody's.

        That person has to be one who may decide, and everybody on the way from them to this one named under
        `deputies` of a group of theirs, all of which is asked. What the directory raises passes.
        """
        groups = self._groups(approvers)
        if not any(user_id in deputies for _, deputies in groups):
            return None
        away = self._away()
        chain = {person: one.deputy for person, one in away.items()}
        for person in away:
            for members, deputies in groups:
                if chains.stand_in(person, chain, deputies) != user_id:
                    continue
                if self._is_of(person, members) and self._may(person, approvers):
                    return person
        return None

    def stands(self, user_id: str, person: str, approvers: Collection[str]) -> bool:
        """Whether one may decide in the place of this person now, of these approvers (ids)."""
        away = self._away()
        chain = {one: found.deputy for one, found in away.items()}
        return any(
            chains.stand_in(person, chain, deputies) == user_id
            and self._is_of(person, members)
            and self._may(person, approvers)
            for members, deputies in self._groups(approvers)
        )

    def stand_ins(self, approvers: Collection[str], people: Collection[str]) -> tuple[StandIn, ...]:
        """Of these people (ids of users), who are all asked, those who are away, each with who stands in."""
        groups = self._groups(approvers)
        away = self._away() if groups else {}
        chain = {person: one.deputy for person, one in away.items()}
        found = []
        for person in people:
            for members, deputies in groups if person in away else ():
                deputy = chains.stand_in(person, chain, deputies)
                if deputy is not None and self._is_of(person, members):
                    one = away[person]
                    found.append(StandIn(person, self._name(person), deputy, one.until))
                    break
        return tuple(found)

    def groups_of(self, person: str, deputy: str) -> list[str]:
        """Names of the policy's groups in which one may stand in for the other."""
        contents = self._policy().contents
        if contents is None:
            return []
        return [
            name
            for name, deputies in contents.deputies.items()
            if deputy in deputies and self._is_of(person, contents.groups.get(name, ()))
        ]

    def any(self) -> bool:
        """Whether the policy lets anybody stand in for anybody."""
        contents = self._policy().contents
        return bool(contents and contents.deputies)

    def of(self, person: str) -> list[str]:
        """Ids of all who may stand in for a person somewhere."""
        contents = self._policy().contents
        if contents is None:
            return []
        found = (
            deputy
            for name, deputies in contents.deputies.items()
            if self._is_of(person, contents.groups.get(name, ()))
            for deputy in deputies
        )
        return [one for one in dict.fromkeys(found) if one != person]

    def _groups(self, approvers: Collection[str]) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
        """(members, deputies) of each group that is asked as a whole."""
        return list(self._asked(approvers))

    def _asked(self, approvers: Collection[str]) -> Iterator[tuple[tuple[str, ...], tuple[str, ...]]]:
        contents = self._policy().contents
        for name, deputies in contents.deputies.items() if contents else ():
            members = contents.groups.get(name, ()) if contents else ()
            if members and set(members) <= set(approvers):
                yield members, deputies

    def _is_of(self, person: str, members: Collection[str]) -> bool:
        return person in members or any(
            person in self._directory.group(one) for one in members if is_group(one)
        )

    def _name(self, person: str) -> str:
        try:
            return self._directory.person(person).name
        except (SignoffError, KeyError):
            return person

    def _may(self, person: str, approvers: Collection[str]) -> bool:
        try:
            authority.may_decide(person, approvers, self._directory)
        except NotAllowed:
            return False
        return True
