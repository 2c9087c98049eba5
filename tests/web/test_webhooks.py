"""Webhooks: what is posted, what its receivers can check, and what becomes of it whatever they answer."""

from __future__ import annotations

import asyncio
import base64
import logging
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import event, text
from standardwebhooks import Webhook, WebhookVerificationError
from support import Core, eventually, free_port, undelivered
from web import receiver as behaves
from web.certificates import own_authority
from web.receiver import Behaviour, Got, Receiver, answer, receiving

from signoff.approvals import audit
from signoff.approvals.receipts import Receipts
from signoff.models import deliveries, outbox, webhooks
from signoff.models.outbox import KINDS, SCHEDULE
from signoff.models.questions import GivenAnswer
from signoff.web.webhooks import post as posts
from signoff.web.webhooks import timer
from signoff.web.webhooks.hosts import Hosts
from signoff.web.webhooks.keys import Keys
from signoff.web.webhooks.post import Letter, Post
from signoff.web.webhooks.timer import AT_ONCE, Outbox

HERE = Hosts.read("127.0.0.0/8")
ALL = (
    "request.approved", "request.answered", "request.rejected", "request.expired", "request.cancelled",
    "request.blocked",
)  # fmt: skip
WHICH = {"question": "Which one?", "free_text": True}
PUBLIC_URL = "https://signoff.example.com"
DAY = 86_400_000_000
SECONDS = 0.4
"""What a receiver may take, where it takes longer."""


on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""What receivers do is the same on each database."""


class Hooks:
    """A worker's outbox, and what admins were told."""

    def __init__(self, core: Core, seconds: float = 20.0) -> None:
        self.core, self.told = core, list[str]()
        self.tells = True
        self.outbox = self.another(seconds)

    def another(self, seconds: float = 20.0) -> Outbox:
        """As of one more worker."""
        post = Post(HERE, seconds=seconds)
        return Outbox(self.core.store, self.core.signer, PUBLIC_URL, HERE, self._tell, post)

    def add(self, receiver: Receiver, *events: str, agent: str = "billing-bot") -> webhooks.Endpoint:
        return webhooks.add(self.core.store, agent, receiver.url, events or KINDS)

    def decide(self, vote: Any = "approve") -> Any:
        asked = self.core.submit(reason="a reason of its own", payload={"secret": "of the payload"})
        return self.core.approvals.decide(asked.id, 1, "U0ANA", vote)

    def rows(self) -> Sequence[Any]:
        return deliveries.newest(self.core.store, None, failed=False, most=1000)

    def row(self) -> Any:
        [row] = self.rows()
        return row

    def due(self) -> None:
        """Whatever waits is due now."""
        self.sql("UPDATE webhook_delivery SET due_at = 1 WHERE due_at IS NOT NULL")
        self.sql("UPDATE webhook_endpoint SET rests_until = 0")

    def sql(self, statement: str, **values: Any) -> None:
        with self.core.store.transaction() as connection:
            connection.execute(text(statement), values)

    def endpoint(self, found: webhooks.Endpoint) -> webhooks.Endpoint:
        now = webhooks.find(self.core.store, found.id)
        assert now is not None
        return now

    def _tell(self, faults: Sequence[str]) -> bool:
        self.told += faults if self.tells else ()
        return self.tells


@pytest.fixture
def hooks(core: Core) -> Hooks:
    return Hooks(core)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


def verified_by_key(got: Got, key: str) -> bool:
    """Whether one of the `v1a` is by this public key, as the specification says."""
    raw = base64.b64decode(key.removeprefix("whpk_"))
    content = f"{got.id}.{got.headers['webhook-timestamp']}.".encode() + got.body
    for one in got.headers["webhook-signature"].split(" "):
        version, _, signature = one.partition(",")
        if version == "v1a":
            try:
                Ed25519PublicKey.from_public_bytes(raw).verify(base64.b64decode(signature), content)
                return True
            except InvalidSignature:
                pass
    return False


