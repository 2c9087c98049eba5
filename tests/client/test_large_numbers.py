"""Whole numbers of 2^53 and more: text on the way, a number for the function and for who reads it."""

from __future__ import annotations

import dataclasses
import enum
import json
from decimal import Decimal
from typing import Annotated, Any, Literal, NamedTuple, NewType, Optional

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field, StrictInt
from support import a_request

from signoff import Signoff
from signoff.approvals.edits import check_edit
from signoff.bot.cards.card import card
from signoff.bot.forms.edit_form import EditForm
from signoff.bot.gallery.approval import made_up as make
from signoff.bot.text.views import ACTION
from signoff.client import testing
from signoff.client.arguments import Arguments
from signoff.client.testing import Approvals
from signoff.errors import Invalid
from signoff.models.approval import Approval
from signoff.payload.canonical import digest
from signoff.payload.fields import coerce
from signoff.payload.schema import check, check_schema
from signoff.payload.whole import FORMAT, is_text
from signoff.policy.evaluate import evaluate
from signoff.policy.loader import parse
from signoff.receipts import Signer
from signoff.sandbox.remote import nodes

signoff_approvals = testing.signoff_approvals
A_REAL_KEY = Signer.generate().verify_key
BIG = 1152921504606846977
"""2^60 + 1: a double does not hold it."""
Snowflake = NewType("Snowflake", int)


@dataclasses.dataclass
class Member:
    guild: int
    roles: list[int]


class Ban(BaseModel):
    member: Member
    until: int | None = None


class Strict(BaseModel):
    model_config = ConfigDict(strict=True)
    user: int


class Flag(enum.IntEnum):
    ALL = BIG
    NONE = 0


class Pair(NamedTuple):
    user: int
    name: str


def arguments(annotation: Any) -> Arguments:
    def run(it): ...  # type: ignore[no-untyped-def]

    run.__annotations__ = {"it": annotation}
    return Arguments.of(run)


def there_and_back(annotation: Any, value: Any) -> tuple[dict[str, Any], Any]:
    """The payload as it travels, and the argument that the function is run with."""
    made = arguments(annotation)
    payload, bound = made.payload((value,), {})
    for schema in (made.schema, made.schema_of(payload)):
        check_schema(schema)
    assert check(made.schema_of(payload), payload) == []
    return payload, made.rebuild(payload, bound)[0][0]


CARRIED: list[tuple[Any, Any, Any]] = [
    (int, BIG, str(BIG)),
    (int, -BIG, str(-BIG)),
    (int, 2**53, str(2**53)),
    (int, 2**53 - 1, 2**53 - 1),
    (int, 10**300, str(10**300)),
    (Optional[int], BIG, str(BIG)),  # noqa: UP045
    (int | None, None, None),
    (list[int], [1, BIG, -BIG], [1, str(BIG), str(-BIG)]),
    (dict[str, int], {"a": BIG, "b": 2}, {"a": str(BIG), "b": 2}),
    (dict[int, str], {BIG: "a"}, {str(BIG): "a"}),
    (tuple[int, str], (BIG, "x"), [str(BIG), "x"]),
    (frozenset[int], frozenset({BIG}), [str(BIG)]),
    (Member, Member(BIG, [BIG]), {"guild": str(BIG), "roles": [str(BIG)]}),
    (Ban, Ban(member=Member(1, [BIG]), until=BIG),
     {"member": {"guild": 1, "roles": [str(BIG)]}, "until": str(BIG)}),
    (Pair, Pair(BIG, "x"), [str(BIG), "x"]),
    (Snowflake, Snowflake(BIG), str(BIG)),
    (Annotated[int, Field(ge=0, le=2**64 - 1)], BIG, str(BIG)),
    (Strict, Strict(user=BIG), {"user": str(BIG)}),
    (StrictInt, BIG, str(BIG)),
    (Flag, Flag.ALL, str(BIG)),
    (Literal[1152921504606846977, 1], BIG, str(BIG)),
    (int | list[int], [BIG], [str(BIG)]),
    (int | Member, BIG, str(BIG)),
    (str, str(BIG), str(BIG)),
    (list[str], [str(BIG)], [str(BIG)]),
]  # fmt: skip


