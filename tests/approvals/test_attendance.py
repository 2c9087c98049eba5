"""Who waits for what is pending, as Redis knows it; and cards that tell how long nobody has reported."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import redis
from support import Core, eventually, undelivered

from signoff.approvals import attendance
from signoff.approvals.attendance import Attendance
from signoff.approvals.errors import AlreadyDecided
from signoff.approvals.sweep import Sweep
from signoff.bot.cards.card import card
from signoff.errors import Duplicate, Limited
from signoff.models import progress
from signoff.models.approval import ASKED_ANEW, Approval
from signoff.models.lists import lines
from signoff.models.messages import Outcome
from signoff.queue import stream

MINUTE = 60_000_000


class Clock:
    """Seconds that pass when they are told to."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def seen(core: Core, clock: Clock) -> Callable[[float], None]:
    """Let seconds pass, in looks of 15 s, for the rows as well."""
    watch = Attendance(core.store, core.approvals.publisher, clock)

    def look(seconds: float = 0) -> None:
        passed = 0.0
        while True:
            watch.look()
            if passed >= seconds:
                return
            step = min(attendance.LOOK_SECONDS, seconds - passed)
            passed += step
            clock.now += step
            later(core, step)

    return look


def later(core: Core, seconds: float) -> None:
    """All that has happened was so much earlier."""
    by = int(seconds * 1_000_000)
    with core.store.transaction() as connection:
        for name in ("shown_at", "absent_at", "ended_at", "spent_at", "ages_at", "receipt_expires_at"):
            connection.exec_driver_sql(f"UPDATE approval SET {name} = {name} - {by} WHERE {name} IS NOT NULL")


def shown(core: Core, one: Approval) -> Approval:
    """Its card stands, and shows all there is."""
    one = core.approvals.get(one.id)
    core.approvals.cards.note_shown(one, "C1", "1.1", None, "x")
    later(core, 6)
    return core.approvals.get(one.id)


@contextmanager
def waiting(core: Core, one: Approval) -> Iterator[None]:
    topic = stream.notification(one.agent, one.request_id)
    kwargs = core.redis.connection_pool.connection_kwargs
    with redis.Redis(host=kwargs["host"], port=kwargs["port"]) as client, client.pubsub() as ears:
        ears.subscribe(topic)
        eventually(lambda: dict(core.redis.pubsub_numsub(topic)).get(topic.encode()))
        yield
        ears.unsubscribe(topic)
        eventually(lambda: not dict(core.redis.pubsub_numsub(topic)).get(topic.encode()))


def text_of(core: Core, approval_id: str) -> str:
    one = core.approvals.get(approval_id)
    drawn = card(one, now=core.store.clock())
    return f"{drawn.text}\n{drawn.blocks}"


def test_a_card_says_that_its_agent_is_gone_and_no_more_once_it_is_back(core: Core, seen: Any) -> None:
    one = shown(core, core.submit())
    with waiting(core, one):
        seen(120)
        assert core.approvals.get(one.id).left_at is None and undelivered(core.store) == []
    seen(45)
    assert core.approvals.get(one.id).left_at is None, "who connects anew is not gone"
    seen(60)
    gone = core.approvals.get(one.id)
    assert gone.left_at is not None and undelivered(core.store) == [one.id]
    assert "Nobody waits for this any more" in text_of(core, one.id)
    assert lines(core.store, [one.id])[0].left_at == gone.left_at
    shown(core, gone)
    seen(120)
    assert undelivered(core.store) == [], "it is said once"
    with waiting(core, one):
        seen(15)
        assert core.approvals.get(one.id).left_at is None and undelivered(core.store) == [one.id]
        assert "Nobody waits" not in text_of(core, one.id)


def test_an_agent_that_parks_is_never_gone(core: Core, seen: Any) -> None:
    one = shown(core, core.submit())
    seen(600)
    assert core.approvals.get(one.id).left_at is None and undelivered(core.store) == []


def test_a_pause_of_the_server_makes_nobody_gone(core: Core, seen: Any, clock: Clock) -> None:
    one = shown(core, core.submit())
    with waiting(core, one):
        seen(30)
    seen(15)
    clock.now += 3600
    later(core, 3600)
    seen(30)
    assert core.approvals.get(one.id).left_at is None
    seen(45)
    assert core.approvals.get(one.id).left_at is not None


