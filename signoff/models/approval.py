"""An Approval as it is read from the rows: what cards, modals and receipts are made of; frozen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

from signoff.models.codes import SHORTEST, code
from signoff.models.feedback import Feedback
from signoff.models.messages import ApprovalRequest, Decision, Outcome
from signoff.models.presence import Called
from signoff.models.stops import Stop
from signoff.models.talks import Note, Talk
from signoff.models.undone import Undo
from signoff.models.verdict import Verdict

End = Literal["approved", "answered", "rejected", "expired", "cancelled", "blocked"]
"""What an Approval may become."""
ApprovalStatus = Literal["pending"] | End
"""Whoever adds one adds it everywhere: matches over it are exhaustive, without a default."""
STATUSES: tuple[ApprovalStatus, ...] = ("pending", *get_args(End))

GONE = "gone"
"""What a row says of who waits where the agent that had waited does so no more; see `models.waiters`."""
ASKED_ANEW = "Nobody waited for it any more, and the same was asked anew."
"""Why a request that its agent had left is cancelled: another one takes its place."""


@dataclass(frozen=True)
class Card:
    """Where an Approval is shown, in its channel's own words: conversation and message.

    `message` is None until it has been posted, `shown_revision` what it shows. `thread` is the first message
    of the thread that it is a reply in, None where it is none.
    """

    id: int
    channel: str = "slack"
    conversation: str | None = None
    message: str | None = None
    permalink: str | None = None
    shown_revision: int = 0
    thread: str | None = None
    unsure: int = 0


@dataclass(frozen=True)
class Rejection:
    """Somebody's no to the same request, or to one nearly the same; `at` is in microseconds since 1970.

    `payload` is the rejected one where it is not the `same`; None too where it has been erased. `resubmit`
    says that it was sent back for changes.
    """

    approval_id: str
    by_id: str
    at: int
    reason: str = ""
    resubmit: bool = False
    same: bool = True
    payload: dict[str, Any] | None = None


@dataclass(frozen=True)
class Voided:
    """A vote that counts no more: whose, on which version, and `why` (`models.votes`)."""

    approver: str
    name: str
    vote: str
    version: int
    why: str


@dataclass(frozen=True)
class File:
    """A file of the payload in the card's thread, in its channel's own words.

    `digest` is the SHA-256 of its bytes, in hex. `state`: `wanted`, `posted` or `unwanted`.
    """

    digest: str
    state: str
    conversation: str
    thread: str


@dataclass(frozen=True)
class Approval:
    """The life of one request. Times are microseconds since 1970, UTC, by the database's clock.

    `decisions` are the votes on the current version, in their order, `voided` those that count no more,
    `ballots` how often votes were given or taken back. `editors` are the ids of all who have changed the
    payload, the last one last. `payload` and `payload_text`
    (canonical) are of the current `version`; `request.payload` is as the agent sent it.
    `shown_at` is when a card first showed it; `ended_at` when it stopped being pending.
    `restored` says that a restore closed it while it waited: nobody decides on it any more.
    `spent_by` names the process that was told that it may run the action, at `spent_at`.
    `delivered_revision` is what its card is known to show: where it is behind, the card is due.
    `judged` is the digest of the policy that `verdict` was last compared with, `drawn` of what its card shows
    of the verdict. `rejected` is a rejection that it brings to mind, while it is pending. `code_length` is
    how many characters of its code tell it from every other. From `receipt_expires_at` on nothing runs by
    it. `left_at` is since when the agent, which had waited for it, does so no more; None while it waits, and
    where it never was seen to. `traceparent` is the agent's span that asked. `batch_id` is the batch
    whose card shows it, at `batch_permalink`, once `batch_state` is frozen; None where it has a card of its
    own. `talks` are people's questions to the agent about it, `notes` what they have noted for it; each in
    order. `undo` is what is known of undoing it, where the policy names what does. `feedback` is what people
    were asked of its outcome. `alike` is how many wait that can be looked through with it, itself among them:
    0 where none do, and where whoever draws it has not counted. `any_stop` says that something is stopped:
    this, maybe. `stop` is what keeps it from being decided, or has voided its receipt, where whoever draws it
    has looked.
    0 where none do, and where whoever draws it has not counted. `called` is whom its card mentions, and whom
    it tells of; None where whoever draws it has not reckoned that: then it is all approvers.
    """

    id: str
    agent: str
    request_id: str
    action: str
    status: ApprovalStatus
    version: int
    revision: int
    created_at: int
    expires_at: int
    request: ApprovalRequest
    verdict: Verdict
    payload: dict[str, Any]
    payload_text: str
    digest_sent: str
    ended_at: int | None = None
    shown_at: int | None = None
    published_at: int | None = None
    delivered_revision: int = 0
    reason: str = ""
    restored: bool = False
    receipt: str | None = None
    decisions: tuple[Decision, ...] = ()
    outcome: Outcome | None = None
    outcome_at: int | None = None
    spent_by: str | None = None
    spent_at: int | None = None
    card: Card | None = None
    files: tuple[File, ...] = ()
    judged: str = ""
    drawn: str = ""
    rejected: Rejection | None = None
    code_length: int = SHORTEST
    receipt_expires_at: int | None = None
    left_at: int | None = None
    traceparent: str | None = None
    batch_id: int | None = None
    batch_permalink: str | None = None
    batch_state: str | None = None
    handed_to: str | None = None
    handed_by: str | None = None
    undoes: str | None = None
    runs_at: int | None = None
    feedback: Feedback | None = None
    undo: Undo | None = None
    talks: tuple[Talk, ...] = ()
    notes: tuple[Note, ...] = ()
    alike: int = 0
    called: Called | None = None
    ballots: int = 0
    editors: tuple[str, ...] = ()
    voided: tuple[Voided, ...] = ()
    stop: Stop | None = None
    any_stop: bool = False

    @property
    def code(self) -> str:
        """By which people name it."""
        return code(self.id, self.code_length)

    @property
    def unseen(self) -> bool:
        """Whether it is shown to nobody, since its agent has not said that all of its batch is there."""
        return self.batch_state not in (None, "frozen")

    @property
    def permalink(self) -> str | None:
        """Where people see it: its card's address, or that of its batch's."""
        return self.card.permalink if self.card else self.batch_permalink

    @property
    def traced(self) -> tuple[str, str, str, str | None]:
        """What its spans tell of it: see `spans.step`."""
        return self.agent, self.request_id, self.action, self.traceparent

    @property
    def decision(self) -> Decision | None:
        """The vote that was the last one needed, or the last one so far."""
        return self.decisions[-1] if self.decisions else None

    @property
    def in_thread(self) -> frozenset[str]:
        """Digests of the files that stand in the card's thread: where it stands now, not where it stood."""
        if self.card is None or not self.files:
            return frozenset()
        where = (self.card.conversation, self.card.thread or self.card.message)
        return frozenset(
            file.digest
            for file in self.files
            if file.state == "posted" and (file.conversation, file.thread) == where
        )

    @property
    def pending(self) -> bool:
        """True while somebody may still decide."""
        return self.status == "pending"

    @property
    def has_run(self) -> bool:
        """True once a process was told that it may run it, or has reported: no other may any more."""
        return self.spent_at is not None or self.outcome is not None

    def is_over(self, now: int) -> bool:
        """Whether nothing runs any more by its receipt, at `now`."""
        return self.receipt_expires_at is not None and now >= self.receipt_expires_at

    @property
    def editable(self) -> bool | tuple[str, ...]:
        """The fields that a person may change, or whether all of them: as both agent and policy say."""
        theirs, ours = self.request.editable, self.verdict.editable
        if ours is None or theirs is False:
            return theirs
        return ours if theirs is True else tuple(name for name in theirs if name in ours)

    @property
    def edited(self) -> bool:
        """True when an approver changed the payload."""
        return self.version > 1
