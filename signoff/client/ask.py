"""What may be said with a request, and how it becomes one."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, TypedDict

from signoff.errors import Invalid
from signoff.models import identity
from signoff.models.messages import ApprovalRequest, build
from signoff.payload.canonical import canonical, digest, parse
from signoff.payload.order import like

log = logging.getLogger("signoff")

KIND = "approval"
SHORTHAND = {True: "reversible", False: "irreversible"}


class Ask(TypedDict, total=False):
    """All that a request may say beyond its action and payload. Everything is optional.

    People see it as the agent's claims; it can make a verdict stricter, never looser.
    """

    reason: str
    """Why this should run, in a sentence or two; at most 4,000 characters."""
    reversible: bool | str | None
    """True, False, or `reversible`, `costly` (can be undone, with effort), `irreversible`."""
    risk: str | None
    """`low`, `medium`, `high` or `critical`."""
    undo: str
    """How it would be undone."""
    impact: str
    """What it touches."""
    alternatives: str | Sequence[str]
    """What could be done instead."""
    context: Mapping[str, Any] | None
    """More facts, as a JSON object."""
    tags: Sequence[str]
    """`money`, `external`, `personal-data`, `production`, `destructive`, or own ones (a-z, 0-9, -)."""
    cost: float | None
    """What it costs, in the currency that the policy counts in."""
    confidence: float | None
    """How sure the agent is, from 0 to 1."""
    attempts: int | None
    """How many times this has failed before."""
    run: str | None
    """Names the agent's piece of work that this belongs to."""
    key: str | None
    """Asking again with the same key and content attaches to the first request."""
    schema: Mapping[str, Any] | None
    """JSON Schema of the payload: orders the card's fields, and checks a person's corrections."""
    editable: bool | Sequence[str]
    """Whether a person may correct the payload, or which of its fields."""
    expires_in: float | timedelta | None
    """Seconds until an unanswered request ends: at least 1, at most 30 days; 24 hours if not said."""
    title: str
    """A short title; at most 150 characters."""
    conversation: str | None
    """The Slack channel that the agent would like; the policy decides.

    `C0123ABCD:1700000000.000100` (a channel's id and a message's ts) names a thread, such as the one where
    the agent talks with people: the card appears in it if the policy asks in that channel, else where the
    policy says.
    """


def build_request(
    agent: str, action: str, payload: Mapping[str, Any], ask: Ask, secret: str | None = None
) -> tuple[ApprovalRequest, str, str]:
    """→ the request, its body for the stream, and its payload's digest; raises Invalid.

    `secret` is the agent's own: with it nobody else can tell the id of a request from its key.

    Everything the server would refuse for is refused here already, so that the agent hears it at once.
    """
    if not isinstance(payload, Mapping):
        raise Invalid(f"The payload is a {type(payload).__name__}: it has to be an object (a dict).")
    unknown = ask.keys() - Ask.__annotations__.keys()
    if unknown:
        raise Invalid(f"There is no field {', '.join(sorted(unknown))}.")
    values: dict[str, Any] = {name: value for name, value in ask.items() if value is not None}
    text = canonical(dict(payload))
    sent = digest(text)
    payload = like(parse(text), dict(payload))  # from here on nothing of it is the caller's
    _spell_out(values)
    key = values.get("key")
    if key is not None and not str(key).isascii():
        canonical(str(key), "key")  # raises Invalid for what is not valid Unicode
    nonce = identity.keyed_nonce(str(key), secret) if key is not None else identity.new_nonce()
    named = {"id": identity.request_id(KIND, agent, str(action), sent, nonce), "nonce": nonce, "kind": KIND}
    request = build(ApprovalRequest, {**values, **named, "action": action, "payload": payload})
    body = request.with_text(text).encode()
    if request.json_schema is not None:
        from signoff.payload import schema  # only here: its validator takes a while to load

        try:
            schema.check_payload(request.json_schema, request.payload)
        except schema.TooCostly as error:
            log.warning("%s: %s Its card will say that the schema was left out.", action, error.detail)
    return request, body, sent


def _spell_out(values: dict[str, Any]) -> None:
    """The conveniences of `Ask` → the wire's one way to say each."""
    reversible = values.pop("reversible", None)
    if isinstance(reversible, bool):
        reversible = SHORTHAND[reversible]
    if reversible is not None:
        values["reversibility"] = reversible
    if isinstance(values.get("alternatives"), str):
        values["alternatives"] = [values["alternatives"]] if values["alternatives"] else []
    span = values.get("expires_in")
    if isinstance(span, timedelta):
        values["expires_in"] = span = span.total_seconds()
    if isinstance(span, float) and 1 <= span < 1e12:
        values["expires_in"] = int(span)
