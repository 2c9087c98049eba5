"""What lists read, and that they read an index however many old Approvals there are; on both databases."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event, insert, select, text
from support import Core

from signoff.approvals.errors import NotAllowed, UnknownApproval
from signoff.approvals.lists import Ambiguous, Lists, NoId, NotListed
from signoff.models import homes, lists, turns
from signoff.models.people import Person
from signoff.models.store import agents, approvals, cards, decisions, payloads
from signoff.policy.evaluate import evaluate
from signoff.policy.policy import Policy

ANA, BEN, MIA = "U0ANA", "U0BEN", "U0MIA"


@pytest.fixture
def many(core: Core) -> Core:
    """5,000 old Approvals of ten agents, 20 actions and five people."""
    request = core.submit().request
    claims = request.claims()
    verdict = evaluate(request, "billing-bot", Policy(("S0FIN",), "C0APPROVE")).model_dump_json()
    ids = [f"{n:08x}-0000-7000-8000-{n:012x}" for n in range(5000)]
    old = [
        {
            "id": one, "request_id": one, "agent": f"agent-{n % 10}", "action": f"action.{n % 20}",
            "status": "approved", "digest_sent": "", "verdict": verdict, "created_at": n, "expires_at": n + 9,
            "ended_at": n + 5, "published_at": n + 6, "revision": 2, "version": 1, "delivered_revision": 2,
            "reason": "", "not_before": 0,
        }
        for n, one in enumerate(ids)
    ]  # fmt: skip
    said = {"version": 1, "name": "x", "vote": "approve", "reason": "", "resubmit": False}
    with core.store.transaction() as connection:
        connection.execute(insert(agents), [{"name": f"agent-{n}", "created_at": 1} for n in range(10)])
        connection.execute(insert(approvals), old)
        connection.execute(
            insert(payloads),
            [{"approval_id": one, "version": 1, "text": "{}", "claims": claims} for one in ids],
        )
        connection.execute(
            insert(decisions),
            [{"approval_id": one, "approver": f"U0X{n % 5}", "at": n, **said} for n, one in enumerate(ids)],
        )
        connection.execute(insert(cards), [{"approval_id": one, "lease_until": 0} for one in ids])
    with core.store.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE"))
    return core


def a_lists(core: Core, *admins: str) -> Lists:
    return Lists(core.approvals, core.people, admins)


def own(core: Core, agent: str, user: str) -> None:
    with core.store.transaction() as connection:
        statement = text("UPDATE agent SET owner = :user WHERE name = :agent")
        assert connection.execute(statement, {"user": user, "agent": agent}).rowcount == 1


@contextmanager
def reads(core: Core) -> Iterator[list[tuple[str, Any]]]:
    """The SELECTs that are executed meanwhile, and their parameters."""
    found: list[tuple[str, Any]] = []

    def note(connection: Any, cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if statement.startswith("SELECT"):
            found.append((statement, parameters))

    event.listen(core.store.engine, "before_cursor_execute", note)
    yield found
    event.remove(core.store.engine, "before_cursor_execute", note)


def plan(core: Core, statement: str, parameters: Any) -> str:
    explain = "EXPLAIN QUERY PLAN" if core.store.engine.dialect.name == "sqlite" else "EXPLAIN"
    with core.store.reading() as connection:
        rows = connection.exec_driver_sql(f"{explain} {statement}", parameters).all()
    return "\n".join(str(row[-1]) for row in rows)


LOOKS: dict[str, Callable[[Core, Lists], object]] = {
    "pending": lambda core, found: found.pending(ANA),
    "pending about": lambda core, found: found.pending(ANA, 1, "agent-1"),
    "mine": lambda core, found: found.mine("U0X1"),
    "history": lambda core, found: found.history(ANA),
    "a late page": lambda core, found: found.history(ANA, 20),
    "history of an agent": lambda core, found: found.history(ANA, 1, "agent-1"),
    "history of an action": lambda core, found: found.history(ANA, 1, "action.1"),
    "history of an owner": lambda core, found: found.history(MIA),
    "show": lambda core, found: found.find(MIA, "00000abc"),
    "home": lambda core, found: found.overview("U0X1"),
    "what is due": lambda core, found: (homes.due(core.store), homes.change(core.store)),
    "sweep": lambda core, found: (
        core.store.overdue(), core.store.unpublished(1),
        turns.next_turn(core.store), turns.rest(core.store, 2),
    ),
}  # fmt: skip


def test_every_list_reads_an_index(many: Core) -> None:
    many.people.persons["U0X1"] = Person("U0X1", "x", team_id="T1")
    own(many, "agent-3", MIA)
    own(many, "agent-4", "U0X1")
    for name, look in LOOKS.items():
        with reads(many) as found:
            look(many, a_lists(many, MIA) if name == "show" else a_lists(many))
        assert found, name
        for statement, parameters in found:
            steps = plan(many, statement, parameters)
            if "verdict" in statement and "FROM approval \n" in statement:
                assert "approval_pending" in steps, "what waits is read by the index that holds nothing else"
            for table in ("approval", "decision", "card", "payload"):
                assert not [one for one in steps.splitlines() if reads_all_of(table, one)], (
                    f"{statement}\n{steps}"
                )


def reads_all_of(table: str, step: str) -> bool:
    return f"Seq Scan on {table} " in step or (step.startswith(f"SCAN {table}") and "USING" not in step)


def test_the_history_is_newest_first_and_its_pages_follow_each_other(many: Core) -> None:
    found = a_lists(many)
    seen: list[int] = []
    for page in range(1, 6):
        part = found.history(ANA, page, "agent-7")
        assert part.page == page and part.more and len(part.items) == 10
        seen += [one.created_at for one in part.items]
    assert seen == [n for n in range(4999, 0, -1) if n % 10 == 7][:50]
    last = found.history(ANA, 10**9, "agent-7")
    assert last.page == 100 and not last.more


def test_an_owner_sees_the_history_of_their_agents_alone(many: Core) -> None:
    found = a_lists(many)
    with pytest.raises(NotAllowed):
        found.history(MIA)
    own(many, "agent-3", MIA)
    own(many, "agent-5", MIA)
    assert [one.created_at for one in found.history(MIA).items[:4]] == [4995, 4993, 4985, 4983]
    assert {one.agent for one in found.history(MIA, 1, "agent-5").items} == {"agent-5"}
    assert {one.action for one in found.history(MIA, 1, "action.13").items} == {"action.13"}
    assert found.history(MIA, 1, "agent-1").items == found.history(MIA, 1, "action.1").items == ()
    assert {one.agent for one in found.owned(MIA).items} == {"agent-3", "agent-5"}
    many.people.persons[MIA] = Person(MIA, "mia", team_id="T1", guest=True)
    with pytest.raises(NotAllowed):
        found.history(MIA)


def a_twin(core: Core, of: str, other: str) -> str:
    """The rows of an approval once more, under an id that begins as that of the first."""
    with core.store.transaction() as connection:
        for table, column in ((approvals, "id"), (payloads, "approval_id")):
            row = connection.execute(select(table).where(table.c[column] == of)).one()
            twin = dict(row._mapping) | {column: other}
            if column == "id":
                twin["request_id"] = other
            connection.execute(insert(table), twin)
    return other


def test_a_beginning_that_several_share_is_ambiguous(core: Core) -> None:
    found, ids = a_lists(core), [core.submit().id]
    for number in range(2):
        ids.append(a_twin(core, ids[0], f"{ids[0][:9]}{number:04}{ids[0][13:]}"))
    with pytest.raises(Ambiguous):
        found.find(ANA, ids[0][:8])
    assert found.find(ANA, ids[1]).id == ids[1]
    assert found.find(ANA, f" {ids[1][:30].upper()} ").id == ids[1]
    for asked in ("", ids[0][:5], "%" * 9, "' OR 1=1 --", "x" * 36, "a" * 65):
        with pytest.raises(NoId):
            found.find(ANA, asked)
    for asked in ("ffffffff-ffff", "ZZZZZZ"):
        with pytest.raises(UnknownApproval):
            found.find(ANA, asked)


def test_who_has_nothing_to_do_with_a_request_is_told_who_has(core: Core) -> None:
    found, approval = a_lists(core, BEN), core.submit()
    with pytest.raises(NotListed) as refused:
        found.see(MIA, approval.id)
    assert refused.value.approvers == ("S0FIN",)
    own(core, approval.agent, MIA)
    assert found.see(MIA, approval.id).id == approval.id
    core.approvals.decide(approval.id, 1, ANA, "approve")
    own(core, approval.agent, "U0OTHER")
    core.people.groups["S0FIN"].discard(ANA)
    assert found.see(ANA, approval.id).id == approval.id, "she decided it"
    core.people.persons[ANA] = Person(ANA, "ana", team_id="T2")
    with pytest.raises(NotAllowed, match="workspace"):
        found.see(ANA, approval.id)


def test_a_line_says_who_decided_and_where_the_card_stands(core: Core) -> None:
    one, other = core.submit(), core.submit()
    core.approvals.decide(one.id, 1, BEN, "reject", reason="no", resubmit=True)
    core.approvals.cards.note_shown(core.approvals.get(one.id), "C1", "1.1", "https://x.slack.com/a", "")
    decided, waits, *none = lists.lines(core.store, [one.id, other.id, "gone"])
    assert not none and (decided.vote, decided.approver, decided.resubmit) == ("reject", BEN, True)
    assert decided.permalink == "https://x.slack.com/a" and decided.headline == ""
    assert waits.pending and waits.vote is None and lists.lines(core.store, []) == []


def test_what_waits_can_be_of_one_agent_or_action_and_is_counted(core: Core) -> None:
    for _ in range(12):
        core.submit("one-bot", action="do.it")
    other = core.submit("two-bot", action="one-bot")
    found = a_lists(core)
    page = found.pending(ANA, 2, "do.it")
    assert (page.page, page.pages, page.total, len(page.items), page.more) == (2, 2, 12, 2, False)
    assert found.pending(ANA, 99, "one-bot").total == 13
    assert [one.id for one in found.pending(ANA, 1, "two-bot").items] == [other.id]
    assert found.pending(MIA).total == 0
