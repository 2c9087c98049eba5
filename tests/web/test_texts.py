"""Every text of every call: what a database would not keep is refused as what it is, and nothing fails."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support import a_request
from web.conftest import Door

from signoff import Invalid
from signoff.models.messages import ApprovalRequest, Cancel, Outcome, build
from signoff.models.receipt import Wire

BAD = ("\x00", "a\x00b", "\ud800", "a\udfffb")
WHOLE: dict[str, Any] = {
    "kind": "approval", "action": "refund.create", "payload": {"a": "b", "c": [{"d": "e"}]}, "reason": "r",
    "reversibility": "costly", "risk": "low", "undo": "u", "impact": "i", "alternatives": ["a", "b"],
    "context": {"a": {"b": "c"}}, "tags": ["money"], "run": "r", "key": "k", "editable": ["a"], "title": "t",
    "schema": {"type": "object", "properties": {"a": {"type": "string", "title": "x"}}}, "conversation": "c",
    "requested_by": "b", "traceparent": "t",
}  # fmt: skip
TUPLE: dict[str, Any] = {
    "subject": {"type": "user", "id": "a", "properties": {"n": "v"}},
    "action": {"name": "refund.create", "properties": {"customer": "c"}},
    "resource": {"type": "order", "id": "1", "properties": {"n": "v"}},
    "context": {"business_justification": "j", "n": "v", "approval": {"id": "x", "state": "y"}},
}
OPEN = {"schema", "traceparent", "context", "evaluations"}
"""Where a text that is none may stand, and the rest is taken."""


@dataclass(frozen=True)
class Case:
    """A call, a body that it takes, and the texts in that, each by its path."""

    path: str
    body: dict[str, Any]
    spends: bool = False

    def texts(self) -> Iterator[tuple[Any, ...]]:
        yield from _texts(self.body)

    def send(self, client: httpx.Client, place: tuple[Any, ...], text: str) -> httpx.Response:
        body: Any = copy.deepcopy(self.body)
        inner = body
        for step in place[:-1]:
            inner = inner[step]
        inner[place[-1]] = text
        return client.post(
            self.path, content=json.dumps(body).encode(),
            headers={"Content-Type": "application/json", "Idempotency-Key": "k"},
        )  # fmt: skip


def _texts(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if isinstance(value, str):
        yield path
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from _texts(inner, (*path, name))
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from _texts(inner, (*path, place))


def cases(door: Door) -> list[Case]:
    """Every call that takes a body, about requests that are there."""
    with door.client() as agent:
        own = agent.post("/v1/requests", json={**WHOLE, "key": "first"}).json()["id"]
        asked = {**TUPLE, "context": {}}
        denial = agent.post("/access/v1/evaluation", json=asked).json()["context"]["access_request"]
        aap = agent.post(
            "/aap/v1/requests", json={"tool": "t", "arguments": {}, "timeout": "10m"},
            headers={"Idempotency-Key": "first"},
        ).json()["id"]  # fmt: skip
    submitted = {
        **TUPLE, "denial": denial, "callback": {"endpoint": "https://e"},
        "requested_access": {"requested_until": "x"},
        "client": {
            "id": "i", "name": "n", "actor": {"id": "billing-bot"},
            "source": {"session_id": "s", "external_url": "u", "integration_id": "i"},
        },
    }  # fmt: skip
    one, tool = f"/v1/requests/{own}", {"tool": "t", "arguments": {"a": "b"}, "timeout": "10m", "server": "s"}
    return [
        Case("/v1/requests", WHOLE),
        Case(f"{one}/outcome", {"succeeded": True, "note": "n"}),
        Case(f"{one}/spend", {"by": "a" * 20}),
        Case("/v1/decisions/ack", {"group": "default", "entries": ["1-1", "2-2"]}),
        Case(
            "/v1/receipts/spend",
            {"receipt": "e30.e30.AA", "action": "a", "payload": {"a": "b"}, "by": "a" * 20}, spends=True,
        ),
        Case("/access/v1/evaluation", TUPLE),
        Case("/access/v1/evaluations", {**TUPLE, "evaluations": [TUPLE], "options": {"x": "y"}}),
        Case("/access/v1/requests", submitted),
        Case(f"/access/v1/requests/{own}/cancel", {"reason": "r", "comment": "c"}),
        Case("/aap/v1/requests", {**tool, "agent_reasoning": "r", "context": {"a": "b"}}),
        Case(f"/aap/v1/requests/{aap}/outcome", {"status": "succeeded", "note": "n"}),
        Case(f"{one}/cancel", {"reason": "r"}),
    ]  # fmt: skip


def test_no_text_makes_any_call_fail(door: Door) -> None:
    spender = door.add("executor", "spend:billing-bot:*")
    with door.client() as agent, door.client(spender) as executor:
        every = [(case, place) for case in cases(door) for place in case.texts()]
        for case, place in every:
            for text in BAD:
                found = case.send(executor if case.spends else agent, place, text)
                assert 400 <= found.status_code < 500 or place[0] in OPEN or "options" in place, (
                    case.path, place, text, found.text,
                )  # fmt: skip
                assert found.status_code < 500, (case.path, place, text, found.text)

        @settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
        @given(st.sampled_from(every), st.text(st.characters(exclude_categories=()), max_size=30))
        def tried(one: tuple[Case, tuple[Any, ...]], text: str) -> None:
            case, place = one
            found = case.send(executor if case.spends else agent, place, text)
            assert found.status_code < 500, (case.path, place, found.text)

        tried()
        last = "18446744073709551615-18446744073709551615"
        entries = {"18446744073709551616-0": 422, "1-99999999999999999999": 422, last: 204}
        for entry, status in entries.items():
            assert agent.post("/v1/decisions/ack", json={"entries": [entry]}).status_code == status


@pytest.mark.parametrize("bad", BAD)
def test_what_comes_by_redis_is_read_alike(bad: str) -> None:
    places = [one for one in _texts(WHOLE) if one[0] not in OPEN]
    body = json.loads(a_request(key="k", run="r").encode())
    for place in places:
        said: Any = copy.deepcopy({**WHOLE, "id": body["id"], "nonce": body["nonce"]})
        inner = said
        for step in place[:-1]:
            inner = inner[step]
        inner[place[-1]] = bad
        with pytest.raises(Invalid):
            ApprovalRequest.decode(json.dumps(said))
    messages: list[tuple[type[Wire], dict[str, Any]]] = [
        (Outcome, {"succeeded": True, "note": bad}), (Cancel, {"reason": bad}),
    ]  # fmt: skip
    for kind, values in messages:
        with pytest.raises(Invalid):
            build(kind, values)
