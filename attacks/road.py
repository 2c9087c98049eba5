"""Somebody writes to Redis, without any key of ours."""

from __future__ import annotations

import json

from attacks.world import World, held, refused, until
from signoff import NotApproved, NotVerified, WaitTimeout
from signoff.client.ask import build_request
from signoff.queue import stream

PAYLOAD = {"customer": "cus_42", "amount": 120}


def a_harmless_request_stands_under_the_id_of_a_coming_one(world: World) -> None:
    """`search.web` under the id that `db.drop` will have: policy allows one, the agent runs the other."""
    coming = build_request("id-bot", "db.drop", {"name": "customers"}, {"key": "nightly"})[0]
    other = json.loads(build_request("id-bot", "search.web", {"q": "x"}, {})[0].encode())
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
