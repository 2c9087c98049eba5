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
from fastmcp.client.elicitation import ElicitResult
from fastmcp.exceptions import ToolError
from fastmcp.server.middleware import Middleware
from fastmcp.tools.base import ToolResult

from signoff import AsyncSignoff, Signoff
from signoff.adapters.fastmcp import SignoffMiddleware
from signoff.receipts import Signer
from signoff.testing import Approvals

pytestmark = pytest.mark.anyio
ROOT = Path(__file__).parents[2]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(params=[Signoff, AsyncSignoff])
def signoff(request: pytest.FixtureRequest) -> Any:
    return request.param()


@pytest.fixture
def people(signoff_approvals: Approvals) -> Approvals:
    return signoff_approvals


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
        assert text(plain) == "refunded 120 EUR" and "signoff.note" not in (plain.meta or {})
        people.edit("refund", {"amount": 80}, by="Ana", note="Half is enough")
        changed = await call(client, "refund", {"amount": 120})
        assert text(changed).startswith("refunded 80 EUR Ana approved this call with changes")
        assert "Half is enough" in changed.meta["signoff.note"]
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
    assert people.requests[0].key == "fastmcp:shop:toolu_1"


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
    outer: FastMCP[Any] = FastMCP("outer")
    outer.add_middleware(SignoffMiddleware(signoff, ["shop_refund", "refund"]))
    outer.mount(inner, "shop")
    async with Client(outer) as client:
        assert (await call(client, "shop_refund", {"amount": 1})).is_error
        assert (await call(client, "__0123456789ab_refund", {"amount": 1})).is_error
    assert [request.action for request in people.requests] == ["shop_refund", "refund"] and not ran


async def test_a_tool_that_asks_back_is_asked_about_once(signoff: Any, people: Approvals) -> None:
    ran: list[Any] = []
    shop: FastMCP[Any] = FastMCP("shop")
    shop.add_middleware(SignoffMiddleware(signoff))

    @shop.tool
    async def refund(amount: int, ctx: Context) -> Any:
        if ctx.input_responses is None:
            ask = mcp_types.ElicitRequest(
                params=mcp_types.ElicitRequestFormParams(
                    message="Sure?", requested_schema={"type": "object", "properties": {}}
                )
            )
            return mcp_types.InputRequiredResult(input_requests={"sure": ask}, request_state=str(amount))
        ran.append((amount, ctx.request_state))
        return f"refunded {amount}"

    async def sure(*_: Any) -> Any:
        return ElicitResult(action="accept", content={})

    people.edit("refund", {"amount": 2}, by="Ana")
    async with Client(shop, elicitation_handler=sure) as client:
        result = await call(client, "refund", {"amount": 1})
    assert text(result).startswith("refunded 2 Ana approved") and ran == [(2, "2")]
    assert len(people.requests) == 1 and len(people.outcomes) == 1


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
