"""`signoff batch`: a file of requests, a line of JSON each, over a real intake."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pytest
from support import Core, eventually, intake_of

from signoff.cli import main
from signoff.models.codes import code


@pytest.fixture(params=["sqlite"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """One database will do."""
    return f"sqlite:///{tmp_path / 'signoff.db'}"


@pytest.fixture
def agent(monkeypatch: pytest.MonkeyPatch, core: Core, redis_url: str) -> None:
    monkeypatch.setenv("SIGNOFF_REDIS_URL", redis_url)
    monkeypatch.setenv("SIGNOFF_AGENT", "billing-bot")
    monkeypatch.setenv("SIGNOFF_VERIFY_KEY", core.signer.verify_key)


def write(folder: Path, *lines: Any) -> str:
    path = folder / "requests.jsonl"
    path.write_text("\n".join(one if isinstance(one, str) else json.dumps(one) for one in lines))
    return str(path)


@pytest.mark.usefixtures("agent")
def test_each_line_is_asked_and_told_as_it_ends(
    core: Core, redis_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = [{"action": "ticket.tidy", "payload": {"n": n}, "reversible": True} for n in range(3)]
    name, votes = write(tmp_path, *lines, ""), ("approve", "reject", "approve")

    def decide() -> None:
        def all_wait() -> list[str]:
            found = core.approvals.waiting_for("U0ANA")
            return found if len(found) == 3 else []

        waiting = eventually(all_wait)
        for approval_id, vote in zip(waiting, votes, strict=True):
            core.approvals.decide(approval_id, 1, "U0ANA", vote, reason="no" if vote == "reject" else "")  # type: ignore[arg-type]

    with intake_of(core, redis_url, "billing-bot"):
        deciding = threading.Thread(target=decide)
        deciding.start()
        code = main.main(["batch", name, "--title", "Clean up", "--timeout", "30s", "--json"])
        deciding.join(30)
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert sorted(one["status"] for one in told) == ["approved", "approved", "rejected"]
    assert code == 3
    assert core.approvals.get(told[0]["id"]).spent_by is None
    batch = core.approvals.batches.get(1)
    assert (batch.title, batch.size) == ("Clean up", 3)


@pytest.mark.usefixtures("agent")
@pytest.mark.parametrize("key", [(), ("--key", "clean-up")])
def test_what_waits_still_is_named_and_how_to_go_on(
    core: Core, redis_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], key: tuple[str, ...]
) -> None:
    lines = [{"action": "ticket.tidy", "payload": {"n": n}, "reversible": True} for n in range(2)]
    lines += [
        {"action": "ticket.drop", "payload": {"n": n}, **said}
        for n, said in enumerate(({}, {"reversible": False}))
    ]
    command = ["batch", write(tmp_path, *lines), "--title", "Clean up", "--timeout", "1s", *key]
    with intake_of(core, redis_url, "billing-bot"):
        assert main.main(command) == 6
        told = capsys.readouterr()
        again = main.main([*command, "--json"])
        shown = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    found = [line.split() for line in told.out.splitlines()]
    assert [one[2] for one in found] == ["ticket.tidy"] * 2 + ["ticket.drop"] * 2
    assert {one[0] for one in found} == {"pending"}
    assert all(code(one[1]) == one[3] for one in found)
    assert "lines 3, 4. Each has a card of its own" in told.err
    assert ("with --key KEY" in told.err) == (not key) and ("The same command waits" in told.err) == bool(key)
    assert again == 6 and {one["status"] for one in shown} == {"pending"}
    assert ([one["id"] for one in shown] == [one[1] for one in found]) == bool(key)


@pytest.mark.usefixtures("agent")
def test_a_wrong_line_is_named_and_nothing_is_sent(
    core: Core, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good = {"action": "ticket.tidy", "payload": {"n": 1}, "reversible": True}
    for wrong, says in (
        ("{", "line 2 is no JSON"),
        ([1], "line 2 has to be an object"),
        ({"action": "x"}, "line 2 has to be an object"),
        ({**good, "reversable": True}, "line 2: There is no field"),
        ({**good, "action": "not an action"}, "line 2: "),
        (good, "is the same"),
    ):
        assert main.main(["batch", write(tmp_path, good, wrong), "--title", "Clean up"]) == 2
        assert says in capsys.readouterr().err
    assert main.main(["batch", str(tmp_path / "none.jsonl"), "--title", "Clean up"]) == 2
    assert main.main(["batch", write(tmp_path), "--title", "Clean up"]) == 2
    assert core.redis.keys("signoff:req:*") == []
