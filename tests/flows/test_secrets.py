"""What agents send and people write stays out of the logs and out of RQ; so do tokens and keys."""

from __future__ import annotations

import json
import logging
import os
import signal
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
import redis
from flows.person import ANA, CHANNEL, Someone, card, redrawn
from flows.road import Road
from sqlalchemy import exc
from support import eventually, send_entry

from signoff import Invalid, NotApproved
from signoff.models.identity import new_id
from signoff.models.messages import ApprovalRequest
from signoff.queue import acl
from signoff.sandbox.team import BOT_USER_ID
from signoff.server.own_redis import admin_url_file, url_file

CANARY = "canary-7f3a91c2"
NUMBER = 7391628405
"""A number that is nowhere else."""
EVERYWHERE: dict[str, Any] = {
    "reason": CANARY, "impact": CANARY, "undo": CANARY, "alternatives": [CANARY], "title": CANARY,
    "requested_by": CANARY,
    "interpretation": CANARY,
    "context": {CANARY: CANARY}, "key": CANARY, "run": CANARY, "conversation": CANARY, "tags": [CANARY],
    "schema": {"type": "object", "title": CANARY, "description": CANARY,
               "properties": {CANARY: {"type": "string", "description": CANARY, "pattern": "canary"},
                              CANARY + "-1": {"pattern": f"(?={CANARY})", "type": CANARY},
                              CANARY + "-2": {"$ref": f"https://{CANARY}.example/", "enum": CANARY}}},
    "editable": [CANARY, "password"], "cost": NUMBER, "attempts": NUMBER, "reversible": True,
}  # fmt: skip
"""Fields of a request, each with a secret in it where it can hold one; beside them are action and payload."""


def asking(rest: str, start: str = '"id": ID, "action": "a.b"') -> tuple[str, str]:
    return "request", f"{{{start}, {rest}}}".replace("SECRET", CANARY)


REFUSED = {
    "not JSON": ("request", f"{{{CANARY}"),
    "no object": ("request", f'["{CANARY}"]'),
    "too large": ("request", f'"{CANARY * 40_000}"'),
    "a field that nobody knows": asking('"payload": {}, "SECRET": "SECRET"'),
    "an action that is none": asking('"action": "SECRET !", "payload": {}', '"id": ID'),
    "a name twice": asking('"payload": {"SECRET": 1, "SECRET": 2}'),
    "NUL": asking('"payload": {"SECRET": "\\u0000SECRET"}'),
    "half a surrogate": asking('"payload": {"a": "SECRET\\ud800"}'),
    "a number too large": asking('"payload": {"SECRET": 9007199254740993}'),
    "too deep": asking('"payload": {"SECRET": ' + "[" * 40 + "]" * 40 + "}"),
    "a value of another type": asking('"payload": "SECRET"'),
    "a kind not served": asking('"kind": "SECRET", "payload": {}'),
    "a payload that does not fit": asking(
        '"payload": {"SECRET": "SECRET"}, "schema": {"properties": {"SECRET": {"enum": ["SECRET-1"]}}}'
    ),
    "another id": asking('"action": "a.b", "payload": {"a": "SECRET"}', '"id": "' + str(new_id()) + '"'),
    "a cancel that is none": ("cancel", f'{{"{CANARY}": "{CANARY}"}}'),
    "an outcome that is none": ("outcome", f'{{"succeeded": "{CANARY}", "note": "{CANARY}"}}'),
}
"""What an agent may send that is refused, with a secret in it."""


@contextmanager
def listening(url: str) -> Iterator[list[str]]:
    """Every command that Redis is sent inside the `with`."""
    heard: list[str] = []
    client = redis.Redis.from_url(url)
    with client.monitor() as monitor:
        done = threading.Event()

        def listen() -> None:
            for command in monitor.listen():
                heard.append(command["command"])
                if "that-was-all" in command["command"]:
                    done.set()
                    return

        thread = threading.Thread(target=listen)
        thread.start()
        yield heard
        with redis.Redis.from_url(url) as other:
            other.echo("that-was-all")
        assert done.wait(60)
        thread.join(20)
    client.close()


