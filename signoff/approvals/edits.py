"""What an approver may correct in a payload; pure."""

from __future__ import annotations

from typing import Any

from signoff.errors import Invalid
from signoff.models.approval import Approval
from signoff.models.messages import MAX_PAYLOAD
from signoff.payload import schema
from signoff.payload.canonical import canonical, parse

_MISSING = object()


def may_edit(approval: Approval, field: str) -> bool:
    """Whether the agent and the policy let people correct this field."""
    editable = approval.editable
    return editable if isinstance(editable, bool) else field in editable


def check_edit(approval: Approval, payload: dict[str, Any]) -> dict[str, Any] | None:
    """A corrected payload, as every party will read it; None where nothing differs.

    Raises Invalid: a field that may not be edited, something against the request's schema, or a payload
    that could not have been sent either.
    """
    text = canonical(payload)
    if text == approval.payload_text:
        return None
    size = len(text.encode())
    if size > MAX_PAYLOAD:
        raise Invalid(f"The payload would have {size:,} bytes; at most {MAX_PAYLOAD:,} are taken.")
    for field in sorted(payload.keys() | approval.payload.keys()):
        before = approval.payload.get(field, _MISSING)
        after = payload.get(field, _MISSING)
        same = before is not _MISSING and after is not _MISSING and canonical(before) == canonical(after)
        if not same and not may_edit(approval, field):
            theirs = approval.request.editable
            own = theirs if isinstance(theirs, bool) else field in theirs
            raise Invalid(f"The {'policy' if own else 'agent'} does not let anyone change {field!r}.")
    if approval.request.json_schema is not None:
        schema.check_payload(approval.request.json_schema, payload)
    found: dict[str, Any] = parse(text)
    return found
