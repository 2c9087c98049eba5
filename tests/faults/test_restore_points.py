"""A restore that dies between any two of its steps, and a first sweep that does: nothing is decided twice."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from faults.trace import Trace, trace_commits, traced
from support import Core

from signoff import receipts
from signoff.approvals import audit, epochs
from signoff.approvals import sweep as sweeps
from signoff.approvals.errors import Restored
from signoff.approvals.sweep import Sweep
from signoff.errors import Expired
from signoff.models import crash
from signoff.models.crash import RARE_POINTS
from signoff.queue import stream
from signoff.server import backup

AGENT = "billing-bot"
SWEEP_POINTS = [
    *(point for point in RARE_POINTS if point.startswith("adopt.")), "publication.refused",
    "end.written", "end.committed", "publication.sent", "publication.committed", "end.announced",
    "sweep.close", "sweep.tell",
]  # fmt: skip
"""What the first sweep passes, in whatever order."""
STARTS = """
import os, sys, traceback
from pathlib import Path
from signoff.models import crash
from signoff.server import restore
import signoff.models.migrate, alembic.command, psycopg
print("ready", flush=True)
for line in sys.stdin:
    point, url, file, data = line.split()
    child = os.fork()
    if child == 0:
        try:
            crash.arm(point if point != "-" else "")
            if file == "-":
                restore.in_place(url)
            else:
                restore.restore(url, Path(file), Path(data), replace=True)
            os._exit(0)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""
"""Restores, each in a process of its own, which may be made to die."""


class Crash(BaseException):
    """The process ends here: no `except Exception` sees it."""


@dataclass
class Story:
    """A backup, and what happened after it, as the rows, Redis and the agents had it then."""

    core: Core
    folder: Path
    waiting: Any
    """Asked before the backup; nobody decides it."""
    decided: Any
    """Asked before; decided after, with another amount: `receipt`."""
    receipt: str
    gone: Any
    """Asked after; nobody decides it."""
    head: str
    answers: dict[bytes, bytes]

    @property
    def url(self) -> str:
        return self.core.store.engine.url.render_as_string(hide_password=False)

    @property
    def points(self) -> list[str]:
        """Those of `signoff restore FILE` on this database."""
        if self.url.startswith("sqlite"):
            return ["restore.unpacked", "restore.begun", "restore.kept", "restore.replaced"]
        return ["restore.unpacked", "restore.written"]

    def put_answers_back(self) -> None:
        """Redis as it was at the end of the lost time."""
        self.core.redis.flushall()
        for key, value in self.answers.items():
            self.core.redis.set(key, value)


@pytest.fixture
def story(core: Core, tmp_path: Path) -> Story:
    waiting, decided = core.submit(), core.submit(payload={"amount": 120})
    for approval in (waiting, decided):
        core.approvals.tell(approval)
    backup.write(core.store.engine, tmp_path / "backup.db")
    ended = core.approvals.decide(decided.id, 1, "U0ANA", "approve", payload={"amount": 80})
    gone = core.submit()
    core.approvals.tell(gone)
    keys = core.redis.keys("signoff:dec:*:*")
    answers = {key: core.redis.get(key) for key in keys}
    head = audit.verify(core.store).head
    core.store.engine.dispose()
    return Story(core, tmp_path, waiting, decided, ended.receipt or "", gone, head, answers)


@dataclass
class Restorer:
    process: subprocess.Popen[str]

    def run(self, story: Story, point: str = "-", *, in_place: bool = False) -> int:
        """How it ended. Nobody else has the database open while it runs."""
        story.core.store.engine.dispose()
        file = "-" if in_place else str(story.folder / "backup.db")
        assert self.process.stdin and self.process.stdout
        at = point if point == "-" else f"{point}:1"
        print(at, story.url, file, story.folder, file=self.process.stdin, flush=True)
        return int(self.process.stdout.readline())


@pytest.fixture(scope="module")
def restorer() -> Iterator[Restorer]:
    command = [sys.executable, "-c", STARTS]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout and process.stdout.readline() == "ready\n"
    with process:
        yield Restorer(process)
        process.kill()


def old(story: Story) -> bool:
    """The database is the one of before, whole; else the restored one, whole."""
    found = audit.verify(story.core.store)
    assert found.ok
    if found.head == story.head:
        decided = story.core.store.get(story.decided.id)
        assert decided is not None and decided.receipt == story.receipt
        assert story.core.store.get(story.gone.id) is not None and not found.restores
        return True
    restored_but_not_settled(story)
    return False