def test_a_secret_in_a_request_is_in_no_log_and_in_no_key_of_rq(
    road: Road, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)  # the agent's own
    ana, agent = Someone(road.slack, ANA), road.agent("leaky-bot")
    with listening(road.admin_url) as heard:
        ticket = agent.request(f"leak.{CANARY}", {CANARY: CANARY, "password": CANARY}, **EVERYWHERE)
        message = card(road.slack, ticket.id)
        ana.click(message, "edit")
        form = ana.view("edit")
        assert "errors" in str(ana.submit(form, **{CANARY: f"other {CANARY.upper()}"}))
        ana.close_all()
        ana.reject(message, f"because of {CANARY}")
        with pytest.raises(NotApproved, match=CANARY):
            ticket.wait(60)
        redrawn(road.slack, ticket.id, "*Rejected*", CANARY)

        approved = agent.request("leak.test", {"password": CANARY}, reversible=True)
        ana.click(card(road.slack, approved.id), "edit")
        ana.submit(ana.view("edit"), password=f"{CANARY}-2")
        ana.submit(ana.view("difference"))
        assert approved.wait(60).payload == {"password": f"{CANARY}-2"}
        agent.report(approved.id, succeeded=False, note=CANARY)
        redrawn(road.slack, approved.id, "*Failed*", CANARY)

        noted = agent.request("leak.test", {"password": CANARY}, reversible=True)
        ana.choose(card(road.slack, noted.id), "note")
        ana.submit(ana.view("note"), Note_to_the_agent_and_the_record=CANARY)
        assert noted.wait(60).reason == CANARY
        agent.report(noted.id, succeeded=True, note=CANARY)
        redrawn(road.slack, noted.id, "*Done*", CANARY)

        long = {f"field-{number}": CANARY for number in range(100)}  # its form has pages: a draft is kept
        paged = agent.request("leak.test", long, reversible=True)
        ana.click(card(road.slack, paged.id), "edit")
        ana.submit(ana.view("edit"), **{"field-0": f"{CANARY}-3"})
        ana.view("edit", "to 100 of 100")
        ana.close_all()
        top = card(road.slack, paged.id)
        ana.write(f"<@{BOT_USER_ID}> reject {CANARY}", top["ts"])
        with pytest.raises(NotApproved, match=CANARY):
            paged.wait(60)
        road.slack.act(
            type="command", user=ANA, channel=CHANNEL, command="/approvals", text=f"pending {CANARY}"
        )

        road.redis.xadd("signoff:req:leaky-bot", {"v": "1", "kind": "request", "id": CANARY, "body": CANARY})
        road.redis.xadd("signoff:req:leaky-bot", {"v": CANARY, "kind": CANARY, CANARY: CANARY})
        eventually(lambda: road.redis.xlen("signoff:dead") >= 2)
        with pytest.raises(Invalid):
            agent.request("leak.test", {"again": CANARY}, key=CANARY, reversible=True).wait(60)
        misdrawn = {"mode": "error", "error": "invalid_blocks"}
        with road.fault(method="chat.postMessage", about="leak.refused", **misdrawn):
            refused = agent.request("leak.refused", {"refused": CANARY}, reversible=True)
            eventually(lambda: road.faults(refused.id))
        assert refused.cancel(CANARY).status == "cancelled"

    for said in (road.log.lower(), caplog.text.lower()):
        assert CANARY not in said and str(NUMBER) not in said
    allowed = (
        "signoff:req:leaky-bot", "signoff:body:leaky-bot:", "signoff:dec:leaky-bot:", "signoff:dead",
        "signoff:ntf:leaky-bot:",
    )  # fmt: skip
    for command in heard:
        if CANARY in command.lower() or str(NUMBER) in command:
            assert any(name in command for name in allowed) and "rq:" not in command, command[:300]
    assert any("rq:" in command for command in heard), "it listened"


def test_no_field_of_a_request_is_left_out() -> None:
    fields = {field.alias or name for name, field in ApprovalRequest.model_fields.items()}
    bare = {"id", "nonce", "kind", "reversibility", "risk", "expires_in", "confidence", "traceparent"}
    bare |= {"batch"}
    # no room for one
    assert fields - bare == {"action", "payload", *EVERYWHERE} - {"reversible"}


