"""Requests for access at AuthZEN's door: what binds them, several at once, and what is tried against both."""

from __future__ import annotations

import copy
import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from web.conftest import Door
from web.test_authzen import (
    ALICE,
    ASKED,
    JSON,
    ONE,
    approve,
    asked,
    denial,
    evaluate,
    is_problem,
    submission,
    submit,
    with_approval,
)  # fmt: skip

from signoff import signatures
from signoff.web.authzen.tuples import Tuple


def order(number: int) -> dict[str, Any]:
    """What is asked about one of several orders."""
    return {**ASKED, "resource": {"type": "order", "id": f"o-{number}"}}


@ONE
def test_a_denial_binds_to_its_own_tuple_agent_and_time(door: Door) -> None:
    with door.client() as agent, door.client(door.add("other-bot")) as other:
        good = submission(agent, ASKED)
        said, token = good["denial"], good["denial"]["binding_token"]
        assert is_problem(submit(other, good), 400, "invalid_denial_binding")
        signer = door.core.signer
        claims = signatures.open_sealed(
            token, signatures.verify_keys(signer.verify_key), signatures.DENIAL, issuer=door.url,
            audience=f"{door.url}/access/v1/requests",
        )  # fmt: skip
        sealed = [
            signatures.Signer.generate().seal(signatures.DENIAL, claims),
            signer.seal(signatures.APPROVAL, claims),
            signer.seal(signatures.DENIAL, {**claims, "iss": "https://pdp.example.com"}),
            signer.seal(signatures.DENIAL, {**claims, "aud": "https://pdp.example.com"}),
            signer.seal(signatures.DENIAL, {**claims, "aud": [claims["aud"]]}),
            signer.seal(signatures.DENIAL, {k: v for k, v in claims.items() if k != "jti"}),
        ]
        tokens = [*sealed, token[:-4] + "AAAA", token + "=", "", "a.b.c", None]
        wrong: list[Any] = [{**said, "binding_token": one} for one in tokens]
        wrong += [None, {**said, "evaluation_id": "eval_1"}, {**said, "expires_at": "2099-01-01T00:00:00Z"}]
        wrong += [{"evaluation_id": said["evaluation_id"], "expires_at": said["expires_at"]}]
        for one in wrong:
            found = submit(agent, {**good, "denial": one})
            assert is_problem(found, 400, "invalid_denial_binding"), one
        for one in ("x", [], {}, {"binding_token": token}, {**said, "binding_token": {}}):
            assert is_problem(submit(agent, {**good, "denial": one}), 400, "invalid"), one
        changed = {"resource": {"type": "order", "id": "o-8"}, "subject": {**ALICE, "id": "bob"}}
        changed |= {"action": {**ASKED["action"], "properties": {"customer": "cus_42", "amount": 121}}}
        for name, value in changed.items():
            assert is_problem(submit(agent, {**good, name: value}), 400, "invalid_denial_binding"), name
        old = signer.seal(signatures.DENIAL, {**claims, "iat": 1, "exp": 2, "jti": "0" * 32})
        assert is_problem(
            submit(agent, {**good, "denial": {**said, "binding_token": old}}), 410, "expired_denial"
        )
        assert door.core.approvals.waiting_for("U0ANA") == []
        assert submit(agent, good).status_code == 202


def test_one_denial_and_one_key_are_one_request(door: Door) -> None:
    with door.client() as agent:
        body = submission(agent, ASKED)
        first = submit(agent, body, "k-1").json()["task"]["id"]
        assert submit(agent, body, "k-1").json()["task"]["id"] == first
        reordered = json.loads(json.dumps(body, sort_keys=True))
        assert submit(agent, reordered, '"k-1"').json()["task"]["id"] == first
        more = {"context": {"business_justification": "Because"}}
        assert is_problem(submit(agent, {**body, **more}, "k-1"), 409, "duplicate_request")
        assert submit(agent, submission(agent, ASKED), "k-1").json()["task"]["id"] == first
        assert is_problem(submit(agent, submission(agent, order(8)), "k-1"), 409, "duplicate_request")
        assert is_problem(submit(agent, body, "k-2"), 400, "invalid_denial_binding")
        assert is_problem(submit(agent, {**body, **more}), 400, "invalid_denial_binding")
        door.core.follow("rules: []\n")  # with a policy, the same that waits is the first one's task
        assert submit(agent, submission(agent, ASKED), "k-3").json()["task"]["id"] == first
        approve(door, {"id": first})
        late = submit(agent, body, "k-1")
        assert late.status_code == 201 and late.json()["task"]["status"] == "approved"


