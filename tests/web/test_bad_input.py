"""What the careless and the hostile send: a clear problem, nothing lost, nothing approved."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support import Core
from web.conftest import Door, opened

from signoff.models import tokens
from signoff.models.messages import MAX_PAYLOAD
from signoff.web.hooks.denials import CLAUDE_CODE
from signoff.web.problems import TYPES
from signoff.web.rates import Rates

ASKED = {"action": "refund.create", "payload": {"customer": "cus_42", "amount": 120}, "reversible": False}
SOME_ID = "88c74afb-6aef-8520-88b2-5e58b4792161"
JSON = {"Content-Type": "application/json"}
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def calls(door: Door) -> Iterator[tuple[str, str]]:
    """(method, address) of every call that needs a token, but a hook's: that is always answered 200."""
    others = ("/v1/openapi.json", "/v1/docs", "/v1/errors", CLAUDE_CODE)
    for path, method in door.routes():
        if path.startswith("/v1/") and path not in others:
            yield method, path.replace("{id}", SOME_ID)


def told(answer: httpx.Response, status: int) -> dict[str, Any]:
    """The details of a problem; of a type that there is."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    found: dict[str, Any] = answer.json()
    assert found["type"].rpartition("#")[2] in TYPES and found["status"] == status
    return found


def count(core: Core) -> int:
    """How many requests there are."""
    with core.store.reading() as connection:
        return int(connection.exec_driver_sql("SELECT count(*) FROM approval").scalar_one())


def test_who_has_no_token_that_stands_is_told_so_at_every_call(door: Door) -> None:
    revoked, off, hook = door.add("billing-bot"), door.add("off-bot"), door.add("billing-bot", "hook")
    tokens.revoke(door.core.store, revoked.split("_")[1])
    tokens.switch(door.core.store, "off-bot", on=False)
    for given_ in (
        "", "Bearer", f"Basic {door.token}", door.token, f"Bearer {door.token}x", f"Bearer {revoked}",
        f"Bearer {door.token[:-1]}", f"Bearer {door.token.upper()}", f"Bearer {off}", "Bearer sgt_x_y",
        f"Bearer {door.token} {door.token}", f"Bearer sgt_{'a' * 12}_{'b' * 43}", "Bearer " + "x" * 5000,
    ):  # fmt: skip
        with httpx.Client(base_url=door.url, headers={"Authorization": given_}, trust_env=False) as client:
            for method, path in calls(door):
                said = told(client.request(method, path, json=ASKED if method == "POST" else None), 401)
                assert "sgt_" not in said["detail"].replace("Bearer sgt_…", "")
    with door.client(hook) as client:
        for method, path in calls(door):
            told(client.request(method, path, json=ASKED if method == "POST" else None), 403)
    assert count(door.core) == 0


def test_a_body_that_cannot_be_read_alike_is_refused(door: Door) -> None:
    deep = '{"action":"x","payload":' + '{"a":' * 40 + "1" + "}" * 41
    twice = '{"action":"a.b","action":"c.d","payload":{}}'
    large = json.dumps({"action": "x", "payload": {"text": "x" * (MAX_PAYLOAD + 1)}})
    many = json.dumps({"action": "x", "payload": {"list": list(range(10_300))}})
    cases: list[tuple[bytes, dict[str, str], int]] = [
        (b"", JSON, 400), (b"{", JSON, 400), (b"[]", JSON, 400), (b"null", JSON, 400),
        (b"\xff\xfe{", JSON, 400), (b'{"action":"x","payload":{"a":NaN}}', JSON, 400),
        (twice.encode(), JSON, 400), (deep.encode(), JSON, 422),
        (b'{"action":"x","payload":{"a":9007199254740993}}', JSON, 422), (large.encode(), JSON, 422),
        (b'{"action":"x","payload":{"a":"\\u0000"}}', JSON, 422), (many.encode(), JSON, 400),
        (b"x" * 10_000_000, JSON, 413), (json.dumps(ASKED).encode(), {}, 415),
        (json.dumps(ASKED).encode(), {"Content-Type": "text/plain"}, 415),
        (json.dumps(ASKED).encode(), {"Content-Type": "application/x-www-form-urlencoded"}, 415),
        (b'{"action":"no such","payload":{}}', JSON, 422), (b'{"action":"x"}', JSON, 422),
        (b'{"action":"x","payload":{},"nonsense":1}', JSON, 422),
        (json.dumps({**ASKED, "id": SOME_ID}).encode(), JSON, 422),
        (json.dumps({**ASKED, "id": SOME_ID, "nonce": "0" * 32}).encode(), JSON, 422),
        (json.dumps({**ASKED, "reversibility": "costly"}).encode(), JSON, 422),
    ]  # fmt: skip
    with door.client() as agent:
        for body, headers, status in cases:
            told(agent.post("/v1/requests", content=body, headers=headers), status)
        chunks = (b"x" * 65536 for _ in range(200))
        told(agent.post("/v1/requests", content=chunks, headers=JSON), 413)
        for key in ('""', '"\\"', "k" * 300):
            told(agent.post("/v1/requests", json=ASKED, headers={"Idempotency-Key": key}), 422)
        told(agent.post("/v1/requests", json={**ASKED, "key": "a"}, headers={"Idempotency-Key": "b"}), 422)
        told(agent.put("/v1/requests", json=ASKED), 405)
        told(agent.get("/v1/nonsense"), 404)
        assert agent.options("/v1/requests", headers={"Origin": "https://evil.example"}).status_code == 405
        assert count(door.core) == 0
        assert agent.post("/v1/requests", json=ASKED).status_code == 200  # and the door still works


def test_what_may_be_said_once_is_refused_twice(door: Door) -> None:
    keys = [("Idempotency-Key", "a"), ("Idempotency-Key", "a")]
    shown = [("Authorization", f"Bearer {door.token}")]
    with httpx.Client(base_url=door.url, trust_env=False) as client:
        told(client.post("/v1/requests", json=ASKED, headers=shown + keys), 422)
        assert client.post("/access/v1/requests", json={}, headers=shown + keys).status_code == 400
        told(client.post("/v1/requests", json=ASKED, headers=shown * 2), 401)
        told(client.get(f"/v1/requests/{SOME_ID}", headers=[*shown, ("Authorization", "Bearer x")]), 401)
        assert count(door.core) == 0
        assert client.post("/v1/requests", json=ASKED, headers=shown + keys[:1]).status_code == 200


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(
            ["id", "nonce", "kind", "action", "payload", "reason", "key", "schema", "reversible", "x"]
        ),
        _VALUES,
    )
)  # fmt: skip
def test_no_body_makes_it_fail(door: Door, body: dict[str, Any]) -> None:
    with door.client() as agent:
        answer = agent.post("/v1/requests", content=json.dumps(body).encode(), headers=JSON)
        for path in ("/v1/receipts/spend", f"/v1/requests/{'0' * 8}-0000-0000-0000-{'0' * 12}/spend"):
            assert agent.post(path, content=json.dumps(body).encode(), headers=JSON).status_code in (
                400, 403, 404, 422,
            )  # fmt: skip
    assert answer.status_code in (200, 400, 409, 422, 429), answer.text


def test_an_agent_that_calls_for_ever_leaves_room_for_others(core: Core, redis_url: str) -> None:
    with opened(core, redis_url, rates=Rates(per_minute=5)) as door, door.client() as agent:
        where = f"/v1/requests/{SOME_ID}"
        answers = [agent.get(where) for _ in range(7)]
        assert [one.status_code for one in answers] == [404] * 5 + [429] * 2
        assert 1 <= int(answers[-1].headers["retry-after"]) <= 60
        with door.client(door.add("other-bot")) as other:
            assert other.get(where).status_code == 404


def test_where_redis_or_the_database_is_away_it_is_said_and_the_same_is_taken_later(
    core: Core, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: Any) -> None:
        raise ConnectionError("secret words")

    with opened(core, redis_url) as door, door.client() as agent:
        with monkeypatch.context() as patch:
            patch.setattr(core.approvals.publisher, "standing", away)
            answer = agent.post("/v1/requests", json=ASKED, headers={"Idempotency-Key": "k"})
            assert "secret" not in str(told(answer, 503)) and answer.headers["retry-after"]
        with monkeypatch.context() as patch:
            patch.setattr(core.approvals.publisher, "mark_received", away)  # it is written, and not answered
            told(agent.post("/v1/requests", json=ASKED, headers={"Idempotency-Key": "k"}), 503)
        assert agent.post("/v1/requests", json=ASKED, headers={"Idempotency-Key": "k"}).status_code == 200
    assert count(core) == 1
