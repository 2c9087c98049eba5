"""Who may stop and resume, and what stops an agent by itself, as a policy says."""

from __future__ import annotations

import pytest

from signoff.policy.errors import PolicyError
from signoff.policy.loader import parse
from signoff.policy.policy import Policy
from signoff.policy.stopping import Breaker, StopRules


def policy(text: str) -> Policy:
    return parse(f"version: 1\n{text}".encode(), "p.yml", approvers=("U1",), conversation="C1").policy


def test_without_a_word_all_approvers_may_another_resumes_and_nothing_breaks() -> None:
    for found in (policy("autonomy: supervised"), Policy(("U1",), "C1"), policy("extends: balanced")):
        assert found.stop == StopRules((), "second") and found.breaker == Breaker(None, None, 600)


def test_a_policy_says_who_stops_who_resumes_and_what_breaks() -> None:
    found = policy(
        "groups: {security: {users: [U0A, U0B]}}\nstop: {who: [security, U0CTO], resume: any}\n"
        "breaker: {denied: 3, failed: 5, within: 1h}"
    )
    assert found.stop == StopRules(("security", "U0CTO"), "any")
    assert found.resolve(found.stop.who) == ("U0A", "U0B", "U0CTO")
    assert found.breaker == Breaker(3, 5, 3600)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("stop: {who: [securty]}\ngroups: {security: {users: [U0A]}}", "did you mean security?"),
        ("stop: {who: nobody}", "there is no group nobody: add it to groups"),
        ("stop: {who: []}", "stop.who"),
        ("stop: {who: ['@money']}", "stop.who"),
        ("stop: {resume: third}", "stop.resume"),
        ("stop: {resum: any}", "did you mean resume?"),
        ("stop: 3", "stop"),
        ("breaker: {within: 10m}", "it counts nothing"),
        ("breaker: {}", "it counts nothing"),
        ("breaker: {denied: 0}", "breaker.denied"),
        ("breaker: {denied: 3, within: 2d}", "write a time from 1s to 1d"),
        ("breaker: {denied: 3, within: soon}", "breaker.within"),
        ("breaker: {blocked: 3}", "breaker.blocked is no key here"),
    ],
)
def test_what_cannot_be_meant_is_told_with_its_line(text: str, says: str) -> None:
    with pytest.raises(PolicyError) as found:
        policy(text)
    assert says in str(found.value) and "p.yml:2:" in str(found.value), str(found.value)


@pytest.mark.parametrize(
    ("text", "doubted"),
    [
        ("stop: {who: U0CTO}", True),
        ("stop: {who: [ops]}\ngroups: {ops: {users: [U0A]}}", True),
        ("stop: {who: U0CTO, resume: any}", False),
        ("stop: {who: [U0CTO, U0CEO]}", False),
        ("stop: {who: S0OPS}", False),
        ("stop: {who: members}", False),
    ],
)
def test_one_alone_who_needs_a_second_is_warned_of(text: str, doubted: bool) -> None:
    found = parse(f"version: 1\n{text}".encode(), "p.yml", approvers=("U1",), conversation="C1").warnings
    assert any("name a second" in line for line in found) == doubted, found
