"""What a server says, on its way to the client: responses to what it was asked, and everything else."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from dataclasses import replace
from typing import Any

from signoff.adapters.mcp import messages
from signoff.adapters.mcp.answers import succeeded, with_note
from signoff.adapters.mcp.flights import Batch, Flight, Unfinished
from signoff.adapters.mcp.listing import Told
from signoff.adapters.mcp.messages import LIST, Id, Message
from signoff.adapters.mcp.server_tools import ServerTools
from signoff.adapters.mcp.upstream import ServerEnded

log = logging.getLogger("signoff")

UNKNOWN = "The MCP server has ended before it answered: nobody knows how far this ran."
FAILED = "The tool answered with an error."
NOT_PASSED_BACK = "The server has answered, but its answer could not be passed back."


class Replies:
    """Passes back what the server says, and tells people what became of what they approved.

    `flights` are the requests that the server has. `write` takes a line, without its end, to the client;
    `is_asked` says whether people are being asked about the request of an id.
    """

    def __init__(
        self,
        tools: ServerTools,
        write: Callable[[bytes], Awaitable[None]],
        is_asked: Callable[[Id], bool],
    ) -> None:
        self._tools, self._write, self._is_asked = tools, write, is_asked
        self.told, self.unfinished = Told(), Unfinished()
        self.flights: dict[Id, Flight] = {}
        self._left_over: set[asyncio.Future[Any]] = set()

    async def serve(self, lines: AsyncIterator[bytes]) -> None:
        try:
            async for line in lines:
                found = messages.glance(line)
                try:
                    if found is None:
                        log.warning("the server wrote a line that is no message: it was not passed on")
                    elif isinstance(found, list):
                        await self._pass_back_all(found, messages.passed_back(line, found))
                    else:
                        await self._pass_back(found, messages.passed_back(line, found))
                except Exception:
                    log.exception("a message of the server's was not passed back, as the gate failed")
                    await self._give_up(found)
        except ServerEnded as ended:
            log.error("the server's messages end here. %s", ended)
        finally:
            self._tools.end()

    async def _give_up(self, found: Any) -> None:
        """Tell whoever waits for it that its answer is lost."""
        for one in found if isinstance(found, list) else [found]:
            id = one.get("id") if isinstance(one, dict) and "method" not in one else None
            if messages.is_id(id) and not self._is_asked(id) and not self._tools.takes(one):
                flight = self.flights.pop(id, None)
                if flight is not None and flight.approved is not None:
                    self.later(flight.approved.report(False, NOT_PASSED_BACK))
                lost = messages.error(id, messages.INTERNAL, NOT_PASSED_BACK)
                await self.respond(id, lost, flight.batch if flight else None)

    async def _pass_back_all(self, found: list[Any], line: bytes) -> None:
        if any(isinstance(one, dict) and self._concerns(one) for one in found):
            for one in found:
                if isinstance(one, dict):
                    await self._pass_back(one, messages.passed_back(b"", one))
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
        elif (flight := self.flights.pop(id, None)) is not None:
            await self._land(flight, message, line)
        elif self._is_asked(id):
            log.error("the server answered a call that it was not given: it was not passed back")
        else:
            await self._write(line)

    async def _land(self, flight: Flight, response: Message, line: bytes) -> None:
        told = response
        try:
            told = self._noted(flight, response)
            line = line if told is response else messages.line(told)
        except Exception:  # a number that JSON does not have, say
            log.exception("a result goes back as it came, as the gate failed")
            told = response
        if flight.batch is None:
            await self._write(line)
        else:
            await self.respond(response["id"], told, flight.batch)

    def _noted(self, flight: Flight, response: Message) -> Message:
        """Note what came back to a request; the response, with what the model is to be told."""
        result = response.get("result")
        approved, more = flight.approved, False
        if isinstance(result, dict):
            self._tools.note_name(result)
            if flight.request["method"] == LIST:
                self.told.page(flight.request, result)
            if approved is None:
                approved = self.unfinished.fetched(flight.request, result)
            else:
                asks = result.get("inputRequests")
                approved = replace(approved, asked=frozenset(asks if isinstance(asks, dict) else ()))
                more = self.unfinished.keep(flight.request, result, approved)
        if approved is None:
            return response
        if not more:
            ran = succeeded(response)
            self.later(approved.report(ran, "" if ran else FAILED))
        return with_note(response, approved.go.told, approved.tool)

    async def drop(self, note: str) -> None:
        flights, self.flights = self.flights, {}
        for id, flight in flights.items():
            if flight.approved is not None:
                self.later(flight.approved.report(False, note))
            await self.respond(id, messages.error(id, messages.ENDED, UNKNOWN), flight.batch)

    async def respond(self, id: Id, response: Message | None, batch: Batch | None) -> None:
        if batch is not None:
            try:
                messages.line(response or {})
            except (ValueError, RecursionError):
                response = messages.error(id, messages.INTERNAL, NOT_PASSED_BACK)
            line = batch.add(id, response)
            if line is not None:
                await self._write(line)
        elif response is not None:
            await self.give(response)

    async def give(self, message: Message) -> None:
        await self._write(messages.line(message))

    def later(self, made: Coroutine[Any, Any, None]) -> None:
        """Have it done beside: the client is not kept for it."""
        task = asyncio.ensure_future(made)
        self._left_over.add(task)
        task.add_done_callback(self._left_over.discard)

    async def settled(self, seconds: float) -> None:
        """Wait for what is still done beside, but not for longer than that."""
        if self._left_over:
            await asyncio.wait(self._left_over, timeout=seconds)