def restored_but_not_settled(story: Story) -> None:
    """Nobody can decide what waited in the backup."""
    store = story.core.store
    assert [restore.epoch for restore in audit.verify(store).restores] == [2]
    assert set(epochs.closed(store)) == {story.waiting.id, story.decided.id}
    assert store.waiting() == [] and store.get(story.gone.id) is None
    for approval in (story.waiting, story.decided):
        with pytest.raises(Restored):
            story.core.approvals.decide(approval.id, 1, "U0BEN", "approve")


def settled(story: Story) -> None:
    """Nothing is pending, each has one end, and Redis tells it."""
    core = story.core
    row = core.store.get(story.waiting.id)
    assert row is not None and (row.status, row.reason) == ("expired", epochs.CLOSED)
    row = core.store.get(story.decided.id)
    assert row is not None and row.receipt == story.receipt and row.payload == {"amount": 80}
    assert row.decision is not None and row.decision.approver == "U0ANA"
    for approval, status in (
        (story.waiting, "expired"),
        (story.decided, "approved"),
        (story.gone, "expired"),
    ):
        answer = stream.response(core.redis, AGENT, approval.request_id)
        assert answer is not None and answer.status == status
        keys = receipts.verify_keys(core.signer.verify_key)
        given = {"request_id": approval.request_id, "digest_sent": approval.digest_sent}
        assert receipts.accept(answer, keys, agent=AGENT, **given).status == status
    with core.store.reading() as connection:
        decisions = connection.exec_driver_sql("SELECT count(*) FROM decision").scalar()
        ends = connection.exec_driver_sql(
            "SELECT approval_id FROM audit_event WHERE kind IN ('receipt', 'adopted')"
        )
        assert decisions == 1 and sorted(ends.scalars()) == sorted([story.waiting.id, story.decided.id])
    for approval in (story.waiting, story.decided):
        with pytest.raises((Restored, Exception), match=r"restored|already"):
            core.approvals.decide(approval.id, 2, "U0BEN", "approve")
    with pytest.raises(Expired, match="restored from a backup"):
        core.approvals.submit(AGENT, story.gone.request)
    assert audit.verify(core.store).ok and not epochs.untold(core.store)


def test_a_restore_that_dies_anywhere_leaves_one_database_or_the_other_and_can_be_run_again(
    story: Story, restorer: Restorer
) -> None:
    for point in story.points:
        assert restorer.run(story, point) == -9
        assert old(story) is (point != "restore.replaced")
    assert restorer.run(story) == 0
    assert not old(story)
    left = [path.name for path in story.folder.iterdir() if "restor" in path.name]
    assert left == [], "a killed restore leaves a copy of all payloads; the next one takes it away"
    Sweep(story.core.approvals).step()
    settled(story)


def test_an_epoch_begun_in_place_is_there_whole_or_not_at_all(
    core: Core, story: Story, restorer: Restorer
) -> None:
    assert restorer.run(story, "restore.written", in_place=True) == -9
    assert old(story) and not epochs.untold(core.store)
    assert restorer.run(story, in_place=True) == 0
    assert [restore.epoch for restore in audit.verify(core.store).restores] == [2]
    assert core.store.waiting() == []


def test_a_first_sweep_that_dies_anywhere_is_finished_by_the_next(
    story: Story, restorer: Restorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweeps, "UNPUBLISHED_SECONDS", -1.0)
    for point in SWEEP_POINTS:
        assert restorer.run(story) == 0
        story.put_answers_back()
        with monkeypatch.context() as patch:

            def here(name: str, point: str = point) -> None:
                if name == point:
                    raise Crash(name)

            patch.setattr(crash, "here", here)
            with pytest.raises(Crash):
                Sweep(story.core.approvals).step()
        Sweep(story.core.approvals).step()
        settled(story)


def test_no_two_steps_of_a_sweep_after_a_restore_are_without_a_point(
    story: Story, restorer: Restorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert restorer.run(story) == 0
    story.put_answers_back()
    trace: Trace = traced(monkeypatch)
    trace_commits(trace, story.core.store.engine)
    Sweep(story.core.approvals).step()
    assert not trace.bare(), "\n".join(trace.bare())
    assert [point for point in RARE_POINTS if point in trace.points] == [
        point for point in RARE_POINTS if point in SWEEP_POINTS
    ]
