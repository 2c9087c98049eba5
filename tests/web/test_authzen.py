"""AuthZEN's door: the specification's own examples, walked through; and what does not fit is refused."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from web.conftest import Door

from signoff import signatures
from signoff.web.authzen.problems import URN

JSON = {"content-type": "application/json"}
ALICE = {"type": "user", "id": "alice@example.com"}
PLAN = {"type": "document", "id": "q4-plan"}
ASKED = {
    "subject": ALICE,
    "action": {"name": "refund.create", "properties": {"customer": "cus_42", "amount": 120}},
    "resource": {"type": "order", "id": "o-7"},
}
ONE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""What a database has no part in is tried on one."""
RULES = """
rules:
  - {name: reads, match: {action: can_read}, verdict: allow}
  - {name: told, match: {action: can_post}, verdict: notify}
  - {name: never, match: {action: db.drop}, verdict: block, reason: Nobody drops it.}
  - {name: small, match: {action: refund.create}, when: payload.amount < 50, verdict: allow}
"""


def evaluate(agent: httpx.Client, values: Any, **headers: str) -> dict[str, Any]:
    """One evaluation → the decision."""
    found = agent.post("/access/v1/evaluation", json=values, headers=headers)
    assert found.status_code == 200, found.text
    return found.json()


def submission(agent: httpx.Client, values: dict[str, Any], **more: Any) -> dict[str, Any]:
    """What is submitted of a requestable denial."""
    said = evaluate(agent, values)
    assert said["decision"] is False
    return {**values, "denial": denial(said), **more}


def denial(said: dict[str, Any]) -> dict[str, Any]:
    access, context = said["context"]["access_request"], said["context"]
    echoed = {name: context[name] for name in ("evaluation_id", "evaluated_at", "reason")}
    return {**echoed, "expires_at": access["expires_at"], "binding_token": access["binding_token"]}


def submit(agent: httpx.Client, body: dict[str, Any], key: str = "") -> httpx.Response:
    headers = {"Idempotency-Key": key} if key else {}
    return agent.post("/access/v1/requests", json=body, headers=headers)


