"""Claude Code's http hook: whatever comes, it is answered 200, and what was not approved is denied."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from sqlalchemy.exc import OperationalError
from support import Core, RedisServer, eventually
from web.conftest import Door, opened
from web.waiting import callers, is_waited_for, wait_for_waits

from signoff.models import tokens
from signoff.models.approval import Approval
from signoff.web.hooks.claude_code import ABANDONED
from signoff.web.hooks.denials import CLAUDE_CODE
from signoff.web.rates import Rates

POLICY = """rules:
  - {name: reads, match: {action: file.read}, verdict: allow}
  - {name: web, match: {action: web.search}, verdict: block, reason: Not here.}
"""
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def event(name: str = "PreToolUse", tool: str = "Bash", call: str = "toolu_1", **more: Any) -> dict[str, Any]:
    """What Claude Code posts."""
    given = more.pop("tool_input", {"command": "date"})
    found = {
        "session_id": "s1", "cwd": "/work", "permission_mode": "default", "hook_event_name": name,
        "tool_name": tool, "tool_input": given, "tool_use_id": call, **more,
    }  # fmt: skip
    return {key: value for key, value in found.items() if value is not None}


def said(answer: httpx.Response) -> dict[str, Any]:
    """The decision of an answer, which is a 200 of JSON whatever there was."""
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/json"
    found: dict[str, Any] = answer.json()["hookSpecificOutput"]
    return found


def denied(answer: httpx.Response, text: str) -> None:
    """It denies, says this, and nothing of our insides."""
    found = said(answer)
    assert found["hookEventName"] == "PreToolUse" and found["permissionDecision"] == "deny", found
    assert text in found["permissionDecisionReason"], found
    for inside in ("127.0.0.1", "sgt_", "redis", "Error", "sqlite"):
        assert inside not in found["permissionDecisionReason"], found


def waiting(core: Core, number: int = 1) -> list[str]:
    """The ids of so many that wait, once they do."""
    return list(
        eventually(lambda: len(core.store.waiting()) == number and [i for i, _ in core.store.waiting()])
    )


def of_key(core: Core, key: str) -> Approval:
    with core.store.reading() as connection:
        query = f"SELECT id FROM approval WHERE key = '{key}'"
        found = core.store.get(str(connection.exec_driver_sql(query).scalar_one()))
    assert found is not None
    return found


@pytest.fixture
def hooked(core: Core, redis_url: str) -> Iterator[Door]:
    """A door whose streams beat often."""
    core.follow(POLICY)
    with opened(core, redis_url, heartbeat_seconds=0.05) as found:
        found.token = found.add("billing-bot", "hook")
        yield found


def test_people_decide_and_what_they_approve_is_what_runs(hooked: Door) -> None:
    core = hooked.core
    with hooked.client() as hook, callers() as begun:
        asked = event(tool_input={"command": "rm -r build", "description": "Clean up"})
        held = begun.call(hook, "POST", CLAUDE_CODE, json=asked)
        [one] = waiting(core)
        wait_for_waits(hooked, 1)
        found = core.store.get(one)
        assert found is not None and found.action == "shell.run"
        assert (found.request.key, found.request.run) == ("claude-code:s1:toolu_1", "s1")
        assert found.request.reason == "Clean up" and found.request.context["folder"] == "/work"
        core.approvals.decide(
            one, 1, "U0ANA", "approve", reason="Only that",
            payload={"command": "rm -r build/tmp", "description": "Clean up"},
        )  # fmt: skip
        answer = held.result(20)
        decided = said(answer)
        assert answer.text.startswith(" "), "white space has kept the connection"
        assert decided["permissionDecision"] == "allow"
        assert decided["updatedInput"] == {"command": "rm -r build/tmp", "description": "Clean up"}
        for part in (
            "ana approved this call with changes",
            '"rm -r build/tmp"',
            "ana says about it: Only that",
        ):
            assert part in decided["additionalContext"]
        assert core.approvals.get(one).spent_at is not None
        # The same call again is another's by now; the same id of another call is none of it.
        denied(hook.post(CLAUDE_CODE, json=asked), "under this approval it runs already, or has run")
        denied(hook.post(CLAUDE_CODE, json=event()), "the request is not valid")
        # What has run is told, once.
        for name in ("PostToolUse", "PostToolUseFailure"):
            ran = event(name, tool_input=decided["updatedInput"], tool_response={"stdout": "x" * 2_000_000})
            assert hook.post(CLAUDE_CODE, json=ran).json() == {}
        outcome = core.approvals.get(one).outcome
        assert outcome is not None and outcome.succeeded
        wait_for_waits(hooked, 0)


def test_each_ending_reads_differently(hooked: Door) -> None:
    core = hooked.core
    with hooked.client() as hook, callers() as begun:
        asked = [event(call=f"t{n}", tool_input={"command": f"date {n}"}) for n in range(3)]
        held = [begun.call(hook, "POST", CLAUDE_CODE, json=one) for one in asked]
        waiting(core, 3)
        wait_for_waits(hooked, 3)
        first, _, third = [of_key(core, f"claude-code:s1:t{n}").id for n in range(3)]
        core.approvals.decide(first, 1, "U0BEN", "reject", reason="Not today")
        core.approvals.cancel("billing-bot", of_key(core, "claude-code:s1:t1").request_id, "Not needed")
        with core.store.transaction() as connection:
            connection.exec_driver_sql(f"UPDATE approval SET expires_at = created_at WHERE id = '{third}'")
        core.approvals.expire(third)
        rejected, cancelled, expired = [one.result(20) for one in held]
        denied(rejected, "shell.run was not run: ben rejected it. Reason: Not today. This answer is final")
        denied(cancelled, "the request was withdrawn. Reason: Not needed.")
        denied(expired, "nobody answered in time. This is not a rejection.")
        denied(hook.post(CLAUDE_CODE, json=event(tool="WebSearch", call="w")), "the policy blocks it")
        # What needs nobody is answered at once, is spent, and tells the model nothing.
        allowed = said(hook.post(CLAUDE_CODE, json=event(tool="Read", tool_input={"file_path": "/a"})))
        assert allowed == {
            "hookEventName": "PreToolUse", "permissionDecision": "allow", "updatedInput": {"file_path": "/a"},
        }  # fmt: skip
        # A permission's prompt has no id: each is a request of its own, and answered in its own way.
        prompt = event("PermissionRequest", call=None, tool="Read", tool_input={"file_path": "/a"})
        for _ in range(2):
            assert said(hook.post(CLAUDE_CODE, json=prompt)) == {
                "hookEventName": "PermissionRequest",
                "decision": {"behavior": "allow", "updatedInput": {"file_path": "/a"}},
            }
        blocked = said(hook.post(CLAUDE_CODE, json=event("PermissionRequest", call=None, tool="WebSearch")))
        assert blocked["decision"]["behavior"] == "deny" and "policy" in blocked["decision"]["message"]
        # What another hook made of an input that was approved is reported as it is.
        ran = event("PostToolUse", tool="Read", tool_input={"file_path": "/b"})
        assert hook.post(CLAUDE_CODE, json=ran).json() == {}
        outcome = of_key(core, "claude-code:s1:toolu_1").outcome
        assert outcome is not None and not outcome.succeeded and "not what was approved" in outcome.note


def test_every_fault_is_a_denial(hooked: Door) -> None:
    core = hooked.core
    revoked = hooked.add("billing-bot", "hook")
    tokens.revoke(core.store, revoked.split("_")[1])
    good = json.dumps(event()).encode()
    kind = {"Content-Type": "application/json"}
    for given in ("", "Bearer", "Bearer x", f"Bearer {revoked}", f"Bearer {hooked.add('billing-bot')}"):
        with httpx.Client(base_url=hooked.url, headers={"Authorization": given}, trust_env=False) as other:
            denied(other.post(CLAUDE_CODE, content=good, headers=kind), "the hook's token is not taken")
            denied(other.post(CLAUDE_CODE, content=b"x" * 20_000_000, headers=kind), "was not run")
    spoofed = {"hook_event_name": "PostToolUse"}
    for body, headers, text in (
        (b"", kind, "could not be read"),
        (good[:-20], kind, "could not be read"),
        (b"[]", kind, "could not be read"),
        (b"null", kind, "could not be read"),
        (b"\xff" + good, kind, "could not be read"),
        (good, {"Content-Type": "text/plain"}, "could not be read"),
        (good, kind | {"Content-Encoding": "gzip"}, "could not be read"),
        (b"[" * 100_000, kind, "could not be read"),
        (b"x" * 9_000_000, kind, "too large"),
        (json.dumps(event(tool_input={"content": "x" * 700_000})).encode(), kind, "the request is not valid"),
        (json.dumps(event(tool_input={"n": 2**60})).encode(), kind, "the request is not valid"),
        (json.dumps(event(tool_input={"n": "\ud800"})).encode(), kind, "the request is not valid"),
        (json.dumps(event(tool_input={"n": list(range(11_000))})).encode(), kind, "the request is not valid"),
        (good[:-1] + b', "tool_name": "Read"}', kind, "could not be read"),
        (good[:-1] + b', "hook_event_name": "Stop"}', kind, "could not be read"),
        (json.dumps(event("PreToolUse2")).encode(), kind, "could not be read"),
        (json.dumps(event("pretooluse")).encode(), kind, "could not be read"),
        (json.dumps(event("PreSkillShellCommand")).encode(), kind, "could not be read"),
        (json.dumps(event(tool_input="date")).encode(), kind, "could not be read"),
        (json.dumps(event(tool_name=None)).encode(), kind, "could not be read"),
        (json.dumps(event(session_id=None)).encode(), kind, "could not be read"),
        (json.dumps(event(call=None)).encode(), kind, "could not be read"),
        (json.dumps(event(name=None, tool_input=spoofed)).encode(), kind, "could not be read"),
        (json.dumps(event(tool_input=spoofed)).encode()[:-5], kind, "could not be read"),
    ):  # fmt: skip
        with hooked.client() as hook:
            denied(hook.post(CLAUDE_CODE, content=body, headers=headers), text)
    with hooked.client() as hook:
        denied(hook.post(f"{CLAUDE_CODE}/", json=event()), "the hook calls another address")
        for wrong in ("", "x", "-1", "99999999", "1.5"):
            denied(hook.post(f"{CLAUDE_CODE}?defer={wrong}", json=event()), "the request is not valid")
        # Events that decide nothing are answered so, whatever is wrong with them.
        assert hook.post(CLAUDE_CODE, json=event("SessionStart", tool_input=None)).json() == {}
        assert hook.post(CLAUDE_CODE, json=event("PostToolUse", tool_input={"n": 2**60})).json() == {}
        assert hook.post(CLAUDE_CODE, json=event("PostToolUse", call="nobody's")).json() == {}
    assert not core.store.waiting()


def test_what_its_address_says_of_the_event_is_how_a_fault_is_told(hooked: Door) -> None:
    """Before an event is read nothing else tells; what has run is never told as not run."""
    core = hooked.core
    large = json.dumps(event("PostToolUse", tool_response="x" * 9_000_000)).encode()
    json_kind, strange = {"Content-Type": "application/json"}, {"Authorization": "Bearer nope"}
    with hooked.client() as hook:
        for name in ("PostToolUse", "PostToolUseFailure", "PermissionRequest"):
            for more, body in ((strange, b"{}"), ({}, large), ({}, b"{")):
                found = hook.post(f"{CLAUDE_CODE}?event={name}", content=body, headers={**json_kind, **more})
                assert found.status_code == 200
                if name == "PermissionRequest":
                    assert found.json()["hookSpecificOutput"]["decision"]["behavior"] == "deny"
                else:
                    assert found.json() == {}
        # It says nothing of what may run: the event itself does.
        asked = event(tool="WebSearch", call="w")
        denied(hook.post(f"{CLAUDE_CODE}?event=PostToolUse", json=asked), "the policy blocks it")
        # A prompt cannot be put off: it is withdrawn, and told so.
        prompt = event("PermissionRequest", call=None)
        late = said(hook.post(f"{CLAUDE_CODE}?event=PermissionRequest&defer=0", json=prompt))["decision"]
        assert late["behavior"] == "deny" and "Nobody decided in time" in late["message"]
        assert "resume" not in late["message"] and not core.store.waiting()


def test_who_sends_too_much_or_too_slowly_is_denied(core: Core, redis_url: str) -> None:
    bounds = {"hub": {"most_of_one": 1}, "rates": Rates(per_minute=3), "body_seconds": 0.2}
    with opened(core, redis_url, **bounds) as door:
        door.token = door.add("billing-bot", "hook")
        with socket.create_connection(("127.0.0.1", int(door.url.rpartition(":")[2]))) as slow:
            head = f"POST {CLAUDE_CODE} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {door.token}\r\n"
            slow.sendall(f"{head}Content-Length: 500\r\nContent-Type: application/json\r\n\r\n{{".encode())
            told = b"".join(iter(lambda: slow.recv(65536), b""))
        assert told.startswith(b"HTTP/1.1 200") and b'"permissionDecision": "deny"' in told
        assert b"came too slowly" in told
        with door.client() as hook, callers() as begun:
            held = begun.call(hook, "POST", CLAUDE_CODE, json=event())
            wait_for_waits(door, 1)
            for _ in range(3):
                denied(hook.post(CLAUDE_CODE, json=event(call="other")), "too much was asked for at once")
            core.approvals.decide(waiting(core)[0], 1, "U0ANA", "approve")
            assert said(held.result(20))["permissionDecision"] == "allow"


def test_who_hangs_up_withdraws_it_and_a_stopping_server_denies(core: Core, redis_url: str) -> None:
    with opened(core, redis_url) as door:
        door.token = door.add("billing-bot", "hook")
        body = json.dumps(event()).encode()
        head = f"POST {CLAUDE_CODE} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {door.token}\r\n"
        head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        port = int(door.url.rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port)) as gone:
            gone.sendall(head.encode() + body)
            [one] = waiting(core)
            wait_for_waits(door, 1)
        eventually(lambda: not core.approvals.get(one).pending)
        ended = core.approvals.get(one)
        assert (ended.status, ended.reason) == ("cancelled", ABANDONED)
        wait_for_waits(door, 0)
        with door.client() as hook, callers() as begun:
            held = begun.call(hook, "POST", CLAUDE_CODE, json=event())  # the same call again: asked anew
            [again] = waiting(core)
            assert again != one and core.approvals.get(again).request.key == "claude-code:s1:toolu_1#2"
            wait_for_waits(door, 1)
            door.doors.hub.end()
            denied(held.result(20), "those who approve cannot be reached now")
            assert core.approvals.get(again).reason == ABANDONED


def test_a_token_that_is_revoked_meanwhile_runs_nothing(hooked: Door) -> None:
    core = hooked.core
    with hooked.client() as hook, callers() as begun:
        held = begun.call(hook, "POST", CLAUDE_CODE, json=event())
        [one] = waiting(core)
        wait_for_waits(hooked, 1)
        tokens.revoke(core.store, hooked.token.split("_")[1])
        core.approvals.decide(one, 1, "U0ANA", "approve")
        denied(held.result(20), "the hook's token is not taken")
        assert core.approvals.get(one).spent_at is None


def test_a_call_is_deferred_and_found_again(hooked: Door) -> None:
    core = hooked.core
    with hooked.client() as hook:
        for defer in (0, 1):
            found = said(hook.post(f"{CLAUDE_CODE}?defer={defer}", json=event()))
            assert found["permissionDecision"] == "defer"
        [one] = waiting(core)
        core.approvals.decide(one, 1, "U0ANA", "approve")
        assert said(hook.post(f"{CLAUDE_CODE}?defer=0", json=event()))["permissionDecision"] == "allow"
        prompt = event("PermissionRequest", call=None)
        answer = said(hook.post(f"{CLAUDE_CODE}?defer=0", json=prompt))
        assert answer["decision"]["behavior"] == "deny"


class TestOutages:
    """What it stands on goes away."""

    @pytest.fixture
    def redis_url(self, own_redis: RedisServer) -> str:
        """One that may be stopped."""
        return own_redis.url

    def test_nothing_runs_while_redis_or_the_database_is_away(
        self, core: Core, own_redis: RedisServer, redis_url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        away = "those who approve cannot be reached now"
        with opened(core, redis_url) as door:
            door.token = door.add("billing-bot", "hook")
            with door.client() as hook, callers() as begun:
                held = begun.call(hook, "POST", CLAUDE_CODE, json=event())
                [one] = waiting(core)
                eventually(lambda: is_waited_for(door, core.approvals.get(one).request_id))
                own_redis.stop(kill=True)
                denied(hook.post(CLAUDE_CODE, json=event(call="t2", tool_input={"command": "ls"})), away)
                eventually(lambda: len(core.store.waiting()) == 1)  # what was denied is not asked any more
                own_redis.start()
                core.approvals.decide(one, 1, "U0ANA", "approve")  # an outage is waited for
                assert said(held.result(40))["permissionDecision"] == "allow"

                def gone(*_: object, **__: object) -> None:
                    raise OperationalError("SELECT secret", {}, Exception("sqlite"))

                monkeypatch.setattr(core.approvals, "submit", gone)
                denied(hook.post(CLAUDE_CODE, json=event(call="t3")), away)
                monkeypatch.setattr(core.store, "reading", gone)
                denied(hook.post(CLAUDE_CODE, json=event(call="t4")), "was not run")
                assert hook.post(CLAUDE_CODE, json=event("PostToolUse")).status_code == 200
