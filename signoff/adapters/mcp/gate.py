"""The gate: between an MCP client and a server; a call of a tool passes once it was approved, and only so.

What is no call of a gated tool is passed on unchanged, in both directions; what a client says is written
anew (signoff.adapters.mcp.messages says why). Of what was asked about, the server gets the receipt's payload
as the arguments.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from fnmatch import fnmatchcase

from signoff.adapters.mcp import messages
from signoff.adapters.mcp.desk import Desk
from signoff.adapters.mcp.flights import Approved, Asked, Batch, Flight
from signoff.adapters.mcp.messages import CALL, CANCELLED, LIST, Fault, Id, Message
from signoff.adapters.mcp.outbox import Found, Outbox
from signoff.adapters.mcp.replies import UNKNOWN, Replies
from signoff.adapters.mcp.server_tools import ServerTools
from signoff.adapters.mcp.upstream import PATIENCE, NotSent, ServerEnded, Upstream
from signoff.client.client import AsyncSignoff
from signoff.client.face import Signoff
from signoff.models.tool_calls import folded

log = logging.getLogger("signoff")

END_SECONDS = 10.0
"""How long the end of a gate waits for what is still to be withdrawn and reported."""
NOT_RUN = "The MCP server has ended, and this was not run."
TAKEN = "A request of this id is under way: this one was not passed on."
NOT_SENT = "It was not passed on: its way to the server does not carry it."
BROKEN = "was not run: for a technical reason no approval can be had now. Tell whoever you work for."
LEFT = "The client went away before the server had answered."
CANCELLED_RUN = "The client cancelled it while it ran."


class Gate:
    """One client's way to one server. `tools` are patterns of the names that are gated; none are all.

    `name` begins every action, as `<name>.<tool>`; without one it is what the server calls itself. `wait`
    is as in Calls. `write` takes a line, without its end, to the client.
    """

    def __init__(
        self,
        server: Upstream,
        write: Callable[[bytes], Awaitable[None]],
        client: Signoff | AsyncSignoff,
        *,
        name: str | None = None,
        tools: Sequence[str] = (),
        wait: float | None = None,
    ) -> None:
        self._server, self._patterns = server, tuple(tools)
        self._asked: dict[Id, Asked] = {}
        listed = ServerTools(server, name)
        self._replies = Replies(listed, write, self._asked.__contains__)
        self._desk = Desk(client, listed, self._replies.told, self._replies.give, wait)
        self._outbox = Outbox(server, self._not_sent)

    async def run(self, lines: AsyncIterator[bytes]) -> bool:
        """Pass messages on until one of the two has gone; whether it was the client. Raises ConfigError."""
        async with self._server:
            reading = asyncio.create_task(self._read(lines))
            serving = asyncio.create_task(self._replies.serve(self._server.lines()))
            sending = asyncio.create_task(self._outbox.run())
            tasks = {reading, serving, sending}
            try:
                await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            except asyncio.CancelledError:
                reading.cancel()
            left = not (serving.done() or sending.done())
            await self._drop_asked(ended=not left)
            if left:
                await self._outbox.emptied(PATIENCE)
            if not serving.done():
                await self._server.finish()
                if self._replies.flights:  # what runs may still be answered
                    await asyncio.wait({serving}, timeout=PATIENCE)
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
            await self._replies.drop(LEFT if left else UNKNOWN)
            await self._replies.settled(END_SECONDS)
        for task in tasks:
            if not task.cancelled() and (error := task.exception()) is not None:
                raise error
        return left

    # From the client to the server.

    async def _read(self, lines: AsyncIterator[bytes]) -> None:
        async for line in lines:
            try:
                found = messages.read(line)
                await (self._take(found) if isinstance(found, dict) else self._take_all(found))
            except Fault as fault:
                log.warning("a message of the client's was not passed on: %s", fault.text)
                await self._replies.give(messages.error(fault.id, fault.code, fault.text))
            except Exception:
                log.exception("a message of the client's was not passed on, as the gate failed")
                await self._replies.give(messages.error(None, messages.INTERNAL, f"It {BROKEN}"))

    async def _take_all(self, found: list[Message]) -> None:
        """A batch passes as it is, unless something in it concerns the gate: then one by one."""
        if not any(message.get("method") in (CALL, CANCELLED, LIST) for message in found):
            line = messages.passed_on(found)
            for message in found:
                self._note(message, None)
            await self._outbox.put(found, line)
            return
        batch = Batch({message["id"] for message in found if "method" in message and "id" in message})
        for message in found:
            await self._take(message, batch)

    async def _take(self, message: Message, batch: Batch | None = None) -> None:
        id = message.get("id") if "method" in message else None
        try:
            await self._taken(message, batch)
        except Fault as fault:
            if id is None:
                raise
            await self._replies.respond(id, self._refused(message, fault.text, fault.code), batch)
        except Exception:
            log.exception("a message of the client's was not passed on, as the gate failed")
            if id is not None:
                self._replies.flights.pop(id, None)
                await self._replies.respond(id, messages.failed(message, BROKEN), batch)

    def _refused(self, request: Message, text: str, code: int) -> Message:
        if request["method"] == CALL:
            return messages.refusal(request, f"{request['params']['name']} was not run. {text}")
        return messages.error(request["id"], code, f"{request['method'][:100]} {text}")

    async def _taken(self, message: Message, batch: Batch | None) -> None:
        id, method = message.get("id"), message.get("method")
        if method == CANCELLED and self._cancel(messages.params_of(message).get("requestId")):
            return
        if method is not None and id is not None and (id in self._asked or id in self._replies.flights):
            log.warning("a client used the id of a request under way again: it was not passed on")
            await self._replies.give(messages.error(None, messages.INVALID_REQUEST, TAKEN))
            await self._replies.respond(id, None, batch)
            return
        line = messages.passed_on(message)
        if self._gates(message):
            assert id is not None
            self._asked[id] = Asked(asyncio.create_task(self._ask(message, batch)), message, batch)
        else:
            self._note(message, batch)
            await self._outbox.put(message, line)

    async def _not_sent(self, found: Found, text: str) -> None:
        """Answer what did not go to the server."""
        ids = [
            one["id"]
            for one in (found if isinstance(found, list) else [found])
            if "method" in one and "id" in one
        ]
        for id in ids:
            flight = self._replies.flights.pop(id, None)
            await self._replies.respond(
                id, messages.error(id, messages.INVALID_REQUEST, text), flight.batch if flight else None
            )
        if not ids:
            await self._replies.give(messages.error(None, messages.INVALID_REQUEST, text))

    def _note(self, message: Message, batch: Batch | None) -> None:
        if "method" in message and messages.is_id(id := message.get("id")):
            self._replies.flights[id] = Flight(message, batch)

    def _gates(self, message: Message) -> bool:
        if message.get("method") != CALL:
            return False
        name = message["params"]["name"]
        if not self._patterns or not name.isprintable():  # who knows what a server takes that for
            return True
        return any(fnmatchcase(folded(name).strip(), folded(pattern)) for pattern in self._patterns)

    def _cancel(self, named: object) -> bool:
        """The client cancels a request; whether the server has not heard of it, and need not."""
        for id, asked in list(self._asked.items()):
            if str(id) == str(named):
                asked.task.cancel()
                self._replies.later(self._replies.respond(id, None, asked.batch))
                return True
        flight = self._replies.flights.get(named) if messages.is_id(named) else None
        if flight is not None and flight.approved is not None:
            self._replies.later(flight.approved.report(False, CANCELLED_RUN))
            flight.approved = None
        return False

    async def _ask(self, request: Message, batch: Batch | None) -> None:
        """Have one call decided, and pass on what was approved."""
        id = request["id"]
        response: Message | None = None
        passed = False
        try:
            before = self._replies.unfinished.resumed(request)
            decided = await (self._desk.goes_on(request, before) if before else self._desk.decide(request))
            if isinstance(decided, Approved):
                passed = True
                await self._pass_on(request, batch, decided)
                return
            response = messages.refusal(request, decided)
        except NotSent as error:
            response = messages.error(id, messages.INVALID_REQUEST, str(error))
        except ServerEnded:
            response = messages.error(id, messages.ENDED, UNKNOWN if passed else NOT_RUN)
        except Exception:
            log.exception("a call was not passed on, as the gate failed")
            response = messages.failed(request, BROKEN)
            if passed:
                response = messages.error(id, messages.ENDED, UNKNOWN)
        finally:
            self._asked.pop(id, None)
        await self._replies.respond(id, response, batch)

    async def _pass_on(self, request: Message, batch: Batch | None, approved: Approved) -> None:
        """What the server gets: the client's request, with the arguments that were approved."""
        params = dict(request["params"])
        made = {"jsonrpc": "2.0", "id": request["id"], "method": CALL, "params": params}
        if approved.go.args or params.get("arguments") is not None:
            params["arguments"] = approved.go.args
        self._asked.pop(request["id"], None)
        flight = self._replies.flights[request["id"]] = Flight(request, batch, approved)
        try:
            await self._server.send(messages.line(made))
        except BaseException as error:
            self._replies.flights.pop(request["id"], None)
            flight.approved = None
            self._replies.later(approved.report(False, NOT_SENT if isinstance(error, NotSent) else UNKNOWN))
            raise

    async def _drop_asked(self, *, ended: bool) -> None:
        """Withdraw what is asked about: nobody waits for it, or nothing could run it."""
        asked = dict(self._asked)
        self._asked.clear()
        for one in asked.values():
            one.task.cancel()
        if asked:
            await asyncio.wait({one.task for one in asked.values()}, timeout=END_SECONDS)
        if ended:
            for id, one in asked.items():
                await self._replies.respond(id, messages.error(id, messages.ENDED, NOT_RUN), one.batch)
