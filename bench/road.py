"""The road, there and back: request → card, and click → the agent's `wait` returns; beside the floor."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import random
import socket
import time
from typing import Any
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bench.floor import REQUESTS
from bench.raw import Reader, Resp, connect, post, read_http
from bench.stage import APPROVER, CHANNEL, Stage, until
from bench.table import Row, verdict
from bench.timer import Rounds, median, percentile
from signoff import AsyncSignoff
from signoff.models.identity import new_id

PAYLOAD = {"customer": "cus_42", "amount": 120, "currency": "EUR", "ticket": "991"}
REASON = "Duplicate charge, ticket 991"
CLICK_RATIO, CLICK_P99_MS, CARD_RATIO, BARE_RATIO = 2.5, 5.0, 5.0, 1.5
"""Targets: against the floor, and in ms; the last against a bare Bolt app."""
SETTLED_SECONDS = 0.03
"""By then all have done what follows a card, and sleep."""
WARM = 5
"""Rounds before the first that counts."""


class Signoff:
    """An agent and a person, each with a connection of their own, in one process of their own."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        given = stage.agent
        self.agent = AsyncSignoff(
            redis_url=stage.redis_url, agent="bench", verify_key=given["SIGNOFF_VERIFY_KEY"]
        )
        parts = urlsplit(stage.slack_url)
        self._person = Reader(connect(parts.hostname or "", parts.port or 80))

    async def close(self) -> None:
        """Close both."""
        self._person.close()
        await self.agent.close()

    card: dict[str, Any] | None = None
    """The last request's, as it stood before the click."""

    async def once(self, *, read: bool = False) -> tuple[str, float, float]:
        """The request's id, when it was sent (Unix seconds), and ms from the click to the receipt."""
        asked = time.time()
        ticket = await self.agent.request("refund.create", PAYLOAD, reason=REASON, reversible=True)
        waiting = asyncio.create_task(ticket.wait(30))
        channel, ts = await _until(lambda: self._stage.settled(ticket.id, ended=False))
        await asyncio.sleep(SETTLED_SECONDS)
        if read:
            shown = self._stage.ask(f"messages?channel={channel}")["messages"]
            self.card = next(
                {name: one[name] for name in ("text", "blocks")} for one in shown if one["ts"] == ts
            )
        click = {"type": "click", "user": APPROVER, "channel": channel, "ts": ts, "action_id": "approve"}
        clicked = time.perf_counter()
        post(self._person.socket, "/sandbox/act", json.dumps(click).encode())
        receipt = await waiting
        woken = time.perf_counter()
        assert receipt.payload == PAYLOAD
        assert json.loads(read_http(self._person)[1])["acked"]
        await _until(lambda: self._stage.settled(ticket.id, ended=True))
        return ticket.id, asked, (woken - clicked) * 1000

    def arrivals(self) -> dict[str, float]:
        """Approval id → when its card arrived at the stand-in, in Unix seconds."""
        found = {}
        for call in self._stage.ask("log")["entries"]:
            if call["kind"] == "call" and call["method"] == "chat.postMessage":
                metadata = call["arguments"].get("metadata")
                if metadata:  # the journal is written when the call has been answered
                    found[metadata["event_payload"]["approval_id"]] = call["at"] - call["ms"] / 1000
        return found


class Floor:
    """The same two, by hand."""

    def __init__(self, stage: Stage) -> None:
        self._commands, self._woken = Resp(stage.redis_url), Resp(stage.redis_url)
        self._person = Reader(connect("127.0.0.1", stage.floor_port))
        self._key = Ed25519PrivateKey.from_private_bytes(stage.floor_key).public_key()

    def close(self) -> None:
        """Close its connections."""
        for connection in (self._commands, self._woken, self._person):
            connection.close()

    def once(self) -> tuple[float, float]:
        """ms from the request to its card, and from the click to the verified receipt."""
        id_ = str(new_id())
        asked = time.time()
        request = {"id": id_, "action": "refund.create", "payload": PAYLOAD, "reason": REASON}
        self._commands.call(
            "XADD", REQUESTS, "*", "v", "1", "kind", "request", "id", id_, "body", json.dumps(request)
        )
        self._woken.call("SUBSCRIBE", f"floor:ntf:{id_}")
        arrived = until(lambda: self._tell("/card", id=id_)["at"])
        time.sleep(SETTLED_SECONDS)
        self._drain()
        clicked = time.perf_counter()
        post(self._person.socket, "/act", json.dumps({"id": id_, "user": APPROVER}).encode())
        self._woken.reply()
        answer = json.loads(self._commands.call("GET", f"floor:dec:{id_}"))
        body, signature = answer["receipt"].encode().split(b".")
        self._key.verify(base64.urlsafe_b64decode(signature), body)
        claims = json.loads(base64.urlsafe_b64decode(body))
        assert claims["digest"] == hashlib.sha256(answer["payload"].encode()).hexdigest()
        woken = time.perf_counter()
        assert json.loads(answer["payload"]) == PAYLOAD
        assert json.loads(read_http(self._person)[1])["acked"]
        self._woken.call("UNSUBSCRIBE", f"floor:ntf:{id_}")
        return (arrived - asked) * 1000, (woken - clicked) * 1000

    def _drain(self) -> None:
        """`received` wakes too; it may have come before the subscription stood."""
        source: socket.socket = self._woken.socket
        source.setblocking(False)
        try:
            self._woken.reply()
        except BlockingIOError:
            pass
        finally:
            source.setblocking(True)

    def _tell(self, path: str, **said: Any) -> Any:
        post(self._person.socket, path, json.dumps(said).encode())
        return json.loads(read_http(self._person)[1])


