"""Each part dies at each point of questions, batches, talks, undoing and feedback: the books are right.

As in test_crash_points: the parts go on all the time, and what dies is started again.
"""

from __future__ import annotations

import json
import time
from collections import deque
from itertools import zip_longest
from pathlib import Path

import pytest
from faults.askers import OWNER, Askers
from faults.asking_agent import POLICY
from faults.asking_books import breaches, left
from faults.nursery import SHORT
from faults.world import HISTORY, Shape, World
from flows.person import buttons, text_of

from signoff.models.crash import RARE_POINTS

BY = {
    "worker-0": ("grace.", "reply."),
    "worker-1": ("silence.", "untaken.", "batch."),
    "bot-0": ("talk.", "told.", "note.", "hand.", "feedback."),
    "bot-1": ("review.", "seen.", "undo.", "hold.", "grace.checked"),
    "intake-0": ("freeze.", "talked.", "spend."),
    "agent-0": ("client.",),
}
"""Who dies at the points that begin so: one of each kind after the other, as one person is at each kind."""
OTHERS = (
    "restore.", "adopt.", "file.", "unwant.", "unfile.", "double.", "thread.", "webhook.", "flood.",
    "complete.", "drop.", "stop.", "stops.", "resume.", "call.", "called.", "away.", "back.", "absence.",
)  # fmt: skip
"""Points that other tests cut: of what has nothing to do with it, and two rare ones (test_asking_trace)."""
ENDS = {"sqlite": ("",), "postgresql": (".committed",)}
"""Which points a database is tried at, by their ends: they differ in their transactions alone."""
POLICY_SECONDS = 3.0
PATIENCE_SECONDS = 300.0
REST_SECONDS = 240.0
SHAPE = Shape(bots=2, intakes=1, workers=2, agents=1)


def plan(ends: tuple[str, ...]) -> dict[str, deque[str]]:
    """Which process dies where, in order."""
    found: dict[str, deque[str]] = {}
    for name, starts in BY.items():
        kinds = [[one for one in RARE_POINTS if one.startswith(start)] for start in starts]
        points = [one for row in zip_longest(*kinds) for one in row if one]
        mine = [one for one in points if one != "grace.checked" or one in starts]
        found[name] = deque(f"{point}:1" for point in mine if point.endswith(ends))
    return found


def test_no_point_is_forgotten() -> None:
    planned = {one.partition(":")[0] for points in plan(("",)).values() for one in points}
    assert planned == {one for one in RARE_POINTS if not one.startswith(OTHERS)}


@pytest.mark.long
@pytest.mark.parametrize("database", ENDS)
def test_a_process_that_dies_in_the_middle_of_more_than_a_yes_loses_and_doubles_nothing(
    tmp_path: Path, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(SHORT, "1")
    made = World(
        tmp_path, database, SHAPE, supervisor_seconds=0.0, forking=True, scopes=HISTORY,
        people=Askers, program="faults.asking_agent", policy=POLICY % OWNER,
    )  # fmt: skip
    try:
        made.start()
        todo = plan(ENDS[database])
        wanted = sum(map(len, todo.values()))
        assert _die_everywhere(made, todo) == wanted
        _rest(made)
        found = breaches(made)
        assert not found, "\n".join(found)
        assert not made.people.faults
        assert made.parts["agent-0"].code == 0, made.parts["agent-0"].log.read_text()[-2000:]
    finally:
        made.close()


def _die_everywhere(made: World, todo: dict[str, deque[str]]) -> int:
    """Until every process has died at all of its points; how often that was."""
    died, armed = 0, dict.fromkeys(todo, time.monotonic())
    for name, points in todo.items():
        if name.startswith("agent"):  # it dies by itself first, in the middle of its first batch
            points.appendleft("")
            died -= 1
            continue
        made.parts[name].kill()
        made.parts[name].start(SIGNOFF_CRASH_AT=points[0])
    while todo:
        _change_policy(made)
        for name, points in list(todo.items()):
            part = made.parts[name]
            if part.running:
                assert time.monotonic() - armed[name] < PATIENCE_SECONDS, f"{name} does not pass {points[0]}"
                continue
            assert part.code == -9, f"{name} ended with {part.code}:\n{part.log.read_text()[-2000:]}"
            died += 1
            print(f"{name} died at {points[0]} after {time.monotonic() - armed[name]:.1f} s")
            if points.popleft().startswith("client.gathered"):
                _nothing_is_posted(made)
            part.start(SIGNOFF_CRASH_AT=points[0] if points else "")
            armed[name] = time.monotonic()
            if not points:
                del todo[name]
        time.sleep(0.005)
    return died


def _change_policy(made: World) -> None:
    """Every few seconds what is to run has to wait for longer, or for as long as before."""
    longer = int(time.monotonic() / POLICY_SECONDS) % 2 == 0
    policy = (POLICY % OWNER).replace("after: 2s", "after: 4s" if longer else "after: 2s")
    file = made.folder / "policy.yml"
    if file.read_text() != policy:
        new = made.folder / "policy.new"
        new.write_text(policy)
        new.replace(file)


def _nothing_is_posted(made: World) -> None:
    """Of the batch that its agent died in: no row, no card."""
    lines = [line for _, line in made.journal() if (line["event"], line.get("kind")) == ("asks", "batch")]
    key = lines[-1]["key"]
    assert not any(key in text_of(one) for one in made.people.window.messages() if one.get("blocks"))
    with made.store.reading() as connection:
        texts = connection.exec_driver_sql("SELECT text FROM payload WHERE text IS NOT NULL").scalars()
        assert not any(json.loads(one).get("ticket") == f"{key}-0" for one in texts)


def _rest(made: World) -> None:
    """Let nothing more be asked, and everything come to its end."""
    (made.folder / "stop").touch()
    deadline, quiet = time.monotonic() + REST_SECONDS, False
    while time.monotonic() < deadline and not quiet:
        ended = [line["key"] for _, line in made.journal() if line["event"] == "ended"]
        asked = {line["key"] for _, line in made.journal() if line["event"] == "asks"}
        quiet = not left(made) and len(asked) == len(ended) + 1  # of the one that it died in nobody has heard
        time.sleep(0.1)
    (made.folder / "end").touch()
    while time.monotonic() < deadline and made.parts["agent-0"].running:
        time.sleep(0.05)
    made.people.stop()
    assert not left(made), f"{left(made)}\n{_standing(made)}"


def _standing(made: World) -> str:
    """The cards on which somebody can decide still, what they pressed there, and what they were told last."""
    people: Askers = made.people
    messages = [one for one in people.window.messages() if one.get("blocks")]
    found = [one for one in messages if {"approve", "batch_review"} & set(buttons(one))]
    told = [one["text"] + text_of(one) for one in people.window.messages() if "ephemeral_to" in one][-5:]
    pressed = {key: count for key, count in people.pressed.items() if key[0] in {one["ts"] for one in found}}
    return "\n".join([*(f"{one['ts']} {buttons(one)} {text_of(one)}" for one in found), str(pressed), *told])
