"""Any verbs in any order, with crashes and a Redis that is emptied, on both databases."""

from __future__ import annotations

from itertools import count

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test
from machine.machine import Machine
from machine.parts import parts
from support import Core

EXAMPLES, STEPS = 12, 30
SETTINGS = settings(
    max_examples=EXAMPLES,
    stateful_step_count=STEPS,
    derandomize=True,
    phases=[Phase.generate],
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    print_blob=False,
)


@pytest.mark.long
def test_no_order_of_verbs_and_crashes_loses_or_doubles_anything(core: Core, redis_url: str) -> None:
    numbers = count()
    with parts(core, redis_url) as built:

        def machine() -> Machine:
            return Machine(built, core.redis, core.signer.verify_key, f"agent-{next(numbers)}")

        run_state_machine_as_test(machine, settings=SETTINGS)
