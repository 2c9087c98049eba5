"""Today's policy judges what waits: at every door, whoever asked before; and cards follow, in their turn."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlalchemy import text
from support import Core, a_request

from signoff import receipts
from signoff.approvals import audit
from signoff.approvals.errors import AlreadyDecided, BlockedNow, NotAllowed
from signoff.approvals.lists import Lists
from signoff.approvals.service import Approvals
from signoff.approvals.sweep import Sweep
from signoff.bot.delivery.admins import Admins
from signoff.bot.delivery.delivery import Delivery
from signoff.bot.delivery.turns import Turns
from signoff.bot.slack.client import Posted
from signoff.models import policies, turns
from signoff.models.approval import Approval
from signoff.models.people import Person
from signoff.queue import stream

RULE = 'rules: [{{name: refunds, match: {{action: "refund.*"}}, verdict: ask, approvers: [{}]}}]'
ANA, BEN, MIA = "U0ANA", "U0BEN", "U0MIA"
EDITED = {"customer": "cus_42", "amount": 80}


def asks(*who: str) -> str:
    return RULE.format(", ".join(who))


ALLOWS = RULE.replace("verdict: ask, ", "verdict: allow").replace("approvers: [{}]", "").format()
NOTIFIES = ALLOWS.replace("allow", "notify")
BLOCKS = 'rules: [{name: never, match: {action: "refund.*"}, verdict: block, reason: Not today.}]'


def receipt_of(core: Core, approval: Approval) -> Any:
    answer = stream.response(core.redis, approval.agent, approval.request_id)
    assert answer is not None
    keys = receipts.verify_keys(core.signer.verify_key)
    return receipts.accept(answer, keys, agent=approval.agent, request_id=approval.request_id)


def logged(core: Core, approval: Approval, kind: str) -> list[dict[str, Any]]:
    with core.store.reading() as connection:
        query = text("SELECT data FROM audit_event WHERE approval_id = :id AND kind = :kind ORDER BY seq")
        return [
            json.loads(one) for one in connection.execute(query, {"id": approval.id, "kind": kind}).scalars()
        ]


def asked(core: Core, *who: str) -> Approval:
    core.follow(asks(*who))
    found: Approval = core.submit()
    return found


def lists(core: Core) -> Lists:
    return Lists(core.approvals, core.people, ())


DOORS = {
    "click": lambda core, one, who: core.approvals.decide(one.id, 1, who, "approve"),
    "note": lambda core, one, who: core.approvals.decide(one.id, 1, who, "approve", reason="as agreed"),
    "edit": lambda core, one, who: core.approvals.decide(one.id, 1, who, "approve", payload=EDITED),
    "no edit": lambda core, one, who: core.approvals.decide(
        one.id, 1, who, "approve", payload=dict(one.payload)
    ),
    "reject": lambda core, one, who: core.approvals.decide(one.id, 1, who, "reject", reason="no"),
    "form": lambda core, one, who: core.approvals.open_for(one.id, 1, who),
    "judge": lambda core, one, who: core.approvals.judge.judge_edit(one, EDITED, who),
}
"""All that somebody can do about a request, by words in a thread, too: those end in `decide`."""


@pytest.mark.parametrize("door", DOORS)
def test_who_is_no_longer_an_approver_has_no_door(core: Core, door: str) -> None:
    """The form was opened when she was one."""
    approval = asked(core, ANA)
    core.approvals.open_for(approval.id, 1, ANA)
    core.follow(asks(BEN))
    with pytest.raises(NotAllowed) as refused:
        DOORS[door](core, approval, ANA)
    assert refused.value.approvers == (BEN,)
    assert core.approvals.get(approval.id).pending
    DOORS[door](core, approval, BEN)


def test_nobody_sees_as_theirs_what_is_anothers_today(core: Core) -> None:
    approval = asked(core, ANA)
    found = lists(core)
    assert found.overview(ANA).waiting.total == 1
    core.follow(asks(BEN))
    for user, count in ((ANA, 0), (BEN, 1)):
        assert len(core.approvals.waiting_for(user)) == count
        page = found.overview(user).waiting
        assert (page.total, len(page.reviewable)) == (count, count)
        assert found.can_decide(user, core.approvals.get(approval.id)) == bool(count)
        listed = Lists(core.approvals, core.people, (ANA,)).history(user)
        assert [one.id for one in listed.items] == [approval.id] and len(listed.reviewable) == count
    assert found.see(BEN, approval.id).id == approval.id
    with pytest.raises(NotAllowed):
        found.see(ANA, approval.id)
    core.follow(asks(ANA))
    assert core.approvals.waiting_for(ANA) == [approval.id] and core.approvals.waiting_for(BEN) == []


@pytest.mark.parametrize(
    ("then", "now"),
    [
        (then, now)
        for then in ((ANA,), (BEN,), (ANA, BEN))
        for now in ((ANA,), (BEN,), (ANA, BEN), None, "notify", "block")
    ],
)
@pytest.mark.parametrize("vote", ["approve", "reject"])
def test_the_table_of_who_may_vote(core: Core, then: tuple[str, ...], now: Any, vote: Any) -> None:
    """Today's people where it asks; who was asked where it would let it run; nobody where it blocks."""
    texts = {None: ALLOWS, "notify": NOTIFIES, "block": BLOCKS}
    may = now if isinstance(now, tuple) else () if now == "block" else then
    for user in (ANA, BEN, MIA):
        approval = asked(core, *then)
        core.follow(asks(*now) if isinstance(now, tuple) else texts[now])
        if user in may:
            ended = core.approvals.decide(approval.id, 1, user, vote, reason="x")
            assert ended.status == {"approve": "approved", "reject": "rejected"}[vote]
        else:
            with pytest.raises(BlockedNow if now == "block" else NotAllowed):
                core.approvals.decide(approval.id, 1, user, vote, reason="x")
            status = core.approvals.get(approval.id).status
            assert status == ("blocked" if now == "block" else "pending")
        if core.approvals.get(approval.id).pending:
            core.approvals.cancel(approval.agent, approval.request_id)


