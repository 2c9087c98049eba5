"""The requests themselves, by a name that says what each shows; pure."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from signoff.bot.gallery.approval import BEGAN, SECOND
from signoff.models.approval import Rejection
from signoff.models.messages import Decision, Outcome

Case = tuple[dict[str, Any], dict[str, Any]]
"""A payload, and what `approval.made_up` takes beside it."""
_POLICY = {"reversibility_from": "policy", "risk_from": "policy"}


def sure(reversibility: str, risk: str = "medium", **more: Any) -> dict[str, Any]:
    """A verdict by a policy that knows the action."""
    return {**_POLICY, "reversibility": reversibility, "risk": risk, **more}


def decided(vote: str = "approve", **fields: Any) -> Decision:
    """Ana's decision, 38 s after she was asked."""
    at = datetime.fromtimestamp(BEGAN / 1e6 + 38, UTC)
    return Decision(vote=vote, approver="U0ANA", name="Ana", at=at, **fields)  # type: ignore[arg-type]


def ended(status: str, **fields: Any) -> dict[str, Any]:
    """What an Approval has become, 38 s after it was asked."""
    return {"status": status, "ended_at": BEGAN + 38 * SECOND, "revision": 2, **fields}


REFUND = {"customer": "cus_42", "amount": 120, "currency": "EUR"}
REFUND_SCHEMA = {"type": "object", "properties": {name: {} for name in REFUND}}
SQL = "UPDATE invoices\n   SET status = 'void'\n WHERE customer_id = 42\n   AND issued_at < '2026-01-01';"
DIFF = (
    "--- a/deploy.yaml\n+++ b/deploy.yaml\n@@ -3,3 +3,3 @@\n replicas: 3\n-image: shop:1.4.1\n"
    "+image: shop:1.5.0\n port: 8080"
)
MAIL = (
    "Dear Ms Weber,\n\nwe have refunded the second charge of 120.00 EUR from 14 November.\n"
    "It reaches your account within five working days.\n\nKind regards\nSupport"
)
LONG = "\n".join(map("DELETE FROM sessions WHERE shard = %d;".__mod__, range(60)))
CLAIMS = {
    "title": "Refund a duplicate charge",
    "reason": "Duplicate charge, ticket 991. The customer was charged twice on 14 November.",
    "impact": "one customer",
    "undo": "charge again, with the customer's consent",
    "alternatives": ("leave it as credit",),
    "context": {"ticket": 991, "orders": [7, 9]},
}

