"""Random faults by a seed: what breaks, where, and for how long; the same seed gives the same plan."""

from __future__ import annotations

import os
import random
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import redis
from faults.kills import Watch, under_load
from faults.world import World

ROLES = ("bot", "intake", "worker", "agent")
SLACK_FAULTS = ("ratelimited", "error", "hang", "drop_reply", "disconnect")
TMPFS_MB = 192
LOCK = "BEGIN; SET LOCAL lock_timeout = '5s'; LOCK TABLE approval"


@dataclass(frozen=True)
class Step:
    """One fault: `pause` seconds after the one before, for `seconds` (where it has a length)."""

    pause: float
    what: str
    where: str
    seconds: float

    def __str__(self) -> str:
        return f"{self.what} {self.where} {self.seconds:.1f} s"


def plan(seed: int, database: str, length: float) -> list[Step]:
    """Steps that take about `length` seconds."""
    dice, found, total = random.Random(seed), [], 0.0
    servers = ("redis", "postgresql") if database == "postgresql" else ("redis",)
    places = (*servers, "slack")
    what = {
        "kill": (*ROLES, *ROLES, *servers),
        "freeze": (*ROLES, *servers),
        "cut": places, "refuse": places, "half-open": places, "delay": places, "throttle": places,
        "slack": SLACK_FAULTS,
        "lock": ("database",),
        "empty": ("redis",),
        "full": ("redis", "disk"),
    }  # fmt: skip
    while total < length:
        name = dice.choice(list(what))
        step = Step(dice.uniform(0.2, 1.5), name, dice.choice(what[name]), dice.uniform(0.3, 3.0))
        found.append(step)
        total += step.pause + step.seconds
    return found


def carry_out(world: World, watch: Watch, steps: list[Step], seed: int) -> list[str]:
    """Do it all; what was done, in words."""
    dice, done = random.Random(seed), []
    for step in steps:
        under_load(world, watch, step.pause)
        name = step.where
        if step.where in ROLES:
            name = dice.choice([part for part in world.parts if part.startswith(step.where)])
        with FAULTS[step.what](world, name) as applied:
            if applied:
                done.append(str(step))
            under_load(world, watch, step.seconds)
    return done


@contextmanager
def _kill(world: World, name: str) -> Iterator[bool]:
    world.kill(name)
    yield True


@contextmanager
def _freeze(world: World, name: str) -> Iterator[bool]:
    with world.frozen(name):
        yield True


def _proxied(act: Callable[[Any], object]) -> Callable[[World, str], Any]:
    @contextmanager
    def fault(world: World, name: str) -> Iterator[bool]:
        act(world.proxies[name])
        try:
            yield True
        finally:
            world.proxies[name].heal()

    return fault


@contextmanager
def _slack(world: World, mode: str) -> Iterator[bool]:
    if mode == "disconnect":
        world.slack.faults(method="socket", mode=mode, reason="refresh_requested")
        yield True
        return
    more = {"error": "internal_error"} if mode == "error" else {}
    world.slack.faults(method="*", mode=mode, times=3, seconds=1.0, **more)
    try:
        yield True
    finally:
        world.slack.faults(clear=True)


@contextmanager
def _lock(world: World, name: str) -> Iterator[bool]:
    """Somebody else holds the whole database, and does not come to an end."""
    with ExitStack() as stack:
        try:
            link = stack.enter_context(closing(_link(world)))
            link.execute("BEGIN EXCLUSIVE" if world.database == "sqlite" else LOCK)
        except Exception:  # it is away, or somebody writes all the time
            yield False
            return
        try:
            yield True
        finally:
            with suppress(Exception):
                link.execute("ROLLBACK")


def _link(world: World) -> Any:
    """A connection to a world's database of one's own."""
    if world.database == "sqlite":
        path = world.database_url.removeprefix("sqlite:///")
        return sqlite3.connect(path, isolation_level=None, timeout=5)
    import psycopg

    return psycopg.connect(world.database_url.replace("+psycopg", ""), autocommit=True, connect_timeout=5)


@contextmanager
def _empty(world: World, name: str) -> Iterator[bool]:
    with suppress(redis.RedisError):
        world.redis.client.flushall()
    yield True


@contextmanager
def _full(world: World, name: str) -> Iterator[bool]:
    if name == "redis":
        try:
            world.redis.client.config_set("maxmemory", 1)
            yield True
        except redis.RedisError:
            yield False
        finally:
            with suppress(redis.RedisError):
                world.redis.client.config_set("maxmemory", 0)
        return
    if world.data == world.folder:
        yield False  # only root can mount a small disk
        return
    filler = world.data / "filler"
    with filler.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(b"\0" * 4096)
    try:
        yield True
    finally:
        filler.unlink()


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """A disk of 192 MB for database and Redis; `folder` itself for who may not mount one."""
    if os.geteuid() != 0:
        yield folder
        return
    disk = folder / "disk"
    disk.mkdir()
    options = ["-o", f"size={TMPFS_MB}m,mode=0755"]
    if subprocess.run(["mount", "-t", "tmpfs", *options, "tmpfs", str(disk)], check=False).returncode:
        yield folder
        return
    try:
        yield disk
    finally:
        for _ in range(50):
            if not subprocess.run(["umount", str(disk)], check=False, stderr=subprocess.DEVNULL).returncode:
                break
            time.sleep(0.1)


FAULTS: dict[str, Callable[[World, str], Any]] = {
    "kill": _kill,
    "freeze": _freeze,
    "cut": _proxied(lambda proxy: proxy.cut()),
    "refuse": _proxied(lambda proxy: proxy.refuse()),
    "half-open": _proxied(lambda proxy: proxy.half_open()),
    "delay": _proxied(lambda proxy: setattr(proxy, "delay", 0.3)),
    "throttle": _proxied(lambda proxy: setattr(proxy, "rate", 20_000)),
    "slack": _slack,
    "lock": _lock,
    "empty": _empty,
    "full": _full,
}
