"""What a newcomer gets wrong, each with the one thing to do: the slip, and the words that mend it."""

from __future__ import annotations

import enum
import ipaddress
import logging
import re
import types
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from signoff import Invalid, Signoff, SignoffError, WaitTimeout, explain
from signoff.client import mistakes
from signoff.client.claims import NAMES
from signoff.models import codes
from signoff.models.messages import build
from signoff.models.receipt import Receipt
from signoff.testing import Approvals


class Plain:
    """Of a class that nobody knows."""


class Colour(enum.Enum):
    RED = "red"


class Model(BaseModel):
    amount: int = 1


@dataclass
class Data:
    amount: int = 1


@pytest.fixture
def client(signoff_approvals: Approvals) -> Iterator[Signoff]:
    signoff_approvals.approve("*")
    with Signoff() as signoff:
        yield signoff


def said(error: BaseException) -> str:
    return error.detail if isinstance(error, SignoffError) else str(error)


VALUES: dict[str, tuple[Any, str]] = {
    "a datetime": (
        datetime.now(UTC),
        "payload.a is a datetime, which JSON does not have: send value.isoformat()",
    ),
    "a date": (date(2026, 1, 1), "send value.isoformat()"),
    "a time": (time(12), "send value.isoformat()"),
    "a span": (timedelta(1), "send value.total_seconds()"),
    "a class": (Plain, "payload.a is the class Plain, which JSON does not have: send one of its values"),
    "an object": (Plain(), "payload.a is a Plain, which JSON does not have: send the text, numbers"),
    "a dataclass": (Data(), "send dataclasses.asdict(value)"),
    "a model": (Model(), 'send value.model_dump(mode="json")'),
    "a set": (
        {1},
        "payload.a is a set, which JSON does not have: send a list in an order of its own, sorted(value)",
    ),
    "a frozenset": (frozenset({1}), "sorted(value)"),
    "a Decimal": (Decimal("1.20"), "send str(value), so that no digit is lost"),
    "a fraction": (Fraction(1, 3), "send it as text, str(value)"),
    "bytes": (b"x", "payload.a is a bytes, which JSON does not have: send text, value.decode(), or Base64"),
    "an id": (uuid.uuid4(), "send it as text, str(value)"),
    "a path": (Path("x"), "send it as text, str(value)"),
    "an address": (ipaddress.ip_address("192.0.2.1"), "send it as text, str(value)"),
    "an enum": (Colour.RED, "send value.value"),
    "a function": (said, "call it, and send what it gives"),
    "a method": ("".upper, "call it, and send what it gives"),
    "a generator": ((x for x in ()), "send a list, list(value)"),
    "a range": (range(3), "send a list, list(value)"),
    "a view": ({}.keys(), "send a list, list(value)"),
    "a proxy": (types.MappingProxyType({}), "send dict(value)"),
    "an error": (ValueError("x"), "send it as text, str(value)"),
    "a module": (types, "send what in it you mean"),
    "a pattern": (re.compile("x"), "send value.pattern"),
    "dots": (..., "send the value that should stand there"),
    "NaN": (float("nan"), "send it as text"),
    "too much": (2**60, "send it as text"),
    "a number as a name": ({1: 2}, "Write it as '1'"),
    "NUL": ("\0", "remove it"),
}


@pytest.mark.parametrize("name", VALUES)
def test_what_json_does_not_have_is_told_what_to_send_instead(client: Signoff, name: str) -> None:
    value, words = VALUES[name]
    for place in (value, [value], {"b": value}):
        with pytest.raises(Invalid) as caught:
            client.ask("refund.create", {"a": place}, reversible=True)
        assert words.removeprefix("payload.a ") in said(caught.value)
        assert "payload.a" in said(caught.value) and caught.value.action == "refund.create"


def test_what_was_not_awaited_is_told_so_in_a_payload_and_as_one(client: Signoff) -> None:
    async def fetch() -> dict[str, int]:
        return {"a": 1}

    for in_payload in (True, False):
        given: Any = fetch()
        with pytest.raises(Invalid, match="await it first, and send what it gives"):
            client.ask("refund.create", {"a": given} if in_payload else given, reversible=True)
        given.close()


