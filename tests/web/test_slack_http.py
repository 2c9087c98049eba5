"""`/slack/events`: what is Slack's is done once, what is not reaches nothing; no other door waits for it."""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote_plus, urlencode
from uuid import uuid4

import httpx
import pytest
import redis
from hypothesis import given, settings
from hypothesis import strategies as st
from slack_sdk.signature import Clock
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import Response
from starlette.routing import Route
from support import RedisServer, eventually

from signoff.bot.incoming import FORM, JSON, Reply, Signing, parsed
from signoff.bot.slack.manifest import PATH
from signoff.errors import Invalid
from signoff.queue.answered import CALLS, Answered
from signoff.sandbox.http_mode import signed
from signoff.server import web_role
from signoff.web.bodies import Bodies
from signoff.web.problems import HANDLERS
from signoff.web.replays import Known, Replays
from signoff.web.slack import BODY_BYTES, SlackDoor

SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
CLICK = {"type": "block_actions", "user": {"id": "U0ANA00001"}, "actions": [{"action_id": "approve"}]}


@dataclass
class Called:
    """A web process that Slack calls; `answer` gives what is answered to a body."""

    url: str
    door: SlackDoor
    client: httpx.Client
    answer: Callable[[dict[str, Any]], Reply] = lambda body: Reply(200, "application/json", '{"ok": 1}')
    bodies: list[dict[str, Any]] = field(default_factory=list)
    retries: list[dict[str, str]] = field(default_factory=list)

    def dispatch(self, body: dict[str, Any], headers: Mapping[str, str]) -> Reply:
        self.bodies.append(body)
        self.retries.append(dict(headers))
        return self.answer(body)

    def post(
        self, body: bytes, headers: Any = None, kind: str = FORM, seconds: float = 30, **more: Any
    ) -> httpx.Response:
        """As whoever knows the secret, unless `headers` say otherwise."""
        sent = [*dict(signed(SECRET, body) if headers is None else headers).items(), ("Content-Type", kind)]
        return self.client.post(PATH, content=body, headers=sent, timeout=seconds, **more)


def form(payload: Any) -> bytes:
    return urlencode({"payload": json.dumps(payload)}).encode()


def click() -> bytes:
    """One that no other test has sent in this second: a call is known by what is signed."""
    return form({**CLICK, "trigger_id": uuid4().hex})


@contextmanager
def called(
    redis_url: str, *, threads: int = 4, most: int = 128, clock: Clock | None = None
) -> Iterator[Called]:
    """Such a process, with one other endpoint, inside the `with`."""
    with (
        redis.Redis.from_url(redis_url, socket_timeout=1, socket_connect_timeout=1) as client,
        ThreadPoolExecutor(threads) as pool,
        web_role.listen("SIGNOFF_WEB_BIND", "127.0.0.1:0") as listener,
    ):
        door = SlackDoor(Signing(SECRET, clock), Replays(Answered(client)), pool, most)
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        found = Called(url, door, httpx.Client(base_url=url, timeout=30, trust_env=False))
        door.open(lambda body, headers: found.dispatch(body, headers))
        other = Route("/other", lambda request: Response("other"))
        bodies = Middleware(Bodies, of={PATH: BODY_BYTES})
        app = Starlette(routes=[*door.routes(), other], middleware=[bodies], exception_handlers=HANDLERS)
        server = web_role.listener(app)
        serving = threading.Thread(target=server.run, args=([listener],))
        serving.start()
        eventually(lambda: server.started)
        try:
            yield found
        finally:
            found.client.close()
            server.should_exit = True
            serving.join(30)


@pytest.fixture(scope="module")
def _running(_redis_server: RedisServer) -> Iterator[Called]:
    with called(_redis_server.url) as found:
        yield found


@pytest.fixture
def slack(_running: Called, redis_url: str) -> Called:
    _running.bodies.clear()
    _running.retries.clear()
    _running.answer = Called.answer
    return _running


def test_a_call_is_parsed_once_as_what_it_is(slack: Called) -> None:
    command = {
        "command": "/approvals",
        "text": 'show "payload" payload=1',
        "channel_name": "payload",
        "x": "",
    }
    event = {"type": "event_callback", "event": {"type": "app_mention", "text": "ä & payload"}}
    retry = {"X-Slack-Retry-Num": "1", "X-Slack-Retry-Reason": "http_timeout"}
    for body, kind in (
        (form(CLICK), FORM),
        (urlencode(command).encode(), f"{FORM}; charset=utf-8"),
        (json.dumps(event, ensure_ascii=False).encode(), JSON),
    ):
        answer = slack.post(body, signed(SECRET, body) | retry, kind)
        assert answer.status_code == 200 and answer.json() == {"ok": 1}
    assert slack.bodies == [CLICK, command, event]
    assert slack.retries == [{name.lower(): value for name, value in retry.items()}] * 3


