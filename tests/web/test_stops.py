"""Stops by HTTP: who may, what is answered, and what guards have confirmed."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from web.conftest import Door
from web.test_guarded import SPEND, approved, kind

from signoff import Guard, Stopped, stops
from signoff.models.stops import StopScope


def stop(door: Door, **said: Any) -> httpx.Response:
    with door.client(door.add("ops", "stop")) as client:
        return client.post("/v1/stop", json=said)


def test_a_stop_is_answered_with_what_is_known_of_it(door: Door) -> None:
    executor = door.add("shop", "spend:billing-bot:*")
    with door.client() as agent:
        granted = [approved(door, agent, number) for number in range(3)]
        spent = agent.post(f"/v1/requests/{granted[0]['id']}/spend", json={"by": "process-of-mine-1"})
        assert spent.status_code == 200
        found = stop(door, agent="billing-bot", reason="why")
        said = found.json()
        assert (said["void"], said["unconfirmed"], said["spent"]) == (0, 2, 1)
        assert said["until"] and "2 unconfirmed, could run until" in said["said"]
        late = agent.post("/v1/requests", json={"action": "refund.create", "payload": {"n": 9}}).json()
        assert late["status"] == "blocked"
        refused = door.core.store.find("billing-bot", late["id"])
        assert refused and refused.reason == "stopped by the operator"
    with door.client(executor) as client:
        assert kind(client.post(SPEND, json=granted[1]["said"])) == (403, "stopped")
        told = client.get("/v1/stops").json()
        heard = {"guard": "shop-1", "number": told["number"], "fresh": 30}
        assert client.put("/v1/stops/seen", json=heard).status_code == 204
    with door.client(door.add("ops", "stop")) as client:
        after = client.get(f"/v1/stop/{said['stop']['id']}").json()
    assert (after["void"], after["unconfirmed"], after["spent"]) == (2, 0, 1)
    assert after["said"] == "2 void, confirmed by guards · 1 reported spent"


def test_one_guard_that_has_not_heard_leaves_it_unconfirmed_for_as_long_as_it_may_believe(door: Door) -> None:
    tokens = [door.add(name, "spend:billing-bot:*") for name in ("shop", "depot")]
    with door.client() as agent:
        approved(door, agent)
    for number, token in enumerate(tokens):
        with door.client(token) as client:
            said = {"guard": f"guard-{number}", "number": 0, "fresh": 30}
            assert client.put("/v1/stops/seen", json=said).status_code == 204
    made = door.core.approvals.stop(StopScope("agent", "billing-bot"), by="U0ANA")
    with door.client(tokens[0]) as client:
        client.put("/v1/stops/seen", json={"guard": "guard-0", "number": made.number, "fresh": 30})
    known = door.core.approvals.stopping.known(made)
    assert (known.void, known.unconfirmed, known.until) == (0, 1, made.at + 30_000_000)


def test_a_guard_hears_over_http_and_confirms_by_itself(
    door: Door, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stops, "LOOK_SECONDS", 0.0)
    token = door.add("shop", "spend:billing-bot:*")
    guard = Guard(
        f"sqlite:///{tmp_path / 'spent.db'}", door.core.signer.verify_key, agents=["billing-bot"],
        stops=door.url, stops_token=token,
    )  # fmt: skip
    with door.client() as agent:
        first, second = approved(door, agent, 1), approved(door, agent, 2)

    def spend(one: dict[str, Any]) -> Any:
        said = one["said"]
        return guard.spend(said["receipt"], said["payload"], action=said["action"])

    assert spend(first) == {"number": 1}
    made = door.core.approvals.stop(StopScope("action", "refund.*"), by="U0ANA")
    with pytest.raises(Stopped, match="topped by @ana"):
        spend(second)
    assert door.core.approvals.stopping.known(made).void == 2, "what it has spent itself no row knows of"


def test_tokens_are_for_what_they_are_made_for(door: Door) -> None:
    with door.client() as agent:
        assert kind(agent.post("/v1/stop", json={"all": True})) == (403, "not-allowed")
        assert agent.get("/v1/stops").status_code == 200
        heard = {"guard": "x", "number": 0, "fresh": 30}
        assert kind(agent.put("/v1/stops/seen", json=heard)) == (403, "not-allowed")
    assert httpx.get(f"{door.url}/v1/stops").status_code == 401


def test_another_token_of_the_same_operator_is_no_other_person(door: Door) -> None:
    found = stop(door, all=True).json()["stop"]
    with door.client(door.add("ops-two", "stop")) as client:
        resume = f"/v1/stop/{found['id']}/resume"
        assert kind(client.post(resume, json={})) == (403, "same-person")
        door.core.follow("stop: {resume: any}\n")
        assert client.post(resume, json={"staged": True}).json()["staged"] is True
        assert client.post(resume, json={}).status_code == 200
        assert kind(client.post(resume, json={})) == (404, "not-found")


@pytest.mark.parametrize(
    "said", [{}, {"agent": "a", "all": True}, {"agent": "nobody"}, {"action": "a b"}, {"agent": "A/.."}]
)
def test_what_is_no_stop_is_refused_and_stops_nothing(door: Door, said: dict[str, Any]) -> None:
    assert kind(stop(door, **said)) == (422, "invalid")
    assert door.core.approvals.stops() == ()


def test_a_number_that_was_never_said_cannot_be_confirmed(door: Door) -> None:
    with door.client(door.add("shop", "spend:billing-bot:*")) as client:
        heard = {"guard": "x", "number": 2**50, "fresh": 30}
        assert kind(client.put("/v1/stops/seen", json=heard)) == (422, "invalid")