PAYLOADS: dict[str, tuple[Any, str]] = {
    "nothing": (None, "The payload is None: it has to be an object (a dict); write {} where"),
    "JSON text": (
        '{"a": 1}',
        "The payload is a str: it has to be an object (a dict); json.loads(payload) makes",
    ),
    "a list": (
        [1],
        'The payload is a list: it has to be an object (a dict); put it into one, {"items": [...]}',
    ),
    "a number": (120, 'The payload is an int: it has to be an object (a dict); name it, {"amount": 120}'),
    "a model": (
        Model(),
        'The payload is a Model: it has to be an object (a dict); send value.model_dump(mode="json")',
    ),
    "a dataclass": (Data(), "send dataclasses.asdict(value)"),
    "a class": (
        Model,
        "The payload is the class Model: it has to be an object (a dict); send one of its values",
    ),
    "an object": (Plain(), "The payload is a Plain: it has to be an object (a dict)"),
}


@pytest.mark.parametrize("name", PAYLOADS)
def test_a_payload_that_is_no_dict_is_told_how_it_becomes_one(client: Signoff, name: str) -> None:
    payload, words = PAYLOADS[name]
    with pytest.raises(Invalid) as caught:
        client.ask("refund.create", payload, reversible=True)
    assert said(caught.value).startswith(words) or words in said(caught.value)


CLAIMS: dict[str, tuple[dict[str, Any], str]] = {
    "one tag": ({"tags": "money"}, "tags is one text: write a list, tags=['money']."),
    "a tag in capitals": ({"tags": ["Personal Data"]}, 'write "personal-data"'),
    "tags by name": ({"tags": {"money": True}}, 'write a list, tags=["money", "external"]'),
    "no text among tags": ({"tags": [1]}, "tags holds an int: write texts only"),
    "one field": (
        {"editable": "amount"},
        "editable is one text: write True, False or a list, editable=['amount'].",
    ),
    "a span in words": (
        {"expires_in": "1h"},
        "expires_in is '1h': write seconds, expires_in=3600, or a timedelta.",
    ),
    "a span in more": ({"expires_in": "30 minutes"}, "write seconds, expires_in=1800"),
    "a moment": ({"expires_in": datetime.now(UTC)}, "expires_in is a datetime: write seconds from now"),
    "no time": ({"expires_in": 0}, "expires_in is 0 seconds: at least 1"),
    "too long": ({"expires_in": timedelta(days=40)}, "at most 2,592,000 (30 days)"),
    "never": ({"expires_in": float("inf")}, "write seconds from now"),
    "a risk of one's own": (
        {"risk": "High"},
        'risk is \'High\': write "low", "medium", "high" or "critical".',
    ),
    "reversible in words": ({"reversible": "no"}, "reversible is 'no': write True, False or"),
    "a percentage": ({"confidence": 90}, "confidence is 90: write a number from 0 to 1, confidence=0.9."),
    "a currency": ({"cost": "12 EUR"}, "cost is '12 EUR': write a number, without its currency, cost=12.5."),
    "fewer than no attempts": ({"attempts": -1}, "attempts is -1: write how often it has failed before"),
    "attempts in words": ({"attempts": "two"}, "attempts is 'two': write how often"),
    "text as context": ({"context": "x"}, "context is a str: it has to be an object (a dict)"),
    "a conversation without end": (
        {"context": {"conversation": [{"role": "user", "text": "Why?"}] * 201}},
        "context holds a conversation of 201 turns: up to 200 turns are taken. Send the last ones",
    ),
    "a class as schema": ({"schema": Model}, "schema is a class: write Model.model_json_schema()"),
    "text as schema": ({"schema": "{}"}, "json.loads makes one of JSON text"),
    "a number as key": ({"key": 991}, 'key is an int: write text, key="refund-991".'),
    "a number as run": ({"run": 5}, "run is an int: write text"),
    "lines as reason": ({"reason": ["x"]}, "reason is a list: write text"),
    "an object for whom": ({"requested_by": Plain()}, "requested_by is a Plain: write text"),
    "no text to choose": ({"alternatives": [1]}, "alternatives holds an int: write texts only"),
    "a slip": ({"reversable": True}, "There is no field reversable (did you mean reversible?)."),
    "another": ({"expire_in": 1}, "There is no field expire_in (did you mean expires_in?)."),
    "none of ours": ({"colour": "red"}, "There is no field colour."),
    "a timeout in words": ({"timeout": "10m"}, "timeout is a str: write seconds, timeout=600."),
    "a timeout that is a span": ({"timeout": timedelta(1)}, "write seconds, timeout=86400."),
    "runs": ({"runs": "twice"}, 'runs is \'twice\': write "once" or "at-least-once".'),
}
GATED = {
    name: case for name, case in CLAIMS.items() if not case[0].keys() & {"schema", "key", "reason", "runs"}
}


