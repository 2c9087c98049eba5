"""Each part of the road dies at each of its points, three times, under load: and the books are right.

The parts go on all the time. Only what dies is started again, to die at its next point.
"""

from __future__ import annotations

import time
from collections import deque
from pathlib import Path

import pytest
from faults.world import Shape, World

from signoff.models.crash import CRASH_POINTS

BY = {
    "client": "agent",
    "intake": "intake",
    "submit": "intake",
    "spend": "intake",
    "report": "intake",
    "bot": "bot",
}
BY |= {"decide": "bot", "end": "bot", "publication": "bot"}
BY |= {"publication.received": "intake", "publication.refused": "intake"}
"""Who passes a point, by its name or its first word; the workers pass all others."""
PATIENCE_SECONDS = 120.0
"""For one point. A part may pass it only now and then, as the first message of a run's thread is edited."""
SHAPE = Shape(bots=1, intakes=1, workers=3, agents=1, at_once=6, pause=0.05)


def plan(made: World, times: tuple[int, ...]) -> dict[str, deque[str]]:
    """Which process dies where, in order: two of a kind share their points."""
    found: dict[str, deque[str]] = {}
    for number, point in enumerate(CRASH_POINTS):
        role = BY.get(point) or BY.get(point.partition(".")[0], "worker")
        mine = [name for name in made.parts if name.startswith(role)]
        found.setdefault(mine[number % len(mine)], deque()).extend(f"{point}:{n}" for n in times)
    return found


@pytest.mark.long
@pytest.mark.parametrize(("database", "times"), [("sqlite", (1, 2)), ("postgresql", (3,))])
def test_a_process_that_dies_at_any_point_loses_and_doubles_nothing(
    tmp_path: Path, database: str, times: tuple[int, ...]
) -> None:
    made = World(tmp_path, database, SHAPE, supervisor_seconds=0.0, forking=True)
    try:
        made.start()
        todo = plan(made, times)
        died = _die_everywhere(made, todo)
        made.rest()
        facts, breaches = made.audit()
        assert not breaches, "\n".join(f"{breach.kind}: {breach.text}" for breach in breaches)
        assert not made.deaths and not made.people.faults
        assert died == len(CRASH_POINTS) * len(times)
        assert len(facts.rows) > 20
    finally:
        made.close()


def _die_everywhere(made: World, todo: dict[str, deque[str]]) -> int:
    """Until every process has died at all of its points; how often that was."""
    died, armed = 0, {}
    for name in todo:
        armed[name] = time.monotonic()
        made.parts[name].kill()
        made.parts[name].start(SIGNOFF_CRASH_AT=todo[name][0])
    while todo:
        made.provoke()
        for name in list(todo):
            part = made.parts[name]
            if part.running:
                waited = time.monotonic() - armed[name]
                assert waited < PATIENCE_SECONDS, f"{name} does not pass {todo[name][0]}"
                continue
            assert part.code == -9, f"{name} ended with {part.code}:\n{part.log.read_text()[-2000:]}"
            died += 1
            print(f"{name} died at {todo[name][0]} after {time.monotonic() - armed[name]:.1f} s")
            todo[name].popleft()
            part.start(SIGNOFF_CRASH_AT=todo[name][0] if todo[name] else "")
            armed[name] = time.monotonic()
            if not todo[name]:
                del todo[name]
        time.sleep(0.005)
    return died
