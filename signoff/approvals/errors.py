"""Why a person's decision changed nothing.

NotRecorded
├── AlreadyDecided  EditedMeanwhile  TimeRanOut  InGrace  NotHeld
├── NotUndone  AlreadyUndone
├── NotAllowed  NobodyLeft  Excluded  GroupsUnread  BlockedNow
├── HasVoted  HasNotVoted  VotedInPlace  NotNeeded
├── TooManyQuestions  TooManyNotes
├── OtherKind  NotHanded  NotAway  NotAsked  FeedbackGiven  FeedbackOver
└── UnknownApproval  Restored  Tampered  ShownOther
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from signoff.errors import SignoffError
from signoff.models.approval import End
from signoff.models.seating import Excluded as Party
from signoff.models.undone import Undone


class NotRecorded(SignoffError):
    """Nothing has changed."""


class UnknownApproval(NotRecorded):
    """There is no such request."""


class Restored(NotRecorded):
    """Signoff was restored from a backup, and the request ended with that."""


class Tampered(NotRecorded):
    """What is stored of the request is no longer what was asked for: nobody can approve or reject it."""


class ShownOther(NotRecorded):
    """What they pressed on has shown other requests, versions or payloads than there are now."""


class InGrace(NotRecorded):
    """The policy lets this run after a while, and nobody was asked: hold it first, and decide then."""


class NotHeld(NotRecorded):
    """It waits for a decision already: `by_id` is who held it, empty where the policy asks by now."""

    def __init__(self, by_id: str = "") -> None:
        super().__init__()
        self.by_id = by_id


class OtherKind(NotRecorded):
    """A question is answered, everything else is approved or rejected: this would have been the other one."""


class NotHanded(NotRecorded):
    """It was not handed to them.

    `to` is who that is.
    """

    def __init__(self, detail: str, to: str) -> None:
        super().__init__(detail)
        self.to = to


class NotAway(NotRecorded):
    """Nobody was put in anybody's place: `detail` says why, `may` are the ids of those who could be."""

    def __init__(self, detail: str, may: Sequence[str] = ()) -> None:
        super().__init__(detail)
        self.may = tuple(may)


NoUndo = Literal["nothing", "unreported", "failed", "over", "missing", "several"]


class NotUndone(NotRecorded):
    """It cannot be undone here: the policy names `nothing` that would, it is `unreported`, it `failed`, the
    time is `over` (since `at`), the policy wants `several` people for it, or a value is `missing`: `detail`
    says which, by its reference.
    """

    def __init__(
        self,
        why: NoUndo,
        detail: str = "",
        at: int = 0,
    ) -> None:
        super().__init__(detail)
        self.why, self.at = why, at


class AlreadyUndone(NotRecorded):
    """Somebody was faster to undo it: `by_id`, `at` (microseconds since 1970).

    `is_done` is True once its agent has said that it is undone; until then it is being undone.
    """

    def __init__(self, by_id: str, at: int, is_done: bool = False) -> None:
        super().__init__()
        self.by_id, self.at, self.is_done = by_id, at, is_done

    @classmethod
    def by(cls, done: Undone) -> AlreadyUndone:
        """As that tells."""
        return cls(done.by_id, done.at, done.succeeded is True)


class NotAllowed(NotRecorded):
    """This person may not decide.

    `approvers` are those who may, by today's policy, where that is why.
    """

    def __init__(self, detail: str = "", approvers: Sequence[str] = ()) -> None:
        super().__init__(detail)
        self.approvers = tuple(approvers)


class NobodyLeft(NotAllowed):
    """Nobody may decide any more: all who were asked have left, or are no full members now."""


class Excluded(NotAllowed):
    """This person may reject it, and not approve it, as that would be for themselves.

    `why` is what they are of it: its agent's owner, its requester, an editor.
    """

    def __init__(self, why: Sequence[Party]) -> None:
        super().__init__("Nobody approves for themselves: somebody else has to.")
        self.why = tuple(why)


class HasVoted(NotRecorded):
    """This person's vote stands already: `vote` is which."""

    def __init__(self, vote: str) -> None:
        super().__init__()
        self.vote = vote


class VotedInPlace(NotRecorded):
    """Somebody's vote counts once: `by_id` has given it, in the place of `deputy_for` where that is set."""

    def __init__(self, by_id: str, deputy_for: str | None) -> None:
        super().__init__()
        self.by_id, self.deputy_for = by_id, deputy_for


class HasNotVoted(NotRecorded):
    """There is no vote of this person's to be taken back."""


class NotNeeded(NotRecorded):
    """The seats that this person could fill are taken: it waits for `seats`, by their names."""

    def __init__(self, seats: Sequence[str]) -> None:
        super().__init__()
        self.seats = tuple(seats)


class GroupsUnread(NotAllowed):
    """Whether this person may decide cannot be told, and never by itself: nobody says who is in these groups.

    `groups` are their ids, `why` is the end of a sentence in our own words.
    """

    def __init__(self, groups: Sequence[str], why: str) -> None:
        super().__init__(f"Nobody says who is in {', '.join(groups)}: {why}.")
        self.groups, self.why = tuple(groups), why


class BlockedNow(NotRecorded):
    """The policy in force blocks this: the request has ended so.

    `edited` is True where it is the changes that it blocks: then nothing has changed.
    """

    def __init__(self, detail: str = "", *, edited: bool = False) -> None:
        super().__init__(detail)
        self.edited = edited


class UndoBlocked(BlockedNow):
    """The policy in force blocks what would undo something: nothing has changed."""


class AlreadyDecided(NotRecorded):
    """Somebody was faster.

    `status` is what the request has become (None where that is not known), `by` the name of who decided
    (empty where nobody did), `by_id` their id and `at` the time in microseconds since 1970.
    """

    def __init__(self, status: End | None, by: str = "", by_id: str = "", at: int = 0) -> None:
        super().__init__(f"It is {status or 'decided'} already.")
        self.status, self.by, self.by_id, self.at = status, by, by_id, at


class TimeRanOut(NotRecorded):
    """The request expired before the decision.

    `at` is when, in microseconds since 1970.
    """

    def __init__(self, at: int) -> None:
        super().__init__()
        self.at = at


class EditedMeanwhile(NotRecorded):
    """The payload was changed since it was shown: look at it again.

    `by` is the name of who changed it.
    """

    def __init__(self, by: str = "") -> None:
        super().__init__()
        self.by = by


class NotAsked(NotAllowed):
    """Whether that was right is asked of others: `approvers` are those."""

    def __init__(self, approvers: Sequence[str] = ()) -> None:
        super().__init__("Only those who are asked can say whether it was right.", approvers)


class FeedbackGiven(NotRecorded):
    """Somebody has said already whether it was right.

    `answer` is what they have said, `by` their name, `by_id` their id, `at` in microseconds since 1970.
    """

    def __init__(self, answer: str, by: str = "", by_id: str = "", at: int = 0) -> None:
        super().__init__(f"Somebody has said already that it was {answer}.")
        self.answer, self.by, self.by_id, self.at = answer, by, by_id, at


class FeedbackOver(NotRecorded):
    """Nobody is asked any more whether that was right: it was asked for a week."""


class TooManyQuestions(NotRecorded):
    """The agent has enough to answer: `waiting` says that questions about this request still wait."""

    def __init__(self, agent: str, waiting: bool) -> None:
        super().__init__()
        self.agent, self.waiting = agent, waiting


class TooManyNotes(NotRecorded):
    """The request has as many notes as it may have."""
