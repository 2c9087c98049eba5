"""What agents send, and what becomes of it."""

from __future__ import annotations

import json
import re
import threading
import time
from typing import Any

import pytest
import redis
from sqlalchemy import exc
from support import Core, a_request, eventually, send_entry

from signoff import receipts
from signoff.models.identity import new_id
from signoff.queue import reader, refusals, stream
from signoff.queue.entries import Entry
from signoff.queue.intake import Intake
from signoff.queue.requests import GROUP, Stream
from signoff.queue.turns import Turns


def send(core: Core, agent: str = "billing-bot", **fields: Any) -> str:
    """A well-formed request, with fields of the entry replaced."""
    request = a_request(agent=agent, **fields.pop("request", {}))
    request_id, body = fields.get("id", str(request.id)), fields.pop("body", request.encode())
    core.redis.set(stream.body(agent, str(request_id)), body)
    core.redis.xadd(stream.requests(agent), {**stream.entry("request", str(request_id)), **fields})
    return str(request_id)


def drain(intake: Intake) -> None:
    intake._reader._due.clear()
    while intake.step():
        pass


def claimed(intake: Intake) -> tuple[Entry, ...]:
    """What another intake, or this one, has read and not acknowledged."""
    [found] = intake._stream.claim(["billing-bot"], 0)
    return found.entries


def status(core: Core, request_id: str, agent: str = "billing-bot") -> str | None:
    answer = stream.response(core.redis, agent, request_id)
    return answer and answer.status


def refusal(core: Core, request_id: str, agent: str = "billing-bot") -> str:
    """The reason in a signed, verified `invalid`."""
    answer = stream.response(core.redis, agent, request_id)
    assert answer is not None and answer.status == "invalid"
    keys = receipts.verify_keys(core.signer.verify_key)
    return receipts.accept(answer, keys, agent=agent, request_id=request_id, digest_sent="any").reason


def test_a_request_is_marked_received_after_it_is_stored_and_leaves_the_stream(
    core: Core, intake: Intake
) -> None:
    request_id = send(core)
    drain(intake)
    assert status(core, request_id) == "pending"
    assert core.store.find("billing-bot", request_id) is not None
    assert core.redis.xlen(stream.requests("billing-bot")) == 0
    assert core.redis.xpending(stream.requests("billing-bot"), GROUP)["pending"] == 0


def test_a_redelivered_request_is_answered_again(core: Core, intake: Intake) -> None:
    request = a_request()
    send_entry(core.redis, "billing-bot", "request", str(request.id), request.encode())
    drain(intake)
    approval = core.store.find("billing-bot", str(request.id))
    assert approval is not None
    core.approvals.decide(approval.id, 1, "U0ANA", "approve")
    core.redis.flushall()
    send_entry(core.redis, "billing-bot", "request", str(request.id), request.encode())
    drain(intake)
    assert status(core, str(request.id)) == "approved"


BODY = json.loads(a_request().encode())
QUESTION = json.loads(a_request(kind="question").encode())
RIDDLE = json.loads(a_request(kind="riddle").encode())


def with_payload(text: str) -> str:
    """A body whose payload is this text, which json.dumps would not write."""
    return f'{{"id":"{BODY["id"]}","action":"x","payload":{text}}}'


