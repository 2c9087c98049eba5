"""A batch, cut off at each of its points: it is frozen once, its card is posted once, and nothing is lost."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
from bot.test_batch_delivery import NAME, Channel
from support import Core

from signoff.approvals import audit, rush
from signoff.approvals.sweep import Sweep
from signoff.models import crash
from signoff.models.crash import RARE_POINTS
from signoff.models.messages import Freeze
from signoff.queue import stream
from signoff.queue.publisher import Publisher

POINTS = [one for one in RARE_POINTS if one.startswith(("freeze.", "batch."))]
ENDS = ["decide.checked", "end.written", "end.committed", "publication.sent"]


class Died(BaseException):
    """The process is gone: nothing that follows is done."""


@contextmanager
def dying_at(point: str, times: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Inside the `with` this process "dies" the n-th time that it passes there; it has to."""
    left = times
    publish_all = Publisher.publish_all

    def here(passed: str) -> None:
        nonlocal left
        if passed == point:
            left -= 1
            if not left:
                raise Died

    def told(*what: Any) -> None:
        if left <= 0:
            raise Died  # of what it had decided and not told it tells nobody any more
        publish_all(*what)

    with monkeypatch.context() as patched:
        patched.setattr(crash, "here", here)
        patched.setattr(Publisher, "publish_all", told)
        with suppress(Died):
            yield
    assert left <= 0, f"{point} was not passed {times} times"


@pytest.fixture
def channel(core: Core) -> Channel:
    return Channel(core)


def leases_over(core: Core) -> None:
    """Whoever had one is dead for so long."""
    with core.store.transaction() as connection:
        connection.exec_driver_sql("UPDATE batch SET not_before = 0, lease_until = CASE WHEN lease_until > 1 "
                                   "THEN 2 ELSE lease_until END")  # fmt: skip


@pytest.mark.parametrize("point", POINTS)
def test_a_batch_is_frozen_and_posted_once_wherever_it_is_cut(
    point: str, channel: Channel, core: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    fields = {"reversibility": "reversible", "batch": NAME}
    sent = [core.submit(action="ticket.tidy", payload={"n": n}, **fields) for n in range(3)]
    frozen = Freeze(title="Clean up", ids=tuple(uuid.UUID(one.request_id) for one in sent))
    told_at = stream.frozen(stream.batch_id(NAME), b"body")

    def road() -> None:
        core.approvals.freeze("billing-bot", NAME, frozen, told_at)
        channel.turns.wake("any")
        core.approvals.decide(sent[0].id, 1, "U0ANA", "approve")
        channel.rest()
        channel.turns.wake("any")

    with dying_at(point, 1, monkeypatch):
        road()
    leases_over(core)
    core.approvals.freeze("billing-bot", NAME, frozen, told_at)  # its entry comes again
    leases_over(core)
    channel.turns.step()
    if core.approvals.get(sent[0].id).pending:
        core.approvals.decide(sent[0].id, 1, "U0ANA", "approve")
    channel.rest()
    channel.turns.step()
    batch = core.approvals.batches.find("billing-bot", NAME)
    assert batch and (batch.state, len(batch.items), batch.message) == ("frozen", 3, "1.0")
    assert batch.shown_revision == batch.revision and len(channel.slack.posted) == 1
    assert all(one.shown_at for one in batch.items)
    told = core.approvals.publisher.standing("billing-bot", told_at)
    assert told and told.status == "pending"
    with core.store.reading() as connection:
        rows = connection.exec_driver_sql("SELECT data FROM audit_event WHERE kind = 'batch'").scalars()
        lines = sum('"size"' in data for data in rows)
    assert lines == 1, "it was frozen once"
    found = audit.verify(core.store)
    assert found.ok, (found.fault, found.row, found.column)


@pytest.mark.parametrize("point", ENDS)
def test_a_decision_on_many_that_is_cut_has_decided_what_it_decided_and_the_card_says_so(
    point: str, channel: Channel, core: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = channel.batch(6)
    channel.turns.wake("any")
    ids = [one.id for one in batch.items]
    review = core.approvals.batches.review("U0ANA", ids, batch.id)
    core.approvals.batches.saw(review.id, "U0ANA", 6)
    monkeypatch.setattr(rush, "MOST", 2)
    with dying_at(point, 2 if point == "publication.sent" else 4, monkeypatch):
        core.approvals.batches.decide(review.id, "U0ANA", "approve")
    channel.rest()
    channel.turns.step()
    decided = [one for one in ids if core.approvals.get(one).status == "approved"]
    assert decided == ids[: {"decide.checked": 3, "end.written": 3}.get(point, 4)]
    again = core.approvals.batches.get(batch.id)
    assert again.shown_revision == again.revision and again.message == "1.0"
    again_done = core.approvals.batches.decide(review.id, "U0ANA", "approve")
    assert [*decided, *again_done.decided] == ids
    assert {one.approval_id for one in again_done.left} == {*decided}
    monkeypatch.setattr("signoff.approvals.sweep.UNPUBLISHED_SECONDS", -1.0)
    Sweep(core.approvals).step()
    for one in batch.items:
        told = core.approvals.publisher.standing("billing-bot", one.request_id)
        assert told and told.status == "approved" and told.payload == one.payload_text
