"""What a policy would have done with what came in, on both databases."""

from __future__ import annotations

from policy.policies import policy
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
