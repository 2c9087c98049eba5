"""Requests that are asked together: frozen, shown on one card, decided one by one."""

from __future__ import annotations

import threading
import time
import uuid
from typing import Any

import pytest
from sqlalchemy import text as sql

from signoff.approvals import audit
from signoff.approvals.errors import NotAllowed, UnknownApproval
from signoff.approvals.sweep import Sweep
from signoff.errors import Invalid, Limited
from signoff.models.approval import Approval
from signoff.models.batch_rows import MOST_EMPTY
from signoff.models.batches import Batch
from signoff.models.messages import Freeze
from tests.support import Core, a_request

NAME = "0123456789abcdef0123456789abcdef"


def send(core: Core, count: int = 3, name: str = NAME, **fields: Any) -> list[Approval]:
    """So many requests of one batch, not frozen yet."""
    fields = {"reversibility": "reversible", "batch": name} | fields
    return [core.submit(action="ticket.tidy", payload={"branch": f"b{n}"}, **fields) for n in range(count)]


def freeze(core: Core, sent: list[Approval], name: str = NAME, agent: str = "billing-bot") -> Batch:
    ids = tuple(uuid.UUID(one.request_id) for one in sent)
    return core.approvals.batches.freeze(agent, name, Freeze(title="Clean up", run="r1", ids=ids))


def change(core: Core, statement: str, **values: Any) -> None:
    with core.store.transaction() as connection:
        connection.execute(sql(statement), values)


def test_a_batch_is_seen_once_it_is_frozen_and_its_requests_have_no_cards_of_their_own(core: Core) -> None:
    sent = send(core)
    assert core.approvals.waiting_for("U0ANA") == []
    with pytest.raises(UnknownApproval):  # who has seen nothing of it decides nothing
        core.approvals.decide(sent[0].id, 1, "U0ANA", "approve")
    assert all(core.approvals.get(one.id).card is None for one in sent)
    core.changed.clear()
    batch = freeze(core, sent)
    assert (batch.state, batch.size, batch.title, batch.run) == ("frozen", 3, "Clean up", "r1")
    assert batch.wanted == "C0APPROVE"
    assert [one.id for one in batch.items] == [one.id for one in sent] and batch.apart == ()
    assert core.approvals.waiting_for("U0ANA") == [one.id for one in sent]
    assert core.changed == [sent[0].id]
    again = freeze(core, sent)
    assert (again.revision, again.frozen_at) == (batch.revision, batch.frozen_at)
    for others in (sent[:2], list(reversed(sent))):
        with pytest.raises(Invalid, match="other requests"):
            freeze(core, others)


def test_what_may_not_share_a_card_leaves_for_one_of_its_own(core: Core) -> None:
    core.follow(
        "batch: {most: 3, of: ['ticket.*', 'other.*']}\n"
        "groups: {ops: {users: [U0MIA]}}\n"
        "risk: {'ticket.lose': critical}\n"
        "rules:\n"
        "  - {name: theirs, match: {action: other.ask}, verdict: ask, approvers: ops}\n"
        "  - {name: free, match: {action: free.go}, verdict: allow}\n"
        "  - {name: bad, match: {action: bad.go}, verdict: block, reason: never}\n"
        "  - {name: rest, verdict: ask}\n"
    )

    def ask(action: str, n: int = 0, **more: Any) -> Approval:
        fields = {"reversibility": "reversible", "batch": NAME, **more}
        return core.submit(action=action, payload={"n": n}, **fields)

    stays = [ask("ticket.tidy", n) for n in range(3)]
    leaves = [
        ask("ticket.tidy", 9),  # over the most
        ask("ticket.wipe", reversibility="irreversible"),
        ask("ticket.prune", reversibility=None),
        ask("ticket.lose"),
        ask("table.drop"),
        ask("other.ask"),
    ]
    ended = [ask("free.go"), ask("bad.go")]
    batch = freeze(core, [leaves[3], *stays, *leaves[:3], *leaves[4:], *ended])
    assert [one.id for one in batch.items] == [one.id for one in stays]
    assert {one.id for one in batch.apart} == {one.id for one in (*leaves, *ended)}
    for one in leaves:
        assert core.approvals.get(one.id).card and core.approvals.get(one.id).batch_id is None
    core.follow("batch: {irreversible: true}\nrules: [{name: rest, verdict: ask}]")
    final = [
        core.submit(action="db.wipe", payload={"n": n}, reversibility="irreversible", batch="a" * 32)
        for n in range(2)
    ]
    assert len(freeze(core, final, "a" * 32).items) == 2
    alone = send(core, 1, "b" * 32)
    assert [one.id for one in freeze(core, alone, "b" * 32).apart] == [alone[0].id]


def test_a_freeze_is_the_agents_own_and_names_each_once(core: Core) -> None:
    others = core.submit("other-bot", batch=NAME, reversibility="reversible")
    sent = send(core, 2)
    second = core.submit(payload={"n": 1}, batch="c" * 32, reversibility="reversible")
    for wrong in ([*sent, others], [sent[0], sent[0]], [*sent, second]):
        with pytest.raises(Invalid):
            freeze(core, wrong)
    assert core.approvals.waiting_for("U0ANA") == []
    assert freeze(core, sent).state == "frozen"