def test_a_call_that_was_answered_has_no_second_effect(slack: Called, redis_url: str) -> None:
    body, at = click(), int(time.time())
    headers = signed(SECRET, body, at)
    with called(redis_url) as another:
        first, again, elsewhere = (one.post(body, headers) for one in (slack, slack, another))
        assert first.json() == {"ok": 1}
        assert (again.status_code, again.content) == (elsewhere.status_code, elsewhere.content) == (200, b"")
        assert len(slack.bodies) == 1 and another.bodies == []
        later = signed(SECRET, body, at - 1)
        assert another.post(body, later).json() == {"ok": 1}, "the same said again is not the same call"


def test_who_searches_for_the_same_twice_in_a_second_finds_it_twice(slack: Called) -> None:
    body = form({"type": "block_suggestion", "value": "eu"})
    headers = signed(SECRET, body)
    assert [slack.post(body, headers).json() for _ in range(2)] == [{"ok": 1}] * 2


@pytest.mark.parametrize("status", [404, 500, "it raises"])
def test_a_call_that_was_not_answered_is_taken_again(
    slack: Called, redis_url: str, status: Any, caplog: pytest.LogCaptureFixture
) -> None:
    body = click()
    headers = signed(SECRET, body)

    def fail(_: dict[str, Any]) -> Reply:
        if isinstance(status, int):
            return Reply(status)
        raise ValueError("xoxb-canary")

    slack.answer = fail
    failed = slack.post(body, headers)
    assert (
        failed.status_code == (status if isinstance(status, int) else 500)
        and "canary" not in failed.text + caplog.text
    )
    slack.answer = Called.answer
    with called(redis_url) as another:
        assert another.post(body, headers).json() == {"ok": 1}
    assert slack.post(body, headers).content == b"" and len(slack.bodies) == 1


def test_a_call_that_runs_is_not_begun_again(slack: Called, redis_url: str) -> None:
    body, go, began = click(), threading.Event(), threading.Event()
    headers = signed(SECRET, body)

    def wait(_: dict[str, Any]) -> Reply:
        began.set()
        go.wait(30)
        return Reply(200, text="done")

    slack.answer = wait
    with called(redis_url) as another, ThreadPoolExecutor(1) as pool:
        first = pool.submit(slack.post, body, headers)
        assert began.wait(30)
        meanwhile = [one.post(body, headers) for one in (slack, another)]
        go.set()
        assert first.result().text == "done"
    assert [one.status_code for one in meanwhile] == [503, 503] and meanwhile[0].headers["retry-after"]
    assert slack.post(body, headers).content == b"" and len(slack.bodies) == 1


BODY = form(CLICK)
TIME = "X-Slack-Request-Timestamp"
SIGNATURE = "X-Slack-Signature"


def refused(answer: httpx.Response) -> bool:
    told = answer.json()
    assert SECRET not in answer.text and answer.headers["content-type"] == "application/problem+json"
    return answer.status_code == 401 and told["type"].endswith("#not-slacks")


ANY = st.one_of(st.text(max_size=80), st.from_regex(r"v0=[0-9a-f]{64}", fullmatch=True))


@settings(max_examples=150, deadline=None)
@given(st.integers(0, len(BODY) - 1), st.integers(1, 255), st.integers(-400, 400).filter(bool), ANY, ANY)
def test_whatever_is_changed_it_is_not_slacks(at: int, by: int, ago: int, other: str, word: str) -> None:
    signing, sent = Signing(SECRET), signed(SECRET, BODY)
    time_of, signature = sent[TIME], sent[SIGNATURE]
    changed = BODY[:at] + bytes([BODY[at] ^ by]) + BODY[at + 1 :]
    place = 3 + at % 64
    letter = "0123456789abcdef"[(int(signature[place], 16) + 1 + by % 15) % 16]
    assert not signing.fault(BODY, time_of, signature)
    for body, at_time, by_signature in (
        (changed, time_of, signature), (BODY + b"x", time_of, signature), (b"", time_of, signature),
        (BODY, str(int(time_of) + ago), signature), (BODY, other, signature), (BODY, other, word),
        (BODY, time_of, signature[:place] + letter + signature[place + 1 :]), (BODY, time_of, word),
        (BODY, time_of, signature.upper()), (BODY, time_of, signature[3:]), (BODY, time_of, signature[:-1]),
        (BODY, time_of, signed(SECRET + word + "x", BODY)[SIGNATURE]),
    ):  # fmt: skip
        said = signing.fault(body, at_time, by_signature)
        assert said and SECRET not in said


