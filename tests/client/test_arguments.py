"""A function's arguments as a payload and back: nothing is lost, and what would be is refused."""

from __future__ import annotations

import base64
import datetime as dt
import enum
import json
import os
import subprocess
import sys
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Generic, Literal, NamedTuple, NotRequired, Optional, TypeVar, Union

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, Field
from typing_extensions import TypedDict

from signoff.client.arguments import Arguments
from signoff.errors import Invalid
from signoff.payload.canonical import canonical, parse
from signoff.payload.schema import check, check_schema

T = TypeVar("T")


class Color(enum.Enum):
    RED = "red"
    TWO = 2


class Level(enum.IntEnum):
    LOW = 1


@dataclass(frozen=True)
class Line:
    sku: str
    blob: bytes = b"\xff\xfb"
    when: dt.date | None = None


class Address(BaseModel):
    street: str
    price: Decimal = Decimal("1.10")


class Mansion(Address):
    pool: bool = True


class Point(NamedTuple):
    x: int
    day: dt.date


class Trip(TypedDict):
    start: dt.datetime
    note: NotRequired[str]


class Token:
    def __init__(self, text: str) -> None:
        self.text = text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Token) and other.text == self.text


def there_and_back(function: Any, *args: Any, **kwargs: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Through the payload's canonical text, as a receipt brings it."""
    arguments = Arguments.of(function)
    payload, bound = arguments.payload(args, kwargs)
    check_schema(arguments.schema)
    assert check(arguments.schema_of(payload), payload) == []
    return arguments.rebuild(parse(canonical(payload)), bound)


def one(annotation: Any, value: Any) -> Any:
    def run(it): ...  # type: ignore[no-untyped-def]

    run.__annotations__ = {"it": annotation}
    args, kwargs = there_and_back(run, value)
    assert kwargs == {}
    return args[0]


# What travels

UTC_NOON = dt.datetime(2026, 11, 21, 12, 0, 0, 123, tzinfo=dt.UTC)
VALUES: list[tuple[Any, Any]] = [
    (int, 3),
    (float, 120.0),
    (float, 0.1),
    (str, "ünï\u202e"),
    (bool, True),
    (bytes, b"\xff\xfb\xfe"),
    (list[bytes], [b"", b"\xff"]),
    (dict[str, bytes | None], {"a": b"\xff", "b": None}),
    (Decimal, Decimal("120.50")),
    (Decimal, Decimal("1E+2")),
    (uuid.UUID, uuid.UUID(int=5)),
    (Path, Path("/a/b")),
    (dt.date, dt.date(2026, 11, 21)),
    (dt.datetime, UTC_NOON),
    (dt.datetime, UTC_NOON.replace(tzinfo=None)),
    (dt.time, dt.time(14, 2)),
    (dt.time, dt.time(14, 2, 3, 4, tzinfo=dt.UTC)),
    (dt.timedelta, dt.timedelta(days=2, microseconds=5)),
    (dt.timedelta, dt.timedelta(seconds=-5)),
    (Color, Color.TWO),
    (Level, Level.LOW),
    (Line, Line("a", when=dt.date(2026, 1, 2))),
    (list[Line], [Line("a"), Line("b", b"\x00")]),
    (Address, Address(street="q", price=Decimal("2.00"))),
    (Address | Line, Line("a")),
    (Point, Point(1, dt.date(2026, 1, 2))),
    (Trip, {"start": UTC_NOON}),
    (tuple[int, str], (1, "a")),
    (tuple[Color, ...], (Color.RED,)),
    (set[int], {3, 1}),
    (frozenset[Color], frozenset({Color.RED, Color.TWO})),
    (Literal["a", 2], 2),
    (Optional[dt.date], None),  # noqa: UP045
    (Union[int, str], "5"),  # noqa: UP007
    (dict[str, Any], {"a": [1, {"b": None}]}),
    (dict[int, Color], {5: Color.RED}),
    (Any, [1, "a", None, {"b": 1.5}]),
    (Annotated[int, Field(ge=1)], 5),
]


def called(it: Any) -> str:
    """A parameter's name, the same in every process: without an address, and of a set in one order."""
    text = str(sorted(it, key=str)) if isinstance(it, frozenset) else str(it)
    return text.partition(" at 0x")[0][:40]


def test_a_set_comes_back_in_whatever_order_a_process_gives_it() -> None:
    program = (
        "import enum\n"
        "from signoff.client.arguments import Arguments\n"
        "class Color(enum.Enum):\n    RED = 'red'\n    TWO = 2\n"
        "def paint(it: frozenset[Color], words: set[str]) -> None: ...\n"
        "given = (frozenset(Color), {'a', 'b', 'c'})\n"
        "payload, _ = Arguments.of(paint).payload(given, {})\n"
        "assert sorted(payload['words']) == ['a', 'b', 'c']"
    )
    for seed in range(6):
        environment = {**os.environ, "PYTHONHASHSEED": str(seed)}
        subprocess.run([sys.executable, "-c", program], env=environment, check=True, timeout=60)


@pytest.mark.parametrize(("annotation", "value"), VALUES, ids=called)
def test_a_value_comes_back_as_it_went(annotation: Any, value: Any) -> None:
    back = one(annotation, value)
    assert back == value
    assert type(back) is type(value)


@settings(max_examples=60, deadline=None)
@given(st.binary(), st.datetimes(timezones=st.just(dt.UTC)), st.timedeltas(), st.times(), st.uuids())
def test_any_bytes_and_times_come_back(blob: bytes, at: Any, span: Any, time: Any, name: Any) -> None:
    for annotation, value in ((bytes, blob), (dt.datetime, at), (dt.timedelta, span), (dt.time, time)):
        assert one(annotation, value) == value
    assert one(uuid.UUID, name) == name


@settings(max_examples=60, deadline=None)
@given(st.floats(), st.integers(), st.decimals(), st.text())
def test_any_number_and_text_comes_back_or_is_refused(
    number: float, whole: int, exact: Decimal, text: str
) -> None:
    for annotation, value in ((float, number), (int, whole), (Decimal, exact), (str, text)):
        try:
            back = one(annotation, value)
        except Invalid:
            continue
        assert back == value
        assert type(back) is type(value)


def test_bytes_travel_as_base64_and_say_so() -> None:
    def run(blob: bytes, line: Line) -> None: ...

    arguments = Arguments.of(run)
    payload, _ = arguments.payload((b"\xff\xfb", Line("a")), {})
    assert base64.b64decode(payload["blob"]) == b"\xff\xfb"
    assert arguments.schema["properties"]["blob"]["contentEncoding"] == "base64"
    assert arguments.schema["$defs"]["Line"]["properties"]["blob"]["contentEncoding"] == "base64url"


def test_sequences_may_become_lists() -> None:
    assert one(Sequence[int], (1, 2)) in ([1, 2], (1, 2))
    assert one(Mapping[str, int], {"a": 1}) == {"a": 1}


# What is refused when the request is made


@pytest.mark.parametrize(
    ("annotation", "value"),
    [
        (int, "5"),
        (int, 1.5),
        (int, 2.0**53),
        (str, 5),
        (str, "\x00"),
        (str, "\ud800"),
        (float, float("nan")),
        (float, float("inf")),
        (float, Decimal("1.5")),
        (bytes, "text"),
        (dt.date, UTC_NOON),
        (dt.date, "2026-01-01"),
        (Address, Mansion(street="q")),
        (list[Address], [Mansion(street="q")]),
        (Address, Line("a")),
        (dict[str, Any], {"at": UTC_NOON}),
        (dict[str, Any], {"it": {1, 2}}),
        (Any, UTC_NOON),
        (Any, Color.RED),
        (Any, object()),
        (dict[str, Any], {"it": object()}),
        (Literal["a"], "b"),
    ],
    ids=called,
)
def test_what_would_not_come_back_is_refused_by_name(annotation: Any, value: Any) -> None:
    with pytest.raises(Invalid) as caught:
        one(annotation, value)
    assert "it" in caught.value.detail


def test_without_an_annotation_only_json_travels() -> None:
    def run(it, other=None): ...  # type: ignore[no-untyped-def]

    assert there_and_back(run, {"a": [1]}, "x") == (({"a": [1]}, "x"), {})
    for value in (UTC_NOON, {1}, b"x", Line("a"), float("nan")):
        with pytest.raises(Invalid, match="it"):
            there_and_back(run, value)


def test_a_cycle_is_refused() -> None:
    ring: list[Any] = []
    ring.append(ring)
    with pytest.raises(Invalid):
        one(list[Any], ring)


# How a call is named


def test_positional_arguments_are_named_and_defaults_applied() -> None:
    def refund(
        customer: str, amount: int = 5, /, currency: str = "EUR", *, note: str | None = None
    ) -> None: ...

    arguments = Arguments.of(refund)
    payload, bound = arguments.payload(("cus_42",), {"currency": "USD"})
    assert payload == {"customer": "cus_42", "amount": 5, "currency": "USD", "note": None}
    assert arguments.rebuild(payload, bound) == (("cus_42", 5, "USD"), {"note": None})
    assert list(arguments.schema["properties"]) == ["customer", "amount", "currency", "note"]
    assert arguments.schema["additionalProperties"] is False


def test_further_arguments_travel_as_a_list_and_under_their_own_names() -> None:
    def run(first: int, *rest: dt.date, **named: Decimal) -> None: ...

    arguments = Arguments.of(run)
    day = dt.date(2026, 1, 2)
    payload, bound = arguments.payload((1, day, day), {"tip": Decimal("1.5")})
    assert payload == {"first": 1, "rest": ["2026-01-02", "2026-01-02"], "tip": "1.5"}
    assert arguments.rebuild(payload, bound) == ((1, day, day), {"tip": Decimal("1.5")})
    assert arguments.schema["additionalProperties"]["type"] == "string"
    assert bound.values == {"first": 1, "rest": (day, day), "tip": Decimal("1.5")}


def test_one_name_for_two_arguments_is_refused() -> None:
    def run(a: int, /, **named: int) -> None: ...

    with pytest.raises(Invalid, match="'a' twice"):
        Arguments.of(run).payload((1,), {"a": 2})


def test_a_call_that_does_not_fit_is_a_type_error_as_ever() -> None:
    def run(a: int) -> None: ...

    with pytest.raises(TypeError):
        Arguments.of(run).payload((), {})
    with pytest.raises(TypeError):
        Arguments.of(run).payload((1,), {"b": 2})


def test_none_as_a_default_widens_the_annotation() -> None:
    def run(a: str = None, b: int = None) -> None: ...  # type: ignore[assignment]  # noqa: RUF013

    assert there_and_back(run) == ((None, None), {})
    assert there_and_back(run, "x", 1) == (("x", 1), {})


def test_every_argument_comes_from_the_payload() -> None:
    def run(a: int, when: dt.date, line: Line) -> None: ...

    arguments = Arguments.of(run)
    payload, bound = arguments.payload((1, dt.date(2026, 1, 1), Line("a")), {})
    edited = {**payload, "a": 2, "when": "2027-01-01", "line": {**payload["line"], "sku": "b"}}
    assert arguments.rebuild(edited, bound) == ((2, dt.date(2027, 1, 1), Line("b")), {})


@pytest.mark.parametrize("payload", [{}, {"a": 1, "b": 2}, {"a": "x"}, {"a": None}])
def test_a_payload_that_does_not_fit_the_function_is_refused(payload: dict[str, Any]) -> None:
    def run(a: int) -> None: ...

    arguments = Arguments.of(run)
    with pytest.raises(Invalid, match=r"a|b"):
        arguments.rebuild(payload, arguments.bind((1,), {}))


# What does not travel


class RunContext:
    """Stands for a framework's: known by its name."""


class ToolRuntime(Generic[T]):
    """A generic one."""


class InjectedState:
    """A mark inside Annotated."""


def test_contexts_of_frameworks_stay_out_and_are_passed_on() -> None:
    def run(
        ctx: RunContext,
        amount: int,
        runtime: ToolRuntime[int],
        state: Annotated[dict[str, Any], InjectedState],
        other: Annotated[dict[str, Any], InjectedState()],
        maybe: RunContext | None = None,
    ) -> None: ...

    arguments = Arguments.of(run)
    mine, theirs = RunContext(), ToolRuntime[int]()
    payload, bound = arguments.payload((mine, 5, theirs, {"s": object}), {"other": {}})
    assert payload == {"amount": 5}
    assert list(arguments.schema["properties"]) == ["amount"]
    args, kwargs = arguments.rebuild({"amount": 6}, bound)
    assert args == (mine, 6, theirs, {"s": object}, {}, None)
    assert kwargs == {}


def test_a_context_that_is_imported_for_type_checkers_only_is_known_by_its_name() -> None:
    def run(ctx: "somewhere.RunContext[int] | None", amount: int) -> None: ...  # type: ignore[name-defined]  # noqa: F821, UP037

    assert Arguments.of(run).payload((None, 5), {})[0] == {"amount": 5}


def test_self_and_cls_stay_out_but_only_in_methods() -> None:
    class Bank:
        def pay(self, amount: int) -> None: ...
        def open(cls, name: str) -> None: ...

    def plain(self, amount: int) -> None: ...  # type: ignore[no-untyped-def]

    assert Arguments.of(Bank.pay).payload((Bank(), 5), {})[0] == {"amount": 5}
    assert Arguments.of(Bank.open).payload((Bank, "x"), {})[0] == {"name": "x"}
    assert Arguments.of(plain).payload((1, 5), {})[0] == {"self": 1, "amount": 5}


def test_ignored_parameters_are_passed_on_unchanged() -> None:
    def run(amount: int, connection: Token, **rest: Any) -> None: ...

    arguments = Arguments.of(run, ignore=("connection", "rest"))
    token = Token("x")
    payload, bound = arguments.payload((5, token), {"more": object})
    assert payload == {"amount": 5}
    assert arguments.rebuild({"amount": 6}, bound) == ((6, token), {"more": object})


# Classes that cannot travel


def test_a_class_that_cannot_travel_fails_at_once_and_names_encode() -> None:
    def run(amount: int, token: Token) -> None: ...

    with pytest.raises(TypeError, match=r"'token' \(Token\).*encode="):
        Arguments.of(run)

    def nested(tokens: list[Token]) -> None: ...

    with pytest.raises(TypeError, match=r"'tokens'.*encode="):
        Arguments.of(nested)

    def default(it=object()): ...  # type: ignore[no-untyped-def]  # noqa: B008

    with pytest.raises(TypeError, match=r"'it'.*encode="):
        Arguments.of(default)

    def unreadable(it: "Nowhere") -> None: ...  # type: ignore[name-defined]  # noqa: F821, UP037

    with pytest.raises(TypeError, match=r"'it'.*Nowhere"):
        Arguments.of(unreadable)


def test_encode_says_how_a_class_travels() -> None:
    def run(token: Token, amount: int) -> None: ...

    arguments = Arguments.of(run, encode={"token": (lambda token: token.text, Token)})
    payload, bound = arguments.payload((Token("x"), 5), {})
    assert payload == {"token": "x", "amount": 5}
    args, _ = arguments.rebuild({"token": "y", "amount": 5}, bound)
    assert args[0] == Token("y")


def test_an_encode_that_does_not_come_back_is_refused() -> None:
    def run(token: Token) -> None: ...

    lossy = Arguments.of(run, encode={"token": (lambda token: token.text, lambda text: Token(text + "!"))})
    with pytest.raises(Invalid, match="token"):
        lossy.payload((Token("x"),), {})
    no_json = Arguments.of(run, encode={"token": (lambda token: token, lambda text: text)})
    with pytest.raises(Invalid, match="token"):
        no_json.payload((Token("x"),), {})


@pytest.mark.parametrize(
    "options", [{"encode": {"x": (str, str)}}, {"ignore": ["x"]}, {"encode": {"a": (str,)}}]
)
def test_options_that_name_no_parameter_are_type_errors(options: dict[str, Any]) -> None:
    def run(a: int) -> None: ...

    with pytest.raises(TypeError):
        Arguments.of(run, **options)


# Where annotations come from


def test_annotations_of_local_classes_are_found() -> None:
    @dataclass
    class Local:
        day: dt.date

    def run(it: Local, many: list["Local"]) -> None: ...  # noqa: UP037

    class Inner:
        def method(self, it: Local) -> None: ...

    it = Local(dt.date(2026, 1, 1))
    assert there_and_back(run, it, [it]) == ((it, [it]), {})
    assert there_and_back(Inner.method, 0, it) == ((0, it), {})


def test_descriptions_come_from_annotations_or_the_docstring() -> None:
    def run(a: int, b: str, c: Annotated[int, Field(description="said here")]) -> None:
        """Do it.

        Args:
            a: how many
                of them
            b (str): what it is
            c: not this

        Returns:
            d: nothing
        """

    def other(a: int) -> None:
        """:param int a: the other way"""

    described = Arguments.of(run).schema["properties"]
    assert [described[name]["description"] for name in "abc"] == ["how many", "what it is", "said here"]
    assert Arguments.of(other).schema["properties"]["a"]["description"] == "the other way"


def test_a_schema_has_no_titles_but_those_that_were_given() -> None:
    class Titled(BaseModel):
        name: str = Field(title="Given")

    def run(a: Titled, line: Line, color: Color) -> None: ...

    text = json.dumps(Arguments.of(run).schema)
    assert text.count('"title"') == 1
    assert '"Given"' in text


def test_bounds_of_an_annotation_are_in_the_schema() -> None:
    def run(amount: Annotated[int, Field(ge=1, le=500)]) -> None: ...

    assert check(Arguments.of(run).schema, {"amount": 501})[0].message == "must be at most 500"


def test_a_frameworks_field_default_is_used() -> None:
    def run(a: int = Field(default=5), b: int = Field()) -> None: ...

    assert there_and_back(run, b=1) == ((5, 1), {})
    with pytest.raises(Invalid, match="b is"):
        there_and_back(run)
