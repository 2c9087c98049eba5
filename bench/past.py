"""A million old Approvals, written by the database itself: each with its payload, decision and card."""

from __future__ import annotations

from sqlalchemy import Engine, text

from signoff.client.ask import build_request
from signoff.policy.evaluate import evaluate
from signoff.policy.policy import Policy

AGENTS, ACTIONS, PEOPLE = 40, 200, 25
OWNER = "U0OWNER001"
"""Owns three of the agents."""
_APART = 10_000_000
"""Microseconds from one Approval to the next: a million of them are four months."""

_NUMBERS = {
    "sqlite": """
        WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :count),
        past AS (SELECT i, :began + i * :apart AS at FROM n),
        named AS (SELECT i, at, printf('%012x', at / 1000) AS ms, printf('%012x', i) AS tail FROM past)
    """,
    "postgresql": """
        WITH past AS (
            SELECT i, :began + CAST(i AS BIGINT) * :apart AS at FROM generate_series(1, :count) AS i
        ),
        named AS (
            SELECT i, at, lpad(to_hex(at / 1000), 12, '0') AS ms, lpad(to_hex(i), 12, '0') AS tail FROM past
        )
    """,
}
_ID = "substr(ms, 1, 8) || '-' || substr(ms, 9, 4) || '-7000-8000-' || tail"
_INTO = (
    f"""
    INSERT INTO approval (id, agent, request_id, action, status, version, revision, delivered_revision,
        digest_sent, verdict, reason, created_at, expires_at, shown_at, ended_at, not_before, published_at)
    {{numbers}} SELECT {_ID}, 'agent-' || (i % {AGENTS}), {_ID}, 'action.' || (i % {ACTIONS}),
        CASE i % 4 WHEN 0 THEN 'rejected' ELSE 'approved' END, 1, 2, 2, :digest, :verdict, '', at,
        at + 3600000000, at + 1000000, at + 60000000, 0, at + 60000000 FROM named
    """,
    f"""
    INSERT INTO payload (approval_id, version, text, salt, claims)
    {{numbers}} SELECT {_ID}, 1, '{{{{"customer":"cus_42"}}}}', tail, :claims FROM named
    """,
    f"""
    INSERT INTO decision (approval_id, version, approver, name, vote, reason, resubmit, at)
    {{numbers}} SELECT {_ID}, 1, 'U0ANA0000' || (i % {PEOPLE}), 'ana',
        CASE i % 4 WHEN 0 THEN 'reject' ELSE 'approve' END, 'so', :no, at + 60000000 FROM named
    """,
    f"""
    INSERT INTO card (
        approval_id, conversation, message, permalink, shown_revision, lease_until
    )
    {{numbers}} SELECT {_ID}, 'C0APPROVE1', CAST(at AS TEXT),
        'https://acme.slack.com/archives/C0APPROVE1/p' || at, 2, 0 FROM named
    """,
)


def fill(engine: Engine, count: int, now: int) -> None:
    """`count` decided Approvals that ended before `now`, in microseconds since 1970."""
    request = build_request("billing-bot", "action.1", {"customer": "cus_42"}, {})[0]
    verdict = evaluate(request, "billing-bot", Policy(("U0ANA00001",), "C0APPROVE1"))
    values = {
        "count": count, "began": now - (count + 1000) * _APART, "apart": _APART, "digest": "0" * 64,
        "verdict": verdict.model_dump_json(), "claims": request.claims(), "no": False,
    }  # fmt: skip
    with engine.begin() as connection:
        for number in range(AGENTS):
            agent = {"name": f"agent-{number}", "owner": OWNER if number < 3 else None}
            connection.execute(
                text("INSERT INTO agent (name, owner, created_at) VALUES (:name, :owner, 1)"), agent
            )
        for statement in _INTO:
            filled = statement.format(numbers=_NUMBERS[connection.dialect.name])
            used = {name: value for name, value in values.items() if f":{name}" in filled}
            connection.execute(text(filled), used)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE"))