def test_all_are_looked_up_at_once_and_only_now_and_then(
    core: Core, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    real = core.approvals.publisher.waited_for
    monkeypatch.setattr(
        core.approvals.publisher, "waited_for", lambda these: asked.append(len(these)) or real(these)
    )
    ended = core.submit(payload={"n": 9})
    for number in range(3):
        shown(core, core.submit(payload={"n": number}))
    core.approvals.decide(ended.id, 1, "U0ANA", "approve")
    watch = Attendance(core.store, core.approvals.publisher, clock)
    for _ in range(16):
        watch.look()
        clock.now += 2
    assert asked == [3, 3]


def test_a_server_that_may_not_look_says_nothing(core: Core, clock: Clock, caplog: Any) -> None:
    def refused(_: Any) -> set[Any]:
        raise redis.exceptions.NoPermissionError

    core.approvals.publisher.waited_for = refused  # type: ignore[method-assign]
    shown(core, core.submit())
    watch = Attendance(core.store, core.approvals.publisher, clock)
    for _ in range(3):
        assert watch.look() == []
        clock.now += 60
    assert caplog.text.count("+pubsub|numsub") == 1


def test_what_was_decided_while_nobody_waited_says_so_until_it_runs(core: Core, seen: Any) -> None:
    one = shown(core, core.submit())
    with waiting(core, one):
        seen(15)
    seen(105)
    core.approvals.decide(one.id, 1, "U0ANA", "approve")
    assert "was not waiting when this was decided" in text_of(core, one.id)
    core.approvals.spend(one.agent, one.request_id, "its process")
    told = text_of(core, one.id)
    assert "was not waiting" not in told and "Started" in told and "not reported yet" in told


def test_a_card_tells_its_age_a_few_times_and_then_that_nobody_ever_reported(core: Core) -> None:
    one = shown(core, core.submit())
    core.approvals.decide(one.id, 1, "U0ANA", "approve")
    with core.store.transaction() as connection:  # as where receipts hold for some days
        days = 3 * 86_400 * 1_000_000
        connection.exec_driver_sql(f"UPDATE approval SET receipt_expires_at = receipt_expires_at + {days}")
    shown(core, one)
    told = []
    for seconds in (50, 5, 540, 2_000, 1_000, 82_800, 100, 10**6, 10**6):
        later(core, seconds)
        Sweep(core.approvals).step()
        if undelivered(core.store):
            told.append(text_of(core, one.id).partition("not reported yet · ")[2].partition("\n")[0])
            shown(core, one)
    assert told[:4] == ["for over 1 min", "for over 10 min", "for over 1 h", "for over 1 day"]
    assert told[4:] == [""] and "The agent never reported" in text_of(core, one.id)


def test_a_report_ends_it(core: Core) -> None:
    one = shown(core, core.submit())
    core.approvals.decide(one.id, 1, "U0ANA", "approve")
    core.approvals.report(one.agent, one.request_id, Outcome(succeeded=True))
    shown(core, one)
    later(core, 10**5)
    assert progress.due(core.store) == [] and not progress.note(core.store, one.id)
    assert "not reported" not in text_of(core, one.id) and "Done" in text_of(core, one.id)
    assert lines(core.store, [one.id])[0].outcome is True


def test_a_spend_has_the_card_redrawn_and_one_without_a_card_stays_without(core: Core) -> None:
    one = shown(core, core.submit())
    core.approvals.decide(one.id, 1, "U0ANA", "approve")
    shown(core, one)
    assert undelivered(core.store) == []
    core.approvals.spend(one.agent, one.request_id, "its process")
    assert undelivered(core.store) == [one.id]
    core.follow("rules:\n  - {name: free, when: 'true', verdict: allow}\n")
    free = core.submit(payload={"n": 1})
    assert free.status == "approved"
    core.approvals.spend(free.agent, free.request_id, "its process")
    assert undelivered(core.store) == [one.id]


@pytest.mark.parametrize(
    ("after", "expected"),
    [(0, 1), (1, 10), (9, 10), (10, 60), (60, 120), (119, 120), (120, None)],
)
def test_the_next_time_is_the_next_age_or_the_end(after: int, expected: int | None) -> None:
    found = progress.following(MINUTE, 121 * MINUTE, (after + 1) * MINUTE)
    assert found == (None if expected is None else (expected + 1) * MINUTE)


def test_the_same_takes_the_place_of_what_its_agent_has_left_and_of_nothing_else(
    core: Core, seen: Any
) -> None:
    core.follow(
        "agents: {billing-bot: {limits: {pending: 2}}}\n"
        "rules: [{name: all, match: {action: '*'}, verdict: ask}]"
    )
    first = shown(core, core.submit(payload={"amount": 1}, run="a"))
    parked = shown(core, core.submit(payload={"amount": 2}))
    with waiting(core, first):
        seen(15)
        with pytest.raises(Duplicate):
            core.submit(payload={"amount": 1}, run="b")
    seen(30)
    with pytest.raises(Duplicate):  # who connects anew is not gone
        core.submit(payload={"amount": 1}, run="b")
    seen(75)
    with pytest.raises(Duplicate):
        core.submit(payload={"amount": 2})  # nobody was ever seen to wait for it
    with pytest.raises(Limited):
        core.submit(payload={"amount": 3})
    assert core.approvals.get(first.id).pending, "what is refused takes nobody's place"
    second = core.submit(payload={"amount": 1}, run="b")
    ended = core.approvals.get(first.id)
    assert second.pending and second.id != first.id and core.approvals.get(parked.id).pending
    assert (ended.status, ended.reason) == ("cancelled", ASKED_ANEW)
    assert core.approvals.response(ended).status == "cancelled"
    text = text_of(core, first.id)
    assert "Asked anew" in text and "Withdrawn by" not in text and "Approve" not in text
    with pytest.raises(AlreadyDecided):
        core.approvals.decide(first.id, 1, "U0ANA", "approve")
    with core.store.reading() as connection:
        query = "SELECT kind, actor FROM audit_event WHERE approval_id = ? ORDER BY seq"
        said = connection.exec_driver_sql(query.replace("?", f"'{first.id}'")).all()
    assert [tuple(one) for one in said][-2:] == [("cancel", "signoff"), ("receipt", "signoff")]
    with pytest.raises(Duplicate):
        core.submit(payload={"amount": 1}, run="c")