@pytest.mark.parametrize("name", CLAIMS)
def test_what_is_said_in_the_wrong_way_is_told_the_right_one(client: Signoff, name: str) -> None:
    ask, words = CLAIMS[name]
    with pytest.raises(Invalid) as caught:
        client.ask("refund.create", {"a": 1}, **{"reversible": True, **ask})
    assert words in said(caught.value)


@pytest.mark.parametrize("name", GATED)
def test_a_function_that_asks_says_it_when_it_is_decorated(client: Signoff, name: str) -> None:
    ask, words = GATED[name]
    with pytest.raises(TypeError) as caught:
        client.require_approval(**ask)
    assert words in said(caught.value).replace("require_approval() has no option", "There is no field")


OPTIONS: dict[str, tuple[Callable[[Signoff], object], str]] = {
    "a slip": (lambda s: s.require_approval(actoin="x"), "no option actoin (did you mean action?)"),
    "the action alone": (
        lambda s: s.require_approval("refund.create"),
        "@require_approval(action='refund.create')",
    ),
    "an action with a space": (
        lambda s: s.require_approval(action="a b"),
        'is no name such as "refund.create"',
    ),
    "a condition in words": (
        lambda s: s.require_approval(condition="amount > 1"),
        "condition=lambda amount: amount",
    ),
    "a fallback that is none": (
        lambda s: s.require_approval(fallback="x"),
        "fallback is 'x', and has to be a function",
    ),
    "a key that is none": (lambda s: s.require_approval(key=5), "key is 5, and has to be text or a function"),
    "a reason that is none": (
        lambda s: s.require_approval(reason=5),
        "reason is 5, and has to be text or a function",
    ),
    "on_reject": (lambda s: s.require_approval(on_reject="explian"), "on_reject is 'raise' or 'explain'"),
    "runs": (lambda s: s.require_approval(runs="2"), "runs is 'once' or 'at-least-once'"),
    "a schema": (lambda s: s.require_approval(schema={}), "has no option schema"),
    "a class": (lambda s: s.require_approval(Plain), "decorates functions, not type objects"),
}  # type: ignore[dict-item,call-overload]


@pytest.mark.parametrize("name", OPTIONS)
def test_an_option_that_cannot_be_is_said_so(client: Signoff, name: str) -> None:
    call, words = OPTIONS[name]
    with pytest.raises(TypeError) as caught:
        call(client)
    assert words in str(caught.value)


CALLS: dict[str, tuple[Callable[[Signoff], object], str]] = {
    "an action with a space": (lambda s: s.ask("refund create", {}), "'refund create' is no name such as"),
    "no action": (lambda s: s.ask(None, {}), 'The action is None: write its name, such as "refund.create".'),
    "a function as action": (
        lambda s: s.ask(len, {}),
        "The action is a builtin_function_or_method: write its name",
    ),
    "no id": (lambda s: s.resume("abc"), "'abc' is not a request's id: that is 36 characters"),
    "a code": (
        lambda s: s.get("K7Q2MX"),
        "'K7Q2MX' is a code for people: an agent names a request by its id",
    ),
    "a number as id": (
        lambda s: s.resume(3),
        "A request's id is text, ticket.id or receipt.id, and not an int.",
    ),
    "a receipt as id": (
        lambda s: s.report(s.ask("x", {}, reversible=True), succeeded=True),
        "is not a request's id: pass its .id",
    ),
    "no receipt": (lambda s: s.spend("x"), "spend takes the receipt that ask() or wait() gives, not a str."),
    "a wait in words": (
        lambda s: s.request("x", {}, reversible=True).wait("10m"),
        "write seconds, timeout=600",
    ),
}  # type: ignore[dict-item,arg-type]


