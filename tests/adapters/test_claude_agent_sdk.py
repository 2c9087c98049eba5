"""Claude Agent SDK: its real CLI runs what people approved, with a fake of the model on the loopback."""

from __future__ import annotations

import asyncio
import json
import re
import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from adapters.claude_cli import Claude, FakeModel, ToolUse, fake_model
from claude_agent_sdk import ClaudeAgentOptions, ClaudeSDKClient, HookMatcher, query

from signoff import AsyncSignoff, Signoff
from signoff.adapters.claude_agent_sdk import hooks
from signoff.testing import Approvals
from signoff.web.hooks.denials import CLAUDE_CODE

ROOT = Path(__file__).parents[2]

WRITE = ToolUse("Bash", {"command": "echo asked > out", "description": "Writes a word"})
EVENTS = ("PreToolUse", "PostToolUse", "PostToolUseFailure")


def event(name: str = "PreToolUse", tool: str = "Bash", call: str = "toolu_1", **more: Any) -> Any:
    """What the CLI gives a hook."""
    given = more.pop("tool_input", {"command": "date"})
    return {
        "session_id": "s1", "cwd": "/work", "permission_mode": "default", "hook_event_name": name,
        "tool_name": tool, "tool_input": given, "tool_use_id": call, **more,
    }  # fmt: skip


def called(found: Any, given: Any) -> dict[str, Any]:
    """One of our hooks' functions, called as the SDK does."""
    [matcher] = found[given["hook_event_name"]]
    return dict(asyncio.run(matcher.hooks[0](given, given.get("tool_use_id"), {"signal": None})))


def said(output: dict[str, Any]) -> tuple[str, str]:
    """Decision and reason of a PreToolUse hook."""
    found = output["hookSpecificOutput"]
    return found["permissionDecision"], found.get("permissionDecisionReason", "")


def options(claude: Claude, **more: Any) -> ClaudeAgentOptions:
    """Bash is allowed beforehand, as `can_use_tool` would never hear of it."""
    return ClaudeAgentOptions(cwd=claude.project, env=claude.env, allowed_tools=["Bash"], **more)


async def run(claude: Claude, **more: Any) -> None:
    """One run to its end."""
    async for _ in query(prompt="Go on.", options=options(claude, **more)):
        pass


async def until(check: Callable[[], Any]) -> None:
    async with asyncio.timeout(20):
        while not check():
            await asyncio.sleep(0.01)


def test_the_hooks_of_one_call(signoff_approvals: Approvals) -> None:
    signoff_approvals.edit("shell.run", {"command": "date -u"}, by="Ana", note="In UTC")
    found = hooks(Signoff(), ["Bash", "mcp__shop__*"], tags=["production"])
    assert list(found) == list(EVENTS)
    assert (found["PreToolUse"][0].on_failure, found["PreToolUse"][0].timeout) == ("block", 1_728_000)
    asked = {"command": "date", "description": "The time"}
    answer = called(found, event(tool_input=asked))["hookSpecificOutput"]
    assert answer["permissionDecision"] == "allow"
    assert answer["updatedInput"] == {"command": "date -u", "description": "The time"}
    assert "Ana approved this call with changes" in answer["additionalContext"]
    assert "Ana says about it: In UTC" in answer["additionalContext"]
    [request] = signoff_approvals.requests
    assert (request.action, request.key, request.run) == ("shell.run", "claude-code:s1:toolu_1", "s1")
    assert (request.reason, request.tags, request.reversibility) == (
        "The time", ("production",), "irreversible",
    )  # fmt: skip
    assert request.context == {"tool": "Bash", "folder": "/work", "mode": "default"}
    assert called(found, event("PostToolUse", tool_input=answer["updatedInput"])) == {}
    assert signoff_approvals.outcomes[str(request.id)].succeeded

    # What is not gated is left to the SDK's own rules, and nobody is asked.
    assert called(found, event(tool="Read")) == {} == called(found, event("PostToolUse", tool="Read"))
    assert len(signoff_approvals.requests) == 1


def test_each_no_is_a_denial_that_says_why(signoff_approvals: Approvals) -> None:
    found = hooks(AsyncSignoff(), {"Bash": {"reversible": False}}, wait=0.05)
    scripts: dict[str, Callable[[], None]] = {
        "Ana rejected it. Reason: Too wild.": lambda: signoff_approvals.reject("*", "Too wild.", by="Ana"),
        "nobody answered in time. This is not a rejection.": lambda: signoff_approvals.expire("*"),
        "the policy blocks it.": lambda: signoff_approvals.block("*"),
        "nobody has decided in time, and the request was withdrawn.": lambda: signoff_approvals.leave_pending(
            "*"
        ),
    }
    for number, (text, script) in enumerate(scripts.items()):
        script()
        decision, reason = said(called(found, event(call=f"toolu_{number}")))
        assert decision == "deny" and f" was not run: {text}" in reason
    signoff_approvals.approve("*")
    assert said(called(found, event(call="again"))) == ("allow", "")
    decision, reason = said(called(found, event(call="again")))
    assert decision == "deny" and "under this approval it runs already" in reason
    # The same id for another call is another key's business: it is refused, too.
    assert said(called(found, event(call="again", tool_input={"command": "rm x"})))[0] == "deny"


