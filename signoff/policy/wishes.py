"""Where an agent would like its card to be, and for how long: as far as the policy lets it; pure."""

from __future__ import annotations

import re

from signoff.models.messages import ApprovalRequest

_ID = re.compile(r"[CDG][A-Z0-9]{1,40}")
_THREAD = re.compile(r"([CDG][A-Z0-9]{1,40}):([0-9]{10,12}\.[0-9]{6})")
"""A wish for a thread: the channel's id, and the ts of the thread's first message."""


def thread(wish: str | None, conversation: str) -> str | None:
    """The thread that an agent wishes for, where it is one of the policy's channel; ids are compared.

    Any other wish is passed over: in another channel nobody who may decide would be sure to see the card. A
    policy that names its conversation by name leaves the comparison to the channel: the card goes there, and
    a thread of another channel is none of its own.
    """
    named = _THREAD.fullmatch(wish or "")
    same = named is not None and (named[1] == conversation or not _ID.fullmatch(conversation))
    return named[2] if named and same else None


def expires_in(request: ApprovalRequest, most: int | None) -> int:
    """The policy's seconds, or fewer that the agent has asked for; the agent's where the policy has none."""
    if most is None:
        return request.expires_in
    if "expires_in" in request.model_fields_set:
        return min(request.expires_in, most)
    return most
