"""`signoff mcp gate`: nothing reaches the server that was not approved, and all else passes as it is."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastmcp import FastMCP
from mcp_wire import Server, a_tool, gated

from signoff import AsyncSignoff
from signoff.adapters.mcp import answers, desk, flights, messages
from signoff.adapters.mcp.remote import Remote
from signoff.adapters.mcp.upstream import Child
from signoff.errors import ConfigError
from signoff.receipts import Signer
from signoff.testing import Approvals

pytestmark = pytest.mark.anyio
PARENT = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}


def text(result: dict[str, Any]) -> str:
    return " ".join(block["text"] for block in result["content"])


async def test_what_was_approved_reaches_the_server_and_the_model_is_told(people: Approvals) -> None:
    server = Server(a_tool(annotations={"destructiveHint": False}), a_tool("list_all"))
    async with gated(server) as client:
        await client.begin()
        people.approve()
        kept = {"claudecode/toolUseId": "toolu_1", "other": {"x": [1, 2.5]}}
        plain = await client.called("refund", {"amount": 120}, _meta=kept, extra=1)
        assert plain == {"content": [{"type": "text", "text": '{"amount": 120, "currency": "EUR"}'}]}
        assert server.calls[0] == {
            "name": "refund", "arguments": {"amount": 120, "currency": "EUR"}, "_meta": kept, "extra": 1,
        }  # fmt: skip
        people.edit("shop.refund", {"amount": 80}, by="Ana", note="Half is enough")
        changed = await client.called("refund", {"amount": 120})
        assert server.calls[1]["arguments"] == {"amount": 80, "currency": "EUR"}
        assert "amount was 120 and is now 80" in text(changed) and "Half is enough" in text(changed)
        assert changed["_meta"][answers.NOTE_KEY] == changed["content"][-1]["text"]
        people.reject("shop.refund", "Too much.", by="Ana")
        no = await client.called("refund", {"amount": 120})
        assert no["isError"] and "shop.refund was not run: Ana rejected it. Reason: Too much." in text(no)
        people.expire("shop.refund")
        late = await client.called("refund", {"amount": 120})
        assert late["isError"] and "nobody answered in time. This is not a rejection." in text(late)
    assert len(server.calls) == 2
    first = people.requests[0]
    assert (first.action, first.key, first.reversibility) == ("shop.refund", "mcp:shop:toolu_1", "costly")
    assert first.payload == {"amount": 120, "currency": "EUR"}
    assert [outcome.succeeded for outcome in people.outcomes.values()] == [True, True]


async def test_all_else_passes_as_the_same_value_and_back_byte_for_byte(people: Approvals) -> None:
    odd = b'{"jsonrpc": "2.0",  "id":"a\\u00e9", "method":"x/y", "params":{"n":1.50,"big":12345678901234567}}'
    schema = a_tool(
        inputSchema={"type": "object", "x-own": {"b": 1e2}}, annotations={"title": "T"}, _meta={"k": 1}
    )
    server = Server(schema)
    async with gated(server, tools=["none_of_these"]) as client:
        await client.begin()
        client.send(odd)
        await client.response("aé")
        assert server.got[-1] == json.loads(odd)
        note = b'{"jsonrpc":"2.0","method":"notifications/whatever","params":{"a":  null}}'
        client.send(note)
        listed = await client.request("tools/list", {})
        assert listed["result"]["tools"] == [schema] and json.loads(note) in server.got
        call = b'{"jsonrpc":"2.0","id":77,"method":"tools/call","params":{"name":"a","arguments":{"x":1.0}}}'
        client.send(call)
        await client.response(77)
        assert server.raw[-1] == call  # not gated
        # From the server: a request of its own, by an id that the client uses too, and what is no message.
        asks = b'{"jsonrpc":"2.0","id":77,"method":"sampling/createMessage","params":{"messages": []}}'
        for line in (
            b"a stray print",
            asks,
            b'{"jsonrpc":"2.0","method":"notifications/progress","params":{}}',
        ):
            server.say(line)
        await client.until(lambda got: got.get("method") == "notifications/progress")
        assert client.raw[-2] == asks and b"a stray print" not in client.raw
        answer = b'{"jsonrpc":"2.0","id":77,"result":{"role":"assistant"}}'
        client.send(answer)
        await client.request("ping")
        assert answer in server.raw
    assert not people.requests


async def test_what_a_server_could_read_otherwise_is_never_passed_on(people: Approvals) -> None:
    server = Server(a_tool())
    call = '"method":"tools/call","params":{"name":"refund","arguments":{"amount":1}}'
    disguised = [
        json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": {"name": "refund"}})
        for known in ("tools/call", "tools/list", "notifications/cancelled")
        for method in (
            *(known + end for end in ("\0", "\0x", "\ud800", "\ufffd", "\u200b", "\r\n", "/")),
            known.replace("/", "//"), known.replace("/", "_"), known.replace("s", "ｓ"), f"\ufeff{known}",
        )
    ] + [
        json.dumps({"jsonrpc": "2.0", "id": 1, "method": "ping", name: "tools/call", "params": {"name": "a"}})
        for name in ("method\0", "method\0x", "method ", "method\ud800", "ｍethod", "\ufeffmethod", "_method")
    ] + [
        json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "a", name: {}}})
        for name in ("arguments\0", "arguments ", "input_responses", "request-state", "Meta")
    ]  # fmt: skip
    lines = [
        '{"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/call","params":{"name":"refund"}}',
        '{"jsonrpc":"2.0","id":1,"method":"ping","Method":"tools/call","params":{"name":"refund"}}',
        '{"jsonrpc":"2.0","id":1,"result":{},"Method":"tools/call","params":{"name":"refund"}}',
        '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"read","Name":"refund"}}',
        '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","ARGUMENT\u017f":{"amount":9}}}',
        '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","arguments":[1]}}',
        '{"jsonrpc":"2.0","id":1,"method":"Tools/Call","params":{"name":"refund"}}',
        '{"jsonrpc":"2.0","id":1,"method":"tools/call ","params":{"name":"refund"}}',
        '{"jsonrpc":"2.0",' + call + "}",  # nobody would hear of it
        '{"jsonrpc":"2.0","id":null,' + call + "}",
        '{"jsonrpc":"2.0","id":1.5,' + call + "}",
        '{"jsonrpc":"2.0","id":true,' + call + "}",
        '{"id":1,' + call + "}",
        '[{"jsonrpc":"2.0","id":1,"method":"ping","Method":"tools/call"}]',
        '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"refund","arguments":{"a":NaN}}}',
        "\ufeff" + '{"jsonrpc":"2.0","id":1,' + call + "}",
        '{"jsonrpc":"2.0","id":1,' + call,
        '{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":1e999}}',
        "[]", "7", "null", "[" * 100_000, *disguised,
    ]  # fmt: skip
    async with gated(server) as client:
        await client.begin()
        await client.request("ping")
        before = len(server.raw)
        for line in lines:
            client.send(line.encode())
        client.send(b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"\xff"}}')
        client.send('{"jsonrpc":"2.0","id":1,"method":"ping"}'.encode("utf-16"))
        await client.until(lambda got: len([one for one in client.got if "error" in one]) == len(lines) + 2)
        assert len(server.raw) == before and not people.requests
        people.approve()  # and it goes on
        assert not (await client.called("refund", {"amount": 1})).get("isError")


BREAKS = ["\r", "\x0b", "\x0c", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029"]
"""Where some readers end a line that others read on."""
CALLS = '{"jsonrpc":"2.0","id":99,"method":"tools/call","params":{"name":"refund","arguments":{"amount":7}}}'


async def test_no_message_is_several_to_a_reader_that_breaks_lines_elsewhere(people: Approvals) -> None:
    server = Server(a_tool())
    inner = json.dumps(CALLS)[1:-1]
    async with gated(server, tools=["none_of_these"]) as client:
        await client.begin()
        for number, end in enumerate(BREAKS):
            for line in (
                f'{{"jsonrpc":"2.0","id":"a{number}","method":"ping","params":{end}{CALLS}{end}}}',
                f'{{"jsonrpc":"2.0","id":"b{number}","method":"ping","params":{{"a":"{end}{inner}{end}"}}}}',
                f'[{{"jsonrpc":"2.0","id":"c{number}","method":"ping"}},{end}{CALLS}{end}]',
            ):
                client.send(line.encode())
        big = {"n": [2**70, -0.0, 1.0, 0.1, 1e22, 5e-324], "t": "é\u2028\ud800\0", "e": {}}
        client.send({"jsonrpc": "2.0", "id": "end", "method": "ping", "params": big})
        await client.response("end")
        assert server.got[-1]["params"] == big and json.dumps(server.got[-1]["params"]) == json.dumps(big)
        # JSON takes a carriage return between tokens, and U+2028 in a string.
        assert {"b6", "b7", "b8", "a0", "c0"} <= {got.get("id") for got in server.got}
        # And what comes back is one line, too.
        for end in BREAKS:
            answer = f'{{"jsonrpc":"2.0","method":"notifications/x","params":{{"a":"{end}"}}}}'
            server.say(answer.encode() if end > "\x20" else answer.replace(f'"{end}"', f"1{end}").encode())
        server.say(b'{"jsonrpc":"2.0","id":"end2","result":{"a":"\xff"}}')
        await client.response("end2")
    assert all(line.isascii() and len(line.splitlines()) == 1 for line in server.raw)
    for line in client.raw:
        assert len(line.decode().splitlines()) == 1
    assert [got["params"]["a"] for got in client.got if "notifications/x" in str(got)] == [
        1, "\x85", "\u2028", "\u2029",
    ]  # fmt: skip


async def test_a_name_that_could_be_taken_for_a_gated_one_is_gated(people: Approvals) -> None:
    server = Server(a_tool())
    async with gated(server, tools=["refund", "WIRE*"]) as client:
        await client.begin()
        for name in (
            "refund\0",
            "refund\0x",
            "ｒefund",
            "REFUND",
            " refund ",
            "refund\u200b",
            "refund\ud800",
            "wire_x",
        ):
            assert (await client.called(name, {"amount": 1}))["isError"], name
        assert not server.calls
        await client.called("read", {"amount": 1})
    assert [call["name"] for call in server.calls] == ["read"] and not people.requests


async def test_tools_that_rules_take_for_one_do_not_run(people: Approvals) -> None:
    server = Server(a_tool("delete"), a_tool("Delete"), a_tool("read"))
    people.approve()
    async with gated(server) as client:
        await client.begin()
        for name in ("delete", "Delete"):
            assert "could not tell" in text(await client.called(name, {"amount": 1}))
        assert not (await client.called("read", {"amount": 1})).get("isError")
    assert len(server.calls) == len(people.requests) == 1


async def test_a_call_that_the_client_cancels_is_withdrawn_and_never_passed_on(people: Approvals) -> None:
    server = Server(a_tool())
    people.hold()
    async with gated(server) as client:
        await client.begin()
        id = client.call("refund", {"amount": 120}, _meta={"progressToken": 7})
        told = await client.until(lambda got: got.get("method") == "notifications/progress")
        assert told["params"]["progressToken"] == 7 and "shop.refund" in told["params"]["message"]
        await people.wait_for_async(requests=1)
        again = client.call("refund", {"amount": 5}, id=id)  # the same id while it is under way
        await client.until(lambda got: "error" in got and got["id"] is None)
        server.say({"jsonrpc": "2.0", "id": again, "result": {"content": []}})  # of what it was not given
        client.send({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": id}})
        await people.wait_for_async(withdrawn=1)
        people.approve()
        await client.request("ping")
        assert not server.calls and len(people.requests) == 1
        assert not [got for got in client.got if got.get("id") == id and "method" not in got]
        assert not [got for got in server.got if got.get("method") == "notifications/cancelled"]


async def test_a_client_that_goes_has_its_requests_withdrawn_and_its_server_ended(people: Approvals) -> None:
    server = Server(a_tool())
    people.hold()
    async with gated(server, AsyncSignoff()) as client:
        await client.begin()
        client.call("refund", {"amount": 120})
        await people.wait_for_async(requests=1)
    assert server.finished and not server.calls
    assert list(people.withdrawn.values()) == ["The run that asked for it was cancelled."]


async def test_a_server_that_dies_in_a_call_is_told_and_reported(people: Approvals) -> None:
    server = Server(a_tool(), a_tool("slow"), tools__call=lambda _: None)
    people.approve("shop.refund")
    people.hold("shop.slow")
    async with gated(server) as client:
        await client.begin()
        ran, waits = client.call("refund", {"amount": 1}), client.call("slow")
        await people.wait_for_async(requests=2)
        while not server.calls:
            await asyncio.sleep(0)
        server.handlers["ping"] = lambda _: None
        ping = client.ask("ping")
        while server.got[-1].get("method") != "ping":
            await asyncio.sleep(0)
        server.die()
        for id, told in ((ran, "nobody knows how far"), (waits, "was not run"), (ping, "nobody knows")):
            assert told in (await client.response(id))["error"]["message"]
    assert [outcome.succeeded for outcome in people.outcomes.values()] == [False]
    assert len(people.withdrawn) == 1


async def test_a_tool_that_changes_between_list_ask_and_call_does_not_run(people: Approvals) -> None:
    server = Server(a_tool())
    people.approve()
    async with gated(server) as client:
        await client.begin()
        await client.request("tools/list")
        server.tools = [a_tool(inputSchema={"type": "object", "properties": {"amount": {"type": "string"}}})]
        assert "has changed this tool" in text(await client.called("refund", {"amount": 120}))
        server.tools = [a_tool("refund_all")]
        assert "has no tool of this name" in text(await client.called("refund", {"amount": 120}))
        assert not people.requests
        for change in ({"title": "Wire"}, {"description": "Wires all"}, {"annotations": {"title": "Wire"}}):
            server.tools = [a_tool(**change)]
            assert "has changed this tool" in text(await client.called("refund", {"amount": 120})), change
        assert not people.requests
        server.tools = [a_tool()]
        people.hold()
        id = client.call("refund", {"amount": 120})  # changed while people look at it
        await people.wait_for_async(requests=1)
        server.tools = [a_tool(annotations={"readOnlyHint": True})]
        people.approve()
        assert "has changed this tool" in text((await client.response(id))["result"])
        # Two tools of one action; one twice; a list that has no end.
        server.tools = [a_tool(), a_tool()]
        assert "could not tell" in text(await client.called("refund", {"amount": 120}))
        server.handlers["tools/list"] = lambda _: {"tools": [a_tool()], "nextCursor": "again"}
        assert "does not say what its tools are" in text(await client.called("refund", {"amount": 120}))
    assert not server.calls
    assert [outcome.note for outcome in people.outcomes.values()] == [
        "The server changed its tool meanwhile: it was not run."
    ]


async def test_names_that_imitate_are_actions_of_their_own(people: Approvals) -> None:
    people.reject()
    names = ["refund", "rеfund", "refund ", "a.b", "x" * 200, "refund\u200b"]
    for server in ("shop", "file", "sh.op", "sh__op", "шоп", "shop/../x"):
        async with gated(Server(*map(a_tool, names), name=server)) as client:
            await client.begin()
            for name in names:
                await client.called(name, {"amount": 1})
    actions = [request.action for request in people.requests]
    assert len(set(actions)) == len(actions) == 36
    assert actions[0] == "shop.refund" and "file.refund" not in actions and "mcp.file.refund" in actions
    assert people.requests[1].context == {"server": "shop", "tool": "rеfund"}


async def test_what_cannot_travel_a_server_away_and_our_own_faults_stop_the_call(
    people: Approvals, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = Server(a_tool())
    people.approve()
    async with gated(server) as client:
        await client.begin()
        for args in (
            {"amount": 2**60},
            {"amount": 1, "x": "\ud800"},
            {"amount": "text"},
            {"x": "y" * 300_000},
        ):
            result = await client.called("refund", args)
            assert result["isError"] and "was not run" in text(result)
        client.send(
            b'{"jsonrpc":"2.0","id":9,"method":"tools/call","params":{"name":"refund","arguments":{"amount":1e999}}}'
        )
        assert "was not run" in text((await client.response(9))["result"])
        assert not people.requests
        monkeypatch.setattr("signoff.adapters.mcp.desk.claims", lambda *_: 1 / 0)
        broken = await client.called("refund", {"amount": 1})
        assert "for a technical reason" in text(broken) and "division" not in text(broken)
    assert not server.calls


async def test_a_server_of_ours_that_is_away_is_told_without_its_place() -> None:
    server = Server(a_tool())
    away = AsyncSignoff(redis_url="redis://127.0.0.1:1/0", agent="a", verify_key=Signer.generate().verify_key)
    async with away, gated(server, away, wait=1) as client:
        await client.begin()
        result = await client.called("refund", {"amount": 1})
    assert result["isError"] and "was not run" in text(result)
    assert "127.0.0.1" not in text(result) and not server.calls


async def test_one_card_for_one_call_of_a_model_and_it_runs_once(people: Approvals) -> None:
    servers = [Server(a_tool()), Server(a_tool())]  # the second is behind another gate, after a resume
    people.approve()
    for server in servers:
        async with gated(server) as client:
            await client.begin()
            last = await client.called("refund", {"amount": 1}, _meta={"claudecode/toolUseId": "toolu_9"})
    assert [len(server.calls) for server in servers] == [1, 0] and len(people.requests) == 1
    assert last["isError"] and "was not run" in text(last)


async def test_calls_wait_together_and_an_ungated_tool_beside_them_does_not(people: Approvals) -> None:
    server = Server(a_tool(), a_tool("read"))
    people.hold()
    async with gated(server, tools=["ref*"]) as client:
        await client.begin()
        ids = [client.call("refund", {"amount": number}) for number in range(40)]
        await people.wait_for_async(requests=40)
        started = time.perf_counter()
        assert not (await client.called("read", {"amount": 1})).get("isError")
        assert time.perf_counter() - started < 0.1
        people.approve()
        for id in ids:
            assert "result" in await client.response(id)
    assert len(server.calls) == 41


async def test_a_wait_that_is_over_withdraws(people: Approvals) -> None:
    people.hold()
    server = Server(a_tool())
    async with gated(server, wait=0.01) as client:
        await client.begin()
        result = await client.called("refund", {"amount": 1})
    assert "nobody has decided in time, and the request was withdrawn." in text(result)
    assert len(people.withdrawn) == 1 and not server.calls


async def test_a_batch_is_answered_as_one_and_what_is_gated_in_it_is_asked(people: Approvals) -> None:
    server = Server(a_tool())
    people.reject()
    async with gated(server) as client:
        await client.begin("2025-03-26")
        plain = b'[{"jsonrpc":"2.0","id":"p","method":"ping"}, {"jsonrpc":"2.0","id":"q","method":"ping"}]'
        client.send(plain)
        await client.response("q")
        assert server.got[-2:] == json.loads(plain)
        call = {"name": "refund", "arguments": {"amount": 1}}
        client.send([
            {"jsonrpc": "2.0", "id": "b", "method": "ping"},
            {"jsonrpc": "2.0", "id": "c", "method": "tools/call", "params": call},
        ])  # fmt: skip
        while not isinstance(client.got[-1], list):
            await asyncio.sleep(0)
        assert {one["id"] for one in client.got[-1]} == {"b", "c"}
    assert not server.calls and len(people.requests) == 1


NEW = {"io.modelcontextprotocol/protocolVersion": "2026-07-28"}


async def test_a_call_that_goes_on_over_several_messages_is_asked_about_once(people: Approvals) -> None:
    """Protocol 2026-07-28: the server asks back, or makes a task of it; and names itself in every result."""
    rounds: list[Any] = [
        {"resultType": "input_required", "requestState": "s1", "inputRequests": {"q": {}}},
        {"resultType": "complete", "content": [], "structuredContent": {"ok": True}},
        {"resultType": "task", "taskId": "t1", "status": "working"},
    ]  # fmt: skip
    server = Server(a_tool(), tools__call=lambda _: rounds[len(server.calls) - 1])
    named = {"io.modelcontextprotocol/serverInfo": {"name": "store"}}
    server.handlers["tools/list"] = lambda _: {
        "resultType": "complete",
        "tools": server.tools,
        "_meta": named,
    }
    ended = {
        "resultType": "complete",
        "taskId": "t1",
        "status": "completed",
        "result": {"content": [], "isError": True},
    }
    server.handlers["tasks/get"] = lambda _: ended
    people.edit("store.refund", {"amount": 2}, by="Ana")
    async with gated(server) as client:
        asks = await client.called("refund", {"amount": 1}, _meta=NEW)
        assert asks["resultType"] == "input_required" and not people.outcomes
        done = await client.called(
            "refund", {"amount": 1}, _meta=NEW, requestState="s1", inputResponses={"q": {}}
        )
        assert "amount was 1 and is now 2" in text(done)
        assert (
            done["structuredContent"]["ok"]
            and "is now 2" in done["structuredContent"][answers.STRUCTURED_KEY]
        )
        assert [call["arguments"]["amount"] for call in server.calls] == [2, 2]
        assert server.calls[1]["requestState"] == "s1" and len(people.requests) == 1
        task = await client.called("refund", {"amount": 1}, _meta=NEW)
        assert task["taskId"] == "t1" and len(people.outcomes) == 1
        people.reject("store.refund")
        no = await client.called("refund", {"amount": 1}, _meta=NEW, requestState="s1")  # used up, and forged
        assert no["isError"] and no["resultType"] == "complete"
        got = (await client.request("tasks/get", {"taskId": "t1"}))["result"]
        assert "is now 2" in text(got["result"])
    assert len(server.calls) == 3
    assert [outcome.succeeded for outcome in people.outcomes.values()] == [True, False]


async def test_a_pattern_that_fits_no_tool_is_logged_once(
    people: Approvals, caplog: pytest.LogCaptureFixture
) -> None:
    async with gated(Server(a_tool()), tools=["Ref*", "delete_*"]) as client:
        for _ in range(2):
            await client.request("tools/list", {})
    assert caplog.text.count("gates nothing") == 1 and "fits delete_*:" in caplog.text


ASKS = {"resultType": "input_required", "requestState": "s1", "inputRequests": {"q": {}}}


async def test_what_goes_on_is_what_was_approved_and_what_the_server_asked(
    people: Approvals, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = Server(a_tool())
    people.approve()
    async with gated(server, name="shop") as client:

        async def asked_back() -> None:
            server.tools, server.handlers = [a_tool()], {"tools/call": lambda _: ASKS}
            assert (await client.called("refund", {"amount": 1}, _meta=NEW)) == ASKS
            del server.handlers["tools/call"]

        # A first call that says that it goes on, whatever it says: nobody is asked, and nothing runs.
        for forged in ({"requestState": "s1"}, {"inputResponses": {"q": 1}}, {"requestState": None}):
            result = await client.called("refund", {"amount": 1}, _meta=NEW, **forged)
            assert result["isError"] and "not approved here" in text(result)
        assert not people.requests and not server.calls
        more: list[dict[str, Any]] = [
            {"inputResponses": {"q": {}, "evil": {"account": "thief"}}},
            {"inputResponses": ["q"]}, {"confirmed": True},
        ]  # fmt: skip
        for said in more:
            await asked_back()
            result = await client.called("refund", {"amount": 1}, _meta=NEW, requestState="s1", **said)
            assert result["isError"] and "has not asked" in text(result), said
        await asked_back()
        server.tools = [a_tool(annotations={"destructiveHint": True})]
        result = await client.called("refund", {"amount": 1}, _meta=NEW, requestState="s1")
        assert "has changed this tool" in text(result)
        await asked_back()
        monkeypatch.setattr(flights.Approved, "holds", lambda _: False)
        result = await client.called("refund", {"amount": 1}, _meta=NEW, requestState="s1")
        assert "its approval was over" in text(result)
        result = await client.called("refund", {"amount": 1}, _meta=NEW)  # so late that it cannot run at all
        assert "its approval was over" in text(result)
    assert len(server.calls) == len(more) + 2 == len(people.requests) - 1
    assert [outcome.succeeded for outcome in people.outcomes.values()] == [False] * 6


async def test_what_a_call_says_beside_its_arguments_is_shown(people: Approvals) -> None:
    server = Server(a_tool())
    people.approve()
    async with gated(server) as client:
        await client.begin()
        await client.called("refund", {"amount": 1}, Input={"amount": 9})
        client.send(
            {
                "jsonrpc": "2.0",
                "id": "x",
                "method": "tools/call",
                "x": 1,
                "params": {"name": "refund", "task": {}},
            }
        )
        await client.response("x")
    assert people.requests[0].context == {"other_parameters": {"Input": {"amount": 9}}}
    assert not people.requests[1].context and "x" not in server.got[-1]


async def test_a_server_that_does_not_say_what_its_tools_are_keeps_nobody(
    people: Approvals, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("signoff.adapters.mcp.desk.LIST_SECONDS", 0.01)
    server = Server(a_tool())
    lists: list[Any] = []

    def once(message: Any) -> Any:
        lists.append(message)
        return {"tools": server.tools} if len(lists) == 1 else None

    server.handlers["tools/list"] = once
    people.approve()
    async with gated(server) as client:
        await client.begin()
        for _ in range(2):
            result = await client.called("refund", {"amount": 1})
            assert "does not say what its tools are" in text(result)
    assert len(people.requests) == 1 and not server.calls
    assert [outcome.note for outcome in people.outcomes.values()] == [desk.NOT_LISTED_AGAIN]


async def test_a_fault_of_the_gates_own_leaves_no_call_without_an_answer(
    people: Approvals, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = Server(a_tool())
    people.edit("shop.refund", {"amount": 2}, by="Ana")

    def broken(*_: Any) -> Any:
        raise RecursionError("secret")

    async with gated(server) as client:
        await client.begin()
        for place in ("gate.Gate._gates", "gate.Gate._pass_on", "desk.shape", "gate.messages.passed_on"):
            with monkeypatch.context() as patched:
                patched.setattr(f"signoff.adapters.mcp.{place}", broken)
                answer = await client.response(client.call("refund", {"amount": 1}))
                assert "was not run" in str(answer) or "nobody knows" in str(answer), place
                assert "secret" not in str(answer)
        assert not server.calls
        for place in ("replies.with_note", "replies.succeeded", "replies.replace"):
            with monkeypatch.context() as patched:
                patched.setattr(f"signoff.adapters.mcp.{place}", broken)
                result = await client.called("refund", {"amount": 1})
                assert result["content"] == [{"type": "text", "text": '{"amount": 2, "currency": "EUR"}'}]
        server.handlers["tools/call"] = lambda _: {"content": [], "structuredContent": {"n": float("inf")}}
        assert (await client.called("refund", {"amount": 1}))["structuredContent"]["n"] == float("inf")
        with monkeypatch.context() as patched:
            patched.setattr("signoff.adapters.mcp.replies.messages.passed_back", broken)
            answer = await client.response(client.call("refund", {"amount": 1}))
            assert "could not be passed back" in answer["error"]["message"]
        await client.request("ping")


class Deaf(Server):
    """Reads nothing."""

    async def send(self, line: bytes) -> None:
        self.raw.append(line)
        await asyncio.Event().wait()


async def test_a_client_that_goes_is_seen_while_its_server_reads_nothing(
    people: Approvals, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("signoff.adapters.mcp.gate.PATIENCE", 0.01)
    monkeypatch.setattr("signoff.adapters.mcp.outbox.MOST", 1000)
    server = Deaf(a_tool())
    async with gated(server) as client:
        ids = [client.ask("ping", {"x": "y" * 100}) for _ in range(20)]
        refused = await client.response(ids[-1])  # it does not keep all of it for ever
        assert "takes nothing more" in refused["error"]["message"]
    assert server.finished and len(server.raw) == 1
    assert {got["id"] for got in client.got} == set(ids)


async def test_a_fault_of_ours_runs_nothing_and_afterwards_loses_nothing(
    people: Approvals, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any, **__: Any) -> Any:
        raise RuntimeError("redis://10.0.0.1:6379 /etc/passwd")

    people.edit("*", {"amount": 2, "currency": "EUR"}, by="Ana")
    server = Server(a_tool())
    async with gated(server) as client:
        await client.begin()
        before = ["gate.Gate._gates", "gate.Gate._taken", "desk.Desk.decide", "desk.claims", "desk._key"]
        after = [
            "replies.with_note",
            "replies.succeeded",
            "flights.Unfinished.keep",
            "flights.Approved.report",
        ]
        for name in [*before, *after]:
            with monkeypatch.context() as patched:
                patched.setattr(f"signoff.adapters.mcp.{name}", broken)
                done = await client.called("refund", {"amount": 1})
            if name in before:
                assert done["isError"] and "refund was not run: for a technical reason" in text(done), name
                assert not server.calls and "10.0" not in text(done)
            else:
                assert text(done).startswith('{"amount": 2, "currency": "EUR"}'), name
                assert len(server.calls) == 1 + after.index(name)
        await client.request("ping")


def test_a_note_stands_in_structured_content_only_where_the_tool_says_so() -> None:
    response = {"id": 1, "result": {"content": [], "structuredContent": {"ok": True}}}
    closed = {"type": "object", "properties": {"ok": {}}, "additionalProperties": False}
    for schema, takes in (
        (None, True), ({"type": "object"}, True), (closed, False), ("nonsense", False),
        ({"type": "object", "maxProperties": 1}, False),
        ({"type": "object", "additionalProperties": {"type": "boolean"}}, False),
        ({"type": "object", "properties": {"ok": {"pattern": "(?=x)"}}}, False),
    ):  # fmt: skip
        tool = {} if schema is None else {"outputSchema": schema}
        made = answers.with_note(response, "Ana changed it.", tool)["result"]
        assert (answers.STRUCTURED_KEY in made["structuredContent"]) is takes, schema
        assert made["_meta"] == {answers.NOTE_KEY: "Ana changed it."}
    assert answers.with_note(response, "", {}) is response
    assert answers.with_note({"id": 1, "error": {}}, "told", {}) == {"id": 1, "error": {}}


PROGRAM = """
from mcp.server.mcpserver import Context, MCPServer
from mcp.types import ToolAnnotations
server = MCPServer("notes")

