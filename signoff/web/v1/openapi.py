"""What API v1 is, for programs: OpenAPI 3.1, made of the models that requests are read with."""

from __future__ import annotations

from typing import Any

from pydantic.json_schema import models_json_schema

from signoff.models.messages import ApprovalRequest, Cancel, Outcome, Spend
from signoff.models.questions import Question
from signoff.web.problems import TYPES
from signoff.web.terms import LONGEST
from signoff.web.v1 import decisions, fields
from signoff.web.v1.spend import ToSpend
from signoff.web.v1.state import State

PATH = "/v1/openapi.json"
ABOUT = """\
An agent asks before it does something that matters, a person decides, and the agent is given a signed \
receipt for exactly the payload that was approved. Verify receipts with the keys of \
`/.well-known/jwks.json`: then nobody in between has to be trusted. Times are RFC 3339 in UTC. Each call but \
the public ones needs `Authorization: Bearer sgt_…`. Unknown members of a body are refused, and so are names \
that stand twice."""
_WAIT = "How many seconds to wait for the end, at most 30 (RFC 7240); the answer says `Preference-Applied`."
_ID = {
    "name": "id", "in": "path", "required": True, "schema": {"type": "string", "format": "uuid"},
    "description": "The request's id. Another agent's is not there.",
}  # fmt: skip
_PREFER = {
    "name": "Prefer", "in": "header", "description": _WAIT,
    "schema": {"type": "string", "examples": ["wait=30"]},
}  # fmt: skip
_KEY = {
    "name": "Idempotency-Key", "in": "header", "schema": {"type": "string"},
    "description": "The request's `key`: asking again with the same key and content attaches to the first.",
}  # fmt: skip
_TRACE = {
    "name": "traceparent", "in": "header", "schema": {"type": "string"},
    "description": "The span that asks (W3C Trace Context): the server's are linked to it.",
}  # fmt: skip
REFUSALS = ("no-token", "not-allowed", "limited", "failed", "unavailable")
"""What any call with a token may be told."""
BODIES = ("not-json", "invalid", "too-slow", "too-large", "media-type")
"""What any call with a body may be told."""


def query(name: str, about: str, **schema: Any) -> dict[str, Any]:
    """A parameter of an address."""
    return {"name": name, "in": "query", "schema": schema, "description": about}


_BY_KEY = query("key", "The `key` that it was asked with.", type="string", minLength=1, maxLength=255)
_BY_KEY["required"] = True
_LOOK_WAIT = query("wait", _WAIT, type="integer", minimum=0, maximum=LONGEST)


def document(public_url: str) -> dict[str, Any]:
    """The whole of it, for a server that is reached there."""
    kinds = (
        ApprovalRequest,
        Question,
        Cancel,
        Outcome,
        Spend,
        ToSpend,
        State,
        decisions.Decisions,
        decisions.Ack,
    )
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
        "paths": _paths(),
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


def _paths() -> dict[str, Any]:
    one = "/v1/requests/{id}"
    return {
        "/v1/requests": {
            "post": _call(
                "ask", "Ask", _ASK,
                body="ApprovalRequest", parameters=[_KEY, _PREFER, _TRACE], problems=("duplicate",),
            ),
            "get": _call(
                "find", "Where the request with a key stands",
                "For a caller that has kept the key alone: its `id` is what the other calls take.",
                parameters=[_BY_KEY, _PREFER, _LOOK_WAIT], problems=("not-found", "invalid"),
            ),
        },
        one: {
            "get": _call(
                "get", "Where a request stands",
                "With `Prefer: wait=…` once it has ended, or the time is over.",
                parameters=[_ID, _PREFER, _LOOK_WAIT], problems=("not-found", "invalid"),
            )
        },
        f"{one}/events": {
            "get": _call(
                "events", "Where a request stands, as it changes",
                "Server-sent events: `state` each time, and the stream ends with the request.",
                parameters=[_ID], problems=("not-found",), media="text/event-stream",
            )
        },
        f"{one}/cancel": {
            "post": _call(
                "cancel", "Withdraw a request", "What had been decided before stands.",
                body="Cancel", parameters=[_ID], problems=("not-found",),
            )
        },
        f"{one}/spend": {
            "post": _call(
                "spend", "Say that this process runs it",
                "Right before it runs: the first that asks may. The notice is signed, as a receipt is.",
                body="Spend", parameters=[_ID], answer="Notice",
                problems=("not-found", "already-spent", "not-approved"),
            )
        },
        f"{one}/outcome": {
            "post": _call(
                "report", "Say what became of it", "The first report counts, and stands on the card.",
                body="Outcome", parameters=[_ID], problems=("not-found", "not-approved"),
            )
        },
        "/v1/decisions": {
            "get": _call(
                "decisions", "Decisions on this agent's requests", _DECISIONS,
                parameters=[
                    query(
                        "group", "Who shares them.",
                        type="string", pattern=decisions.GROUP, default=decisions.DEFAULT_GROUP,
                    ),
                    query(
                        "limit", "How many at most.",
                        type="integer", minimum=1, maximum=decisions.MOST, default=decisions.USUAL,
                    ),
                    _LOOK_WAIT, _PREFER,
                ],
                answer="Decisions", problems=("invalid",),
            ),
            "delete": _call(
                "leave", "Let go of a group", "Nothing is kept of it; read again, it begins with the oldest.",
                parameters=[query("group", "Which: `default` if not said.", type="string")], answer=None,
            ),
        },
        "/v1/decisions/ack": {
            "post": _call(
                "ack", "Done with these decisions", "They do not come again.", body="Ack", answer=None
            )
        },
        "/v1/receipts/spend": {
            "post": _call(
                "spendReceipt", "Check a receipt and spend it", _GUARD, body="ToSpend", answer="Spent",
                problems=("already-spent", "restored", "stopped", "not-verified"),
            )
        },
        "/v1/hooks/claude-code": {
            "post": _call(
                "claudeCodeHook", "What Claude Code's http hook calls", _HOOK, body="HookEvent",
                answer="HookAnswer", parameters=[query("defer", _DEFER, type="integer", minimum=0)],
                always=True,
            )
        },
        "/.well-known/jwks.json": {
            "get": _call(
                "keys", "The keys that receipts are signed with", "RFC 7517.", answer="Keys", public=True
            )
        },
    }  # fmt: skip