CARDS: Mapping[str, Case] = {
    "short": ({"host": "web-1"}, {"action": "server.restart", "verdict": sure("reversible", "low")}),
    "alike": (
        {"host": "web-1"},
        {"action": "server.restart", "verdict": sure("reversible", "low"), "alike": 12},
    ),
    "empty": ({}, {"action": "cache.flush", "verdict": sure("reversible", "low")}),
    "money-with-claims": (
        REFUND,
        {"schema": REFUND_SCHEMA, "verdict": sure("irreversible", "high"), **CLAIMS},
    ),
    "costly-with-headline": (
        REFUND,
        {"schema": REFUND_SCHEMA, "verdict": sure("costly", headline="Refund 120 EUR to cus_42")},
    ),
    "policy-asks": (
        REFUND,
        {
            "schema": REFUND_SCHEMA,
            "risk": "critical",
            "reason": "Duplicate charge, ticket 991.",
            "verdict": sure(
                "irreversible",
                "high",
                headline="Refund 120 EUR to “*A_B* <@U1> & co :tada:”",
                rule="large refunds",
                why="the rule “large refunds”",
                policy="0123456789abcdef",
            ),
        },
    ),
    "policy-reported": (
        {"path": "docs/a.txt", "text": MAIL},
        {
            "action": "files.edit",
            "verdict": sure("reversible", "low", effect="notify"),
            **ended("approved", revision=1),
        },
    ),
    "policy-reported-and-done": (
        {"path": "docs/a.txt"},
        {
            "action": "files.edit",
            "verdict": sure("reversible", "low", effect="notify", headline="Edit docs/a.txt"),
            **ended("approved"),
            "outcome": Outcome(succeeded=True, note="12 lines"),
            "outcome_at": BEGAN + 50 * SECOND,
        },
    ),
    "nobody-rates-it": (REFUND, {"schema": REFUND_SCHEMA}),
    "reversible-the-agent-says": (REFUND, {"reversibility": "reversible", "risk": "low"}),
    "nested-and-lists": (
        {
            "customer": "cus_42",
            "lines": [{"sku": 7, "count": 2}, {"sku": 9, "count": 1}],
            "notify": ["ana@example.com", "ben@example.com"],
            "shipping": {"street": "Hauptstr. 1", "city": "Berlin", "after": "2026-12-01T09:00:00+01:00"},
        },
        {"action": "order.create", "verdict": sure("costly")},
    ),
    "mail": (
        {"to": "c.weber@example.com", "subject": "Your refund", "body": MAIL},
        {"action": "mail.send", "verdict": sure("irreversible")},
    ),
    "sql": (
        {"database": "billing", "query": SQL},
        {
            "action": "db.execute",
            "schema": {"type": "object", "properties": {"database": {}, "query": {"format": "sql"}}},
            "verdict": sure("irreversible", "critical"),
        },
    ),
    "diff": (
        {"repository": "shop/infra", "patch": DIFF},
        {
            "action": "git.push",
            "schema": {"type": "object", "properties": {"repository": {}, "patch": {"format": "diff"}}},
            "verdict": sure("costly", "high"),
            "reason": "Rolls out 1.5.0, which the release train approved.",
        },
    ),
    "bytes": (
        {"file": base64.b64encode(b"%PDF-1.7 " + bytes(range(256)) * 8).decode(), "folder": "contracts"},
        {
            "action": "file.upload",
            "schema": {"type": "object", "properties": {"file": {"contentEncoding": "base64"}}},
            "verdict": sure("reversible"),
        },
    ),
    "folded": (
        {"script": LONG},
        {"action": "db.execute", "verdict": sure("irreversible", "critical"), **CLAIMS},
    ),
    "misleading": (
        {"to": "pаypal@example.com", "note": "safe\u202efdp.exe", "reference": "00120"},
        {
            "action": "mail.send",
            "reason": "<!channel> *urgent* https://evil.example",
            "verdict": sure("costly"),
        },
    ),
    "rejected-before": (
        {**REFUND, "amount": 120},
        {
            "schema": REFUND_SCHEMA,
            "verdict": sure("costly", over="refunds of an agent in a day are over 500 EUR"),
            "rejected": Rejection(
                approval_id="01930000-0000-7000-8000-000000000003",
                by_id="U0BEN",
                at=BEGAN - 12 * 60 * SECOND,
                reason="Wrong customer: this is *992's*.",
                same=False,
                payload={**REFUND, "amount": 1_200},
            ),
        },
    ),
    "approved-and-not-reported": (REFUND, ended("approved", decision=decided(), verdict=sure("costly"))),
    "approved-and-started": (
        REFUND,
        ended("approved", decision=decided(), verdict=sure("costly"), spent_at=BEGAN + 45 * SECOND),
    ),
    "approved-and-never-reported": (
        REFUND,
        ended("approved", decision=decided(), verdict=sure("costly"), receipt_expires_at=BEGAN + 60 * SECOND),
    ),
    "approved-while-nobody-waits": (
        REFUND,
        ended("approved", decision=decided(), verdict=sure("costly"), left_at=BEGAN + 20 * SECOND),
    ),
    "nobody-waits-any-more": (REFUND, {"verdict": sure("costly"), "left_at": BEGAN + 20 * SECOND}),
    "edited-and-done": (
        {**REFUND, "memo": MAIL},
        ended(
            "approved",
            payload_now={**REFUND, "amount": 80, "memo": MAIL.replace("120.00", "80.00")},
            decision=decided(reason="as agreed by phone"),
            outcome=Outcome(succeeded=True, note="re_991"),
            outcome_at=BEGAN + 50 * SECOND,
            verdict=sure("costly"),
        ),
    ),
    "failed": (
        REFUND,
        ended(
            "approved",
            decision=decided(),
            outcome=Outcome(succeeded=False, note="card was closed"),
            outcome_at=BEGAN + 50 * SECOND,
            verdict=sure("costly"),
        ),
    ),
    "rejected": (
        REFUND,
        ended("rejected", decision=decided("reject", reason="Wrong customer: this is 992's")),
    ),
    "sent-back": (
        REFUND,
        ended("rejected", decision=decided("reject", reason="Ask again with the net amount", resubmit=True)),
    ),
    "expired": (
        REFUND,
        ended("expired", ended_at=BEGAN + 3600 * SECOND, title="Refund", impact="one customer"),
    ),
    "ended-by-a-restore": (REFUND, ended("expired", restored=True)),
    "withdrawn": (REFUND, ended("cancelled", reason="the customer withdrew the complaint")),
    "blocked-by-policy": (
        {"user": "ben", "role": "admin"},
        ended("blocked", action="iam.grant_admin", reason="Admins are made by people only.", shown_at=None),
    ),
}
