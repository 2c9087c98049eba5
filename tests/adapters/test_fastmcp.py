"""FastMCP's middleware: a tool runs what was approved, once, and its client is told the truth."""

from __future__ import annotations

import asyncio
import re
import runpy
import time
from pathlib import Path
from typing import Any

import mcp_types
import pytest
from fastmcp import Client, Context, FastMCP
from fastmcp.apps.app import FastMCPApp
from fastmcp.client.elicitation import ElicitResult
from fastmcp.exceptions import ToolError
from fastmcp.server import create_proxy
from fastmcp.server.middleware import Middleware
from fastmcp.server.providers.addressing import hashed_backend_name
from fastmcp.server.transforms.search import RegexSearchTransform
from fastmcp.tools.base import ToolResult
from pydantic import BaseModel

from signoff import AsyncSignoff, Signoff
from signoff.adapters.fastmcp import SignoffMiddleware
from signoff.adapters.mcp import flights
from signoff.receipts import Signer
from signoff.testing import Approvals

pytestmark = pytest.mark.anyio
ASK = mcp_types.ElicitRequest(
    params=mcp_types.ElicitRequestFormParams(
        message="Sure?", requested_schema={"type": "object", "properties": {}}
    )
)
ROOT = Path(__file__).parents[2]


@pytest.fixture(params=[Signoff, AsyncSignoff])
def signoff(request: pytest.FixtureRequest) -> Any:
    return request.param()


class Line(BaseModel):
    amount: int


class Strict(Line, extra="forbid"):
    """Takes nothing else."""


def a_shop(signoff: Any, tools: Any = None, **options: Any) -> tuple[FastMCP[Any], list[Any]]:
    """A server with a gate, and what its tools have done."""
    shop: FastMCP[Any] = FastMCP("shop")
    shop.add_middleware(SignoffMiddleware(signoff, tools, **options))
    ran: list[Any] = []

    @shop.tool(timeout=5)
    def refund(amount: int, currency: str = "EUR") -> str:
        ran.append((amount, currency))
        return f"refunded {amount} {currency}"

    @shop.tool
    async def both(amount: int, ctx: Context) -> dict[str, int]:
        ran.append(amount)
        if amount > 1000:
            raise ToolError("too much")
        if amount == 1000:
            return ToolResult(content="no", is_error=True)  # type: ignore[return-value]
        return {"paid": amount}

    @shop.tool
    def look(at: int = 1) -> int:
        return at

    return shop, ran


def text(result: Any) -> str:
    return " ".join(block.text for block in result.content)


async def call(client: Any, name: str, args: dict[str, Any], **more: Any) -> Any:
    return await client.call_tool(name, args, raise_on_error=False, **more)


async def test_what_was_approved_runs_and_the_model_is_told(signoff: Any, people: Approvals) -> None:
    shop, ran = a_shop(signoff, ["refund", "both"], reversible=False, tags=["money"])
    async with Client(shop) as client:
        people.approve()
        plain = await call(client, "refund", {"amount": 120})
        assert text(plain) == "refunded 120 EUR" and "dev.signoff/note" not in (plain.meta or {})
        people.edit("refund", {"amount": 80}, by="Ana", note="Half is enough")
        changed = await call(client, "refund", {"amount": 120})
        assert text(changed).startswith("refunded 80 EUR Ana approved this call with changes")
        assert "Half is enough" in changed.meta["dev.signoff/note"]
        people.edit("both", {"amount": 7}, by="Ana")
        inside = await call(client, "both", {"amount": 9})
        assert inside.structured_content["paid"] == 7 and not inside.is_error
        people.reject("refund", "Too much.", by="Ana")
        no = await call(client, "refund", {"amount": 120})
        assert no.is_error and "Ana rejected it. Reason: Too much." in text(no)
        people.expire("refund")
        late = await call(client, "refund", {"amount": 120})
        assert late.is_error and "This is not a rejection" in text(late)
        people.approve("both")
        for amount in (1000, 1001):
            assert (await call(client, "both", {"amount": amount})).is_error
        assert (await call(client, "look", {})).data == 1
    assert ran == [(120, "EUR"), (80, "EUR"), 7, 1000, 1001]
    first = people.requests[0]
    assert (first.action, first.payload) == ("refund", {"amount": 120, "currency": "EUR"})
    assert first.tags == ("money",) and first.key and first.key.startswith("fastmcp:shop:")
    assert [outcome.succeeded for outcome in people.outcomes.values()] == [True] * 3 + [False] * 2