@pytest.mark.parametrize(("annotation", "value", "carried"), CARRIED, ids=lambda part: str(part)[:40])
def test_an_int_of_any_size_travels_as_text_and_comes_back(annotation: Any, value: Any, carried: Any) -> None:
    payload, back = there_and_back(annotation, value)
    assert payload == {"it": carried}
    assert back == value and type(back) is type(value)


@given(st.integers(-(2**200), 2**200))
def test_every_int_comes_back_to_its_last_digit(value: int) -> None:
    payload, back = there_and_back(int, value)
    assert (back, type(back)) == (value, int)
    assert isinstance(payload["it"], str) == (abs(value) >= 2**53)


@pytest.mark.parametrize(
    ("annotation", "value"),
    [
        (int | str, BIG),
        (list[int | str], [1, BIG]),
        (dict[str, int] | dict[str, str], {"a": BIG}),
        (int | Decimal, BIG),
        (Any, BIG),
        (dict[str, Any], {"a": {"b": [BIG]}}),
        (list, [BIG]),
    ],
)
def test_where_a_text_may_be_meant_it_is_refused_and_said(annotation: Any, value: Any) -> None:
    with pytest.raises(Invalid, match=r"it holds a number of 2\^53 or more.*annotate it as int"):
        arguments(annotation).payload((value,), {})


@pytest.mark.parametrize(("annotation", "value"), [(float, 2.0**60), (float, BIG), (int, 10**1000)])
def test_fractions_and_numbers_without_an_end_are_refused_as_ever(annotation: Any, value: Any) -> None:
    with pytest.raises(Invalid, match="it"):
        arguments(annotation).payload((value,), {})


def test_an_ordinary_call_has_the_ordinary_schema() -> None:
    made = arguments(int)
    assert made.schema_of({"it": 5}) == made.schema == arguments(int).schema
    assert made.schema["properties"]["it"] == {"type": "integer"}
    assert made.schema_of({"it": str(BIG)})["properties"]["it"]["format"] == FORMAT
    assert arguments(str).schema_of({"it": str(BIG)})["properties"]["it"] == {"type": "string"}


def test_a_bound_past_2_to_53_stops_no_function_from_being_gated() -> None:
    made = arguments(Annotated[int, Field(gt=-(2**63), lt=2**63)])
    assert made.schema["properties"]["it"] == {"type": "integer"}
    with pytest.raises(Invalid, match="less than"):
        made.rebuild({"it": str(2**70)}, made.bind((1,), {}))


def test_a_raw_payload_is_refused_and_told_what_to_do() -> None:
    from signoff.client.ask import build_request

    for wrong in (BIG, -BIG, [{"a": BIG}]):
        with pytest.raises(
            Invalid, match=r"payload\.user.* is a number of 2\^53 or more.*send it as text, with str"
        ):
            build_request("a", "x.y", {"user": wrong}, {})


# What people see


def a_ban() -> tuple[Approval, Arguments]:
    def run(user: int, roles: list[int], until: int | None = None) -> None: ...

    made = Arguments.of(run)
    payload, _ = made.payload((BIG, [1, BIG]), {"until": -BIG})
    return make(payload, schema=made.schema_of(payload)), made


def typed(asked: Approval, **texts: str) -> tuple[dict[str, Any], dict[str, str]]:
    form = EditForm(asked, "draft")
    view = form.view()
    names = {place.path[0]: place.block_id for place in form.inputs.values()}
    state = {names[name]: {ACTION: {"value": text}} for name, text in texts.items()}
    read = EditForm.read({**view, "state": {"values": state}}, asked, {})
    return read.payload, read.errors


def test_the_card_shows_the_number() -> None:
    asked, _ = a_ban()
    shown = "".join(part["text"] for part in nodes(card(asked).blocks) if part.get("type") == "text")
    assert str(BIG) in shown and f'"{BIG}"' not in shown and str(-BIG) in shown


