"""Policies to judge by, and a short way to ask one."""

from __future__ import annotations

from typing import Any

from support import a_request

from signoff.models.verdict import Verdict
from signoff.policy.evaluate import evaluate
from signoff.policy.loader import parse
from signoff.policy.policy import Policy

THE_ISSUES = """\
version: 1
extends: balanced
autonomy: guided                                  # supervised | guided | autonomous | full_auto
always_ask: ["send_email", "deploy.production"]
never_ask: ["search.*", "weather.*"]
block: ["iam.grant_admin"]
risk: {"db.*": high, "*.delete*": high}           # the policy's own; a claim can only raise it
reversibility: {"files.edit": reversible, "db.drop": irreversible}
internal_domains: [example.com]
channels: {critical: "#agent-approvals", high: "#agent-approvals", medium: "#agent-review", low: "#agent-log"}
groups:
  finance: {users: [U0FIN1], usergroups: [S0FIN]}
agents:
  billing-bot: {owner: U0OWNER, autonomy: supervised, limits: {pending: 20, per_hour: 60}}
rules:                                            # the first that matches decides
  - name: small refunds
    match: {action: "refund.*"}
    when: payload.amount <= 50 && payload.currency == "EUR"
    verdict: allow
  - name: large refunds
    match: {action: "refund.*", tags: [money]}
    when: payload.amount > 1000
    verdict: ask
    headline: "Refund {amount} {currency} to {customer}"
    channel: "#finance-approvals"
    approvers: [finance]
    require: [reason, impact, alternatives]       # else refused, naming what is missing
    editable: [amount]
    expires_in: 30m
  - name: outside mail
    match: {action: ["send_email", "email.send"]}
    when: is_external(payload.to)
    verdict: ask
"""


def policy(text: str = "", **settings: Any) -> Policy:
    """A policy out of a file's text, `version` left out."""
    text = text if text.startswith("version") else f"version: 1\n{text}"
    values = {"approvers": ("U0ANA",), "conversation": "C0APPROVE", **settings}
    return parse(text.encode(), "policy.yml", **values).policy


def judged(
    text: str | Policy, action: str, payload: Any = None, agent: str = "some-bot", **claims: Any
) -> Verdict:
    """The verdict of a policy's text on one request."""
    found = policy(text) if isinstance(text, str) else text
    return evaluate(a_request(action, {} if payload is None else payload, **claims), agent, found)
