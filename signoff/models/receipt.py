"""What a server signs, and an agent and an executor check; frozen."""

from __future__ import annotations

import threading
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from signoff.models.wire import DEPLOYMENT as DEPLOYMENT

Status = Literal[
    "approved", "answered", "rejected", "expired", "cancelled", "blocked", "invalid", "duplicate", "limited"
]  # fmt: skip


_BUILDING = threading.RLock()


class Wire(BaseModel):
    """What all messages share: frozen, and no field that nobody knows.

    Each is made ready where it is first used: most agents use few, and importing all would cost them 40 ms.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", populate_by_name=True, allow_inf_nan=False, defer_build=True
    )

    @classmethod
    def model_rebuild(
        cls, *, force: bool = False, _parent_namespace_depth: int = 2, **given: Any
    ) -> bool | None:
        """Make it ready, by one thread: Pydantic itself has no lock around that before 2.14."""
        with _BUILDING:
            if cls.__pydantic_complete__ and not force:
                return None
            depth = _parent_namespace_depth + 1
            return super().model_rebuild(force=force, _parent_namespace_depth=depth, **given)


def make_ready(kind: type[Wire] = Wire) -> None:
    """Make all ready that are imported, at once: for a process that others are forked from."""
    kind.model_rebuild()
    for one in kind.__subclasses__():
        make_ready(one)


class Decider(Wire):
    """Who decided, in a receipt. `at` is the database's clock, in UTC."""

    id: str
    name: str
    at: datetime
    second_factor: str | None = None


class Voter(Wire):
    """One whose vote made the end that a receipt tells. `at` is the database's clock, in UTC.

    `seat` is what the policy calls the seat that they filled, empty where there is only one. `self` on the
    wire: they own the agent, it asked for them, or they changed the payload. `deputy_for` is the id of the
    person whom they stood in for.
    """

    id: str
    name: str
    at: datetime
    seat: str = ""
    second_factor: str | None = None
    self_approved: bool = Field(default=False, alias="self")
    deputy_for: str | None = None

    def said(self) -> dict[str, Any]:
        """As it stands in a receipt: what is empty is left out."""
        return self.model_dump(mode="json", by_alias=True, exclude_defaults=True)


class Notice(Wire):
    """Which process has spent an approved receipt, and when; signed. Nobody else may run its action.

    `signed` is the SHA-256 of the receipt's token, in hexadecimal.
    """

    id: str
    agent: str
    signed: str
    by: str
    at: datetime


class NoteSaid(Wire):
    """What somebody who was asked has noted for the agent: data, which nobody signed. `by` is their name."""

    by: str
    text: str
    at: datetime


class Receipt(Wire):
    """The final word: verified, and bound to one request and one payload.

    `payload` is what to run; None unless approved. `policy` is the digest of the policy, `rule` the name of
    the rule of it that decided (empty where none did), `why` a sentence of the policy's about that. `issuer`
    is the deployment that signed it, `jti` the receipt's own id, and `nonce` the request's: with kind, agent,
    action and `digest_sent` it makes the id. `answer` is what somebody answered to a question; it lets
    nothing run. `voters` are all whose votes made this end, in their order; `decided_by` is the last of them.
    `undoes` is the id of the request whose action this one undoes. `token` is the signed form
    that `verify` takes. `permalink` and `notes` come beside it, and nobody signed them: notes are what people
    who were asked have written for the agent, to be read and never to be run by.
    """

    id: str
    kind: str = "approval"
    agent: str
    action: str
    status: Status
    version: int = 0
    digest_sent: str | None = None
    digest: str | None = None
    decided_by: Decider | None = None
    voters: tuple[Voter, ...] = ()
    reason: str = ""
    resubmit: bool = False
    never_shown: bool = False
    policy: str = ""
    rule: str = ""
    why: str = ""
    issuer: str = DEPLOYMENT
    jti: str
    nonce: str = ""
    issued_at: datetime
    not_after: datetime
    payload: dict[str, Any] | None = None
    answer: dict[str, Any] | None = None
    undoes: str | None = None
    permalink: str | None = None
    notes: tuple[NoteSaid, ...] = ()
    token: str = Field(default="", repr=False)

    @property
    def approved(self) -> bool:
        """True for the one status that lets anything run."""
        return self.status == "approved"

    @property
    def edited(self) -> bool:
        """True when the approved payload is not the one that was sent."""
        return self.approved and self.digest != self.digest_sent


class ApprovedReceipt(Receipt):
    """A receipt that lets its action run: `payload` is what to run, and it is there."""

    payload: dict[str, Any]