@pytest.mark.parametrize("door", DOORS)
def test_what_is_blocked_today_ends_so_whichever_door_is_tried(core: Core, door: str) -> None:
    approval = asked(core, ANA)
    core.follow(BLOCKS)
    with pytest.raises(BlockedNow, match="Not today"):
        DOORS[door](core, approval, ANA)
    if door == "judge":
        return  # it only judges
    receipt, row = receipt_of(core, approval), core.approvals.get(approval.id)
    assert (receipt.status, receipt.reason, receipt.rule) == ("blocked", "Not today.", "never")
    assert receipt.policy == core.policy.digest and receipt.decided_by is None
    assert (row.status, row.decisions, row.verdict.effect) == ("blocked", (), "block")
    assert logged(core, approval, "verdict")[-1]["effect"] == "block"
    assert audit.verify(core.store).ok
    core.follow(asks(ANA))
    with pytest.raises(AlreadyDecided) as told:
        core.approvals.decide(approval.id, 1, ANA, "approve")
    assert told.value.status == "blocked"


def test_a_stranger_is_not_told_what_the_policy_blocks(core: Core) -> None:
    approval = asked(core, ANA)
    core.people.persons["U0EVE"] = Person("U0EVE", "eve", team_id="T2")
    core.follow(BLOCKS)
    with pytest.raises(NotAllowed, match="Only members"):
        core.approvals.decide(approval.id, 1, "U0EVE", "approve")
    assert core.approvals.get(approval.id).status == "blocked"


def test_what_is_let_run_today_is_still_decided_by_who_was_asked_by_todays_groups(core: Core) -> None:
    core.follow("groups: {finance: {users: [U0ANA]}}\n" + asks("finance"))
    approval = core.submit()
    core.follow("groups: {finance: {users: [U0BEN]}}\n" + ALLOWS)
    with pytest.raises(NotAllowed):
        core.approvals.decide(approval.id, 1, ANA, "approve")
    assert core.approvals.waiting_for(BEN) == [approval.id]
    core.approvals.decide(approval.id, 1, BEN, "approve")


def test_without_a_file_today_the_settings_people_decide(core: Core) -> None:
    approval = asked(core, ANA)
    core.policy = type(core.policy)(approvers=(BEN,), conversation="C0APPROVE")
    with pytest.raises(NotAllowed):
        core.approvals.decide(approval.id, 1, ANA, "approve")
    core.approvals.decide(approval.id, 1, BEN, "approve", payload=EDITED)


def test_the_receipt_and_the_log_have_the_verdict_that_it_was_decided_by(core: Core) -> None:
    approval = asked(core, ANA)
    core.follow(asks(BEN).replace("refunds", "new rule"))
    core.approvals.decide(approval.id, 1, BEN, "approve")
    receipt, row = receipt_of(core, approval), core.approvals.get(approval.id)
    assert (receipt.policy, receipt.rule) == (core.policy.digest, "new rule")
    assert (row.verdict.policy, row.verdict.approvers) == (core.policy.digest, (BEN,))
    first, second = logged(core, approval, "verdict")
    assert (first["approvers"], second["approvers"]) == ([ANA], [BEN])
    assert second["rule"] == "new rule" and audit.verify(core.store).ok


