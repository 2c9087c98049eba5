"""The database's clock, its queries, and leases; on both databases."""

from __future__ import annotations

import time

from sqlalchemy import text
from support import Core

from signoff.models import leases


def test_the_clock_is_the_databases_in_microseconds(core: Core) -> None:
    before = time.time()
    found = core.store.clock() / 1_000_000
    assert abs(found - before) < 5
    assert core.store.clock() >= found * 1_000_000 - 2000


def test_the_clock_moves_within_a_transaction(core: Core) -> None:
    from signoff.models import changes

    with core.store.transaction() as connection:
        first = changes.clock(connection)
        second = first
        while second == first:  # PostgreSQL's now() would stand still
            second = changes.clock(connection)
        assert second > first


def test_only_one_holds_a_cards_lease(core: Core) -> None:
    approval = core.submit()
    card = core.store.get(approval.id).card  # type: ignore[union-attr]
    assert card is not None
    lease = leases.CARDS.take(core.store, card.id)
    assert lease is not None and leases.CARDS.take(core.store, card.id) is None
    leases.CARDS.release(core.store, card.id, lease + 1)  # somebody else's
    assert leases.CARDS.take(core.store, card.id) is None
    leases.CARDS.release(core.store, card.id, lease)
    assert leases.CARDS.take(core.store, card.id) is not None


def test_a_lease_of_a_dead_process_runs_out(core: Core) -> None:
    approval = core.submit()
    card = core.store.get(approval.id).card  # type: ignore[union-attr]
    assert card is not None and leases.CARDS.take(core.store, card.id)
    with core.store.transaction() as connection:
        connection.execute(text("UPDATE card SET lease_until = 1"))
    assert leases.CARDS.take(core.store, card.id)


def test_what_waits_is_listed_oldest_first_for_those_who_may_decide(core: Core) -> None:
    ids = [core.submit().id for _ in range(3)]
    core.approvals.decide(ids[1], 1, "U0ANA", "approve")
    with core.store.transaction() as connection:
        connection.execute(text("UPDATE approval SET created_at = 1 WHERE id = :id"), {"id": ids[2]})
    assert core.approvals.waiting_for("U0ANA") == [ids[2], ids[0]]
    assert core.approvals.waiting_for("U0MIA") == []


def test_a_rolled_back_transaction_leaves_nothing(core: Core) -> None:
    try:
        with core.store.transaction() as connection:
            connection.execute(text("INSERT INTO agent (name, created_at) VALUES ('x', 1)"))
            raise ZeroDivisionError
    except ZeroDivisionError:
        pass
    with core.store.reading() as connection:
        assert connection.execute(text("SELECT count(*) FROM agent")).scalar() == 0
