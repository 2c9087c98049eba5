"""The verdict on a request."""

from __future__ import annotations

import pytest
from support import a_request

from signoff.policy.evaluate import evaluate
from signoff.policy.policy import Policy

POLICY = Policy(approvers=("S0FIN", "U0ANA"), conversation="C1")


def test_everything_is_asked_about() -> None:
    verdict = evaluate(a_request(expires_in=60), "billing-bot", POLICY)
    assert (verdict.effect, verdict.approvers, verdict.conversation) == ("ask", ("S0FIN", "U0ANA"), "C1")
    assert verdict.expires_in == 60 and verdict.policy == POLICY.digest


@pytest.mark.parametrize(
    ("claimed", "risk", "source"),
    [(None, "high", "nobody"), ("low", "high", "nobody"), ("critical", "critical", "agent")],
)
def test_a_claim_can_only_raise_the_risk(claimed: str | None, risk: str, source: str) -> None:
    verdict = evaluate(a_request(risk=claimed), "billing-bot", POLICY)
    assert (verdict.risk, verdict.risk_from) == (risk, source)


def test_nobody_having_said_so_nothing_can_be_undone() -> None:
    assert evaluate(a_request(), "billing-bot", POLICY).reversibility == "irreversible"
    assert evaluate(a_request(), "billing-bot", POLICY).reversibility_from == "nobody"
    said = evaluate(a_request(reversibility="costly"), "billing-bot", POLICY)
    assert (said.reversibility, said.reversibility_from) == ("costly", "agent")


def test_a_channel_that_the_agent_would_like_is_not_followed() -> None:
    assert evaluate(a_request(conversation="C_OTHER"), "billing-bot", POLICY).conversation == "C1"


def test_the_digest_names_the_rules_not_their_order() -> None:
    assert POLICY.digest == Policy(("U0ANA", "S0FIN"), "C1").digest
    assert POLICY.digest != Policy(("U0ANA",), "C1").digest


TS = "1700000000.000100"


@pytest.mark.parametrize(
    ("wish", "granted"),
    [
        (f"C0APPROVE1:{TS}", TS),
        (f"C0OTHER0001:{TS}", None),
        ("C0APPROVE1", None),
        ("C0APPROVE1:", None),
        (f"C0APPROVE1:{TS}\n", None),
        (f" C0APPROVE1:{TS}", None),
        (f"approvals:{TS}", None),
        ("C0APPROVE1:1700000000", None),
        ("C0APPROVE1:١٧٠٠٠٠٠٠٠٠.٠٠٠١٠٠", None),
    ],
)
def test_a_thread_is_granted_only_in_the_policys_channel(wish: str, granted: str | None) -> None:
    verdict = evaluate(a_request(conversation=wish), "billing-bot", Policy(("U0ANA",), "C0APPROVE1"))
    assert (verdict.conversation, verdict.thread) == ("C0APPROVE1", granted)


@pytest.mark.parametrize("name", ["#approvals", "agent-approvals"])
def test_a_channel_known_by_name_is_where_a_thread_is_looked_for(name: str) -> None:
    verdict = evaluate(a_request(conversation=f"C0APPROVE1:{TS}"), "billing-bot", Policy(("U0ANA",), name))
    assert (verdict.conversation, verdict.thread) == (name, TS)