def test_of_many_at_once_with_one_key_one_is_taken(door: Door) -> None:
    with door.client() as agent, ThreadPoolExecutor(8) as many:
        body, other = submission(agent, ASKED), submission(agent, order(8))
        same = list(many.map(lambda _: submit(agent, body, "k-1"), range(8)))
        assert {found.status_code for found in same} == {202}
        assert len({found.json()["task"]["id"] for found in same}) == 1
        mixed = list(many.map(lambda i: submit(agent, (body, other)[i % 2], "k-2"), range(8)))
        assert sorted(found.status_code for found in mixed[1::2]) == [202] * 4
        assert {found.status_code for found in mixed[::2]} <= {400, 409}
    assert len(door.core.approvals.waiting_for("U0ANA")) == 2


@ONE
def test_what_may_not_be_asked_is_told_before_anything_is_kept(door: Door) -> None:
    with door.client() as agent:
        good = submission(agent, ASKED)
        wrong: list[dict[str, Any]] = [
            {"callback": {"endpoint": "https://agents.example.com/callbacks"}},
            {"callback": {"endpoint": "http://169.254.169.254/"}},
            {"callback": {}},
            {"client": {"source": {"session_id": "x" * 101}}},
            {"client": []},
            {"context": {"business_justification": {}}},
            {"context": {"business_justification": "x" * 4001}},
            {"requested_access": {"requested_until": "2020-01-01T00:00:00Z"}},
            {"requested_access": {"requested_until": "2099-01-01"}},
            {"requested_access": {"requested_until": {}}},
            {"requested_access": []},
            {"items": []},
            {"subject": None},
        ]
        for more in wrong:
            found = submit(agent, {**good, **more})
            assert is_problem(found, 400, "invalid"), (more, found.text)
        door.core.follow(
            "rules:\n  - {name: x, match: {action: refund.create}, verdict: ask, require: [impact]}\n"
        )
        assert is_problem(submit(agent, good), 400, "invalid")
        assert door.core.approvals.waiting_for("U0ANA") == [] and door.core.changed == []
        claims = {"dev.signoff/claims": {"impact": "They are paid.", "risk": "low", "unknown": 1}}
        task = submit(agent, {**good, "context": claims}).json()["task"]
        assert door.core.store.find("billing-bot", task["id"]).request.impact == "They are paid."
        door.core.follow(
            "rules:\n  - {name: x, match: {action: refund.create}, verdict: block, reason: No.}\n"
        )
        blocked = submit(agent, {**order(9), "denial": _bound(door, agent, order(9))})
        assert is_problem(blocked, 400, "not_requestable")


def _bound(door: Door, agent: Any, values: dict[str, Any]) -> dict[str, Any]:
    """A denial of before today's policy."""
    today, door.core.policy = (
        door.core.policy,
        type(door.core.policy)(door.core.policy.approvers, "C0APPROVE"),
    )
    found = denial(evaluate(agent, values))
    door.core.policy = today
    return found


def test_a_callback_goes_only_where_an_operator_has_said(door: Door) -> None:
    url = "https://agents.example.com/callbacks"
    with door.core.store.transaction() as connection:
        connection.execute(
            text(
                "INSERT INTO webhook_endpoint (id, agent, url, events, generation, created_at) "
                "VALUES ('1', 'billing-bot', :url, '[]', 1, 0)"
            ),
            {"url": url},
        )
    with door.client() as agent, door.client(door.add("other-bot")) as other:
        body = {"callback": {"endpoint": url, "state": "s", "events": ["approved"]}}
        assert submit(agent, submission(agent, ASKED, **body)).status_code == 202
        assert is_problem(submit(other, submission(other, ASKED, **body)), 400, "invalid")
        near = {"callback": {"endpoint": url + "/"}}
        assert is_problem(submit(agent, submission(agent, order(8), **near)), 400, "invalid")
        with door.core.store.transaction() as connection:
            connection.execute(text("UPDATE webhook_endpoint SET off_at = 1"))
        assert is_problem(submit(agent, submission(agent, order(9), **body)), 400, "invalid")


def several(agent: Any, *numbers: int, **more: Any) -> dict[str, Any]:
    """A submission of these orders."""
    items = []
    for number in numbers:
        one = submission(agent, order(number))
        items.append({name: one[name] for name in ("resource", "action", "denial")})
    return {"subject": ALICE, "items": items, **more}


