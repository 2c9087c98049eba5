"""Calls that go on over several rounds: whose answer belongs to which approval; pure."""

from __future__ import annotations

import re
import secrets
from collections import OrderedDict

import mcp_types

from signoff.adapters.mcp.flights import MOST_KEPT, Approved
from signoff.errors import Invalid
from signoff.payload.canonical import canonical

MARKED = re.compile(r"signoff:([0-9a-f]{32})(?::(.*))?", re.DOTALL)
Params = mcp_types.CallToolRequestParams


class Rounds:
    """Approved calls whose tool has asked its client back (protocol 2026-07-28), each under a mark.

    The mark travels in the state that the client sends back with its answer. Nobody can guess it, and two
    calls never share one: so no client goes on with what another was allowed, whatever state the tool gives.
    It holds once, for the same tool and arguments, and as long as the receipt does.
    """

    def __init__(self) -> None:
        self._kept: OrderedDict[str, tuple[str, Approved]] = OrderedDict()

    def keep(self, call: Params, state: str | None, approved: Approved) -> str | None:
        """Note a call whose tool asks back with `state`; the state that the client is to get."""
        of = _of(call)
        if of is None or approved.go.receipt is None:  # where nobody was asked, nobody is missed
            return state
        mark = secrets.token_hex(16)
        self._kept[mark] = (of, approved)
        while len(self._kept) > MOST_KEPT:
            self._kept.popitem(last=False)
        return f"signoff:{mark}" + ("" if state is None else f":{state}")

    def resumed(self, call: Params) -> tuple[Params, Approved | None]:
        """A call with the state that its tool gave, and the approval with which it goes on, if any."""
        found = MARKED.fullmatch(call.request_state or "")
        if found is None:
            return call, None
        of, approved = self._kept.pop(found[1], (None, None))
        if approved is not None and (of != _of(call) or not approved.holds()):
            approved = None
        return call.model_copy(update={"request_state": found[2]}), approved


def _of(call: Params) -> str | None:
    try:
        return canonical([call.name, call.arguments or {}])
    except Invalid:
        return None
