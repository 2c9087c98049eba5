"""Each part of the road stands still at each of its points, and wakes when its lease is over.

A suspended laptop, a paused container: the process goes on where it was, as if nothing had happened since.
"""

from __future__ import annotations

import signal
import time
from collections import deque
from dataclasses import dataclass
from pathlib import Path

import pytest
from faults.test_crash_points import plan
from faults.world import Shape, World

from signoff.models.crash import CRASH_POINTS
from signoff.models.leases import LEASE_SECONDS

STILL_SECONDS = LEASE_SECONDS + 1.5
"""Long enough for another to have taken what it held, and to have done it."""
AWAKE_SECONDS = 1.5
"""What it does then is part of the trial. After that it is told to end, and ends what it has begun: a message
that it posts after its lease and cannot note any more would be a second fault, of another kind.
"""
PATIENCE_SECONDS = 120.0
SHAPE = Shape(bots=2, intakes=2, workers=4, agents=1, at_once=6, pause=0.05)


@dataclass
class Trial:
    """One process at one point: since when it runs, stands still, is awake again, and is told to end."""

    points: deque[str]
    armed: float
    still: float = 0.0
    awake: float = 0.0
    ending: float = 0.0


@pytest.mark.long
@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_a_process_that_stands_still_at_any_point_loses_doubles_and_hides_nothing(
    tmp_path: Path, database: str
) -> None:
    made = World(tmp_path, database, SHAPE, supervisor_seconds=0.0, forking=True)
    try:
        made.start()
        stood = _stand_still_everywhere(made)
        made.rest()
        facts, breaches = made.audit()
        assert not breaches, "\n".join(f"{breach.kind}: {breach.text}" for breach in breaches)
        assert not made.deaths and not made.people.faults
        assert made.left_open == 0, "a double could be pressed though its request was over"
        assert stood == len(CRASH_POINTS)
        assert len(facts.rows) > 20
    finally:
        made.close()


def _stand_still_everywhere(made: World) -> int:
    """Until every process has stood still at all of its points; how often that was."""
    trials = {name: Trial(points, 0.0) for name, points in plan(made, (1,)).items()}
    for name, trial in trials.items():
        _arm(made, name, trial)
    stood = 0
    while trials:
        made.provoke()
        for name, trial in list(trials.items()):
            part, now = made.parts[name], time.monotonic()
            if not (part.running or trial.ending):
                pytest.fail(f"{name} ended with {part.code}:\n{part.log.read_text()[-2000:]}")
            if not trial.still:
                assert now - trial.armed < PATIENCE_SECONDS, f"{name} does not pass {trial.points[0]}"
                trial.still = now if part.stands_still else 0.0
            elif not trial.awake and now - trial.still > STILL_SECONDS:
                part.thaw()
                trial.awake = now
            elif not trial.ending and trial.awake and now - trial.awake > AWAKE_SECONDS:
                part.signal(signal.SIGTERM)
                trial.ending = now
            elif trial.ending and part.running:
                assert now - trial.ending < PATIENCE_SECONDS, f"{name} does not end"
            elif trial.ending:
                stood += 1
                print(f"{name} stood still at {trial.points.popleft()}")
                _arm(made, name, trial)
                if not trial.points:
                    del trials[name]
        time.sleep(0.01)
    return stood


def _arm(made: World, name: str, trial: Trial) -> None:
    """Start it anew, to stand still at its next point; or for good, where there is none."""
    made.parts[name].kill()  # nothing where it has ended already
    made.parts[name].start(SIGNOFF_FREEZE_AT=trial.points[0] if trial.points else "")
    trial.armed, trial.still, trial.awake, trial.ending = time.monotonic(), 0.0, 0.0, 0.0
