"""What may be said with a request, and how it becomes one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from signoff.client import mistakes
from signoff.client.claims import NAMES
from signoff.client.claims import Ask as Ask
from signoff.client.schemas import with_schema
from signoff.errors import ConfigError, Invalid
from signoff.models import identity, spans
from signoff.models.messages import ApprovalRequest, build
from signoff.payload.canonical import canonical, digest, parse
from signoff.payload.order import like

KIND = "approval"
SHORTHAND = {True: "reversible", False: "irreversible"}


def build_request(
    agent: str,
    action: str,
    payload: Mapping[str, Any],
    ask: Ask,
    secret: str | None = None,
    batch: str | None = None,
    kind: str = KIND,
) -> tuple[ApprovalRequest, str, str]:
    """→ the request, its body for the stream, and its payload's digest; raises Invalid, naming the action.

    `secret` is the agent's own: with it nobody else can tell the id of a request from its key. `batch` is the
    name of the batch that it belongs to.

    Everything the server would refuse for is refused here already, so that the agent hears it at once.
    """
    try:
        return _build(agent, action, payload, ask, secret, batch, kind)
    except Invalid as error:
        error.action = str(action)[:100]
        raise


def build_for(
    who: Callable[[], tuple[str, str | None]],
    action: str,
    payload: Mapping[str, Any],
    ask: Ask,
    batch: str | None = None,
    kind: str = KIND,
) -> tuple[ApprovalRequest, str, str]:
    """The same for the agent and secret that `who` gives; where it raises ConfigError, Invalid comes first.

    So what no server would take is told even where no server is known.
    """
    try:
        agent, secret = who()
    except ConfigError:
        build_request("nobody", action, payload, ask, kind=kind)
        raise
    return build_request(agent, action, payload, ask, secret, batch, kind)


def _build(
    agent: str,
    action: str,
    payload: Mapping[str, Any],
    ask: Ask,
    secret: str | None,
    batch: str | None,
    kind: str,
) -> tuple[ApprovalRequest, str, str]:
    mistakes.check_action(action)
    mistakes.check_payload(payload)
    if told := mistakes.unknown(ask, NAMES, "There is no field"):
        raise Invalid(told)
    mistakes.check_claims(ask)
    values: dict[str, Any] = {name: value for name, value in ask.items() if value is not None}
    text = canonical(dict(payload))
    sent = digest(text)
    payload = like(parse(text), dict(payload))  # from here on nothing of it is the caller's
    _spell_out(values)
    key = values.get("key")
    nonce = nonce_of(str(key), secret) if key is not None else identity.new_nonce()
    request_id = identity.request_id(kind, agent, str(action), sent, nonce)
    named = {"id": request_id, "nonce": nonce, "kind": kind, "traceparent": spans.current(), "batch": batch}
    given = values.pop("schema", None)
    request = build(ApprovalRequest, {**values, **named, "action": action, "payload": payload})
    request = request.with_text(text)
    if given is not None:
        request = with_schema(request, given)
    return request, request.encode(), sent


def nonce_of(key: str, secret: str | None) -> str:
    """What a request with this key commits to in its place; raises Invalid for what is no text."""
    mistakes.check_claims({"key": key})
    if not key.isascii():
        canonical(key, "key")  # raises Invalid for what is not valid Unicode
    return identity.keyed_nonce(key, secret)


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
