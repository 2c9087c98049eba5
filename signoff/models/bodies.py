"""What an agent sends about requests of its own that are known, beside the requests; frozen."""

from __future__ import annotations

import uuid
from typing import Annotated, Any, Self

from pydantic import Field, StringConstraints, model_validator

from signoff.models.receipt import Wire
from signoff.payload.canonical import canonical

Prose = Annotated[str, StringConstraints(max_length=4000)]
MAX_RESULT = 2048
"""Bytes of what an agent shows of a result, as canonical JSON."""
MAX_UNDOS = 100
"""Actions by which one process undoes."""
ACTION = r"^[A-Za-z0-9_][A-Za-z0-9_.:/@-]{0,99}$"
MAX_BATCH = 500
"""Requests that are asked together, at most."""


class Outcome(Wire):
    """What became of an approved action, as its agent reports it. `result` is what it shows of what came out,
    any JSON value of at most 2 KB.
    """

    succeeded: bool
    note: Prose = ""
    result: Any = None

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        size = 0 if self.result is None else len(canonical(self.result, "result").encode())
        if size > MAX_RESULT:
            raise ValueError(f"a result has at most {MAX_RESULT:,} bytes, and this one {size:,}")
        return self


class Spend(Wire):
    """A process is about to run an approved action, and names itself."""

    by: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]{16,100}$")]


class Cancel(Wire):
    """An agent withdraws a request of its own."""

    reason: Prose = ""


class UndoTest(Wire):
    """What an agent's own test of an undo came to; `id` is that of what asked for it: no other counts."""

    id: Annotated[str, StringConstraints(max_length=100)] = ""
    action: Annotated[str, StringConstraints(max_length=100)]
    passed: bool
    fault: Annotated[str, StringConstraints(max_length=300)] = ""


class CanUndo(Wire):
    """An agent can undo by these actions; `tested` where it has just tried one."""

    actions: tuple[Annotated[str, StringConstraints(pattern=ACTION)], ...] = Field(
        min_length=1, max_length=MAX_UNDOS
    )
    tested: UndoTest | None = None


class Freeze(Wire):
    """An agent has sent all requests of a batch: these, in this order. Nothing of it is shown before."""

    title: Annotated[str, StringConstraints(min_length=1, max_length=150)]
    run: Annotated[str, StringConstraints(max_length=100)] | None = None
    ids: tuple[uuid.UUID, ...] = Field(min_length=1, max_length=MAX_BATCH)


class Reply(Wire):
    """An agent's answer to a person's question about a request of its own; `unable` where it cannot say."""

    text: Annotated[str, StringConstraints(max_length=3000)] = ""
    unable: bool = False
