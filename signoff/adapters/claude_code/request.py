"""A tool's call as the entry that asks for it: what `signoff.client.ask` writes, without pydantic.

A test holds that both write the same. The server checks all of it again, and says what is wrong.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from typing import Any, Final

from signoff.models import identity
from signoff.models.tool_calls import FOREIGN, ToolCall
from signoff.payload.canonical import canonical, digest, parse
from signoff.payload.order import like

KIND: Final = "approval"
_REVERSIBILITY: Final = {True: "reversible", False: "irreversible"}


@dataclass(frozen=True)
class Request:
    """What is asked: `digest` is its payload's, `body` all of it as the server takes it."""

    id: str
    nonce: str
    key: str
    action: str
    digest: str
    payload: dict[str, Any]
    body: str


def build(call: ToolCall, agent: str, secret: str | None) -> Request:
    """A call → the request; raises Invalid for an input that cannot travel."""
    key = call.key or f"{FOREIGN}:prompt:{secrets.token_hex(16)}"  # a prompt is asked for once
    text = canonical(call.payload)
    payload = like(parse(text), call.payload)
    nonce = identity.keyed_nonce(key, secret)
    request_id = str(identity.request_id(KIND, agent, call.action, digest(text), nonce))
    claims = dict(call.claims)
    if "reversible" in claims:
        said = claims.pop("reversible")
        claims["reversibility"] = _REVERSIBILITY.get(said, said)
    canonical(claims, "what is said of it")
    values = {
        "id": request_id, "nonce": nonce, "action": call.action, "payload": payload, **claims, "key": key
    }  # fmt: skip
    body = json.dumps(values, ensure_ascii=False, separators=(",", ":"))
    return Request(request_id, nonce, key, call.action, digest(text), payload, body)