def holds_no_canary(connection: Any, key: bytes) -> list[Any]:
    """One of RQ's keys, whatever its type: what stands in it, unpacked."""
    read = {
        b"hash": lambda: [item for pair in connection.hgetall(key).items() for item in pair],
        b"list": lambda: connection.lrange(key, 0, -1),
        b"set": lambda: list(connection.smembers(key)),
        b"zset": lambda: connection.zrange(key, 0, -1),
        b"string": lambda: [connection.get(key)],
        b"stream": lambda: [repr(entry).encode() for entry in connection.xrange(key)],
        b"none": list,
    }[connection.type(key)]
    found = [key]
    for value in read():
        with suppress(zlib.error):
            value = zlib.decompress(value)
        assert CANARY.encode() not in value.lower(), key
        found.append(value)
    return found


@contextmanager
def worker_held_up(road: Road) -> Iterator[None]:
    """Its worker stands still, at a moment when it holds no lock that others wait for."""
    worker = road.children()["worker"]

    def stopped() -> bool:
        os.kill(worker, signal.SIGSTOP)
        try:
            with road.store.transaction():
                return True
        except exc.OperationalError:
            os.kill(worker, signal.SIGCONT)
            return False

    eventually(stopped, 60)
    try:
        yield
    finally:
        os.kill(worker, signal.SIGCONT)


def test_what_waits_in_rq_is_an_id_and_nothing_else(road: Road) -> None:
    """Every key of RQ, unpacked, while its worker is held up and its jobs stand there."""
    agent = road.agent("leaky-bot")
    with worker_held_up(road):
        tickets = [
            agent.request(f"leak.{number}", {CANARY: CANARY}, reason=CANARY, reversible=True)
            for number in range(3)
        ]
        for ticket in tickets:
            road.row(ticket.id)
        keys = eventually(lambda: len(road.redis.keys("rq:job:*")) >= 3 and road.redis.keys("rq:*"))
        found = [value for key in keys for value in holds_no_canary(road.redis, key)]
        jobs = [json.loads(value) for value in found if value.startswith(b'["')]
        named = {job[2][0] for job in jobs}
        assert {ticket.id for ticket in tickets} <= named
        assert all(job[0] in ("deliver", "home") and job[1] is None and not job[3] for job in jobs), jobs
    for ticket in tickets:
        card(road.slack, ticket.id)
        ticket.cancel()


def test_a_secret_in_what_is_refused_is_in_no_log(road: Road, caplog: pytest.LogCaptureFixture) -> None:
    """Each kind of refusal; the agent is told why, and the dead letters have the entry."""
    before = road.redis.xlen("signoff:dead")
    for kind, body in REFUSED.values():
        request_id = str(new_id())
        send_entry(road.redis, "leaky-bot", kind, request_id, body.replace("ID", json.dumps(request_id)))
    eventually(lambda: road.redis.xlen("signoff:dead") >= before + len(REFUSED), 60)
    assert CANARY not in road.log.lower()

    agent = road.agent("leaky-bot")
    caplog.set_level(logging.DEBUG)
    for wrong in (
        {"payload": {CANARY: 2**60}},
        {"payload": {CANARY: CANARY}, "schema": {"properties": {CANARY: {"type": "integer"}}}},
        {"payload": {"a": "x" * 300_000 + CANARY}},
        {"payload": {}, "tags": [f"{CANARY} !"]},
        {"payload": {}, "run": CANARY * 20},
    ):
        with pytest.raises(Invalid):
            agent.request("leak.test", reversible=True, **wrong)  # type: ignore[arg-type]
    assert CANARY not in caplog.text.lower()


@contextmanager
def refusing_rows(road: Road) -> Iterator[None]:
    """The database refuses a payload, and PostgreSQL says in its error which row that was."""
    sqlite = road.database_url.startswith("sqlite")
    make, drop = (
        (
            "CREATE TRIGGER poison BEFORE INSERT ON payload WHEN NEW.text LIKE '%poison%' "
            "BEGIN SELECT RAISE(ABORT, 'refused'); END",
            "DROP TRIGGER poison",
        )
        if sqlite
        else (
            "ALTER TABLE payload ADD CONSTRAINT poison CHECK (text NOT LIKE '%%poison%%') NOT VALID",
            "ALTER TABLE payload DROP CONSTRAINT poison",
        )
    )
    with road.store.transaction() as connection:
        connection.exec_driver_sql(make)
    try:
        yield
    finally:
        with road.store.transaction() as connection:
            connection.exec_driver_sql(drop)


