"""A hundred small refunds are not one large one: the sums of a day, on both databases."""

from __future__ import annotations

import json
import threading
from contextlib import suppress
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import text
from support import Core, a_request

from signoff.approvals import audit
from signoff.approvals.audit import counted
from signoff.errors import Invalid
from signoff.models import sums
from signoff.models.amounts import Entry, entries
from signoff.models.approval import Approval
from signoff.models.engine import OUTAGE
from signoff.policy.evaluate import evaluate

RULES = """
rules:
  - name: small refunds
    match: {action: "refund.*"}
    when: payload.amount <= 500
    verdict: allow
    limits: {per_day: {sum: payload.amount, by: payload.currency, most: 2000}}
  - name: refunds
    match: {action: "refund.*"}
    verdict: ask
    approvers: [U0ANA]
"""


@pytest.fixture
def core(core: Core) -> Core:
    core.follow(RULES)
    return core


def refund(
    core: Core, amount: Any, currency: Any = "EUR", agent: str = "billing-bot", **said: Any
) -> Approval:
    payload = {"amount": amount, "currency": currency, "number": refund.count}  # type: ignore[attr-defined]
    refund.count += 1  # type: ignore[attr-defined]
    found: Approval = core.submit(agent, payload=payload, **said)
    return found


refund.count = 0  # type: ignore[attr-defined]


def spent(core: Core, agent: str = "billing-bot", currency: str = "EUR") -> Decimal:
    request = a_request(payload={"amount": 0, "currency": currency})
    (entry,) = entries(evaluate(request, agent, core.policy).sums, request.payload)
    with core.store.reading() as connection:
        return sums.total(connection, agent, entry)


def later(core: Core, hours: float) -> None:
    """Tests move rows, not clocks."""
    with core.store.transaction() as connection:
        connection.execute(text("UPDATE amount SET until = until - :by"), {"by": int(hours * 3600 * 10**6)})


def test_small_ones_run_until_they_come_to_the_sum_then_a_person_is_asked_and_told_why(core: Core) -> None:
    assert [refund(core, 40).status for _ in range(50)] == ["approved"] * 50
    over = refund(core, 40)
    assert over.pending and over.verdict.over == "“small refunds” would be 2,040 of 2,000 EUR today"
    assert (over.verdict.rule, over.verdict.approvers) == ("refunds", ("U0ANA",))
    assert over.verdict.why == "the rule “small refunds” has come to its sum of a day: the rule “refunds”"
    assert spent(core) == 2040, "what waits is reserved"


def test_the_log_has_no_word_of_what_was_summed_up(core: Core) -> None:
    refund(core, 499, "XXXCANARY")
    for _ in range(4):
        over = refund(core, 499, "XXXCANARY")
    assert over.pending and "CANARY" in over.verdict.over
    with core.store.reading() as connection:
        lines = connection.execute(text("SELECT data FROM audit_event")).scalars().all()
    assert not any("CANARY" in line or "2,495" in line for line in lines)


def test_each_agent_rule_and_currency_has_a_sum_of_its_own(core: Core) -> None:
    for currency in ("EUR", "USD"):
        assert [refund(core, 500, currency).status for _ in range(4)] == ["approved"] * 4
    assert refund(core, 1, "eur").pending and refund(core, 1, "Usd").pending
    assert refund(core, 500, agent="other-bot").status == "approved"
    assert spent(core) == 2001 and spent(core, "other-bot") == 500


def test_a_sign_does_not_help(core: Core) -> None:
    for _ in range(4):
        assert refund(core, -500).status == "approved"
    assert refund(core, -1).pending and refund(core, 1).pending


@pytest.mark.parametrize(
    ("amount", "currency"),
    [
        ("much", "EUR"), (True, "EUR"), (None, "EUR"), ([1], "EUR"), ("1e9", "EUR"),
        (40, None), (40, "EU\u200bR"), (40, {}),
    ],
)  # fmt: skip
def test_what_cannot_be_counted_asks(core: Core, amount: Any, currency: Any) -> None:
    core.follow(RULES.replace("    when: payload.amount <= 500\n", ""))
    asked = refund(core, amount, currency)
    assert asked.pending and "cannot be summed up" in asked.verdict.over
    core.approvals.decide(asked.id, 1, "U0ANA", "approve")
    assert spent(core) == 0