@pytest.mark.parametrize("kind", ["approval", "question", "feedback", "riddle"])
def test_whoever_is_refused_is_told_what_it_was_as_far_as_that_can_be_read(
    core: Core, intake: Intake, kind: str
) -> None:
    body = {**BODY, "kind": kind, "reversibility": "perhaps"}
    refused, unread = send(core, id=BODY["id"], body=json.dumps(body)), send(core, body="{not json")
    drain(intake)
    for request_id, told in ((refused, "approval" if kind == "riddle" else kind), (unread, "approval")):
        receipt = core.approvals.refused("billing-bot", request_id)
        assert receipt is not None
        assert (receipt.kind, receipt.status, receipt.action) == (told, "invalid", "")


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"body": "{not json"}, "not JSON"),
        ({"body": "[1]"}, "valid dictionary|instance of ApprovalRequest|object"),
        ({"body": b"\xff\xfe"}, "not UTF-8|not JSON"),
        ({"v": "99"}, "reads version 1"),
        ({"v": ""}, "reads version 1"),
        ({"kind": "order"}, "no kind"),
        ({"body": "x" * (512 * 1024 + 1)}, "at most 524,288"),
        ({"body": json.dumps({**BODY, "payload": {"a": "x" * (256 * 1024)}})}, "at most 262,144"),
        ({"body": json.dumps({**BODY, "payload": []})}, "payload"),
        ({"body": with_payload('{"a":1,"a":2}')}, "twice"),
        ({"body": with_payload('{"a":NaN}')}, "NaN"),
        ({"body": json.dumps({**BODY, "payload": {"a": "\x00"}})}, "NUL"),
        ({"body": json.dumps({**BODY, "payload": {"a": 2**53}})}, r"2\^53"),
        ({"body": with_payload('{"a":"\\ud800"}')}, "surrogate"),
        ({"body": '{"payload":' + '{"a":' * 40 + "1" + "}" * 41}, "missing|required|nested"),
        ({"body": "[" * 100_000}, "nested|not JSON|10,200 are taken"),
        ({"body": json.dumps({**BODY, "surprise": 1})}, "surprise"),
        ({"body": json.dumps({**BODY, "reversibility": "perhaps"})}, "reversibility"),
        ({"body": json.dumps({**BODY, "reason": "x" * 100_000})}, "reason.*4000"),
        ({"body": json.dumps({**BODY, "expires_in": 0})}, "expires_in"),
        ({"body": json.dumps({**BODY, "expires_in": -5})}, "expires_in"),
        ({"body": json.dumps({**BODY, "expires_in": 31 * 86400})}, "expires_in"),
        ({"id": RIDDLE["id"], "body": json.dumps(RIDDLE)}, "'riddle' is not served"),
        ({"id": QUESTION["id"], "body": json.dumps(QUESTION)}, "action of a question is 'question'"),
        ({"body": json.dumps({**BODY, "action": "refund.other"})}, "commits"),
        ({"body": json.dumps({**BODY, "payload": {"amount": 1}})}, "commits"),
        ({"body": json.dumps({**BODY, "nonce": ""})}, "commits"),
        ({"body": json.dumps({**BODY, "kind": "question"})}, "commits"),
        ({"body": json.dumps({**BODY, "kind": "\x00"})}, "kind holds a NUL"),
        ({"body": json.dumps({**BODY, "key": "a\x00"})}, "key holds a NUL"),
        ({"body": json.dumps({**BODY, "run": "\ud800"})}, "half a surrogate"),
        ({"body": json.dumps({**BODY, "action": "<!channel>"})}, "action"),
        ({"body": json.dumps({**BODY, "schema": {"type": "object", "required": ["z"]}})}, "z"),
    ],
)
def test_a_poison_entry_is_answered_invalid_and_buried_while_the_rest_flows_on(
    core: Core, intake: Intake, fields: dict[str, Any], says: str
) -> None:
    before = send(core)
    poison = send(core, **{"id": BODY["id"], "body": json.dumps(BODY), **fields})
    after = send(core)
    drain(intake)
    assert status(core, before) == status(core, after) == "pending"
    assert re.search(says, refusal(core, poison)), refusal(core, poison)
    [(_, buried)] = core.redis.xrange(stream.DEAD)
    assert buried[b"agent"] == b"billing-bot" and buried[b"reason"]
    assert core.store.find("billing-bot", poison) is None


def test_an_entry_without_a_usable_id_is_buried_and_stalls_nobody(core: Core, intake: Intake) -> None:
    core.redis.xadd(stream.requests("billing-bot"), {"surprise": "1"})
    send(core, id="../../etc")
    good = send(core)
    drain(intake)
    assert status(core, good) == "pending"
    assert core.redis.xlen(stream.DEAD) == 2


def test_an_id_in_the_body_that_differs_from_the_entrys_is_refused(core: Core, intake: Intake) -> None:
    other = send(core, id=str(new_id()))
    drain(intake)
    assert "differ" in refusal(core, other)


def test_an_invalid_entry_never_covers_the_answer_of_a_real_request(core: Core, intake: Intake) -> None:
    request_id = send(core)
    drain(intake)
    core.redis.delete(stream.decision("billing-bot", request_id))
    send(core, id=request_id, body="not json")
    drain(intake)
    assert status(core, request_id) is None  # the pending request is still the only one of this id
    approval = core.store.find("billing-bot", request_id)
    assert approval is not None and approval.pending


