"""`signoff hook claude-code`, as Claude Code starts it: another process, with an event on its stdin."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import redis
from sqlalchemy import text as sql
from support import Core, RedisServer, eventually, intake_of

from signoff.adapters.claude_code.request import build
from signoff.client.ask import build_request
from signoff.errors import Invalid
from signoff.models import tool_calls
from signoff.models.approval import Approval
from signoff.queue import acl, names
from signoff.signatures import Signer

SESSION = "6b80dac9-98c0-4d03-82ff-46af888bedf4"
BASH = {"command": "rm -rf cache", "description": "Make room"}
EVENT = {
    "session_id": SESSION,
    "cwd": "/home/ana/shop",
    "permission_mode": "default",
    "hook_event_name": "PreToolUse",
    "tool_name": "Bash",
    "tool_input": BASH,
    "tool_use_id": "toolu_01",
}
POLICY = """
rules:
  - name: reads
    match: {action: [file.read]}
    verdict: allow
  - name: searches
    match: {action: [web.search]}
    verdict: block
"""
SECONDS = 60
AGENT = "billing-bot"


@pytest.fixture(params=["sqlite"])
def database_url(request: pytest.FixtureRequest, tmp_path: Any) -> str:
    """These tests are about the hook: one database will do."""
    return f"sqlite:///{tmp_path / 'signoff.db'}"


@pytest.fixture
def served(core: Core, redis_url: str) -> Iterator[Core]:
    """A server whose policy lets files be read, and asks for the rest."""
    core.follow(POLICY)
    with intake_of(core, redis_url, AGENT):
        yield core


class Hook:
    """The hook of one user, with the settings of a server in their environment, and in a file of theirs."""

    def __init__(self, core: Core, redis_url: str, folder: Path) -> None:
        self.core = core
        self.settings = {
            "SIGNOFF_REDIS_URL": redis_url,
            "SIGNOFF_AGENT": AGENT,
            "SIGNOFF_VERIFY_KEY": core.signer.verify_key,
        }
        self.home = folder
        self.file = folder / "hook.env"
        self.file.write_text("".join(f"{name}={value}\n" for name, value in self.settings.items()))
        self.file.chmod(0o600)

    def start(self, *words: str, env: Mapping[str, str] | None = None) -> subprocess.Popen[bytes]:
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.home)}
        environment |= self.settings if env is None else env
        return subprocess.Popen(
            [sys.executable, "-I", "-m", "signoff", "hook", "claude-code", *words], env=environment,
            cwd=self.home, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    def begin(self, event: Any, *words: str) -> subprocess.Popen[bytes]:
        """The same, and told an event."""
        process = self.start(*words)
        assert process.stdin is not None
        process.stdin.write(json.dumps(event).encode())
        process.stdin.close()
        process.stdin = None
        return process

    def run(self, event: Any, *words: str, env: Mapping[str, str] | None = None) -> tuple[int, Any, str]:
        """Exit code, answer and what stands on stderr; `event` is sent as it is where it is bytes."""
        text = event if isinstance(event, bytes) else json.dumps(event).encode()
        process = self.start(*words, env=env)
        out, err = process.communicate(text, SECONDS)
        return process.returncode, json.loads(out) if out else None, err.decode()

    def approval(self, call: str = "toolu_01") -> Approval:
        """What was asked for this call, as soon as it has arrived."""
        request = build(tool_calls.read({**EVENT, "tool_use_id": call}), AGENT, None)
        found: Approval = eventually(lambda: self.core.store.find(AGENT, request.id))
        return found

    def agents(self) -> list[str]:
        """Whose requests there are."""
        with self.core.store.reading() as connection:
            return list(connection.execute(sql("SELECT agent FROM approval")).scalars())

    def decide(self, answer: Any = "approve", **said: Any) -> None:
        self.core.approvals.decide(self.approval().id, 1, "U0ANA", answer, **said)


@pytest.fixture
def hook(served: Core, redis_url: str, tmp_path: Path) -> Hook:
    return Hook(served, redis_url, tmp_path)


def ended(process: subprocess.Popen[bytes]) -> tuple[int, dict[str, Any]]:
    out, err = process.communicate(timeout=SECONDS)
    return process.returncode, json.loads(out)["hookSpecificOutput"] if out else {"stderr": err.decode()}


def test_what_the_policy_decides_is_answered_at_once_and_runs_once(hook: Hook) -> None:
    read = {**EVENT, "tool_name": "Read", "tool_input": {"file_path": "/home/ana/shop/README.md"}}
    assert hook.run(read) == (0, tool_calls.allowed("PreToolUse", read["tool_input"]), "")
    code, again, _ = hook.run(read)
    denied = again["hookSpecificOutput"]
    assert code == 0 and denied["permissionDecision"] == "deny"
    assert "file.read was not run" in denied["permissionDecisionReason"]
    code, blocked, _ = hook.run({**EVENT, "tool_name": "WebSearch", "tool_use_id": "toolu_02"})
    assert blocked["hookSpecificOutput"]["permissionDecision"] == "deny" and code == 0
    assert "the policy blocks it" in blocked["hookSpecificOutput"]["permissionDecisionReason"]
    prompt = {**read, "hook_event_name": "PermissionRequest"}
    del prompt["tool_use_id"]
    for _ in range(2):  # each prompt is one of its own
        assert hook.run(prompt)[1] == tool_calls.allowed("PermissionRequest", read["tool_input"])


def test_a_person_edits_what_runs_and_the_model_is_told(hook: Hook) -> None:
    waiting = hook.begin(EVENT)
    assert hook.approval().request.reason == "Make room"
    hook.decide(payload={"command": "rm -r cache/old"}, reason="Only the old ones.")
    code, said = ended(waiting)
    assert code == 0 and said["permissionDecision"] == "allow"
    assert said["updatedInput"] == {"command": "rm -r cache/old"}
    told = said["additionalContext"]
    assert (
        'command was "rm -rf cache" and is now "rm -r cache/old"' in told
        and "description was removed" in told
    )
    assert "ana" in told and "Only the old ones." in told
    again = hook.run(EVENT)[1]["hookSpecificOutput"]
    assert again["permissionDecision"] == "deny"  # it was spent: nothing runs twice


def test_what_became_of_a_call_is_told_by_its_key(hook: Hook) -> None:
    outcomes = []
    for call, event, ran in (
        ("toolu_01", "PostToolUse", {"command": "rm -r cache/old"}),
        ("toolu_02", "PostToolUseFailure", {"command": "rm -r cache/old"}),
        ("toolu_03", "PostToolUse", BASH),  # another hook has had the last word
    ):
        waiting = hook.begin({**EVENT, "tool_use_id": call})
        approval = hook.approval(call)
        hook.core.approvals.decide(approval.id, 1, "U0ANA", "approve", payload={"command": "rm -r cache/old"})
        assert ended(waiting)[1]["permissionDecision"] == "allow"
        after = {**EVENT, "hook_event_name": event, "tool_use_id": call, "tool_input": ran}
        assert hook.run({**after, "tool_response": {"stdout": ""}}) == (0, None, "")
        outcomes.append(eventually(lambda: hook.core.store.get(approval.id).outcome))  # noqa: B023
    assert [one.succeeded for one in outcomes] == [True, False, False]
    assert outcomes[2].note == tool_calls.OTHER_INPUT and outcomes[1].note == ""
    unasked = {**EVENT, "hook_event_name": "PostToolUse", "tool_use_id": "toolu_99"}
    assert hook.run(unasked) == (0, None, "")


def test_a_no_reaches_the_model_with_its_reason(hook: Hook) -> None:
    waiting = hook.begin(EVENT)
    hook.decide("reject", reason="The cache is in use")
    code, said = ended(waiting)
    assert (code, said["permissionDecision"]) == (0, "deny")
    assert said["permissionDecisionReason"].startswith("shell.run was not run: ana rejected it.")
    assert "The cache is in use" in said["permissionDecisionReason"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_hook_that_is_ended_denies_and_withdraws(hook: Hook, number: int) -> None:
    waiting = hook.begin(EVENT)
    approval = hook.approval()
    waiting.send_signal(number)
    code, said = ended(waiting)
    assert code == 2 and "Its request is withdrawn" in said["stderr"]
    found = eventually(lambda: _ended(hook.core, approval.id))
    assert found.status == "cancelled"


def _ended(core: Core, approval_id: str) -> Approval | None:
    found = core.store.get(approval_id)
    return found if found and not found.pending else None


def test_what_nobody_decides_in_time_is_denied_or_put_off(hook: Hook) -> None:
    code, said, _ = hook.run(EVENT, "--wait", "1")
    denied = said["hookSpecificOutput"]
    assert code == 0 and denied["permissionDecision"] == "deny"
    assert "This is not a rejection" in denied["permissionDecisionReason"]
    later = {**EVENT, "tool_use_id": "toolu_02"}
    for _ in range(2):  # a run that is resumed attaches to what it has asked
        code, said, _ = hook.run(later, "--wait=1", "--defer")
        assert code == 0 and said["hookSpecificOutput"]["permissionDecision"] == "defer"
    hook.core.approvals.decide(hook.approval("toolu_02").id, 1, "U0ANA", "approve")
    assert hook.run(later, "--wait=1", "--defer")[1] == tool_calls.allowed("PreToolUse", BASH)
    prompt = {**EVENT, "hook_event_name": "PermissionRequest"}
    said = hook.run(prompt, "--wait=1", "--defer")[1]["hookSpecificOutput"]
    assert said["decision"]["behavior"] == "deny"  # no prompt can be put off


BROKEN: dict[str, bytes] = {
    "nothing": b"",
    "half": json.dumps(EVENT).encode()[:-20],
    "list": b"[]",
    "no tool": json.dumps({**EVENT, "tool_name": None}).encode(),
    "no input": json.dumps({**EVENT, "tool_input": "rm"}).encode(),
    "another event": json.dumps({**EVENT, "hook_event_name": "Stop"}).encode(),
    "twice": b'{"tool_name": "Read", ' + json.dumps(EVENT).encode()[1:],
    "deep": b'{"a": ' * 100_000,
    "huge": b" " * (17 * 1024 * 1024),
    "no text": b"\xff\xfe\x00",
}


def test_what_cannot_be_read_is_denied(hook: Hook) -> None:
    for name, text in BROKEN.items():
        code, said, err = hook.run(text)
        assert (code, said) == (2, None) and "was not run" in err, name
        assert "Traceback" not in err and "6379" not in err and str(hook.home) not in err, name
    assert hook.agents() == []


def test_what_has_run_is_never_told_as_not_run(hook: Hook) -> None:
    read = {**EVENT, "tool_name": "Read"}
    assert hook.run(read)[0] == 0
    after = {**read, "hook_event_name": "PostToolUse"}
    for words in ((), ("--after",)):  # what the tool gave may be large, and no payload of ours
        large = {**after, "tool_response": {"text": "x" * (17 << 20), "n": 2**60, "half": "\ud800"}}
        assert hook.run(large, *words) == (0, None, "")
    with hook.core.store.reading() as connection:
        found = str(connection.exec_driver_sql("SELECT id FROM approval").scalar_one())
    outcome = eventually(lambda: hook.core.approvals.get(found).outcome)
    assert outcome.succeeded
    start = json.dumps(after).encode()[:-1] + b', "tool_response": '
    for text in (start + b"[" * 100_000 + b"]" * 100_000 + b"}", start, b""):
        assert hook.run(text, "--after") == (0, None, "")
        code, _, err = hook.run(text)  # by hand, without that word: it may be any event
        assert code == 2 and "cannot tell what Claude Code asked" in err


def test_a_call_that_cannot_travel_is_denied_in_words_for_a_model(hook: Hook) -> None:
    for text in ({"command": "x" * 10_000_000}, {"command": 2**60}, {"command": "\udfff"}, {"a": "\0"}):
        code, said, _ = hook.run({**EVENT, "tool_input": text})
        denied = said["hookSpecificOutput"]
        assert code == 0 and denied["permissionDecision"] == "deny"
        assert "shell.run was not run: the request is not valid." in denied["permissionDecisionReason"]
    assert hook.agents() == []


def test_every_fault_denies_with_2_and_tells_no_place(hook: Hook, tmp_path: Path) -> None:
    stranger = Signer.generate().verify_key
    read = {**EVENT, "tool_name": "Read"}
    loose, relative = tmp_path / "loose.env", "hook.env"
    loose.write_text(hook.file.read_text())
    loose.chmod(0o666)
    partial = tmp_path / "partial.env"
    partial.write_text("SIGNOFF_REDIS_URL=redis://127.0.0.1:1\n")
    partial.chmod(0o600)
    faults: list[tuple[list[str], dict[str, str]]] = [
        ([], {**hook.settings, "SIGNOFF_VERIFY_KEY": stranger}),
        ([], {**hook.settings, "SIGNOFF_DEPLOYMENT": "elsewhere"}),
        ([], {**hook.settings, "SIGNOFF_REDIS_URL": "redis://127.0.0.1:1"}),
        ([], {**hook.settings, "SIGNOFF_REDIS_URL": "http://127.0.0.1:1"}),
        ([], {}),
        (["--env-file", str(loose)], hook.settings),
        (["--env-file", relative], hook.settings),
        (["--env-file", str(partial)], hook.settings),
        (["--env-file", "/nowhere"], hook.settings),
        (["--env-file"], hook.settings),
        (["--wait", "long"], hook.settings),
        (["--nonsense"], hook.settings),
    ]
    for words, env in faults:
        code, said, err = hook.run(read, *words, env=env)
        assert (code, said) == (2, None), (words, env)
        assert "was not run" in err and "127.0.0.1" not in err and str(tmp_path) not in err, err
        assert "Traceback" not in err
        after = {**read, "hook_event_name": "PostToolUse"}  # it has run: nothing is there to be denied
        assert words or hook.run(after, env=env)[:2] == (0, None)


def test_a_project_cannot_point_a_hook_to_a_server_of_its_own(
    hook: Hook, redis_url: str, tmp_path: Path
) -> None:
    """Claude Code hands a project's `env` on to hooks; theirs would allow everything."""
    evil = tmp_path / "project"
    (evil / "signoff").mkdir(parents=True)
    for name in ("signoff/__init__.py", "sitecustomize.py", "usercustomize.py", "hiredis.py", "json.py"):
        (evil / name).write_text('import os\nprint("{}")\nos._exit(0)\n')
    (evil / ".env").write_text("SIGNOFF_REDIS_URL=redis://127.0.0.1:1\n")
    env = {
        "SIGNOFF_REDIS_URL": "redis://127.0.0.1:1",
        "SIGNOFF_VERIFY_KEY": Signer.generate().verify_key,
        "SIGNOFF_AGENT": "theirs",
        "SIGNOFF_AGENT_SECRET": "theirs",
        "SIGNOFF_DEPLOYMENT": "theirs",
        "SIGNOFF_DATA": str(evil),
        "XDG_DATA_HOME": str(evil),
        "CLAUDE_PROJECT_DIR": str(evil),
        "PYTHONPATH": str(evil),
        "PYTHONSTARTUP": str(evil / "json.py"),
        "PYTHONHOME": str(evil),
    }
    hook.home = evil
    read = {**EVENT, "tool_name": "Read", "cwd": str(evil)}
    allowed = tool_calls.allowed("PreToolUse", BASH)
    assert hook.run(read, "--env-file", str(hook.file), env=env) == (0, allowed, "")
    assert hook.agents() == [AGENT]