def test_who_does_not_sign_as_slack_reaches_nothing(slack: Called) -> None:
    sent = signed(SECRET, BODY)
    for headers in (
        {}, {TIME: sent[TIME]}, {SIGNATURE: sent[SIGNATURE]}, signed(SECRET + "x", BODY),
        sent | {SIGNATURE: sent[SIGNATURE].replace("v0", "v1")}, sent | {SIGNATURE: "ü"}, sent | {TIME: "ü"},
        {"X-Slack-Retry-Num": "1"}, {"Authorization": "Bearer " + SECRET},
    ):  # fmt: skip
        raw = {name.encode(): value.encode("latin-1") for name, value in headers.items()}
        assert refused(slack.client.post(PATH, content=BODY, headers=raw)), headers
    assert refused(slack.post(BODY + b"&x=1", sent)) and slack.bodies == []


def test_times_that_are_none_or_too_far_are_refused_though_they_are_signed(slack: Called) -> None:
    now, body = int(time.time()), click()
    for wrong in (
        "", "abc", "-1", "+1", "0", "1e9", "nan", "inf", "0x10", f"{now}.5", f"+{now}", f"000{now}",
        f"1_{now}", "9" * 40, str(now - 302), str(now + 303), "²", "\u0661".encode().decode("latin-1"),
    ):  # fmt: skip
        digest = signed_at(body, wrong)
        headers = {TIME.encode(): wrong.encode("latin-1"), SIGNATURE.encode(): digest.encode()}
        answer = slack.client.post(PATH, content=body, headers=headers)
        assert refused(answer), wrong
    twice = [(name, value) for name, value in signed(SECRET, body).items() for _ in range(2)]
    assert refused(slack.client.post(PATH, content=body, headers=twice))
    assert slack.bodies == []
    assert slack.post(body, signed(SECRET, body, now - 290)).status_code == 200


def signed_at(body: bytes, timestamp: str) -> str:
    text = b"v0:" + timestamp.encode("latin-1").strip() + b":" + body
    return f"v0={hmac.new(SECRET.encode(), text, hashlib.sha256).hexdigest()}"


def test_checks_of_slacks_are_answered_where_they_are_signed(slack: Called) -> None:
    check, asked = (
        b"ssl_check=1&token=x",
        b'{"type": "url_verification", "challenge": "<b>3eZ</b>", "token": "x"}',
    )
    assert refused(slack.post(check, {})) and refused(slack.post(asked, {}, JSON))
    assert (slack.post(check).status_code, slack.post(check).content) == (200, b"")
    answer = slack.post(asked, kind=JSON)
    assert answer.text == "<b>3eZ</b>" and answer.headers["content-type"].startswith("text/plain")
    assert slack.bodies == [] and slack.client.get(PATH).status_code == 405


def test_what_cannot_be_read_is_refused_and_nothing_is_done(slack: Called) -> None:
    for body, kind in (
        (b"[1]", JSON), (b"{", JSON), (b"", JSON), (b'"x"', JSON), (b"\xff{}", JSON), (b"{}", "text/plain"),
        (b"[" * 100_000 + b"]" * 100_000, JSON), (b'{"a":' * 50_000 + b"1" + b"}" * 50_000, JSON),
        (b"payload=%7B", FORM), (b"payload=[1]", FORM), (b"payload=%FF", FORM), (b"payload=", FORM),
        (b'{"a": ' + b"9" * 5_000 + b"}", JSON), (b"&".join(b"a%d=1" % n for n in range(500)), FORM),
        (b"{}", ""),
    ):  # fmt: skip
        headers = signed(SECRET, body)
        answer = slack.post(body, headers, kind)
        assert answer.status_code in (400, 401), (body[:40], answer.text)
        assert "-----" not in answer.text and headers[SIGNATURE] not in answer.text
    assert slack.bodies == []


def test_bodies_are_bounded_before_they_are_read(slack: Called) -> None:
    large = b"payload=" + b"x" * (10 * 1024 * 1024)
    assert slack.post(large).status_code == 413

    def endless() -> Iterator[bytes]:
        while True:
            yield b"x" * 65_536

    try:
        answer = slack.client.post(PATH, content=endless(), headers=dict(signed(SECRET, b"")))
        assert answer.status_code == 413
    except httpx.WriteError:
        pass  # it hung up in the middle
    with suppress(httpx.WriteError):  # nor is what nobody has signed
        assert slack.client.post(PATH, content=large).status_code == 401
    view = form({"type": "view_submission", "view": {"blocks": "ж" * 100_000}})
    assert len(view) > 576 * 1024 and slack.post(view).status_code == 200, "larger than any agent's"
    assert len(slack.bodies) == 1


