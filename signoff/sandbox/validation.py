"""blocks.validate: what Slack would refuse of blocks, of a message or of a view. It needs no token.

As Slack answers it: each error has a `code`, a `message`, a `pointer` into what was given (of blocks, into
their array) and a `constraint`, which says what was expected.
"""

from __future__ import annotations

import re
from typing import Any, Final

from signoff.bot.blocks import Problem, check_message, check_view
from signoff.sandbox.arguments import Arguments
from signoff.sandbox.errors import SlackError
from signoff.sandbox.method import Method
from signoff.sandbox.workspace import Workspace

JSON = dict[str, Any]
_KINDS: Final = ("blocks", "message", "view")
_ONE: Final = "must provide exactly one of `blocks`, `view`, or `message`"
_LIMITS: Final = (
    (re.compile(r"(?:must be less than|hold more than) (\d+) (?:characters|bytes)"), "max_length", -1),
    (re.compile(r"must be more than (\d+) characters"), "min_length", 1),
    (re.compile(r"no more than (\d+) items allowed"), "max_items", 0),
    (re.compile(r"must provide at least (\d+) items"), "min_items", 0),
)
_CHOICE: Final = re.compile(r"must be one of: (.+)")
_FIELD: Final = re.compile(r"(missing required field|invalid additional property): (.+)")


def validate(workspace: Workspace, arguments: Arguments) -> JSON:
    """blocks.validate: `ok` alone where Slack would take it."""
    given = {kind: arguments.json(kind, "invalid_arguments") for kind in _KINDS}
    kinds = [kind for kind, value in given.items() if value is not None]
    if len(kinds) != 1:
        raise SlackError("invalid_arguments", response_metadata={"messages": [_ONE]})
    kind = kinds[0]
    if problems := _problems(kind, given[kind]):
        raise SlackError(f"invalid_{kind}", errors=[_error(problem) for problem in problems])
    return {}


def _problems(kind: str, given: Any) -> list[Problem]:
    if kind == "view":
        return check_view(given)
    if kind == "blocks":
        found = check_message(given) if isinstance(given, list) else [Problem("", "must be an array")]
        return [Problem(problem.pointer.removeprefix("/blocks"), problem.message) for problem in found]
    if not isinstance(given, dict):
        return [Problem("", "must be an object")]
    blocks, text = given.get("blocks"), given.get("text")
    if blocks is not None and not isinstance(blocks, list):
        return [Problem("/blocks", "must be an array")]
    if text is not None and not isinstance(text, str):
        return [Problem("/text", "must be a string")]
    return check_message(blocks, text, given.get("metadata"))


def _error(problem: Problem) -> JSON:
    code, constraint = _constraint(problem.message)
    error: JSON = {"code": code, "message": problem.message, "pointer": problem.pointer}
    return error | {"constraint": constraint}


def _constraint(message: str) -> tuple[str, JSON]:
    """The code, and what was expected, by what the refusal says."""
    for pattern, kind, off in _LIMITS:
        if found := pattern.search(message):
            return "failed_constraint", {"type": kind, "expected": int(found[1]) + off}
    if found := _CHOICE.fullmatch(message):
        return "failed_constraint", {"type": "enum", "expected": found[1].split(", ")}
    if found := _FIELD.fullmatch(message):
        kind = "required" if found[1].startswith("missing") else "additional_properties"
        return "failed_constraint", {"type": kind, "expected": [found[2]]}
    return "failed_constraint", {"type": "other", "expected": message}


METHODS: Final = {"blocks.validate": Method(validate, public=True)}
