"""What a person's vote comes to beside those that stand: who may, who still may, and which seats are filled.

Every voter is looked at again at every vote, so also at the last one: by the directory, today's policy and
today's seats. A vote of somebody who may not decide any more is void, and the approval waits on.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from signoff.approvals import authority, exclusions, quorum
from signoff.approvals.errors import Excluded, GroupsUnread, HasVoted, NotAllowed, NotNeeded, VotedInPlace
from signoff.approvals.exclusions import Parties
from signoff.approvals.verdicts import Judge
from signoff.errors import Invalid
from signoff.models.approval import Approval
from signoff.models.messages import Decision
from signoff.models.people import Directory, Person
from signoff.models.seating import Seat
from signoff.models.store import Store
from signoff.models.verdict import Verdict
from signoff.models.votes import Why

NOBODY_ELSE = (
    "With your changes nobody is left who may approve: the policy excludes whoever has changed it. "
    "Reject it, and ask the agent to come back with changes."
)
VOID = tuple[str, Why]
"""Whose vote counts no more, and why."""


@dataclass(frozen=True)
class Ballot:
    """What a vote comes to: `decision` with its seat, None where they only propose changes, or where others
    decide on those; the votes that are `void` from now on; and the `count` of all that stand.
    """

    decision: Decision | None
    void: tuple[VOID, ...]
    count: quorum.Count
    voters: tuple[Decision, ...] = ()
    """Those whose votes make the end."""


class Ballots:
    """Counts votes."""

    def __init__(self, store: Store, judge: Judge, directory: Directory) -> None:
        self._store = store
        self._judge = judge
        self._directory = directory

    def cast(self, approval: Approval, judged: Verdict, person: Person, decision: Decision) -> Ballot:
        """A person's `decision`, which they may take, under a verdict; with a payload of an edit it is on
        that. Raises Excluded, HasVoted, NotNeeded, Invalid (nobody could approve those changes any more), or
        GroupsUnread.
        """
        edited, who = decision.payload is not None, self._judge.policy.person
        editors = (*approval.editors, *((person.id,) if edited else ()))
        owner = self._judge.policy.owner(approval.agent)
        if owner is None and "owner" in judged.exclude:
            owner = self._judge.owner(self._store, approval.agent)
        behind = exclusions.parties(approval.request, owner, editors, who)
        kept: tuple[Decision, ...] = ()
        if edited:
            void = _edited(approval, who(person.id), who)
        else:
            kept, void = self._others(approval, judged, person, decision, behind)
        seats = quorum.seats_of(judged)
        if decision.vote == "reject":
            counted = quorum.count((*kept, decision), seats, judged.reject)
            if counted.end is None and not self._reachable(judged, (*kept, decision), behind):
                counted = quorum.Count("reject", counted.open, counted.seated)
            return _ballot(decision, void, counted, (*kept, decision))
        mine_are = _persons(decision, who)
        barred = self._barred(judged, behind, kept)
        if barred.intersection(mine_are):
            if not edited:
                raise Excluded(behind.why(next(one for one in mine_are if one in barred)))
            if not self._can_be_filled(judged, kept, barred):
                raise Invalid(NOBODY_ELSE)
            return Ballot(None, void, quorum.count(kept, seats, judged.reject))
        alone = len(seats) == 1 and not edited  # whoever may decide fills the only seat
        fits = (seats[0].name,) if alone else self._fits(decision, seats, unread=True)
        if not fits and edited:
            return Ballot(None, void, quorum.count(kept, seats, judged.reject))
        mine = decision.model_copy(
            update={"fits": fits if len(seats) > 1 else (), "self_approved": any(map(behind.why, mine_are))}
        )
        before = quorum.count(kept, seats, judged.reject)
        counted = quorum.count((*kept, mine), seats, judged.reject)
        if len(counted.seated) == len(before.seated):
            raise NotNeeded([seat.name for seat in before.open])
        mine = next(one for one in counted.seated if one.approver == person.id)
        return _ballot(mine, void, counted, (*kept, mine))

    def _others(
        self, approval: Approval, judged: Verdict, person: Person, decision: Decision, behind: Parties
    ) -> tuple[tuple[Decision, ...], tuple[VOID, ...]]:
        """The votes that stand beside this one, each looked at again; and those that do not any more."""
        who = self._judge.policy.person
        kept, void = list[Decision](), list[VOID]()
        for one in approval.decisions:
            if who(one.approver) != who(person.id):
                if set(_persons(one, who)).intersection(_persons(decision, who)):
                    raise VotedInPlace(one.approver, one.deputy_for)
                kept.append(one)
            elif one.vote == "approve" and decision.vote == "reject":
                void.append((one.approver, "changed"))
            else:
                raise HasVoted(one.vote)
        seats = quorum.seats_of(judged)
        stand = list[Decision]()
        for one in kept:
            try:
                self._judge.deputies.still_may(one.approver, one.deputy_for, judged.approvers)
            except GroupsUnread:
                raise
            except NotAllowed:
                void.append((one.approver, "lost"))
                continue
            if one.vote == "reject":
                stand.append(one)
                continue
            fits = self._fits(one, seats)
            stand.append(one.model_copy(update={"fits": fits if len(seats) > 1 else ()}))
        barred = self._barred(judged, behind, stand)
        for one in [
            one for one in stand if one.vote == "approve" and barred.intersection(_persons(one, who))
        ]:
            stand.remove(one)
            void.append((one.approver, "lost"))
        return tuple(stand), tuple(void)

    def _fits(self, vote: Decision, seats: Sequence[Seat], unread: bool = False) -> tuple[str, ...]:
        """The names of the seats that somebody may fill now, for whom they vote. Where that is none, and
        groups could not be read, raises GroupsUnread if `unread` is to be known.
        """
        found, error = list[str](), None
        for seat in seats:
            try:
                self._judge.deputies.still_may(vote.approver, vote.deputy_for, seat.people)
                found.append(seat.name)
            except GroupsUnread as fault:
                error = fault
            except NotAllowed:
                pass
        if not found and error and unread:
            raise error
        return tuple(found)

    def _barred(self, judged: Verdict, behind: Parties, kept: Sequence[Decision]) -> frozenset[str]:
        """Who may not approve now: by default nobody, where without them nobody could."""
        barred = behind.barred(judged.exclude)
        if barred and judged.exclude_by_default and not self._can_be_filled(judged, kept, barred, named=True):
            return frozenset()
        return barred

    def _can_be_filled(
        self, judged: Verdict, kept: Sequence[Decision], barred: frozenset[str], named: bool = False
    ) -> bool:
        """Whether the seats can be filled without those, as far as anybody can tell; `named` counts nobody of
        whom neither the policy nor a group says who they are.
        """
        return authority.can_fill(
            quorum.seats_of(judged),
            self._directory,
            self._judge.policy.person,
            barred=barred,
            voted=[one.approver for one in kept if one.vote == "approve"],
            named=named,
        )

    def _reachable(self, judged: Verdict, votes: Sequence[Decision], behind: Parties) -> bool:
        """Whether those who have not rejected it could still approve it."""
        who = self._judge.policy.person
        kept = [one for one in votes if one.vote == "approve"]
        noes = frozenset(who(one.approver) for one in votes if one.vote == "reject")
        return self._can_be_filled(judged, kept, noes | self._barred(judged, behind, kept))


def _persons(vote: Decision, who: Callable[[str], str]) -> tuple[str, ...]:
    """Whose vote it is: the voter's, and that of the person in whose place it is given."""
    return (who(vote.approver), *((who(vote.deputy_for),) if vote.deputy_for else ()))


def _edited(approval: Approval, me: str, who: Callable[[str], str]) -> tuple[VOID, ...]:
    """All votes on what is no longer asked; the editor's own is given anew, or was."""
    return tuple(
        (one.approver, "changed" if who(one.approver) == me else "edited") for one in approval.decisions
    )


def _ballot(
    decision: Decision, void: tuple[VOID, ...], counted: quorum.Count, votes: Sequence[Decision]
) -> Ballot:
    end: Literal["approve", "reject"] | None = counted.end
    voters = counted.seated if end == "approve" else tuple(one for one in votes if one.vote == "reject")
    return Ballot(decision, void, counted, voters if end else ())
