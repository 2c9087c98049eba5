"""What an executor's guard has spent through the API is spent for everybody, and stays so."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from prometheus_client import generate_latest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from support import Core
from web.conftest import Door
from web.test_authzen import ASKED as TUPLE
from web.test_authzen import approve, asked, evaluate, with_approval

from signoff.approvals import audit, epochs, guarded
from signoff.approvals.sweep import Sweep
from signoff.errors import Unreachable
from signoff.guard import Guard
from signoff.models import tokens
from signoff.models.figures import Figures
from signoff.receipts import verify_keys
from signoff.spent import Spent
from signoff.web.metrics import registry

SPEND = "/v1/receipts/spend"
ONE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def executor(door: Door) -> Iterator[httpx.Client]:
    with door.client(door.add("shop", "spend:billing-bot:*")) as found:
        yield found


def approved(door: Door, agent: httpx.Client, number: int = 1) -> dict[str, Any]:
    """A request that was approved: what its agent hands to an executor, and its id beside it."""
    payload = {"number": number}
    made = agent.post("/v1/requests", json={"action": "refund.create", "payload": payload})
    request_id = made.json()["id"]
    found = door.core.store.find("billing-bot", request_id)
    assert found is not None
    door.core.approvals.decide(found.id, 1, "U0ANA", "approve")
    receipt = agent.get(f"/v1/requests/{request_id}").json()["receipt"]
    return {"id": request_id, "said": {"receipt": receipt, "action": "refund.create", "payload": payload}}


def kind(found: httpx.Response) -> tuple[int, str]:
    return found.status_code, found.json()["type"].rpartition("#")[2]


def lines(core: Core, of: str) -> list[Any]:
    with core.store.reading() as connection:
        query = text("SELECT approval_id, data FROM audit_event WHERE kind = :of ORDER BY seq")
        return list(connection.execute(query, {"of": of}))


def test_what_a_guard_has_spent_runs_by_no_other_door(door: Door, executor: httpx.Client) -> None:
    with door.client() as agent:
        one = approved(door, agent)
        assert executor.post(SPEND, json=one["said"]).status_code == 200
        told = agent.get(f"/v1/requests/{one['id']}").json()
        late = agent.post(f"/v1/requests/{one['id']}/spend", json={"by": "process-of-mine-1"})
        aap = {"tool": "refund.create", "arguments": {"number": 2}, "timeout": "10m"}
        made = agent.post("/aap/v1/requests", json=aap, headers={"Idempotency-Key": "k"}).json()["id"]
        found = door.core.store.find("billing-bot", made)
        assert found is not None
        door.core.approvals.decide(found.id, 1, "U0ANA", "approve")
        receipt = agent.get(f"/v1/requests/{made}").json()["receipt"]
        handed = {"receipt": receipt, "action": "refund.create", "payload": {"number": 2}}
        assert executor.post(SPEND, json=handed).status_code == 200
        consumed = agent.post(f"/aap/v1/requests/{made}/consume", headers={"Idempotency-Key": "c"})
        task = asked(agent, TUPLE)
        approve(door, task)
        result = agent.get(task["status_endpoint"]).json()["result"]
        again = with_approval(TUPLE, result["approval"])
        before = evaluate(agent, again)
        payload = json.loads(result["dev.signoff/payload"])
        handed = {"receipt": result["dev.signoff/receipt"], "action": "refund.create", "payload": payload}
        assert executor.post(SPEND, json=handed).status_code == 200
        after = evaluate(agent, again)
    assert (told["status"], kind(late)) == ("duplicate", (409, "already-spent"))
    assert late.json()["by"] == guarded.GUARD
    assert consumed.status_code == 409 and consumed.json()["error"]["code"] == "already_consumed"
    assert before["decision"] is True
    assert (after["decision"], after["context"]["reason"]) == (False, "approval_expired")


def test_an_agent_spends_and_then_its_executor_does_once(door: Door, executor: httpx.Client) -> None:
    """The ordinary road: the agent's own process is the one that hands the receipt over."""
    with door.client() as agent:
        one = approved(door, agent)
        mine = agent.post(f"/v1/requests/{one['id']}/spend", json={"by": "process-of-mine-1"})
        tries = [executor.post(SPEND, json=one["said"]) for _ in range(2)]
    assert mine.status_code == tries[0].status_code == 200 and kind(tries[1]) == (409, "already-spent")
    found = door.core.store.find("billing-bot", one["id"])
    assert found is not None and found.spent_by == "process-of-mine-1"
    [(about, said)] = lines(door.core, "guard")
    assert about == found.id and len(lines(door.core, "spend")) == 1
    told = json.loads(said)
    [shop] = [one for one in tokens.all_of(door.core.store) if one.agent == "shop"]
    assert told == {
        "agent": "billing-bot", "request": one["id"], "kid": door.core.signer.kid, "token": shop.id,
    }  # fmt: skip
    assert audit.verify(door.core.store, keys=verify_keys(door.core.signer.verify_key)).ok


