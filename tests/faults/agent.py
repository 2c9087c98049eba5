"""An agent, as a process that can be killed: `python -m faults.agent FOLDER NAME AT_ONCE PAUSE`.

It asks for one thing after the other, `AT_ONCE` at a time, and keeps a journal of all that it asked and was
told. Started again, it goes on with what it has no answer for: it asks again, with the same key, as an agent
is told to. It stops asking once the file `stop` stands in the folder, and ends when it has every answer.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from signoff import AlreadySpent, AsyncSignoff, NotApproved, NotVerified, Unreachable, WaitTimeout

T = TypeVar("T")
WISHES = {"approve": 52, "answer": 8, "edit": 12, "reject": 12, "cancel": 6, "ignore": 5, "race": 5}
"""What people are to do with a request, and how often in a hundred."""
RETRY_SECONDS = 0.1


class Journal:
    """What this agent asked and was told: one JSON object a line, each written at once."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_APPEND | os.O_CREAT | os.O_WRONLY, 0o644)
        self.lines = [json.loads(line) for line in path.read_text().splitlines() if line.endswith("}")]

    def write(self, event: str, **fields: Any) -> None:
        line = json.dumps({"event": event, "at": time.time(), **fields})
        os.write(self._file, f"{line}\n".encode())


def request(key: str) -> dict[str, Any]:
    """What is asked under a key: the same in every run of the agent."""
    dice = random.Random(key)
    wish = dice.choices(list(WISHES), list(WISHES.values()))[0]
    payload = {"wish": f"wish:{wish}", "amount": dice.randint(1, 500), "customer": f"cus_{key}"}
    ask: dict[str, Any] = {"reversible": dice.random() < 0.5, "reason": "Under load", "key": key}
    if wish == "ignore":
        ask["expires_in"] = dice.randint(2, 5)
    if dice.random() < 0.2:
        ask["run"] = f"run-{int(key.rpartition('-')[2]) // 3}"
    return {"action": "refund.create", "payload": payload, **ask}


def question(key: str) -> dict[str, Any]:
    """What is asked of people under a key, where they are to answer."""
    options = {"a": "Ann Smith, Berlin", "b": "Al Smith, Bonn"}
    return {
        "question": f"Which Smith is cus_{key}, wish:answer?",
        "options": options,
        "default": "b",
        "key": key,
    }


class Agent:
    """`at_once` requests under way, with a pause after each."""

    def __init__(self, folder: Path, name: str, at_once: int, pause: float) -> None:
        self._folder = folder
        self._name = name
        self._at_once = at_once
        self._pause = pause
        self._journal = Journal(folder / f"{name}.journal")

    async def run(self) -> None:
        """Until it was told to stop and knows every answer."""
        asked = {line["key"] for line in self._journal.lines if line["event"] == "asks"}
        answered = {line["key"] for line in self._journal.lines if line["event"] == "answer"}
        self._next = len(asked)
        self._journal.write("starts")
        async with AsyncSignoff() as self._signoff:
            await asyncio.gather(*(self._once_more(key) for key in sorted(answered)[-3:]))
            await asyncio.gather(
                *(self._one(key) for key in sorted(asked - answered)),
                *(self._go_on() for _ in range(self._at_once)),
            )
        self._journal.write("ends")

    async def _go_on(self) -> None:
        while not (self._folder / "stop").exists():
            self._next += 1
            await self._one(f"{self._name}-{self._next}")
            await asyncio.sleep(self._pause * random.uniform(0.5, 1.5))

    async def _once_more(self, key: str) -> None:
        """What was answered is answered the same when it is asked again, or that it has run."""
        await self._one(key)

    async def _asked(self, asked: dict[str, Any], key: str, asks: bool) -> Any:
        if asks:
            return await self._signoff.request_question(**question(key))
        return await self._signoff.request(**asked)

    async def _one(self, key: str) -> None:
        asked = request(key)
        asks = asked["payload"]["wish"] == "wish:answer"
        self._journal.write("asks", key=key, payload=asked["payload"])
        ticket: Any = await insist(lambda: self._asked(asked, key, asks))
        self._journal.write("made", key=key, id=ticket.id, digest=ticket.digest, payload=asked["payload"])
        if asked["payload"]["wish"] == "wish:cancel":
            await asyncio.sleep(0.05)
            with suppress(WaitTimeout):
                await insist(lambda: ticket.cancel("No longer needed"))
        try:
            said: Any = await insist(ticket.wait)
            receipt = said.receipt if asks else said
        except NotApproved as answer:
            assert answer.receipt, answer
            receipt = answer.receipt
        except NotVerified as fault:
            self._journal.write("unverified", key=key, id=ticket.id, fault=str(fault))
            return
        self._journal.write(
            "answer",
            key=key,
            id=ticket.id,
            status=receipt.status,
            token=receipt.token,
            payload=receipt.payload,
        )
        if receipt.approved:
            try:
                await insist(lambda: self._signoff.spend(receipt))
            except AlreadySpent:
                return
            self._journal.write("runs", key=key, id=ticket.id)
            await insist(lambda: self._signoff.report(ticket.id, succeeded=True, note="done"))
            self._journal.write("reported", key=key, id=ticket.id)


async def insist(call: Callable[[], Awaitable[T]]) -> T:
    """Until Redis could be reached."""
    while True:
        try:
            return await call()
        except Unreachable:
            await asyncio.sleep(RETRY_SECONDS)


def main(arguments: list[str]) -> int:
    """The whole process; its exit code."""
    folder, name, at_once, pause = arguments
    asyncio.run(Agent(Path(folder), name, int(at_once), float(pause)).run())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
