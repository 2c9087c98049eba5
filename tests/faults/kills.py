"""Killing one part again and again under load, and how long each time it takes until all goes on."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from faults.world import World

from signoff.models.leases import LEASE_SECONDS

STUCK_SECONDS = 60.0
LOOK_SECONDS = 0.02


@dataclass
class Watch:
    """What is under way, as the agents' journals tell; reads only what is new."""

    world: World
    _offsets: dict[str, int] = field(default_factory=dict)
    made: dict[str, float] = field(default_factory=dict)
    """When a request was made (its id → a Unix time)."""
    answered: dict[str, float] = field(default_factory=dict)
    passed_over: set[str] = field(default_factory=set)
    """Those that people leave to run out."""
    _ignored: set[str] = field(default_factory=set)

    def look(self) -> None:
        """Read on."""
        for number in range(self.world.shape.agents):
            path = self.world.folder / f"agent-{number}.journal"
            if not path.exists():
                continue
            with path.open("rb") as file:
                file.seek(self._offsets.get(path.name, 0))
                found = file.read()
            end = found.rfind(b"\n") + 1
            self._offsets[path.name] = self._offsets.get(path.name, 0) + end
            for text in found[:end].splitlines():
                self._note(json.loads(text))

    def open(self) -> set[str]:
        """The ids that wait for an answer which somebody will give."""
        return set(self.made) - set(self.answered) - self.passed_over

    def _note(self, line: dict[str, Any]) -> None:
        if line["event"] == "asks" and line["payload"]["wish"] == "wish:ignore":
            self._ignored.add(line["key"])
        elif line["event"] == "made":
            self.made.setdefault(line["id"], line["at"])
            if line["key"] in self._ignored:
                self.passed_over.add(line["id"])
        elif line["event"] == "answer":
            self.answered.setdefault(line["id"], line["at"])


def kill_and_recover(world: World, watch: Watch, name: str, dice: random.Random) -> float | None:
    """SIGKILL one part at a random moment, and `recover`."""
    under_load(world, watch, dice.uniform(0.0, 0.6))
    if name.startswith(("bot", "intake", "worker")):
        _until(world, watch, lambda: world.parts[name].ready, STUCK_SECONDS)
    return recover(world, watch, world.kill(name))


def kill_group_and_recover(world: World, watch: Watch, dice: random.Random) -> float | None:
    """SIGKILL a whole server at a random moment, its Redis too, and `recover`."""
    under_load(world, watch, dice.uniform(0.0, 1.0))
    _until(world, watch, lambda: all(world.parts[name].ready for name in _roles(world)), STUCK_SECONDS)
    under_load(world, watch, dice.uniform(0.0, 0.6))
    return recover(world, watch, world.kill_group())


def freeze_and_recover(world: World, watch: Watch, dice: random.Random) -> float | None:
    """SIGSTOP a worker at a random moment, wake it when its leases are over, and `recover` from then."""
    under_load(world, watch, dice.uniform(0.0, 0.6))
    name = dice.choice([name for name in world.parts if name.startswith("worker")])
    with world.frozen(name):
        under_load(world, watch, LEASE_SECONDS + dice.uniform(0.5, 2.0))
    return recover(world, watch, time.time())


def _roles(world: World) -> list[str]:
    return [name for name in world.parts if name.startswith(("bot", "intake", "worker"))]


def recover(world: World, watch: Watch, at: float) -> float | None:
    """The seconds from `at` (a Unix time) until all that is under way now, and the first request that was
    made after it, have their answers. None: not within a minute.
    """
    watch.look()
    open_then = watch.open()

    def recovered() -> bool:
        after = [request for request, when in watch.made.items() if when > at]
        return open_then <= set(watch.answered) and any(
            request in watch.answered for request in after if request not in watch.passed_over
        )

    if not _until(world, watch, recovered, STUCK_SECONDS):
        return None
    first = min(
        watch.answered[request]
        for request, when in watch.made.items()
        if when > at and request in watch.answered and request not in watch.passed_over
    )
    return max([at, first, *(watch.answered[request] for request in open_then)]) - at


def under_load(world: World, watch: Watch, seconds: float) -> None:
    """Let it run for a while."""
    end = time.monotonic() + seconds
    _until(world, watch, lambda: time.monotonic() > end, seconds + STUCK_SECONDS)


def _until(world: World, watch: Watch, so: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        world.keep()
        watch.look()
        if so():
            return True
        time.sleep(LOOK_SECONDS)
    return False
