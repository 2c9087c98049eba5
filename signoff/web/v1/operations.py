"""What every operation of API v1 has in its description: parameters, bodies, answers, problems."""

from __future__ import annotations

from typing import Any

from signoff.web.problems import TYPES
from signoff.web.terms import LONGEST

WAIT = "How many seconds to wait for the end, at most 30 (RFC 7240); the answer says `Preference-Applied`."
ID = {
    "name": "id", "in": "path", "required": True, "schema": {"type": "string", "format": "uuid"},
    "description": "The request's id. Another agent's is not there.",
}  # fmt: skip
NAME = {
    "name": "name", "in": "path", "required": True, "schema": {"type": "string"},
    "description": "The batch's name. Another agent's is not there.",
}  # fmt: skip
PREFER = {
    "name": "Prefer", "in": "header", "description": WAIT,
    "schema": {"type": "string", "examples": ["wait=30"]},
}  # fmt: skip
KEY = {
    "name": "Idempotency-Key", "in": "header", "schema": {"type": "string"},
    "description": "The request's `key`: asking again with the same key and content attaches to the first.",
}  # fmt: skip
TRACE = {
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


LOOK_WAIT = query("wait", WAIT, type="integer", minimum=0, maximum=LONGEST)


def operation(
    name: str, title: str, about: str, *, body: str | None = None, parameters: list[Any] | None = None,
    problems: tuple[str, ...] = (), answer: str | None = "State", media: str = "application/json",
    public: bool = False, always: bool = False,
) -> dict[str, Any]:  # fmt: skip
    """One operation. One that is `always` answered as asked has no problems."""
    slugs = () if public or always else (*problems, *(BODIES if body else ()), *REFUSALS)
    told: dict[str, Any] = {}
    for slug in slugs:
        told.setdefault(str(TYPES[slug].status), []).append(slug)
    good = {"description": "As asked.", "content": {media: {"schema": ref(answer)}}} if answer else _DONE
    found: dict[str, Any] = {
        "operationId": name, "summary": title, "description": about,
        "responses": {"200" if answer else "204": good, **{one: _problem(told[one]) for one in sorted(told)}},
    }  # fmt: skip
    if parameters:
        found["parameters"] = parameters
    if body:
        found["requestBody"] = {"required": True, "content": {"application/json": {"schema": ref(body)}}}
    if public:
        found["security"] = []
    return found


_DONE = {"description": "Done."}


def _problem(slugs: list[str]) -> dict[str, Any]:
    said = " Or: ".join(f"{TYPES[slug].title} (`{slug}`)." for slug in slugs)
    return {"description": said, "content": {"application/problem+json": {"schema": ref("Problem")}}}


def ref(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}


def described(about: str, **properties: Any) -> dict[str, Any]:
    """A schema of an object, all of whose properties are there."""
    return {"type": "object", "description": about, "properties": properties, "required": list(properties)}
