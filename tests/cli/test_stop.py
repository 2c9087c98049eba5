"""`signoff stop`, `resume` and `stops`, as whoever runs the server."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from support import Core

from signoff.approvals import audit
from signoff.models.stops import STOPS_KEY

Signoff = Callable[..., tuple[int, str, str]]


@pytest.fixture(autouse=True)
def _set(signoff: Signoff, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SLACK_BOT_TOKEN", raising=False)
    assert signoff("keys", "generate")[0] == 0


def test_an_agent_is_stopped_and_resumed_in_two_steps(core: Core, signoff: Signoff) -> None:
    asked = core.submit()
    core.approvals.decide(asked.id, 1, "U0ANA", "approve")
    code, out, err = signoff("stop", "billing-bot", "--reason", "too fast")
    assert code == 0 and "1 unconfirmed, could run until" in out and "resume billing-bot" in err
    assert core.redis.get(STOPS_KEY)
    assert core.submit(key="late").reason == "stopped by the operator"
    code, out, _ = signoff("stops")
    assert "billing-bot" in out and "too fast" in out
    assert json.loads(signoff("stops", "--json")[1])[0]["by"] == "operator"
    assert signoff("resume", "billing-bot", "--staged")[0] == 0
    assert "resumed in part" in signoff("stops")[1]
    assert signoff("resume", "billing-bot")[0] == 0
    assert "nothing is stopped" in signoff("stops")[2]
    assert signoff("resume", "billing-bot")[0] == 2
    assert audit.verify(core.store).ok


def test_what_waits_is_withdrawn_from_the_shell(core: Core, signoff: Signoff) -> None:
    asked = core.submit()
    code, out, _ = signoff("stop", "--all", "--withdraw", "--json")
    assert code == 0 and json.loads(out)["void"] == 0
    assert core.approvals.get(asked.id).status == "blocked"


@pytest.mark.parametrize("words", [(), ("a", "--all"), ("--action", "a b"), ("nobody",), ("--action", "")])
def test_what_is_no_stop_says_what_to_do(core: Core, signoff: Signoff, words: tuple[str, ...]) -> None:
    code, _, err = signoff("stop", *words)
    assert code == 2 and err
    assert core.approvals.stops() == ()
