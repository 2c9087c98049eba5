"""An agent that asks for more than yes and no: `python -m faults.asking_agent FOLDER NAME`.

It asks questions, sends batches, answers what people ask it, undoes what it did, and does what the policy
lets run after a while; one thing of each kind after the other. Killed and started again it goes on with all
that it has no answer for. It asks for nothing more once the file `stop` stands in the folder, and ends once
`end` does: until then people may undo what it did.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from faults.agent import Journal, insist

from signoff import AlreadySpent, Answer, AsyncSignoff, NotApproved
from signoff.client.batch import AsyncBatch

PAUSE_SECONDS = 1.5
BATCH = 4
KINDS = {
    "question": 1, "batch": 2, "talk": 2, "hush": 2, "undo": 2, "orphan": 1, "feedback": 1, "held": 1,
    "free": 3,
}  # fmt: skip
"""What it asks, so many at a time, and first a `ghost`. People go by `wish:KIND`."""
LATER = {"undo": 2, "feedback": 2, "orphan": 4}
"""Seconds before the next one: it does not wait for those who undo it, or say that it was wrong."""
ACTIONS = {
    "talk": "mail.send", "hush": "mail.hush", "undo": "label.add", "orphan": "tag.add",
    "feedback": "files.edit", "held": "tick.close", "free": "tick.close",
}  # fmt: skip
POLICY = """
version: 1
reversibility: {"*": reversible, tick.close: reversible}
risk: {tick.close: low}
agents: {"agent-*": {owner: %s}}
questions: {approvers: [U0QUESTION, U0BATCH], per_hour: 100000}
rules:
  - name: undone
    match: {action: label.add}
    verdict: notify
    undo_for: 1h
    undo: {action: label.remove, payload: {id: $result.id}}
  - name: orphaned
    match: {action: tag.add}
    verdict: notify
    undo_for: 1h
    undo: {action: tag.remove, payload: {id: $result.id}}
  - {name: told, match: {action: files.edit}, verdict: notify, feedback: 100%%}
  - {name: mild, match: {action: tick.close}, verdict: allow, after: 2s}
"""


class AskingAgent:
    """One thing of each kind under way."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder = folder
        self._name = name
        self._journal = Journal(folder / f"{name}.journal")
        self._numbers: dict[str, int] = {}

    async def run(self) -> None:
        """Until it was told to end."""
        self._journal.write("starts")
        async with AsyncSignoff() as self._signoff:
            self._signoff.on_question(self._answers)
            self._signoff.undo("label.remove")(self._remove)
            serving = asyncio.create_task(self._signoff.serve_undos())
            ghosts = {line["key"] for line in self._journal.lines if line["event"] == "asks"}
            if f"ghost-{self._name}" not in ghosts:
                await self._ghost(f"ghost-{self._name}")
            await asyncio.gather(*(self._all(kind) for kind in KINDS))
            while not (self._folder / "end").exists():
                await asyncio.sleep(0.05)
            serving.cancel()
            await asyncio.wait({serving})
        self._journal.write("ends")

    async def _ghost(self, key: str) -> None:
        """It dies in the middle of a batch, before that is frozen."""
        self._journal.write("asks", key=key, kind="ghost")
        async with self._signoff.batch(f"wish:ghost {key}") as batch:
            for number in range(BATCH):
                batch.request("ticket.tidy", {"ticket": f"{key}-{number}"}, reversible=True)
            os.kill(os.getpid(), signal.SIGKILL)

    async def _all(self, kind: str) -> None:
        """What was begun before it died, then more."""
        mine = [line for line in self._journal.lines if line.get("kind") == kind]
        begun = {line["key"] for line in mine if line["event"] == "asks"}
        ended = {line["key"] for line in mine if line["event"] == "ended"}
        self._numbers[kind] = len(begun)
        left = sorted(begun - ended)
        ways = (self._go_on(kind, left[number :: KINDS[kind]]) for number in range(KINDS[kind]))
        await asyncio.gather(*ways)

    async def _go_on(self, kind: str, keys: list[str]) -> None:
        for key in keys:
            await self._one(kind, key)
        while not (self._folder / "stop").exists():
            self._numbers[kind] += 1
            await self._one(kind, f"{kind}-{self._name}-{self._numbers[kind]}")
            await asyncio.sleep(PAUSE_SECONDS * random.uniform(0.5, 1.5))

    async def _one(self, kind: str, key: str) -> None:
        self._journal.write("asks", key=key, kind=kind)
        if kind == "question":
            await self._question(kind, key)
        elif kind == "batch":
            await self._batch(kind, key)
        else:
            await self._request(kind, key)
        self._journal.write("ended", key=key, kind=kind)
        for _ in range(LATER.get(kind, 0)):
            if not (self._folder / "stop").exists():
                await asyncio.sleep(1.0)

    async def _question(self, kind: str, key: str) -> None:
        options = {"a": "Ann Smith, Berlin", "b": "Al Smith, Bonn"}
        ticket = await insist(
            lambda: self._signoff.request_question(
                f"Which Smith? wish:{kind} {key}", options=options, key=key
            )
        )
        answer: Answer = await insist(ticket.wait)
        self._told(kind, key, answer.receipt, choice=answer.choice)

    async def _batch(self, kind: str, key: str) -> None:
        batch = await insist(lambda: self._sent(kind, key))
        receipts = await insist(lambda: batch.wait(runs="at-least-once"))
        for number, receipt in enumerate(receipts):
            self._told(kind, f"{key}/{number}", receipt, place=number)

    async def _sent(self, kind: str, key: str) -> AsyncBatch:
        async with self._signoff.batch(f"wish:{kind} {key}", key=key) as batch:
            for number in range(BATCH):
                payload = {"ticket": f"{key}-{number}", "wish": "wish:alone"}
                batch.request("ticket.tidy", payload, reversible=True)
        return batch

    async def _request(self, kind: str, key: str) -> None:
        payload = {"wish": f"wish:{kind}", "key": key}
        ticket = await insist(lambda: self._signoff.request(ACTIONS[kind], payload, reversible=True, key=key))
        try:
            receipt = await insist(ticket.wait)
        except NotApproved as answer:
            assert answer.receipt, answer
            receipt = answer.receipt
        self._told(kind, key, receipt, notes=[note.text for note in receipt.notes])
        if receipt.approved:
            with suppress(AlreadySpent):
                await insist(lambda: self._signoff.spend(receipt))
                self._journal.write("runs", key=key, kind=kind, id=ticket.id)
            await insist(lambda: self._signoff.report(ticket.id, succeeded=True, result={"id": key}))

    async def _answers(self, inquiry: Any) -> str | None:
        self._journal.write("heard", key=inquiry.text, kind="inquiry", talk=inquiry.id)
        if inquiry.action == ACTIONS["hush"]:
            await asyncio.sleep(3600)  # it never comes to an answer
        return f"Because of {inquiry.text}"

    async def _remove(self, id: str) -> None:
        self._journal.write("undoes", key=id, kind="undone")

    def _told(self, kind: str, key: str, receipt: Any, **more: Any) -> None:
        said = {
            "id": str(receipt.id),
            "status": receipt.status,
            "token": receipt.token,
            "payload": receipt.payload,
        }
        self._journal.write("answer", key=key, kind=kind, **said, **more)


def main(arguments: list[str]) -> int:
    """The whole process; its exit code."""
    folder, name = arguments[:2]
    asyncio.run(AskingAgent(Path(folder), name).run())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