def verified(got: Got, keys: Keys) -> bool:
    """Whether the official library takes it, and its `v1a` is right, too."""
    try:
        Webhook(keys.secret).verify(got.body, got.headers)
    except WebhookVerificationError:
        return False
    return verified_by_key(got, keys.public_key)


def test_every_end_is_told_once_thinly_and_verifies(hooks: Hooks, receiver: Receiver) -> None:
    core = hooks.core
    endpoint = hooks.add(receiver)
    core.follow(
        "rules: [{name: free, match: {action: note.*}, verdict: allow}, "
        "{name: told, match: {action: told.*}, verdict: notify}, "
        "{name: never, match: {action: db.*}, verdict: block}]"
    )
    approved, rejected = hooks.decide(), hooks.decide("reject")
    cancelled = core.approvals.cancel("billing-bot", core.submit(payload={"n": 2}).request_id, "never mind")
    late = core.submit(payload={"n": 3})
    hooks.sql("UPDATE approval SET expires_at = 1 WHERE id = :id", id=late.id)
    expired = core.approvals.expire(late.id)
    at_once = [core.submit(action=action) for action in ("note.write", "told.it", "db.drop")]
    question = core.submit(kind="question", action="question", payload=WHICH)
    answered = core.approvals.questions.answer(question.id, 1, "U0ANA", GivenAnswer(text="The second."))
    core.submit(agent="other-bot")
    core.submit(payload={"n": 4})
    hooks.outbox.step()
    hooks.outbox.step()

    ended = [approved, rejected, cancelled, expired, answered, *at_once]
    assert {f"request.{one.status}" for one in ended} == set(ALL) == set(KINDS)
    assert len(receiver.got) == len(ended) == len({got.id for got in receiver.got})
    told = {got.told["data"]["id"]: got for got in receiver.got}
    for one in ended:
        got = told[one.request_id]
        at = datetime.fromtimestamp(one.ended_at / 1_000_000, UTC).isoformat().replace("+00:00", "Z")
        assert got.told == {
            "type": f"request.{one.status}",
            "timestamp": at,
            "data": {
                "id": one.request_id, "agent": "billing-bot", "kind": one.request.kind, "action": one.action,
                "status": one.status, "code": one.code, "url": f"{PUBLIC_URL}/v1/requests/{one.request_id}",
            },
        }  # fmt: skip
        assert got.line == "POST /hooks?token=of-theirs HTTP/1.1"
        assert got.headers["content-type"] == "application/json"
        assert "." not in got.id and abs(int(got.headers["webhook-timestamp"]) - time.time()) < 60
        signatures = got.headers["webhook-signature"].split(" ")
        assert [part.partition(",")[0] for part in signatures] == ["v1", "v1a"]
        keys = Keys(core.signer, endpoint.id, 1)
        assert verified(got, keys) and not verified(got, Keys(core.signer, endpoint.id, 2))
        assert not verified(Got(got.line, got.headers, got.body + b" "), keys)
    assert all(row.due_at is None and row.fault is None and row.code == 200 for row in hooks.rows())