def test_the_form_edits_it_as_a_whole_number() -> None:
    asked, made = a_ban()
    other = BIG + 1
    payload, errors = typed(asked, user=f" {other} ", roles=f"5\n{other}", until="7")
    assert errors == {} and payload == {"user": str(other), "roles": [5, str(other)], "until": 7}
    final = check_edit(asked, payload)
    assert final == payload and digest(json.dumps(final)) != asked.digest_sent
    assert made.rebuild(payload, made.bind((1, [1]), {}))[0] == (other, [5, other], 7)


@pytest.mark.parametrize("text", ["1.5", "x", "1e3000", "one", "--5", "9" * 2000], ids=range(6))
def test_what_is_no_whole_number_is_refused_at_its_field(text: str) -> None:
    asked, _ = a_ban()
    payload, errors = typed(asked, user=text)
    assert len(errors) == 1 and payload["user"] == str(BIG)


def test_what_was_left_alone_keeps_every_digit() -> None:
    asked, _ = a_ban()
    assert typed(asked)[0] == asked.payload


@given(st.integers(-(2**200), 2**200))
def test_a_form_gives_text_only_where_json_has_no_number(value: int) -> None:
    schema = {"type": ["integer", "string"], "format": FORMAT}
    found = coerce(schema, str(value))
    assert int(found) == value and isinstance(found, str) == (abs(value) >= 2**53) == is_text(str(value))


# What a policy and a gate make of it


RULES = """\
version: 1
rules:
 - {name: small, match: {action: small.act}, when: payload.user < 100, verdict: allow}
 - {name: known, match: {action: known.act}, when: 'payload.user == "1152921504606846977"', verdict: block}
 - {name: all, match: {action: '*'}, verdict: ask}
"""


@pytest.mark.parametrize(("action", "rule"), [("small.act", "all"), ("known.act", "known")])
def test_a_policy_judges_the_text_and_lets_none_pass_for_small(action: str, rule: str) -> None:
    policy = parse(RULES.encode(), "test").policy
    for user in (BIG, -BIG) if rule == "all" else (BIG,):
        payload, _ = there_and_back(int, user)
        request = a_request(action=action, payload={"user": payload["it"]})
        assert evaluate(request, "a", policy).rule == rule


def test_a_gate_asks_about_the_text_and_runs_with_the_number(signoff_approvals: Approvals) -> None:
    ran: list[Any] = []
    signoff = Signoff(redis_url="redis://nowhere.invalid:1", agent="real", verify_key=A_REAL_KEY)

    @signoff.require_approval(
        action="member.ban", reversible=False, reason=lambda user: f"spam by {user + 1}", tags=["external"]
    )
    def ban(user: int, roles: list[int], until: int | None = None) -> int:
        ran.append((user, roles, until))
        return user

    signoff_approvals.approve("member.ban")
    assert ban(BIG, [1, -BIG]) == BIG and ran == [(BIG, [1, -BIG], None)]
    [asked] = signoff_approvals.requests
    assert asked.payload == {"user": str(BIG), "roles": [1, str(-BIG)], "until": None}
    assert asked.reason == f"spam by {BIG + 1}"
    signoff_approvals.edit("member.ban", {"user": BIG + 2, "roles": []})
    assert ban(BIG, [1]) == BIG + 2 and ran[-1] == (BIG + 2, [], None)
    signoff_approvals.edit("member.ban", {"user": 5})
    assert ban(BIG, []) == 5


def test_the_receipt_gives_the_text(signoff_approvals: Approvals) -> None:
    signoff_approvals.approve("member.ban")
    signoff = Signoff(redis_url="redis://nowhere.invalid:1", agent="real", verify_key=A_REAL_KEY)
    receipt = signoff.ask("member.ban", {"user": str(BIG)}, reversible=False)
    assert receipt.payload == {"user": str(BIG)}
