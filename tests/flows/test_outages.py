"""Redis or the database is away, empty, slow or locked in the middle: an outage pauses, and loses nothing."""

from __future__ import annotations

import os
import signal
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from flows.person import ANA, BEN, Someone, buttons, card, redrawn
from flows.road import Road
from sqlalchemy import create_engine, text
from support import RedisServer, eventually, undelivered

NOT_RECORDED = "Signoff could not record that. Nothing has changed. Try again in a moment."


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    found = RedisServer(tmp_path_factory.mktemp("outage"))
    found.start()
    yield found
    found.stop(kill=True)


@pytest.fixture(scope="module")
def away(make_road: Callable[..., Road], server: RedisServer) -> Iterator[Road]:
    """A road whose Redis is the test's own."""
    road = make_road(SIGNOFF_REDIS_URL=server.url)
    road.start()
    yield road
    road.close()


def ask(road: Road, agent: str = "outage-bot"):  # type: ignore[no-untyped-def]
    return road.agent(agent).request("refund.create", {"amount": 120}, reversible=True)


@contextmanager
def frozen(process_id: int) -> Iterator[None]:
    """A process does nothing inside the `with`, and its connections stay."""
    os.kill(process_id, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(process_id, signal.SIGCONT)


def test_a_decision_without_redis_reaches_card_and_agent(away: Road, server: RedisServer) -> None:
    ana, first, second = Someone(away.slack, ANA), ask(away), ask(away)
    one, two = card(away.slack, first.id), card(away.slack, second.id)
    eventually(lambda: not undelivered(away.store))
    ana.click(two, "reject")
    form, told = ana.view("reject"), len(ana.told())
    server.stop(kill=True)
    assert ana.click(one, "approve")["ack_ms"] < 3000
    answer = ana.submit(form, **{"Why,_or_what_to_change": "No"})
    assert answer["ack_ms"] < 3000 and answer["response"] == {"response_action": "clear"}
    redrawn(away.slack, first.id, "*Approved*")
    redrawn(away.slack, second.id, "*Rejected*")
    assert len(ana.told()) == told, "the reviewer sees nothing of it"
    server.start()
    assert first.wait(30).approved
    with pytest.raises(Exception, match="No"):
        second.wait(30)
    after = ask(away)
    card(away.slack, after.id)
    assert after.cancel().status == "cancelled"


def test_a_redis_that_hangs_does_not_keep_a_reviewer_waiting(away: Road, server: RedisServer) -> None:
    ana, ticket = Someone(away.slack, ANA), ask(away)
    ana.click(card(away.slack, ticket.id), "reject")
    form = ana.view("reject")
    assert server.process
    with frozen(server.process.pid):
        answer = ana.submit(form, **{"Why,_or_what_to_change": "No"})
        assert answer["ack_ms"] < 3000 and answer["response"] == {"response_action": "clear"}
        redrawn(away.slack, ticket.id, "*Rejected*")
    with pytest.raises(Exception, match="No"):
        ticket.wait(30)


def test_a_redis_that_was_emptied_loses_no_request_that_waits(away: Road) -> None:
    ana, ticket = Someone(away.slack, ANA), ask(away)
    message = card(away.slack, ticket.id)
    away.redis.flushall()
    ana.click(message, "approve")
    assert ticket.wait(30).approved
    redrawn(away.slack, ticket.id, "*Approved*")


def test_a_request_that_redis_lost_before_anybody_read_it_is_sent_again(away: Road) -> None:
    with frozen(away.children()["intake"]):
        ticket = ask(away, "unlucky-bot")
        away.redis.flushall()
    Someone(away.slack, ANA).click(card(away.slack, ticket.id), "approve")
    assert ticket.wait(30).approved
    assert away.decisions(ticket.id) == 1


@pytest.mark.parametrize("role", ["bot", "worker", "intake"])
def test_a_role_that_is_killed_is_started_again_and_nothing_is_lost(away: Road, role: str) -> None:
    ana, before = Someone(away.slack, ANA), ask(away)
    message = card(away.slack, before.id)
    eventually(lambda: not undelivered(away.store))  # a lease that dies with the worker holds for 5 s
    role, began = away.listener if role == "bot" else role, away.began
    killed = away.kill(role)
    during = ask(away)
    eventually(lambda: away.children().get(role, killed) != killed)
    if role == away.listener:
        eventually(lambda: away.is_reached(began))
    ana.click(message, "approve")
    assert before.wait(30).approved
    redrawn(away.slack, before.id, "*Approved*")
    ana.click(card(away.slack, during.id), "approve")
    assert during.wait(30).approved
    redrawn(away.slack, during.id, "*Approved*")
    assert len(buttons(card(away.slack, during.id))) == 0


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Somebody else writes to a SQLite database, and does not come to an end."""
    with closing(sqlite3.connect(path, isolation_level=None, timeout=20)) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        try:
            yield
        finally:
            connection.execute("ROLLBACK")


@pytest.mark.http
def test_a_locked_database_records_nothing_and_a_second_click_works(road: Road) -> None:
    ana, ben = Someone(road.slack, ANA), Someone(road.slack, BEN)
    ticket = ask(road)
    message = card(road.slack, ticket.id)
    eventually(lambda: not undelivered(road.store))
    ben.click(message, "reject")
    form, told = ben.view("reject"), len(ana.told())
    with locked(road.data / "signoff.db"):
        ana.click(message, "approve")
        ana.told_now(told, NOT_RECORDED)
        assert ben.submit(form, **{"Why,_or_what_to_change": "No"})["ack_ms"] < 3000
        kept = ben.view("reject", NOT_RECORDED)
        assert any(block.get("element", {}).get("initial_value") == "No" for block in kept["blocks"])
        assert road.row(ticket.id).pending
        late = ask(road)
    assert road.decisions(ticket.id) == 0 and "approve" in buttons(card(road.slack, ticket.id))
    ana.click(message, "approve")
    assert ticket.wait(60).approved
    redrawn(road.slack, ticket.id, "*Approved*")
    card(road.slack, late.id)
    assert late.cancel().status == "cancelled"


def test_a_database_that_is_away_records_nothing_and_a_second_click_works(_postgresql_road: Road) -> None:
    road = _postgresql_road
    ana, ticket = Someone(road.slack, ANA), ask(road)
    message = card(road.slack, ticket.id)
    eventually(lambda: not undelivered(road.store))
    told = len(ana.told())
    server, _, name = road.database_url.rpartition("/")
    road.store.engine.dispose()
    engine = create_engine(f"{server}/postgres", isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false"))
        try:
            gone = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name"
            connection.execute(text(gone), {"name": name})
            ana.click(message, "approve")
            ana.told_now(told, NOT_RECORDED)
            late = ask(road)
        finally:
            connection.execute(text(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true"))
    engine.dispose()
    assert road.row(ticket.id).pending and road.decisions(ticket.id) == 0
    ana.click(message, "approve")
    assert ticket.wait(60).approved
    redrawn(road.slack, ticket.id, "*Approved*")
    card(road.slack, late.id)
    assert late.cancel().status == "cancelled"
