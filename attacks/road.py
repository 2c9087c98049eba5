"""Somebody writes to Redis, without any key of ours."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from redis.exceptions import ResponseError

from attacks.world import World, held, refused, until
from signoff import NotApproved, NotVerified, WaitTimeout
from signoff.client.ask import build_request
from signoff.queue import stream
from signoff.queue.requests import GROUP

PAYLOAD = {"customer": "cus_42", "amount": 120}


def a_harmless_request_stands_under_the_id_of_a_coming_one(world: World) -> None:
    """`free.search` under the id that `asked.drop` will have: policy allows one, the agent runs the other."""
    coming = build_request("id-bot", "asked.drop", {"name": "customers"}, {"key": "nightly"})[0]
    other = json.loads(build_request("id-bot", "free.search", {"q": "x"}, {})[0].encode())
    world.post("id-bot", "request", str(coming.id), json.dumps({**other, "id": str(coming.id)}))
    with refused(NotApproved, NotVerified, WaitTimeout):
        world.agent("id-bot").resume(str(coming.id)).wait(10)


def a_request_is_replaced_in_flight(world: World) -> None:
    """Another payload under an id that is on its way."""
    asked = build_request("id-bot", "refund.flight", PAYLOAD, {})[0]
    more = {**json.loads(asked.encode()), "payload": {**PAYLOAD, "amount": 999_999}}
    world.post("id-bot", "request", str(asked.id), json.dumps(more))
    with refused(NotApproved, NotVerified, WaitTimeout):
        world.agent("id-bot").resume(str(asked.id)).wait(10)


def an_answer_is_put_where_another_is_waited_for(world: World) -> None:
    """The approval of one request under the key of another."""
    small = world.approved("id-bot", "refund.cheap", {"amount": 1})
    big = world.agent("id-bot").request("refund.dear", {"amount": 999_999}, reversible=True)
    world.card("refund.dear")
    answer = world.redis.get(stream.decision("id-bot", small.id))
    world.put(stream.decision("id-bot", big.id), answer or b"{}")
    with refused(NotVerified, NotApproved):
        big.wait(10)


def one_agent_asks_in_anothers_name(world: World) -> None:
    """The body says another agent than the stream."""
    asked = build_request("rich-bot", "refund.name", PAYLOAD, {})[0]
    world.post("poor-bot", "request", str(asked.id), asked.encode())
    with refused(NotApproved, NotVerified, WaitTimeout):
        world.agent("poor-bot").resume(str(asked.id)).wait(10)


def rubbish_in_one_stream_stops_another_agent(world: World) -> None:
    """Malformed entries, and keys of the wrong type."""
    for number in range(50):
        world.post("rude-bot", "request", "not-an-id", "{" * number)
    ticket = world.agent("good-bot").request("good.act", PAYLOAD, reversible=True)
    held(until("the other's request", lambda: ticket.get()), "it was not taken")


def one_agent_withdraws_or_reports_what_is_anothers(world: World) -> None:
    """`cancel`, `spend` and `outcome` for another's request, on a stream of one's own."""
    ticket, card = world.asked("rich-bot", "refund.mine", PAYLOAD)
    with world.own("poor-bot") as client:
        for kind, body in (
            ("cancel", '{"reason":"no"}'),
            ("spend", '{"by":"me"}'),
            ("outcome", '{"succeeded":true}'),
        ):
            client.xadd(stream.requests("poor-bot"), stream.entry(kind, ticket.id, body))
    world.serves("poor-bot")
    world.click(card, "approve")
    ticket.wait(30)
    row = world.row(ticket.id)
    held(row["outcome"] is None and row["spent_by"] is None, f"it says {row['outcome']}, {row['spent_by']}")


def a_request_says_what_only_the_server_says(world: World) -> None:
    """Fields that are the server's: that the schema was left out, a status, who decided, another agent."""
    for more in (
        {"schema_left_out": True}, {"status": "approved"}, {"decided_by": {"id": "U0ANA00001"}},
        {"agent": "rich-bot"}, {"verdict": {"effect": "allow"}}, {"id": "0"}, {"nonce": ""}, {"kind": "free"},
    ):  # fmt: skip
        body = json.loads(build_request("id-bot", "refund.said", {"n": str(more)}, {})[0].encode())
        request_id = body["id"]
        world.post("id-bot", "request", request_id, json.dumps({**body, **more}))
        ticket = world.agent("id-bot").resume(request_id)
        found = until("an answer", ticket.get)
        held(found.status == "invalid", f"{more}: it is {found.status}")