@pytest.mark.parametrize("name", CALLS)
def test_a_call_that_cannot_be_is_told_what_to_give(client: Signoff, name: str) -> None:
    call, words = CALLS[name]
    with pytest.raises(Invalid) as caught:
        call(client)
    assert words.lower() in said(caught.value).lower()


def test_an_id_that_no_server_knows_is_said_so_and_one_that_waits_is_not(
    signoff_approvals: Approvals,
) -> None:
    signoff_approvals.leave_pending()
    with Signoff() as signoff:
        with pytest.raises(WaitTimeout, match="No server has taken it yet"):
            signoff.resume(str(uuid.uuid4())).wait(0.1)
        with pytest.raises(WaitTimeout) as caught:
            signoff.request("refund.create", {}, reversible=True).wait(0.1)
        assert "No server" not in str(caught.value)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | st.dates(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(ask=st.dictionaries(st.sampled_from(sorted(NAMES)), JSON, max_size=4), action=JSON, payload=JSON)
def test_whatever_is_said_is_taken_or_is_invalid_in_one_sentence(ask: Any, action: Any, payload: Any) -> None:
    for check, value in (
        (mistakes.check_claims, ask), (mistakes.check_action, action), (mistakes.check_payload, payload),
        (mistakes.check_timeout, action), (mistakes.check_runs, action), (mistakes.checked_id, action),
    ):  # fmt: skip
        try:
            check(value)
        except Invalid as error:
            assert len(error.detail) < 400 and "\n" not in error.detail


def test_a_no_names_its_action_also_where_the_request_was_refused_unread(
    signoff_approvals: Approvals, caplog: pytest.LogCaptureFixture
) -> None:
    with Signoff() as signoff:
        with pytest.raises(Invalid) as caught:
            signoff.ask("refund.create", {"a": 1}, tags="money")  # type: ignore[arg-type]
        assert explain(caught.value).startswith("refund.create was not run: the request is not valid.")
        signoff_approvals.approve("*")
        signoff.ask("refund.create", {"a": 1}, reversible=True, key="991")
        with pytest.raises(Invalid) as caught:
            signoff.ask("refund.create", {"a": 2}, reversible=True, key="991")
        assert explain(caught.value).startswith("refund.create was not run: the request is not valid.")

        @signoff.require_approval(action="refund.create", reversible=True, on_reject="explain")
        def refund(amount: int) -> str:
            return "refunded"

        assert refund(True).startswith("refund.create was not run: the request is not valid.")


@pytest.mark.parametrize("status", ["invalid", "duplicate", "limited"])
def test_of_a_receipt_that_names_no_action_the_ticket_does(
    signoff_approvals: Approvals, monkeypatch: pytest.MonkeyPatch, status: str
) -> None:
    from signoff import receipts

    accept = receipts.accept

    def unread(*args: Any, **kwargs: Any) -> Receipt:
        return accept(*args, **kwargs).model_copy(update={"action": "", "status": status})

    signoff_approvals.block()
    monkeypatch.setattr(receipts, "accept", unread)
    with Signoff() as signoff, pytest.raises(SignoffError) as caught:
        signoff.ask("refund.create", {"a": 1}, reversible=True)
    assert explain(caught.value).startswith("refund.create was not run: ")  # type: ignore[arg-type]


def test_who_waits_is_told_once_of_which_request(client: Signoff, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "signoff")
    receipt = client.ask("refund.create", {"a": 1}, reversible=True)
    lines = [record.getMessage() for record in caplog.records]
    code, state = codes.code(receipt.id), f"`signoff status {receipt.id}` tells its state"
    assert lines == [f"refund.create is asked, and waits for a decision: {code} ({state})"]
    assert codes.read(code) == code and len(code) == 6


def test_a_person_for_whom_it_is_asked_travels() -> None:
    from signoff.models.messages import ApprovalRequest

    values = {"id": uuid.uuid4(), "action": "x", "payload": {}, "requested_by": "Ana Lee <ana@example.com>"}
    request = build(ApprovalRequest, values)
    assert ApprovalRequest.from_rows(request.claims(), {}).requested_by == "Ana Lee <ana@example.com>"
    assert "requested_by" not in build(ApprovalRequest, {**values, "requested_by": ""}).encode()
