"""Was this right? Asked where the policy says so, answered once, logged, and never a permission."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from support import Core, a_request

from signoff.approvals import audit
from signoff.approvals.errors import (
    FeedbackGiven,
    FeedbackOver,
    NotAllowed,
    NotAsked,
    NotRecorded,
    OtherKind,
    UnknownApproval,
)
from signoff.approvals.feedback import OF_BATCH
from signoff.bot.blocks import check_message
from signoff.bot.cards.batch_card import batch_card
from signoff.errors import Invalid, Limited
from signoff.models import history, progress
from signoff.models.approval import Approval
from signoff.models.engine import snapshot
from signoff.models.feedback import OPEN_FOR, is_sampled
from signoff.models.messages import Freeze, Outcome
from signoff.policy.loader import parse
from signoff.policy.replay import replay
from signoff.receipts import verify_keys
from signoff.sandbox.remote import nodes

AGENT = "billing-bot"
ALWAYS = "feedback: 100%\nagents: {billing-bot: {owner: U0MIA}}\n"


def ran(core: Core, action: str = "refund.create", result: Any = None, **fields: Any) -> Approval:
    """Asked, approved by Ana, shown and reported."""
    approval = core.submit(action=action, **fields)
    core.approvals.cards.note_shown(core.approvals.get(approval.id), "C1", approval.id[:8], None, "text")
    core.approvals.decide(approval.id, 1, "U0ANA", "approve")
    core.approvals.report(AGENT, approval.request_id, Outcome(succeeded=True, note="ok", result=result))
    found: Approval = core.approvals.get(approval.id)
    return found


def owned(core: Core, policy: str = ALWAYS) -> None:
    """A policy in force, and Mia as the owner in its row, as where a server has read it."""
    core.follow(policy)
    if not core.approvals.store.waiting("first.ever"):
        core.submit(action="first.ever", payload={"number": 99})
    with core.store.transaction() as connection:
        connection.execute(text("UPDATE agent SET owner = 'U0MIA'"))


def test_it_is_asked_once_answered_once_and_the_log_says_so(core: Core) -> None:
    owned(core)
    approval = ran(core, result={"id": "re_991"})
    assert approval.feedback is not None and approval.feedback.answer is None
    assert approval.outcome is not None and approval.outcome.result == {"id": "re_991"}
    assert approval.feedback.people(approval.decisions) == ("U0ANA", "U0MIA")
    with pytest.raises(NotAsked) as refused:
        core.approvals.feedback.give(approval.id, "U0BEN", "right")
    assert refused.value.approvers == ("U0ANA", "U0MIA")
    for answer, words in (("great", ""), ("wrong", "x" * 3001), ("wrong", "key AKIAIOSFODNN7EXAMPLE")):
        with pytest.raises(Invalid):
            core.approvals.feedback.give(approval.id, "U0ANA", answer, words)
    for answer, words in (("wrong", ""), ("partly", " \u200b\n")):
        with pytest.raises(Invalid, match="what would have been right"):
            core.approvals.feedback.give(approval.id, "U0MIA", answer, words)
    core.changed.clear()
    given = core.approvals.feedback.give(approval.id, "U0MIA", "partly", " The amount was net. ")
    assert given.feedback is not None
    assert (given.feedback.answer, given.feedback.text, given.feedback.by_id) == (
        "partly", "The amount was net.", "U0MIA",
    )  # fmt: skip
    assert core.changed == [approval.id] and given.revision == approval.revision + 1
    with pytest.raises(FeedbackGiven) as late:
        core.approvals.feedback.give(approval.id, "U0ANA", "right")
    assert (late.value.by_id, late.value.answer) == ("U0MIA", "partly")
    assert given.receipt == approval.receipt and given.status == "approved"  # nothing runs by it
    with core.store.reading() as connection:
        lines = connection.execute(text("SELECT actor, data FROM audit_event WHERE kind = 'feedback'")).all()
    assert len(lines) == 1 and lines[0].actor == "U0MIA" and '"answer":"partly"' in lines[0].data
    assert "net" not in lines[0].data and "Mia" not in lines[0].data
    assert audit.verify(core.store, keys=verify_keys(core.signer.verify_key)).ok


def test_of_many_who_say_at_once_one_is_heard(core: Core) -> None:
    owned(core)
    approval = ran(core)

    def say(who: str) -> str:
        try:
            core.approvals.feedback.give(approval.id, who, "right" if who == "U0ANA" else "wrong", "No.")
            return who
        except FeedbackGiven as late:
            return late.by_id

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(say, ["U0ANA", "U0MIA"] * 4))) == 1
    with core.store.reading() as connection:
        assert (
            connection.execute(text("SELECT count(*) FROM audit_event WHERE kind = 'feedback'")).scalar() == 1
        )


def test_nobody_is_asked_where_the_policy_does_not_say_so_or_nobody_sees_it(core: Core) -> None:
    assert ran(core).feedback is None  # without a policy
    owned(core, "feedback: 0%\nagents: {billing-bot: {owner: U0MIA}}\n")
    assert ran(core, payload={"number": 2}).feedback is None
    owned(core, ALWAYS + "rules: [{name: quiet, match: {action: refund.*}, verdict: ask, feedback: 0%}]")
    quiet = ran(core, payload={"number": 3})
    assert quiet.feedback is None and ran(core, "note.write", payload={"number": 4}).feedback is not None
    with pytest.raises(UnknownApproval):
        core.approvals.feedback.give(quiet.id, "U0ANA", "right")
    owned(core, ALWAYS + "rules: [{name: free, match: {action: note.*}, verdict: allow}]")
    free = core.submit(action="note.write", payload={"number": 5})
    core.approvals.report(AGENT, free.request_id, Outcome(succeeded=True))
    assert core.approvals.get(free.id).feedback is None  # it has no card


def test_after_a_week_nobody_is_asked_and_the_card_is_drawn_anew(core: Core) -> None:
    owned(core)
    approval = ran(core)
    assert approval.feedback is not None and approval.id not in progress.due(core.store)
    with core.store.transaction() as connection:
        connection.execute(text("UPDATE feedback SET asked_at = asked_at - :week"), {"week": OPEN_FOR})
        connection.execute(text("UPDATE approval SET ages_at = ages_at - :week"), {"week": OPEN_FOR})
    assert approval.id in progress.due(core.store) and progress.note(core.store, approval.id)
    assert core.approvals.get(approval.id).revision == approval.revision + 1
    assert approval.id not in progress.due(core.store)
    with pytest.raises(FeedbackOver):
        core.approvals.feedback.give(approval.id, "U0ANA", "right")


def test_the_share_is_drawn_by_the_id_and_replay_comes_to_the_same(core: Core) -> None:
    ids = [str(a_request(payload={"number": number}).id) for number in range(4000)]
    for share, low, high in ((1000, 320, 480), (50, 5, 40), (0, 0, 0), (10_000, 4000, 4000)):
        assert low <= sum(is_sampled(one, share) for one in ids) <= high
    owned(core, "feedback: 30%\nagents: {billing-bot: {owner: U0MIA}}\n")
    found = [ran(core, payload={"number": number}) for number in range(30)]
    asked = {one.id for one in found if one.feedback is not None}
    assert asked == {one.id for one in found if is_sampled(one.id, 3000)}
    with snapshot(core.store.engine) as connection:
        report = replay(core.policy, history.since(connection, 0))
    assert report.asked_about == len(asked)


def test_a_grammar_that_means_nothing_is_refused_and_what_holds_is_judged() -> None:
    def judge(written: str) -> Any:
        return parse(f"version: 1\n{written}".encode(), "p.yml").policy.contents

    found = judge("feedback: {outcomes: 0.5%, per_hour: 2}\nlessons: {share: {a: [b, c]}}")
    assert (found.feedback, found.asks_per_hour, found.shares) == (50, 2, {"a": ("b", "c")})
    assert judge("feedback: 100%").feedback == 10_000 and judge("autonomy: guided").feedback == 0
    for wrong in ("feedback: 101%", "feedback: 10", "feedback: always", "feedback: {per_hour: -1}",
                  "lessons: {share: {A: [b]}}", "lessons: {share: [a]}",
                  "rules: [{name: r, verdict: allow, feedback: 10%}]",
                  "rules: [{name: r, verdict: block, feedback: 10%}]"):  # fmt: skip
        with pytest.raises(Exception, match=r"p\.yml:"):
            judge(wrong)


def asks(core: Core, result: Any = "42 rows", action: str = "report.build") -> Approval:
    request = a_request(agent=AGENT, kind="feedback", action=action, payload={"result": result})
    found: Approval = core.approvals.submit(AGENT, request)
    return found


def test_a_result_that_needed_no_approval_is_asked_of_the_owner_and_approves_nothing(core: Core) -> None:
    owned(core)
    one = asks(core, {"result": "refund.create"}, action="refund.create")
    assert one.pending and one.verdict.approvers == ("U0MIA",) and one.verdict.effect == "ask"
    assert one.id not in core.approvals.waiting_for("U0MIA")  # it presses nobody
    for vote in ("approve", "reject"):
        with pytest.raises(OtherKind):
            core.approvals.decide(one.id, 1, "U0MIA", vote)  # type: ignore[arg-type]
    with pytest.raises(NotAllowed):
        core.approvals.feedback.give(one.id, "U0ANA", "right")
    given = core.approvals.feedback.give(one.id, "U0MIA", "wrong", "Two rows are double.")
    assert given.status == "answered" and given.feedback is not None
    assert given.decision is not None and given.decision.answer == {
        "choice": ["wrong"], "text": "Two rows are double.",
    }  # fmt: skip
    with pytest.raises(FeedbackGiven):
        core.approvals.feedback.give(one.id, "U0MIA", "right")
    told = core.approvals.response(given)
    assert (told.status, told.payload) == ("answered", None)
    assert audit.verify(core.store, keys=verify_keys(core.signer.verify_key)).ok
    with pytest.raises(Invalid):
        core.approvals.submit(AGENT, a_request(agent=AGENT, kind="feedback", payload={"result": 1, "x": 2}))
    with pytest.raises(Invalid):
        asks(core, "x" * 3000)


def test_how_often_an_agent_may_ask_is_the_policys(core: Core) -> None:
    owned(core, "feedback: {per_hour: 2}\nagents: {billing-bot: {owner: U0MIA, limits: {pending: 2}}}\n")
    asks(core, 1), asks(core, 2)
    with pytest.raises(Limited, match="2 times in any hour"):
        asks(core, 3)
    core.submit(payload={"number": 1})  # what it asks people to decide is counted by itself
    owned(core, "feedback: {per_hour: 0}\n")
    with pytest.raises(Limited, match="never"):
        asks(core, 4)
    core.follow("feedback: {per_hour: 1000}")
    for number in range(8):
        asks(core, 10 + number)
    with pytest.raises(Limited, match="10 results"):
        asks(core, 30)


def test_whoever_left_or_never_belonged_says_nothing(core: Core) -> None:
    owned(core)
    approval = ran(core)
    for who in core.people.persons:
        if who not in ("U0ANA", "U0MIA"):
            with pytest.raises(NotRecorded):
                core.approvals.feedback.give(approval.id, who, "right")
    assert core.approvals.get(approval.id).feedback == approval.feedback


def test_of_a_batch_people_are_asked_about_few_and_its_card_is_due_with_each_answer(core: Core) -> None:
    owned(core)
    name = "0123456789abcdef0123456789abcdef"
    sent = [
        core.submit(action="ticket.tidy", payload={"n": n}, batch=name, reversibility="reversible")
        for n in range(5)
    ]
    ids = tuple(UUID(one.request_id) for one in sent)
    batch_id = core.approvals.batches.freeze(AGENT, name, Freeze(title="Five", run=None, ids=ids)).id
    for one in sent:
        core.approvals.decide(one.id, 1, "U0ANA", "approve")
        core.approvals.report(AGENT, one.request_id, Outcome(succeeded=True))
    batch = core.approvals.batches.get(batch_id)
    asked = [one for one in batch.items if one.feedback]
    assert [one.id for one in asked] == [one.id for one in sent[:OF_BATCH]]
    blocks = batch_card(batch, now=core.store.clock()).blocks
    assert check_message(blocks) == []
    pressed = [n["value"] for n in nodes(blocks) if n.get("action_id") == "feedback_right"]
    assert pressed == [f"{one.id}:1" for one in asked] and "Was 2 right?" in str(blocks)
    assert str(blocks).count("<@U0ANA>, <@U0MIA> can say") == 1
    core.changed.clear()
    core.approvals.feedback.give(asked[0].id, "U0ANA", "right")
    core.approvals.feedback.give(asked[1].id, "U0MIA", "wrong", "It was *net*.")
    after = core.approvals.batches.get(batch_id)
    assert after.revision > batch.revision and core.changed == [asked[0].id, asked[1].id]
    blocks = batch_card(after, now=core.store.clock()).blocks
    text_of = str(blocks)
    assert check_message(blocks) == [] and "1: *Right*, says <@U0ANA>" in text_of
    assert "2: *Wrong*, says <@U0MIA>" in text_of and "It was *net*." in text_of
    assert "Was 3 right?" in text_of and "Was 1 right?" not in text_of
    late = batch_card(after, now=core.store.clock() + OPEN_FOR).blocks
    assert not [n for n in nodes(late) if str(n.get("action_id")).startswith("feedback")]
    assert not {one.id for one in asked} & {*progress.due(core.store)}
    assert audit.verify(core.store, keys=verify_keys(core.signer.verify_key)).ok