def test_texts_that_are_numbers_count_and_hundredths_do_not_drift(core: Core) -> None:
    core.follow(RULES.replace("    when: payload.amount <= 500\n", "").replace("2000", "1.10"))
    assert [refund(core, one).status for one in (*[0.1] * 10, "0.10")] == ["approved"] * 11
    assert spent(core) == Decimal("1.10")
    assert refund(core, 0.01).pending and refund(core, "0.01").pending


def test_one_that_is_over_by_itself_asks_before_anything_was_counted(core: Core) -> None:
    core.follow(RULES.replace("500", "5000"))
    assert refund(core, 2000.000001).pending
    assert refund(core, 1).pending, "that one is reserved"
    assert refund(core, 2000, "USD").status == "approved"


@pytest.mark.parametrize("end", ["reject", "expire", "cancel"])
def test_what_ends_without_running_is_free_again(core: Core, end: str) -> None:
    for _ in range(4):
        refund(core, 500)
    waits = refund(core, 500)
    assert spent(core) == 2500
    if end == "reject":
        core.approvals.decide(waits.id, 1, "U0ANA", "reject", reason="no")
    elif end == "cancel":
        core.approvals.cancel(waits.agent, waits.request_id)
    else:
        with core.store.transaction() as connection:
            connection.execute(text("UPDATE approval SET expires_at = 1 WHERE id = :id"), {"id": waits.id})
        core.approvals.expire(waits.id)
    assert spent(core) == 2000


def test_what_a_policy_blocks_meanwhile_is_free_again(core: Core) -> None:
    for _ in range(4):
        refund(core, 500)
    waits = refund(core, 500)
    core.follow('block: ["refund.*"]\n' + RULES)
    core.approvals.judge_again(waits.id)
    core.follow(RULES)
    assert core.approvals.get(waits.id).status == "blocked" and spent(core) == 2000


def test_what_people_approve_counts_by_its_final_payload(core: Core) -> None:
    for _ in range(4):
        refund(core, 500)
    as_asked, corrected, out_of_it = (refund(core, amount) for amount in (300, 400, 450))
    core.approvals.decide(as_asked.id, 1, "U0ANA", "approve")
    assert spent(core) == 3150
    core.approvals.decide(corrected.id, 1, "U0ANA", "approve", payload={**corrected.payload, "amount": 25})
    assert spent(core) == 2775
    core.approvals.decide(
        out_of_it.id, 1, "U0ANA", "approve", payload={**out_of_it.payload, "currency": "USD"}
    )
    assert (spent(core), spent(core, currency="USD")) == (2325, 450)


def test_it_is_a_sliding_day_and_what_waits_counts_however_long(core: Core) -> None:
    for _ in range(4):
        refund(core, 500)
    waits = refund(core, 100)
    later(core, 23.9)
    assert refund(core, 10).pending
    later(core, 0.2)
    assert spent(core) == 110, "both that wait"
    assert refund(core, 10).status == "approved"
    core.approvals.decide(waits.id, 1, "U0ANA", "approve")
    later(core, 23.9)
    assert spent(core) == 120, "a day from the approval on"
    with core.store.reading() as connection:
        rows = connection.execute(text("SELECT count(*) FROM amount")).scalar_one()
    assert rows == 3, "what no longer counts is cleared away"


def test_resends_and_what_was_refused_count_once_or_not_at_all(core: Core) -> None:
    request = a_request(payload={"amount": 500, "currency": "EUR"}, key="k")
    for _ in range(10):
        core.approvals.submit("billing-bot", request)
    assert core.submit(payload=request.payload, key="k").request_id == str(request.id)
    with pytest.raises(Invalid):
        core.submit(payload={"amount": 1, "currency": "EUR"}, key="k")
    assert spent(core) == 500


def test_a_claim_gets_nobody_past_a_sum(core: Core) -> None:
    core.follow(
        RULES.replace("rules:\n", "rules:\n  - {name: tagged, match: {tags: [cheap]}, verdict: allow}\n", 1)
    )
    for _ in range(4):
        assert refund(core, 500, tags=["cheap"]).status == "approved"
    assert refund(core, 500, tags=["cheap"]).pending and refund(core, 500).pending
    assert spent(core) == 3000


