"""`signoff serve` as processes: killed, stopped, started twice, started again; and agents that crash."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable

from flows.person import ANA, Someone, card, redrawn
from flows.road import Road, alive
from support import eventually, undelivered

AGENT = """
import sys
from signoff import Signoff
with Signoff() as signoff:
    ticket = signoff.request("refund.create", {"amount": 120}, reversible=True, key="ticket-991")
    print(ticket.id, flush=True)
    print(ticket.wait(60).status, flush=True)
"""


def test_a_server_that_is_killed_leaves_nothing_and_the_next_one_finds_everything(
    make_road: Callable[..., Road],
) -> None:
    road = make_road()
    road.start()
    ana = Someone(road.slack, ANA)
    waiting, decided = (
        road.agent().request("refund.create", {"amount": amount}, reversible=True) for amount in (1, 2)
    )
    message = card(road.slack, waiting.id)
    ana.click(card(road.slack, decided.id), "approve")
    assert decided.wait(60).approved
    eventually(lambda: not undelivered(road.store))

    twin = Road(road.slack, road.folder, road.settings)
    assert twin.spawn().wait(30) == 2
    assert f"runs already in {road.data} (process {road.process.pid if road.process else 0})" in road.log

    children = road.children()
    assert set(children) == {*road.roles, "redis", "forker"}
    road.stop(signal.SIGKILL)
    eventually(lambda: not [pid for pid in children.values() if alive(pid)])

    road.start()
    assert decided.get().approved  # type: ignore[union-attr]
    eventually(road.is_reached)
    ana.click(message, "approve")
    assert waiting.wait(30).approved
    redrawn(road.slack, waiting.id, f"*Approved* by <@{ANA}>")

    children = road.children()
    assert road.stop(signal.SIGTERM) == 0
    assert not [pid for pid in children.values() if alive(pid)]
    assert "Traceback" not in road.log


def test_an_agent_that_was_killed_finds_its_answer_when_it_asks_again(road: Road) -> None:
    given = road.environment | road.settings_of("crashing-bot")

    def start() -> subprocess.Popen[str]:
        return subprocess.Popen([sys.executable, "-c", AGENT], env=given, stdout=subprocess.PIPE, text=True)

    with start() as first:
        assert first.stdout
        request_id = first.stdout.readline().strip()
        message = card(road.slack, request_id)
        first.kill()
    Someone(road.slack, ANA).click(message, "approve")
    redrawn(road.slack, request_id, "*Approved*")
    with start() as second:
        assert second.stdout
        assert second.stdout.read().split() == [request_id, "approved"]
    assert road.decisions(request_id) == 1