@on_sqlite
def test_the_receiver_in_the_docs_takes_what_is_sent_and_nothing_else(hooks: Hooks) -> None:
    page = (Path(__file__).parents[2] / "docs" / "webhooks.md").read_text(encoding="utf-8")
    port = free_port()
    program = page.partition("```python\n")[2].partition("```")[0].replace("9000", str(port))
    url = f"http://127.0.0.1:{port}/hooks"
    endpoint = webhooks.add(hooks.core.store, "billing-bot", url, KINDS)
    secret = Keys(hooks.core.signer, endpoint.id, 1).secret
    env = {**os.environ, "SIGNOFF_WEBHOOK_SECRET": secret, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen([sys.executable, "-c", program], env=env, stdout=subprocess.PIPE) as served:
        eventually(lambda: listens(port))
        approval = hooks.decide()
        hooks.outbox.step()
        assert hooks.row().code == 204
        webhooks.rotate(hooks.core.store, endpoint.id)
        hooks.sql("UPDATE webhook_endpoint SET rotated_at = 1")
        hooks.decide()
        hooks.outbox.step()
        assert [row.code for row in hooks.rows() if row.code != 204] == [401]
        served.kill()
        said = served.communicate()[0].decode()
    assert said == f"{approval.request_id} approved\n"


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_an_endpoint_hears_what_it_wants_of_its_agent_while_it_is_on(
    hooks: Hooks, receiver: Receiver
) -> None:
    some = hooks.add(receiver, "request.rejected")
    with receiving() as theirs:
        hooks.add(theirs, agent="other-bot")
        hooks.decide(), hooks.decide("reject")
        hooks.outbox.step()
        assert [got.told["type"] for got in receiver.got] == ["request.rejected"] and not theirs.got
    with hooks.core.store.transaction() as connection:
        assert webhooks.switch_off(connection, some.id, "by an operator", webhooks.OPERATOR)
    hooks.decide("reject")
    hooks.outbox.step()
    assert len(receiver.got) == 1 and len(hooks.rows()) == 1
    assert webhooks.switch_on(hooks.core.store, some.id)
    assert deliveries.replay_since(hooks.core.store, some.id, 0, delivered=False) == 1
    hooks.outbox.step()
    assert len(receiver.got) == 2


FAULTS: dict[str, tuple[Behaviour, str]] = {
    "bad request": (answer("400 Bad Request"), "answered 400"),
    "not found": (answer("404 Not Found"), "answered 404"),
    "failed": (answer("500 Internal Server Error"), "answered 500"),
    "not modified": (answer("304 Not Modified"), "answered 304"),
    "no HTTP": (lambda _, wire: wire.sendall(b"SSH-2.0-OpenSSH_9\r\n\r\n"), "no answer: "),
    "another version": (lambda _, wire: wire.sendall(b"HTTP/9.9 200 OK\r\n\r\n"), "no answer"),
    "a status of nine digits": (lambda _, wire: wire.sendall(b"HTTP/1.1 200200200 OK\r\n\r\n"), "no answer"),
    "a head of 1 MB": (answer(f"200 OK\r\nX: {'x' * 1_000_000}"), "no answer"),
    "hangs up": (behaves.hang_up, "no answer"),
    "hangs": (behaves.until_released, f"no answer within {SECONDS:g} s"),
    "drips headers": (behaves.drip, f"no answer within {SECONDS:g} s"),
    "drips bytes": (behaves.drip_line, "no answer"),
    "continues": (behaves.continues, "more than 10 interim answers"),
    "floods": (behaves.floods, "more than 10 interim answers"),
}  # fmt: skip


@on_sqlite
def test_only_a_2xx_in_time_is_success(hooks: Hooks) -> None:
    hooks.outbox = hooks.another(SECONDS)
    for name, (behave, fault) in FAULTS.items():
        with receiving(behave) as bad:
            endpoint = hooks.add(bad)
            hooks.decide()
            begun = time.monotonic()
            hooks.outbox.step()
            row = hooks.row()
            assert row.fault.startswith(fault), (name, row.fault)
            assert time.monotonic() - begun < SECONDS + 10
            assert row.ended_at is None and row.attempts == 1 and len(bad.got) == 1, name
            wait = (row.due_at - hooks.core.store.clock()) / 1e6
            assert SCHEDULE[1] - 5 < wait < SCHEDULE[1] * 1.2, name
            assert hooks.endpoint(endpoint).failing_since, name
            webhooks.remove(hooks.core.store, endpoint.id)
    for name, behave in {
        "no content": answer("204 No Content"),
        "10 MB": answer("200 OK", b"x" * 10_000_000),
        "without an end": behaves.endless,
        "less than it says": lambda _, wire: wire.sendall(b"HTTP/1.1 202 OK\r\nContent-Length: 9\r\n\r\n"),
    }.items():  # fmt: skip
        with receiving(behave) as good:
            endpoint = hooks.add(good)
            hooks.decide()
            hooks.outbox.step()
            assert hooks.row().fault is None and hooks.row().ended_at, (name, hooks.row())
            webhooks.remove(hooks.core.store, endpoint.id)


@on_sqlite
def test_a_redirect_is_not_followed(hooks: Hooks, receiver: Receiver) -> None:
    for status in ("301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"):
        with receiving(answer(f"{status}\r\nLocation: {receiver.url}")) as leads:
            endpoint = hooks.add(leads)
            hooks.decide()
            hooks.outbox.step()
            assert "redirects are not followed" in hooks.row().fault and len(leads.got) == 1
            webhooks.remove(hooks.core.store, endpoint.id)
    assert receiver.connections == 0


def in_two_hours() -> str:
    return format_datetime(datetime.now(UTC) + timedelta(hours=2), usegmt=True)


def test_a_receiver_that_asks_for_rest_has_it_within_reason(hooks: Hooks) -> None:
    for header, least, most in (
        ("Retry-After: 120", 115, 140),
        ("Retry-After: 3", 4, 7),
        (f"Retry-After: {in_two_hours()}", 7000, 7300),
        ("Retry-After: 99999999999999999999", 86_000, 87_000),
        ("Retry-After: -5", 4, 7),
        ("Retry-After: soon", 4, 7),
        ("Retry-After: Fri, 99 Foo 99999 00:00:00 GMT", 4, 7),
        ("X: none", 4, 7),
    ):
        with receiving(answer(f"429 Too Many Requests\r\n{header}")) as busy:
            endpoint = hooks.add(busy)
            hooks.decide()
            hooks.outbox.step()
            wait = (hooks.row().due_at - hooks.core.store.clock()) / 1e6
            assert least <= wait <= most, (header, wait)
            heeded = header.partition(" ")[2][:3] in ("120", "3", "999") or ("GMT" in header and least > 7)
            rests = hooks.endpoint(endpoint).rests_until > hooks.core.store.clock()
            assert rests is heeded, header
            hooks.decide()  # another message heeds it, too
            hooks.outbox.step()
            assert len(busy.got) == (1 if heeded else 2), header
            webhooks.remove(hooks.core.store, endpoint.id)


def test_it_is_tried_again_by_the_schedule_under_one_id_and_given_up(hooks: Hooks) -> None:
    with receiving(answer("503 Service Unavailable")) as bad:
        endpoint = hooks.add(bad)
        hooks.decide()
        for tries, pause in enumerate((*SCHEDULE[1:], None), start=1):
            hooks.due()
            hooks.outbox.step()
            row = hooks.row()
            assert row.attempts == tries == len(bad.got)
            if pause is None:
                assert row.due_at is None and row.ended_at and row.fault == "answered 503"
            else:
                wait = (row.due_at - hooks.core.store.clock()) / 1e6
                assert pause - 10 < wait <= pause * 1.1 + 1
        eventually(lambda: hooks.told)
        assert len({got.id for got in bad.got}) == 1
        assert sum(SCHEDULE) > 3 * 86_400
        for _ in SCHEDULE:  # one more is given up, on the same day
            deliveries.replay(hooks.core.store, row.id)
        hooks.decide()
        hooks.sql("UPDATE webhook_delivery SET attempts = :most WHERE due_at IS NOT NULL", most=len(SCHEDULE))
        hooks.outbox.step()
        assert len(hooks.told) == 1 and endpoint.id in hooks.told[0] and "replay" in hooks.told[0]
        bad.behave = answer("200 OK")
        assert deliveries.replay_failed(hooks.core.store, endpoint.id) == 2
        hooks.outbox.step()
    assert len({got.id for got in bad.got}) == 2 and all(row.fault is None for row in hooks.rows())
    assert hooks.endpoint(endpoint).failing_since is None


def test_admins_who_could_not_be_told_are_told_by_the_next(hooks: Hooks) -> None:
    hooks.tells = False
    with receiving(answer("500 Failed")) as bad:
        endpoint = hooks.add(bad)
        for _ in range(2):
            hooks.decide()
            hooks.sql("UPDATE webhook_delivery SET attempts = 9 WHERE due_at IS NOT NULL")
            hooks.outbox.step()
            eventually(lambda: hooks.endpoint(endpoint).told_at is None or hooks.told)
            hooks.tells = True
    assert len(eventually(lambda: hooks.told)) == 1


def test_gone_switches_it_off_and_what_waits_with_it(hooks: Hooks, receiver: Receiver) -> None:
    receiver.behave = answer("410 Gone")
    endpoint = hooks.add(receiver)
    for _ in range(20):
        hooks.decide()
    hooks.outbox.step()
    off = hooks.endpoint(endpoint)
    assert off.off_at and off.off_reason == "it answered 410 Gone"
    assert 1 <= len(receiver.got) <= AT_ONCE and all(row.due_at is None for row in hooks.rows())
    eventually(lambda: hooks.told)
    assert len(hooks.told) == 1 and "410 Gone" in hooks.told[0] and "token" not in hooks.told[0]
    hooks.decide()
    receiver.behave = answer("200 OK")
    receiver.got.clear()
    hooks.outbox.step()
    assert not receiver.got
    assert webhooks.switch_on(hooks.core.store, endpoint.id)
    since = hooks.core.store.clock() - 3_600_000_000
    assert deliveries.replay_since(hooks.core.store, endpoint.id, since, delivered=False) == 21
    hooks.outbox.step()
    assert len({got.id for got in receiver.got}) == len(receiver.got) == 21
    assert deliveries.replay_since(hooks.core.store, endpoint.id, since, delivered=False) == 0
    assert deliveries.replay_since(hooks.core.store, endpoint.id, since, delivered=True) == 21
    lines = lines_of(hooks.core, endpoint.id)
    assert [line[0] for line in lines] == ["operator", "signoff", "operator"]
    assert "token" not in str(lines) and audit.verify(hooks.core.store).ok


def lines_of(core: Core, endpoint: str) -> list[Any]:
    query = "SELECT actor, data FROM audit_event WHERE kind = 'webhook' AND data LIKE :named ORDER BY seq"
    with core.store.reading() as connection:
        return [tuple(row) for row in connection.execute(text(query), {"named": f"%{endpoint}%"})]


def test_one_that_takes_nothing_for_days_is_switched_off(hooks: Hooks) -> None:
    with receiving(answer("500 Failed")) as bad:
        endpoint = hooks.add(bad)
        hooks.decide()
        hooks.outbox.step()
        hooks.sql("UPDATE webhook_endpoint SET failing_since = failing_since - :days", days=6 * DAY)
        hooks.due()
        hooks.outbox.step()
    assert hooks.endpoint(endpoint).off_reason == "it took nothing for 5 days"
    assert "switched off" in eventually(lambda: hooks.told)[0]


@on_sqlite
def test_one_that_hangs_keeps_no_other_waiting_nor_a_worker_that_has_to_stop(
    hooks: Hooks, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timer, "DRAIN_SECONDS", 0.2)
    with receiving(behaves.until_released) as hangs:
        hooks.add(hangs), hooks.add(receiver)
        for _ in range(12):
            hooks.decide()
        stop = threading.Event()
        running = threading.Thread(target=hooks.outbox.run, args=(stop,))
        running.start()
        eventually(lambda: len(receiver.got) == 12)
        assert 1 <= hangs.connections <= AT_ONCE and not hangs.released.is_set()
        stop.set()
        running.join(10)
        assert not running.is_alive() and len(receiver.got) == 12
    assert sum(row.due_at is not None for row in hooks.rows()) == 12, "what was on its way is sent again"


@on_sqlite
def test_what_waits_for_a_name_keeps_nobody_waiting(
    hooks: Hooks, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    looking, released, real = threading.Event(), threading.Event(), socket.getaddrinfo

    def never(host: Any, *rest: Any, **more: Any) -> Any:
        if host != "slow.example.com":
            return real(host, *rest, **more)
        looking.set()
        released.wait(30)
        raise OSError

    monkeypatch.setattr(socket, "getaddrinfo", never)
    hooks.outbox = hooks.another(3.0)
    webhooks.add(hooks.core.store, "billing-bot", "https://slow.example.com/", KINDS)
    hooks.add(receiver)
    hooks.decide()
    hooks.outbox.step()
    assert looking.is_set() and len(receiver.got) == 1
    assert sorted(str(row.fault) for row in hooks.rows()) == ["None", "no answer within 3 s"]
    released.set()


def test_many_workers_send_each_message_once(hooks: Hooks, receiver: Receiver) -> None:
    hooks.add(receiver)
    for _ in range(40):
        hooks.decide()
    workers = [threading.Thread(target=hooks.another().step) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    hooks.outbox.step()
    assert len(receiver.got) == 40 == len({got.id for got in receiver.got})


def test_what_another_worker_has_taken_over_is_not_noted(hooks: Hooks, receiver: Receiver) -> None:
    endpoint = hooks.add(receiver)
    hooks.decide()
    [slow] = outbox.claim(hooks.core.store, endpoint.id, 9)
    assert outbox.claim(hooks.core.store, endpoint.id, 9) == []
    hooks.due()
    [quick] = outbox.claim(hooks.core.store, endpoint.id, 9)
    with hooks.core.store.transaction() as connection:
        assert outbox.note_failed(connection, slow, 500, "answered 500", None) is None
    outbox.note_taken(hooks.core.store, quick, 200)
    with hooks.core.store.transaction() as connection:
        assert outbox.note_failed(connection, slow, 500, "answered 500", None) is None
    assert hooks.row().fault is None and hooks.row().ended_at and slow.id == quick.id
    assert "token" not in repr(slow) and "token" not in repr(endpoint)


DIES = """
import sys
from signoff.models.engine import open_engine
from signoff.models.store import Store
from signoff.receipts import Signer
from signoff.web.webhooks.hosts import Hosts
from signoff.web.webhooks.timer import Outbox
hosts = Hosts.read("127.0.0.1")
store, signer = Store(open_engine(sys.argv[1])), Signer.from_text(sys.argv[2])
Outbox(store, signer, "http://x", hosts, lambda _: True).step()
"""


@on_sqlite
def test_a_worker_that_dies_after_posting_has_it_sent_again_under_the_same_id(
    hooks: Hooks, receiver: Receiver, database_url: str
) -> None:
    hooks.add(receiver)
    hooks.decide()
    env = {**os.environ, "SIGNOFF_CRASH_AT": "webhook.posted:1"}
    key = hooks.core.signer.private_text()
    died = subprocess.run([sys.executable, "-c", DIES, database_url, key], env=env, check=False, timeout=60)
    assert died.returncode == -9 and len(receiver.got) == 1
    row = hooks.row()
    assert row.ended_at is None and 0 < row.due_at - hooks.core.store.clock() <= outbox.CLAIM_SECONDS * 1e6
    hooks.outbox.step()
    assert len(receiver.got) == 1, "nobody else sends it while it may be on its way"
    hooks.due()
    hooks.outbox.step()
    first, second = receiver.got
    assert first.id == second.id and first.told["data"] | {"url": ""} == second.told["data"] | {"url": ""}
    assert hooks.row().ended_at


def test_new_keys_overlap_with_the_former_ones_for_a_day(hooks: Hooks, receiver: Receiver) -> None:
    endpoint = hooks.add(receiver)
    rotated = webhooks.rotate(hooks.core.store, endpoint.id)
    assert rotated and rotated.generation == 2
    hooks.decide()
    hooks.outbox.step()
    hooks.sql("UPDATE webhook_endpoint SET rotated_at = rotated_at - :day", day=DAY)
    hooks.decide()
    hooks.outbox.step()
    old, new = (Keys(hooks.core.signer, endpoint.id, one) for one in (1, 2))
    assert [(verified(got, old), verified(got, new)) for got in receiver.got] == [(True, True), (False, True)]
    assert old.secret != new.secret and old.public_key != new.public_key
    assert 24 <= len(base64.b64decode(old.secret.removeprefix("whsec_"))) <= 64
    others = Keys(
        hooks.core.signer, webhooks.add(hooks.core.store, "x", "https://x.example.com", KINDS).id, 1
    )
    assert others.secret != old.secret
    own = base64.urlsafe_b64decode(hooks.core.signer.verify_key.removeprefix("ed25519:") + "=")
    assert own != base64.b64decode(old.public_key.removeprefix("whpk_"))


def test_a_decision_costs_no_statement_more_without_an_endpoint(hooks: Hooks, receiver: Receiver) -> None:
    """By count, beside the same with one: that is one more."""

    def counted(do: Callable[[], object]) -> tuple[int, int]:
        seen: list[str] = []
        event.listen(hooks.core.store.engine, "before_cursor_execute", lambda *given: seen.append(given[2]))
        do()
        return len([one for one in seen if "webhook_delivery" in one]), len(seen)

    def ask() -> Any:
        return hooks.core.submit(payload={"n": len(undelivered(hooks.core.store))})

    hooks.core.follow("rules: [{name: free, match: {action: note.*}, verdict: allow}]")
    first, second = ask(), ask()
    decide = lambda one: lambda: hooks.core.approvals.decide(one.id, 1, "U0ANA", "approve")  # noqa: E731
    allow = lambda: hooks.core.submit(action="note.write")  # noqa: E731
    allow()
    without = counted(decide(first)), counted(allow)
    hooks.add(receiver)
    with_one = counted(decide(second)), counted(allow)
    assert [one[0] for one in without] == [0, 0] and [one[0] for one in with_one] == [1, 1]
    assert [b[1] - a[1] for a, b in zip(without, with_one, strict=True)] == [1, 1]


def test_a_message_is_one_whoever_says_it_again(hooks: Hooks, receiver: Receiver) -> None:
    """A restore has an end told anew: under the id that it had."""
    hooks.add(receiver)
    approval = hooks.decide()
    hooks.outbox.step()
    hooks.sql("DELETE FROM webhook_delivery")
    for _ in range(2):
        with hooks.core.store.transaction() as connection:
            outbox.add(connection, approval.id, hooks.core.store.clock())
    hooks.outbox.step()
    assert len(receiver.got) == 2 and receiver.got[0].id == receiver.got[1].id


def test_an_end_that_a_receipt_tells_of_after_a_restore_is_posted(hooks: Hooks, receiver: Receiver) -> None:
    core = hooks.core
    waits = core.submit()
    decided = core.approvals.decide(waits.id, 1, "U0ANA", "approve")
    receipts = Receipts(core.signer, hours=24)
    receipt = receipts.read(core.approvals.response(decided), "billing-bot", waits.request_id)
    assert receipt is not None
    hooks.sql("UPDATE approval SET status = 'pending', ended_at = NULL, receipt = NULL")
    hooks.sql("DELETE FROM decision")
    hooks.add(receiver)
    core.approvals.close_restored(waits.id)
    hooks.outbox.step()
    assert [got.told["type"] for got in receiver.got] == ["request.approved"]


def test_what_was_done_long_ago_is_forgotten_and_a_clock_that_was_put_back_delays_nothing(
    hooks: Hooks, receiver: Receiver
) -> None:
    hooks.add(receiver)
    hooks.decide()
    hooks.outbox.step()
    hooks.sql("UPDATE webhook_delivery SET created_at = 1")
    hooks.decide()
    hooks.sql("UPDATE webhook_delivery SET due_at = due_at + :year WHERE due_at > 0", year=1 << 45)
    deliveries.tidy(hooks.core.store)
    hooks.outbox.step()
    assert len(hooks.rows()) == 1 and len(receiver.got) == 2


def test_an_outbox_that_is_never_idle_tidies_all_the_same(
    hooks: Hooks, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There may be something on its way for days: what was done long ago goes meanwhile."""
    hooks.add(receiver)
    hooks.decide()
    sent_before: list[int] = []
    monkeypatch.setattr(deliveries, "tidy", lambda _: sent_before.append(len(receiver.got)))
    hooks.outbox._tidied -= timer.TIDY_SECONDS + 1
    hooks.outbox.step()
    assert sent_before == [0] and len(receiver.got) == 1


def test_a_request_that_is_in_no_row_any_more_ends_its_message(hooks: Hooks, receiver: Receiver) -> None:
    hooks.add(receiver)
    hooks.decide()
    hooks.sql("UPDATE webhook_delivery SET approval_id = 'gone'")
    hooks.outbox.step()
    assert not receiver.got and hooks.row().ended_at and "no row" in hooks.row().fault


@on_sqlite
def test_tls_is_checked_against_the_name_and_not_the_address(core: Core, tmp_path: Path) -> None:
    served, trusting = own_authority("hooks.example.com", tmp_path)
    hosts = Hosts.read("hooks.example.com")

    async def here(host: str, port: int) -> list[str]:
        assert host == "hooks.example.com"
        return ["127.0.0.1"]

    with receiving(tls=served) as secure, pytest.MonkeyPatch.context() as patch:
        patch.setattr(posts, "looked_up", here)
        named = secure.url.replace("127.0.0.1", "hooks.example.com")
        told = {"webhook-id": "msg_1"}
        found = send(Post(hosts, trusting), Letter(named, told, b"{}"))
        assert found.taken, found
        port = secure.url.split(":")[2].split("/")[0]
        assert secure.got[0].headers["host"] == f"hooks.example.com:{port}"
        assert "not valid" in send(Post(hosts), Letter(named, told, b"{}")).fault
        by_address = send(Post(HERE, trusting), Letter(secure.url, told, b"{}"))
        assert "not valid" in by_address.fault and len(secure.got) == 1
        plain = send(Post(hosts), Letter(named.replace("https", "http"), told, b"{}"))
        assert not plain.taken


def send(post: Post, letter: Letter) -> posts.Answer:
    return asyncio.run(post.send(letter))


@on_sqlite
def test_no_proxy_of_the_environment_is_used(
    hooks: Hooks, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    with receiving() as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url.partition("/hooks")[0])
        hooks.add(receiver)
        hooks.decide()
        hooks.outbox.step()
        assert len(receiver.got) == 1 and proxy.connections == 0


@on_sqlite
def test_no_secret_is_logged(hooks: Hooks, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    for behave in (answer("200 OK"), answer("500 Failed"), behaves.hang_up, answer("410 Gone")):
        with receiving(behave) as one:
            endpoint = hooks.add(one)
            hooks.decide()
            hooks.outbox.step()
            webhooks.remove(hooks.core.store, endpoint.id)
    secret = Keys(hooks.core.signer, endpoint.id, 1).secret
    said = "\n".join(record.getMessage() for record in caplog.records if record.name.startswith("signoff"))
    assert endpoint.id in said and "of-theirs" not in said and secret not in said and "whsec_" not in said