def a_forged_answer_lets_two_run(world: World) -> None:
    """Somebody writes that the receipt was spent by this process, unsigned or signed for another."""
    first = world.agent("id-bot")
    other = first.request("free.other", PAYLOAD, reversible=True)
    other.wait(30)
    first.ask("free.theirs", PAYLOAD, reversible=True, timeout=30)
    [signed, *_] = [world.redis.get(k) for k in world.redis.scan_iter("signoff:dec:id-bot:*:spent")] or [
        b"{}"
    ]
    client = world.agent("id-bot")
    ticket = client.request("refund.forged", PAYLOAD, reversible=True, key="forged")
    for value in (b"{}", b'{"by":"me","at":0}', signed, b"\xff"):
        world.put(stream.decision("id-bot", stream.spent(ticket.id)), value)
    with refused(NotVerified, NotApproved, WaitTimeout):
        client.ask("refund.forged", PAYLOAD, reversible=True, key="forged", timeout=5)
    ticket.cancel()


def keys_of_another_type_stop_the_server(world: World) -> None:
    """Hashes, lists, sets and texts where the server expects something else; another agent asks meanwhile."""
    ticket, card = world.asked("good-bot", "good.typed", PAYLOAD)
    for kind, put in TYPES.items():
        request_id = str(build_request("odd-bot", "good.typed", {"k": kind}, {})[0].id)
        for key in ODD_KEYS:
            name = key.format(id=request_id)
            if name != stream.requests("odd-bot") or kind != "stream":
                world.redis.delete(name)
                put(world.redis, name)
        took = world.serves()
        held(took < MOST, f"with a {kind} another agent waited {took:.1f} s")
    world.click(card, "approve")
    ticket.wait(30)
    for key in ODD_KEYS[:5]:
        world.redis.delete(key.format(id="x"))


TYPES: dict[str, Callable[[Any, str], Any]] = {
    "hash": lambda client, key: client.hset(key, "a", "b"),
    "list": lambda client, key: client.rpush(key, "a"),
    "sorted set": lambda client, key: client.zadd(key, {"a": 1}),
    "stream": lambda client, key: client.xadd(key, {"a": "b"}),
    "text": lambda client, key: client.set(key, b"\xff no answer"),
}
ODD_KEYS = (
    "signoff:dead", "signoff:dec:odd-bot", "signoff:req:odd-bot", "signoff:dec:_run", "signoff:req:odd-bot-2",
    "signoff:dec:odd-bot:{id}", "signoff:dec:odd-bot:{id}:spent", "signoff:body:odd-bot:{id}",
)  # fmt: skip
MOST = 5.0
"""Seconds that another agent may wait for an answer, whatever one does."""


def streams_that_vanish_stop_the_server(world: World) -> None:
    """Two thousand streams are made and deleted at once; another agent asks meanwhile."""
    names = [f"signoff:req:ghost-{number}" for number in range(2_000)]
    for turn in (lambda pipe, name: pipe.xadd(name, {"v": "1"}), lambda pipe, name: pipe.delete(name)):
        pipe = world.redis.pipeline(transaction=False)
        for name in names:
            turn(pipe, name)
        pipe.execute()
    took = world.serves()
    held(took < MOST, f"another agent waited {took:.1f} s")


def a_group_that_is_destroyed_stops_the_server(world: World) -> None:
    """The intake's groups on the streams of who asks, over and over."""
    for _ in range(10):
        for name in ("good-bot", "odd-bot-3"):
            key = stream.requests(name)
            with suppress(ResponseError):
                world.redis.xgroup_destroy(key, GROUP)
        took = world.serves()
        held(took < MOST, f"another agent waited {took:.1f} s")


def a_word_under_a_standing_id_changes_its_answer(world: World) -> None:
    """Nonsense, another payload, and the same pointer 500 times, under an id that was approved."""
    ticket, card = world.asked("id-bot", "refund.stands", PAYLOAD)
    world.click(card, "approve")
    receipt = ticket.wait(30)
    body = json.loads(build_request("id-bot", "refund.stands", {"amount": 1}, {})[0].encode())
    world.post("id-bot", "nonsense", ticket.id, "x")
    world.post("id-bot", "request", ticket.id, json.dumps({**body, "id": ticket.id}))
    with world.own("id-bot") as client:
        pipe = client.pipeline(transaction=False)
        for _ in range(500):
            pipe.xadd(stream.requests("id-bot"), stream.entry("request", ticket.id))
        pipe.execute()
    took = world.serves()
    held(took < MOST, f"another agent waited {took:.1f} s")
    again = world.agent("id-bot").resume(ticket.id).wait(10)
    held(again.token == receipt.token, "the answer is another one")