def test_no_other_door_waits_behind_listeners_and_too_many_come_again(redis_url: str) -> None:
    go, began = threading.Event(), threading.Semaphore(0)

    def wait(_: dict[str, Any]) -> Reply:
        began.release()
        go.wait(60)
        return Reply(200)

    with called(redis_url, threads=2, most=5) as slack, ThreadPoolExecutor(5) as pool:
        slack.answer = wait
        bodies = [form({**CLICK, "n": n}) for n in range(6)]
        waiting = [pool.submit(slack.post, body, None, FORM, 60) for body in bodies[:5]]
        assert all(began.acquire(timeout=30) for _ in range(2))
        eventually(lambda: slack.door._room._value == 0)
        took = time.perf_counter()
        assert slack.client.get("/other").text == "other"
        took = time.perf_counter() - took
        full = slack.post(bodies[5])
        go.set()
        assert [one.result().status_code for one in waiting] == [200] * 5 and took < 2
        assert full.status_code == 503 and int(full.headers["retry-after"]) > 0
        assert slack.post(bodies[5]).status_code == 200, "there is room again"


def test_while_redis_is_away_calls_are_taken_and_this_process_remembers(own_redis: RedisServer) -> None:
    body = click()
    with called(own_redis.url) as slack:
        own_redis.stop(kill=True)
        headers = signed(SECRET, body)
        assert slack.post(body, headers).json() == {"ok": 1}
        assert slack.post(body, headers).content == b"" and len(slack.bodies) == 1
        own_redis.start()
        other = form({**CLICK, "n": 2})
        assert slack.post(other).json() == {"ok": 1}
        with redis.Redis.from_url(own_redis.url) as client:
            assert len(client.keys(f"{CALLS}*")) == 1


class Late(Clock):
    """A machine whose clock is behind."""

    def now(self) -> float:
        return time.time() - 200


def test_a_call_is_remembered_for_as_long_as_it_would_be_taken(redis_url: str) -> None:
    with called(redis_url, clock=Late()) as slack, redis.Redis.from_url(redis_url) as client:
        slack.post(click())
        [key] = client.keys(f"{CALLS}*")
        assert 490 < client.ttl(key) <= 501, "its time is ahead of ours: it would be taken for longer"
        headers = signed(SECRET, BODY)
        assert headers[SIGNATURE].removeprefix("v0=").encode() not in key


def test_what_one_process_remembers_is_bounded_and_ends(redis_url: str) -> None:
    now = [0.0]
    with redis.Redis.from_url(redis_url) as client:
        memory = Replays(Answered(client), lambda: now[0], most=50)
        for number in range(500):
            assert memory.begin(f"v0={number}") is Known.NEW
            memory.end(f"v0={number}", 300)
        assert len(memory._own) <= 51
        assert memory.begin("v0=0") is Known.ANSWERED, "Redis has those that this one has forgotten"
        client.flushall()
        assert memory.begin("v0=499") is Known.ANSWERED
        now[0] = 301
        assert memory.begin("v0=499") is Known.NEW


def test_who_is_refused_fills_no_log_and_leaves_no_secret(
    slack: Called, caplog: pytest.LogCaptureFixture
) -> None:
    slack.door._said = float("-inf")
    with caplog.at_level(logging.DEBUG):
        for _ in range(20):
            slack.post(b"payload=canary", signed("of another app", b"payload=canary"))
        slack.post(click())
    said = [record.getMessage() for record in caplog.records if record.name.startswith("signoff")]
    assert len(said) == 1 and "SLACK_SIGNING_SECRET" in said[0]
    assert not [word for word in (SECRET, "canary", "v0=") if word in caplog.text]
    assert SECRET not in repr(slack.door) and SECRET not in repr(vars(slack.door))


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(st.text(max_size=20), st.text(max_size=40), max_size=20))
def test_any_command_is_read_as_slack_wrote_it(fields: dict[str, str]) -> None:
    given = {"command": "/approvals", "text": "payload", **fields}
    body = "&".join(f"{quote_plus(name)}={quote_plus(value)}" for name, value in given.items()).encode()
    assert parsed(body, FORM) == given


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200), st.sampled_from([FORM, JSON, "", "text/html", "multipart/form-data"]))
def test_no_body_is_more_than_unreadable(body: bytes, kind: str) -> None:
    with suppress(Invalid):
        assert isinstance(parsed(body, kind), dict)