def test_a_secret_is_in_no_log_when_the_database_fails(either_road: Road) -> None:
    """It refuses a row, and it is locked while somebody decides."""
    road = either_road
    agent, ana = road.agent("leaky-bot"), Someone(road.slack, ANA)
    with refusing_rows(road):
        ticket = agent.request("leak.row", {CANARY: f"poison {CANARY}"}, reason=CANARY, reversible=True)
        with pytest.raises(Invalid, match="failed on it 5 times"):
            ticket.wait(60)
    assert "IntegrityError" in road.log

    waits = agent.request("leak.locked", {"password": CANARY}, reason=CANARY, reversible=True)
    ana.choose(card(road.slack, waits.id), "note")
    form = ana.view("note")
    with road.store.transaction() as connection:  # SQLite: nobody else may write
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql("LOCK TABLE approval IN ACCESS EXCLUSIVE MODE")
        ana.submit(form, Note_to_the_agent_and_the_record=CANARY)
        ana.view("note", "could not record")
    assert road.store.get(waits.id).pending  # type: ignore[union-attr]
    ana.close_all()
    assert waits.cancel().status == "cancelled"
    assert CANARY not in road.log.lower()


def test_a_secret_is_in_no_log_when_slack_refuses(road: Road) -> None:
    """To post, to redraw and to open a form; as an error and as a reply that is none."""
    agent, ana = road.agent("leaky-bot"), Someone(road.slack, ANA)
    asked = {"reason": CANARY, "title": CANARY, "reversible": True}
    ticket = agent.request("leak.slack", {"password": CANARY}, **asked)  # type: ignore[arg-type]
    message = card(road.slack, ticket.id)
    with road.fault(method="views.open", mode="error", error="invalid_arguments"):
        ana.click(message, "edit")
    with road.fault(method="chat.update", mode="error", error="invalid_blocks", about=message["ts"]):
        ana.click(message, "approve")
        eventually(lambda: road.faults(ticket.id))
    ticket.wait(60)
    road.move(ticket.id, not_before=0)
    redrawn(road.slack, ticket.id, "*Approved*")
    with road.fault(method="chat.postMessage", mode="error", error="internal_error", about="leak.late"):
        late = agent.request("leak.late", {"password": CANARY}, **asked)  # type: ignore[arg-type]
        road.row(late.id)
        eventually(lambda: f"postponed: id={late.id}" in road.log)
    card(road.slack, late.id)
    late.cancel(CANARY)
    assert CANARY not in road.log.lower()


def test_tokens_and_keys_are_in_no_log(road: Road) -> None:
    """Also where Slack refuses the token, and where a call breaks off."""
    road.slack.team(bot={"token_error": "token_revoked"})
    ticket = road.agent().request("token.test", {"a": 1}, reversible=True)
    eventually(lambda: road.faults(ticket.id))
    road.slack.team(bot={"token_error": ""})
    road.slack.faults(method="socket", mode="disconnect")
    eventually(road.is_reached, 60)
    assert ticket.cancel().status == "cancelled"
    private = (road.data / "signing.key").read_text().strip()
    kept = [file.read_text().strip() for file in (url_file(road.data), admin_url_file(road.data))]
    passwords = [acl.credentials(url)[1] for url in (*kept, road.agent_settings["SIGNOFF_REDIS_URL"])]
    slacks = (road.slack.bot_token, road.slack.app_token, road.slack.signing_secret)
    for secret in (*slacks, private, *passwords):
        assert len(secret) > 10 and secret not in road.log
    for file in road.data.rglob("*"):
        assert file.stat().st_mode & 0o077 == 0 or not file.is_file() or _no_secret(file), file


def _no_secret(file: Path) -> bool:
    return b"xoxb-" not in file.read_bytes() and b"xapp-" not in file.read_bytes()
