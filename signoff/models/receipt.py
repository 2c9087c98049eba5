"""What a server signs, and an agent and an executor check; frozen."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Status = Literal["approved", "rejected", "expired", "cancelled", "blocked", "invalid", "duplicate", "limited"]


class Wire(BaseModel):
    """What all messages share: frozen, and no field that nobody knows."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, allow_inf_nan=False)


class Decider(Wire):
    """Who decided, in a receipt. `at` is the database's clock, in UTC."""

    id: str
    name: str
    at: datetime
    second_factor: str | None = None


class Receipt(Wire):
    """The final word: verified, and bound to one request and one payload.

    `payload` is what to run; None unless approved. `policy` is the digest of the policy, `rule` the name of
    the rule of it that decided (empty where none did), `why` a sentence of the policy's about that. `token`
    is the signed form that `verify` takes.
    """

    id: str
    agent: str
    action: str
    status: Status
    version: int = 0
    digest_sent: str | None = None
    digest: str | None = None
    decided_by: Decider | None = None
    reason: str = ""
    resubmit: bool = False
    never_shown: bool = False
    policy: str = ""
    rule: str = ""
    why: str = ""
    nonce: str
    issued_at: datetime
    not_after: datetime
    payload: dict[str, Any] | None = None
    permalink: str | None = None
    token: str = Field(default="", repr=False)

    @property
    def approved(self) -> bool:
        """True for the one status that lets anything run."""
        return self.status == "approved"

    @property
    def edited(self) -> bool:
        """True when the approved payload is not the one that was sent."""
        return self.approved and self.digest != self.digest_sent
