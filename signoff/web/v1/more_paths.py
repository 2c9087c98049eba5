"""The operations of API v1 beyond yes and no, as OpenAPI describes them, and the models that they take."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from signoff.web.v1.batches import BATCHES, BatchStands, Together
from signoff.web.v1.operations import KEY, LOOK_WAIT, NAME, PREFER, operation, query

KINDS: tuple[type[BaseModel], ...] = (Together, BatchStands)
"""What their bodies and answers are."""
_TOGETHER = (
    "People see them as one card; each stays a request of its own, with its own receipt. Where one is not "
    "valid nothing is asked, and `faults` names each (`item`, `detail`). The same again, with the same "
    "`name` or Idempotency-Key, is answered again."
)


def paths() -> dict[str, Any]:
    """Address → its operations."""
    return _batches()


def _batches() -> dict[str, Any]:
    first = query("from", "The place of the first.", type="integer", minimum=0)
    return {
        BATCHES: {
            "post": operation(
                "askTogether", "Ask for several approvals together", _TOGETHER, body="Together",
                parameters=[KEY], answer="BatchStands",
            )
        },
        BATCHES + "/{name}": {
            "get": operation(
                "batch", "Where a batch stands", "With `Prefer: wait=…` once all of it has ended.",
                parameters=[NAME, first, PREFER, LOOK_WAIT], answer="BatchStands",
                problems=("not-found", "invalid"),
            )
        },
    }  # fmt: skip
