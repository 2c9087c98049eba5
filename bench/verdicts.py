"""How long the policy takes to judge a request: a hundred rules, ten of which evaluate a condition."""

from __future__ import annotations

import time
from typing import Any

from bench.table import Row, verdict
from bench.timer import percentile
from signoff.client.ask import build_request
from signoff.policy.evaluate import evaluate
from signoff.policy.loader import parse

LIMIT_US = 100.0
PAYLOAD = {"amount": 1200, "currency": "EUR", "customer": "cus_42"}
CLAIMS: dict[str, Any] = {
    "tags": ("money",), "run": "night", "confidence": 0.9, "reversible": "costly",
}  # fmt: skip


def run(rounds: int) -> list[Row]:
    """Two rows: an agent that claims nothing; one whose claims have to be left aside, too."""
    policy = parse(text().encode(), "bench").policy
    rows = []
    for what, claims in (("no claims", {}), ("with claims", CLAIMS)):
        request = build_request("billing-bot", "refund.create", PAYLOAD, claims)[0]
        assert evaluate(request, "billing-bot", policy).rule == "large"
        samples = []
        for _ in range(20 * rounds):
            start = time.perf_counter()
            evaluate(request, "billing-bot", policy)
            samples.append((time.perf_counter() - start) * 1e6)
        p50, p99 = percentile(samples, 50), percentile(samples, 99)
        rows.append(
            Row(
                f"policy: 100 rules, 10 conditions, {what}",
                f"p50 {p50:.0f} µs, p99 {p99:.0f} µs",
                target=f"p50 < {LIMIT_US:g} µs",
                verdict=verdict(p50 < LIMIT_US),
            )
        )
    return rows


def text() -> str:
    """A policy of a hundred rules: ninety about other actions, and ten about this one."""
    rules = []
    for number in range(90):
        rules.append(
            f"{{name: other {number}, match: {{action: 'area{number}.*', agent: 'team*'}}, verdict: ask}}"
        )
    for number in range(9):
        when = f'payload.amount == {number} && payload.currency == "EUR"'
        rules.append(
            f"{{name: near {number}, match: {{action: 'refund.*'}}, when: '{when}', verdict: allow}}"
        )
    rules.append(
        "{name: large, match: {action: 'refund.*', tags: money}, when: payload.amount > 1000, verdict: ask, "
        'headline: "Refund {amount} {currency} to {customer}"}'
    )
    return "version: 1\nrules:\n" + "".join(f" - {rule}\n" for rule in rules)
