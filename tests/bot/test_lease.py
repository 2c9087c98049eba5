"""A lease lives as long as its holder is at work, and no longer."""

from __future__ import annotations

from functools import partial

import pytest
from sqlalchemy import text
from support import Core, eventually

from signoff.bot.delivery import lease as held
from signoff.bot.delivery.lease import Held
from signoff.models import leases, threads


def until(core: Core, table: str) -> int:
    with core.store.reading() as connection:
        return int(connection.execute(text(f"SELECT lease_until FROM {table}")).scalar_one())


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(held, "RENEW_SECONDS", 0.02)


def test_a_lease_outlives_a_call_that_takes_longer_than_it_lasts(core: Core) -> None:
    card = core.submit().card
    lease = leases.CARDS.take(core.store, card.id)
    assert lease
    with Held(lease, partial(leases.CARDS.renew, core.store, card.id)) as mine:
        first = until(core, "card")
        eventually(lambda: until(core, "card") > first)
        assert leases.CARDS.take(core.store, card.id) is None
    assert mine.lease == lease and not mine.renew()
    leases.CARDS.release(core.store, card.id, mine.lease)
    assert leases.CARDS.take(core.store, card.id)


def test_a_lease_on_a_first_message_is_renewed_too(core: Core) -> None:
    thread = threads.of_run(core.store, core.submit(run="r").agent, "r", "C1")
    lease = threads.take_to_post(core.store, thread.id)
    assert lease
    with Held(lease, partial(threads.LEASES.renew, core.store, thread.id)) as mine:
        first = until(core, "thread")
        eventually(lambda: until(core, "thread") > first)
    assert threads.note_posted(core.store, thread.id, mine.lease, "C1", "1.1")


def test_a_lease_that_was_lost_is_not_taken_back(core: Core) -> None:
    card = core.submit().card
    lease = leases.CARDS.take(core.store, card.id)
    assert lease
    with core.store.transaction() as connection:
        connection.execute(text("UPDATE card SET lease = lease + 7"))  # another's by now
    before = until(core, "card")
    with Held(lease, partial(leases.CARDS.renew, core.store, card.id)) as mine:
        assert not mine.renew()
    leases.CARDS.release(core.store, card.id, mine.lease)
    assert until(core, "card") == before
