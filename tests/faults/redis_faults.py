"""Redis loses what it had: all, its last seconds, or what its replica never got; or it takes nothing more."""

from __future__ import annotations

import random
import time

from faults.kills import Watch, recover, under_load
from faults.parts import RedisPart
from faults.world import World
from support import eventually

LOST_SECONDS = 2.0
"""With `everysec` Redis may lose what it took within two seconds before the end: so much is cut off."""


def emptied(world: World, watch: Watch, dice: random.Random) -> float | None:
    """FLUSHALL."""
    under_load(world, watch, dice.uniform(0.2, 1.0))
    at = time.time()
    world.redis.client.flushall()
    return recover(world, watch, at)


def rolled_back(world: World, watch: Watch, dice: random.Random) -> float | None:
    """Killed, and its log cut back to what was surely on disk: to its size of two seconds before.

    That is harsher than a power loss, after which more of it may be there. The cut is in the middle of a
    command more often than not, as a torn write is.
    """
    log = next(iter((world.redis.data / "appendonlydir").glob("*.incr.aof")))
    size = log.stat().st_size
    under_load(world, watch, LOST_SECONDS + dice.uniform(0.0, 0.5))
    at = world.kill("redis")
    with log.open("r+b") as file:
        file.truncate(min(size + dice.randint(0, 99), log.stat().st_size))
    return recover(world, watch, at)


def failed_over(world: World, watch: Watch, dice: random.Random) -> float | None:
    """A replica takes over that missed what was written for up to a second."""
    old = world.redis
    number = int(old.name.rpartition("-")[2]) + 1 if "-" in old.name else 1
    new = RedisPart(world.folder, f"redis-{number}")
    new.start()
    new.wait_ready()
    new.client.replicaof("127.0.0.1", str(old.port))
    eventually(lambda: new.client.info("replication").get("master_link_status") == "up", 30)
    eventually(lambda: new.client.info("replication").get("master_sync_in_progress") == 0, 30)
    new.client.replicaof("NO", "ONE")
    under_load(world, watch, dice.uniform(0.1, 1.0))
    at = time.time()
    old.kill()
    old.stop()
    world.redis = world.parts["redis"] = new
    world.proxies["redis"].upstream = new.port
    world.proxies["redis"].cut()
    return recover(world, watch, at)


def full(world: World, watch: Watch, dice: random.Random) -> float | None:
    """It takes nothing more for some seconds."""
    client = world.redis.client
    client.config_set("maxmemory", 1)
    under_load(world, watch, dice.uniform(1.0, 3.0))
    at = time.time()
    client.config_set("maxmemory", 0)
    return recover(world, watch, at)
