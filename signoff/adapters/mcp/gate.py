"""The gate: between an MCP client and a server; a call of a tool passes once it was approved, and only so.

What is no call of a gated tool is passed on as it came, in both directions. Of what was asked about, the
server gets the receipt's payload as the arguments, and never the client's line.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import suppress
from typing import Any

from signoff.adapters.mcp import messages
from signoff.adapters.mcp.answers import succeeded, with_note
from signoff.adapters.mcp.desk import Desk
from signoff.adapters.mcp.flights import Approved, Asked, Batch, Flight, Unfinished
from signoff.adapters.mcp.listing import Told, fits
from signoff.adapters.mcp.messages import CALL, CANCELLED, LIST, Fault, Id, Message
from signoff.adapters.mcp.server_tools import ServerTools
from signoff.adapters.mcp.upstream import PATIENCE, NotSent, ServerEnded, Upstream
from signoff.client.client import AsyncSignoff
from signoff.client.face import Signoff

log = logging.getLogger("signoff")

END_SECONDS = 10.0
"""How long the end of a gate waits for what is still to be withdrawn and reported."""
NOT_RUN = "The MCP server has ended, and this was not run."
UNKNOWN = "The MCP server has ended before it answered: nobody knows how far this ran."
FAILED = "The tool answered with an error."
TAKEN = "A request of this id is under way: this one was not passed on."
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
        self._server, self._write, self._patterns = server, write, tuple(tools)
        self._tools, self._told, self._unfinished = (
            ServerTools(server, name),
            Told(tuple(tools)),
            Unfinished(),
        )
        self._desk = Desk(client, self._tools, self._told, self._give, wait)
        self._asked: dict[Id, Asked] = {}
        self._flights: dict[Id, Flight] = {}
        self._left_over: set[asyncio.Future[Any]] = set()

    async def run(self, lines: AsyncIterator[bytes]) -> bool:
        """Pass messages on until one of the two has gone; whether it was the client. Raises ConfigError."""
        async with self._server:
            reading = asyncio.create_task(self._read(lines))
            serving = asyncio.create_task(self._serve())
            try:
                await asyncio.wait({reading, serving}, return_when=asyncio.FIRST_COMPLETED)
            except asyncio.CancelledError:
                reading.cancel()
            left = not serving.done()
            await self._drop_asked(ended=not left)
            if left:
                await self._server.finish()
                if self._flights:  # what runs may still be answered
                    await asyncio.wait({serving}, timeout=PATIENCE)
            for task in (reading, serving):
                task.cancel()
            await asyncio.wait({reading, serving})
            await self._drop_flights(LEFT if left else UNKNOWN)
            if self._left_over:
                await asyncio.wait(self._left_over, timeout=END_SECONDS)
        for task in (reading, serving):
            if not task.cancelled() and (error := task.exception()) is not None:
                raise error
        return left

    # From the client to the server.

    async def _read(self, lines: AsyncIterator[bytes]) -> None:
        with suppress(ServerEnded):
            async for line in lines:
                try:
                    found = messages.read(line)
                except Fault as fault:
                    log.warning("a message of the client's was not passed on: %s", fault.text)
                    await self._give(messages.error(fault.id, fault.code, fault.text))
                    continue
                try:
                    await (
                        self._take(found, line) if isinstance(found, dict) else self._take_all(found, line)
                    )
                except NotSent as error:
                    id = found.get("id") if isinstance(found, dict) else None
                    self._flights.pop(id or "", None)
                    await self._give(messages.error(id, messages.INVALID_REQUEST, str(error)))

    async def _take_all(self, found: list[Message], line: bytes) -> None:
        """A batch passes as it is, unless something in it concerns the gate: then one by one."""
        if not any(message.get("method") in (CALL, CANCELLED, LIST) for message in found):
            for message in found:
                self._note(message, None)
            await self._server.send(line)
            return
        batch = Batch({message["id"] for message in found if "method" in message and "id" in message})
        for message in found:
            await self._take(message, messages.line(message), batch)

    async def _take(self, message: Message, line: bytes, batch: Batch | None = None) -> None:
        """Take one message of the client's; what we fail at is not passed on, and answered."""
        try:
            await self._take_up(message, line, batch)
        except (ServerEnded, NotSent):
            raise
        except Exception:
            log.exception("a message of the client's was not passed on, as the gate failed")
            if messages.is_id(id := message.get("id")) and "method" in message:
                self._flights.pop(id, None)
                await self._respond(id, messages.failed(message, BROKEN), batch)

    async def _take_up(self, message: Message, line: bytes, batch: Batch | None) -> None:
        id, method = message.get("id"), message.get("method")
        if method == CANCELLED and self._cancel(messages.params_of(message).get("requestId")):
            return
        if method is not None and id is not None and (id in self._asked or id in self._flights):
            log.warning("a client used the id of a request under way again: it was not passed on")
            await self._give(messages.error(None, messages.INVALID_REQUEST, TAKEN))
            await self._respond(id, None, batch)
        elif self._gates(message):
            assert id is not None
            self._asked[id] = Asked(asyncio.create_task(self._ask(message, batch)), message, batch)
        else:
            self._note(message, batch)
            await self._server.send(line)

    def _note(self, message: Message, batch: Batch | None) -> None:
        if "method" in message and messages.is_id(id := message.get("id")):
            self._flights[id] = Flight(message, batch)

    def _gates(self, message: Message) -> bool:
        if message.get("method") != CALL:
            return False
        name = message["params"]["name"]
        return not self._patterns or any(fits(name, pattern) for pattern in self._patterns)

    def _cancel(self, named: object) -> bool:
        """The client cancels a request; whether the server has not heard of it, and need not."""
        for id, asked in list(self._asked.items()):
            if str(id) == str(named):
                asked.task.cancel()
                self._later(self._respond(id, None, asked.batch))
                return True
        flight = self._flights.get(named) if messages.is_id(named) else None
        if flight is not None and flight.approved is not None:
            self._later(flight.approved.report(False, CANCELLED_RUN))
            flight.approved = None
        return False

    async def _ask(self, request: Message, batch: Batch | None) -> None:
        """Have one call decided, and pass on what was approved."""
        id = request["id"]
        response: Message | None = None
        try:
            decided = self._unfinished.resumed(request) or await self._desk.decide(request)
            if isinstance(decided, Approved):
                await self._pass_on(request, batch, decided)
                return
            response = messages.refusal(request, decided)
        except ServerEnded:
            response = messages.error(id, messages.ENDED, NOT_RUN)
        except Exception:
            log.exception("a call was not passed on, as the gate failed")
            response = messages.failed(request, BROKEN)
        finally:
            self._asked.pop(id, None)
        await self._respond(id, response, batch)

    async def _pass_on(self, request: Message, batch: Batch | None, approved: Approved) -> None:
        """What the server gets: the client's request, with the arguments that were approved."""
        params = dict(request["params"])
        if approved.go.args or params.get("arguments") is not None:
            params["arguments"] = approved.go.args
        self._asked.pop(request["id"], None)
        flight = self._flights[request["id"]] = Flight(request, batch, approved)
        try:
            await self._server.send(messages.line({**request, "params": params}))
        except BaseException as error:
            self._flights.pop(request["id"], None)
            flight.approved = None
            note = NOT_RUN if isinstance(error, ServerEnded) else UNKNOWN
            self._later(approved.report(False, note))
            raise

    # From the server to the client.

    async def _serve(self) -> None:
        try:
            async for line in self._server.lines():
                found = messages.glance(line)
                if found is None:
                    log.warning("the server wrote a line that is no message: it was not passed on")
                elif isinstance(found, list):
                    await self._pass_back_all(found, line)
                else:
                    await self._pass_back(found, line)
        except ServerEnded as ended:
            log.error("the server's messages end here. %s", ended)
        finally:
            self._tools.end()

    async def _pass_back_all(self, found: list[Any], line: bytes) -> None:
        if any(isinstance(one, dict) and self._concerns(one) for one in found):
            for one in found:
                if isinstance(one, dict):
                    await self._pass_back(one, messages.line(one))
        else:
            await self._write(line)

    def _concerns(self, message: Message) -> bool:
        """Whether a message of the server's is more than something to pass back."""
        id = message.get("id")
        return "method" not in message and isinstance(id, str | int)

    async def _pass_back(self, message: Message, line: bytes) -> None:
        id = message.get("id")
        if "method" in message or not messages.is_id(id):
            await self._write(line)
        elif self._tools.takes(message):
            pass
        elif (flight := self._flights.pop(id, None)) is not None:
            await self._land(flight, message, line)
        elif id in self._asked:
            log.error("the server answered a call that it was not given: it was not passed back")
        else:
            await self._write(line)

    async def _land(self, flight: Flight, response: Message, line: bytes) -> None:
        told = response
        try:
            told = self._landed(flight, response)
        except Exception:  # it has run: its result is not lost by a fault of ours
            log.exception("a result is passed back as it is, as the gate failed")
        if told is response and flight.batch is None:
            await self._write(line)
        else:
            await self._respond(response["id"], told, flight.batch)

    def _landed(self, flight: Flight, response: Message) -> Message:
        """What the client gets of a response, once it is noted and reported."""
        result = response.get("result")
        approved, more = flight.approved, False
        if isinstance(result, dict):
            self._tools.note_name(result)
            if flight.request["method"] == LIST:
                self._told.page(flight.request, result)
            if approved is None:
                approved = self._unfinished.fetched(flight.request, result)
            else:
                more = self._unfinished.keep(flight.request, result, approved)
        if approved is None:
            return response
        if not more:
            ran = succeeded(response)
            self._later(approved.report(ran, "" if ran else FAILED))
        return with_note(response, approved.go.told, approved.tool)

    # The end, and what is written to the client.

    async def _drop_asked(self, *, ended: bool) -> None:
        """Withdraw what is asked about: nobody waits for it, or nothing could run it."""
        asked, self._asked = self._asked, {}
        for one in asked.values():
            one.task.cancel()
        if asked:
            await asyncio.wait({one.task for one in asked.values()}, timeout=END_SECONDS)
        if ended:
            for id, one in asked.items():
                await self._respond(id, messages.error(id, messages.ENDED, NOT_RUN), one.batch)

    async def _drop_flights(self, note: str) -> None:
        flights, self._flights = self._flights, {}
        for id, flight in flights.items():
            if flight.approved is not None:
                self._later(flight.approved.report(False, note))
            await self._respond(id, messages.error(id, messages.ENDED, UNKNOWN), flight.batch)

    async def _respond(self, id: Id, response: Message | None, batch: Batch | None) -> None:
        if batch is not None:
            line = batch.add(id, response)
            if line is not None:
                await self._write(line)
        elif response is not None:
            await self._give(response)

    async def _give(self, message: Message) -> None:
        await self._write(messages.line(message))

    def _later(self, made: Coroutine[Any, Any, None]) -> None:
        """Have it done beside: the client is not kept for it."""
        task = asyncio.ensure_future(made)
        self._left_over.add(task)
        task.add_done_callback(self._left_over.discard)