class Bare:
    """A person, and a bare Bolt app whose waiter is in its own memory (`bench.bare`)."""

    def __init__(self, stage: Stage, card: dict[str, Any]) -> None:
        self.url, self._app = stage.start_bare(card)
        parts = urlsplit(self.url)
        self._person = Reader(connect(parts.hostname or "", parts.port or 80))

    def close(self) -> None:
        """Let the person go; the app ends with its standard input."""
        self._person.close()
        for pipe in (self._app.stdin, self._app.stdout):
            if pipe:
                pipe.close()

    def once(self) -> float:
        """ms from the click until the waiter is awake."""
        [ts] = self.post(1)
        time.sleep(SETTLED_SECONDS)
        click = {"type": "click", "user": APPROVER, "channel": CHANNEL, "ts": ts, "action_id": "approve"}
        clicked = time.perf_counter()  # on Linux one clock for all processes
        post(self._person.socket, "/sandbox/act", json.dumps(click).encode())
        woken = self._told()["woken"]
        assert json.loads(read_http(self._person)[1])["acked"]
        return float(woken - clicked) * 1000

    def post(self, count: int) -> list[str]:
        """So many cards; where each stands."""
        assert self._app.stdin
        self._app.stdin.write(b"%d\n" % count)
        self._app.stdin.flush()
        return list(self._told()["ts"])

    def _told(self) -> Any:
        assert self._app.stdout
        return json.loads(self._app.stdout.readline())


async def _until(check: Any) -> Any:
    give_up = time.monotonic() + 30
    while not (found := check()):
        if time.monotonic() > give_up:
            raise TimeoutError(f"{check} did not come true within 30 s")
        await asyncio.sleep(0.005)
    return found


def beside(stage: Stage) -> tuple[dict[str, Any], Bare]:
    """A card of ours as it stands before a click, and a bare Bolt app that posts the same."""
    card = asyncio.run(_card(stage))
    return card, Bare(stage, card)


async def _card(stage: Stage) -> dict[str, Any]:
    ours = Signoff(stage)
    await ours.once(read=True)
    await ours.close()
    assert ours.card
    return ours.card


async def _measure(
    stage: Stage, card: dict[str, Any], bare: Bare, rounds: int
) -> tuple[Rounds, Rounds, Rounds]:
    """(request → card, click → wait, the same beside a bare Bolt app), in interleaved rounds, each in
    random order.
    """
    ours = Signoff(stage)
    stage.start_floor(card)
    floor = Floor(stage)
    cards, clicks, beside = Rounds(), Rounds(), Rounds()
    asked: list[tuple[str, float, float]] = []
    for number in range(WARM + rounds):
        order = ["ours", "floor", "bare"]
        random.shuffle(order)
        for which in order:
            if which == "ours":
                id_, at, click = await ours.once()
            elif which == "floor":
                carried, answered = floor.once()
            else:
                woken = bare.once()
        if number >= WARM:
            asked.append((id_, at, carried))
            clicks.add(click, answered)
            beside.add(click, woken)
    arrived = ours.arrivals()
    for id_, at, below in asked:
        cards.add((arrived[id_] - at) * 1000, below)
    await ours.close()
    floor.close()
    return cards, clicks, beside


def run(stage: Stage, card: dict[str, Any], bare: Bare, rounds: int) -> list[Row]:
    """Three rows; `card` and `bare` are of `beside`."""
    cards, clicks, awake = asyncio.run(_measure(stage, card, bare, rounds))
    p99 = percentile(clicks.product, 99)
    return [
        Row(
            "click → the agent's wait returns",
            _times(clicks.product),
            _times(clicks.floor),
            f"{clicks.ratio:.2f}",
            f"≤ {CLICK_RATIO} × floor, p99 < {CLICK_P99_MS:g} ms",
            verdict(clicks.ratio <= CLICK_RATIO, p99 < CLICK_P99_MS),
        ),
        Row(
            "click → the agent awake, beside bare Bolt and an Event",
            _times(awake.product),
            _times(awake.floor),
            awake.spread,
            f"≤ {BARE_RATIO:g} × bare Bolt",
            verdict(awake.ratio <= BARE_RATIO),
        ),
        Row(
            "request → chat.postMessage arrives",
            _times(cards.product),
            _times(cards.floor),
            f"{cards.ratio:.2f}",
            f"≤ {CARD_RATIO:g} × floor",
            verdict(cards.ratio <= CARD_RATIO),
        ),
    ]


def _times(samples: list[float]) -> str:
    return f"p50 {median(samples):.2f} ms, p99 {percentile(samples, 99):.2f} ms"
