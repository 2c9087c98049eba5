"""`after`, and `undo`: which rules may have them, and what becomes of requests under them."""

from __future__ import annotations

from typing import Any

import pytest

from signoff.models import undo_plan
from signoff.models.undo_plan import UndoPlan
from signoff.policy.errors import PolicyError
from signoff.policy.evaluate import evaluate
from signoff.policy.examples import a_request
from signoff.policy.loader import parse
from signoff.policy.policy import Policy

HEAD = """version: 1
risk: {ticket.close: low, "refund.*": medium, wild.card: critical, "mild*": low}
reversibility: {ticket.close: reversible, "refund.*": costly, "mild*": reversible}
groups: {finance: {users: [U0ANA]}}
rules:
"""
GRACE = "  - {name: t, match: {action: ticket.close}, verdict: allow, after: 2m, approvers: finance}\n"
UNDO = """  - name: r
    match: {action: refund.create}
    verdict: notify
    approvers: finance
    undo_for: 30m
    undo: {action: refund.cancel, payload: {id: $result.id, amount: $payload.amount}}
"""


def policy(rules: str) -> Policy:
    """A file's head with these rules."""
    return parse((HEAD + rules).encode(), "p.yml", approvers=["U0BEN"], conversation="#all").policy


def verdict(rules: str, **request: Any) -> Any:
    """What a policy says of a request."""
    agent, asked = a_request({"action": "ticket.close", **request})
    return evaluate(asked, agent, policy(rules))


def test_a_grace_is_a_verdict_that_allows_later_and_names_who_may_hold_it() -> None:
    found = verdict(GRACE)
    assert (found.effect, found.after, found.approvers, found.in_grace) == ("allow", 120, ("U0ANA",), True)
    assert verdict(GRACE.replace("approvers: finance", "channel: '#t'")).approvers == ("U0BEN",)


@pytest.mark.parametrize(
    ("head", "request_", "effect"),
    [
        ("", {"risk": "high"}, "ask"),
        ("", {"reversibility": "irreversible"}, "ask"),
        ("", {"attempts": 3}, "ask"),
        ("", {"risk": "medium"}, "allow"),
        ("always_ask: [ticket.close]\n", {}, "ask"),
        ("block: ['ticket.*']\n", {}, "block"),
    ],
)
def test_what_is_too_much_for_a_grace_is_asked_instead(
    head: str, request_: dict[str, Any], effect: str
) -> None:
    agent, asked = a_request({"action": "ticket.close", **request_})
    found = evaluate(asked, agent, parse((HEAD + GRACE + head).encode(), "p.yml").policy)
    assert found.effect == effect
    assert found.in_grace == (effect == "allow")


def test_a_claim_gets_nobody_past_a_grace() -> None:
    rules = "  - {name: sure, match: {action: ticket.close}, when: 'confidence > 0.9', verdict: %s}\n" + GRACE
    for loose in ("allow", "notify"):
        found = verdict(rules % loose, confidence=0.99)
        assert (found.effect, found.rule, found.after) == ("allow", "t", 120)


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("match: {action: x.y}, verdict: allow, after: 2m", "match.risk: [low, medium] and match.rev"),
        ("match: {action: wild.card}, verdict: allow, after: 2m", "match.risk: [low, medium]"),
        ("match: {action: 'wild*'}, verdict: allow, after: 2m", "match.risk"),
        ("match: {action: '*'}, verdict: allow, after: 2m", "match.risk"),
        ("match: {risk: [low, high], reversibility: costly}, verdict: allow, after: 2m", "match.risk"),
        ("match: {risk: low}, verdict: allow, after: 2m", "match.reversibility: [reversible, costly],"),
        ("verdict: allow, after: 2m", "match.risk"),
        ("match: {class: money}, verdict: allow, after: 2m", "match.risk"),
        ("match: {action: ticket.close}, verdict: ask, after: 2m", "it goes with allow"),
        ("match: {action: ticket.close}, verdict: notify, after: 2m", "it goes with allow"),
        ("match: {action: ticket.close}, verdict: allow, after: 2d", "from 1s to 1d"),
        ("match: {action: ticket.close}, verdict: allow, after: 2m, expires_in: 1m", "longer than after"),
        (
            "match: {action: ticket.close}, verdict: allow, after: 2m, require: reason",
            "require means nothing",
        ),
        ("match: {action: ticket.close}, verdict: allow, approvers: finance", "approvers means nothing"),
        ("verdict: notify, undo_for: 1h", "says nothing without undo"),
        ("verdict: notify, undo: {action: a, payload: {}}", "says nothing without undo_for"),
        ("verdict: allow, undo_for: 1h, undo: {action: a, payload: {}}", "it goes with notify"),
        ("verdict: notify, undo_for: 1h, undo: {action: a, payload: {x: $reslt.id}}", "names nothing"),
        ("verdict: notify, undo_for: 1h, undo: {action: a, payload: {x: [$payload..id]}}", "names nothing"),
        ("verdict: notify, undo_for: 1h, undo: {action: a, payload: {x: of $result.id}}", "stands alone"),
        ("verdict: notify, undo_for: 1h, undo: {action: a}", "payload is required"),
        ("verdict: notify, undo_for: 1h, undo: {payload: {}}", "action is required"),
        (
            "match: {action: 'r.*'}, verdict: notify, undo_for: 1h, undo: {action: r.u, payload: {}}",
            "own undo",
        ),
        ("verdict: notify, undo_for: 99d, undo: {action: a, payload: {}}", "undo_for"),
    ],
)
def test_check_refuses_what_cannot_be_meant(rule: str, said: str) -> None:
    with pytest.raises(PolicyError) as error:
        policy(f"  - {{name: a, {rule}}}\n")
    assert any(said in fault and "p.yml:6:" in fault for fault in error.value.faults), error.value.faults