def test_an_entry_that_fails_five_times_by_itself_is_buried(
    core: Core, intake: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []

    def failing(agent: str, request: Any) -> Any:
        calls.append(request.id)
        raise ZeroDivisionError("canary in the text")

    submit = core.approvals.submit
    monkeypatch.setattr(core.approvals, "submit", failing)
    poison = send(core)
    drain(intake)
    monkeypatch.setattr(core.approvals, "submit", submit)
    good = send(core)
    drain(intake)
    assert len(calls) == 5
    assert "ZeroDivisionError" in refusal(core, poison) and "canary" not in refusal(core, poison)
    assert status(core, good) == "pending"


def test_an_outage_pauses_and_counts_against_no_entry(
    core: Core, intake: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    submit = core.approvals.submit

    def away(agent: str, request: Any) -> Any:
        raise exc.OperationalError("select", {}, Exception("database is locked"))

    monkeypatch.setattr(core.approvals, "submit", away)
    request_id = send(core)
    intake._reader._due.clear()
    for _ in range(12):
        with pytest.raises(exc.OperationalError):
            [read] = intake._stream.read(["billing-bot"], 10)
            for entry in read.entries or claimed(intake):
                intake.process(entry)
    assert core.redis.xlen(stream.DEAD) == 0
    monkeypatch.setattr(core.approvals, "submit", submit)
    for entry in claimed(intake):
        intake.process(entry)
    assert status(core, request_id) == "pending"


def test_entries_of_a_dead_intake_are_taken_over_though_nobody_asks_anything_more(
    core: Core, intake: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "CLAIM_IDLE_MS", 0)
    dead = Stream(core.redis, "dead-consumer")
    dead.join("billing-bot")
    request_id = send(core)
    [found] = dead.read(["billing-bot"], 10)
    assert len(found.entries) == 1
    assert intake.step() == 1  # and does not wait for new ones, which to Redis is BLOCK 0
    assert status(core, request_id) == "pending"
    assert core.redis.xpending(stream.requests("billing-bot"), GROUP)["pending"] == 0


def test_what_is_taken_over_is_processed_though_nothing_new_comes(
    core: Core, intake: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "CLAIM_IDLE_MS", 0)
    dead = Stream(core.redis, "dead-consumer")
    dead.join("billing-bot")
    request_id = send(core)
    [found] = dead.read(["billing-bot"], 10)
    assert len(found.entries) == 1
    assert intake.step() == 1
    assert status(core, request_id) == "pending"


def test_what_an_outage_leaves_is_processed_next_and_not_when_it_is_claimed(
    core: Core, intake: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids, submit = [send(core) for _ in range(3)], core.approvals.submit
    calls: list[int] = []

    def locked_once(*given: Any) -> Any:
        calls.append(1)
        if len(calls) == 2:
            raise exc.OperationalError("insert", {}, Exception("locked"))
        return submit(*given)

    monkeypatch.setattr(core.approvals, "submit", locked_once)
    with pytest.raises(exc.OperationalError):
        intake.step()
    assert [status(core, one) for one in ids] == ["pending", None, None]
    assert intake.step() == 2
    assert [status(core, one) for one in ids] == ["pending"] * 3


def test_with_many_agents_a_read_takes_few_of_each(core: Core, intake: Intake) -> None:
    agents = [f"bot-{n}" for n in range(60)]
    for agent in agents:
        for _ in range(3):
            send(core, agent)
    assert intake.step() == 60, "one of each: what is read has to be done before another intake claims it"
    drain(intake)
    assert all(core.redis.xlen(stream.requests(agent)) == 0 for agent in agents)


def test_a_stream_that_lost_its_group_or_is_no_stream_stalls_nobody(core: Core, intake: Intake) -> None:
    for agent in ("bot-a", "bot-b"):
        send(core, agent)
    drain(intake)
    core.redis.xgroup_destroy(stream.requests("bot-a"), GROUP)
    core.redis.delete(stream.requests("bot-b"))
    core.redis.set(stream.requests("bot-b"), "not a stream")
    core.redis.delete(stream.requests("bot-c"))
    lost, other = send(core, "bot-a"), send(core, "bot-c")
    drain(intake)
    drain(intake)
    assert status(core, lost, "bot-a") == "pending"
    assert status(core, other, "bot-c") == "pending"


def test_a_new_agent_is_picked_up_within_a_second(core: Core, intake: Intake) -> None:
    stop = threading.Event()
    thread = threading.Thread(target=intake.run, args=(stop,))
    thread.start()
    try:
        first = send(core, "bot-a")
        eventually(lambda: status(core, first, "bot-a") == "pending")
        asked = time.monotonic()
        second = send(core, "bot-new")
        eventually(lambda: status(core, second, "bot-new") == "pending")
        assert time.monotonic() - asked < 10  # a second on a quiet machine: the bound here is generous
    finally:
        stop.set()
        thread.join(timeout=20)


def test_redis_going_away_only_pauses_the_intake(core: Core, own_redis: Any) -> None:
    client = redis.Redis(port=own_redis.port, socket_timeout=10)
    intake, stop = Intake(core.approvals, Stream(client, "consumer")), threading.Event()
    thread = threading.Thread(target=intake.run, args=(stop,))
    thread.start()
    try:
        own_redis.stop()
        own_redis.start()
        request = a_request()
        sender = redis.Redis(port=own_redis.port)
        send_entry(sender, "billing-bot", "request", str(request.id), request.encode())
        eventually(lambda: core.store.find("billing-bot", str(request.id)))
        sender.close()
    finally:
        stop.set()
        thread.join(timeout=20)
        client.close()


@pytest.mark.parametrize("fault", ["full", "a replica"])
def test_a_redis_that_refuses_to_write_only_pauses_the_intake(
    core: Core, own_redis: Any, fault: str, caplog: pytest.LogCaptureFixture
) -> None:
    client = redis.Redis(port=own_redis.port, socket_timeout=10)
    core.approvals.publisher._redis = client
    intake, stop = Intake(core.approvals, Stream(client, "consumer")), threading.Event()
    request = a_request()
    send_entry(client, "billing-bot", "request", str(request.id), request.encode())
    client.config_set("maxmemory", 1) if fault == "full" else client.replicaof("127.0.0.1", 1)
    thread = threading.Thread(target=intake.run, args=(stop,))
    thread.start()
    try:
        eventually(lambda: "paused" in caplog.text)
        client.config_set("maxmemory", 0) if fault == "full" else client.replicaof("NO", "ONE")
        eventually(lambda: stream.response(client, "billing-bot", str(request.id)))
        eventually(lambda: client.xlen(stream.requests("billing-bot")) == 0)
        assert thread.is_alive() and client.xlen(stream.DEAD) == 0
    finally:
        stop.set()
        thread.join(timeout=20)
        client.close()


def test_what_a_redis_says_that_can_take_nothing_is_an_outage_and_a_refusal_of_one_command_is_not() -> None:
    for text in (
        "MISCONF Redis is configured to save",
        "Command # 1 (SET k v) of pipeline caused error: MISCONF x",
    ):
        assert refusals.refuses_all(redis.ResponseError(text))
    for text in ("WRONGTYPE Operation against", "NOGROUP No such key", "ERR MISCONF"):
        assert not refusals.refuses_all(redis.ResponseError(text))


def test_cancel_and_outcome_travel_the_same_stream(core: Core, intake: Intake) -> None:
    cancelled, approved = send(core), send(core)
    drain(intake)
    core.redis.xadd(stream.requests("billing-bot"), stream.entry("cancel", cancelled, '{"reason":"no need"}'))
    approval = core.store.find("billing-bot", approved)
    assert approval is not None
    core.approvals.decide(approval.id, 1, "U0ANA", "approve")
    outcome = stream.entry("outcome", approved, '{"succeeded":true,"note":"re_991"}')
    core.redis.xadd(stream.requests("billing-bot"), outcome)
    drain(intake)
    assert status(core, cancelled) == "cancelled"
    reported = core.store.find("billing-bot", approved)
    assert reported is not None and reported.outcome is not None and reported.outcome.note == "re_991"


def test_what_one_agent_asks_for_takes_no_other_agents_time(
    core: Core, intake: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(core, "quick-bot")
    drain(intake)
    taken: list[str] = []
    process = intake.process

    def slowly(entry: Entry) -> None:
        if entry.agent == "slow-bot":
            time.sleep(0.06)  # what a costly request takes
            if not taken:
                send(core, "quick-bot")
        taken.append(entry.agent)
        process(entry)

    monkeypatch.setattr(intake, "process", slowly)
    for _ in range(6):
        send(core, "slow-bot")
    drain(intake)
    assert len(taken) == 7
    assert taken.index("quick-bot") <= 2, "it goes before what was read long ago"


def test_of_agents_that_wait_the_one_that_took_the_least_time_is_next() -> None:
    turns = Turns()
    turns.add(Entry(agent, b"%d-0" % at, {}) for at in range(3) for agent in ("a", "b"))
    order = []
    while turns:
        entry = turns.next()
        order.append((entry.agent, entry.stream_id))
        turns.note(entry.agent, 3.0 if entry.agent == "a" else 1.0)
    assert [agent for agent, _ in order] == ["a", "b", "b", "b", "a", "a"]
    assert [place for agent, place in order if agent == "a"] == [b"0-0", b"1-0", b"2-0"]
    turns.add([Entry("a", b"3-0", {}), Entry("b", b"3-0", {})])
    assert [entry.agent for entry in turns.all_of("a")] == ["a"]
    assert list(turns.agents) == ["b"]
