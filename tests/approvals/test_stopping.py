"""Stops: what they hold, void and let through, and who resumes."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import pytest
from approvals.test_grace import in_grace
from approvals.test_undo import let_run
from sqlalchemy import text
from support import Core

from signoff import stops
from signoff.approvals import audit
from signoff.approvals.errors import AlreadyDecided, NotRecorded
from signoff.approvals.stop_errors import Held, MayNotStop, NothingStopped, SamePerson
from signoff.errors import Invalid
from signoff.models.messages import Outcome, Response
from signoff.models.people import Person
from signoff.models.stops import API, OPERATOR, SIGNOFF, StopScope
from signoff.queue.held import Waiting

AGENT = StopScope("agent", "billing-bot")


def holds(core: Core) -> None:
    found = audit.verify(core.store)
    assert found.ok, found


def test_what_is_asked_of_a_stopped_agent_is_blocked_and_others_go_on(core: Core) -> None:
    core.submit(agent="billing-bot")
    core.submit(agent="other-bot")
    core.approvals.stop(AGENT, by="U0ANA", reason="looks wrong")
    refused = core.submit(agent="billing-bot", key="k2")
    assert (refused.status, refused.reason) == ("blocked", "stopped by @ana")
    assert core.submit(agent="other-bot", key="k3").status == "pending"
    holds(core)


def test_what_waits_is_held_until_somebody_else_resumes(core: Core) -> None:
    asked = core.submit(agent="billing-bot")
    stop = core.approvals.stop(AGENT, by="U0ANA")
    for vote in ("approve", "reject"):
        with pytest.raises(Held, match="stopped by @ana"):
            core.approvals.decide(asked.id, 1, "U0BEN", vote)
    with pytest.raises(SamePerson):
        core.approvals.resume(stop.id, by="U0ANA")
    core.approvals.resume(stop.id, by="U0BEN")
    with pytest.raises(NothingStopped):
        core.approvals.resume(stop.id, by="U0BEN")
    assert core.approvals.decide(asked.id, 1, "U0BEN", "approve").status == "approved"
    holds(core)


def test_what_waits_is_withdrawn_where_that_is_wanted(core: Core) -> None:
    asked = core.submit(agent="billing-bot")
    core.approvals.stop(AGENT, by="U0ANA", withdraw=True)
    found = core.approvals.get(asked.id)
    assert (found.status, found.reason) == ("blocked", "stopped by @ana")
    with pytest.raises(AlreadyDecided):
        core.approvals.decide(asked.id, 1, "U0BEN", "approve")
    holds(core)


def test_what_was_approved_before_is_void_for_ever(core: Core) -> None:
    asked = core.submit(agent="billing-bot")
    core.approvals.decide(asked.id, 1, "U0BEN", "approve")
    stop = core.approvals.stop(AGENT, by="U0ANA")
    told = core.approvals.spend("billing-bot", asked.request_id, "worker-1")
    assert told.status == "blocked"
    core.approvals.resume(stop.id, by="U0BEN")
    assert core.approvals.spend("billing-bot", asked.request_id, "worker-1").status == "blocked"
    later = core.submit(agent="billing-bot", key="later")
    core.approvals.decide(later.id, 1, "U0BEN", "approve")
    assert core.approvals.spend("billing-bot", later.request_id, "worker-1").status == "spent"


def test_the_operators_shell_alone_may_resume_and_tokens_of_one_operator_are_one_person(core: Core) -> None:
    core.submit(agent="billing-bot")
    stop = core.approvals.stop(AGENT, by=API)
    with pytest.raises(SamePerson):
        core.approvals.resume(stop.id, by=API)
    core.approvals.resume(stop.id, by=OPERATOR)
    own = core.approvals.stop(AGENT, by=OPERATOR)
    with pytest.raises(SamePerson):
        core.approvals.resume(own.id, by=API)
    core.approvals.resume(own.id, by=OPERATOR)
    holds(core)


def test_the_policy_says_who_may_stop_and_resume(core: Core) -> None:
    core.submit(agent="billing-bot")
    core.follow("stop:\n  who: [U0MIA]\n  resume: any\n")
    with pytest.raises(MayNotStop):
        core.approvals.stop(AGENT, by="U0ANA")
    stop = core.approvals.stop(AGENT, by="U0MIA")
    core.approvals.resume(stop.id, by="U0MIA")


def test_a_guest_may_not_stop(core: Core) -> None:
    core.submit(agent="billing-bot")
    core.people.persons["U0GUEST"] = Person("U0GUEST", "guest", team_id="T1", guest=True)
    core.follow("stop:\n  who: [U0GUEST]\n")
    with pytest.raises(MayNotStop):
        core.approvals.stop(AGENT, by="U0GUEST")


def test_of_what_is_resumed_in_part_all_is_asked_about(core: Core) -> None:
    core.follow("autonomy: full_auto\nnever_ask: ['*']\nextends: none\n")
    assert core.submit(agent="billing-bot", key="first").status == "approved"
    stop = core.approvals.stop(AGENT, by="U0ANA")
    core.approvals.resume(stop.id, by="U0BEN", staged=True)
    asked = core.submit(agent="billing-bot", key="second")
    assert (asked.status, asked.verdict.effect) == ("pending", "ask")
    assert core.approvals.stops()[0].staged
    core.approvals.resume(stop.id, by="U0BEN")
    assert core.submit(agent="billing-bot", key="third").status == "approved"
    holds(core)


def test_actions_and_everything_are_stopped_by_their_scope(core: Core) -> None:
    core.approvals.stop(StopScope("action", "refund.*"), by=SIGNOFF)
    assert core.submit(action="refund.create", key="a").reason == "stopped by Signoff"
    assert core.submit(action="mail.send", key="b").status == "pending"
    core.approvals.stop(StopScope("all"), by=OPERATOR)
    assert core.submit(action="mail.send", key="c").reason == "stopped by the operator"


@pytest.mark.parametrize(
    "scope",
    [
        StopScope("agent", "nobody"),
        StopScope("action", "a b"),
        StopScope("all", "x"),
        StopScope("agent", "../x"),
    ],
)
def test_nothing_is_stopped_that_is_not_there(core: Core, scope: StopScope) -> None:
    with pytest.raises(Invalid):
        core.approvals.stop(scope, by=OPERATOR)
    assert core.approvals.stops() == ()


def test_the_statement_is_signed_numbered_and_grows(core: Core) -> None:
    core.submit(agent="billing-bot")
    keys = stops.verify_keys(core.signer.verify_key)
    first = stops.verify(core.approvals.stopping.statement(), keys)
    assert (first.number, first.stops) == (0, ())
    stop = core.approvals.stop(AGENT, by="U0ANA")
    second = stops.verify(core.approvals.stopping.statement(), keys)
    assert second.number == stop.number and second.stops[0].said == "stopped by @ana"
    core.approvals.resume(stop.id, by="U0BEN")
    third = stops.verify(core.approvals.stopping.statement(), keys)
    assert third.number > second.number and third.stops[0].until is not None


def test_rows_of_a_stop_are_held_by_the_log(core: Core) -> None:
    core.submit(agent="billing-bot")
    core.approvals.stop(AGENT, by="U0ANA", reason="why")
    with core.store.transaction() as connection:
        connection.execute(text("UPDATE stop SET ended_at = at"))
    found = audit.verify(core.store)
    assert not found.ok


def rejected(core: Core, number: int) -> None:
    asked = core.submit(payload={"number": number})
    core.approvals.decide(asked.id, 1, "U0BEN", "reject", reason="no")


def test_an_agent_that_people_reject_again_and_again_is_stopped_by_itself(core: Core) -> None:
    core.follow("breaker: {denied: 3, within: 10m}\n")
    for number in range(2):
        rejected(core, number)
    assert core.approvals.stops() == ()
    rejected(core, 2)
    [stop] = core.approvals.stops()
    assert (stop.by, stop.scope) == (SIGNOFF, AGENT)
    assert stop.reason == "3 of its requests were rejected within 10 min."
    assert core.submit(key="late").reason == "stopped by Signoff"
    core.approvals.resume(stop.id, by="U0BEN")
    rejected(core, 3)
    assert core.approvals.stops() == (), "what counted before it was resumed does not again"
    holds(core)


def test_an_agent_whose_actions_fail_is_stopped_and_what_is_long_ago_counts_no_more(core: Core) -> None:
    core.follow("breaker: {failed: 2, within: 1h}\n")
    for number in range(3):
        asked = core.submit(payload={"number": number})
        core.approvals.decide(asked.id, 1, "U0BEN", "approve")
        core.approvals.spend("billing-bot", asked.request_id, "a-process")
        core.approvals.report("billing-bot", asked.request_id, Outcome(succeeded=False))
        if number == 0:
            with core.store.transaction() as connection:
                connection.execute(text("UPDATE approval SET outcome_at = outcome_at - 3700000000"))
        assert len(core.approvals.stops()) == (number == 2)


def test_what_runs_after_a_while_is_asked_about_once_it_was_stopped(core: Core) -> None:
    waits = in_grace(core)
    core.approvals.stop(AGENT, by="U0ANA")
    core.approvals.grace.step(waits.id)
    found = core.approvals.get(waits.id)
    assert (found.status, found.verdict.effect) == ("pending", "ask")
    holds(core)


def test_undos_pass_only_where_whoever_stopped_it_said_so(core: Core) -> None:
    first = let_run(core, {"id": 1}, payload={"amount": 1})
    second = let_run(core, {"id": 2}, payload={"amount": 2})
    stop = core.approvals.stop(AGENT, by="U0BEN")
    with pytest.raises(Held):
        core.approvals.undo.ask(first.id, "U0ANA")
    core.approvals.resume(stop.id, by=OPERATOR)
    core.approvals.stop(AGENT, by="U0BEN", undos=True)
    undo = core.approvals.undo.ask(second.id, "U0ANA")
    assert core.approvals.spend(undo.agent, undo.request_id, "a-process").status == "spent"
    holds(core)


def test_agents_hear_that_what_they_wait_for_is_held_and_is_no_longer(core: Core) -> None:
    asked = core.submit()
    core.approvals.tell(asked)
    stop = core.approvals.stop(AGENT, by="U0ANA")
    told = core.approvals.publisher.standing("billing-bot", asked.request_id)
    assert told and (told.status, told.held) == ("pending", "stopped by @ana")
    assert core.approvals.response(core.approvals.get(asked.id)).held == "stopped by @ana"
    core.approvals.resume(stop.id, by="U0BEN")
    told = core.approvals.publisher.standing("billing-bot", asked.request_id)
    assert told and told.held is None


def test_what_has_ended_is_never_covered_by_that_it_is_held(core: Core) -> None:
    asked = core.submit()
    core.approvals.tell(asked)
    ended = core.approvals.decide(asked.id, 1, "U0BEN", "approve")
    pending = Response(status="pending", action=asked.action, held="stopped by @ana")
    core.approvals.publisher.publish_held([Waiting("billing-bot", asked.request_id, pending)])
    told = core.approvals.publisher.standing("billing-bot", asked.request_id)
    assert told and told.receipt == ended.receipt


def test_of_many_that_decide_and_stop_at_once_nothing_runs_that_was_stopped(core: Core) -> None:
    asked = [core.submit(payload={"number": number}) for number in range(12)]

    def decide(one: Any) -> None:
        with suppress(NotRecorded):
            core.approvals.decide(one.id, 1, "U0BEN", "approve")

    with ThreadPoolExecutor(4) as pool:
        deciding = [pool.submit(decide, one) for one in asked]
        stop = pool.submit(core.approvals.stop, AGENT, by="U0ANA").result(60)
        for one in deciding:
            one.result(60)
    told = [core.approvals.spend("billing-bot", one.request_id, "a-process").status for one in asked]
    assert "spent" not in told
    core.approvals.resume(stop.id, by="U0BEN")
    told = [core.approvals.spend("billing-bot", one.request_id, "a-process").status for one in asked]
    assert "spent" not in told, "what was approved before it was resumed stays void"
    holds(core)