def test_what_fails_denies(signoff_approvals: Approvals, caplog: pytest.LogCaptureFixture) -> None:
    def broken(name: str) -> bool:
        raise LookupError("secret-host:6379")

    assert said(called(hooks(Signoff(), broken), event()))[0] == "deny"
    found = hooks(Signoff(), {"*": {"reason": lambda: broken("x")}})
    for given in (
        event(),
        event(tool_input={"command": 2**60}),
        event(tool_input={"command": "\ud800"}),
        event(tool_input="date"),
        event(tool_use_id=None),
        event() | {"session_id": 7},
    ):
        decision, reason = said(called(found, given))
        assert decision == "deny" and "was not run" in reason, given
        assert "secret-host" not in reason and "LookupError" not in reason
    assert not signoff_approvals.requests
    assert called(found, event("PostToolUse", tool_input=None)) == {}
    with pytest.raises(TypeError, match="reversable"):
        hooks(Signoff(), {"Bash": {"reversable": True}})


def test_without_a_server_nothing_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    nowhere = Signoff(redis_url="redis://127.0.0.1:9/0", agent="a", verify_key="ed25519:" + "A" * 43)
    for client in (nowhere, Signoff(redis_url="rubbish", agent="a", verify_key="none")):
        decision, reason = said(called(hooks(client, wait=0.1), event()))
        assert decision == "deny" and ("cannot be reached" if client is nowhere else "technical") in reason
        assert "127.0.0.1" not in reason and "rubbish" not in reason


def test_a_condition_leaves_a_call_to_the_sdks_own_rules(signoff_approvals: Approvals) -> None:
    found = hooks(Signoff(), {"Bash": {"condition": lambda command: command != "date"}})
    assert called(found, event()) == {}
    signoff_approvals.reject()
    assert said(called(found, event(tool_input={"command": "rm x"})))[0] == "deny"


def test_forty_that_wait_do_not_slow_what_is_not_gated(signoff_approvals: Approvals) -> None:
    signoff_approvals.hold()

    async def beside() -> float:
        found = hooks(Signoff(), ["Bash"])
        [hook] = found["PreToolUse"][0].hooks
        waiting = [
            asyncio.ensure_future(hook(event(call=f"t{one}"), None, {"signal": None})) for one in range(40)
        ]
        await until(lambda: len(signoff_approvals.requests) == 40)
        clock = asyncio.get_running_loop().time
        started = clock()
        assert await hook(event(tool="Read"), None, {"signal": None}) == {}
        took = clock() - started
        signoff_approvals.approve()
        for answer in await asyncio.gather(*waiting):
            assert said(dict(answer))[0] == "allow"
        return took

    assert asyncio.run(beside()) < 0.1


def test_the_real_cli_runs_what_was_approved_and_tells_the_model(
    tmp_path: Path, signoff_approvals: Approvals
) -> None:
    """Edited, rejected, failed and left alone, in one session; `out` shows what ran."""
    turns = [
        [WRITE],
        [ToolUse("Bash", {"command": "rm out"})],
        [ToolUse("Bash", {"command": "exit 3", "description": "fails"})],
        [ToolUse("Read", {"file_path": "out"})],
    ]
    for mode in ("default", "bypassPermissions"):
        with fake_model(*turns) as model:
            signoff_approvals.edit("shell.run", {"command": "echo edited > out"}, by="Ana", note="Mind")
            claude = Claude(tmp_path / mode, model, {"IS_SANDBOX": "1"})
            first = len(signoff_approvals.requests)

            def listening(number: int, first: int = first) -> None:
                """Says what becomes of the next call, once the model has heard of the last."""
                if number == 1:
                    signoff_approvals.reject("shell.run", "It is ours.", by="Ben")
                if number == 2:
                    signoff_approvals.approve("shell.run")

            found = hooks(Signoff(), ["Bash"])
            after_each(found, listening)
            asyncio.run(run(claude, hooks=found, permission_mode=mode))
            assert (claude.project / "out").read_text() == "edited\n"
            edited, rejected, failed, ungated = model.results()
            assert not edited["is_error"] and "edited" in str(ungated["content"])
            assert rejected["is_error"] and "Ben rejected it. Reason: It is ours." in rejected["content"]
            assert failed["is_error"] and "Exit code 3" in failed["content"]
            assert 'command was \\"echo asked > out\\" and is now \\"echo edited > out\\"' in model.told()
            assert "Ana says about it: Mind" in model.told()
            asked = signoff_approvals.requests[first:]
            outcomes = [signoff_approvals.outcomes.get(str(one.id)) for one in asked]
            assert [one and one.succeeded for one in outcomes] == [True, None, False]


def after_each(found: Any, listening: Callable[[int], None]) -> None:
    """Have `listening` called before each decision, with its number."""
    [matcher] = found["PreToolUse"]
    [ours] = matcher.hooks
    numbers = iter(range(100))

    async def noted(*given: Any) -> Any:
        if given[0]["tool_name"] == "Bash":
            listening(next(numbers))
        return await ours(*given)

    matcher.hooks = [noted]


