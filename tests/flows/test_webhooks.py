"""A person's click reaches a webhook that an operator has registered while the server ran."""

from __future__ import annotations

import subprocess
import sys

from flows.person import ANA, Someone, card
from flows.road import Road
from standardwebhooks import Webhook
from support import eventually
from web.receiver import answer, receiving


def signoff(road: Road, *arguments: str) -> str:
    """A command beside the server → what it prints."""
    command = [sys.executable, "-m", "signoff", "webhooks", *arguments]
    done = subprocess.run(command, env=road.environment, cwd=road.folder, capture_output=True, check=True)
    return done.stdout.decode()


def test_a_click_is_posted_once_it_is_taken_and_no_secret_is_logged(either_road: Road) -> None:
    road, ana = either_road, Someone(either_road.slack, ANA)
    with receiving(answer("503 Service Unavailable")) as receiver:
        made = dict(
            line.split("=", 1) for line in signoff(road, "add", "billing-bot", receiver.url).splitlines()
        )
        endpoint, secret = made["SIGNOFF_WEBHOOK_ID"], made["SIGNOFF_WEBHOOK_SECRET"]
        ticket = road.agent().request("refund.create", {"amount": 120}, reversible=True)
        ana.click(card(road.slack, ticket.id), "approve")
        assert ticket.wait(60).approved
        refused = eventually(lambda: receiver.got)[0]
        receiver.behave = answer("200 OK")
        taken = eventually(lambda: receiver.got[1:], 60)[0]
        for got in (refused, taken):
            told = Webhook(secret).verify(got.body, got.headers)
            assert told["type"] == "request.approved" and told["data"]["id"] == ticket.id
        assert refused.id == taken.id and refused.body == taken.body
        eventually(lambda: "answered 200" in signoff(road, "list"))
        signoff(road, "remove", endpoint)
    assert taken.id in road.log
    assert not any(word in road.log for word in ("whsec_", secret.removeprefix("whsec_"), "of-theirs"))
