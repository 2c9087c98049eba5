"""A minute of random faults on each database: the books are right. The seed in the output replays it."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest
from faults.books import doubles
from faults.campaign import USUAL
from faults.kills import Watch
from faults.plan import carry_out, plan, small_disk
from faults.world import DATABASES, World

SECONDS = 60.0
SEED = "SIGNOFF_FAULTS_SEED"


@pytest.mark.long
@pytest.mark.parametrize("database", DATABASES)
def test_random_faults_lose_and_double_nothing(tmp_path: Path, database: str) -> None:
    seed = int(os.environ.get(SEED) or random.randrange(1_000_000))
    print(f"{SEED}={seed} replays it")
    with small_disk(tmp_path) as disk:
        made = World(tmp_path, database, USUAL, proxied=("redis", "slack", "postgresql"), data=disk)
        try:
            made.start()
            done = carry_out(made, Watch(made), plan(seed, database, SECONDS), seed)
            made.rest()
            facts, breaches = made.audit()
        finally:
            print("\n".join(made.deaths))
            made.close()
    print("\n".join(done))
    edited = sum(row.version > 1 for row in facts.rows)
    print(f"{len(facts.rows)} requests ({edited} edited), {len(facts.shown)} cards, {doubles(facts)} doubles")
    assert not breaches, "\n".join(f"{breach.kind}: {breach.text}" for breach in breaches)
    assert not made.people.faults
    assert facts.rows and len(done) > 5


def test_a_seed_gives_the_same_plan() -> None:
    assert plan(7, "sqlite", 60) == plan(7, "sqlite", 60) != plan(8, "sqlite", 60)