def test_a_freeze_before_its_requests_takes_them_as_they_come(core: Core) -> None:
    requests = [
        a_request(action="ticket.tidy", payload={"n": n}, batch=NAME, reversibility="reversible")
        for n in range(3)
    ]
    ids = tuple(one.id for one in requests)
    batch = core.approvals.batches.freeze("billing-bot", NAME, Freeze(title="Clean up", ids=ids))
    assert (batch.items, batch.wanted) == ((), None)
    core.approvals.submit("billing-bot", requests[2])
    core.approvals.submit("billing-bot", requests[0])
    late = core.submit(action="ticket.tidy", payload={"n": 9}, batch=NAME, reversibility="reversible")
    assert core.approvals.get(late.id).card, "it was not frozen with the others"
    core.approvals.submit("billing-bot", requests[1])
    batch = core.approvals.batches.get(batch.id)
    assert [one.request_id for one in batch.items] == [str(one) for one in ids]
    assert (batch.wanted, batch.apart) == ("C0APPROVE", ())
    assert core.approvals.waiting_for("U0ANA")[:1] == [str(ids[2])]


def test_an_agent_freezes_no_endless_number_of_batches_that_hold_nothing(core: Core) -> None:
    def nothing(n: int) -> Batch:
        ids = (uuid.uuid4(),)
        return core.approvals.batches.freeze("billing-bot", f"{n:032x}", Freeze(title="Nothing", ids=ids))

    core.submit()
    for n in range(MOST_EMPTY):
        nothing(n)
    with pytest.raises(Limited, match="send the requests first"):
        nothing(MOST_EMPTY)
    assert freeze(core, send(core)).items, "one with its requests is taken"


def test_a_batch_that_is_never_frozen_ends_unseen_and_its_agent_is_told(core: Core) -> None:
    sent = send(core)
    sweep = Sweep(core.approvals)
    sweep.step()
    assert core.approvals.get(sent[0].id).pending
    change(core, "UPDATE batch SET created_at = created_at - 61000000")
    core.redis.xadd("signoff:req:billing-bot", {"v": "1"})  # what freezes it may be among what is unread
    sweep.step()
    assert core.approvals.get(sent[0].id).pending
    core.redis.delete("signoff:req:billing-bot")
    sweep.step()
    for one in sent:
        ended = core.approvals.get(one.id)
        assert (ended.status, ended.shown_at, ended.card) == ("cancelled", None, None)
        assert "never finished" in ended.reason
        told = core.approvals.publisher.standing("billing-bot", one.request_id)
        assert told and told.status == "cancelled"
    with pytest.raises(Invalid, match="never finished"):
        freeze(core, sent)
    with pytest.raises(Invalid, match="never finished"):
        core.submit(payload={"late": 1}, batch=NAME)
    before = core.changed.copy()
    sweep.step()
    assert core.changed == before, "it is done with"


def test_what_the_log_says_was_frozen_is_not_dropped_whatever_its_row_says(core: Core) -> None:
    sent = send(core)
    freeze(core, sent)
    change(core, "UPDATE batch SET created_at = created_at - 100000000, shown_revision = 0, ids = NULL")
    for state in ("dropped", "open"):
        change(core, "UPDATE batch SET state = :state", state=state)
        Sweep(core.approvals).step()
        assert all(core.approvals.get(one.id).pending for one in sent)
    found = audit.verify(core.store)
    assert not found.ok and found.column == "batch.state"


def test_a_review_decides_what_was_seen_whole_at_its_version_and_nothing_else(core: Core) -> None:
    sent = send(core, 8)
    batch = freeze(core, sent)
    batches, ids = core.approvals.batches, [one.id for one in sent]
    review = batches.review("U0ANA", ids, batch.id)
    assert review.items == tuple((one, 1) for one in ids) and review.seen == 0
    assert batches.decide(review.id, "U0ANA", "approve").decided == ()
    assert batches.saw(review.id, "U0ANA", 6).seen == 6
    assert batches.saw(review.id, "U0ANA", 2).seen == 6, "what was seen stays seen"
    core.approvals.decide(ids[0], 1, "U0BEN", "reject", reason="mine")
    core.approvals.decide(ids[1], 1, "U0BEN", "approve", payload={"branch": "other"})
    core.approvals.cancel("billing-bot", sent[2].request_id)
    change(core, "UPDATE approval SET expires_at = 1 WHERE id = :id", id=ids[3])
    moved = batches.get(batch.id).revision
    done = batches.decide(review.id, "U0ANA", "approve")
    assert done.decided == (ids[4], ids[5])
    why = {one.approval_id: one.why for one in done.left}
    assert why == {
        ids[0]: "ben rejected it meanwhile.",
        ids[1]: "ben approved it meanwhile.",
        ids[2]: "Its agent withdrew it.",
        ids[3]: "Its time ran out.",
        ids[6]: "It was not shown whole.",
        ids[7]: "It was not shown whole.",
    }
    assert batches.get(batch.id).revision == moved + 2
    receipt = core.approvals.get(ids[4])
    assert (receipt.status, receipt.decision and receipt.decision.approver) == ("approved", "U0ANA")
    told = core.approvals.publisher.standing("billing-bot", sent[4].request_id)
    assert told and told.status == "approved" and told.payload == '{"branch":"b4"}'
    assert core.approvals.get(ids[4]).published_at
    with pytest.raises(UnknownApproval):
        batches.decide(review.id, "U0BEN", "approve")
    with pytest.raises(NotAllowed):
        batches.review("U0MIA", ids, batch.id)
    with pytest.raises(NotAllowed):
        batches.reject(batch.id, "U0MIA", "no")
    for nothing in ("", " \u200b"):
        with pytest.raises(Invalid, match="why"):
            batches.reject(batch.id, "U0BEN", nothing)
    assert core.approvals.get(ids[6]).pending
    rejected = batches.reject(batch.id, "U0BEN", "not now", True)
    assert rejected.decided == (ids[6], ids[7])
    assert all((core.approvals.get(one).reason, core.approvals.get(one).status) == ("not now", "rejected")
               for one in rejected.decided)  # fmt: skip


