"""Guards that spend while somebody stops and resumes: what they honoured, held against what was stopped."""

from __future__ import annotations

import random
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from support import Core

from signoff import AlreadySpent, Guard, Stopped, stops
from signoff.models.stops import OPERATOR, Stop, StopScope

GRANTED, GUARDS, FRESH = 40, 3, 2.0
AGENT = StopScope("agent", "billing-bot")
SECOND = 1_000_000


@dataclass
class Word:
    """One guard's way to the server, which may be cut; and when it has confirmed which number."""

    core: Core
    name: str
    cut: bool = False
    confirmed: list[tuple[int, float]] = field(default_factory=list)

    def statement(self) -> str:
        if self.cut:
            raise ConnectionError
        return self.core.approvals.stopping.statement()

    def seen(self, number: int, fresh: float) -> None:
        if self.cut:
            raise ConnectionError
        self.core.approvals.stopping.seen("a-token", self.name, number, int(fresh))
        self.confirmed.append((number, time.time()))


@dataclass(frozen=True)
class Honoured:
    """A receipt that a guard let run: approved `at` (microseconds), begun and done in seconds since 1970."""

    at: int
    guard: int
    began: float


def granted(core: Core) -> list[tuple[str, dict[str, int], int]]:
    """Receipts, what they approve, and when they were approved."""
    found = []
    for number in range(GRANTED):
        asked = core.submit(payload={"number": number})
        ended = core.approvals.decide(asked.id, 1, "U0BEN", "approve")
        assert ended.receipt and ended.ended_at
        found.append((ended.receipt, {"number": number}, ended.ended_at))
    return found


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_no_guard_honours_what_it_has_confirmed_as_stopped_or_what_it_heard_too_long_ago(
    core: Core, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    monkeypatch.setattr(stops, "LOOK_SECONDS", 0.02)
    dice, receipts = random.Random(seed), granted(core)
    words = [Word(core, f"guard-{number}") for number in range(GUARDS)]
    guards = [
        Guard(f"sqlite:///{tmp_path / 'spent.db'}", core.signer.verify_key, agents=["billing-bot"],
              stops=word, fresh=FRESH)
        for word in words
    ]  # fmt: skip
    honoured, lock, over = list[Honoured](), threading.Lock(), threading.Event()

    def spend(number: int) -> None:
        order = random.Random(seed * 10 + number).sample(receipts, len(receipts))
        for token, payload, at in order:
            if over.is_set():
                return
            began = time.time()
            try:
                guards[number].spend(token, payload, action="refund.create")
            except (Stopped, AlreadySpent):
                continue
            finally:
                over.wait(0.002)
            with lock:
                honoured.append(Honoured(at, number, began))

    running = [threading.Thread(target=spend, args=(number,)) for number in range(GUARDS)]
    for one in running:
        one.start()
    over.wait(dice.random() * 0.2)
    words[0].cut = True
    cut = time.time()
    stop = core.approvals.stop(AGENT, by="U0ANA")
    stopped = time.time()
    over.wait(dice.random() * 0.2)
    if dice.random() < 0.5:
        core.approvals.resume(stop.id, by=OPERATOR)
    for one in running:
        one.join(60)
    over.set()
    held(honoured, words, stop)
    late = [one for one in honoured if one.guard == 0 and one.began > cut + FRESH + 1]
    assert not late, "cut off, it went on for longer than it may believe what it heard"
    with pytest.raises(Stopped):
        token, payload, _ = receipts[0]
        for word in words:
            word.cut = False
        guards[0].spend(token, payload, action="refund.create")
    assert stopped >= cut


def held(honoured: list[Honoured], words: list[Word], stop: Stop) -> None:
    """Nobody began to honour what was approved before a stop, once it had confirmed that one."""
    for one in honoured:
        confirmed = [at for number, at in words[one.guard].confirmed if number >= stop.number]
        assert not confirmed or one.began < min(confirmed) or one.at > stop.at, one
