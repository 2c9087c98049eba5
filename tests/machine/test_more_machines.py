"""Questions, batches, talks, undoing and grace: any verbs in any order, with crashes, on both databases."""

from __future__ import annotations

from itertools import count
from typing import Any

import pytest
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test
from machine.base import Base
from machine.batches import Batches
from machine.parts import parts
from machine.questions import Questions
from machine.runs import Runs
from machine.test_machine import SETTINGS
from support import Core

EXAMPLES, STEPS = 6, 40


@pytest.mark.long
@pytest.mark.parametrize("kind", [Questions, Batches, Runs])
def test_no_order_of_verbs_and_crashes_decides_what_nobody_decided(
    kind: type[Base], core: Core, redis_url: str
) -> None:
    numbers = count()
    with parts(core, redis_url) as built:

        def machine() -> Base:
            return kind(built, core.redis, core.signer.verify_key, f"agent-{next(numbers)}")

        chosen: Any = settings(SETTINGS, max_examples=EXAMPLES, stateful_step_count=STEPS)
        run_state_machine_as_test(machine, settings=chosen)
