"""A tool's call in Claude Code → what is asked of people, and their answer → what Claude Code takes; pure.

The command hook, the http hook and the Claude Agent SDK's adapter all read the same object, and all answer
with the same one, so that a call is the same request whichever way it came. Only the standard library is
loaded: the command hook starts once for every call of a tool.

The payload is the tool's input as it is, whole: what a person approves is what goes back as `updatedInput`.
"""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

BEFORE: Final = ("PreToolUse", "PermissionRequest")
"""Events that an answer decides."""
AFTER: Final = {"PostToolUse": True, "PostToolUseFailure": False}
"""Events that tell what became of a call → whether it succeeded."""
_HARMLESS: Final = """
    PostToolBatch Notification UserPromptSubmit UserPromptExpansion SessionStart SessionEnd Stop StopFailure
    SubagentStart SubagentStop PreCompact PostCompact PreModelSwitch PostModelSwitch PermissionDenied Setup
    TeammateIdle TaskCreated TaskCompleted InstructionsLoaded CwdChanged FileChanged DirectoryAdded
    MessageDisplay
"""
HARMLESS: Final = frozenset(_HARMLESS.split())
"""Events of Claude Code (2.1.332) beside which no tool runs: no answer is none that lets one run."""
FOREIGN: Final = "claude-code"
"""Where tools stand that have no action of their own: `claude-code.Skill`."""
OTHER_INPUT: Final = "What ran is not what was approved: another hook changed its input afterwards."
"""What is reported of such a call."""
LONGEST_ACTION: Final = 100
LONGEST_KEY: Final = 255

_ACTIONS: Final = {
    "shell.run": "Bash PowerShell Monitor",
    "shell.output": "BashOutput TaskOutput",
    "shell.stop": "KillShell KillBash TaskStop",
    "file.edit": "Write Edit MultiEdit NotebookEdit",
    "file.read": "Read NotebookRead",
    "file.list": "Glob LS",
    "file.search": "Grep",
    "http.get": "WebFetch",
    "web.search": "WebSearch",
    "agent.run": "Task Agent",
}
ACTIONS: Final = {tool: action for action, tools in _ACTIONS.items() for tool in tools.split()}
"""Claude Code's tool → its action. Whatever runs a command is `shell.run`: one rule holds for all of them."""
_RESERVED: Final = {FOREIGN, "mcp", *(action.partition(".")[0] for action in _ACTIONS)}
"""First words that an MCP server cannot take by its name, in letters of any case: projects name servers."""
_READS: Final = {"file.read", "file.list", "file.search", "http.get", "web.search", "shell.output"}
_SAYS_WHY: Final = {"shell.run", "agent.run"}
"""Whose input has a `description` of the call; elsewhere one is a field like any other."""
_ASK_THE_USER: Final = {f"{FOREIGN}.AskUserQuestion", f"{FOREIGN}.ExitPlanMode"}
"""Questions to who sits at the terminal: Claude Code takes an input that a hook gives for the answer."""
_ODD: Final = re.compile(r"[^A-Za-z0-9_./@-]")
"""Nor a colon: one parts a name from its digest."""


class NoCall(ValueError):
    """It is no event of a tool's call; the text says why, and names nothing that came with it."""


@dataclass(frozen=True)
class ToolCall:
    """One call of a tool, as a hook is told of it.

    `payload` is the tool's input. `key` is the call's own, the same however often a hook is asked about it;
    None where Claude Code gives it none: a permission's prompt is a new one each time. `claims` are what is
    said with the request besides, in `signoff.client.ask.Ask`'s words.
    """

    event: str
    tool: str
    action: str
    payload: dict[str, Any]
    key: str | None
    claims: dict[str, Any]

    @property
    def succeeded(self) -> bool | None:
        """What became of it, where the event tells that it has run; else None."""
        return AFTER.get(self.event)


def event_of(text: str | bytes) -> Any:
    """JSON → what a hook is given, where it is one that tells what became of a call, or is harmless.

    None for what decides something, and so has to be read as strictly as payloads are. Raises NoCall for
    what is no event, or names one twice.
    """
    try:
        found = json.loads(text, object_pairs_hook=_once)
    except (ValueError, RecursionError):
        raise NoCall("It is no JSON, or not all of it.") from None
    if not isinstance(found, dict):
        raise NoCall("It is no object.")
    name = _text(found, "hook_event_name")
    return found if name in AFTER or name in HARMLESS else None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise NoCall("A name stands twice in it.")
    return found


def read(event: object) -> ToolCall:
    """What a hook is given, as an object → the call; raises NoCall for what is none."""
    if not isinstance(event, Mapping):
        raise NoCall("What the hook was given is no object.")
    name = _text(event, "hook_event_name")
    if name not in BEFORE and name not in AFTER:
        raise NoCall("It is an event that Signoff does not know.")
    tool, payload = _text(event, "tool_name"), event.get("tool_input")
    if not isinstance(payload, Mapping):
        raise NoCall("Its tool_input is no object.")
    session = _text(event, "session_id")
    key = None if name == "PermissionRequest" else key_of(session, _text(event, "tool_use_id"))
    action = action_of(tool)
    return ToolCall(name, tool, action, dict(payload), key, _claims(event, tool, action, session))