def test_two_reviewers_of_one_batch_decide_everything_once_and_both_are_told_truly(core: Core) -> None:
    sent = send(core, 20)
    batch, ids = freeze(core, sent), [one.id for one in sent]
    found: dict[str, Any] = {}

    def decide(user: str, review: str, vote: Any) -> None:
        found[user] = core.approvals.batches.decide(review, user, vote, reason="No more.")

    threads = []
    for user, order, vote in (("U0ANA", ids, "approve"), ("U0BEN", ids[::-1], "reject")):
        review = core.approvals.batches.review(user, order, batch.id)
        core.approvals.batches.saw(review.id, user, len(order))
        threads.append(threading.Thread(target=decide, args=(user, review.id, vote)))
    for one in threads:
        one.start()
    for one in threads:
        one.join(60)
    ana, ben = found["U0ANA"], found["U0BEN"]
    assert sorted((*ana.decided, *ben.decided)) == sorted(ids)
    for mine, status in ((ana, "approved"), (ben, "rejected")):
        assert all(core.approvals.get(one).status == status for one in mine.decided)
        assert {one.approval_id for one in mine.left} == {*ids}.difference(mine.decided)
        assert all("meanwhile" in one.why for one in mine.left)


def test_cards_that_wait_alone_and_are_alike_are_offered_together(core: Core) -> None:
    waits = [core.submit(payload={"n": n}, reversibility="reversible") for n in range(3)]
    old = core.submit(payload={"n": 7}, reversibility="reversible")
    change(core, "UPDATE approval SET created_at = created_at - 601000000 WHERE id = :id", id=old.id)
    core.submit(payload={"n": 8}, reversibility="irreversible")
    core.submit(payload={"n": 9}, reversibility="reversible", action="other.one")
    batched = freeze(core, send(core, 2))
    batches = core.approvals.batches
    assert batches.alike("U0ANA", waits[1].id) == [one.id for one in waits]
    assert batches.alike("U0MIA", waits[1].id) == [] == batches.alike("U0ANA", batched.items[0].id)
    review = batches.review("U0ANA", [one.id for one in waits])
    batches.saw(review.id, "U0ANA", 3)
    assert batches.decide(review.id, "U0ANA", "approve", of=[waits[2].id]).decided == (waits[2].id,)
    assert batches.alike("U0ANA", waits[0].id) == [waits[0].id, waits[1].id]


def test_what_the_policy_takes_out_later_gets_its_own_card_and_is_not_approved_among_others(
    core: Core,
) -> None:
    sent = send(core, 3)
    batch, ids = freeze(core, sent), [one.id for one in sent]
    review = core.approvals.batches.review("U0ANA", ids, batch.id)
    core.approvals.batches.saw(review.id, "U0ANA", 3)
    core.follow("risk: {ticket.tidy: critical}\nrules: [{name: all, verdict: ask}]")
    done = core.approvals.batches.decide(review.id, "U0ANA", "approve")
    assert done.decided == () and {one.why for one in done.left} == {
        "It has to be looked at by itself: its risk is critical."
    }
    Sweep(core.approvals).step()
    assert [core.approvals.get(one).batch_id for one in ids] == [None] * 3
    assert all(core.approvals.get(one).card for one in ids)
    assert core.approvals.batches.get(batch.id).items == ()


def test_five_hundred_are_decided_in_seconds(core: Core) -> None:
    core.follow("batch: {most: 500}\nrules: [{name: all, verdict: ask}]")
    batch = freeze(core, send(core, 500))
    review = core.approvals.batches.review("U0ANA", [one.id for one in batch.items], batch.id)
    core.approvals.batches.saw(review.id, "U0ANA", 500)
    core.changed.clear()
    began = time.process_time()
    done = core.approvals.batches.decide(review.id, "U0ANA", "approve")
    assert len(done.decided) == 500
    assert time.process_time() - began < 10, "1.2 s on SQLite, 2 s on PostgreSQL: no disk is in it"
    assert len(core.changed) == 1, "one card is redrawn, so one wake-up is enough"
