"""What of that which an agent asks together may share a card, as a policy says."""

from __future__ import annotations

import pytest
from support import a_request

from signoff.policy.errors import PolicyError
from signoff.policy.evaluate import evaluate
from signoff.policy.loader import parse
from signoff.policy.policy import Policy


def policy(text: str) -> Policy:
    return parse(f"version: 1\n{text}".encode(), "p.yml", approvers=("U1",), conversation="C1").policy


def why_alone(found: Policy, action: str, **fields: object) -> str:
    request = a_request(action=action, **fields)
    return found.batch.why_alone(action, evaluate(request, "billing-bot", found))


def test_without_a_word_all_that_can_be_undone_may_share_a_card_fifty_on_one() -> None:
    for found in (policy("autonomy: supervised"), Policy(("U1",), "C1")):
        assert found.batch.most == 50
        assert why_alone(found, "ticket.tidy", reversibility="reversible") == ""
        assert why_alone(found, "ticket.tidy", reversibility="costly") == ""
        assert "cannot be undone" in why_alone(found, "ticket.tidy", reversibility="irreversible")
        assert "nobody said" in why_alone(found, "zorp.it")


def test_a_policy_says_how_many_which_actions_and_whether_what_is_final_too() -> None:
    found = policy(
        "batch: {most: 7, of: ['ticket.*', '@file-delete'], irreversible: true}\nrisk: {ticket.big: critical}"
    )
    assert found.batch.most == 7
    assert why_alone(found, "ticket.tidy") == "" == why_alone(found, "file.delete")
    assert why_alone(found, "other.one", reversibility="reversible") == "batch.of does not list it"
    assert why_alone(found, "ticket.big", reversibility="reversible") == "its risk is critical"
    nothing = policy("batch: {of: []}")
    assert why_alone(nothing, "ticket.tidy", reversibility="reversible")
    assert policy("extends: balanced\nbatch: {most: 3}").batch.most == 3


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("batch: {most: 0}", "batch.most"),
        ("batch: {most: 501}", "batch.most"),
        ("batch: {most: many}", "batch.most"),
        ("batch: {of: ticket.tidy}", "batch.of"),
        ("batch: {of: ['@no-such']}", "no class no-such"),
        ("batch: {irreversible: 'yes'}", "batch.irreversible"),
        ("batch: {mots: 3}", "did you mean most?"),
        ("batch: 3", "batch"),
    ],
)
def test_what_cannot_be_meant_is_told_with_its_line(text: str, says: str) -> None:
    with pytest.raises(PolicyError) as found:
        policy(text)
    assert says in str(found.value) and "p.yml:2:" in str(found.value), str(found.value)
