"""Claude Agent SDK: people decide on the tool calls of Claude, by the SDK's own hooks.

    from claude_agent_sdk import ClaudeAgentOptions
    from signoff import Signoff
    from signoff.adapters.claude_agent_sdk import hooks

    options = ClaudeAgentOptions(allowed_tools=["Bash"], hooks=hooks(Signoff(), ["Bash", "mcp__shop__*"]))

Hooks, not `can_use_tool`: that one is passed over for `allowed_tools` and in several permission modes. What
a hook denies does not run in any of them; and whatever goes wrong with ours denies.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from typing import Any, Final, Unpack, cast

from claude_agent_sdk import HookContext, HookMatcher
from claude_agent_sdk.types import HookEvent, HookInput, HookJSONOutput

from signoff.adapters import texts
from signoff.adapters.calls import Call, Calls, Go, Stop
from signoff.adapters.tools import Claims, Tools
from signoff.client.client import AsyncSignoff
from signoff.client.face import Signoff
from signoff.errors import SignoffError
from signoff.models import tool_calls
from signoff.models.tool_calls import ToolCall
from signoff.payload.canonical import canonical

__all__ = ["hooks"]
log = logging.getLogger("signoff")

LONGEST_SECONDS: Final = 20 * 86_400
"""How long the CLI waits for a hook; its timers hold 24 days (milliseconds in 31 bits)."""
MOST_RUNNING: Final = 10_000
"""Approved calls of which nobody has said yet what became of them; the oldest is forgotten."""


def hooks(
    client: Signoff | AsyncSignoff,
    tools: Tools = None,
    *,
    wait: float | None = None,
    **claims: Unpack[Claims],
) -> dict[HookEvent, list[HookMatcher]]:
    """What `ClaudeAgentOptions(hooks=…)` takes; merge it with hooks of your own by event.

    `tools` says which tools people decide on, by Claude's names: all (None), a list of names and patterns
    (`["Bash", "mcp__shop__*"]`), or a mapping that says more of each: see `signoff.adapters.tools.Tools`.
    Others are left to the SDK's own rules. `claims` are said of all requests (`reversible`, `risk`, …).
    After `wait` seconds what nobody has decided is withdrawn; None waits until the request ends.

    One `hooks(…)` serves any number of sessions of one event loop. Raises TypeError for options that there
    are not.
    """
    named = tool_calls.action_of
    gate = _Gate(Calls(client, tools, framework=tool_calls.FOREIGN, wait=wait, named=named, **claims))
    before = HookMatcher(hooks=[gate.before], timeout=LONGEST_SECONDS, on_failure="block")
    after = HookMatcher(hooks=[gate.after])
    return {"PreToolUse": [before], "PostToolUse": [after], "PostToolUseFailure": [after]}


class _Gate:
    """The hooks' functions, and what they remember of the calls that run."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._running = OrderedDict[str, Go]()

    async def before(self, event: HookInput, _: str | None, __: HookContext) -> HookJSONOutput:
        """Decide on a call; cancelled, it withdraws what it asked."""
        action = "The call"
        try:
            call = tool_calls.read(event)
            action = tool_calls.action_of(call.tool)
            if not self._calls.gates(call.tool):
                return {}
            decided = await self._calls.decide(_asked(call))
            if isinstance(decided, Go):
                if decided.receipt is None:
                    return {}  # its condition says that nobody has to be asked: the SDK's own rules hold
                self._note(call.key or "", decided)
                back = tool_calls.given_back(call.action, decided.args, edited=decided.receipt.edited)
                return _output(tool_calls.allowed(call.event, back, decided.told))
            if isinstance(decided, Stop):
                return _output(tool_calls.denied(call.event, decided.text))
            raise AssertionError("nothing is pending here")
        except Exception as error:  # a function of the user's, or what the CLI sends is not what we know
            log.error("%s was not run, as Signoff's hook failed", action, exc_info=error)
            text = texts.stopped(action, SignoffError(type(error).__name__))
            return _output(tool_calls.denied("PreToolUse", text))

    async def after(self, event: HookInput, _: str | None, __: HookContext) -> HookJSONOutput:
        """Report what became of a call that was approved; nothing that goes wrong here stops anything."""
        try:
            call = tool_calls.read(event)
            if go := self._running.pop(call.key or "", None):
                same = tool_calls.asks_user(call.action) or canonical(call.payload) == canonical(go.args)
                note = "It was interrupted." if event.get("is_interrupt") else ""
                if not same:
                    log.error("%s ran with another input than was approved", call.action)
                    note = tool_calls.OTHER_INPUT
                await self._calls.report(go, succeeded=bool(call.succeeded) and same, note=note)
        except Exception as error:
            log.warning("what became of a call could not be reported: %s", type(error).__name__)
        return {}

    def _note(self, key: str, go: Go) -> None:
        self._running[key] = go
        if len(self._running) > MOST_RUNNING:
            self._running.popitem(last=False)


def _asked(call: ToolCall) -> Call:
    """A call, as all adapters ask it: the same request as that of Signoff's other hooks of Claude Code."""
    claims = {"reversible": False, **call.claims}
    return Call(
        call.tool, call.payload, key=(call.key or "").removeprefix(f"{tool_calls.FOREIGN}:"),
        run=claims.pop("run", None), reason=claims.pop("reason", ""), claims=claims,
    )  # fmt: skip


def _output(answer: dict[str, Any]) -> HookJSONOutput:
    return cast(HookJSONOutput, answer)