def asked(agent: httpx.Client, values: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A pending task."""
    found = submit(agent, submission(agent, values, **more))
    assert found.status_code == 202, found.text
    return found.json()["task"]


def approve(door: Door, task: dict[str, Any], **more: Any) -> None:
    approval = door.core.store.find("billing-bot", task["id"])
    door.core.approvals.decide(approval.id, approval.version, "U0ANA", "approve", **more)


def with_approval(values: dict[str, Any], approval: Any) -> dict[str, Any]:
    return {**values, "context": {**values.get("context", {}), "approval": approval}}


def is_problem(found: httpx.Response, status: int, kind: str) -> bool:
    said = found.json()
    return (
        found.headers["content-type"] == "application/problem+json"
        and found.status_code == said["status"] == status
        and said["type"].removeprefix(URN).rpartition("#")[2] == kind
    )


@ONE
def test_it_says_of_itself_where_everything_is(door: Door) -> None:
    with httpx.Client(base_url=door.url, trust_env=False) as anybody:
        said = anybody.get("/.well-known/authzen-configuration").json()
        assert said["policy_decision_point"] == door.url
        assert said["capabilities"] == ["urn:openid:authzen:capability:access-request"]
        assert anybody.get(said["jwks_uri"]).json()["keys"]
        assert anybody.post(said["access_evaluation_endpoint"], json=ASKED).status_code == 401
        assert anybody.get("/.well-known/authzen-configuration/tenant1").status_code == 404
    with door.client() as agent:
        for name in ("access_evaluation_endpoint", "access_evaluations_endpoint"):
            assert agent.post(said[name], json=ASKED).json()["decision"] is False


def test_the_policy_answers_and_nothing_is_made_of_it(door: Door) -> None:
    door.core.follow(RULES)
    with door.client() as agent:
        for name, decision in (("can_read", True), ("can_post", True), ("db.drop", False), ("other", False)):
            said = evaluate(agent, {**ASKED, "action": {"name": name}})
            assert said["decision"] is decision
            assert ("access_request" in said["context"]) is (name == "other")
        assert evaluate(agent, {**ASKED, "action": {"name": "db.drop"}})["context"]["reason_user"] == {
            "403": "Nobody drops it."
        }
        small = {"name": "refund.create", "properties": {"amount": 20}}
        assert evaluate(agent, {**ASKED, "action": small})["decision"] is True
    assert door.core.approvals.waiting_for("U0ANA") == [] and door.core.changed == []


def test_what_counts_in_a_sum_has_to_be_submitted(door: Door) -> None:
    door.core.follow(
        "rules:\n  - {name: small, match: {action: refund.create}, verdict: allow, "
        "limits: {per_day: {sum: payload.amount, most: 200}}}\n"
    )
    with door.client() as agent:
        first, second = (submit(agent, submission(agent, ASKED)) for _ in range(2))
        assert first.status_code == 201 and first.json()["task"]["status"] == "approved"
        given = first.json()["result"]["approval"]
        assert evaluate(agent, with_approval(ASKED, given))["decision"] is True
    assert second.status_code == 202  # 240 of 200: a person is asked


@ONE
def test_many_are_evaluated_with_defaults_and_in_order(door: Door) -> None:
    door.core.follow(RULES)
    names = ("can_read", "db.drop", "can_post")
    listed = [{"action": {"name": name}} for name in names]
    with door.client() as agent:

        def many(semantic: str | None, *evaluations: Any) -> list[Any]:
            options = {"evaluations_semantic": semantic, "another_option": 1} if semantic else {}
            body = {"subject": ALICE, "resource": PLAN, "options": options, "evaluations": evaluations}
            found = agent.post("/access/v1/evaluations", json=body)
            assert found.status_code == 200, found.text
            return [one["decision"] for one in found.json()["evaluations"]]

        assert many(None, *listed) == many("execute_all", *listed) == [True, False, True]
        assert many("deny_on_first_deny", *listed) == [True, False]
        assert many("permit_on_first_permit", *reversed(listed[:2])) == [False, True]
        assert many("deny_on_first_deny", {}, *listed) == [False]
        wrong = [{}, {"action": {"name": 1}}, {"action": {"name": "can_read"}, "resource": None}, listed[0]]
        assert many(None, *wrong) == [False, False, False, True]
        body = {"subject": ALICE, "resource": PLAN, "evaluations": [{}]}
        said = agent.post("/access/v1/evaluations", json=body).json()["evaluations"][0]
        assert said["context"]["error"]["status"] == 400 and "action" in said["context"]["error"]["message"]


HOSTILE: list[tuple[str, Any]] = [
    ("evaluation", {}),
    ("evaluation", {**ASKED, "subject": "alice"}),
    ("evaluation", {**ASKED, "subject": {"type": "user"}}),
    ("evaluation", {**ASKED, "subject": {"type": "user", "id": 7}}),
    ("evaluation", {**ASKED, "action": {"name": ["a"]}}),
    ("evaluation", {**ASKED, "action": {"name": ""}}),
    ("evaluation", {**ASKED, "action": {"name": "a", "properties": []}}),
    ("evaluation", {**ASKED, "action": {"name": "a", "properties": {"authzen_subject": ALICE}}}),
    ("evaluation", {**ASKED, "context": None}),
    ("evaluation", {**ASKED, "context": {"dev.signoff/claims": 1}}),
    ("evaluation", {**ASKED, "context": {"dev.signoff/claims": {"risk": {}}}}),
    ("evaluation", {**ASKED, "resource": {"type": "x", "id": "\ud800"}}),
    ("evaluation", {**ASKED, "resource": {"type": "x", "id": "y", "properties": {"n": 2**53}}}),
    ("evaluations", {**ASKED, "evaluations": {}}),
    ("evaluations", {**ASKED, "evaluations": [1]}),
    ("evaluations", {**ASKED, "evaluations": [{}] * 101}),
    ("evaluations", {**ASKED, "evaluations": [{}] * 50, "context": {"a": "x" * 30_000}}),
    ("evaluations", {**ASKED, "options": []}),
    ("evaluations", {**ASKED, "options": {"evaluations_semantic": {}}}),
    ("evaluations", {**ASKED, "options": {"evaluations_semantic": ["execute_all"]}}),
    ("evaluations", {**ASKED, "options": {"evaluations_semantic": "some"}}),
]


@ONE
def test_what_is_malformed_is_a_400_and_has_its_request_id(door: Door) -> None:
    with door.client() as agent:
        agent.headers["X-Request-ID"] = "bfe9eb29 7"
        for path, body in HOSTILE:
            found = agent.post(f"/access/v1/{path}", content=json.dumps(body), headers=JSON)
            assert found.status_code == 400, (path, body, found.text)
            assert found.headers["X-Request-ID"] == "bfe9eb29 7"
        twice = '{"subject":{"type":"user","id":"a","id":"b"},"action":{"name":"a"},"resource":{}}'
        assert agent.post("/access/v1/evaluation", content=twice, headers=JSON).status_code == 400
        said = agent.post("/access/v1/evaluation", json={**ASKED, "more": {"a": [{}]}, "page": 1})
        assert said.status_code == 200 and said.headers["X-Request-ID"] == "bfe9eb29 7"


def test_the_profiles_flow_of_a_manager(door: Door) -> None:
    values = {"subject": ALICE, "resource": PLAN, "action": {"name": "can_read"}}
    with door.client() as agent:
        said = evaluate(agent, {**values, "context": {"time": "2026-04-30T20:15:00Z"}})
        assert said["decision"] is False and said["context"]["reason"] == "approval_required"
        body = {
            **values, "denial": denial(said), "requested_access": {"requested_until": "2099-05-01T00:15:00Z"},
            "context": {"business_justification": "Needed for customer renewal review"},
        }  # fmt: skip
        first, again = submit(agent, body, "7b8d0f0d"), submit(agent, body, "7b8d0f0d")
        assert first.status_code == again.status_code == 202 and first.json() == again.json()
        task = first.json()["task"]
        assert first.headers["location"] == task["status_endpoint"] and int(first.headers["retry-after"]) > 0
        assert agent.get(task["status_endpoint"]).json()["task"] == task
        approval = door.core.store.find("billing-bot", task["id"])
        assert approval.request.reason == "Needed for customer renewal review"
        assert approval.payload == {"authzen_resource": PLAN, "authzen_subject": ALICE}
        early = evaluate(agent, with_approval(values, {"id": task["id"]}))
        assert (early["decision"], early["context"]["next_action"]) == (False, "retry")
        approve(door, task)
        done = agent.get(task["status_endpoint"]).json()
        assert done["task"]["status"] == "approved" and done["result"]["mode"] == "reevaluate"
        given = done["result"]["approval"]
        assert given == agent.get(task["status_endpoint"]).json()["result"]["approval"]
        for reference in (given, {"id": given["id"]}):
            final = evaluate(agent, with_approval(values, reference))
            assert final["decision"] is True
            known = {"id": given["id"], "approved_until": given["approved_until"]}
            assert final["context"]["approval"] == known
        assert evaluate(agent, values)["decision"] is False


def test_the_profiles_flow_of_an_agent_which_names_its_actor(door: Door) -> None:
    act = {"iss": "https://agents.example.com", "sub": "billing-bot", "sub_profile": "ai_agent"}
    tool = {"resource": {"type": "tool", "id": "crm.search_accounts"}, "action": {"name": "invoke"}}
    with_act = {"subject": {**ALICE, "properties": {"act": act}}, **tool}
    client = {
        "id": "renewal_assistant", "source": {"session_id": "session_01"},
        "actor": {"id": "billing-bot", "issuer": act["iss"], "type": "ai_agent"},
    }  # fmt: skip
    with door.client() as agent:
        said = evaluate(agent, with_act)
        task = submit(agent, {"subject": ALICE, **tool, "denial": denial(said), "client": client}).json()[
            "task"
        ]
        assert door.core.store.find("billing-bot", task["id"]).request.run == "session_01"
        approve(door, task)
        given = agent.get(task["status_endpoint"]).json()["result"]["approval"]
        for subject in (ALICE, with_act["subject"]):
            assert evaluate(agent, with_approval({**tool, "subject": subject}, given))["decision"] is True
        chain = {"id": "billing-bot", "act": {"sub": "x", "iss": "y"}}
        other = {**with_act["subject"], "properties": {"act": {**act, "sub": "other-bot"}}}
        for wrong in (
            {"client": {"actor": {"id": "other-bot"}}}, {"client": {"actor": chain}}, {"subject": other},
        ):  # fmt: skip
            found = submit(agent, {"subject": ALICE, **tool, "denial": denial(said), **wrong})
            assert is_problem(found, 403, "not-allowed")


def test_an_edit_moves_what_is_in_scope(door: Door) -> None:
    with door.client() as agent:
        task = asked(agent, ASKED)
        approval = door.core.store.find("billing-bot", task["id"])
        assert approval.editable == ("amount", "customer")
        approve(door, task, payload={**approval.payload, "amount": 100})
        result = agent.get(task["status_endpoint"]).json()["result"]
        assert result["dev.signoff/corrected"] is True and "receipt" in str(result.keys())
        old = evaluate(agent, with_approval(ASKED, result["approval"]))
        assert (old["decision"], old["context"]["reason"]) == (False, "out_of_scope")
        assert old["context"]["next_action"] == "request" and old["context"]["access_request"]
        new = result["dev.signoff/approved"]
        assert new["action"]["properties"] == {"customer": "cus_42", "amount": 100}
        assert evaluate(agent, with_approval(new, result["approval"]))["decision"] is True


def test_todays_policy_and_what_has_run_overrule_an_approval(door: Door) -> None:
    with door.client() as agent:
        task = asked(agent, ASKED)
        approve(door, task)
        given = agent.get(task["status_endpoint"]).json()["result"]["approval"]
        before = door.core.policy
        door.core.follow(
            "rules:\n  - {name: never, match: {action: refund.create}, verdict: block, reason: Not now.}\n"
        )
        blocked = evaluate(agent, with_approval(ASKED, given))
        assert (blocked["decision"], blocked["context"]["reason"]) == (False, "policy_denied")
        assert blocked["context"]["next_action"] == "none" and "access_request" not in blocked["context"]
        door.core.policy = before
        assert evaluate(agent, with_approval(ASKED, given))["decision"] is True
        agent.post(f"/v1/requests/{task['id']}/spend", json={"by": "process-of-mine-1"})
        spent = evaluate(agent, with_approval(ASKED, given))
        assert (spent["decision"], spent["context"]["reason"]) == (False, "approval_expired")
        told = agent.get(task["status_endpoint"]).json()
    assert told["task"]["status"] == "approved" and "dev.signoff/receipt" not in told["result"]


@ONE
def test_an_approval_is_worth_nothing_to_others_changed_or_made_up(door: Door) -> None:
    with door.client() as agent, door.client(door.add("other-bot")) as other:
        task = asked(agent, ASKED)
        approve(door, task)
        given = agent.get(task["status_endpoint"]).json()["result"]["approval"]
        second = asked(agent, {**ASKED, "resource": {"type": "order", "id": "o-8"}})
        approve(door, second)
        foreign = agent.get(second["status_endpoint"]).json()["result"]["approval"]
        rejected = asked(agent, {**ASKED, "resource": {"type": "order", "id": "o-9"}})
        door.core.approvals.decide(
            door.core.store.find("billing-bot", rejected["id"]).id, 1, "U0ANA", "reject", reason="Too much."
        )
        claims = {
            "iss": door.url,
            "aud": door.url,
            "sub": "billing-bot",
            "exp": 2**40,
            "approval_id": given["id"],
        }
        stranger = signatures.Signer.generate().seal(signatures.APPROVAL, claims)
        elsewhere = door.core.signer.seal(signatures.APPROVAL, {**claims, "iss": "https://other", "aud": "x"})
        kind = door.core.signer.seal(signatures.DENIAL, claims)
        receipt = door.core.store.find("billing-bot", task["id"]).receipt
        states = (
            foreign["state"],
            stranger,
            elsewhere,
            kind,
            receipt,
            "",
            None,
            7,
            [],
            {},
            given["state"] + "=",
        )
        wrong: list[Any] = [{**given, "state": state} for state in states]
        wrong += [None, 7, [], "x", {}, {"id": {}}, {"id": None}, {"id": given["id"].upper()}]
        wrong += [{"id": rejected["id"]}, {"id": given["id"][:-1] + "g"}]
        for reference in wrong:
            said = evaluate(agent, with_approval(ASKED, reference))
            assert said["decision"] is False, reference
            assert (
                said["context"]["reason"] == "approval_unverifiable"
                and "access_request" not in said["context"]
            )
        assert evaluate(other, with_approval(ASKED, given))["context"]["reason"] == "approval_unverifiable"
        assert evaluate(agent, with_approval(ASKED, foreign))["context"]["reason"] == "out_of_scope"
        told = agent.get(rejected["status_endpoint"]).json()
    assert told["task"]["status"] == "denied" and "Too much." in told["task"]["display"]["description"]
    assert "result" not in told


@pytest.mark.parametrize("path", ["", "/cancel"])
def test_a_task_of_another_agent_is_unknown(door: Door, path: str) -> None:
    with door.client() as agent, door.client(door.add("other-bot")) as other:
        task = asked(agent, ASKED)
        where = f"/access/v1/requests/{task['id']}{path}"
        method = "POST" if path else "GET"
        theirs = other.request(method, where)
        assert is_problem(theirs, 404, "unknown_task")
        for named in ("x", "arb_", "arb_AAAA", "arb_" + "A" * 22, "arb_ä", task["id"].upper(), "0" * 5000):
            found = agent.request(method, f"/access/v1/requests/{named}{path}")
            assert is_problem(found, 404, "unknown_task"), named