def test_an_agents_own_limit_counts_all_that_it_has_run(core: Core) -> None:
    limit = "agents: {billing-bot: {limits: {per_day: {sum: payload.amount, most: 700}}}}\n"
    core.follow(limit + RULES)
    assert refund(core, 400).status == "approved"
    asked = refund(core, 400, "USD")
    assert asked.pending and asked.verdict.over == "billing-bot would be 800 of 700 today"
    core.approvals.decide(asked.id, 1, "U0ANA", "reject", reason="no")
    large = refund(core, 600, "USD")
    assert large.pending and large.verdict.over == "", "its rule asks about it anyway"
    assert refund(core, 300).pending, "that one is reserved"
    assert refund(core, 400, agent="other-bot").status == "approved"


def test_a_rule_that_blocks_what_comes_after_does_not_block_what_is_over(core: Core) -> None:
    core.follow(RULES.replace("verdict: ask\n    approvers: [U0ANA]", "verdict: block"))
    for _ in range(4):
        refund(core, 500)
    over = refund(core, 500)
    assert over.pending and over.verdict.approvers == ("S0FIN",)
    assert refund(core, 501).status == "blocked"


def test_an_asking_rule_may_stand_behind_one_that_allows_all_within_a_sum(core: Core) -> None:
    core.follow(RULES.replace("    when: payload.amount <= 500\n", ""))
    assert refund(core, 2000).status == "approved"
    assert refund(core, 1).verdict.rule == "refunds"


def test_notified_ones_count_too(core: Core) -> None:
    core.follow(RULES.replace("verdict: allow", "verdict: notify"))
    assert [refund(core, 500).verdict.effect for _ in range(5)] == [*["notify"] * 4, "ask"]


def test_judging_again_counts_nothing_and_changes_nothing(core: Core) -> None:
    for _ in range(4):
        refund(core, 500)
    asked = refund(core, 500)
    for _ in range(3):
        core.approvals.judge_again(asked.id)
        core.approvals.open_for(asked.id, 1, "U0ANA")
    assert spent(core) == 2500
    core.approvals.decide(asked.id, 1, "U0ANA", "approve")
    found = core.approvals.get(asked.id)
    assert found.verdict.over == asked.verdict.over and spent(core) == 2500
    with core.store.reading() as connection:
        query = text("SELECT count(*) FROM audit_event WHERE approval_id = :id AND kind = 'verdict'")
        assert connection.execute(query, {"id": asked.id}).scalar_one() == 1


def test_a_sum_that_is_new_today_counts_what_is_approved_today(core: Core) -> None:
    core.follow("rules: [{name: all, match: {action: 'refund.*'}, verdict: ask, approvers: [U0ANA]}]")
    asked = refund(core, 400)
    core.follow(RULES)
    core.approvals.decide(asked.id, 1, "U0ANA", "approve")
    assert spent(core) == 400


def test_of_many_at_once_never_more_than_the_sum_is_let_run(core: Core) -> None:
    """Their agent has never asked before: there is no row yet to lock."""
    amounts, barrier, ended = [40] * 40 + [500] * 10, threading.Barrier(50), []
    lock = threading.Lock()

    def ask(number: int, amount: int) -> None:
        payload = {"amount": amount, "currency": "EUR", "number": number}
        request = a_request(payload=payload, agent="new-bot")
        barrier.wait()
        approval = None
        while approval is None:
            with suppress(*OUTAGE):  # so many connections at once: the intake comes back, too
                approval = core.approvals.submit("new-bot", request)
        with lock:
            ended.append((approval.status, amount))

    threads = [threading.Thread(target=ask, args=one) for one in enumerate(amounts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    ran = sum(amount for status, amount in ended if status == "approved")
    assert len(ended) == 50 and ran <= 2000 and spent(core, "new-bot") == sum(amounts)
    assert audit.verify(core.store).ok


def counted_history(core: Core) -> dict[str, str]:
    """Requests that count, wait and have ended otherwise, by what became of them."""
    ran = [refund(core, 499.25) for _ in range(4)]
    waits, corrected, rejected = (refund(core, amount) for amount in (300, 400, 450))
    core.approvals.decide(corrected.id, 1, "U0ANA", "approve", payload={**corrected.payload, "amount": 25})
    core.approvals.decide(rejected.id, 1, "U0ANA", "reject", reason="no")
    return {"ran": ran[0].id, "waits": waits.id, "corrected": corrected.id, "rejected": rejected.id}


@pytest.mark.parametrize("which", ["ran", "waits", "corrected"])
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE amount SET whole = 0", "UPDATE amount SET whole = whole - 1",
        "UPDATE amount SET whole = -1000",
        "UPDATE amount SET millionths = millionths + 1", "UPDATE amount SET agent = 'other'",
        "UPDATE amount SET bucket = 'usd'", "UPDATE amount SET sum = 'x'", "UPDATE amount SET until = 1",
        "UPDATE amount SET until = 4611686018427387904", "DELETE FROM amount",
    ],
)  # fmt: skip
def test_whoever_changes_what_a_request_counts_for_is_found(core: Core, which: str, statement: str) -> None:
    history = counted_history(core)
    assert audit.verify(core.store).ok
    with core.store.transaction() as connection:
        connection.execute(text(f"{statement} WHERE approval_id = :id"), {"id": history[which]})
    found = audit.verify(core.store)
    column = statement.split(" ")[3] if statement.startswith("UPDATE") else "sum"
    assert (found.ok, found.column) == (False, f"amount.{column}"), found
    assert found.row == f"approval {history[which]}" and found.seq


