"""JSON Schema of a payload: checked itself, checked against, and read for cards and forms; pure.

Schemas come from agents, who are not trusted: see `check_schema` for what is refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import jsonschema_rs

from signoff.errors import Invalid
from signoff.payload.canonical import canonical
from signoff.payload.canonical import check as check_json
from signoff.payload.outline import MAX_VOLUME, Outline
from signoff.payload.patterns import check_patterns
from signoff.payload.problems import MAX_PROBLEMS, Problem, problems_of
from signoff.payload.tariff import TooCostly as TooCostly

MAX_SCHEMA = 32 * 1024
"""Bytes of a schema's canonical text (design: Trust)."""
DRAFTS = (
    "https://json-schema.org/draft/2020-12/schema",
    "https://json-schema.org/draft/2019-09/schema",
    "http://json-schema.org/draft-07/schema",
)
"""What `$schema` may say; the first where it says nothing."""
# A pattern may take 64 KiB once compiled: `^\w{1,64}$` fits, a counted repetition of a repetition does not.
PATTERNS = jsonschema_rs.RegexOptions(size_limit=64 * 1024, dfa_size_limit=256 * 1024)
_UNTOLD = Problem((), "does not fit its schema, and is too large to say where")


def check_schema(schema: dict[str, Any]) -> None:
    """Raise Invalid, saying what to do, unless `schema` may be sent with a request.

    Refused: more than 32 KiB or 32 levels; no valid JSON Schema (2020-12, 2019-09 or draft-07); one that is
    not of an object; references that leave it, that miss, or that go round in circles; patterns that a
    linear-time engine does not have (look-around, back-references) or that are too large; more than 2,000
    rules for one value, or patterns that take long to compile (TooCostly). Takes 0.1 s at
    most, whatever it is given.
    """
    ready(schema)


def check(schema: dict[str, Any], payload: Any) -> list[Problem]:
    """What keeps `payload` from satisfying `schema`: at most 20 problems, none when it does.

    Raises Invalid for a schema that `check_schema` refuses and for a payload that is not canonical JSON, and
    TooCostly where the two together ask for too much work.
    """
    return ready(schema).problems(payload)


@dataclass(frozen=True)
class Ready:
    """A schema that `check_schema` takes, compiled: for one payload or for many."""

    validator: jsonschema_rs.Validator
    outline: Outline

    def problems(self, payload: Any) -> list[Problem]:
        """See `check`."""
        check_json(payload)
        effort = self.outline.effort(payload)
        if self.validator.is_valid(payload):
            return []
        if effort.volume <= MAX_VOLUME:
            return problems_of(self.validator.iter_errors(payload))
        return problems_of(_first(self.validator, payload)) if effort.one <= MAX_VOLUME else [_UNTOLD]


def check_payload(schema: dict[str, Any], payload: Any) -> None:
    """Raise Invalid, naming the first places, when a payload contradicts its own schema."""
    refuse(check(schema, payload))


def refuse(problems: list[Problem]) -> None:
    """Raise Invalid, naming the first places, where there are any."""
    if problems:
        first = "; ".join(str(problem) for problem in problems[:3])
        more = f" And {len(problems) - 3} more." if len(problems) > 3 else ""
        more = more.replace(" And", " And at least") if len(problems) == MAX_PROBLEMS else more
        raise Invalid(f"The payload does not fit its own schema: {first}.{more}")


def _first(validator: jsonschema_rs.Validator, payload: Any) -> Iterator[jsonschema_rs.ValidationError]:
    """The first fault alone: it quotes one value, where a list of all may quote each many times."""
    try:
        validator.validate(payload)
    except jsonschema_rs.ValidationError as error:
        yield error


def ready(schema: dict[str, Any]) -> Ready:
    """A schema, compiled; raises as `check_schema` does."""
    if not isinstance(schema, dict):
        raise Invalid("The schema has to be an object.")
    size = len(canonical(schema, "schema").encode())
    if size > MAX_SCHEMA:
        raise Invalid(f"The schema has {size:,} bytes; at most {MAX_SCHEMA:,} are taken.")
    kinds = schema.get("type", "object")
    if "object" not in (kinds if isinstance(kinds, list) else [kinds]):
        raise Invalid('The schema\'s top level is not "type": "object": a payload is an object.')
    _check_form(schema)
    # Both before anything is compiled: that may take as long as what they count.
    check_patterns(schema)
    outline = Outline(schema)
    return Ready(_validator(schema), outline)


def _check_form(schema: dict[str, Any]) -> None:
    """Raise Invalid unless `schema` is what its `$schema` calls one."""
    named = schema.get("$schema", DRAFTS[0])
    if not isinstance(named, str) or named.removesuffix("#") not in DRAFTS:
        raise Invalid(f"The schema's $schema has to be one of {', '.join(DRAFTS)}.")
    try:
        jsonschema_rs.meta.validate(schema)
    except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, ValueError) as error:
        raise Invalid(_schema_fault(error)) from None


def _validator(schema: dict[str, Any]) -> jsonschema_rs.Validator:
    """Never fetches anything: `offline` refuses every reference that is not in the schema."""
    try:
        return jsonschema_rs.validator_for(
            schema, validate_formats=True, pattern_options=PATTERNS, offline=True
        )
    except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, ValueError) as error:
        raise Invalid(_schema_fault(error)) from None


def compiles(pattern: str) -> bool:
    """Whether the validator's engine takes a pattern."""
    try:
        _validator({"pattern": pattern})
    except Invalid:
        return False
    return True


def _schema_fault(error: Exception) -> str:
    message = str(getattr(error, "message", error)).splitlines()[0][:200]
    path = list(getattr(error, "instance_path", ()))
    where = "/".join(str(part) for part in path)[:80]
    if "Retrieval is disabled" in message or "not present in a registry" in message:
        return "The schema refers to something outside itself: only references inside it (#/…) are followed."
    if "regex" in message:
        return (
            f"The schema's pattern at {where} is too large, or uses what a linear-time engine does not have "
            "(look-around, back-references): write it without."
        )
    return f"The schema is not valid{f' at {where}' if where else ''}: {message}."
