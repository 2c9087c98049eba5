"""A talk with the agent: who may ask, what the agent takes for a question, and what an answer changes."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from faults.test_batch_points import dying_at
from support import Core

from signoff import receipts
from signoff.approvals.errors import (
    AlreadyDecided,
    EditedMeanwhile,
    NotAllowed,
    TimeRanOut,
    TooManyNotes,
    TooManyQuestions,
)
from signoff.approvals.sweep import Sweep
from signoff.errors import Invalid, NotVerified
from signoff.models.approval import Approval
from signoff.models.messages import Outcome, Reply, Response
from signoff.models.talks import ANSWER_SECONDS, MOST_NOTES, Message
from signoff.queue import questions, stream
from signoff.receipts import Signer, accept_inquiry, verify_keys
from signoff.signatures import INQUIRY, NOTICE, open_sealed

AGENT = "billing-bot"
SECOND = 1_000_000


def ask(core: Core, text: str = "Why so much?", user: str = "U0ANA", **fields: Any) -> tuple[Approval, Any]:
    approval = core.submit(**fields)
    return approval, core.approvals.talks.ask(approval.id, 1, user, text)


def message(core: Core, talk_id: str) -> Message:
    found = core.redis.get(stream.message(AGENT, talk_id))
    return Message.model_validate_json(found)


def entries(core: Core) -> list[dict[str, str]]:
    found = core.redis.xrange(stream.decisions(AGENT))
    return [{name.decode(): value.decode() for name, value in fields.items()} for _, fields in found]


def listen(core: Core) -> None:
    """As an agent's process does that reads questions."""
    core.redis.xgroup_create(stream.decisions(AGENT), questions.GROUP, id="0", mkstream=True)
    core.redis.xreadgroup(questions.GROUP, "one", {stream.decisions(AGENT): questions.NOTHING}, count=1)


def set_rows(core: Core, statement: str) -> None:
    with core.store.transaction() as connection:
        connection.exec_driver_sql(statement)


def told_until(core: Core, approval: Approval) -> int | None:
    """Until when its agent is told that it waits."""
    found = stream.response(core.redis, AGENT, approval.request_id)
    assert found is not None and found.status == "pending"
    return found.expires_at


def test_a_question_is_signed_and_stands_where_its_agent_finds_it(core: Core) -> None:
    before = core.store.clock()
    approval, talk = ask(core, "  Why so much?\n")
    keys = verify_keys(core.signer.verify_key)
    asked = accept_inquiry(message(core, talk.id), keys, agent=AGENT, talk_id=talk.id)
    assert (asked.text, asked.request_id, asked.action) == (
        "Why so much?",
        approval.request_id,
        "refund.create",
    )
    assert (asked.by_id, asked.by, asked.version) == ("U0ANA", talk.name, 1)
    assert asked.digest == approval.digest_sent
    assert entries(core) == [{"id": talk.id, "kind": "message"}], "its text stands under its own key alone"
    now = core.approvals.get(approval.id)
    assert now.revision > approval.revision and core.changed[-1] == approval.id
    assert (now.pending, now.expires_at, now.version) == (True, approval.expires_at, 1), "it extends nothing"
    [kept] = now.talks
    assert (kept.question, kept.state) == ("Why so much?", "unheard"), "nobody reads questions here"
    assert before <= kept.asked_at <= kept.until <= kept.asked_at + ANSWER_SECONDS * SECOND
    assert core.redis.ttl(stream.message(AGENT, talk.id)) > 60
    found = core.approvals.publisher.arrivals(AGENT, "default", 10)
    assert core.approvals.publisher.standing(AGENT, found[0][1]) is None, "clients of before pass it over"


def test_whoever_reads_questions_is_waited_for(core: Core) -> None:
    listen(core)
    approval, talk = ask(core)
    assert talk.state == "asked"
    Sweep(core.approvals).step()
    assert core.approvals.get(approval.id).talks[0].state == "asked", "its time is not over"
    set_rows(core, "UPDATE talk SET until = 5")
    revision = core.approvals.get(approval.id).revision
    Sweep(core.approvals).step()
    found = core.approvals.get(approval.id)
    assert (found.talks[0].state, found.revision) == ("silent", revision + 1)
    assert core.approvals.talks.reply(AGENT, talk.id, Reply(text="Late.")), "a late answer is one"
    assert core.approvals.get(approval.id).talks[0].answer == "Late."