def test_parallel_calls_are_asked_at_once_and_an_interrupted_run_withdraws_them(
    tmp_path: Path, signoff_approvals: Approvals
) -> None:
    """Claude Code itself calls a tool that changes something only once those before it are done."""
    signoff_approvals.hold()
    both = [ToolUse("Read", {"file_path": "one"}), ToolUse("Read", {"file_path": "two"}), WRITE]

    async def interrupted(model: FakeModel, claude: Claude) -> None:
        async with ClaudeSDKClient(options(claude, hooks=hooks(Signoff()))) as client:
            await client.query("Go on.")
            await until(lambda: len(signoff_approvals.requests) == 2)
            await client.interrupt()
            async for _ in client.receive_response():
                pass
            await until(lambda: len(signoff_approvals.withdrawn) == 2)
            # And where the session simply ends.
            model.say([ToolUse("Bash", {"command": "echo three > three"})])
            await client.query("Again.")
            await until(lambda: len(signoff_approvals.requests) == 3)
        await until(lambda: len(signoff_approvals.withdrawn) == 3)

    with fake_model(both) as model:
        claude = Claude(tmp_path, model)
        asyncio.run(interrupted(model, claude))
        assert not list(claude.project.iterdir())
        assert {*signoff_approvals.withdrawn.values()} == {"The run that asked for it was cancelled."}


def test_a_hook_of_ours_that_hangs_or_crashes_denies(tmp_path: Path, signoff_approvals: Approvals) -> None:
    signoff_approvals.hold()

    async def crashed(*_: Any) -> Any:
        raise RuntimeError

    for fault in ("hangs", "crashes"):
        with fake_model([WRITE]) as model:
            claude = Claude(tmp_path / fault, model)
            found = hooks(Signoff(), ["Bash"])
            if fault == "hangs":
                found["PreToolUse"][0].timeout = 1
            else:
                found["PreToolUse"][0].hooks = [crashed]
            asyncio.run(run(claude, hooks=found))
            assert not (claude.project / "out").exists() and model.results()[0]["is_error"], fault
    assert len(signoff_approvals.withdrawn) == 1


def test_what_ran_otherwise_than_approved_is_reported_as_failed(
    tmp_path: Path, signoff_approvals: Approvals
) -> None:
    """Hooks run beside each other, and the last to answer has its input run: docs/adapters/ says so."""
    signoff_approvals.approve()
    answered = asyncio.Event()

    async def other(*_: Any) -> Any:
        await answered.wait()
        await asyncio.sleep(0.2)
        changed = {"permissionDecision": "allow", "updatedInput": {"command": "echo other > out"}}
        return {"hookSpecificOutput": {"hookEventName": "PreToolUse", **changed}}

    with fake_model([WRITE]) as model:
        claude = Claude(tmp_path, model)
        found = hooks(Signoff(), ["Bash"])
        after_each(found, lambda _: answered.set())
        found["PreToolUse"].append(HookMatcher(hooks=[other]))
        asyncio.run(run(claude, hooks=found))
    [outcome] = signoff_approvals.outcomes.values()
    assert not outcome.succeeded and "not what was approved" in outcome.note
    assert json.dumps("echo other > out") not in str(signoff_approvals.requests)


def test_the_page_and_the_example_run(
    tmp_path: Path, signoff_approvals: Approvals, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    signoff_approvals.edit("shell.run", {"command": "echo edited"}, by="Ana")
    page = (ROOT / "docs" / "adapters" / "claude-agent-sdk.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```", page, re.M | re.S)
    for block in blocks:
        with fake_model([WRITE]) as model:
            claude = Claude(tmp_path, model)
            for name, value in claude.env.items():
                monkeypatch.setenv(name, value)
            monkeypatch.chdir(claude.project)
            exec(compile(block, "claude-agent-sdk.md", "exec"), {"__name__": "page"})
            assert len(model.results()) == 1 and "echo edited" in model.told()
    assert len(blocks) == 1 and len(signoff_approvals.requests) == 1
    capsys.readouterr()
    runpy.run_path(str(ROOT / "examples" / "claude_agent.py"), run_name="__main__")
    assert "Ana approved this call with changes" in capsys.readouterr().out
    assert len(signoff_approvals.requests) == 2


def test_the_settings_of_the_page_are_what_claude_code_takes() -> None:
    """The http hook's own tests write theirs alike."""
    page = (ROOT / "docs" / "adapters" / "claude-agent-sdk.md").read_text(encoding="utf-8")
    [block] = re.findall(r"^```json\n(.*?)^```", page, re.M | re.S)
    hooked = json.loads(block)["hooks"]
    assert set(hooked) == set(EVENTS)
    [before] = hooked["PreToolUse"][0]["hooks"]
    assert (before["type"], before["onFailure"], before["timeout"]) == ("http", "block", 1_728_000)
    assert before["url"].endswith(CLAUDE_CODE)
