"""What an agent reports, and what its methods take where nobody says: light, as every agent loads it."""

from __future__ import annotations

from typing import Any

from signoff.models.messages import Outcome, build

LESSONS_SECONDS = 10.0
"""How long lessons are waited for, where nobody says."""
TASK = "task"
"""The action of what asks for feedback, where the agent gives it no name."""


def report_body(succeeded: bool, note: str, result: Any) -> str:
    """The body of a report; raises Invalid."""
    said = {"succeeded": succeeded, "note": note, **({} if result is None else {"result": result})}
    return build(Outcome, said).model_dump_json(exclude_none=True)
