"""Slack over HTTP and nothing else: what is sent again, by Slack or by whoever caught it, has one effect."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from flows.local import SHARED, Local, local_bot
from flows.person import ANA
from support import eventually

from signoff.bot.incoming import FORM, Reply
from signoff.sandbox.http_mode import signed
from signoff.sandbox.team import BOT_USER_ID


@pytest.fixture
def local(tmp_path: Path, redis_url: str) -> Iterator[Local]:
    with local_bot(tmp_path, redis_url, transport="http") as found:
        yield found


def sent(local: Local, kind: str) -> list[dict[str, Any]]:
    """The payloads of this kind that Slack has sent, newest last."""
    return [one["payload"] for one in local.slack.log() if one["kind"] == "envelope" and one["type"] == kind]


def body_of(kind: str, payload: dict[str, Any]) -> bytes:
    return urlencode(payload if kind == "slash_commands" else {"payload": json.dumps(payload)}).encode()


def calls(local: Local) -> list[str]:
    """What the app has asked Slack, but for who people are."""
    return [
        one["method"] for one in local.slack.log() if one["kind"] == "call" and one["method"] != "users.info"
    ]


def test_who_sends_a_call_again_learns_nothing_and_does_nothing(local: Local) -> None:
    approval_id = local.ask()
    ana, card = local.person(ANA), local.card(approval_id)
    ana.click(card, "reject")
    ana.view("reject")
    ana.close_all()
    local.slack.act(type="command", user=ANA, channel=SHARED, command="/approvals", text="pending")
    ana.click(card, "approve")
    eventually(lambda: not local.server.approvals.get(approval_id).pending)
    done = local.server.approvals.get(approval_id).revision
    url = f"{local.slack.state()['http']['url']}"
    caught = [("interactive", one) for one in sent(local, "interactive")]
    caught += [("slash_commands", one) for one in sent(local, "slash_commands")]
    assert len(caught) == 3, "two buttons and a command"
    with httpx.Client(trust_env=False, timeout=30) as thief:
        for kind, payload in caught:
            body = body_of(kind, payload)
            headers = signed(local.slack.signing_secret, body) | {"Content-Type": FORM}
            first = thief.post(url, content=body, headers=headers)
            assert local.running.wait(10)
            before, told = calls(local), len(ana.told())
            again = thief.post(url, content=body, headers=headers)
            assert first.status_code == again.status_code == 200 and again.content == b""
            assert local.running.wait(10)
            assert calls(local) == before and len(ana.told()) == told and ana.stack() == []
    assert local.server.approvals.get(approval_id).revision == done, "nor does one that is signed anew"


def test_an_answer_that_was_lost_on_its_way_is_asked_for_again_and_nothing_is_done_twice(
    local: Local,
) -> None:
    approval_id = local.ask()
    ts, ana = local.card(approval_id)["ts"], local.person(ANA)
    local.slack.faults(redelivery_seconds=[0, 0.05, 0.1])
    assert local.door is not None
    answer, lost = local.door._dispatch, list[str]()
    assert answer is not None

    def lose_two(body: dict[str, Any], headers: Any) -> Reply:
        reply = answer(body, headers)
        if len(lost) < 2:
            lost.append(headers.get("x-slack-retry-num", "0"))
            return Reply(500)
        return reply

    local.door.open(lose_two)
    done = local.slack.act(
        type="message", user=ANA, channel=SHARED, text=f"<@{BOT_USER_ID}> reject no", thread_ts=ts
    )
    assert not done["acked"]
    eventually(lambda: [e for e in local.slack.log() if e["kind"] == "envelope"][-1]["acked"])
    assert lost == ["0", "1"]
    ana.told_now(0, "rejected")
    assert local.running.wait(10) and len(ana.told()) == 1
    assert local.server.approvals.get(approval_id).status == "rejected"
