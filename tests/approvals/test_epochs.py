"""A new epoch: what waited is decided by nobody any more; it ends as its receipt says, else as expired."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import redis
from support import Core, eventually, undelivered, without_triggers

from signoff import Signoff, receipts
from signoff.approvals import audit, epochs
from signoff.approvals.errors import Restored, TimeRanOut
from signoff.approvals.sweep import Sweep
from signoff.client import resend
from signoff.errors import Expired, Invalid, Rejected
from signoff.models.messages import Response
from signoff.models.questions import GivenAnswer
from signoff.queue import stream
from signoff.queue.intake import Intake
from signoff.queue.requests import Stream

AGENT = "billing-bot"
QUESTION = {
    "kind": "question",
    "action": "question",
    "payload": {"question": "Which one?", "free_text": True},
}


def closed(core: Core, **fields: Any) -> Any:
    """A request that waited in a backup, after the restore."""
    approval = core.submit(**fields)
    begin(core)
    return approval


def begin(core: Core) -> epochs.Epoch:
    with core.store.transaction() as connection:
        return epochs.begin(connection, 1)


def sweep(core: Core) -> None:
    Sweep(core.approvals).step()


def standing(core: Core, request_id: str) -> Response:
    found = stream.response(core.redis, AGENT, request_id)
    assert found is not None
    return found


def decided_in_the_lost_time(core: Core, **decision: Any) -> tuple[Any, str]:
    """A request that waits in the rows, and has been decided as Redis and its agent know; its receipt."""
    approval = core.submit(**decision.pop("fields", {}))
    vote = decision.pop("vote", "approve")
    before = _dump(core, approval.id)
    if vote == "answer":
        ended = core.approvals.questions.answer(approval.id, 1, "U0ANA", **decision)
    else:
        ended = core.approvals.decide(approval.id, 1, "U0ANA", vote, **decision)
    assert ended.receipt is not None
    _put_back(core, approval.id, before)
    begin(core)
    return core.store.get(approval.id), ended.receipt


def _dump(core: Core, approval_id: str) -> dict[str, Any]:
    with core.store.reading() as connection:
        row = (
            connection.exec_driver_sql(f"SELECT * FROM approval WHERE id = '{approval_id}'").mappings().one()
        )
        return dict(row)


def _put_back(core: Core, approval_id: str, row: dict[str, Any]) -> None:
    """As a backup has it that was taken before the decision; the log ends there, too."""
    with core.store.transaction() as connection:
        without_triggers(connection)
        asked = f"SELECT max(seq) FROM audit_event WHERE approval_id = '{approval_id}' AND kind = 'verdict'"
        connection.exec_driver_sql(f"DELETE FROM audit_event WHERE seq > ({asked})")
        values = ", ".join(f"{name} = {_literal(value)}" for name, value in row.items() if name != "id")
        connection.exec_driver_sql(
            f"UPDATE approval SET {values} WHERE id = '{approval_id}'".replace("%", "%%")
        )
        connection.exec_driver_sql(f"DELETE FROM decision WHERE approval_id = '{approval_id}'")


def _literal(value: Any) -> str:
    if value is None:
        return "NULL"
    return str(value) if isinstance(value, int) else "'" + str(value).replace("'", "''") + "'"


def test_nobody_decides_what_waited(core: Core) -> None:
    approval = closed(core)
    for answer in ("approve", "reject"):
        with pytest.raises(Restored):
            core.approvals.decide(approval.id, 1, "U0ANA", answer)  # type: ignore[arg-type]
    assert core.store.waiting() == [] and core.store.overdue() == []
    assert core.approvals.cancel(AGENT, approval.request_id).pending  # type: ignore[union-attr]


def test_without_a_receipt_it_ends_as_expired_and_its_agent_is_told(core: Core) -> None:
    approval = closed(core)
    sweep(core)
    ended = core.store.get(approval.id)
    assert ended is not None and ended.status == "expired" and ended.reason == epochs.CLOSED
    receipt = receipts.accept(
        standing(core, approval.request_id),
        receipts.verify_keys(core.signer.verify_key),
        agent=AGENT,
        request_id=approval.request_id,
        digest_sent=approval.digest_sent,
    )
    assert receipt.status == "expired" and receipt.reason == epochs.CLOSED
    assert audit.verify(core.store).ok and epochs.closed(core.store) == []
    with pytest.raises(Restored):
        core.approvals.decide(approval.id, 1, "U0ANA", "approve")


def test_what_had_run_out_of_time_is_adopted_as_that_and_not_as_ended_by_a_restore(core: Core) -> None:
    approval = core.submit()
    with core.store.transaction() as connection:
        connection.exec_driver_sql("UPDATE approval SET expires_at = 1")
    before = _dump(core, approval.id)
    assert core.approvals.expire(approval.id)
    _put_back(core, approval.id, before)
    begin(core)
    sweep(core)
    adopted = core.store.get(approval.id)
    assert adopted is not None and (adopted.status, adopted.restored) == ("expired", False)
    with pytest.raises(TimeRanOut):
        core.approvals.decide(approval.id, 1, "U0ANA", "approve")


def test_what_a_restore_has_ended_is_adopted_as_that_by_the_next_one(core: Core) -> None:
    approval = closed(core)
    sweep(core)
    with core.store.transaction() as connection:  # the next backup does not know of it at all
        for table in ("card", "payload"):
            connection.exec_driver_sql(f"DELETE FROM {table} WHERE approval_id = '{approval.id}'")
        connection.exec_driver_sql(f"DELETE FROM approval WHERE id = '{approval.id}'")
    begin(core)
    again = core.approvals.submit(AGENT, approval.request)
    assert (again.status, again.restored) == ("expired", True)
    with pytest.raises(Restored):
        core.approvals.decide(again.id, 1, "U0ANA", "approve")


@pytest.mark.parametrize(
    "decision",
    [
        {"vote": "approve"},
        {"vote": "approve", "reason": "by phone"},
        {"vote": "reject", "reason": "wrong", "resubmit": True},
        {"vote": "answer", "fields": QUESTION, "answer": GivenAnswer(text="That one.")},
    ],
    ids=["approved", "with a note", "rejected", "answered"],
)
def test_a_receipt_that_redis_has_is_adopted_and_nothing_else_is_published(
    core: Core, decision: dict[str, Any]
) -> None:
    approval, token = decided_in_the_lost_time(core, **decision)
    before = standing(core, approval.request_id)
    sweep(core)
    adopted = core.store.get(approval.id)
    assert adopted is not None and adopted.receipt == token == standing(core, approval.request_id).receipt
    assert standing(core, approval.request_id) == before
    ends = {"approve": "approved", "reject": "rejected", "answer": "answered"}
    assert adopted.status == ends[decision["vote"]]
    given = decision["answer"].said() if "answer" in decision else None
    assert adopted.decisions[-1].answer == given and adopted.decisions[-1].vote == decision["vote"]
    assert adopted.decision is not None and adopted.decision.approver == "U0ANA"
    assert adopted.decision.reason == decision.get("reason", "")
    assert adopted.decision.resubmit == decision.get("resubmit", False)
    assert adopted.id in core.changed
    found = audit.verify(core.store)
    assert found.ok
    with core.store.reading() as connection:
        kinds = (
            connection.exec_driver_sql("SELECT kind FROM audit_event ORDER BY seq DESC LIMIT 2")
            .scalars()
            .all()
        )
    assert kinds == ["adopted", "restored"]


@pytest.mark.parametrize("what", ["nonsense", "other key", "other request", "changed", "pending"])
def test_what_somebody_put_into_redis_is_not_adopted_and_blocks_nothing(core: Core, what: str) -> None:
    approval, token = decided_in_the_lost_time(core)
    key = stream.decision(AGENT, approval.request_id)
    good = standing(core, approval.request_id)
    if what == "nonsense":
        core.redis.set(key, "{nonsense")
    elif what == "other key":
        other = receipts.Signer.generate()
        real = receipts.verify(token, receipts.verify_keys(core.signer.verify_key), AGENT)
        core.redis.set(key, good.model_copy(update={"receipt": receipts.sign(other, real)}).encode())
    elif what == "other request":
        _, another = decided_in_the_lost_time(core)
        core.redis.set(key, good.model_copy(update={"receipt": another}).encode())
    elif what == "changed":
        core.redis.set(key, good.model_copy(update={"payload": '{"amount":1}'}).encode())
    else:
        core.redis.set(key, Response(status="pending").encode())
    sweep(core)
    ended = core.store.get(approval.id)
    assert ended is not None and ended.status == "expired"
    assert standing(core, approval.request_id).receipt == ended.receipt
    # Its agent may hold the receipt of before: it goes on to verify.
    assert receipts.verify(token, receipts.verify_keys(core.signer.verify_key), AGENT).approved


def test_while_redis_is_away_nothing_ends(core: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    approval, token = decided_in_the_lost_time(core)
    overdue = core.submit()
    with core.store.transaction() as connection:
        connection.exec_driver_sql(f"UPDATE approval SET expires_at = 1 WHERE id = '{overdue.id}'")
    with monkeypatch.context() as patch:

        def away(*_: Any) -> None:
            raise redis.ConnectionError("away")

        patch.setattr(core.approvals.publisher, "standing", away)
        sweep(core)
    assert core.store.get(approval.id).pending  # type: ignore[union-attr]
    assert core.store.get(overdue.id).status == "expired"  # type: ignore[union-attr]
    sweep(core)
    assert core.store.get(approval.id).receipt == token  # type: ignore[union-attr]


def test_a_request_that_is_in_no_row_is_answered_again_and_asked_of_nobody(core: Core) -> None:
    """Its row was lost; Redis has what it became."""
    first = core.submit(payload={"amount": 120}, key="k")
    ended = core.approvals.decide(first.id, 1, "U0ANA", "approve", payload={"amount": 80})
    _lose(core, first.id)
    core.changed.clear()
    again = core.approvals.submit(AGENT, first.request)
    assert (again.status, again.receipt, again.payload) == ("approved", ended.receipt, {"amount": 80})
    assert again.version == 2 and core.changed == [] and undelivered(core.store) == []
    core.approvals.tell(again)
    assert standing(core, first.request_id).receipt == ended.receipt
    assert core.approvals.submit(AGENT, first.request).receipt == ended.receipt


def test_an_id_that_was_answered_cannot_be_used_for_other_content(core: Core) -> None:
    first = core.submit(payload={"amount": 120})
    core.approvals.decide(first.id, 1, "U0ANA", "reject")
    _lose(core, first.id)
    with pytest.raises(Invalid, match="commits"):
        core.submit(id=first.request_id, payload={"amount": 1_000_000})
    assert core.store.find(AGENT, first.request_id) is None


def test_agents_that_wait_for_what_is_in_no_row_are_told_once(core: Core) -> None:
    lost, kept = core.submit(), core.submit()
    for approval in (lost, kept):
        core.approvals.tell(approval)
    _lose(core, lost.id)
    begin(core)
    core.redis.set("signoff:dec:not-ours:x:y", "{}")
    sweep(core)
    receipt = receipts.accept(
        standing(core, lost.request_id),
        receipts.verify_keys(core.signer.verify_key),
        agent=AGENT,
        request_id=lost.request_id,
        digest_sent=lost.digest_sent,
    )
    assert receipt.status == "expired" and receipt.reason == epochs.LOST
    assert epochs.untold(core.store) == []
    with pytest.raises(Expired, match="restored from a backup"):
        core.approvals.submit(AGENT, lost.request)  # it was told; it may have gone on
    assert core.store.find(AGENT, lost.request_id) is None


@pytest.fixture
def agent(core: Core, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Signoff]:
    """An agent, and an intake that takes what it asks."""
    monkeypatch.setattr(resend, "RESEND_SECONDS", (0.05,))
    client, stop = redis.Redis.from_url(redis_url, socket_timeout=10), threading.Event()
    intake = Intake(core.approvals, Stream(client, "intake"))
    thread = threading.Thread(target=intake.run, args=(stop,))
    thread.start()
    with Signoff(redis_url=redis_url, agent=AGENT, verify_key=core.signer.verify_key) as found:
        yield found
    stop.set()
    thread.join(20)
    client.close()


def taken(core: Core, agent: Signoff, request_id: str) -> None:
    """The server has it, and it is not under way once more."""
    link = agent._async._link._exchange
    assert link is not None and agent.received(request_id, 20)
    eventually(lambda: not link._unreceived)
    eventually(lambda: not core.redis.xlen(stream.requests(AGENT)))


def test_who_waits_for_what_rows_and_redis_have_both_lost_asks_again_by_itself(
    core: Core, agent: Signoff
) -> None:
    """A backup of before it was put back, and Redis was replaced: no server can tell its agent anything."""
    ticket = agent.request("refund.create", {"amount": 120}, reversible=True)
    with ThreadPoolExecutor(1) as pool:
        waits = pool.submit(ticket.wait, 60)
        taken(core, agent, ticket.id)
        _lose(core, ticket.id)
        begin(core)
        core.redis.flushall()
        sweep(core)
        core.redis.client_kill_filter(_type="pubsub")
        again = eventually(lambda: core.store.find(AGENT, ticket.id))
        decided = core.approvals.decide(again.id, 1, "U0ANA", "approve")
        assert waits.result(60).token == decided.receipt


def test_what_redis_alone_has_lost_is_asked_of_nobody_again(core: Core, agent: Signoff) -> None:
    """The agent that waits sends it again, and its row answers."""
    ticket = agent.request("refund.create", {"amount": 120}, reversible=True)
    with ThreadPoolExecutor(1) as pool:
        waits = pool.submit(ticket.wait, 60)
        taken(core, agent, ticket.id)
        core.redis.flushall()
        core.redis.client_kill_filter(_type="pubsub")
        eventually(lambda: stream.response(core.redis, AGENT, ticket.id))
        decided = core.approvals.decide(ticket.id, 1, "U0BEN", "reject")
        with pytest.raises(Rejected):
            waits.result(60)
    assert core.changed == [ticket.id, ticket.id]
    assert standing(core, ticket.id).receipt == decided.receipt


def _lose(core: Core, approval_id: str) -> None:
    """Take a row away, as a restore does; the log then ends before it."""
    with core.store.transaction() as connection:
        without_triggers(connection)
        first = f"SELECT min(seq) FROM audit_event WHERE approval_id = '{approval_id}'"
        connection.exec_driver_sql(f"DELETE FROM audit_event WHERE seq >= ({first})")
        for table in ("decision", "card", "payload"):
            connection.exec_driver_sql(f"DELETE FROM {table} WHERE approval_id = '{approval_id}'")
        connection.exec_driver_sql(f"DELETE FROM approval WHERE id = '{approval_id}'")
