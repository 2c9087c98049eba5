"""The long road: what waits for a person, with Signoff's client; it survives a restart of the server."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from signoff.adapters.claude_code.answer import Answer
from signoff.adapters.claude_code.request import Request
from signoff.errors import WaitTimeout, refusal
from signoff.models.tool_calls import ToolCall

SPEND_SECONDS = 10.0
"""How long a server is given to say who may run it, where a person's time is limited."""


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


def wait(
    call: ToolCall, key: str, seconds: float | None, late: str | None, check: Callable[[], None]
) -> Approved:
    """Ask, or attach to what was asked with this key, wait and spend; raises what `Signoff.ask` does.

    After `seconds` the request is withdrawn, as `late`; None leaves it. `check` may raise before it is spent.
    """
    import logging

    from signoff.client.face import Signoff  # a third of a second, for who waits for a person anyway
    from signoff.models.receipt import ApprovedReceipt

    logging.disable()  # what stands on stderr is read by a model
    with warnings.catch_warnings(), Signoff() as client:
        warnings.simplefilter("ignore")
        said: dict[str, Any] = {**call.claims, "key": key}
        ticket = client.request(call.action, call.payload, **said)
        try:
            receipt = ticket.wait(seconds)
        except WaitTimeout:
            if late is None:
                raise
            withdrawn = ticket.cancel(late)
            if withdrawn.status == "cancelled":
                raise
            if not isinstance(withdrawn, ApprovedReceipt):  # decided in that very moment
                raise refusal(withdrawn) from None
            receipt = withdrawn
        check()
        client.spend(receipt, None if seconds is None else SPEND_SECONDS)
    by = receipt.decided_by
    return Approved(receipt.payload, receipt.edited, by.name if by else "", receipt.reason if by else "")
