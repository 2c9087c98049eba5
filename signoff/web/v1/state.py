"""Where a request stands, as API v1 answers it."""

from __future__ import annotations

from datetime import datetime
from typing import get_args

from pydantic import BaseModel, Field

from signoff.models.approval import Approval
from signoff.models.messages import Response, moment
from signoff.models.questions import GivenAnswer
from signoff.models.receipt import NoteSaid, Status


class State(BaseModel):
    """Where a request stands."""

    id: str = Field(description="The request's id (UUIDv8), which commits to what was asked.")
    status: str = Field(
        description="pending, or how it ended.", json_schema_extra={"enum": ["pending", *get_args(Status)]}
    )
    kind: str = Field(
        default="approval", description="`approval`, or `question`: its answer lets nothing run."
    )
    action: str = Field(description="What is to run; `question` of a question.")
    code: str = Field(description="What people call the request.")
    expires_at: str = Field(description="Until when somebody may decide (RFC 3339, UTC).")
    receipt: str | None = Field(
        default=None,
        description="The signed receipt (a JWT), once it has ended: verify it.",
    )
    payload: str | None = Field(
        default=None,
        description="What to run, where it was approved: canonical JSON, whose SHA-256 the receipt has.",
    )
    answer: GivenAnswer | None = Field(
        default=None,
        description="What somebody answered, to a question or of a result; the receipt has it, signed.",
    )
    permalink: str | None = Field(default=None, description="Where people see it.")
    notes: tuple[NoteSaid, ...] | None = Field(
        default=None, description="What people have noted for the agent: data, and no part of the receipt."
    )
    held: str | None = Field(
        default=None,
        description="Who has stopped it, while it is pending: nobody decides until it is resumed.",
    )
    outcome: str | None = Field(default=None, description="What its agent reported: `done` or `failed`.")
    spent: str | None = Field(
        default=None, description="Of a duplicate that ran already: the receipt that it was approved by."
    )


def state(approval: Approval, response: Response) -> State:
    """An Approval, and what its agent is told of it → the state."""
    permalink = approval.permalink
    return State(
        id=approval.request_id, status=response.status, kind=approval.request.kind, action=approval.action,
        code=approval.code, answer=_answer(approval),
        expires_at=timestamp(moment(approval.expires_at)),
        receipt=response.receipt, payload=response.payload, permalink=response.permalink or permalink,
        spent=response.spent, outcome=_outcome(approval), notes=response.notes,
        held=response.held,
    )  # fmt: skip


def timestamp(when: datetime) -> str:
    """A time as it is sent."""
    return when.isoformat().replace("+00:00", "Z")


def _answer(approval: Approval) -> GivenAnswer | None:
    given = approval.decision.answer if approval.decision else None
    if approval.status != "answered" or given is None:
        return None
    return GivenAnswer.of(given)


def _outcome(approval: Approval) -> str | None:
    if approval.outcome is None:
        return None
    return "done" if approval.outcome.succeeded else "failed"