def test_a_receipt_of_before_a_restore_runs_no_second_time(door: Door, executor: httpx.Client) -> None:
    """What a guard had spent in the lost time is in no row any more, whether or not the request is."""
    with door.client() as agent:
        spent, unspent = approved(door, agent, 1), approved(door, agent, 2)
        assert executor.post(SPEND, json=spent["said"]).status_code == 200
        with door.core.store.transaction() as connection:
            connection.execute(text("DELETE FROM signoff_spent"))
            connection.execute(text("UPDATE approval SET spent_at = NULL, spent_by = NULL"))
            epochs.begin(connection, 1)
        assert [kind(executor.post(SPEND, json=one["said"])) for one in (spent, unspent)] == [
            (409, "restored")
        ] * 2
        with door.core.store.transaction() as connection:  # the restore is some seconds ago
            connection.execute(text("UPDATE epoch SET started_at = started_at - 60000000"))
        assert executor.post(SPEND, json=approved(door, agent, 3)["said"]).status_code == 200
    assert "put back" in executor.get("/v1/errors").text


def test_nothing_runs_of_an_agent_that_is_kept_out(door: Door, executor: httpx.Client) -> None:
    with door.client() as agent:
        one, two = approved(door, agent, 1), approved(door, agent, 2)
    store = door.core.store
    tokens.switch(store, "billing-bot", on=False)
    added = tokens.add(store, "billing-bot", ["ask"])  # it is still switched off
    assert kind(executor.post(SPEND, json=one["said"])) == (403, "stopped")
    tokens.switch(store, "billing-bot", on=True)
    assert executor.post(SPEND, json=one["said"]).status_code == 200
    tokens.revoke_all(store, "billing-bot")
    assert kind(executor.post(SPEND, json=two["said"])) == (403, "stopped")
    assert tokens.find(store, added) is None
    tokens.add(store, "billing-bot", ["ask"])
    assert executor.post(SPEND, json=two["said"]).status_code == 200
    assert not tokens.kept_out(store, "an-agent-of-redis-alone")


def test_spends_and_refusals_are_counted(door: Door, executor: httpx.Client) -> None:
    with door.client() as agent:
        one = approved(door, agent)
    for change in ({}, {}, {"action": "db.drop"}, {"receipt": "x"}):
        executor.post(SPEND, json=one["said"] | change)
    core, refusals = door.core, door.doors.refusals
    add = (
        "INSERT INTO webhook_delivery (id, endpoint_id, approval_id, kind, created_at, attempts, lease, "
        "ended_at, fault) VALUES ('a', 'e', 'x', 'k', 1, 1, 1, 2, NULL), ('b', 'e', 'y', 'k', 1, 1, 1, 2, "
        "'no'), ('c', 'e', 'z', 'k', 1, 1, 1, NULL, 'not yet')"
    )
    with core.store.transaction() as connection:
        connection.execute(text(add))
    said = generate_latest(registry(Figures(core.store), lambda: Counter(), refusals)).decode()
    for line in (
        "signoff_receipts_spent_total 1.0", 'signoff_receipts_refused_total{why="already-spent"} 1.0',
        'signoff_receipts_refused_total{why="not-verified"} 2.0',
        "signoff_webhooks_sent 1.0", "signoff_webhooks_failed 1.0",
    ):  # fmt: skip
        assert line in said, said


def test_what_no_receipt_holds_for_is_let_go_of_a_part_at_a_time(
    core: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guarded, "CHUNK", 3)
    now = datetime.now(UTC)
    store = guarded.Guarded(core.store, "a-token")
    for number in range(4):
        store.spend(("kid", "bot", str(number)), Spent("by", now), until=now - timedelta(minutes=1))
    store.spend(("kid", "bot", "holds"), Spent("by", now), until=now + timedelta(minutes=1))
    sweep = Sweep(core.approvals)
    left = []
    for _ in range(3):
        sweep.step()
        with core.store.reading() as connection:
            left.append(connection.execute(text("SELECT count(*) FROM signoff_spent")).scalar())
    assert left == [2, 1, 1]
    other = store.spend(("kid", "bot", "holds"), Spent("another", now), until=now)
    assert other == Spent("by", now)


@ONE
def test_a_database_that_is_away_lets_nothing_run(core: Core) -> None:
    class Away:
        def transaction(self, step: str = "") -> Any:
            raise OperationalError("INSERT", {}, Exception("away"))

    approval = core.submit()
    ended = core.approvals.decide(approval.id, 1, "U0ANA", "approve")
    guard = Guard(
        guarded.Guarded(Away(), "t"),
        verify_keys(core.signer.verify_key),
        agents=["billing-bot"],  # type: ignore[arg-type]
    )
    with pytest.raises(Unreachable):
        guard.spend(ended.receipt or "", json.loads(ended.payload_text), action=ended.action)