def test_under_the_same_policy_nothing_more_is_logged(core: Core) -> None:
    approval = asked(core, ANA)
    core.approvals.decide(approval.id, 1, ANA, "approve")
    assert len(logged(core, approval, "verdict")) == 1


def test_todays_rule_says_which_fields_may_be_changed(core: Core) -> None:
    approval = asked(core, ANA)
    core.follow(asks(ANA).replace("verdict: ask", "verdict: ask, editable: [note]"))
    with pytest.raises(Exception, match="The policy does not let anyone change 'amount'"):
        core.approvals.decide(approval.id, 1, ANA, "approve", payload=EDITED)
    assert core.approvals.get(approval.id).pending


def test_an_edit_is_held_against_todays_rules(core: Core) -> None:
    approval = asked(core, ANA)
    small = '{name: small, match: {action: "refund.*"}, when: payload.amount < 100, verdict: ask'
    core.follow(asks(ANA).replace("rules: [", f"rules: [{small}, approvers: [U0MIA]}}, "))
    handed = core.approvals.decide(approval.id, 1, ANA, "approve", payload=EDITED)
    assert handed.pending and handed.version == 2 and handed.verdict.approvers == (MIA,)
    assert core.approvals.waiting_for(ANA) == [] and core.approvals.waiting_for(MIA) == [approval.id]


def test_what_todays_rule_requires_is_not_asked_of_what_was_taken_without(core: Core) -> None:
    approval = asked(core, ANA)
    core.follow(asks(ANA).replace("verdict: ask", "verdict: ask, require: [reason]"))
    assert core.approvals.decide(approval.id, 1, ANA, "approve", payload=EDITED).status == "approved"


def test_judging_again_counts_nothing(core: Core) -> None:
    limits = "agents: {billing-bot: {limits: {per_hour: 1, pending: 1}}}\n"
    core.follow(limits + asks(ANA))
    approval = core.submit()
    for number in range(5):
        core.follow(limits + asks(BEN, f"U0N{number}"))
        Sweep(core.approvals).step()
        assert core.approvals.waiting_for(BEN) == [approval.id]
        core.approvals.open_for(approval.id, 1, BEN)
    assert core.approvals.decide(approval.id, 1, BEN, "approve").status == "approved"


# Cards


class Slack:
    """Takes everything; `shown` is the text of the blocks by message, `calls` what was done, in order."""

    def __init__(self) -> None:
        self.shown: dict[str, str] = {}
        self.calls: list[tuple[str, str]] = []

    def address(self) -> str:
        return "https://acme.slack.com"

    def permalink(self, channel: str, ts: str, thread_ts: str | None = None) -> str:
        return f"https://acme.slack.com/archives/{channel}/p{ts}"

    def post(self, channel: str, text: str, blocks: Any = (), **_: Any) -> Posted:
        ts = f"{len(self.shown) + 1}.0"
        self._show("post", ts, blocks)
        return Posted(channel, ts, None)

    def update(self, channel: str, ts: str, text: str, blocks: Any = (), **_: Any) -> None:
        self._show("update", ts, blocks)

    def _show(self, what: str, ts: str, blocks: Any) -> None:
        self.calls.append((what, ts))
        self.shown[ts] = json.dumps(blocks)


class Desk:
    """A worker with a Slack: `work` does what is due, without waiting for the pauses between moved cards."""

    def __init__(self, core: Core, slack: Slack | None = None) -> None:
        self.core, self.slack = core, slack or Slack()
        self.delivery = Delivery(core.approvals, self.slack, Admins(self.slack, ()))  # type: ignore[arg-type]
        self.turns = Turns(core.store, self.delivery)
        self.sweep = Sweep(core.approvals)

    def work(self) -> None:
        while turn := turns.next_turn(self.core.store):
            self.turns._take(turn)
            self.rest()

    def rest(self) -> None:
        with self.core.store.transaction() as connection:
            connection.execute(text("DELETE FROM pause WHERE method = 'moved'"))


@pytest.fixture
def desk(core: Core) -> Desk:
    return Desk(core)


def test_a_card_names_todays_people_once_their_policy_is_in_force(core: Core, desk: Desk) -> None:
    approval = asked(core, ANA)
    desk.work()
    assert ANA in desk.slack.shown["1.0"]
    core.follow(asks(BEN))
    desk.sweep.step()
    desk.work()
    assert BEN in desk.slack.shown["1.0"] and ANA not in desk.slack.shown["1.0"]
    core.follow(asks(BEN) + "\n# another text, and the same people")
    desk.sweep.step()
    desk.work()
    desk.sweep.step()
    assert desk.slack.calls == [("post", "1.0"), ("update", "1.0")]
    assert core.approvals.get(approval.id).judged == core.policy.digest


