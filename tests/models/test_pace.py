"""Posts keep a second's distance in a conversation where Slack has limited them, and only there."""

from __future__ import annotations

from sqlalchemy import text
from support import Core

from signoff.models import pace, turns
from signoff.models.turns import POST, UPDATE


def move(core: Core, seconds: float, method: str = "%") -> None:
    """So much time passes, for what rests."""
    with core.store.transaction() as connection:
        connection.execute(
            text("UPDATE pause SET not_before = not_before - :by WHERE method LIKE :method"),
            {"by": int(seconds * 1_000_000), "method": method},
        )


def test_where_slack_has_limited_nobody_posts_are_as_quick_as_they_can_be(core: Core) -> None:
    assert all(pace.claim(core.store, "C1") for _ in range(5))
    turns.pause(core.store, UPDATE, "C1", 3.0)
    assert all(pace.claim(core.store, "C1") for _ in range(5)), "edits are another matter"


def test_one_of_many_posts_a_second_once_slack_has_limited_a_conversation(core: Core) -> None:
    turns.pause(core.store, POST, "C1", 2.0)
    assert not pace.claim(core.store, "C1"), "it has asked to be left alone"
    assert all(pace.claim(core.store, "C2") for _ in range(5)), "elsewhere it has not"
    move(core, 2.0)
    assert [pace.claim(core.store, "C1") for _ in range(3)] == [True, False, False]
    move(core, pace.EVERY_SECONDS)
    assert [pace.claim(core.store, "C1") for _ in range(3)] == [True, False, False]
    assert 0 < turns.rest(core.store, 60.0) <= pace.EVERY_SECONDS, "who waits wakes once it is over"


def test_after_a_while_it_is_tried_again_and_every_limit_begins_that_anew(core: Core) -> None:
    turns.pause(core.store, POST, "C1", 1.0)
    move(core, pace.PACED_SECONDS - 1)
    assert pace.claim(core.store, "C1") and not pace.claim(core.store, "C1")
    turns.pause(core.store, POST, "C1", 1.0)
    move(core, 2.0)
    assert pace.claim(core.store, "C1") and not pace.claim(core.store, "C1")
    move(core, pace.PACED_SECONDS)
    assert all(pace.claim(core.store, "C1") for _ in range(5))


def test_a_card_whose_second_another_had_waits_and_loses_nothing(core: Core) -> None:
    core.submit()
    turns.pause(core.store, POST, "C0APPROVE", 1.0)
    assert turns.next_turn(core.store) is None
    move(core, 1.0, POST)
    turn = turns.next_turn(core.store)
    assert turn and pace.claim(core.store, "C0APPROVE")
    assert turns.next_turn(core.store) is None, "the next one has its turn a second later"
    move(core, pace.EVERY_SECONDS, POST)
    assert turns.next_turn(core.store)
