"""What API v1 is, for programs: OpenAPI 3.1, made of the models that requests are read with."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from signoff.models.messages import ApprovalRequest, Cancel, Outcome, Spend
from signoff.models.questions import Question
from signoff.web.v1 import decisions, fields, more_paths, paths
from signoff.web.v1.operations import described
from signoff.web.v1.spend import ToSpend
from signoff.web.v1.state import State

PATH = "/v1/openapi.json"
ABOUT = """\
An agent asks before it does something that matters, a person decides, and the agent is given a signed \
receipt for exactly the payload that was approved. Verify receipts with the keys of \
`/.well-known/jwks.json`: then nobody in between has to be trusted. Times are RFC 3339 in UTC. Each call but \
the public ones needs `Authorization: Bearer sgt_…`. Unknown members of a body are refused, and so are names \
that stand twice."""


def document(public_url: str) -> dict[str, Any]:
    """The whole of it, for a server that is reached there."""
    kinds: tuple[type[BaseModel], ...] = (
        ApprovalRequest, Question, Cancel, Outcome, Spend, ToSpend, State, decisions.Decisions, decisions.Ack,
        *more_paths.KINDS,
    )  # fmt: skip
    _, found = models_json_schema(
        [(kind, "validation") for kind in kinds], ref_template="#/components/schemas/{model}"
    )
    schemas: dict[str, Any] = {**found["$defs"], **_OWN}
    _eased(schemas["ApprovalRequest"])
    return {
        "openapi": "3.1.0",
        "info": {"title": "Signoff", "version": "1.0.0", "description": ABOUT},
        "servers": [{"url": public_url}],
        "security": [{"token": []}],
        "paths": {**paths.paths(), **more_paths.paths()},
        "components": {
            "schemas": schemas,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _eased(request: dict[str, Any]) -> None:
    """By HTTP a caller may leave id and nonce to us, and say `reversible` as Python does."""
    request["required"] = [name for name in request["required"] if name != "id"]
    words = ["reversible", "costly", "irreversible"]
    request["properties"]["reversible"] = {"anyOf": [{"type": "boolean"}, {"enum": words}]}
    for name, schema in request["properties"].items():
        schema["description"] = fields.ABOUT[name]


_TEXT = {"type": "string"}
_OWN: dict[str, Any] = {
    "Problem": {
        **described(
            "Problem details (RFC 9457).", type=_TEXT, title=_TEXT, status={"type": "integer"}, detail=_TEXT
        ),
        "additionalProperties": True,
    },
    "Notice": described("Who runs it.", id=_TEXT, by=_TEXT, receipt=_TEXT),
    "Spent": described("What may run now.", agent=_TEXT, action=_TEXT, payload={"type": "object"}, by=_TEXT),
    "HookEvent": {
        **described("What Claude Code gives its hooks.", hook_event_name=_TEXT),
        "additionalProperties": True,
    },
    "HookAnswer": {"type": "object", "description": "What Claude Code takes of a hook."},
    "Keys": described("Public keys (RFC 7517).", keys={"type": "array", "items": {"type": "object"}}),
}  # fmt: skip
