"""`signoff undo …`: as whoever runs the server, beside it, and without what only the server needs."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Any

import pytest
import redis as redis_library
from support import Core, eventually

Signoff = Callable[..., tuple[int, str, str]]


@pytest.mark.parametrize("passed", [True, False])
def test_an_undo_is_tried_without_slacks_settings(
    core: Core, signoff: Signoff, redis_url: str, monkeypatch: pytest.MonkeyPatch, passed: bool
) -> None:
    monkeypatch.delenv("SLACK_BOT_TOKEN", raising=False)
    assert signoff("keys", "generate")[0] == 0
    assert signoff("undo", "test", "refund.cancel")[0] == 2
    core.approvals.undoers.register("billing-bot", ["refund.cancel"])
    core.submit("billing-bot", action="refund.create")
    core.approvals.undoers.register("billing-bot", ["refund.cancel"])
    connection: Any = redis_library.Redis.from_url(redis_url)

    def agent() -> None:
        [key] = eventually(lambda: list(connection.scan_iter("signoff:dec:billing-bot:test:*")))
        test_id = key.decode().removeprefix("signoff:dec:billing-bot:")
        fault = "" if passed else "KeyError"
        assert core.approvals.undoers.tested("billing-bot", "refund.cancel", test_id, passed, fault)

    running = threading.Thread(target=agent)
    running.start()
    code, out, err = signoff("undo", "test", "refund.cancel", "--timeout", "1m", "--json")
    running.join(30)
    connection.close()
    assert code == (0 if passed else 1), err
    fault = None if passed else "KeyError"
    told = {"agent": "billing-bot", "action": "refund.cancel", "passed": passed, "fault": fault}
    assert json.loads(out) == told
    assert ("it works" if passed else "it failed: KeyError") in signoff("undo", "list")[1]
    code, out, _ = signoff("undo", "test", "refund.cancel", "--timeout", "1s", "--json")
    assert (code, json.loads(out)) == (1, {**told, "passed": None, "fault": None})
    code, out, err = signoff("undo", "test", "refund.cancel", "--timeout", "1s")
    assert (code, out) == (1, "") and "does it run?" in err
    assert "there; tried" in signoff("undo", "list")[1]


def test_how_long_is_said_as_elsewhere(signoff: Signoff, core: Core) -> None:
    with pytest.raises(SystemExit):
        signoff("undo", "test", "refund.cancel", "--timeout", "soon")