@pytest.mark.parametrize("tool", ["Bash", "Read", "Write", "mcp__shop__refund"])
def test_what_is_asked_is_what_the_client_asks(tool: str, monkeypatch: pytest.MonkeyPatch) -> None:
    text = {
        "command": "grep ü",
        "n": 1.0,
        "b": {"z": [1.5, None, True], "a": ""},
        "description": "Why: because",
    }
    call = tool_calls.read({**EVENT, "tool_name": tool, "tool_input": text, "agent_type": "Explore"})
    for secret in (None, "s3cret"):
        mine = build(call, AGENT, secret)
        theirs, body, digest = build_request(
            AGENT,
            call.action,
            call.payload,
            {**call.claims, "key": call.key},
            secret,  # type: ignore[typeddict-item]
        )
        assert (mine.id, mine.digest) == (str(theirs.id), digest)
        assert json.loads(mine.body) == json.loads(body)
        assert list(json.loads(mine.body)["payload"]) == list(json.loads(body)["payload"])
    with pytest.raises(Invalid):
        build(tool_calls.read({**EVENT, "tool_input": {"n": 2**53}}), AGENT, None)


def test_the_policy_of_the_page_is_one(core: Core) -> None:
    page = (Path(__file__).parents[2] / "docs/adapters/claude-code.md").read_text(encoding="utf-8")
    _, _, policy = page.partition("```yaml\n")[2].partition("```")[0].partition("version: 1\n")
    core.follow(policy)
    for tool, told in (("Read", "approved"), ("Bash", "pending"), ("ToolSearch", "approved")):
        action = tool_calls.action_of(tool)
        assert core.submit(action=action, payload={"command": "make"}).status == told, tool
    assert core.submit(action="shell.run", payload={"command": "make test"}).status == "approved"