async def test_what_is_wrong_is_never_asked_or_run(signoff: Any, people: Approvals) -> None:
    people.approve()
    shop, ran = a_shop(signoff)
    async with Client(shop) as client:
        for name, args in (
            ("refund", {"amount": "text"}), ("refund", {}), ("refund", {"amount": 2**60}),
            ("nothing", {"amount": 1}), ("Refund", {"amount": 1}),
        ):  # fmt: skip
            result = await call(client, name, args)
            assert result.is_error, name
        assert not people.requests
        # The tool's own check stands behind a correction, too.
        assert not (await call(client, "refund", {"amount": 1})).is_error
    assert ran == [(1, "EUR")]


async def test_a_cancelled_call_is_withdrawn_and_never_runs(signoff: Any, people: Approvals) -> None:
    people.hold()
    shop, ran = a_shop(signoff, ["refund"])
    async with Client(shop) as client:
        with pytest.raises(Exception, match=r"(?i)timed? ?out"):
            await client.call_tool("refund", {"amount": 1}, timeout=0.2)
        await people.wait_for_async(requests=1, withdrawn=1)
        people.approve()
        assert (await call(client, "look", {})).data == 1
    assert not ran and len(people.requests) == 1


async def test_one_call_of_a_model_has_one_card_and_runs_once(signoff: Any, people: Approvals) -> None:
    people.approve()
    for _ in range(2):
        shop, ran = a_shop(signoff)
        async with Client(shop) as client:
            last = await call(client, "refund", {"amount": 1}, meta={"claudecode/toolUseId": "toolu_1"})
    assert len(people.requests) == 1 and last.is_error and not ran
    key = people.requests[0].key
    assert key and key.startswith("fastmcp:shop:toolu_1:")


async def test_forty_wait_together_and_an_ungated_tool_beside_them_does_not(
    signoff: Any, people: Approvals
) -> None:
    people.hold()
    shop, ran = a_shop(signoff, ["refund"])
    async with Client(shop) as client:
        await call(client, "look", {})
        waiting = [asyncio.create_task(call(client, "refund", {"amount": n})) for n in range(40)]
        await people.wait_for_async(requests=40)
        started = time.perf_counter()
        await call(client, "look", {})
        assert time.perf_counter() - started < 0.1
        people.approve()
        await asyncio.gather(*waiting)
    assert len(ran) == 40


async def test_a_mounted_tool_and_one_by_its_other_name_are_gated(signoff: Any, people: Approvals) -> None:
    people.reject()
    inner, ran = a_shop(signoff, ["nothing"])
    app, hashed = FastMCPApp("payments"), hashed_backend_name("payments", "pay")

    @app.tool(model=True)
    def pay(amount: int) -> str:
        ran.append(amount)
        return "paid"

    inner.add_provider(app, namespace="app")
    outer: FastMCP[Any] = FastMCP("outer")
    outer.add_middleware(SignoffMiddleware(signoff, ["shop_refund", "shop_app_*"]))
    outer.mount(inner, "shop")
    proxy = create_proxy(outer, name="proxy")
    proxy.add_middleware(SignoffMiddleware(signoff, ["shop_*"]))
    for server in (outer, proxy):
        async with Client(server) as client:
            for name in ("shop_refund", "shop_app_pay", hashed):
                assert (await call(client, name, {"amount": 1})).is_error, name
            for name in ("pay", "__0123456789ab_pay", hashed.upper(), "shop_app_pay "):
                assert text(await call(client, name, {"amount": 1})) == f"Unknown tool: {name!r}"
            assert (
                await call(client, hashed + "x", {"amount": 1})
            ).is_error  # a proxy goes by the hash alone
    actions = [request.action for request in people.requests]
    assert actions == [*["shop_refund", "shop_app_pay", "shop_app_pay"] * 2, "shop_app_pay"] and not ran


async def test_a_call_is_shown_and_run_by_the_version_that_it_wants(people: Approvals) -> None:
    people.approve()
    shop, ran = a_shop(Signoff(), ["pay"])

    @shop.tool(version="1.0", name="pay")
    def first(amount: int, to: str = "everybody") -> None:
        ran.append((1, amount, to))

    @shop.tool(version="2.0", name="pay")
    def second(amount: int, target: str = "nobody") -> None:
        ran.append((2, amount, target))

    async with Client(shop) as client:
        for version in ("1.0", "v1", "2.0", None):
            assert not (await call(client, "pay", {"amount": 5}, version=version)).is_error
        assert (await call(client, "pay", {"amount": 5}, version="3.0")).is_error
        assert (await call(client, "pay", {"amount": 5, "to": "me"})).is_error  # 2.0 takes no such argument
        # Meanwhile there is a newer one, which nobody has seen.
        people.hold()
        waiting = asyncio.create_task(call(client, "pay", {"amount": 6}))
        await people.wait_for_async(requests=5)
        shop.tool(version="4.0", name="pay")(lambda amount, all=True: ran.append(all))
        people.approve()
        changed = await waiting
    assert changed.is_error and "the server has changed this tool" in text(changed)
    shown = [request.payload for request in people.requests[:4]]
    assert shown == [{"amount": 5, "to": "everybody"}] * 2 + [{"amount": 5, "target": "nobody"}] * 2
    assert ran == [(1, 5, "everybody")] * 2 + [(2, 5, "nobody")] * 2
    assert [outcome.succeeded for outcome in people.outcomes.values()] == [True] * 4 + [False]


