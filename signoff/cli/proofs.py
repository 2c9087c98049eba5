"""What `signoff policy explain` says of what whoever approves is asked for beside."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from signoff.models.verdict import Verdict


def wanted(verdict: Verdict) -> dict[str, Any]:
    """For `--json`: only what is wanted; `session` in seconds, 0 where each wants a code of its own."""
    found: dict[str, Any] = {}
    if verdict.second_factor:
        found |= {"second_factor": verdict.second_factor, "session": verdict.in_session}
    return found | ({"confirm": list(verdict.confirm)} if verdict.confirm else {})


def told(verdict: Verdict, length: Callable[[int], str]) -> str:
    """The same as a line; `length` says seconds in words."""
    once = f"one counts for {length(verdict.in_session)}" if verdict.in_session else "one for each"
    asked = [f"a code of an authenticator app, {once}"] if verdict.second_factor else []
    return "; ".join([*asked, *(f"the value of {field}, typed" for field in verdict.confirm)])
