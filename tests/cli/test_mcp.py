"""`signoff mcp` and `signoff mcp gate` as a client starts them, with a server of Signoff beside."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from cli.test_agent import approve, only, reject
from cli.test_run import reported
from support import Core, eventually

from signoff.cli.main import main

pytestmark = [pytest.mark.usefixtures("intake", "agent_env"), pytest.mark.served]

TILL = """
import json, os, sys
print("a stray print, on stderr", file=sys.stderr)
open("pid", "w").write(str(os.getpid()))
open("environment", "w").write(json.dumps(dict(os.environ)))
tool = {"name": "refund", "inputSchema": {"type": "object", "properties": {"amount": {"type": "integer"}}}}
for line in sys.stdin:
    message = json.loads(line)
    method, params = message.get("method"), message.get("params", {})
    if "id" not in message:
        continue
    result = {}
    if method == "initialize":
        result = {"protocolVersion": "2025-11-25", "capabilities": {}, "serverInfo": {"name": "till"}}
    if method == "tools/list":
        result = {"tools": [tool]}
    if method == "tools/call":
        open("ran", "a").write(json.dumps(params["arguments"]) + "\\n")
        result = {"content": [{"type": "text", "text": "done"}]}
    if method == "die":
        os._exit(7)
    print(json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": result}), flush=True)
"""


class Talk:
    """A client of a command, by its lines."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self._id = 0

    def ask(self, method: str, **params: Any) -> None:
        self._id += 1
        message = {"jsonrpc": "2.0", "id": self._id, "method": method, "params": params}
        assert self.process.stdin
        self.process.stdin.write(json.dumps(message) + "\n")
        self.process.stdin.flush()

    def answer(self) -> Any:
        assert self.process.stdout
        return json.loads(self.process.stdout.readline())

    def request(self, method: str, **params: Any) -> Any:
        self.ask(method, **params)
        found = self.answer()
        return found.get("result", found)

    def begin(self) -> Any:
        asked = {
            "protocolVersion": "2025-11-25",
            "capabilities": {},
            "clientInfo": {"name": "t", "version": "1"},
        }
        began = self.request("initialize", **asked)
        assert self.process.stdin
        self.process.stdin.write('{"jsonrpc":"2.0","method":"notifications/initialized"}\n')
        return began


@contextmanager
def started(*words: str) -> Iterator[Talk]:
    command = [sys.executable, "-m", "signoff", "mcp", *words]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, umask=0o022
    )
    try:
        yield Talk(process)
    finally:
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout, process.stderr):
            with suppress(BrokenPipeError):
                stream.close()  # type: ignore[union-attr]


@pytest.fixture
def till(tmp_path: Path) -> tuple[str, ...]:
    (tmp_path / "till.py").write_text(TILL)
    return ("gate", "--", sys.executable, str(tmp_path / "till.py"))


