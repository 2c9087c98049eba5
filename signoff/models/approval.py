"""An Approval as it is read from the rows: what cards, modals and receipts are made of; frozen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from signoff.models.messages import ApprovalRequest, Decision, Outcome
from signoff.models.verdict import Verdict


@dataclass(frozen=True)
class Card:
    """Where an Approval is shown, in its channel's own words: conversation and message.

    `message` is None until it has been posted, `shown_revision` what it shows. `thread` is the first message
    of the thread that it is a reply in, None where it is none.
    """

    id: int
    conversation: str | None = None
    message: str | None = None
    permalink: str | None = None
    shown_revision: int = 0
    thread: str | None = None


@dataclass(frozen=True)
class Approval:
    """The life of one request. Times are microseconds since 1970, UTC, by the database's clock.

    `status` is pending, approved, rejected, expired, cancelled or blocked. `payload` and `payload_text`
    (canonical) are of the current `version`; `request.payload` is as the agent sent it.
    `shown_at` is when a card first showed it; `ended_at` when it stopped being pending.
    `restored` says that a restore closed it while it waited: nobody decides on it any more.
    `delivered_revision` is what its card is known to show: where it is behind, the card is due.
    """

    id: str
    agent: str
    request_id: str
    action: str
    status: str
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
    decision: Decision | None = None
    outcome: Outcome | None = None
    outcome_at: int | None = None
    card: Card | None = None

    @property
    def pending(self) -> bool:
        """True while somebody may still decide."""
        return self.status == "pending"

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
