"""A server restored from a backup, with decisions made after it: nothing is asked or decided twice."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from flows.person import ANA, BEN, Someone, card, cards, redrawn, text_of
from flows.road import Road
from support import eventually

from signoff import Expired, Rejected
from signoff.approvals import audit
from signoff.bot.text.words import replies as replies_words
from signoff.server import backup


@pytest.fixture(params=["sqlite", "postgresql"])
def own_road(
    request: pytest.FixtureRequest, make_road: Callable[..., Road], tmp_path: Path
) -> Iterator[Road]:
    """A server of the test's own, which it may stop."""
    if request.param == "sqlite":
        road = make_road(folder=tmp_path)
        road.start()
        yield road
        road.close()
        return
    databases = request.getfixturevalue("_postgresql")
    url = databases.create("restore")
    road = make_road(folder=tmp_path, SIGNOFF_DATABASE_URL=url)
    road.start()
    yield road
    road.close()
    databases.drop(url)


def run(road: Road, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Another command with the server's settings; nothing of this process has its database open."""
    road.store.engine.dispose()
    return subprocess.run(
        [sys.executable, "-m", "signoff", *arguments],
        env=road.environment, cwd=road.folder, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip


def waiting(pool: ThreadPoolExecutor, ticket: Any) -> Future[Any]:
    return pool.submit(ticket.wait, 120)


def approve(road: Road, request_id: str, user: str = ANA, **changes: Any) -> None:
    who = Someone(road.slack, user)
    message = card(road.slack, request_id)
    if not changes:
        who.click(message, "approve")
        return
    who.click(message, "edit")
    who.submit(who.view("edit"), **changes)
    who.submit(who.view("difference"))


def test_a_restored_server_decides_nothing_twice(own_road: Road) -> None:
    road, agent = own_road, own_road.agent()
    ask: dict[str, Any] = {"reversible": True}
    before = agent.request("kept.before", {"n": 1}, **ask)
    approve(road, before.id)
    kept = before.wait(60)
    edited, rejected, left = (
        agent.request(f"lost.{what}", {"amount": 120}, **ask) for what in ("edit", "no", "wait")
    )
    for ticket in (edited, rejected, left):
        card(road.slack, ticket.id)
    file = road.folder / "backup.db"
    done = run(road, "backup", str(file))
    assert done.returncode == 0 and "4 requests" in done.stdout, done.stderr
    assert file.stat().st_mode & 0o777 == 0o600

    # The lost time.
    approve(road, edited.id, amount="80")
    was_edited = edited.wait(60)
    Someone(road.slack, BEN).reject(card(road.slack, rejected.id), "wrong customer")
    with pytest.raises(Rejected) as was_rejected:
        rejected.wait(60)
    gone = agent.request("gone.decided", {"n": 2}, key="the-key", **ask)
    approve(road, gone.id)
    was_gone = gone.wait(60)
    redrawn(road.slack, gone.id, "*Approved*")
    silent = agent.request("gone.waiting", {"n": 3}, **ask)
    old_card = card(road.slack, silent.id)
    head = audit.verify(road.store).head

    with ThreadPoolExecutor(2) as pool:
        still_waits, lost_waits = waiting(pool, left), waiting(pool, silent)
        refused = run(road, "restore", str(file), "--replace")
        assert refused.returncode == 2 and "runs already" in refused.stderr
        assert road.stop() == 0
        done = run(road, "restore", str(file), "--replace")
        assert done.returncode == 0, done.stderr
        assert "4 requests" in done.stdout and "Epoch 2 begins; 3 requests waited" in done.stdout
        road.start()

        # What was decided in the lost time is known again, by its receipt.
        row = eventually(lambda: (found := road.store.get(edited.id)) and not found.pending and found, 60)
        assert row.status == "approved" and row.receipt == was_edited.token
        assert row.payload == {"amount": 80} and row.decision.approver == ANA
        assert road.decisions(edited.id) == 1
        assert agent.resume(edited.id, edited.digest).wait(30).token == was_edited.token
        redrawn(road.slack, edited.id, "*Approved*", "80")
        row = eventually(lambda: (found := road.store.get(rejected.id)) and not found.pending and found, 60)
        assert was_rejected.value.receipt is not None and row.receipt == was_rejected.value.receipt.token
        redrawn(road.slack, rejected.id, "*Rejected*", "wrong customer")

        # What nobody had decided ends, and its agents are told.
        with pytest.raises(Expired, match="restored from a backup"):
            still_waits.result(120)
        redrawn(road.slack, left.id, "*Ended when Signoff was restored from a backup")
        with pytest.raises(Expired, match="restored from a backup"):
            lost_waits.result(120)

    # Asked again after the restore, by key: the same receipt, and no other card.
    assert road.store.get(gone.id) is None
    again = agent.request("gone.decided", {"n": 2}, key="the-key", **ask)
    assert again.id == gone.id and again.wait(60).token == was_gone.token
    row = eventually(lambda: road.store.get(gone.id))
    assert row.status == "approved" and road.decisions(gone.id) == 1
    assert len(cards(road.slack, gone.id)) == 1

    # A button of the lost time.
    ana = Someone(road.slack, ANA)
    told = len(ana.told())
    ana.click(old_card, "approve")
    ana.told_now(told, str(replies_words.UNKNOWN))
    eventually(lambda: "Nothing runs from it any more" in text_of(card(road.slack, silent.id)))
    assert road.store.get(silent.id) is None

    # Life goes on, and the log tells.
    agent.report(edited.id, succeeded=True, note="refunded")
    redrawn(road.slack, edited.id, "*Done*")
    fresh = agent.request("fresh", {"n": 4}, **ask)
    approve(road, fresh.id)
    assert fresh.wait(60).approved
    assert agent.get(before.id).token == kept.token  # type: ignore[union-attr]
    taken = backup.read(file)
    verified = audit.verify(road.store, taken.head)
    assert verified.ok and verified.noted
    assert [(restore.epoch, restore.backup_at) for restore in verified.restores] == [(2, taken.at)]
    assert audit.verify(road.store, head).noted is False
