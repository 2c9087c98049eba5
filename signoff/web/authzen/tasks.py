"""Tasks: what a request for access is called here, and how it stands. A task of several items holds several.

A task's id is its request's, which cannot be guessed; of several, all of theirs in one word. We keep no other
book of them: whoever asks is shown what the rows say, if all of it is theirs.
"""

from __future__ import annotations

import base64
import binascii
import uuid
from collections.abc import Sequence
from typing import Any, assert_never

from signoff.approvals import quorum
from signoff.models.approval import Approval
from signoff.web.authzen import tuples
from signoff.web.authzen.denials import rfc3339
from signoff.web.authzen.grants import ID, Grants
from signoff.web.authzen.problems import AccessProblem

REQUESTS = "/access/v1/requests"
OURS = "dev.signoff/"
"""Before the names of members of our own."""
MOST = 20
"""Items of one task."""
_SEVERAL = "arb_"


def task_id(approvals: Sequence[Approval], several: bool) -> str:
    """What a task is called."""
    if not several:
        return approvals[0].request_id
    packed = b"".join(uuid.UUID(one.request_id).bytes for one in approvals)
    return _SEVERAL + base64.urlsafe_b64encode(packed).rstrip(b"=").decode()


def request_ids(named: str) -> tuple[list[str], bool]:
    """A task's id → the ids of its requests, none where it is no id; and whether it has several items."""
    if ID.fullmatch(named):
        return [named], False
    text = named.removeprefix(_SEVERAL)
    try:
        packed = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return [], True
    if text == named or not packed or len(packed) % 16 or len(packed) > 16 * MOST:
        return [], True
    return [str(uuid.UUID(bytes=packed[i : i + 16])) for i in range(0, len(packed), 16)], True


def status_of(approval: Approval) -> str:
    """The profile's word for where an Approval stands: the policy's no and a person's are one to it."""
    match approval.status:
        case "rejected" | "blocked":
            return "denied"
        case "pending" | "approved" | "expired" | "cancelled":
            return approval.status
        case "answered":
            raise AccessProblem("unknown_task", "It is a question.")  # as `tuples.is_ours` has it
        case _:
            assert_never(approval.status)


class Tasks:
    """How tasks are told."""

    def __init__(self, public_url: str, grants: Grants) -> None:
        self._url = public_url + REQUESTS
        self._grants = grants

    def told(self, approvals: Sequence[Approval], several: bool) -> dict[str, Any]:
        """The whole answer about a task."""
        named = task_id(approvals, several)
        where = f"{self._url}/{named}"
        status = together([status_of(one) for one in approvals])
        task: dict[str, Any] = {"id": named, "status": status, "status_endpoint": where}
        if status == "pending":
            task["expires_at"] = rfc3339(max(one.expires_at for one in approvals if one.pending))
            task["links"] = {"cancel": where + "/cancel"}
        if several:
            task["items"] = [self._item(one) for one in approvals]
            return {"task": task}
        (approval,) = approvals
        if approval.pending:
            task["progress"] = _progress(approval)
        if approval.permalink:
            task.setdefault("links", {})["review"] = approval.permalink
        if approval.reason:
            task["display"] = {"title": status, "description": approval.reason}
        if approval.status == "approved":
            return {"task": task, "result": self._result(approval)}
        return {"task": task}

    def _item(self, approval: Approval) -> dict[str, Any]:
        asked = tuples.sent(approval)
        found = {"resource": asked.resource, "action": asked.action, "status": status_of(approval)}
        return {**found, "result": self._result(approval)} if approval.status == "approved" else found

    def _result(self, approval: Approval) -> dict[str, Any]:
        """How an approval is used, and what it is for: where people corrected it, that is not what was asked.

        Nobody is told any more that it may run, once somebody has run it: then its receipt is not there.
        """
        holds = tuples.approved(approval)
        found: dict[str, Any] = {
            "mode": "reevaluate",
            "approval": self._grants.give(approval),
            OURS + "approved": {"subject": holds.subject, "action": holds.action, "resource": holds.resource},
            OURS + "corrected": approval.edited,
        }
        if not approval.has_run:
            found |= {OURS + "receipt": approval.receipt, OURS + "payload": approval.payload_text}
        return found


def _progress(approval: Approval) -> dict[str, int]:
    """Which of the votes that it needs comes next. Whose that is, is none of an agent's business."""
    seats = quorum.seats_of(approval.verdict)
    left = len(quorum.count(approval.decisions, seats).open)
    return {"current_step": len(seats) - left + 1, "total_steps": len(seats)}


def together(statuses: Sequence[str]) -> str:
    """The status of all items, from theirs: pending while one is, and partial where they differ."""
    if "pending" in statuses:
        return "pending"
    return statuses[0] if len(set(statuses)) == 1 else "partial"