def test_several_items_are_one_task_and_each_its_own_request(door: Door) -> None:
    with door.client() as agent, door.client(door.add("other-bot")) as other:
        body = several(agent, 1, 2, 3)
        found = submit(agent, body, "k-1")
        task = found.json()["task"]
        assert found.status_code == 202 and submit(agent, body, "k-1").json() == found.json()
        assert [one["resource"] for one in task["items"]] == [order(n)["resource"] for n in (1, 2, 3)]
        assert other.get(task["status_endpoint"]).status_code == 404
        waiting = [door.core.store.find("billing-bot", row) for row in _ids(task["id"])]
        decide = door.core.approvals.decide
        decide(waiting[0].id, 1, "U0ANA", "approve")
        decide(waiting[1].id, 1, "U0ANA", "reject")
        told = agent.get(task["status_endpoint"]).json()["task"]
        assert [one["status"] for one in told["items"]] == ["approved", "denied", "pending"]
        assert told["status"] == "pending" and "result" not in told["items"][1]
        cancelled = agent.post(task["links"]["cancel"], json={"reason": "done", "comment": "No more"}).json()
        assert cancelled["task"]["status"] == "partial" and "links" not in cancelled["task"]
        assert is_problem(agent.post(task["links"]["cancel"]), 409, "invalid_task_state")
        given = cancelled["task"]["items"][0]["result"]["approval"]
        assert evaluate(agent, with_approval(order(1), given))["decision"] is True
        assert evaluate(agent, with_approval(order(2), given))["context"]["reason"] == "out_of_scope"
        fewer = {**body, "items": body["items"][:2]}
        assert is_problem(submit(agent, fewer, "k-1"), 409, "duplicate_request")
        loose = several(agent, 4, 5)
        top = loose["items"][0].pop("denial")
        for wrong in (loose, {**loose, "denial": top}):
            assert is_problem(submit(agent, wrong), 400, "invalid_denial_binding")
        for wrong in (
            {**body, "resource": ALICE},
            {**body, "items": body["items"] * 7},
            {**body, "items": [1]},
            {**several(agent, *range(20, 31)), "context": {"a": "x" * 100_000}},
        ):
            assert is_problem(submit(agent, wrong), 400, "invalid")
    assert len(door.core.approvals.waiting_for("U0ANA")) == 0


def _ids(task: str) -> list[str]:
    from signoff.web.authzen.tasks import request_ids

    return request_ids(task)[0]


def test_a_task_is_cancelled_once_and_told_as_it_ends(door: Door) -> None:
    with door.client() as agent:
        task = asked(agent, ASKED)
        for wrong in ({"reason": 1}, {"comment": []}):
            assert is_problem(agent.post(task["links"]["cancel"], json=wrong), 400, "invalid")
        said = agent.post(task["links"]["cancel"], json={"reason": "changed_mind"})
        assert said.status_code == 200 and said.json()["task"]["status"] == "cancelled"
        assert is_problem(agent.post(task["links"]["cancel"]), 409, "invalid_task_state")
        over = asked(agent, order(8))
        with door.core.store.transaction() as connection:
            connection.execute(text("UPDATE approval SET expires_at = 1 WHERE status = 'pending'"))
        door.core.approvals.expire(door.core.store.find("billing-bot", over["id"]).id)
        assert agent.get(over["status_endpoint"]).json()["task"]["status"] == "expired"


def test_an_approval_ends_with_its_receipt_or_when_it_was_asked_for(door: Door) -> None:
    with door.client() as agent:
        far = asked(agent, ASKED, requested_access={"requested_until": "2999-01-01T00:00:00Z"})
        approve(door, far)
        held = agent.get(far["status_endpoint"]).json()["result"]["approval"]
        assert held["approved_until"] < "2999"
        assert evaluate(agent, with_approval(ASKED, held))["decision"] is True
        with door.core.store.transaction() as connection:
            connection.execute(text("UPDATE approval SET receipt_expires_at = ended_at"))
        over = evaluate(agent, with_approval(ASKED, held))
        assert (over["decision"], over["context"]["reason"]) == (False, "approval_expired")
        assert over["context"]["next_action"] == "request" and over["context"]["access_request"]


