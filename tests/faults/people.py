"""The reviewers: they look at the stand-in's channel, and do with each card what its request wishes for.

They read the stand-in's memory rather than its pages, which would cost more than all that is under test.
"""

from __future__ import annotations

import json
import queue
import random
import re
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from flows.person import Someone, buttons
from support import eventually

from signoff.sandbox.server import Sandbox

JSON = dict[str, Any]
LOOK_SECONDS = 0.01
AGAIN_SECONDS = 0.15
WISH = re.compile(r"wish:(\w+)")
NAMES = ("ana", "ben", "cem", "dia")


EDITED = range(1_001, 10_000)
"""What people correct an amount to; no request asks for so much, and hardly two edits are the same."""


@dataclass(frozen=True)
class Told:
    """A person was given to understand that their answer is recorded; `saved` is their changes, as JSON."""

    approval_id: str
    user: str
    status: str
    saved: str = ""


@dataclass(frozen=True)
class Card:
    """A message that is an approval's card, or the double of one."""

    approval_id: str
    ts: str
    message: JSON

    @property
    def revision(self) -> int:
        """What it shows."""
        names = [str(block.get("block_id")) for block in self.message["blocks"]]
        first = next(name for name in names if name.startswith(("header:", "report:")))
        return int(first.rpartition(":")[2])

    @property
    def open(self) -> bool:
        """Whether somebody can still decide on it."""
        return bool({"approve", "reject", "review", "option_0"} & set(buttons(self.message)))


class Window:
    """What stands in a channel now."""

    def __init__(self, slack: Sandbox, channel: str) -> None:
        self._slack = slack
        self.channel = channel

    def messages(self, start: int = 0) -> list[JSON]:
        """All messages, threads' and private ones too, in the order of their arrival."""
        return list(self._slack._service.workspace.messages.get(self.channel, {}).values())[start:]

    def cards(self, start: int = 0) -> Iterator[Card]:
        for message in self.messages(start):
            metadata = message.get("metadata") or {}
            if metadata.get("event_type") == "signoff_approval":
                yield Card(metadata["event_payload"]["approval_id"], message["ts"], message)

    def card(self, approval_id: str, ts: str) -> Card | None:
        message = self._slack._service.workspace.message(self.channel, ts)
        return Card(approval_id, ts, message) if message else None

    def whispers(self, user: str) -> int:
        """How often a person was told something in private."""
        return sum(message.get("ephemeral_to") == user for message in self.messages())


class Reviewers:
    """Each a thread; a card is one's, and with the wish `race` two at once press Approve."""

    def __init__(self, slack: Sandbox, channel: str) -> None:
        self.slack = slack
        self.window = Window(slack, channel)
        self.users = [f"U0{name.upper()}FAULT" for name in NAMES]
        slack.team(users={user: {"name": name} for user, name in zip(self.users, NAMES, strict=True)})
        self.told: list[Told] = []
        self.saved: list[Told] = []
        """Every form of changes that was sent off, whether or not it was then told that it is recorded."""
        self.faults: list[str] = []
        self._todo: dict[str, queue.Queue[tuple[float, str, str]]] = {u: queue.Queue() for u in self.users}
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._look, daemon=True)]
        self._threads += [threading.Thread(target=self._work, args=(u,), daemon=True) for u in self.users]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            if thread.is_alive():
                thread.join(30)

    def press_what_is_over(self, over: Callable[[str], bool]) -> int:
        """Somebody presses Approve on each double that a crash left: it has to do nothing but close.

        How many there were.
        """
        found = 0
        someone = Someone(self.slack, self.users[0], self.window.channel)
        for card in self.window.cards():
            if card.open and over(card.approval_id):
                found += 1
                with suppress(AssertionError):
                    asks = "option_0" in buttons(card.message)
                    someone.click(card.message, "option_0" if asks else "approve")
        return found

    def _look(self) -> None:
        seen = 0
        while not self._stop.wait(LOOK_SECONDS):
            now = len(self.window.messages())
            for card in self.window.cards(seen):
                first = zlib.crc32(card.approval_id.encode()) % len(self.users)
                for number in range(2 if _wish(card) == "race" else 1):
                    user = self.users[(first + number) % len(self.users)]
                    self._todo[user].put((time.monotonic(), card.approval_id, card.ts))
            seen = now

    def _work(self, user: str) -> None:
        someone = Someone(self.slack, user, self.window.channel)
        while not self._stop.is_set():
            try:
                due, approval_id, ts = self._todo[user].get(timeout=0.1)
            except queue.Empty:
                continue
            wait = due - time.monotonic()
            if wait > 0:
                self._stop.wait(min(wait, 0.02))
                self._todo[user].put((due, approval_id, ts))
                continue
            card = self.window.card(approval_id, ts)
            if card is None or not card.open or _wish(card) == "ignore":
                continue
            try:
                self._answer(someone, card)
            except AssertionError:
                pass  # nobody acknowledged it: the person tries again
            except Exception as error:
                self.faults.append(f"{type(error).__name__}: {error}")
            # It is looked at again: what was decided has no buttons then.
            self._todo[user].put((time.monotonic() + AGAIN_SECONDS, approval_id, ts))

    def _answer(self, someone: Someone, card: Card) -> None:
        if _wish(card) in ("reject", "edit"):
            self._reject(someone, card) if _wish(card) == "reject" else self._edit(someone, card)
            return
        before = self.window.whispers(someone.user)
        asks = _wish(card) == "answer"
        someone.click(card.message, "option_0" if asks else "approve")
        if self.window.whispers(someone.user) == before:
            self.told.append(Told(card.approval_id, someone.user, "answered" if asks else "approved"))

    def _reject(self, someone: Someone, card: Card) -> None:
        view = self._open(someone, card, "reject")
        if view is None:
            return
        answer = someone.submit(view, **{"Which is it?": "final", "Why,_or_what_to_change": "No"})
        if answer["response"] == {"response_action": "clear"}:
            self.told.append(Told(card.approval_id, someone.user, "rejected"))

    def _edit(self, someone: Someone, card: Card) -> None:
        """Another amount: in the form, then what it changes is looked at, and approved."""
        view = self._open(someone, card, "edit")
        if view is None:
            return
        amount = random.choice(EDITED)
        answer = someone.submit(view, amount=str(amount))
        if (answer["response"] or {}).get("response_action") != "push":
            return
        shown = eventually(lambda: self._form(someone, "difference"), 3)
        told = Told(card.approval_id, someone.user, "approved", json.dumps({"amount": amount}))
        self.saved.append(told)
        answer = someone.submit(shown)
        if answer["response"] == {"response_action": "clear"}:
            self.told.append(told)

    def _open(self, someone: Someone, card: Card, name: str) -> JSON | None:
        """A card's form, filled; None where another view says why not."""
        if self._form(someone):
            someone.close_all()
        someone.click(card.message, name)
        view = eventually(lambda: self._filled(someone), 3)
        fits = view["callback_id"] == name and card.approval_id in view["private_metadata"]
        return view if fits else None

    def _filled(self, someone: Someone) -> JSON | None:
        form = self._form(someone)
        return form if form and form["callback_id"] != "checking" else None

    def _form(self, someone: Someone, callback_id: str = "") -> JSON | None:
        """What is open on top, where it is this one."""
        stack = self.slack._service.workspace.views.stacks.get(someone.user) or []
        return stack[-1] if stack and callback_id in ("", stack[-1]["callback_id"]) else None


def _wish(card: Card) -> str:
    found = WISH.search(json.dumps(card.message["blocks"]))
    return found.group(1) if found else "approve"
