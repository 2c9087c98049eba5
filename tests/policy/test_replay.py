"""What a policy would have done with what came in, on both databases."""

from __future__ import annotations

from policy.policies import policy
from sqlalchemy import text
from support import Core

from signoff.models import history
from signoff.models.engine import snapshot
from signoff.models.messages import Cancel
from signoff.policy.replay import Report, replay

TEXT = """\
extends: none
autonomy: guided
rules:
  - {name: tiny, match: {action: refund.*}, when: payload.amount <= 10, verdict: allow}
  - {name: careful, match: {action: refund.*}, when: payload.amount > 1000, verdict: ask, require: impact}
  - {name: unused, match: {action: other.*}, verdict: block}
"""


def replayed(core: Core, since: int = 0) -> Report:
    with snapshot(core.store.engine) as connection:
        return replay(policy(TEXT), history.since(connection, since))


def test_what_came_in_is_judged_anew_as_it_was_sent(core: Core) -> None:
    small = core.submit(payload={"amount": 5})
    core.approvals.decide(small.id, 1, "U0ANA", "approve", payload={"amount": 2000})  # as sent, not as edited
    rejected = core.submit(payload={"amount": 6})
    core.approvals.decide(rejected.id, 1, "U0ANA", "reject")
    core.submit(payload={"amount": 500})
    core.submit(payload={"amount": 5000})
    core.submit(payload={"amount": 5000}, impact="one customer")
    cancelled = core.submit("other-bot", action="files.read", payload={})
    assert core.approvals.cancel("other-bot", cancelled.request_id, Cancel().reason)
    report = replayed(core)
    assert (report.requests, report.changed, report.erased) == (6, 4, 0)
    assert report.then == {"ask": 6}
    assert report.now == {"allow": 3, "ask": 2, "refused": 1}
    kinds = {(kind.now, kind.action): (kind, found) for kind, found in report.changes.items()}
    assert set(kinds) == {("allow", "refund.create"), ("refused", "refund.create"), ("allow", "files.read")}
    kind, found = kinds["allow", "refund.create"]
    assert kind.why == "the rule “tiny”" and found.ended == {"approved": 1, "rejected": 1}
    assert found.last == rejected.request_id
    assert kinds["refused", "refund.create"][0].why == "the rule “careful”: it lacks impact"
    assert [rule.name for rule in report.never_hit] == ["unused"]


def test_only_what_came_in_since_then(core: Core) -> None:
    core.submit(payload={"amount": 5})
    later = core.submit(payload={"amount": 5})
    assert replayed(core, later.created_at).requests == 1
    assert replayed(core, later.created_at + 1).requests == 0


def test_what_has_been_erased_is_counted_and_passed_over(core: Core) -> None:
    approval = core.submit(payload={"amount": 5})
    core.submit(payload={"amount": 500})
    with core.store.transaction() as connection:
        erased = "text = NULL, claims = NULL, erased_at = 1"
        connection.exec_driver_sql(f"UPDATE payload SET {erased} WHERE approval_id = '{approval.id}'")
    report = replayed(core)
    assert (report.requests, report.erased) == (1, 1)


SUMS = """\
extends: none
rules:
  - {name: small, match: {action: refund.*}, when: payload.amount <= 500, verdict: allow,
     limits: {per_day: {sum: payload.amount, most: 1000}}}
"""


def test_sums_are_counted_as_they_would_have_been(core: Core) -> None:
    """Two run, one is rejected, one approved; a day later the sum is free again."""
    ids = [core.submit(payload={"amount": 400, "number": number}).id for number in range(6)]
    core.approvals.decide(ids[2], 1, "U0ANA", "reject", reason="no")
    core.approvals.decide(ids[3], 1, "U0ANA", "approve")
    core.approvals.cancel("billing-bot", core.approvals.get(ids[4]).request_id)
    with core.store.transaction() as connection:
        query = text("UPDATE approval SET created_at = created_at - :day WHERE id != :last")
        connection.execute(query, {"day": 25 * 3600 * 10**6, "last": ids[5]})
    with snapshot(core.store.engine) as connection:
        found = replay(policy(SUMS), history.since(connection, 0))
    assert dict(found.now) == {"allow": 3, "ask": 3}
    assert found.changed == 3
