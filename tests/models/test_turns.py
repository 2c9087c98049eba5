"""Whose card is next, on both databases; `serve` stands for a delivery that shows the card."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text
from support import Core

from signoff.models import leases, turns
from signoff.models.turns import POST, UPDATE


def serve(core: Core) -> str | None:
    """What is next is done; the approval's id."""
    turn = turns.next_turn(core.store)
    if turn is None:
        return None
    lease = leases.CARDS.take(core.store, turn.card_id, agent=turn.agent)
    assert lease is not None
    approval = core.approvals.get(turn.approval_id)
    assert approval.card is not None
    core.approvals.cards.note_shown(approval, "C1", f"1.{turn.card_id}", None, "")
    leases.CARDS.release(core.store, turn.card_id, lease)
    return turn.approval_id


def served(core: Core, most: int = 1000) -> list[str]:
    """The agents whose turn it was, until nothing is due."""
    found: list[str] = []
    while len(found) < most and (approval_id := serve(core)):
        found.append(core.approvals.get(approval_id).agent)
    return found


def test_a_flood_delays_another_agent_by_one_card(core: Core) -> None:
    for _ in range(50):
        core.submit("noisy")
    assert served(core, 5) == ["noisy"] * 5
    core.submit("quiet")
    assert served(core, 2)[:2].count("quiet") == 1
    core.submit("quiet")
    assert "quiet" in served(core, 2)


def test_agents_have_turns_and_each_its_oldest_card_first(core: Core) -> None:
    asked: dict[str, list[str]] = {"a": [], "b": [], "c": []}
    for agent, many in (("a", 6), ("b", 2), ("c", 4)):
        asked[agent] = [core.submit(agent).id for _ in range(many)]
    order = [serve(core) for _ in range(12)]
    agents = [core.approvals.get(str(one)).agent for one in order]
    assert agents == ["a", "b", "c", "a", "b", "c", "a", "c", "a", "c", "a", "a"]
    for agent, ids in asked.items():
        turns_of = [core.approvals.get(str(one)) for one in order if str(one) in ids]
        times = [one.created_at for one in turns_of]
        assert times == sorted(times) and {one.agent for one in turns_of} == {agent}


def test_a_decided_card_goes_before_new_ones_and_a_decision_before_what_ran_out(core: Core) -> None:
    clicked, ran_out = core.submit("a"), [core.submit("a") for _ in range(5)]
    assert len(served(core)) == 6
    core.submit("b")
    core.approvals.decide(clicked.id, 1, "U0ANA", "approve")
    for one in ran_out:
        with core.store.transaction() as connection:
            connection.execute(text("UPDATE approval SET expires_at = 1 WHERE id = :id"), {"id": one.id})
        core.approvals.expire(one.id)
    assert serve(core) == clicked.id
    assert [serve(core) for _ in range(5)] == [one.id for one in reversed(ran_out)], "the newest change first"
    assert served(core) == ["b"]


def test_a_card_of_what_has_ended_unseen_comes_after_all_that_can_be_decided(core: Core) -> None:
    gone = core.submit("a")
    core.approvals.cancel("a", gone.request_id)
    waits = [core.submit("b").id for _ in range(3)]
    assert [serve(core) for _ in range(4)] == [*waits, gone.id]


def test_two_workers_have_the_turns_of_two_agents(core: Core) -> None:
    for _ in range(3):
        core.submit("noisy")
    quiet = core.submit("quiet")
    one = turns.next_turn(core.store)
    assert one and leases.CARDS.take(core.store, one.card_id, agent=one.agent)
    other = turns.next_turn(core.store)
    assert one.agent == "noisy" and other and other.approval_id == quiet.id
    assert leases.CARDS.take(core.store, one.card_id) is None


def test_a_limit_on_posts_holds_for_its_channel_and_not_for_redraws(core: Core) -> None:
    shown = core.submit("a")
    assert serve(core) == shown.id
    here, there = core.submit("a"), core.submit("b")
    with core.store.transaction() as connection:
        connection.execute(text("UPDATE approval SET conversation = 'C2' WHERE id = :id"), {"id": there.id})
    turns.pause(core.store, POST, "C0APPROVE", 3600)
    core.approvals.decide(shown.id, 1, "U0ANA", "approve")
    assert [serve(core), serve(core), serve(core)] == [shown.id, there.id, None]
    assert 0 < turns.rest(core.store, 7200) <= 3600
    end_pauses(core)
    assert serve(core) == here.id


def test_a_limit_on_updates_does_not_hold_up_new_cards(core: Core) -> None:
    shown = core.submit("a")
    serve(core)
    core.approvals.decide(shown.id, 1, "U0ANA", "approve")
    turns.pause(core.store, UPDATE, "C0APPROVE", 3600)
    assert turns.paused(core.store, UPDATE) and not turns.paused(core.store, POST)
    fresh = core.submit("a")
    assert [serve(core), serve(core)] == [fresh.id, None]
    end_pauses(core)
    assert serve(core) == shown.id


def test_an_agent_that_could_not_use_its_turn_gets_it_back(core: Core) -> None:
    for agent in ("a", "b", "a", "b"):
        core.submit(agent)
    assert served(core, 1) == ["a"]
    turn = turns.next_turn(core.store)
    assert turn and turn.agent == "b"
    lease = leases.CARDS.take(core.store, turn.card_id, agent=turn.agent)
    assert lease
    turns.pause(core.store, POST, "C0APPROVE", 3600, turn)
    leases.CARDS.release(core.store, turn.card_id, lease)
    end_pauses(core)
    assert served(core) == ["b", "a", "b"]


def test_a_flood_that_met_the_limit_does_not_get_two_turns_for_it(core: Core) -> None:
    for _ in range(3):
        core.submit("noisy")
    assert served(core, 1) == ["noisy"]
    turn = turns.next_turn(core.store)
    assert turn and leases.CARDS.take(core.store, turn.card_id, agent=turn.agent)
    core.submit("quiet")
    turns.pause(core.store, POST, "C0APPROVE", 3600, turn)
    end_pauses(core)
    assert served(core, 1) == ["quiet"]


@pytest.mark.parametrize("column", ["not_before", "lease_until"])
def test_what_is_postponed_or_in_somebodys_hands_holds_nobody_up(core: Core, column: str) -> None:
    first, second = core.submit("a"), core.submit("a")
    if column == "not_before":
        core.approvals.cards.postpone(first.id, 3600)
    else:
        assert first.card and leases.CARDS.take(core.store, first.card.id)
    assert [serve(core), serve(core)] == [second.id, None]


def end_pauses(core: Core) -> Any:
    with core.store.transaction() as connection:
        connection.execute(text("UPDATE pause SET not_before = 0"))
