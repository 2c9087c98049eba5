"""A tool call as the protocol's clients submit it → the request that we make of it.

The tool is the action, its arguments are the payload. The protocol has no word for corrections, and its
clients run what they have sent: so nobody is offered to change anything.
"""

from __future__ import annotations

import hashlib
import re
import uuid
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from signoff.models import identity
from signoff.models.messages import MAX_EXPIRES_IN, ApprovalRequest
from signoff.models.texts import message_of
from signoff.web.aap.faults import Fault, invalid

REASONING = 4000
"""Characters of an agent's reasoning that are its reason; where it is longer, it stands below, whole."""
AAP = "aap"
"""What of the submission is in no other field stands under this name in the request's context."""
_TIMEOUT = re.compile(r"(?:([0-9]{1,3})d)?(?:([0-9]{1,4})h)?(?:([0-9]{1,6})m)?(?:([0-9]{1,8})s)?")
_UNITS = (86400, 3600, 60, 1)
_NO_ID = uuid.UUID(int=0)


class Submission(BaseModel):
    """What is submitted. The protocol's objects take no other fields."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    tool: str
    arguments: dict[str, Any]
    timeout: str
    server: str = ""
    agent_reasoning: str = ""
    context: dict[str, Any] = {}


def read(agent: str, values: dict[str, Any], key: str, secret: str) -> ApprovalRequest:
    """A body → the request, with a nonce that nobody can guess who has not our `secret`.

    Raises Fault or Invalid.
    """
    try:
        said = Submission.model_validate(values)
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False, include_input=False)[:5]
        told = ("{}: {}.".format(".".join(map(str, one["loc"]))[:80], message_of(one)) for one in found)
        raise invalid(" ".join(told)) from None
    own: dict[str, Any] = {"timeout": said.timeout}
    own |= {name: values[name] for name in ("server", "context") if name in values}
    if "agent_reasoning" in values and (not said.agent_reasoning or len(said.agent_reasoning) > REASONING):
        own["agent_reasoning"] = said.agent_reasoning
    request = ApprovalRequest.read(
        {
            "id": str(_NO_ID),
            "nonce": identity.keyed_nonce(key, secret),
            "action": action(said.tool, said.server),
            "payload": said.arguments,
            "reason": said.agent_reasoning[:REASONING],
            "context": {AAP: own},
            "editable": False,
            "expires_in": seconds(said.timeout),
            "key": f"{AAP}:{hashlib.sha256(key.encode()).hexdigest()}",
        }
    )
    named = identity.request_id(request.kind, agent, request.action, request.digest, request.nonce)
    return request.model_copy(update={"id": named})


def action(tool: str, server: str = "") -> str:
    """What a tool, of an MCP server where it is one's, is called in policies; raises Fault."""
    if "/" in server:
        raise invalid("server: a name with a slash could be taken for another server's tool.")
    return f"{server}/{tool}" if server else tool


def seconds(timeout: str) -> int:
    """`10m`, `24h`, `1h30m` → seconds, 30 days at most; raises Fault."""
    found = _TIMEOUT.fullmatch(timeout)
    total = (
        sum(int(part or 0) * unit for part, unit in zip(found.groups(), _UNITS, strict=True)) if found else 0
    )
    if not 1 <= total <= MAX_EXPIRES_IN:
        raise invalid("timeout: a time like 90s, 10m or 24h, please, 30 days at most.")
    return total


def not_ours() -> Fault:
    """The same for what is another's, what is nobody's, and what was asked through another door."""
    return Fault(404, "not_found", "not_found", "There is no such request here.")
