"""Kinds of faults, how often each is to be made, and a round of each."""

from __future__ import annotations

import random
import shutil
import subprocess
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from faults import redis_faults
from faults.books import doubles
from faults.kills import Watch, freeze_and_recover, kill_and_recover, kill_group_and_recover, under_load
from faults.plan import carry_out, plan, small_disk
from faults.power import lose, noted
from faults.races import races
from faults.results import Results, Round
from faults.world import DATABASES, HISTORY, ROOT, Shape, World

Once = Callable[[World, Watch, random.Random], float | None]
"""Breaks a world once; the seconds until all went on, None where it did not within a minute."""
Work = Callable[[Round, int], None]
"""One round: breaks a world up to so many times, and writes down how it went."""
KILLS_A_ROUND = 50
TOLD_AT_MOST = 20
WARM_UP_SECONDS = 1.0
MINUTE = 60.0
USUAL = Shape()


@contextmanager
def world(round: Round, shape: Shape = USUAL, **options: object) -> Iterator[World]:
    """A world under load, whose app has all scopes of the manifest but where `scopes` says otherwise; at the
    end it is brought to rest and its books are checked, into `round`.

    Where something was breached its folder stays, with every log and journal.
    """
    folder = Path(tempfile.mkdtemp(prefix=f"faults-{round.kind}-{round.seed}-"))
    made = World(folder, round.database, shape, **{"scopes": HISTORY} | options)
    try:
        made.start()
        yield made
        made.rest()
        settle(made, round)
    finally:
        made.close()
        if round.ok:
            shutil.rmtree(folder, ignore_errors=True)
        else:
            round.details.append(f"see {folder}")


def settle(made: World, round: Round) -> None:
    """The books of a world at rest, into `round`."""
    facts, breaches = made.audit()
    round.requests += len({(one.agent, one.id) for one in facts.made})
    round.cards += len(facts.shown)
    round.doubles += doubles(facts)
    round.left_open += made.left_open
    found = Counter(breach.kind for breach in breaches)
    for kind, count in found.items():
        round.breaches[kind] = round.breaches.get(kind, 0) + count
    told = [f"{breach.kind}: {breach.text}" for breach in breaches] + made.deaths + made.people.faults
    round.details += told[:TOLD_AT_MOST]


def again(once: Once, **options: object) -> Work:
    """A work that does the same again and again to one world."""

    def work(round: Round, most: int) -> None:
        dice = random.Random(round.seed)
        with world(round, **options) as made:
            watch = Watch(made)
            under_load(made, watch, WARM_UP_SECONDS)
            for _ in range(most):
                seconds = once(made, watch, dice)
                round.done += 1
                if seconds is None:
                    round.breaches["stuck"] = round.breaches.get("stuck", 0) + 1
                    round.details.append(f"not recovered from fault {round.done}")
                else:
                    round.seconds.append(float(f"{seconds:.3f}"))

    return work


def kills(part: str) -> Work:
    """SIGKILL to one of the processes of this name."""

    def once(made: World, watch: Watch, dice: random.Random) -> float | None:
        name = dice.choice([name for name in made.parts if name.startswith(part)])
        return kill_and_recover(made, watch, name, dice)

    return again(once)


def at_random(round: Round, most: int) -> None:
    """A minute of faults of every kind, by the round's seed."""
    with (
        tempfile.TemporaryDirectory(prefix="faults-disk-") as folder,
        small_disk(Path(folder)) as disk,
        world(round, proxied=("redis", "slack", "postgresql"), data=disk) as made,
    ):
        steps = plan(round.seed, round.database, MINUTE)
        round.done = len(carry_out(made, Watch(made), steps, round.seed))


def power_loss(round: Round, most: int) -> None:
    """The server's machine loses its power, again and again."""
    with noted() as (memory, options):
        again(partial(lose, memory), **options)(round, most)


WORKS: dict[str, tuple[Work, int, int, tuple[str, ...]]] = {
    "bot-kills": (kills("bot"), 1000, KILLS_A_ROUND, DATABASES),
    "worker-kills": (kills("worker"), 200, KILLS_A_ROUND, DATABASES),
    "intake-kills": (kills("intake"), 200, KILLS_A_ROUND, DATABASES),
    "redis-kills": (kills("redis"), 200, KILLS_A_ROUND, DATABASES),
    "agent-kills": (kills("agent"), 200, KILLS_A_ROUND, DATABASES),
    "group-kills": (again(kill_group_and_recover, forking=True), 100, 25, DATABASES),
    "group-kills-without-history": (
        again(kill_group_and_recover, scopes=(), forking=True),
        100,
        25,
        DATABASES,
    ),
    "worker-freezes": (again(freeze_and_recover, forking=True), 50, 25, DATABASES),
    "power-loss": (power_loss, 50, 25, DATABASES),
    "at-random": (at_random, 1_000, 1, DATABASES),
    "races-of-two-clicks": (races, 10_000, 1_000, DATABASES),
    "redis-emptied": (again(redis_faults.emptied), 50, 25, DATABASES),
    "redis-without-its-last-seconds": (again(redis_faults.rolled_back), 50, 25, DATABASES),
    "redis-failed-over": (again(redis_faults.failed_over, proxied=("redis",)), 50, 25, DATABASES),
    "redis-full": (again(redis_faults.full), 50, 25, DATABASES),
    "postgresql-kills": (kills("postgresql"), 100, KILLS_A_ROUND, ("postgresql",)),
}
"""Kind of fault → how it is made, how often in all, how often a round, and on which databases in turn."""


def commit() -> str:
    """What is under test."""
    command = ["git", "-C", str(ROOT), "describe", "--always", "--dirty"]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()


def run(kind: str, results: Results, seed: int, times: int | None = None) -> Iterator[Round]:
    """Rounds of a kind until it was made as often as it has to be (or `times`), less what `results` holds."""
    work, wanted, a_round, databases = WORKS[kind]
    wanted = times if times is not None else wanted
    number = sum(round.kind == kind for round in results.rounds())
    while (left := wanted - results.done(kind)) > 0:
        database = databases[number % len(databases)]
        round = Round(kind, database, seed + number, commit())
        work(round, min(left, a_round))
        results.add(round)
        yield round
        number += 1
