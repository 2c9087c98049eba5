"""A tool's call in Claude Code: what is asked of people, and what Claude Code is answered."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signoff.client.mistakes import ACTION, check_claims
from signoff.models import tool_calls
from signoff.policy.globs import Globs, fold

EVENT = {
    "session_id": "6b80dac9-98c0-4d03-82ff-46af888bedf4",
    "cwd": "/home/ana/shop",
    "permission_mode": "default",
    "hook_event_name": "PreToolUse",
    "tool_name": "Bash",
    "tool_input": {"command": "make deploy", "description": "Deploy the shop"},
    "tool_use_id": "toolu_01",
}


def test_a_call_is_its_whole_input_under_the_action_of_its_tool() -> None:
    call = tool_calls.read(EVENT)
    assert (call.action, call.payload) == ("shell.run", EVENT["tool_input"])
    assert call.key == "claude-code:6b80dac9-98c0-4d03-82ff-46af888bedf4:toolu_01"
    assert call.claims == {
        "run": EVENT["session_id"],
        "reason": "Deploy the shop",
        "context": {"tool": "Bash", "folder": "/home/ana/shop", "mode": "default"},
    }
    check_claims(call.claims)
    assert call.succeeded is None
    after = tool_calls.read(EVENT | {"hook_event_name": "PostToolUse"})
    failed = tool_calls.read(EVENT | {"hook_event_name": "PostToolUseFailure"})
    assert (after.key, after.succeeded, failed.succeeded) == (call.key, True, False)


def test_a_permissions_prompt_has_no_call_to_go_by_and_so_no_key() -> None:
    asked = {**EVENT, "hook_event_name": "PermissionRequest"}
    assert tool_calls.read({name: asked[name] for name in asked if name != "tool_use_id"}).key is None
    assert tool_calls.read(asked).key is None


@pytest.mark.parametrize(
    ("tool", "action"),
    [
        ("Bash", "shell.run"), ("PowerShell", "shell.run"), ("Monitor", "shell.run"),
        ("Write", "file.edit"), ("Edit", "file.edit"), ("MultiEdit", "file.edit"),
        ("NotebookEdit", "file.edit"), ("Read", "file.read"), ("Glob", "file.list"), ("Grep", "file.search"),
        ("WebFetch", "http.get"), ("WebSearch", "web.search"), ("Task", "agent.run"),
        ("Skill", "claude-code.Skill"), ("bash", "claude-code.bash"),
        ("mcp__github__create_issue", "github.create_issue"),
        ("mcp__claude_ai_Slack__sendNow", "claude_ai_Slack.sendNow"),
        # Where a server's name ends is not told: the tool of a `github__evil` is none of `github`.
        ("mcp__github__evil__merge", "mcp.github.evil__merge"), ("mcp__github___merge", "mcp.github._merge"),
        # A project names its servers: none of them is one of Claude Code's own, for that.
        ("mcp__shell__run", "mcp.shell.run"), ("mcp__file__read", "mcp.file.read"),
        ("mcp__mcp__shell__run", "mcp.mcp.shell__run"), ("mcp__claude-code__Skill", "mcp.claude-code.Skill"),
        ("mcp__Shell__run", "mcp.Shell.run"), ("mcp__FILE__read", "mcp.FILE.read"),
        ("mcp__MCP__file__read", "mcp.MCP.file__read"), ("mcp__Claude-Code__Skill", "mcp.Claude-Code.Skill"),
        ("mcp__-x__y", "mcp.-x.y"),
        ("mcp__", "claude-code.mcp__"), ("mcp__a", "claude-code.mcp__a"),
        ("mcp____b", "claude-code.mcp____b"), ("xmcp__a__b", "claude-code.xmcp__a__b"),
    ],
)  # fmt: skip
def test_tools_have_actions_that_a_policy_can_name(tool: str, action: str) -> None:
    assert tool_calls.action_of(tool) == action


OWN = ("shell.*", "file.*", "http.*", "web.*", "agent.*", "claude-code.*")
PIECES = st.lists(
    st.sampled_from(
        [
            "mcp__",
            "__",
            "shell",
            "Shell",
            "FILE",
            "\uff46ile",
            "\u212a",
            "Claude-Code",
            "mcp",
            ".",
            ":",
            "a",
            "b",
            "é",
            " ",
            "-",
            "x" * 50,
        ]
    )
)


@given(st.lists(st.one_of(PIECES.map("".join), st.text(max_size=120)), min_size=2, max_size=8, unique=True))
def test_every_tool_has_a_valid_action_and_no_two_share_one(tools: list[str]) -> None:
    actions = [tool_calls.action_of(tool) for tool in tools]
    assert all(ACTION.fullmatch(action) for action in actions)
    assert len({action for tool, action in zip(tools, actions, strict=True)}) == len(tools)
    # A policy folds case: only tools that are one but for that are one to it, and no server is Claude's own.
    one = {fold(action): tool_calls.folded(tool) for tool, action in zip(tools, actions, strict=True)}
    assert all(
        one[fold(action)] == tool_calls.folded(tool) for tool, action in zip(tools, actions, strict=True)
    )
    assert not any(
        Globs(OWN).matches(action) and tool not in tool_calls.ACTIONS
        for tool, action in zip(tools, actions, strict=True)
        if tool.startswith("mcp__") and not action.startswith("claude-code.mcp__")
    )
    odd = [tool for tool in tools if not re.fullmatch(r"[A-Za-z0-9_-]{0,60}", tool)]
    assert all(len(tool_calls.key_of("s", tool)) <= 255 for tool in odd)


@pytest.mark.parametrize(
    "event",
    [
        None, [], "Bash", {}, {**EVENT, "tool_name": ""}, {**EVENT, "tool_name": 1},
        {**EVENT, "tool_input": "ls"}, {**EVENT, "tool_input": None},
        {**EVENT, "hook_event_name": "Stop"}, {**EVENT, "session_id": None},
        {name: EVENT[name] for name in EVENT if name != "tool_use_id"},
        {name: EVENT[name] for name in EVENT if name != "hook_event_name"},
    ],
)  # fmt: skip
def test_what_is_no_call_is_told_apart_and_never_repeated(event: Any) -> None:
    with pytest.raises(tool_calls.NoCall) as told:
        tool_calls.read(event)
    assert "Bash" not in str(told.value) and EVENT["session_id"] not in str(told.value)


def test_what_is_said_besides_can_travel_whatever_a_folder_is_called() -> None:
    call = tool_calls.read(EVENT | {"cwd": "/\udcff\0" + "x" * 9999, "agent_type": "Explore"})
    json.dumps(call.claims, ensure_ascii=False).encode()
    assert call.claims["context"]["agent"] == "Explore" and len(call.claims["context"]["folder"]) <= 500


def test_answers_are_in_claude_codes_words() -> None:
    allowed = tool_calls.allowed("PreToolUse", {"command": "ls"}, "Ana changed it.")
    assert allowed["hookSpecificOutput"] == {
        "hookEventName": "PreToolUse",
        "permissionDecision": "allow",
        "permissionDecisionReason": "Ana changed it.",
        "additionalContext": "Ana changed it.",
        "updatedInput": {"command": "ls"},
    }
    # What is approved is always given back, so that no other hook's input runs; but where Claude Code would
    # take it for the answer to a question of its own, only a person's change is.
    asked = "claude-code.AskUserQuestion"
    assert tool_calls.given_back("shell.run", {"a": 1}, edited=False) == {"a": 1}
    assert tool_calls.given_back(asked, {"a": 1}, edited=False) is None
    assert tool_calls.given_back(asked, {"a": 1}, edited=True) == {"a": 1}
    assert "updatedInput" not in tool_calls.allowed("PreToolUse")["hookSpecificOutput"]
    assert tool_calls.denied("PreToolUse", "No.")["hookSpecificOutput"]["permissionDecision"] == "deny"
    assert tool_calls.deferred("PreToolUse", "Later.")["hookSpecificOutput"]["permissionDecision"] == "defer"
    prompt = tool_calls.allowed("PermissionRequest", {"command": "ls"})["hookSpecificOutput"]["decision"]
    assert prompt == {"behavior": "allow", "updatedInput": {"command": "ls"}}
    for answer in (tool_calls.denied, tool_calls.deferred):  # no prompt can be put off
        said = answer("PermissionRequest", "No.")["hookSpecificOutput"]["decision"]
        assert said == {"behavior": "deny", "message": "No."}


def test_nothing_but_the_standard_library_is_loaded() -> None:
    program = "import sys; import signoff.models.tool_calls; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    names = {name.partition(".")[0] for name in run.stdout.split()} - sys.stdlib_module_names
    assert {name for name in names if not name.startswith("_")} <= {"signoff"}
