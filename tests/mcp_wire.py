"""MCP by its lines, for tests of the gate: a client that writes anything, and a server that is one too."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, Self

from signoff import AsyncSignoff
from signoff.adapters.mcp.gate import Gate
from signoff.adapters.mcp.upstream import ServerEnded, Upstream

SECONDS = 30.0
Message = dict[str, Any]
Handler = Callable[[Message], Awaitable[Any] | Any]


class Client:
    """The client's side: what is sent, and all that came back, in order."""

    def __init__(self) -> None:
        self.got: list[Any] = []
        self.raw: list[bytes] = []
        self._lines: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._news = asyncio.Condition()
        self._id = 0

    async def lines(self) -> AsyncIterator[bytes]:
        """What a gate reads."""
        while (line := await self._lines.get()) is not None:
            yield line

    async def write(self, line: bytes) -> None:
        """What a gate writes to."""
        async with self._news:
            self.raw.append(line)
            self.got.append(json.loads(line))
            self._news.notify_all()

    def send(self, message: Message | list[Any] | bytes) -> None:
        """A message, or any line."""
        self._lines.put_nowait(message if isinstance(message, bytes) else json.dumps(message).encode())

    def leave(self) -> None:
        """Close the input."""
        self._lines.put_nowait(None)

    def ask(self, method: str, params: Message | None = None, id: Any = None) -> Any:
        """A request; its id."""
        self._id += 1
        id = self._id if id is None else id
        self.send(
            {"jsonrpc": "2.0", "id": id, "method": method, **({} if params is None else {"params": params})}
        )
        return id

    def call(self, name: str, args: Message | None = None, id: Any = None, **more: Any) -> Any:
        """A call of a tool; its id."""
        return self.ask("tools/call", {"name": name, "arguments": args or {}, **more}, id)

    async def response(self, id: Any) -> Message:
        """What came back to a request."""
        found = await self.until(lambda got: got.get("id") == id and "method" not in got)
        assert isinstance(found, dict)
        return found

    async def until(self, fits: Callable[[Message], bool]) -> Any:
        """The first message of all that came that fits."""
        async with asyncio.timeout(SECONDS), self._news:
            while True:
                for got in self.got:
                    if isinstance(got, dict) and fits(got):
                        return got
                await self._news.wait()

    async def request(self, method: str, params: Message | None = None) -> Message:
        """Ask, and what came back."""
        return await self.response(self.ask(method, params))

    async def called(self, name: str, args: Message | None = None, **more: Any) -> Message:
        """Call, and the result."""
        result = (await self.response(self.call(name, args, **more)))["result"]
        assert isinstance(result, dict)
        return result

    async def begin(self, version: str = "2025-11-25") -> Message:
        """The handshake; its result."""
        params = {
            "protocolVersion": version,
            "capabilities": {},
            "clientInfo": {"name": "test", "version": "1"},
        }
        result = (await self.request("initialize", params))["result"]
        self.send({"jsonrpc": "2.0", "method": "notifications/initialized"})
        assert isinstance(result, dict)
        return result


class Server:
    """A server without a process: it notes what it is given, and answers as a test says.

    `tools` are what tools/list tells. A handler by a method's name gives the result; by default a call's is
    its arguments as text. One that gives None answers nothing.
    """

    def __init__(self, *tools: Message, name: str = "shop", **handlers: Handler) -> None:
        self.tools = list(tools)
        self.name = name
        self.handlers = {key.replace("__", "/"): value for key, value in handlers.items()}
        self.raw: list[bytes] = []
        self.got: list[Any] = []
        self.finished = False
        self._out: asyncio.Queue[bytes | None] = asyncio.Queue()

    @property
    def calls(self) -> list[Message]:
        """The params of all calls that reached it."""
        return [message["params"] for message in self.got if message.get("method") == "tools/call"]

    def say(self, message: Message | list[Any] | bytes) -> None:
        """Write a message, or any line."""
        self._out.put_nowait(message if isinstance(message, bytes) else json.dumps(message).encode())

    def die(self) -> None:
        """End, as a crash does."""
        self._out.put_nowait(None)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.finished = True

    async def finish(self) -> None:
        self._out.put_nowait(None)

    async def send(self, line: bytes) -> None:
        if self.finished:
            raise ServerEnded
        self.raw.append(line)
        found = json.loads(line)
        for message in found if isinstance(found, list) else [found]:
            self.got.append(message)
            if "method" in message and "id" in message:
                result = self._result(message)
                if result is not None:
                    self.say({"jsonrpc": "2.0", "id": message["id"], "result": result})

    def _result(self, message: Message) -> Any:
        method = message["method"]
        if method in self.handlers:
            return self.handlers[method](message)
        if method == "initialize":
            return {
                "protocolVersion": message["params"]["protocolVersion"],
                "capabilities": {"tools": {}},
                "serverInfo": {"name": self.name, "version": "1"},
            }
        if method == "tools/list":
            return {"tools": self.tools}
        if method == "tools/call":
            text = json.dumps(message["params"].get("arguments"), sort_keys=True)
            return {"content": [{"type": "text", "text": text}]}
        return {}

    async def lines(self) -> AsyncIterator[bytes]:
        while (line := await self._out.get()) is not None:
            yield line


def a_tool(name: str = "refund", **more: Any) -> Message:
    """A tool of one amount."""
    properties = {"amount": {"type": "integer"}, "currency": {"type": "string", "default": "EUR"}}
    return {"name": name, "inputSchema": {"type": "object", "properties": properties}, **more}


@asynccontextmanager
async def gated(
    server: Upstream, client: AsyncSignoff | None = None, **options: Any
) -> AsyncIterator[Client]:
    """A client before a gate before a server; both are gone afterwards."""
    talk = Client()
    gate = Gate(server, talk.write, client or AsyncSignoff(), **options)
    running = asyncio.create_task(gate.run(talk.lines()))
    try:
        yield talk
    finally:
        talk.leave()
        async with asyncio.timeout(SECONDS):
            await running