async def test_names_that_a_tool_passes_over_are_refused_or_not_shown(people: Approvals) -> None:
    people.approve()
    shop, ran = a_shop(Signoff())

    @shop.tool
    def order(line: Line, strict: Strict | None = None) -> None:
        ran.append(line.amount)

    async with Client(shop) as client:
        assert not (await call(client, "order", {"line": {"amount": 1, "free": True}})).is_error
        for args in (
            {"line": {"amount": 2}, "free": True},
            {"line": {"amount": 3}, "strict": {"amount": 1, "free": True}},
        ):
            assert (await call(client, "order", args)).is_error
    assert [request.payload for request in people.requests] == [{"line": {"amount": 1}, "strict": None}]
    assert ran == [1]


async def test_calls_within_one_request_are_told_apart(people: Approvals) -> None:
    """Of a tool that calls others, and of a transform by which a model searches them and calls them."""
    people.approve()
    shop, ran = a_shop(Signoff())

    @shop.tool
    async def thrice(ctx: Context) -> list[str]:
        made = [ctx.fastmcp.call_tool("refund", {"amount": amount}) for amount in (1, 1, 2)]
        return [text(result) for result in await asyncio.gather(*made)]

    shop.add_transform(RegexSearchTransform())
    by_name = {"name": "refund", "arguments": {"amount": 3}}
    async with Client(shop) as client:
        for _ in range(2):  # a client that repeats the request finds the same cards
            await call(client, "thrice", {}, meta={"claudecode/toolUseId": "toolu_1"})
        assert not (await call(client, "call_tool", by_name)).is_error
    assert sorted(ran) == [(1, "EUR"), (1, "EUR"), (2, "EUR"), (3, "EUR")]
    keys = [request.key for request in people.requests]
    assert len(set(keys)) == len(keys) == 6


async def test_a_fault_of_ours_runs_nothing_and_afterwards_loses_nothing(
    people: Approvals, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any, **__: Any) -> Any:
        raise RuntimeError("redis://10.0.0.1:6379 /etc/passwd")

    people.edit("*", {"amount": 2}, by="Ana")
    before = ["Keys.key", "Rounds.resumed", "SignoffMiddleware._gated", "_schema", "find", "Calls.decide"]
    after = ["with_note", "Approved.report", "SignoffMiddleware._ended"]
    for name in [*before, *after]:
        shop, ran = a_shop(Signoff())
        with monkeypatch.context() as patched:
            patched.setattr(f"signoff.adapters.fastmcp.{name}", broken)
            async with Client(shop) as client:
                result = await call(client, "refund", {"amount": 1})
        if name in before:
            assert result.is_error and "was not run: for a technical reason" in text(result), name
            assert not ran and "10.0" not in text(result)
        else:
            assert text(result).startswith("refunded 2 EUR") and ran == [(2, "EUR")], name


async def test_made_up_names_are_not_looked_up_and_ones_that_fit_nothing_are_logged(
    people: Approvals, caplog: pytest.LogCaptureFixture
) -> None:
    asked: list[str] = []
    shop, _ = a_shop(Signoff(), lambda name: asked.append(name))
    shop.add_middleware(SignoffMiddleware(Signoff(), ["refund", "refnud", "look*"]))
    shop.add_transform(RegexSearchTransform())  # hides them all from the list
    async with Client(shop) as client:
        for name in ("x1", "x2", "__0123456789ab_refund"):
            assert (await call(client, name, {})).is_error
        await client.list_tools()
        await client.list_tools()
    assert not asked
    assert caplog.text.count("gates nothing") == 1 and "'refnud'" in caplog.text


async def test_a_tool_that_asks_back_is_asked_about_once(signoff: Any, people: Approvals) -> None:
    ran: list[Any] = []
    shop: FastMCP[Any] = FastMCP("shop")
    shop.add_middleware(SignoffMiddleware(signoff))

    @shop.tool
    async def refund(amount: int, ctx: Context) -> Any:
        if ctx.input_responses is None:
            return mcp_types.InputRequiredResult(input_requests={"sure": ASK}, request_state=str(amount))
        ran.append((amount, ctx.request_state))
        return f"refunded {amount}"

    async def sure(*_: Any) -> Any:
        return ElicitResult(action="accept", content={})

    people.edit("refund", {"amount": 2}, by="Ana")
    async with Client(shop, elicitation_handler=sure) as client:
        result = await call(client, "refund", {"amount": 1})
    assert text(result).startswith("refunded 2 Ana approved") and ran == [(2, "2")]
    assert len(people.requests) == 1 and len(people.outcomes) == 1