@pytest.mark.parametrize(
    "match",
    ["{risk: [low, medium], reversibility: reversible}", "{action: 'mild*'}", "{action: mild_thing}",
     "{class: search}", "{action: refund.create}"],
)  # fmt: skip
def test_check_takes_a_grace_of_what_is_known_to_be_mild(match: str) -> None:
    assert policy(f"  - {{name: a, match: {match}, verdict: allow, after: 10m}}\n").contents


def test_a_verdict_has_what_undoes_it_and_who_may() -> None:
    found = verdict(UNDO, action="refund.create")
    assert found.effect == "notify" and found.approvers == ("U0ANA",)
    assert found.undo == UndoPlan(
        action="refund.cancel", payload={"id": "$result.id", "amount": "$payload.amount"}, seconds=1800
    )


@pytest.mark.parametrize(
    ("payload", "result", "filled", "missing", "of_agent"),
    [
        ({"id": "$result.id", "n": "$payload.n"}, {"id": 7}, {"id": 7, "n": 5}, "", ("id",)),
        ({"id": "$result"}, "re_1", {"id": "re_1"}, "", ("id",)),
        ({"a": {"b": ["$result.x.1"]}}, {"x": [1, 2]}, {"a": {"b": [2]}}, "", ("a.b.0",)),
        (
            {"all": "$payload", "cost": "$$5", "k": True},
            None,
            {"all": {"n": 5}, "cost": "$5", "k": True},
            "",
            (),
        ),
        ({"id": "$result.id"}, None, None, "$result.id", ()),
        ({"id": "$result.id"}, {"id": None}, None, "$result.id", ()),
        *(
            ({"id": "$result.id"}, {"id": no}, None, "$result.id", ())
            for no in ("", " ", False, True, {}, [])
        ),
        *(({"order": "$result.orderId"}, {"orderId": no}, None, "$result.orderId", ()) for no in ("", [])),
        ({"ids": ["$result.x.0"]}, {"x": [""]}, None, "$result.x.0", ()),
        ({"invoice_id": "$result"}, "", None, "$result", ()),
        ({"id": "$result.id"}, {"id": 0}, {"id": 0}, "", ("id",)),
        # what was there before may well have been nothing
        (
            {"on": "$result.was_on", "title": "$result.title"},
            {"was_on": False, "title": ""},
            {"on": False, "title": ""},
            "",
            ("on", "title"),
        ),
        ({"paid": "$result.paid"}, {"paid": False}, {"paid": False}, "", ("paid",)),
        ({"id": "$result.x.9"}, {"x": [1]}, None, "$result.x.9", ()),
        ({"id": "$payload.other"}, {}, None, "$payload.other", ()),
    ],
)
def test_an_undo_is_filled_with_what_is_known_or_not_at_all(
    payload: Any, result: Any, filled: Any, missing: str, of_agent: Any
) -> None:
    undo_plan.check(payload)
    found = undo_plan.fill(UndoPlan(action="u", payload=payload, seconds=1), {"n": 5}, result)
    assert (found.payload, found.missing, found.of_agent) == (filled, missing, of_agent)
    assert undo_plan.uses_result(payload) == any("$result" in str(one) for one in [payload])