_ASK = (
    "The same request again is answered again: send it until it is answered. With `kind: question` its "
    "`payload` is a `Question` to a person, and it ends as `answered`: that lets nothing run."
)
_DECISIONS = (
    "For an agent that parks a task and goes on with others. What is not acknowledged comes again after a "
    "minute, to whoever of the group asks."
)
_GUARD = (
    "For what holds the credential, right before it runs: the payload that it is about to run, and the "
    "receipt. Needs a token of scope `spend:<agent>:<action>`."
)


_HOOK = (
    "With a token of scope `hook`. It is answered once people have decided, with white space before the JSON "
    "meanwhile; always with 200, and each fault is a denial. Events that it does not know are answered `{}`."
)
_DEFER = "After how many seconds a call that nobody has decided on is deferred; without, it waits."


def _call(
    name: str, title: str, about: str, *, body: str | None = None, parameters: list[Any] | None = None,
    problems: tuple[str, ...] = (), answer: str | None = "State", media: str = "application/json",
    public: bool = False, always: bool = False,
) -> dict[str, Any]:  # fmt: skip
    """One operation. One that is `always` answered as asked has no problems."""
    slugs = () if public or always else (*problems, *(BODIES if body else ()), *REFUSALS)
    told: dict[str, Any] = {}
    for slug in slugs:
        told.setdefault(str(TYPES[slug].status), []).append(slug)
    good = {"description": "As asked.", "content": {media: {"schema": _ref(answer)}}} if answer else _DONE
    found: dict[str, Any] = {
        "operationId": name, "summary": title, "description": about,
        "responses": {"200" if answer else "204": good, **{one: _problem(told[one]) for one in sorted(told)}},
    }  # fmt: skip
    if parameters:
        found["parameters"] = parameters
    if body:
        found["requestBody"] = {"required": True, "content": {"application/json": {"schema": _ref(body)}}}
    if public:
        found["security"] = []
    return found


_DONE = {"description": "Done."}


def _problem(slugs: list[str]) -> dict[str, Any]:
    said = " Or: ".join(f"{TYPES[slug].title} (`{slug}`)." for slug in slugs)
    return {"description": said, "content": {"application/problem+json": {"schema": _ref("Problem")}}}


def _ref(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}


def _object(about: str, **properties: Any) -> dict[str, Any]:
    """A schema of an object, all of whose properties are there."""
    return {"type": "object", "description": about, "properties": properties, "required": list(properties)}


_TEXT = {"type": "string"}
_OWN: dict[str, Any] = {
    "Problem": {
        **_object(
            "Problem details (RFC 9457).", type=_TEXT, title=_TEXT, status={"type": "integer"}, detail=_TEXT
        ),
        "additionalProperties": True,
    },
    "Notice": _object("Who runs it.", id=_TEXT, by=_TEXT, receipt=_TEXT),
    "Spent": _object("What may run now.", agent=_TEXT, action=_TEXT, payload={"type": "object"}, by=_TEXT),
    "HookEvent": {
        **_object("What Claude Code gives its hooks.", hook_event_name=_TEXT),
        "additionalProperties": True,
    },
    "HookAnswer": {"type": "object", "description": "What Claude Code takes of a hook."},
    "Keys": _object("Public keys (RFC 7517).", keys={"type": "array", "items": {"type": "object"}}),
}  # fmt: skip