@ONE
def test_a_request_of_another_door_cannot_be_dressed_up_as_an_approval(door: Door) -> None:
    """An agent may send any payload to our own API, and have it approved as something harmless."""
    drop = {"subject": ALICE, "action": {"name": "db.drop", "properties": {"all": 1}}, "resource": ALICE}
    rules = "  - {name: safe, match: {action: safe.read}, verdict: allow}\n"
    door.core.follow("rules:\n" + rules)
    parts = {"authzen_subject": ALICE, "authzen_resource": ALICE}
    dressed: list[tuple[str, Any]] = [
        ("safe.read", {"all": 1, **parts}),
        ("safe.read", {"all": 1, **parts, "authzen_action": {"name": "db.drop"}}),
        ("safe.read", {**parts, "authzen_action": {"name": "db.drop", "properties": {"all": 1}}}),
        ("safe.read", {"all": 1, **parts, "authzen_action": []}),
        ("safe.read", {"all": 1, "authzen_subject": [], "authzen_resource": {}}),
        ("safe.read", {"all": 1}),
        ("db.drop", {**parts, "authzen_action": {"properties": {"all": 1}}}),
        ("db.drop", {"all": 1, **parts, "authzen_subject": {**ALICE, "properties": 7}}),
    ]
    with door.client() as agent:
        for action, payload in dressed:
            said = agent.post("/v1/requests", json={"action": action, "payload": payload}).json()
            if said["status"] == "pending":
                approve(door, {"id": said["id"]})
            found = evaluate(agent, with_approval(drop, {"id": said["id"]}))
            assert found["decision"] is False, (action, payload)
            assert agent.get(f"/access/v1/requests/{said['id']}").status_code in (200, 404)
        same = agent.post("/v1/requests", json={"action": "db.drop", "payload": {"all": 1, **parts}}).json()
        approve(door, {"id": same["id"]})
        assert evaluate(agent, with_approval(drop, {"id": same["id"]}))["decision"] is True


JSONS = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
OBJECTS = st.dictionaries(st.text(min_size=1, max_size=8), JSONS, max_size=4)
"""Any name, so that unknown members of a subject are changed, too."""


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path]
    if isinstance(value, dict):
        for name, inner in value.items():
            found += _places(inner, (*path, name))
    return found


def _with(values: Any, path: tuple[Any, ...], new: Any) -> Any:
    if not path:
        return new
    return {**values, path[0]: _with(values[path[0]], path[1:], new)}


@given(st.data())
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_tuple_that_differs_in_any_member_is_another(data: st.DataObject) -> None:
    values = {
        "subject": {**data.draw(OBJECTS), "type": "user", "id": "a"},
        "action": {**data.draw(OBJECTS), "name": "refund.create", "properties": data.draw(OBJECTS)},
        "resource": {**data.draw(OBJECTS), "type": "order", "id": "o"},
    }
    if data.draw(st.booleans()):
        del values["action"]["properties"]
    other = copy.deepcopy(values)
    path = data.draw(st.sampled_from([one for one in _places(values) if len(one) > 1]))
    match data.draw(st.sampled_from(["drop", "change", "add"])):
        case "drop":
            inner: Any = other
            for name in path[:-1]:
                inner = inner[name]
            del inner[path[-1]]
        case "change":
            other = _with(other, path, data.draw(JSONS))
        case _:
            other[path[0]][data.draw(st.text(min_size=1, max_size=5))] = data.draw(JSONS)
    same = json.dumps(values, sort_keys=True) == json.dumps(other, sort_keys=True)
    one, two = (_named(each) for each in (values, other))
    assert (one == two) is same or "act" in json.dumps([values, other])


def _named(values: dict[str, Any]) -> tuple[Any, Any]:
    asked = Tuple(values["subject"], values["action"], values["resource"])
    try:
        return asked.hash, json.dumps([asked.action["name"], asked.payload], sort_keys=True)
    except Exception as error:  # what cannot be asked about is in nobody's scope
        return type(error), json.dumps(values, sort_keys=True)


@ONE
@pytest.mark.parametrize("path", ["subject", "action", "resource"])
def test_an_approval_is_out_of_scope_whatever_member_differs(door: Door, path: str) -> None:
    asked_of = {
        "subject": {**ALICE, "properties": {"team": ["a", 1]}, "extra": None},
        "action": {"name": "refund.create", "properties": {"amount": 1, "to": {"iban": "x"}}, "more": [True]},
        "resource": {"type": "order", "id": "o", "properties": {}},
    }
    with door.client() as agent:
        task = asked(agent, asked_of)
        approve(door, task)
        held = agent.get(task["status_endpoint"]).json()["result"]["approval"]
        assert evaluate(agent, with_approval(asked_of, held))["decision"] is True
        for place in _places(asked_of[path]):
            for new in (None, "other", 0, 1.5, [], {"a": 1}, True):
                changed = _with(asked_of, (path, *place), new)
                if json.dumps(changed) == json.dumps(asked_of):
                    continue
                body = json.dumps(with_approval(changed, held))
                found = agent.post("/access/v1/evaluation", content=body, headers=JSON)
                assert found.status_code == 400 or found.json()["decision"] is False, changed
