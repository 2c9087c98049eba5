"""What agents send and people write stays out of the logs and out of RQ; so do tokens and keys."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import redis
from flows.person import ANA, Someone, card, redrawn
from flows.road import Road
from support import eventually

from signoff import Invalid, NotApproved

CANARY = "canary-7f3a91c2"


@contextmanager
def listening(url: str) -> Iterator[list[str]]:
    """Every command that Redis is sent inside the `with`."""
    heard: list[str] = []
    client = redis.Redis.from_url(url)
    with client.monitor() as monitor:
        done = threading.Event()

        def listen() -> None:
            for command in monitor.listen():
                heard.append(command["command"])
                if "that-was-all" in command["command"]:
                    done.set()
                    return

        thread = threading.Thread(target=listen)
        thread.start()
        yield heard
        with redis.Redis.from_url(url) as other:
            other.echo("that-was-all")
        assert done.wait(20)
        thread.join(20)
    client.close()


def test_a_secret_in_a_request_is_in_no_log_and_in_no_key_of_rq(road: Road) -> None:
    ana, agent = Someone(road.slack, ANA), road.agent("leaky-bot")
    everywhere: dict[str, Any] = {
        "reason": CANARY, "impact": CANARY, "undo": CANARY, "alternatives": [CANARY], "title": CANARY,
        "context": {CANARY: CANARY}, "key": CANARY, "run": CANARY, "channel": CANARY, "tags": [CANARY],
        "schema": {"type": "object", "title": CANARY, "description": CANARY,
                   "properties": {CANARY: {"type": "string", "description": CANARY, "pattern": "canary"}}},
        "reversible": True,
    }  # fmt: skip
    with listening(road.agent_settings["SIGNOFF_REDIS_URL"]) as heard:
        ticket = agent.request("leak.test", {CANARY: CANARY, "password": CANARY}, **everywhere)
        message = card(road.slack, ticket.id)
        ana.click(message, "edit")
        form = ana.view("edit")
        assert "errors" in str(ana.submit(form, **{CANARY: f"other {CANARY.upper()}"}))
        ana.close_all()
        ana.reject(message, f"because of {CANARY}")
        with pytest.raises(NotApproved, match=CANARY):
            ticket.wait(20)
        redrawn(road.slack, ticket.id, "*Rejected*", CANARY)

        approved = agent.request("leak.test", {"password": CANARY}, reversible=True)
        ana.click(card(road.slack, approved.id), "edit")
        ana.submit(ana.view("edit"), password=f"{CANARY}-2")
        ana.submit(ana.view("difference"))
        assert approved.wait(20).payload == {"password": f"{CANARY}-2"}
        agent.report(approved.id, succeeded=False, note=CANARY)
        redrawn(road.slack, approved.id, "*Failed*", CANARY)

        road.redis.xadd("signoff:req:leaky-bot", {"v": "1", "kind": "request", "id": CANARY, "body": CANARY})
        road.redis.xadd("signoff:req:leaky-bot", {"v": CANARY, "kind": CANARY, CANARY: CANARY})
        eventually(lambda: road.redis.xlen("signoff:dead") >= 2)
        with pytest.raises(Invalid):
            agent.request("leak.test", {"again": CANARY}, key=CANARY, reversible=True).wait(20)
        with road.fault(method="chat.postMessage", mode="error", error="invalid_blocks"):
            refused = agent.request("leak.test", {"refused": CANARY}, reversible=True)
            eventually(lambda: road.faults(refused.id))
        assert refused.cancel(CANARY).status == "cancelled"

    assert CANARY not in road.log.lower()
    allowed = ("signoff:req:leaky-bot", "signoff:dec:leaky-bot:", "signoff:dead", "signoff:ntf:leaky-bot:")
    for command in heard:
        if CANARY in command.lower():
            assert any(name in command for name in allowed) and "rq:" not in command, command[:300]
    assert any("rq:" in command for command in heard), "it listened"


def test_tokens_and_keys_are_in_no_log(road: Road) -> None:
    """Also where Slack refuses the token, and where a call breaks off."""
    road.slack.team(bot={"token_error": "token_revoked"})
    ticket = road.agent().request("token.test", {"a": 1}, reversible=True)
    eventually(lambda: road.faults(ticket.id))
    road.slack.team(bot={"token_error": ""})
    road.slack.faults(method="socket", mode="disconnect")
    eventually(lambda: road.slack.state()["connections"] == 2, 60)
    assert ticket.cancel().status == "cancelled"
    private = (road.data / "signing.key").read_text().strip()
    password = road.agent_settings["SIGNOFF_REDIS_URL"].split(":")[2].split("@")[0]
    for secret in (road.slack.bot_token, road.slack.app_token, private, password):
        assert len(secret) > 10 and secret not in road.log
    for file in road.data.rglob("*"):
        assert file.stat().st_mode & 0o077 == 0 or not file.is_file() or _no_secret(file), file


def _no_secret(file: Path) -> bool:
    return b"xoxb-" not in file.read_bytes() and b"xapp-" not in file.read_bytes()
