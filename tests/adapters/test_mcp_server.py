"""`signoff mcp`: what its tools give, what Claude Code takes, and tasks of both protocols."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp.shared.message import SessionMessage
from mcp_types import jsonrpc_message_adapter
from mcp_wire import Client

from signoff import AsyncSignoff, receipts
from signoff.adapters.mcp import inquiries
from signoff.adapters.mcp.outcomes import Outcome
from signoff.adapters.mcp.server import serve
from signoff.cli import main, mcp
from signoff.client import client as clients
from signoff.client.testing import AGENT
from signoff.receipts import Signer
from signoff.testing import Approvals

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.anyio
ASK = {"action": "refund.create", "payload": {"amount": 120}, "reason": "Ticket 991"}
NEW = "2026-07-28"
TASKS = "io.modelcontextprotocol/tasks"
META = {
    "io.modelcontextprotocol/protocolVersion": NEW,
    "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
    "io.modelcontextprotocol/clientCapabilities": {"extensions": {TASKS: {}}},
}


@asynccontextmanager
async def served(signoff: AsyncSignoff | None = None, **options: Any) -> AsyncIterator[Client]:
    """A client of the server, in this process."""
    talk, server = Client(), serve(signoff or AsyncSignoff(), **options)._lowlevel_server
    to_server, at_server = anyio.create_memory_object_stream[Any](100)
    to_client, at_client = anyio.create_memory_object_stream[Any](100)

    async def there() -> None:
        async with to_server:
            async for line in talk.lines():
                await to_server.send(
                    SessionMessage(jsonrpc_message_adapter.validate_json(line, by_name=False))
                )

    async def back() -> None:
        async with at_client:
            async for message in at_client:
                text = message.message.model_dump_json(by_alias=True, exclude_unset=True)
                await talk.write(text.encode())

    work = [
        asyncio.create_task(there()),
        asyncio.create_task(back()),
        asyncio.create_task(server.run(at_server, to_client, server.create_initialization_options())),
    ]
    try:
        yield talk
    finally:
        talk.leave()
        async with asyncio.timeout(30):
            await asyncio.gather(*work)


def outcome(result: dict[str, Any]) -> dict[str, Any]:
    found = result["structuredContent"]
    assert json.loads(result["content"][0]["text"]) == found
    return dict(found)


async def test_a_model_asks_and_is_given_what_to_run_with_the_receipt(people: Approvals) -> None:
    async with served() as client:
        began = await client.begin()
        assert "approved" in began["instructions"] and began["serverInfo"]["name"] == "signoff"
        tools = {tool["name"]: tool for tool in (await client.request("tools/list", {}))["result"]["tools"]}
        approves = {"request_approval", "check_approval", "report_outcome", "approve_tool_use"}
        approves |= {"request_batch", "check_batch"}
        talks = {"ask_person", "check_answer", "answer_question", "lessons", "ask_feedback"}
        assert set(tools) == approves | talks
        states = tools["request_approval"]["outputSchema"]["properties"]["status"]["enum"]
        assert (
            "approved" in states and "pending" in states and "outputSchema" not in tools["approve_tool_use"]
        )
        people.edit("refund.*", {"amount": 80}, by="Ana", note="Half is enough")
        asked = {**ASK, "reversible": "costly", "tags": ["money"], "impact": "One customer"}
        found = outcome(await client.called("request_approval", asked))
        assert (found["status"], found["payload"], found["edited"]) == ("approved", {"amount": 80}, True)
        assert "amount was 120 and is now 80" in found["message"] and "Half is enough" in found["message"]
        assert clients.substitute is not None
        receipt = receipts.verify(found["receipt"], clients.substitute.verify_keys, AGENT)
        assert receipt.id == found["id"]
        done = await client.called("report_outcome", {"id": found["id"], "succeeded": True})
        assert not done.get("isError") and people.outcomes[found["id"]].succeeded
    [request] = people.requests
    assert (request.reversibility, request.tags, request.reason) == ("costly", ("money",), "Ticket 991")


async def test_every_no_reads_differently_and_lets_nothing_run(people: Approvals) -> None:
    async with served() as client:
        await client.begin()
        texts = []
        for say, status in (
            (lambda: people.reject("*", "Too much.", by="Ana"), "rejected"), (people.expire, "expired"),
            (people.block, "blocked"),
        ):  # fmt: skip
            say()
            found = outcome(await client.called("request_approval", ASK))
            assert (found["status"], found["payload"]) == (status, None)
            texts.append(found["message"])
        for bad in (
            {"action": "no such name!"},
            {"payload": {"amount": 2**60}},
            {"cost": -1, "tags": ["NO!"]},
        ):
            found = outcome(await client.called("request_approval", {**ASK, **bad}))
            assert (found["status"], found["id"]) == ("invalid", None)
        texts.append(found["message"])
        assert len(set(texts)) == 4 and "Ana rejected it" in texts[0] and "not a rejection" in texts[1]
        for id in ("nonsense", "3f0c1e6a-0000-8000-8000-000000000000"):
            assert (await client.called("check_approval", {"id": id}))["isError"]


async def test_pending_comes_before_the_clients_limit_and_progress_meanwhile(
    people: Approvals, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inquiries, "PROGRESS_SECONDS", 0.001)
    people.hold()
    async with served(max_wait=0.05) as client:
        await client.begin()
        id = client.call("request_approval", {**ASK, "max_wait_seconds": 900}, _meta={"progressToken": "p"})
        told = await client.until(lambda got: got.get("method") == "notifications/progress")
        assert told["params"]["progressToken"] == "p" and "refund.create" in told["params"]["message"]
        found = outcome((await client.response(id))["result"])
        assert found["status"] == "pending" and found["expires_at"] and "Do not run it" in found["message"]
        again = outcome(await client.called("check_approval", {"id": found["id"], "max_wait_seconds": 0}))
        assert again["status"] == "pending"
        waiting = client.call("check_approval", {"id": found["id"]})
        people.approve()
        assert outcome((await client.response(waiting))["result"])["payload"] == {"amount": 120}
    assert len(people.requests) == 1 and not people.withdrawn


async def test_a_client_that_cancels_or_goes_withdraws(people: Approvals) -> None:
    people.hold()
    async with served() as client:
        await client.begin()
        first = client.call("request_approval", ASK)
        await people.wait_for_async(requests=1)
        client.send({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": first}})
        await people.wait_for_async(withdrawn=1)
        client.call("request_approval", ASK)
        client.call("approve_tool_use", {"tool_name": "Bash", "input": {"command": "ls"}})
        await people.wait_for_async(requests=3)
    assert len(people.withdrawn) == 3


async def test_claude_code_is_given_one_text_block_and_a_denial_on_any_fault(
    people: Approvals, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with served() as client:
        await client.begin()

        async def decided(tool: str, given: Any, use: str) -> dict[str, Any]:
            asked = {"tool_name": tool, "input": given, "tool_use_id": use}
            result = await client.called("approve_tool_use", asked)
            assert "structuredContent" not in result and not result.get("isError")
            [block] = result["content"]
            return dict(json.loads(block["text"]))

        people.edit("shell.run", {"command": "ls -l"}, by="Ana")
        allowed = await decided("Bash", {"command": "ls"}, "toolu_1")
        assert allowed == {"behavior": "allow", "updatedInput": {"command": "ls -l"}}
        again = await decided("Bash", {"command": "ls"}, "toolu_1")  # it is run once
        assert again["behavior"] == "deny"
        people.reject("github.merge", "Not now.", by="Ana")
        denied = await decided("mcp__github__merge", {"pr": 1}, "toolu_2")
        assert denied["behavior"] == "deny" and "Not now." in denied["message"]
        assert (await decided("Write", {"x": 2**70}, "toolu_3"))["behavior"] == "deny"
        monkeypatch.setattr(AsyncSignoff, "request", lambda *_, **__: 1 / 0)
        broken = await decided("Read", {"file_path": "/x"}, "toolu_4")
        assert broken["behavior"] == "deny" and "division" not in broken["message"]
    assert [request.action for request in people.requests] == ["shell.run", "github.merge"]


async def test_a_server_that_is_away_is_an_error_without_its_place() -> None:
    away = AsyncSignoff(redis_url="redis://127.0.0.1:1/0", agent="a", verify_key=Signer.generate().verify_key)
    async with served(away) as client:
        await client.begin()
        found = await client.called("request_approval", {**ASK, "max_wait_seconds": 0})
        text = found["content"][0]["text"]
        assert found["isError"] and "was not run" in text and "127.0.0.1" not in text


async def test_a_fault_of_ours_is_an_error_without_its_text(
    people: Approvals, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any, **__: Any) -> Any:
        raise RuntimeError("redis://10.0.0.1:6379 /etc/passwd")

    async with served() as client:
        await client.begin()
        for name, tool, args in (
            ("Inquiries.ask", "request_approval", ASK),
            ("Inquiries.state", "check_approval", {"id": "1"}),
            ("AsyncSignoff.report", "report_outcome", {"id": "1", "succeeded": True}),
            ("Calls.decide", "approve_tool_use", {"tool_name": "Bash", "input": {"command": "ls"}}),
        ):
            with monkeypatch.context() as patched:
                patched.setattr(f"signoff.adapters.mcp.server.{name}", broken)
                result = await client.called(tool, args)
            assert result["isError"] and "for a technical reason" in str(result), tool
            assert "10.0" not in str(result)


async def test_a_task_of_2025_11_25_is_the_request_itself(people: Approvals) -> None:
    people.hold()
    async with served() as client:
        began = await client.begin("2025-11-25")
        assert began["capabilities"]["tasks"]["requests"] == {"tools": {"call": {}}}
        listed = (await client.request("tools/list", {}))["result"]["tools"]
        support = {tool["name"]: tool.get("execution", {}).get("taskSupport") for tool in listed}
        assert support["request_approval"] == "optional" and support["check_approval"] is None
        task = (await client.called("request_approval", ASK, task={"ttl": 60000}))["task"]
        assert task["status"] == "working" and task["taskId"] == str(people.requests[0].id)
        got = (await client.request("tasks/get", {"taskId": task["taskId"]}))["result"]
        assert got["status"] == "working" and got["pollInterval"]
        ending = client.ask("tasks/result", {"taskId": task["taskId"]})
        people.approve()
        result = (await client.response(ending))["result"]
        assert outcome(result)["payload"] == {"amount": 120}
        assert result["_meta"]["io.modelcontextprotocol/related-task"] == {"taskId": task["taskId"]}
        assert (await client.request("tasks/get", {"taskId": task["taskId"]}))["result"][
            "status"
        ] == "completed"
        over = await client.request("tasks/cancel", {"taskId": task["taskId"]})
        assert over["error"]["code"] == -32602
        people.hold()
        other = (await client.called("request_approval", ASK, task={}))["task"]["taskId"]
        gone = (await client.request("tasks/cancel", {"taskId": other}))["result"]
        assert gone["status"] == "cancelled" and list(people.withdrawn) == [other]
        refused = await client.called("request_approval", {**ASK, "action": "no!"}, task={})
        assert outcome(refused)["status"] == "invalid"
        assert (await client.request("tasks/get", {"taskId": "none"}))["error"]["code"] == -32602
    async with served() as client:  # another process finds it again
        await client.begin("2025-11-25")
        got = (await client.request("tasks/result", {"taskId": task["taskId"]}))["result"]
        assert outcome(got)["status"] == "approved"


async def test_a_task_of_2026_07_28_is_for_clients_that_declare_it(people: Approvals) -> None:
    people.hold()
    async with served(max_wait=0.01) as client:
        found = (await client.request("server/discover", {"_meta": META}))["result"]
        assert TASKS in found["capabilities"]["extensions"]
        task = await client.called("request_approval", ASK, _meta=META)
        assert (task["resultType"], task["status"]) == ("task", "working")
        id, asked = task["taskId"], {"taskId": task["taskId"], "_meta": META}
        assert (await client.request("tasks/get", asked))["result"]["status"] == "working"
        assert "error" not in await client.request("tasks/update", {**asked, "inputResponses": {}})
        people.reject(people.requests[0], "No need.")
        done = (await client.request("tasks/get", asked))["result"]
        assert (done["resultType"], done["status"]) == ("complete", "completed")
        assert outcome(done["result"])["status"] == "rejected" and "error" not in done
        other = (await client.called("request_approval", ASK, _meta=META))["taskId"]
        assert "error" not in await client.request("tasks/cancel", {"taskId": other, "_meta": META})
        assert list(people.withdrawn) == [other] and id != other
        # One that has not declared it is answered as ever.
        plain = {**META, "io.modelcontextprotocol/clientCapabilities": {}}
        assert outcome(await client.called("request_approval", ASK, _meta=plain))["status"] == "pending"


async def test_the_page_names_what_there_is() -> None:
    page = (ROOT / "docs" / "adapters" / "mcp.md").read_text(encoding="utf-8")
    [settings] = re.findall(r"^```json\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    [entry] = json.loads(settings)["mcpServers"].values()
    ours, program = mcp.parted(entry["args"]) or ([], [])
    given = main._parser().parse_args(ours)
    assert (given.command, given.name, program[0]) == ("mcp gate", "files", "npx")
    for option in {"--name", "--tools", "--wait", "--url", "--header", "--env-file"}:
        assert option in page
    rows = dict(re.findall(r"^\| `(\w+)` \| ([^|]*) \|", page, re.MULTILINE))
    async with served() as client:
        await client.begin()
        tools = (await client.request("tools/list", {}))["result"]["tools"]
    assert {tool["name"]: set(tool["inputSchema"]["properties"]) for tool in tools} == {
        name: set(re.findall(r"`(\w+)`", said)) for name, said in rows.items()
    }
    states = re.search(r"The state is structured.*?\n\n", page, re.DOTALL)
    assert states and set(Outcome.__annotations__) <= set(re.findall(r"`(\w+)`", states[0]))
