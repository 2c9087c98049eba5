"""What was sent before: a door's Idempotency-Key finds its request again; and whether it is the same."""

from __future__ import annotations

from signoff.models import first_look
from signoff.models.approval import Approval
from signoff.models.messages import ApprovalRequest
from signoff.payload.canonical import canonical
from signoff.web.doors import Doors


def by_key(doors: Doors, agent: str, key: str) -> Approval | None:
    """The agent's request of this key; None where there is none."""
    with doors.store.reading() as connection:
        row = first_look.by_key(connection, agent, key)
    return doors.store.get(row.id) if row else None


def is_same(one: ApprovalRequest, other: ApprovalRequest) -> bool:
    """Whether two say the same, in every member; an id and its nonce say nothing by themselves."""
    return _said(one) == _said(other)


def _said(request: ApprovalRequest) -> str:
    return canonical(request.model_dump(mode="json", by_alias=True, exclude={"id", "nonce"}), "request")