@pytest.mark.parametrize("which", ["rejected", "ran", "waits"])
def test_whatever_is_counted_besides_is_found(core: Core, which: str) -> None:
    """It would use up what an agent may do."""
    history = counted_history(core)
    with core.store.transaction() as connection:
        statement = "INSERT INTO amount VALUES (:id, 'x', 'billing-bot', '', 5, 0, NULL)"
        connection.execute(text(statement), {"id": history[which]})
    found = audit.verify(core.store)
    assert (found.ok, found.row, found.column) == (False, f"approval {history[which]}", "amount.sum")


def test_what_no_longer_counts_may_have_been_cleared_away(core: Core) -> None:
    approval = refund(core, 500)
    with core.store.reading() as connection:
        row = connection.execute(text("SELECT * FROM approval")).mappings().one()
        held = connection.execute(text("SELECT * FROM amount")).mappings().all()
    over = row["ended_at"] + sums.DAY
    assert counted.differing(row, approval.payload_text, held, over + 1) is None
    assert counted.differing(row, approval.payload_text, [], over) is None
    assert counted.differing(row, approval.payload_text, [], over - 1) is not None


def test_a_total_that_no_whole_number_of_sqlites_holds(core: Core) -> None:
    core.follow(RULES.replace("    when: payload.amount <= 500\n", ""))
    request = a_request(payload={"amount": 1, "currency": "EUR"})
    (entry,) = entries(evaluate(request, "a", core.policy).sums, {"amount": 2**53 - 1, "currency": "EUR"})
    assert isinstance(entry, Entry)
    for _ in range(20):
        assert refund(core, 2**53 - 1).pending
    assert spent(core) == 20 * 10**12


def test_the_sums_come_back_with_a_restored_database(core: Core) -> None:
    """What a receipt in Redis says of a request that a backup has as pending counts as approved."""
    for _ in range(4):
        refund(core, 500)
    asked = refund(core, 500)
    with core.store.reading() as connection:
        before = [dict(row._mapping) for row in connection.execute(text("SELECT * FROM approval"))]
    edited = {**asked.payload, "amount": 10}
    core.approvals.decide(asked.id, 1, "U0ANA", "approve", payload=edited)
    assert spent(core) == 2010
    was = next(row for row in before if row["id"] == asked.id)
    with core.store.transaction() as connection:
        connection.execute(text("DELETE FROM decision"))
        connection.execute(text("DELETE FROM payload WHERE version = 2"))
        connection.execute(
            text(
                "UPDATE approval SET status='pending', version=1, receipt=NULL, ended_at=NULL, "
                "receipt_expires_at=NULL, published_at=NULL, verdict=:verdict WHERE id=:id"
            ),
            {"id": asked.id, "verdict": was["verdict"]},
        )
        connection.execute(
            text("UPDATE amount SET until = NULL, whole = 500 WHERE approval_id = :id"), {"id": asked.id}
        )
    assert spent(core) == 2500
    core.approvals.close_restored(asked.id)
    assert core.approvals.get(asked.id).status == "approved" and spent(core) == 2010


def test_a_verdict_of_before_there_were_sums_still_loads(core: Core) -> None:
    approval = refund(core, 600)
    with core.store.transaction() as connection:
        verdict = json.loads(
            connection.execute(
                text("SELECT verdict FROM approval WHERE id=:id"), {"id": approval.id}
            ).scalar_one()
        )
        del verdict["sums"], verdict["over"]
        connection.execute(
            text("UPDATE approval SET verdict=:v WHERE id=:id"), {"v": json.dumps(verdict), "id": approval.id}
        )
    assert core.approvals.decide(approval.id, 1, "U0ANA", "approve").status == "approved"