def test_a_card_of_what_is_blocked_today_says_so_without_anybodys_click(core: Core, desk: Desk) -> None:
    approval, other = asked(core, ANA), core.submit(action="other.thing")
    desk.work()
    core.follow(BLOCKS)
    desk.sweep.step()
    assert receipt_of(core, approval).status == "blocked"
    desk.work()
    assert "block" in desk.slack.shown["1.0"].lower() and "Not today" in desk.slack.shown["1.0"]
    assert core.approvals.get(other.id).pending


def test_moved_cards_come_behind_new_ones_and_one_a_second_in_each_conversation(
    core: Core, desk: Desk
) -> None:
    core.follow(asks(ANA))
    for number in range(6):
        core.submit(payload={"number": number})
    desk.work()
    done = len(desk.slack.calls)
    core.follow(asks(BEN))
    desk.sweep.step()
    new = [core.submit(payload={"new": number}).id for number in range(2)]
    first = turns.next_turn(core.store)
    assert first is not None and first.approval_id == new[0] and first.moved_in is None
    while turn := turns.next_turn(core.store):
        desk.turns._take(turn)
    assert [what for what, _ in desk.slack.calls[done:]] == ["post", "post", "update"]
    assert 0 < turns.rest(core.store, 10.0) <= 1.0, "the next one in a second"
    desk.rest()
    desk.work()
    assert [what for what, _ in desk.slack.calls[done:]] == ["post", "post", *["update"] * 6]
    assert all(BEN in shown and ANA not in shown for shown in desk.slack.shown.values())


def test_of_two_workers_one_redraws(core: Core, desk: Desk) -> None:
    asked(core, ANA)
    desk.work()
    core.follow(asks(BEN))
    desk.sweep.step()
    turn = turns.next_turn(core.store)
    assert turn is not None and turn.moved_in == "C0APPROVE"
    assert [turns.move(core.store, turn) for _ in range(2)] == [True, False]


def process(core: Core, policy_text: str) -> Core:
    """Another process at the same database, with a policy of its own."""
    other = Core(**vars(core))
    other.follow(policy_text)
    other.approvals = Approvals(
        core.store, core.approvals._receipts, core.approvals.publisher, lambda: other.policy, core.people,
        core.changed.append,
    )  # fmt: skip
    return other


def in_force(core: Core) -> None:
    """What `InForce` notes when a policy comes into force."""
    with core.store.transaction() as connection:
        at = core.store.clock()
        policies.keep(connection, audit.sha256(core.policy.text), core.policy.text, at)


def test_a_process_that_reads_the_file_late_leaves_no_card_behind(core: Core) -> None:
    approval = asked(core, ANA)
    in_force(core)
    late = Desk(process(core, asks(ANA)))
    core.follow(asks(BEN))
    in_force(core)
    quick = Desk(core, late.slack)
    quick.sweep.step()
    late.work()  # draws by the policy from before
    assert ANA in late.slack.shown["1.0"]
    late.sweep.step()
    assert turns.next_turn(core.store) is None, "it is not the one whose policy is in force"
    quick.sweep.step()
    quick.work()
    assert BEN in late.slack.shown["1.0"] and core.approvals.get(approval.id).pending


def test_two_processes_that_never_agree_do_not_redraw_each_others_cards_for_ever(core: Core) -> None:
    asked(core, ANA)
    in_force(core)
    one = Desk(core)
    one.work()
    other = Desk(process(core, asks(BEN)))
    in_force(other.core)
    for _ in range(5):
        for desk in (one, other):
            desk.sweep.step()
            desk.work()
    assert one.slack.calls + other.slack.calls == [("post", "1.0"), ("update", "1.0")]


def test_a_request_taken_under_an_older_policy_is_judged_by_the_one_in_force(core: Core) -> None:
    late = process(core, asks(ANA))
    core.follow(BLOCKS)
    in_force(core)
    approval = late.approvals.submit("billing-bot", a_request())
    assert approval.pending
    Sweep(core.approvals).step()
    assert core.approvals.get(approval.id).status == "blocked"


def test_a_thousand_that_wait_are_judged_again_in_a_few_looks(core: Core) -> None:
    core.follow(asks(ANA))
    ids = [core.submit(payload={"n": number}).id for number in range(250)]
    core.follow(asks(BEN))
    steps = 0
    while core.approvals.stale() and steps < 20:  # each takes at most 2 s, however slow this machine is
        Sweep(core.approvals).step()
        steps += 1
    assert core.approvals.stale() == []
    assert core.approvals.waiting_for(BEN) == ids