async def test_no_client_goes_on_with_what_another_was_allowed(
    people: Approvals, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever state the tool gives, none too, and however often: an answer holds once, and for a time."""
    ran: list[Any] = []
    given: list[str | None] = [None]
    shop: FastMCP[Any] = FastMCP("shop")
    shop.add_middleware(SignoffMiddleware(Signoff()))

    @shop.tool
    async def refund(amount: int, ctx: Context) -> Any:
        if not ctx.input_responses:
            return mcp_types.InputRequiredResult(input_requests={"sure": ASK}, request_state=given[0])
        ran.append((amount, ctx.request_state))
        return "done"

    yes: dict[str, Any] = {"input_responses": {"sure": mcp_types.ElicitResult(action="accept", content={})}}
    async with Client(shop) as a, Client(shop) as b:
        for state in (None, "", "step-1"):
            given[0] = state
            people.approve()
            asks = await a.session.call_tool("refund", {"amount": 5}, allow_input_required=True)
            people.reject()
            assert (await b.session.call_tool("refund", {"amount": 5}, **yes)).is_error
            sealed = {**yes, "request_state": asks.request_state}
            done = await a.session.call_tool("refund", {"amount": 5}, **sealed)
            assert text(done) == "done" and ran.pop() == (5, state), state
            assert (await b.session.call_tool("refund", {"amount": 5}, **sealed)).is_error  # used up
        people.approve()
        asks = await a.session.call_tool("refund", {"amount": 5}, allow_input_required=True)
        people.reject()
        monkeypatch.setattr(flights.Approved, "holds", lambda approved: False)  # the receipt's time is over
        late = await a.session.call_tool("refund", {"amount": 5}, **yes, request_state=asks.request_state)
    assert late.is_error and not ran


async def test_a_result_that_is_no_tools_is_passed_on_as_a_task(signoff: Any, people: Approvals) -> None:
    class AsTask(Middleware):
        async def on_call_tool(self, context: Any, call_next: Any) -> Any:
            return mcp_types.CreateTaskResult.model_construct(task=None)

    people.approve()
    shop, ran = a_shop(signoff)
    shop.add_middleware(AsTask())
    task = await SignoffMiddleware(signoff).on_call_tool(
        _context(shop, "refund", {"amount": 1}), lambda context: AsTask().on_call_tool(context, None)
    )
    assert isinstance(task, mcp_types.CreateTaskResult) and not ran
    [outcome] = people.outcomes.values()
    assert outcome.succeeded and "background task" in outcome.note


def _context(shop: FastMCP[Any], name: str, args: dict[str, Any]) -> Any:
    from fastmcp.server.middleware import MiddlewareContext

    message = mcp_types.CallToolRequestParams(name=name, arguments=args)
    return MiddlewareContext(message=message, method="tools/call", fastmcp_context=None)


async def test_a_server_of_ours_that_is_away_runs_nothing_and_names_no_place() -> None:
    key = Signer.generate().verify_key
    with Signoff(redis_url="redis://127.0.0.1:1/0", agent="a", verify_key=key) as away:
        shop, ran = a_shop(away, wait=1)
        async with Client(shop) as client:
            result = await call(client, "refund", {"amount": 1})
    assert result.is_error and "was not run" in text(result) and "127.0.0.1" not in text(result)
    assert not ran


async def test_the_page_and_the_example_run(people: Approvals, capsys: pytest.CaptureFixture[str]) -> None:
    page = (ROOT / "docs" / "adapters" / "fastmcp.md").read_text(encoding="utf-8")
    names: dict[str, Any] = {}
    for block in re.findall(r"^```python\n(.*?)^```$", page, re.MULTILINE | re.DOTALL):
        exec(compile(block, "fastmcp.md", "exec"), names)
    people.edit("refund", {"amount": 60}, by="Ana")
    async with Client(names["shop"]) as client:
        done = await call(client, "refund", {"customer": "cus_42", "amount": 120})
        assert text(done).startswith("refunded 60 EUR to cus_42 Ana approved")
        assert (await call(client, "balance", {"customer": "cus_42"})).data == 120
    await runpy.run_path(str(ROOT / "examples" / "fastmcp_server.py"))["call_both"]()
    assert capsys.readouterr().out.startswith("refunded 60 for A-1\nAna approved")