def test_the_short_road_loads_neither_pydantic_nor_redis_py() -> None:
    program = (
        "import sys; from signoff.adapters.claude_code import hook; "
        "sys.argv[1:] = ['hook', 'claude-code']; import signoff.cli.entry; print(*sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    loaded = {name.partition(".")[0] for name in run.stdout.split()}
    assert loaded.isdisjoint(
        {"pydantic", "redis", "jwt", "asyncio", "argparse", "jsonschema_rs", "ssl", "logging"}
    )
    assert {"hiredis", "cryptography"} <= loaded


class TestOwnRedis:
    """A Redis with users, which goes away and comes back."""

    @pytest.fixture
    def urls(self, own_redis: RedisServer) -> dict[str, str]:
        return own_redis.give_users(AGENT)

    @pytest.fixture
    def redis_url(self, urls: dict[str, str]) -> str:
        return urls[acl.SERVER]

    def test_an_agents_rights_are_enough_and_a_restart_is_waited_out(
        self, served: Core, own_redis: RedisServer, urls: dict[str, str], tmp_path: Path
    ) -> None:
        hook = Hook(served, urls[AGENT], tmp_path)
        read = {**EVENT, "tool_name": "Read", "tool_use_id": "toolu_02"}
        assert hook.run(read) == (0, tool_calls.allowed("PreToolUse", BASH), "")
        assert hook.run({**read, "hook_event_name": "PostToolUse"})[0] == 0
        waiting = hook.begin(EVENT)
        hook.approval()
        with redis.Redis.from_url(urls[acl.ADMIN]) as admin:
            channel = names.notification(AGENT, build(tool_calls.read(EVENT), AGENT, None).id)
            eventually(lambda: admin.pubsub_numsub(channel)[0][1])  # the client waits, the short road is over
            users = b"\n".join(admin.execute_command("ACL", "LIST"))
        (tmp_path / "users.acl").write_bytes(users + b"\n")
        own_redis.stop(kill=True)
        own_redis.start("--aclfile", str(tmp_path / "users.acl"))
        hook.decide()
        assert ended(waiting)[1]["permissionDecision"] == "allow"
