"""An approval is spent once: one process is told that it may run it, and all others who that was."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import text
from support import Core

from signoff import receipts
from signoff.errors import NotVerified
from signoff.models.messages import Outcome, Response
from signoff.models.receipt import Receipt
from signoff.queue import stream

AGENT = "billing-bot"


def approved(core: Core, **fields: Any) -> Any:
    approval = core.submit(**fields)
    return core.approvals.decide(approval.id, 1, "U0ANA", "approve")


def told(core: Core, approval: Any) -> Response:
    """What stands for who asks whether they may run it."""
    found = stream.response(core.redis, AGENT, stream.spent(approval.request_id))
    assert found is not None
    return found


def winner(core: Core, approval: Any) -> str:
    keys = receipts.verify_keys(core.signer.verify_key)
    receipt = receipts.verify(approval.receipt, keys, AGENT)
    return receipts.verify_notice(told(core, approval).receipt or "", keys, receipt).by


def answer(core: Core, approval: Any) -> Receipt:
    """What its agent is told when it asks again."""
    keys = receipts.verify_keys(core.signer.verify_key)
    found = stream.response(core.redis, AGENT, approval.request_id)
    assert found is not None
    return receipts.accept(found, keys, agent=AGENT, request_id=approval.request_id)


def test_the_first_may_and_all_are_told_who_that_is(core: Core) -> None:
    approval = approved(core)
    for by in ("one-" + "a" * 20, "two-" + "b" * 20, "one-" + "a" * 20):
        core.approvals.spend(AGENT, approval.request_id, by)
        assert winner(core, approval) == "one-" + "a" * 20
    lines = "SELECT count(*) FROM audit_event WHERE kind = 'spend'"
    with core.store.reading() as connection:
        assert connection.execute(text(lines)).scalar_one() == 1


def test_of_many_at_once_one_may(core: Core) -> None:
    approval = approved(core)
    names = [f"process-{number:016}" for number in range(20)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda by: core.approvals.spend(AGENT, approval.request_id, by), names))
    assert winner(core, approval) in names
    row = core.approvals.get(approval.id)
    assert row.spent_by == winner(core, approval) and row.spent_at


@pytest.mark.parametrize("how", ["spent", "reported"])
def test_who_asks_again_after_that_is_told_duplicate_and_never_approved(core: Core, how: str) -> None:
    approval = approved(core, key="k")
    assert answer(core, approval).approved
    if how == "spent":
        core.approvals.spend(AGENT, approval.request_id, "one-" + "a" * 20)
    else:
        core.approvals.report(AGENT, approval.request_id, Outcome(succeeded=True))
    assert answer(core, approval).status == "duplicate"
    ways: list[Callable[[], Any]] = [
        lambda: core.approvals.tell(core.approvals.submit(AGENT, approval.request)),
        lambda: core.redis.flushall() and core.approvals.tell(core.approvals.get(approval.id)),
        lambda: (
            core.redis.set(
                stream.decision(AGENT, approval.request_id),
                Response(status="approved", receipt=approval.receipt, payload=approval.payload_text).encode(),
            )
            and core.approvals.tell(core.approvals.get(approval.id))
        ),
    ]
    for way in ways:
        way()
        again = answer(core, approval)
        assert (again.status, again.payload) == ("duplicate", None)
        assert again.digest_sent == approval.digest_sent and "already" in again.reason


@pytest.mark.parametrize("state", ["pending", "rejected", "unknown", "another agent's", "reported"])
def test_what_may_not_run_is_refused_and_signed(core: Core, state: str) -> None:
    approval = core.submit() if state in ("pending", "rejected") else approved(core)
    agent, request_id = AGENT, approval.request_id
    if state == "rejected":
        core.approvals.decide(approval.id, 1, "U0ANA", "reject")
    elif state == "unknown":
        request_id = "01890000-0000-8000-8000-000000000000"
    elif state == "another agent's":
        agent = "other-bot"
    elif state == "reported":
        core.approvals.report(AGENT, approval.request_id, Outcome(succeeded=False))
    core.approvals.spend(agent, request_id, "one-" + "a" * 20)
    found = stream.response(core.redis, agent, stream.spent(request_id))
    assert found is not None and found.status in ("invalid", "duplicate")
    keys = receipts.verify_keys(core.signer.verify_key)
    assert not receipts.accept(found, keys, agent=agent, request_id=request_id).approved
    assert core.approvals.get(approval.id).spent_at is None


def test_a_database_that_was_put_back_takes_up_who_has_spent_it(core: Core) -> None:
    approval = approved(core)
    core.approvals.spend(AGENT, approval.request_id, "one-" + "a" * 20)
    with core.store.transaction() as connection:  # the backup is from before
        connection.execute(text("UPDATE approval SET spent_by = NULL, spent_at = NULL"))
    core.approvals.spend(AGENT, approval.request_id, "two-" + "b" * 20)
    assert winner(core, approval) == "one-" + "a" * 20


@pytest.mark.parametrize("how", ["spent", "reported"])
@pytest.mark.parametrize("asks", ["again", "to run it"])
def test_a_database_that_was_put_back_takes_up_that_it_has_run(core: Core, how: str, asks: str) -> None:
    approval = approved(core, key="k")
    if how == "spent":
        core.approvals.spend(AGENT, approval.request_id, "one-" + "a" * 20)
        core.redis.delete(stream.decision(AGENT, stream.spent(approval.request_id)))
    else:
        core.approvals.report(AGENT, approval.request_id, Outcome(succeeded=True))
    with core.store.transaction() as connection:
        connection.execute(text("UPDATE approval SET spent_by = NULL, spent_at = NULL, outcome = NULL"))
    if asks == "again":
        core.approvals.tell(core.approvals.submit(AGENT, approval.request))
        assert answer(core, approval).status == "duplicate"
    core.approvals.spend(AGENT, approval.request_id, "two-" + "b" * 20)
    assert winner(core, approval).startswith("somebody")


def test_that_it_has_run_is_not_taken_from_whoever_writes_to_redis(core: Core) -> None:
    approval, other = approved(core), approved(core, payload={"other": 1})
    core.approvals.report(AGENT, other.request_id, Outcome(succeeded=True))
    planted = stream.response(core.redis, AGENT, other.request_id)
    assert planted is not None
    for forged in (
        planted,
        planted.model_copy(update={"spent": approval.receipt}),
        Response(status="duplicate", spent=approval.receipt, receipt=approval.receipt),
        Response(status="approved", receipt=approval.receipt, payload='{"amount":1}'),
    ):
        core.redis.set(stream.decision(AGENT, approval.request_id), forged.encode())
        core.approvals.tell(core.approvals.get(approval.id))
        assert answer(core, approval).approved


@pytest.mark.parametrize("forged", ["nonsense", "of another request", "of another key"])
def test_who_has_spent_it_is_not_taken_from_whoever_writes_to_redis(core: Core, forged: str) -> None:
    approval, other = approved(core), approved(core, payload={"other": 1})
    core.approvals.spend(AGENT, other.request_id, "evil-" + "e" * 20)
    planted = told(core, other)
    if forged == "nonsense":
        planted = Response(status="spent", receipt="x.y.z")
    elif forged == "of another key":
        keys = receipts.verify_keys(core.signer.verify_key)
        real = receipts.verify_notice(
            planted.receipt or "", keys, receipts.verify(other.receipt, keys, AGENT)
        ).model_copy(update={"id": approval.request_id, "signed": receipts.token_digest(approval.receipt)})
        token = receipts.sign_notice(receipts.Signer.generate(), real, "signoff")
        planted = Response(status="spent", receipt=token)
    core.redis.set(stream.decision(AGENT, stream.spent(approval.request_id)), planted.encode())
    core.approvals.spend(AGENT, approval.request_id, "one-" + "a" * 20)
    assert winner(core, approval) == "one-" + "a" * 20


def test_a_notice_is_no_receipt_and_a_receipt_no_notice(core: Core) -> None:
    approval = approved(core)
    core.approvals.spend(AGENT, approval.request_id, "one-" + "a" * 20)
    keys = receipts.verify_keys(core.signer.verify_key)
    with pytest.raises(NotVerified):
        receipts.verify(told(core, approval).receipt or "", keys, AGENT)
    receipt = receipts.verify(approval.receipt, keys, AGENT)
    with pytest.raises(NotVerified):
        receipts.verify_notice(approval.receipt, keys, receipt)
