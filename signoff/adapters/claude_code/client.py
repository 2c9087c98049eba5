"""The long road: what waits for a person, with Signoff's client; it survives a restart of the server."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from signoff.adapters.claude_code.answer import Answer
from signoff.adapters.claude_code.request import Request
from signoff.models.tool_calls import ToolCall


@dataclass(frozen=True)
class Approved:
    """What may run, once and by this process: whether it was changed, who approved it, and their note."""

    payload: Mapping[str, Any]
    edited: bool
    who: str
    note: str

    @classmethod
    def of(cls, answer: Answer, request: Request) -> Approved:
        """What came by the short road."""
        by = answer.decided_by
        note = answer.reason if by else ""  # what the policy says of it is for people
        return cls(answer.payload or {}, answer.digest != request.digest, by.name if by else "", note)


def wait(call: ToolCall, key: str, seconds: float | None) -> Approved:
    """Ask, or attach to what was asked with this key, wait and spend; raises what `Signoff.ask` does."""
    import logging

    from signoff.client.face import Signoff  # a third of a second, for who waits for a person anyway

    logging.disable()  # what stands on stderr is read by a model
    with warnings.catch_warnings(), Signoff() as client:
        warnings.simplefilter("ignore")
        receipt = client.ask(call.action, call.payload, timeout=seconds, **{**call.claims, "key": key})
    by = receipt.decided_by
    return Approved(receipt.payload, receipt.edited, by.name if by else "", receipt.reason if by else "")
