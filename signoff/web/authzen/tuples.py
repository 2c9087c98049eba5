"""AuthZEN asks about a subject, an action and a resource: here that becomes a request of ours.

Nothing that is bound may be left out of what people see and receipts sign. So the payload is the action's
properties, and beside them the resource and the subject, whole: two tuples that differ in any member are two
payloads, and a tuple is in an approval's scope where it makes the approved payload.
"""

from __future__ import annotations

import base64
import hashlib
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from signoff.errors import Invalid
from signoff.models import identity
from signoff.models.approval import Approval
from signoff.models.messages import MAX_ENTRY, MOST_VALUES, ApprovalRequest
from signoff.models.receipt_claims import APPROVAL
from signoff.models.texts import check_texts, message_of
from signoff.payload.canonical import canonical, count

SUBJECT, RESOURCE, ACTION = "authzen_subject", "authzen_resource", "authzen_action"
"""Names in the payload: no property may be called so. The third is there for what is rare in an action."""
RESERVED = (SUBJECT, RESOURCE, ACTION)
CLAIMS = "dev.signoff/claims"
"""A member of the context: what else an agent may claim. It makes verdicts stricter, never looser."""
CLAIMED = (
    "reversibility", "risk", "undo", "impact", "alternatives", "tags", "cost", "confidence", "attempts",
    "title",
)  # fmt: skip
JUSTIFICATION = "business_justification"
_MACHINERY = (
    CLAIMS, JUSTIFICATION, "approval", "access_request", "evaluation_id", "evaluated_at", "reason",
)  # fmt: skip
"""Members of a context that are no part of what people are shown of it."""
MOST_INHERITED = 2 * MAX_ENTRY
"""Bytes that what several share comes to, in all of them: each is judged, and kept, by itself."""
_NO_ID = uuid.UUID(int=0)
M = TypeVar("M", bound="Lax")


class Lax(BaseModel):
    """What others send: members that we do not know are passed over, as their standards demand."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")


class Entity(Lax):
    """A subject, or a resource."""

    type: str
    id: str
    properties: dict[str, Any] = Field(default_factory=dict)


class Action(Lax):
    """What is to be done."""

    name: str
    properties: dict[str, Any] = Field(default_factory=dict)


class Evaluation(Lax):
    """What an evaluation asks about."""

    subject: Entity
    action: Action
    resource: Entity
    context: dict[str, Any] = Field(default_factory=dict)


@dataclass(frozen=True)
class Tuple:
    """What is asked about, each object as it was sent, with all its members."""

    subject: Mapping[str, Any]
    action: Mapping[str, Any]
    resource: Mapping[str, Any]

    @property
    def payload(self) -> dict[str, Any]:
        """All of it but the action's name; raises Invalid where a property has a reserved name."""
        properties = self.action.get("properties", {})
        if taken := [name for name in RESERVED if name in properties]:
            raise Invalid(f"The action has a property {taken[0]!r}: that name is taken. Call it otherwise.")
        found = {**properties, RESOURCE: dict(self.resource), SUBJECT: _without_actor(self.subject)}
        rest = {name: value for name, value in self.action.items() if name not in ("name", "properties")}
        if properties == {} and "properties" in self.action:
            rest["properties"] = {}  # no properties are not the same as no word of any
        return {**found, ACTION: rest} if rest else found

    @property
    def hash(self) -> str:
        """Differs where any member does: the profile's `binding_hash`. No member of a context is in it."""
        named = {
            "subject": _without_actor(self.subject), "resource": dict(self.resource),
            "action": dict(self.action), "context": {},
        }  # fmt: skip
        made = hashlib.sha256(canonical(named, "evaluation").encode()).digest()
        return base64.urlsafe_b64encode(made).rstrip(b"=").decode()


def read(values: Mapping[str, Any]) -> tuple[Tuple, dict[str, Any]]:
    """An evaluation's members → its tuple and its context; raises Invalid, naming what is wrong."""
    checked = valid(Evaluation, values)
    return Tuple(values["subject"], values["action"], values["resource"]), checked.context