FORGED: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "another agent": lambda claims: {**claims, "aud": "other-bot"},
    "another deployment": lambda claims: {**claims, "iss": "other"},
    "another question": lambda claims: {**claims, "sub": "x"},
    "another text": lambda claims: {**claims, "text": "sha256:0"},
    "no text": lambda claims: {name: value for name, value in claims.items() if name != "text"},
    "no time": lambda claims: {name: value for name, value in claims.items() if name != "exp"},
    "over": lambda claims: {**claims, "exp": 5},
    "no request": lambda claims: {name: value for name, value in claims.items() if name != "request"},
    "no version": lambda claims: {**claims, "version": "one"},
    "nobody": lambda claims: {**claims, "by": "Ana"},
}


@pytest.mark.parametrize("name", FORGED)
def test_an_agent_takes_no_other_questions(core: Core, name: str) -> None:
    _, talk = ask(core)
    stands = message(core, talk.id)
    keys = verify_keys(core.signer.verify_key)
    claims = open_sealed(stands.token, keys, INQUIRY, issuer="signoff", audience=AGENT)
    forged = stands.model_copy(update={"token": core.signer.seal(INQUIRY, FORGED[name](claims))})
    accept_inquiry(stands, keys, agent=AGENT, talk_id=talk.id)
    with pytest.raises(NotVerified):
        accept_inquiry(forged, keys, agent=AGENT, talk_id=talk.id)


def test_nothing_else_that_is_signed_passes_for_a_question(core: Core) -> None:
    approval, talk = ask(core)
    stands, keys = message(core, talk.id), verify_keys(core.signer.verify_key)
    claims = open_sealed(stands.token, keys, INQUIRY, issuer="signoff", audience=AGENT)
    core.approvals.cancel(AGENT, approval.request_id)
    receipt = core.approvals.get(approval.id).receipt
    for token in (
        receipt,
        core.signer.seal(NOTICE, claims),
        Signer.generate().seal(INQUIRY, claims),
        stands.token[:-3],
    ):
        with pytest.raises(NotVerified):
            accept_inquiry(stands.model_copy(update={"token": token}), keys, agent=AGENT, talk_id=talk.id)
    for wrong in ({"text": "Other?"}, {"id": approval.id}):
        with pytest.raises(NotVerified):
            accept_inquiry(stands.model_copy(update=wrong), keys, agent=AGENT, talk_id=talk.id)
    with pytest.raises(NotVerified):
        receipts.verify(stands.token, keys, AGENT)  # nor a question for a receipt


def test_only_who_may_decide_asks_and_only_while_it_waits(core: Core) -> None:
    approval = core.submit()
    talks = core.approvals.talks
    with pytest.raises(NotAllowed):
        talks.ask(approval.id, 1, "U0MIA", "Why?")
    with pytest.raises(EditedMeanwhile):
        talks.ask(approval.id, 2, "U0ANA", "Why?")
    for bad in ("", " \n", "x" * 3001, "\ud800"):
        with pytest.raises(Invalid):
            talks.ask(approval.id, 1, "U0ANA", bad)
    set_rows(core, "UPDATE approval SET expires_at = 5")
    with pytest.raises(TimeRanOut):
        talks.ask(approval.id, 1, "U0ANA", "Why?")
    other, talk = ask(core, payload={"n": 2})
    core.approvals.decide(other.id, 1, "U0BEN", "approve")
    with pytest.raises(AlreadyDecided):
        talks.ask(other.id, 1, "U0ANA", "Why?")
    revision = core.approvals.get(other.id).revision
    assert talks.reply(AGENT, talk.id, Reply(text="Too late.")) is None
    assert (
        core.approvals.get(other.id).revision == revision and not core.approvals.get(other.id).talks[0].answer
    )


