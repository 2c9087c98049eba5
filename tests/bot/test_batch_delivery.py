"""A batch's card: posted once, redrawn when any of its requests ends, and all of it noted."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from support import Core, undelivered

from signoff.approvals import audit
from signoff.approvals.lists import Lists
from signoff.approvals.sweep import Sweep
from signoff.bot.delivery.admins import Admins
from signoff.bot.delivery.delivery import Delivery
from signoff.bot.delivery.turns import Turns
from signoff.bot.slack.client import Posted
from signoff.bot.slack.errors import SlackRefused, SlackUnavailable
from signoff.models import lists, turns
from signoff.models.batches import Batch
from signoff.models.messages import Freeze

NAME = "0123456789abcdef0123456789abcdef"


class Slack:
    """Takes everything, notes it, and raises what it is told to, once."""

    def __init__(self) -> None:
        self.posted: list[tuple[str, str | None, Any]] = []
        self.updated: list[str] = []
        self.raises: Exception | None = None
        self.loses = False

    def _trouble(self) -> None:
        error, self.raises = self.raises, None
        if error:
            raise error

    def address(self) -> str:
        return "https://acme.slack.com"

    def permalink(self, channel: str, ts: str, thread_ts: str | None = None) -> str:
        return f"https://acme.slack.com/archives/{channel}/p{ts}"

    def post(
        self, channel: str, text: str, blocks: Any = (), *, metadata: Any = None, thread_ts: str | None = None
    ) -> Posted:
        if not self.loses:
            self._trouble()
        self.posted.append((text, thread_ts, metadata))
        self._trouble()
        return Posted(channel, f"{len(self.posted)}.0", thread_ts)

    def update(self, channel: str, ts: str, text: str, *_: Any, **__: Any) -> None:
        self._trouble()
        self.updated.append(ts)

    def wrote(self, message: Any) -> bool:
        return True

    def messages(self, channel: str, thread: str | None, oldest: float, cursor: Any) -> Any:
        return [
            {"ts": f"{n}.0", "metadata": metadata, **({"thread_ts": thread} if thread else {})}
            for n, (_, thread, metadata) in enumerate(self.posted, 1)
        ], None


class Channel:
    """The middle of the road, with a Slack that is made up."""

    def __init__(self, core: Core) -> None:
        self.core, self.slack = core, Slack()
        self.delivery = Delivery(core.approvals, self.slack, Admins(self.slack, ()))  # type: ignore[arg-type]
        self.turns = Turns(core.store, self.delivery)

    def batch(self, count: int = 3, name: str = NAME, **fields: Any) -> Batch:
        fields = {"reversibility": "reversible", "batch": name} | fields
        sent = [self.core.submit(action="ticket.tidy", payload={"n": n}, **fields) for n in range(count)]
        self.turns.wake("any")
        assert self.slack.posted == [], "nothing is posted before all is there"
        ids = tuple(uuid.UUID(one.request_id) for one in sent)
        frozen = Freeze(title="Clean up", ids=ids, run=fields.get("run"))
        return self.core.approvals.batches.freeze("billing-bot", name, frozen)

    def rest(self) -> None:
        """Its card has rested."""
        with self.core.store.transaction() as connection:
            connection.exec_driver_sql("UPDATE batch SET not_before = 0")


@pytest.fixture
def channel(core: Core) -> Channel:
    return Channel(core)


def test_a_card_is_posted_once_redrawn_for_each_end_and_noted(channel: Channel, core: Core) -> None:
    batch = channel.batch()
    ids = [one.id for one in batch.items]
    channel.turns.wake(ids[0])
    channel.turns.wake(ids[0])
    assert len(channel.slack.posted) == 1 and channel.slack.updated == []
    shown = core.approvals.batches.get(batch.id)
    assert shown.message == "1.0" and shown.permalink and shown.shown_revision == shown.revision
    assert all(one.shown_at and one.card is None for one in shown.items)
    assert undelivered(core.store) == []
    assert [one.permalink for one in lists.lines(core.store, ids)] == [shown.permalink] * 3
    page = Lists(core.approvals, core.people, ()).pending("U0ANA")
    assert [one.id for one in page.items] == ids[:1] and page.folded[ids[0]].ids == tuple(ids)
    core.approvals.decide(ids[0], 1, "U0ANA", "approve")
    channel.turns.wake(ids[0])
    assert channel.slack.updated == [], "it rests a second between two edits"
    channel.rest()
    channel.turns.wake(ids[0])
    assert channel.slack.updated == ["1.0"]
    core.approvals.spend("billing-bot", batch.items[0].request_id, "a-process-of-its-own")
    core.approvals.cancel("billing-bot", batch.items[1].request_id)
    with core.store.transaction() as connection:
        connection.exec_driver_sql(f"UPDATE approval SET expires_at = 1 WHERE id = '{ids[2]}'")
    core.approvals.expire(ids[2])
    channel.rest()
    channel.turns.step()
    channel.rest()
    channel.turns.step()
    assert channel.slack.updated == ["1.0", "1.0"] and undelivered(core.store) == []
    receipt = core.approvals.response(core.approvals.get(ids[2]))
    assert receipt.permalink == shown.permalink
    with core.store.transaction() as connection:
        connection.exec_driver_sql(f"UPDATE approval SET expires_at = {shown.items[2].expires_at} "
                                   f"WHERE id = '{ids[2]}'")  # fmt: skip
    found = audit.verify(core.store)
    assert found.ok, (found.fault, found.row, found.column)


def test_trouble_postpones_a_card_and_a_lost_reply_posts_no_second(channel: Channel, core: Core) -> None:
    batch = channel.batch()
    channel.slack.raises = SlackUnavailable("later", 3.0, limited="chat.postMessage")
    channel.turns.wake("any")
    channel.rest()
    channel.turns.wake("any")
    assert channel.slack.posted == [], "Slack asked to be left alone with posts there"
    with core.store.transaction() as connection:
        connection.exec_driver_sql("DELETE FROM pause")
    channel.slack.raises, channel.slack.loses = SlackUnavailable("lost", 0.0), True
    channel.turns.wake("any")
    assert len(channel.slack.posted) == 1
    assert core.approvals.batches.get(batch.id).message is None
    channel.slack.loses = False
    channel.rest()
    channel.turns.wake("any")
    assert (len(channel.slack.posted), channel.slack.updated) == (1, ["1.0"]), "it was found again"
    assert core.approvals.batches.get(batch.id).message == "1.0"
    channel.slack.raises = SlackRefused("message_not_found")
    core.approvals.decide(batch.items[0].id, 1, "U0ANA", "reject")
    channel.rest()
    channel.turns.wake("any")
    assert len(channel.slack.posted) == 2, "somebody deleted it: it is posted again"
    assert core.approvals.batches.get(batch.id).message == "2.0"
    assert not turns.paused(core.store, turns.UPDATE)


def test_a_card_stands_in_its_runs_thread_which_counts_what_is_in_it(channel: Channel, core: Core) -> None:
    batch = channel.batch(run="night 12")
    for _ in range(3):
        channel.rest()
        channel.turns.step()
    assert [thread for _, thread, _ in channel.slack.posted] == [None, "1.0"]
    found = core.approvals.batches.get(batch.id)
    assert (found.thread, found.message) == ("1.0", "2.0")
    from signoff.models import threads

    looked = threads.look(core.store, 1)
    assert looked and looked[1].waiting == 3


def test_what_leaves_a_batch_and_a_batch_that_is_dropped(channel: Channel, core: Core) -> None:
    batch = channel.batch(4)
    channel.turns.wake("any")
    core.follow("risk: {ticket.tidy: critical}\nrules: [{name: all, verdict: ask}]")
    Sweep(core.approvals).step()
    channel.rest()
    for _ in range(4):
        channel.turns.step()
    assert len(channel.slack.posted) == 5, "each has a card of its own now"
    assert channel.slack.updated == ["1.0"], "and the batch's says so"
    assert core.approvals.batches.get(batch.id).items == ()
    found = audit.verify(core.store)
    assert found.ok, (found.fault, found.row, found.column)