def valid(kind: type[M], values: Any) -> M:
    """Values → the model; raises Invalid with a sentence for each fault, which repeats no value."""
    try:
        found = kind.model_validate(values)
    except ValidationError as error:
        faults = error.errors(include_url=False, include_context=False, include_input=False)[:5]
        said = (
            "{}: {}.".format(".".join(map(str, one["loc"]))[:80] or "It", message_of(one)) for one in faults
        )
        raise Invalid(" ".join(said)) from None
    check_texts(found)
    return found


def check_shared(shared: Mapping[str, Any], items: Sequence[Mapping[str, Any]]) -> None:
    """Raise Invalid where what several share is too much: each is judged, and kept, by itself."""
    common = canonical(shared, "body")
    values = len(items) * count(common) + sum(count(canonical(one, "body")) for one in items)
    if values > MOST_VALUES:
        raise Invalid(
            f"With what they share they come to {values:,} values; at most {MOST_VALUES:,} are taken: "
            "send fewer at once."
        )
    if len(items) * len(common.encode()) > MOST_INHERITED:
        raise Invalid("Send fewer at once: what they share is large, and counts for each.")


def approved(approval: Approval) -> Tuple:
    """The tuple that an approval holds for: the one that was asked, as it was corrected."""
    return _unpacked(approval.action, approval.payload)


def sent(approval: Approval) -> Tuple:
    """The tuple that was asked."""
    return _unpacked(approval.action, approval.request.payload)


def _unpacked(name: str, payload: Mapping[str, Any]) -> Tuple:
    rest = payload.get(ACTION, {})
    properties = {key: value for key, value in payload.items() if key not in RESERVED}
    action = {**rest, **({"properties": properties} if properties else {}), "name": name}
    return Tuple(payload.get(SUBJECT, {}), action, payload.get(RESOURCE, {}))


def is_ours(approval: Approval) -> bool:
    """Whether it was asked through this door: others hold payloads that are no tuples, or are questions."""
    if approval.request.kind != APPROVAL:
        return False
    payload = approval.payload
    return all(isinstance(payload.get(name, {}), dict) for name in RESERVED) and RESOURCE in payload


def is_in_scope(asked: Tuple, approval: Approval) -> bool:
    """Whether a tuple is what an approval holds for: made into a request, it would be just that.

    Not the other way round: an agent can send any payload through another door, and call its parts as we do.
    """
    return asked.action["name"] == approval.action and canonical(asked.payload) == approval.payload_text


def request_of(
    agent: str,
    asked: Tuple,
    context: Mapping[str, Any],
    *,
    nonce: str = "",
    key: str | None = None,
    run: str | None = None,
    beside: Mapping[str, Any] | None = None,
) -> ApprovalRequest:
    """The request that a tuple is, of this agent; raises Invalid.

    `beside` is what else people are shown of it, under *The agent says*. Only the action's properties may be
    corrected: another resource, or another subject, is another request.
    """
    claims = context.get(CLAIMS, {})
    if not isinstance(claims, dict):
        raise Invalid(f"context.{CLAIMS} has to be an object.")
    said = {name: value for name, value in context.items() if name not in _MACHINERY}
    shown = {name: value for name, value in {"context": said, **(beside or {})}.items() if value}
    payload = asked.payload
    values = {
        **{name: claims[name] for name in CLAIMED if name in claims},
        "id": str(_NO_ID),
        "nonce": nonce or identity.new_nonce(),
        "action": asked.action["name"],
        "payload": payload,
        "reason": context.get(JUSTIFICATION, ""),
        "context": shown,
        "editable": sorted(name for name in payload if name not in RESERVED) or False,
        "key": key,
        "run": run,
    }
    found = ApprovalRequest.read(values)
    named = identity.request_id(found.kind, agent, found.action, found.digest, found.nonce)
    return found.model_copy(update={"id": named})


def _without_actor(subject: Mapping[str, Any]) -> dict[str, Any]:
    """`subject.properties.act` may be in `client.actor` instead: so it is no part of the tuple."""
    found = dict(subject)
    if isinstance(properties := found.get("properties"), dict) and "act" in properties:
        rest = {name: value for name, value in properties.items() if name != "act"}
        found.pop("properties")
        if rest:
            found["properties"] = rest
    return found