def test_only_the_agent_whose_request_it_is_answers_and_the_first_answer_counts(core: Core) -> None:
    approval, talk = ask(core)
    talks = core.approvals.talks
    assert talks.reply("other-bot", talk.id, Reply(text="Mine.")) is None
    assert talks.reply(AGENT, approval.id, Reply(text="No question.")) is None
    answered = talks.reply(AGENT, talk.id, Reply(text="Two tickets."))
    assert answered and (answered.state, answered.answer) == ("answered", "Two tickets.")
    assert talks.reply(AGENT, talk.id, Reply(unable=True)) is None
    found = core.approvals.get(approval.id)
    assert (found.status, found.version, found.talks[0].answer) == ("pending", 1, "Two tickets.")
    with core.store.reading() as connection:
        [said] = connection.exec_driver_sql("SELECT said FROM card_reply").scalars()
    assert json.loads(said) == {"talk": talk.id}, "the thread hears of it, once"
    for nothing in (Reply(), Reply(text=" "), Reply(text="I am a script.", unable=True)):
        _, other = ask(core, payload={"n": nothing.text, "u": nothing.unable})
        unable = talks.reply(AGENT, other.id, nothing)
        assert unable and unable.state == "unable"


def test_questions_are_bounded(core: Core) -> None:
    listen(core)
    approval = core.submit()
    talks = core.approvals.talks
    asked = [talks.ask(approval.id, 1, "U0ANA", f"{number}?") for number in range(3)]
    with pytest.raises(TooManyQuestions) as error:
        talks.ask(approval.id, 1, "U0BEN", "And?")
    assert error.value.waiting and len(core.approvals.get(approval.id).talks) == 3
    talks.reply(AGENT, asked[0].id, Reply(text="So."))
    talks.ask(approval.id, 1, "U0BEN", "And?")
    for number in range(16):
        set_rows(core, "UPDATE talk SET state = 'silent'")
        talks.ask(approval.id, 1, "U0ANA", f"{number}!")
    set_rows(core, "UPDATE talk SET state = 'silent'")
    with pytest.raises(TooManyQuestions) as error:
        talks.ask(approval.id, 1, "U0ANA", "The 21st?")
    assert not error.value.waiting
    other = core.submit(payload={"n": 2})
    for number in range(10):
        set_rows(core, "UPDATE talk SET state = 'silent'")
        talks.ask(other.id, 1, "U0ANA", f"{number}?")
    with pytest.raises(TooManyQuestions):
        talks.ask(other.id, 1, "U0ANA", "The 31st in a minute?")


def test_a_rule_gives_a_request_more_time_once(core: Core) -> None:
    core.follow("rules: [{name: talk, match: {action: refund.*}, verdict: ask, talk: +10m, expires_in: 5m}]")
    approval, _ = ask(core)
    found = core.approvals.get(approval.id)
    assert found.expires_at == approval.expires_at + 600 * SECOND
    assert told_until(core, approval) == found.expires_at, "its agent is told, too"
    core.approvals.talks.ask(approval.id, 1, "U0BEN", "And why now?")
    assert core.approvals.get(approval.id).expires_at == told_until(core, approval) == found.expires_at
    core.approvals.tell(approval)  # read before it was asked about
    assert told_until(core, approval) == found.expires_at, "never an earlier time again"
    set_rows(core, f"UPDATE approval SET expires_at = {core.store.clock() - 5}")
    core.approvals.expire(approval.id)
    assert core.approvals.get(approval.id).status == "expired"
    core.approvals.tell(core.approvals.get(approval.id))
    core.approvals.tell(replace(found, expires_at=found.expires_at + 1))
    ended = stream.response(core.redis, AGENT, approval.request_id)
    assert ended is not None and ended.status == "expired", "what has ended is never covered"


def test_more_time_that_redis_did_not_take_is_told_by_the_sweep(core: Core, monkeypatch: Any) -> None:
    def away(*_: Any, **__: Any) -> None:
        raise OSError

    core.follow("rules: [{name: talk, match: {action: refund.*}, verdict: ask, talk: +10m, expires_in: 5m}]")
    sweep, approval = Sweep(core.approvals), core.submit()
    sweep.step()
    core.approvals.tell(approval)
    with monkeypatch.context() as outage:
        outage.setattr(core.approvals.publisher, "mark_received", away)
        core.approvals.talks.ask(approval.id, 1, "U0ANA", "Why?")
    assert told_until(core, approval) == approval.expires_at and len(core.approvals.talks.untold()) == 1
    sweep.step()
    assert told_until(core, approval) == core.approvals.get(approval.id).expires_at > approval.expires_at


