"""Questions, batches, talks, undoing, grace, stops: any verbs in any order, with crashes, on both."""

from __future__ import annotations

import pytest
from machine.base import Base
from machine.batches import Batches
from machine.parts import parts
from machine.questions import Questions
from machine.runs import Runs
from machine.stops import Stops
from machine.walk import walk
from support import Core

SEEDS, STEPS = range(2), 60


@pytest.mark.long
@pytest.mark.parametrize("kind", [Questions, Batches, Runs, Stops])
def test_no_order_of_verbs_and_crashes_decides_what_nobody_decided(
    kind: type[Base], core: Core, redis_url: str
) -> None:
    with parts(core, redis_url) as built:
        for seed in SEEDS:
            walk(kind(built, core.redis, core.signer.verify_key, f"agent-{seed}"), seed, STEPS)
