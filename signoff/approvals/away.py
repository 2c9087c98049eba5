"""Somebody is away, and names who decides in their place, of those whom the policy lets; and is back."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from signoff.approvals import audit, chains
from signoff.approvals.announcer import Announcer
from signoff.approvals.audit import Event
from signoff.approvals.errors import NotAllowed, NotAway
from signoff.approvals.verdicts import Judge
from signoff.models import absences, changes
from signoff.models.absences import Absence
from signoff.models.messages import moment
from signoff.models.store import MICROSECONDS, Store

log = logging.getLogger("signoff.approvals")

LONGEST_DAYS = 30
OPERATOR = "operator"
"""Who says so at the command line."""
Tell = Callable[[Sequence[str]], bool]


class Away:
    """Notes who is away, and has cards and admins know."""

    def __init__(self, store: Store, judge: Judge, announcer: Announcer) -> None:
        self._store = store
        self._judge = judge
        self._announcer = announcer

    def leave(self, person: str, until: int, deputy: str, *, by: str) -> tuple[Absence, tuple[str, ...]]:
        """`person` is away until then (microseconds since 1970); `by` says so: themselves, or an operator.

        What they said before holds no more. Given back is also in which of the policy's groups the deputy
        stands in. Raises NotAway, with those who could be named; NotAllowed where one is no member.
        """
        self._judge.member(person)
        may = self._judge.deputies.of(person)
        if deputy == person:
            raise NotAway("Nobody is their own deputy: name somebody else.", may)
        if not may:
            raise NotAway(
                "The policy names no deputies for your groups: whoever keeps it adds `deputies:` to one."
            )
        groups = self._judge.deputies.groups_of(person, deputy)
        if not groups:
            raise NotAway("The policy does not let them stand in for you.", may)
        try:
            self._judge.member(deputy)
        except NotAllowed:
            raise NotAway("They are no member of this workspace.", may) from None
        with self._store.transaction("away") as connection:
            now = changes.clock(connection)
            if not now < until <= now + LONGEST_DAYS * 86_400 * MICROSECONDS:
                raise NotAway(f"Name a time from now on, at most {LONGEST_DAYS} days away.", may)
            standing = absences.standing(connection)
            if chains.circle(person, deputy, {one: found.deputy for one, found in standing.items()}):
                raise NotAway("They are away themselves, and have left it to you: name somebody else.", may)
            before = absences.open_of(connection, person)
            events = [] if before is None else [_back(before, absences.end(connection, before) or now, by)]
            values = {"person": person, "deputy": deputy, "by_id": by, "until": until}
            found = absences.add(connection, values)
            data = {"absence": found.id, "person": person, "deputy": deputy}
            data |= {"since": found.since, "until": until}
            audit.append(connection, *events, Event("away", None, now, by, data))
        log.info("away: %s until %d, deputy %s", person, until, deputy)
        return found, tuple(groups)

    def back(self, person: str, *, by: str) -> Absence | None:
        """They decide for themselves again; None where they were not away."""
        with self._store.transaction("back") as connection:
            found = absences.open_of(connection, person)
            ended = absences.end(connection, found) if found else None
            if found is None or ended is None:
                return None
            audit.append(connection, _back(found, ended, by))
        log.info("back: %s", person)
        return found

    def away(self) -> dict[str, Absence]:
        """Who is away now, by person."""
        return dict(absences.read(self._store))

    def untold(self) -> dict[str, Absence]:
        """Those of which cards and admins do not know yet, by their number as a text."""
        return {str(one.id): one for one in absences.untold(self._store)}

    def note(self, number: str, tell: Tell) -> None:
        """Have admins and cards know that one began, or is over: cards once, admins at least once.

        `tell` tells admins a sentence, False where none of them could be told.
        """
        one = self.untold().get(number)
        if one is None:
            return
        is_over = one.ended_at is not None or one.until <= self._store.clock()
        if not tell([told_of(one, is_over, self._judge.callers.name)]):
            log.warning("admins could not be told who is away: %s", one.person)
        asked = self._judge.among(one.person, self._store.waiting())
        with self._store.transaction("absence") as connection:
            if not absences.note_told(connection, one, 2 if is_over else 1):
                return
            if is_over and one.ended_at is None and (ended := absences.end(connection, one)):
                audit.append(connection, _back(one, ended, "signoff"))
            for approval_id in asked:
                changes.move(connection, approval_id)
        for approval_id in asked[:1]:
            self._announcer.wake("absence", approval_id)


def told_of(absence: Absence, is_over: bool, name: Callable[[str], str]) -> str:
    """What admins are told; `name` gives what somebody is called."""
    person, deputy = (f"{name(one)} ({one})" for one in (absence.person, absence.deputy))
    if is_over:
        return f"{person} decides for themselves again; {deputy} does not any more in their place."
    until = moment(absence.until)
    return (
        f"{person} is away until {until.day} {until:%b %H:%M} UTC, and {deputy} decides in their place, "
        "where the policy names them a deputy."
    )


def _back(absence: Absence, at: int, by: str) -> Event:
    return Event("back", None, at, by, {"absence": absence.id, "ended_at": at})