def test_what_redis_did_not_take_or_has_lost_is_published_by_the_sweep(core: Core, monkeypatch: Any) -> None:
    def away(*_: Any) -> None:
        raise OSError

    sweep = Sweep(core.approvals)
    sweep.step()
    with monkeypatch.context() as outage:
        outage.setattr(core.approvals.publisher, "ask", away)
        approval, talk = ask(core)
    assert entries(core) == [] and core.approvals.talks.untold() == [talk.id]
    sweep.step()
    assert entries(core) == [{"id": talk.id, "kind": "message"}] and core.approvals.talks.untold() == []
    token = message(core, talk.id).token
    core.redis.flushdb()
    sweep.step()
    assert message(core, talk.id).token == token, "the same question"
    core.approvals.cancel(AGENT, approval.request_id)
    set_rows(core, "UPDATE talk SET published_at = NULL")
    core.redis.delete(stream.decisions(AGENT))
    sweep.step()
    assert entries(core) == [] and core.approvals.talks.untold() == [], "nobody needs to know any more"


@pytest.mark.parametrize("secret", ["password: hunter22x", "key AKIAIOSFODNN7EXAMPLE", "my PIN is 4711"])
def test_no_door_takes_a_secret_for_the_agent(core: Core, secret: str) -> None:
    approval = core.submit()
    for tell in (
        lambda: core.approvals.talks.ask(approval.id, 1, "U0ANA", f"Is it this? {secret}"),
        lambda: core.approvals.talks.note(approval.id, "U0ANA", secret),
    ):
        with pytest.raises(Invalid, match="what looks like") as refused:
            tell()
        assert secret.split()[-1] not in refused.value.detail
    found = core.approvals.get(approval.id)
    assert (found.talks, found.notes, entries(core)) == ((), (), [])


def test_a_note_is_handed_to_the_agent_beside_the_decision(core: Core) -> None:
    approval = core.submit()
    talks, revision = core.approvals.talks, approval.revision
    note = talks.note(approval.id, "U0ANA", " Mind the date. ")
    assert core.approvals.get(approval.id).revision == revision, "nothing on its card changes"
    with pytest.raises(NotAllowed):
        talks.note(approval.id, "U0MIA", "Pay me.")
    for bad in ("", "x" * 1001):
        with pytest.raises(Invalid):
            talks.note(approval.id, "U0ANA", bad)
    for number in range(MOST_NOTES - 1):
        talks.note(approval.id, "U0BEN", str(number))
    with pytest.raises(TooManyNotes):
        talks.note(approval.id, "U0BEN", "one more")
    core.approvals.decide(approval.id, 1, "U0BEN", "reject", reason="no")
    with pytest.raises(AlreadyDecided):
        talks.note(approval.id, "U0ANA", "Later.")
    found = Response.decode(core.redis.get(stream.decision(AGENT, approval.request_id)))
    assert found.notes and len(found.notes) == MOST_NOTES
    assert (found.notes[0].by, found.notes[0].text) == (note.name, "Mind the date.")
    receipt = receipts.accept(
        found, verify_keys(core.signer.verify_key), agent=AGENT, request_id=approval.request_id
    )
    assert receipt.notes == found.notes and "Mind" not in receipt.reason
    other = core.submit(payload={"n": 2})
    talks.note(other.id, "U0ANA", "Twice?")
    core.approvals.decide(other.id, 1, "U0ANA", "approve")
    core.approvals.spend(AGENT, other.request_id, "a-process-of-theirs")
    core.approvals.report(AGENT, other.request_id, Outcome(succeeded=True))
    found = Response.decode(core.redis.get(stream.decision(AGENT, other.request_id)))
    assert (found.status, found.notes) == ("duplicate", None), "what has run needs none"


def test_who_dies_before_it_is_noted_that_an_agent_was_asked_has_it_asked_once(
    core: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    listen(core)
    with dying_at("talk.told", 1, monkeypatch):
        ask(core)
    assert len(entries(core)) == 1 and len(core.approvals.talks.untold()) == 1
    Sweep(core.approvals).step()
    assert len(entries(core)) == 1 and not core.approvals.talks.untold()
    core.redis.flushall()
    core.approvals.talks.untell()
    Sweep(core.approvals).step()
    assert len(entries(core)) == 1, "what Redis has lost is asked anew"