def is_alive() -> bool:
    try:
        os.kill(int(Path("pid").read_text()), 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{Path('pid').read_text()}/stat").read_text().split()[2] != "Z"


def test_the_gate_runs_what_was_approved_and_ends_with_its_client(
    core: Core, till: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIGNOFF_AGENT_SECRET", "s" * 40)
    monkeypatch.setenv("COPIED", "s" * 40)
    with started(*till) as talk:
        assert talk.begin()["serverInfo"]["name"] == "till"
        talk.ask("tools/call", name="refund", arguments={"amount": 120})
        asked = eventually(lambda: only(core))
        assert (asked.action, json.loads(asked.payload_text)) == ("till.refund", {"amount": 120})
        assert not Path("ran").exists()
        approve(core, payload={"amount": 80})(asked)
        result = talk.answer()["result"]
        assert "amount was 120 and is now 80" in result["content"][1]["text"]
        assert Path("ran").read_text() == '{"amount": 80}\n'
        assert Path("ran").stat().st_mode & 0o777 == 0o644  # the server is the user's, as without the gate
        one = reported(core)
        assert one.outcome and one.outcome.succeeded
        assert talk.process.stdin
        talk.process.stdin.close()
        assert talk.process.wait(30) == 0 and not is_alive()
    theirs = json.loads(Path("environment").read_text())
    assert "COPIED" not in theirs and not [name for name in theirs if name.startswith("SIGNOFF_")]


def test_the_tools_that_are_told_to_stop_withdraw_what_they_wait_for(core: Core) -> None:
    with started() as talk:
        talk.begin()
        asked = {"action": "refund.create", "payload": {"amount": 1}, "reason": "Ticket 991"}
        talk.ask("tools/call", name="request_approval", arguments=asked)
        one = eventually(lambda: only(core))
        talk.process.send_signal(signal.SIGTERM)
        assert talk.process.wait(30) == 0
        eventually(lambda: core.approvals.get(one.id).status == "cancelled")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_gate_that_is_told_to_stop_withdraws_and_ends_its_server(
    core: Core, till: tuple[str, ...], number: signal.Signals
) -> None:
    with started(*till) as talk:
        talk.begin()
        talk.ask("tools/call", name="refund", arguments={"amount": 120})
        asked = eventually(lambda: only(core))
        talk.process.send_signal(number)
        assert talk.process.wait(30) == 0 and not is_alive()
        assert eventually(lambda: core.approvals.get(asked.id).status != "pending")
        assert core.approvals.get(asked.id).status == "cancelled" and not Path("ran").exists()


def test_a_client_that_goes_is_seen_while_its_server_reads_nothing(core: Core) -> None:
    with started("gate", "--", "sleep", "300") as talk:
        for _ in range(3):  # more than a pipe holds
            talk.ask("ping", filler="y" * 300_000)
        assert talk.process.stdin
        talk.process.stdin.close()
        assert talk.process.wait(30) == 0


def test_a_server_that_dies_ends_the_gate(core: Core, till: tuple[str, ...]) -> None:
    with started(*till) as talk:
        talk.begin()
        talk.ask("die")
        assert "nobody knows how far" in talk.answer()["error"]["message"]
        assert talk.process.wait(30) == 1
        assert talk.process.stderr and "the MCP server has ended" in talk.process.stderr.read()


def test_the_tools_of_signoff_mcp_are_served(core: Core) -> None:
    with started("--max-wait", "60") as talk:
        talk.begin()
        asked = {"action": "refund.create", "payload": {"amount": 1}, "reason": "Ticket 991"}
        talk.ask("tools/call", name="request_approval", arguments=asked)
        reject(core, reason="Too much.")(eventually(lambda: only(core)))
        found = talk.answer()["result"]["structuredContent"]
        assert (found["status"], found["reason"], found["payload"]) == ("rejected", "Too much.", None)
        assert talk.process.stdin
        talk.process.stdin.close()
        assert talk.process.wait(30) == 0


def test_a_batch_of_a_models_is_one_card_with_a_talk_notes_and_results(core: Core) -> None:
    branches = [{"action": "branch.delete", "payload": {"name": f"old-{n}"}} for n in range(3)]
    asked = {"title": "Clean up", "reason": "Merged.", "requests": branches, "reversible": "reversible"}

    def call(tool: str, **arguments: Any) -> Any:
        return talk.request("tools/call", name=tool, arguments=arguments)["structuredContent"]

    with started("--max-wait", "60") as talk:
        talk.begin()
        talk.ask("tools/call", name="request_batch", arguments=asked)
        ids = eventually(lambda: (found := core.store.waiting(every=True)) and len(found) == 3 and found)
        rows = sorted((core.approvals.get(id) for id, _ in ids), key=lambda one: one.payload_text)
        assert len({one.request.batch for one in rows}) == 1 and rows[0].request.batch
        eventually(lambda: not any(core.approvals.get(one).unseen for one, _ in ids))
        eventually(lambda: core.approvals.publisher.listens("billing-bot"))
        asking = core.approvals.talks.ask(rows[1].id, 1, "U0ANA", "Is it merged?")
        told = talk.answer()["result"]["structuredContent"]
        assert (told["status"], told["waiting"]) == ("pending", 3)
        [question] = told["items"][1]["questions"]
        assert (question["id"], question["by"], question["text"]) == (asking.id, "ana", "Is it merged?")
        call("answer_question", id=question["id"], text="On Monday.")
        kept = eventually(lambda: (one := core.approvals.talks.get(asking.id)) and one.talk.answer and one)
        assert (kept.talk.state, kept.talk.answer) == ("answered", "On Monday.")
        core.approvals.talks.note(rows[0].id, "U0ANA", "Keep a tag.")
        for row, vote in zip(rows, ("approve", "reject", "approve"), strict=True):
            core.approvals.decide(row.id, 1, "U0ANA", vote)
        found = call("check_batch", id=told["id"])
        assert (found["status"], [one["status"] for one in found["items"]]) == (
            "ended", ["approved", "rejected", "approved"],
        )  # fmt: skip
        assert found["items"][0]["notes"] == [{"by": "ana", "text": "Keep a tag."}]
        assert [one["payload"] for one in found["items"]] == [{"name": "old-0"}, None, {"name": "old-2"}]
        call("report_outcome", id=found["items"][0]["id"], succeeded=True, result={"tag": "old/0"})
        outcome = eventually(lambda: core.approvals.get(rows[0].id).outcome)
        assert outcome.succeeded and outcome.result == {"tag": "old/0"}
        again = eventually(
            lambda: (
                (one := call("check_batch", id=told["id"], max_wait_seconds=0))["items"][0]["payload"] is None
                and one
            )
        )
        assert again["items"][0]["status"] == "duplicate" and again["items"][0]["payload"] is None
        assert again["items"][2]["status"] == "approved"


def test_what_cannot_be_meant_is_said_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    for words, told in (
        (("gate",), "say one server"),
        (("gate", "--url", "https://example.com", "--", "x"), "say one server"),
        (("gate", "--", "/no/such/program"), "no program"),
        (("gate", "--header", "A=B", "--", "x"), "--header goes with --url"),
        (("gate", "--url", "https://example.com", "--header", "A=NOT_THERE"), "no NOT_THERE"),
        (("gate", "--url", "https://example.com", "--header", "A"), "NAME=VARIABLE"),
        (("gate", "--url", "http://example.com", "--header", "A=HOME"), "use https://"),
        (("gote",), "did you mean gate?"),
    ):
        assert main(["mcp", *words]) == 2
        said = capsys.readouterr()
        assert told in said.err and said.err.count("\n") == 1 and said.out == ""


def test_the_extra_is_named_where_it_is_missing() -> None:
    without = (
        "import sys; sys.modules.update(dict.fromkeys(['mcp', 'mcp_types', 'httpx2', 'anyio']))\n"
        "from signoff.cli.main import main; sys.exit(main(sys.argv[1:]))"
    )
    for words in (("mcp",), ("mcp", "gate", "--url", "https://example.com")):
        done = subprocess.run(
            [sys.executable, "-c", without, *words], capture_output=True, text=True, timeout=60
        )  # fmt: skip
        assert done.returncode == 2 and "pip install 'signoff[mcp]'" in done.stderr
