"""Runs' threads in the rows: one each, posted by one, edited by one and not too often."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from support import Core

from signoff.models import threads
from signoff.models.threads import Thread

CHANNEL = "C0APPROVE"


def posted(core: Core, run: str = "nightly") -> Thread:
    """A run's thread whose first message stands."""
    thread = threads.of_run(core.store, "billing-bot", run, CHANNEL)
    lease = threads.take_to_post(core.store, thread.id)
    assert lease is not None
    assert threads.note_posted(core.store, thread.id, lease, CHANNEL, f"{thread.id}.1")
    return threads.of_run(core.store, "billing-bot", run, CHANNEL)


def card(core: Core, thread: Thread) -> Any:
    """A request whose card stands in a thread, and that is delivered."""
    approval = core.submit(run=thread.run)
    assert thread.conversation and thread.message
    core.approvals.cards.note_shown(
        approval, thread.conversation, f"2.{approval.id}", None, "", thread.message
    )
    return core.approvals.get(approval.id)


def test_many_at_once_make_one_thread_and_one_of_them_posts_it(core: Core) -> None:
    core.submit()

    def race(_: int) -> tuple[int, int | None]:
        thread = threads.of_run(core.store, "billing-bot", "nightly", CHANNEL)
        return thread.id, threads.take_to_post(core.store, thread.id)

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(race, range(24)))
    assert len({number for number, _ in found}) == 1
    assert len([lease for _, lease in found if lease is not None]) == 1


def test_who_lost_the_lease_does_not_replace_the_first_message(core: Core) -> None:
    core.submit()
    thread = threads.of_run(core.store, "billing-bot", "nightly", CHANNEL)
    lost = threads.take_to_post(core.store, thread.id)
    assert lost is not None
    threads.LEASES.release(core.store, thread.id, lost)
    lease = threads.take_to_post(core.store, thread.id)
    assert lease is not None and threads.note_posted(core.store, thread.id, lease, CHANNEL, "1.1")
    assert not threads.note_posted(core.store, thread.id, lost, CHANNEL, "9.9")
    found = threads.get(core.store, thread.id)
    assert found and found.message == "1.1" and threads.take_to_post(core.store, thread.id) is None


def test_it_counts_what_stands_in_it(core: Core) -> None:
    core.submit()
    thread, other = posted(core), posted(core, "other")
    waits, rejected, cancelled, elsewhere = (card(core, t) for t in (thread, thread, thread, other))
    core.approvals.decide(rejected.id, 1, "U0ANA", "reject", reason="no")
    core.approvals.cancel("billing-bot", cancelled.request_id)
    found = threads.look(core.store, thread.id)
    assert found is not None
    tally = found[1]
    assert (tally.waiting, tally.decided, tally.undecided, tally.approvers) == (1, 1, 1, ("S0FIN",))
    assert waits.card.thread == thread.message and elsewhere.card.thread == other.message


def test_it_is_due_after_each_delivery_and_rests_between_edits(core: Core) -> None:
    core.submit()
    thread = posted(core)
    assert threads.due(core.store) == []
    card(core, thread)
    assert threads.due(core.store) == [thread.id]
    lease = threads.take_to_edit(core.store, thread.id)
    assert lease is not None and threads.take_to_edit(core.store, thread.id) is None
    found = threads.look(core.store, thread.id)
    assert found is not None
    card(core, thread)  # while the edit is under way
    threads.note_shown(core.store, found[0], lease, "digest", 3600)
    assert threads.due(core.store) == [] and threads.take_to_edit(core.store, thread.id) is None
    with core.store.transaction() as connection:
        connection.execute(threads.threads.update().values(not_before=0))
    assert threads.due(core.store) == [thread.id], "the last state arrives"


def test_a_first_message_that_is_gone_is_posted_anew(core: Core) -> None:
    core.submit()
    thread = posted(core)
    card(core, thread)
    assert thread.conversation and thread.message
    assert threads.at(core.store, thread.conversation, thread.message) == thread.id
    threads.forget(core.store, thread.conversation, thread.message)
    assert threads.due(core.store) == [] and threads.look(core.store, thread.id) is None
    assert threads.take_to_post(core.store, thread.id) is not None