def action_of(tool: str) -> str:
    """Claude Code's name of a tool → the action that the policy judges.

    `mcp__server__tool` is `server.tool`, or `mcp.server.tool` where the server is called as one of Claude
    Code's own (`shell`, `File`): its rules are not for that server. So it is where `__` stands in what
    follows: nobody can tell the tool `evil__x` of `github` from the tool `x` of a server `github__evil`. A
    name that had to be shortened or spelled otherwise ends with a digest of itself, so that no two tools
    share an action; those that differ in the case of letters alone are one to a policy.
    """
    if tool in ACTIONS:
        return ACTIONS[tool]
    server, _, inner = tool.removeprefix("mcp__").partition("__")
    if tool.startswith("mcp__") and server and inner:
        own = folded(server) in _RESERVED or not server.isascii() or not server[0].isalnum()
        plain = not own and "." not in server and "__" not in inner and not inner.startswith("_")
        return _named(f"{server}.{inner}" if plain else f"mcp.{server}.{inner}", tool, server.count("."))
    return _named(f"{FOREIGN}.{tool}", tool)


def folded(text: str) -> str:
    """A text without the differences of case and of Unicode's compatibility forms: at least as a policy's
    globs compare names, which fold case."""
    return unicodedata.normalize("NFKC", text).casefold()


def key_of(session: str, tool_use_id: str) -> str:
    """By which everybody finds the request of one call: at most 255 characters."""
    key = f"{FOREIGN}:{session}:{tool_use_id}"
    if len(key) <= LONGEST_KEY and key.isprintable():
        return key
    return f"{FOREIGN}:{hashlib.sha256(key.encode('utf-8', 'surrogatepass')).hexdigest()}"


def given_back(action: str, payload: Mapping[str, Any], *, edited: bool) -> Mapping[str, Any] | None:
    """What is approved → what `allowed` gives in place of the input: always, so that no other hook's runs.

    None for a question to the user that nobody has changed: it is allowed to be asked, not answered.
    """
    return None if asks_user(action) and not edited else payload


def asks_user(action: str) -> bool:
    """Whether its tool is a question to the user, whose answer becomes a part of its input."""
    return action in _ASK_THE_USER


def allowed(event: str, payload: Mapping[str, Any] | None = None, told: str = "") -> dict[str, Any]:
    """The answer that lets a call run: with `payload` in place of its input (see `given_back`).

    `told` is for the model: who changed what (`signoff.payload.corrections.told`).
    """
    if event == "PermissionRequest":
        decision: dict[str, Any] = {"behavior": "allow"}
        if payload is not None:
            decision["updatedInput"] = dict(payload)
        return _answer(event, decision=decision)
    said: dict[str, Any] = {"permissionDecision": "allow"}
    if told:
        said |= {"permissionDecisionReason": told, "additionalContext": told}
    if payload is not None:
        said["updatedInput"] = dict(payload)
    return _answer(event, **said)


def denied(event: str, told: str) -> dict[str, Any]:
    """The answer that stops a call; `told` is what the model reads instead of the tool's result."""
    if event == "PermissionRequest":
        return _answer(event, decision={"behavior": "deny", "message": told})
    return _answer(event, permissionDecision="deny", permissionDecisionReason=told)


def deferred(event: str, told: str) -> dict[str, Any]:
    """The answer that ends a run without a terminal (`claude -p`), to be resumed: PreToolUse alone has it."""
    if event != "PreToolUse":
        return denied(event, told)
    return _answer(event, permissionDecision="defer", permissionDecisionReason=told)


def _answer(event: str, **said: Any) -> dict[str, Any]:
    return {"hookSpecificOutput": {"hookEventName": event, **said}}


def _text(event: Mapping[str, Any], name: str) -> str:
    value = event.get(name)
    if not isinstance(value, str) or not value:
        raise NoCall(f"It has no {name}.")
    return value


def _named(action: str, tool: str, changed: int = 0) -> str:
    """A valid name of an action, with a digest of the tool's where it is not simply that name."""
    plain = _ODD.sub("_", action)
    if plain == action and not changed and len(action) <= LONGEST_ACTION:
        return action
    digest = hashlib.sha256(tool.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return f"{plain[: LONGEST_ACTION - len(digest) - 1]}:{digest}"


def _claims(event: Mapping[str, Any], tool: str, action: str, session: str) -> dict[str, Any]:
    """What is said of a call besides: people see it below the payload, as the agent's own word."""
    context = {"tool": tool}
    for name, field in (("folder", "cwd"), ("mode", "permission_mode"), ("agent", "agent_type")):
        if isinstance(value := event.get(field), str) and value:
            context[name] = value
    claims: dict[str, Any] = {
        "run": _clean(session, 100),
        "context": {name: _clean(value, 500) for name, value in context.items()},
    }
    reason = event["tool_input"].get("description") if action in _SAYS_WHY else None
    if isinstance(reason, str) and reason:
        claims["reason"] = _clean(reason, 2000)
    if action in _READS:
        claims["reversible"] = True
    elif action == "file.edit":
        claims["reversible"] = "costly"
    return claims


def _clean(text: str, most: int) -> str:
    """A text that can travel: without halves of surrogates and NUL, and not too long."""
    return text[:most].encode("utf-8", "replace").decode().replace("\0", "")