@server.tool(annotations=ToolAnnotations(destructiveHint=True))
def write(text: str, times: int = 1) -> dict[str, str]:
    return {"written": text * times}

@server.tool()
def crash(text: str) -> str:
    import os
    os._exit(3)

server.run("stdio")
"""


@pytest.fixture
def notes(tmp_path: Path) -> Iterator[Child]:
    file = tmp_path / "notes.py"
    file.write_text(PROGRAM)
    yield Child([sys.executable, str(file)], PARENT)


@pytest.mark.served
async def test_a_real_server_behind_the_gate_dies_in_a_call(people: Approvals, notes: Child) -> None:
    async with gated(notes) as client:
        await client.begin()
        through = (await client.request("tools/list", {}))["result"]["tools"]
        assert [tool["name"] for tool in through] == ["write", "crash"] and "outputSchema" in through[0]
        # Its library breaks lines at a carriage return: this once was three, and the one between a call.
        hidden = {"jsonrpc": "2.0", "id": 99, "method": "tools/call",
                  "params": {"name": "write", "arguments": {"text": "z"}}}  # fmt: skip
        client.send(
            b'{"jsonrpc":"2.0","id":98,"method":"ping","params":\r' + json.dumps(hidden).encode() + b"\r}"
        )
        assert "result" in await client.response(98)
        assert not people.requests and 99 not in [got.get("id") for got in client.got]
        people.edit("notes.write", {"text": "b"}, by="Ana")
        result = await client.called("write", {"text": "a"})
        assert result["structuredContent"]["written"] == "b"
        people.approve("notes.crash")
        died = await client.response(client.call("crash", {"text": "a"}))
        assert "nobody knows how far this ran" in died["error"]["message"]
    assert [request.payload for request in people.requests] == [{"text": "a", "times": 1}, {"text": "a"}]
    assert [outcome.succeeded for outcome in people.outcomes.values()] == [True, False]


async def test_a_server_behind_a_url_is_gated_alike_and_gets_its_header(
    people: Approvals, monkeypatch: pytest.MonkeyPatch
) -> None:
    import uvicorn
    from support import free_port

    seen: list[Any] = []
    shop: FastMCP[Any] = FastMCP("shop")

    @shop.tool
    def refund(amount: int) -> str:
        seen.append(amount)
        return f"refunded {amount}"

    app, headers = shop.http_app(), []

    async def noting(scope: Any, receive: Any, send: Any) -> None:
        headers.extend(value for name, value in scope.get("headers", []) if name == b"authorization")
        await app(scope, receive, send)

    port = free_port()
    served = uvicorn.Server(uvicorn.Config(noting, port=port, log_level="error", lifespan="on", ws="none"))
    running = asyncio.create_task(served.serve())
    try:
        while not served.started:
            await asyncio.sleep(0.01)
        url = f"http://127.0.0.1:{port}/mcp"
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):  # it would read the header
            monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")
        for name in ("NO_PROXY", "no_proxy"):
            monkeypatch.delenv(name, raising=False)
        for version in ("2025-11-25", "2026-07-28"):
            seen.clear()
            async with gated(Remote(url, {"Authorization": "Bearer one"}), name="till") as client:
                meta: dict[str, Any] = {}
                if version == "2025-11-25":
                    await client.begin(version)
                else:
                    meta = {
                        "io.modelcontextprotocol/protocolVersion": version,
                        "io.modelcontextprotocol/clientInfo": {"name": "t", "version": "1"},
                        "io.modelcontextprotocol/clientCapabilities": {},
                    }
                listed = (await client.request("tools/list", {"_meta": meta}))["result"]["tools"]
                assert [tool["name"] for tool in listed] == ["refund"]
                people.edit("till.refund", {"amount": 80}, by="Ana")
                assert "refunded 80" in text(await client.called("refund", {"amount": 120}, _meta=meta))
                people.reject("till.refund")
                assert (await client.called("refund", {"amount": 120}, _meta=meta))["isError"]
            assert seen == [80]
        assert set(headers) == {b"Bearer one"}
    finally:
        served.should_exit = True
        await running


def test_headers_go_nowhere_in_the_clear_and_a_url_holds_no_password() -> None:
    for url, headers in (
        ("http://example.com/mcp", {"Authorization": "Bearer one"}), ("https://me:pw@example.com/mcp", {}),
        ("ftp://example.com", {}), ("https://", {}),
    ):  # fmt: skip
        with pytest.raises(ConfigError) as told:
            Remote(url, headers)
        assert "Bearer" not in str(told.value) and "pw" not in str(told.value)


def test_a_message_that_is_longer_than_is_taken_is_refused() -> None:
    with pytest.raises(messages.Fault):
        messages.read(b"\x00too long")
    assert json.loads(messages.line(messages.error(None, messages.PARSE_ERROR, "x")))["id"] is None
