"""What a condition judges is what would run: hostile arguments, odd answers, options that see the same."""

from __future__ import annotations

import asyncio
import datetime as dt
import enum
import gc
import logging
import math
import warnings
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any, Literal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, Field, PositiveFloat, conint

from signoff import AsyncSignoff, Rejected, Signoff
from signoff.errors import Invalid
from signoff.testing import Approvals


class Low(float):
    """A number that says of itself that it is small, and equal to anything."""

    def __gt__(self, other: object) -> bool:
        return False

    __ge__ = __gt__

    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = float.__hash__


class LowInt(int):
    def __gt__(self, other: object) -> bool:
        return False

    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = int.__hash__


class Shifty(str):
    """Begins with whatever it is asked about."""

    def startswith(self, *_: Any) -> bool:
        return True

    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = str.__hash__


class Line(BaseModel):
    price: Annotated[float, Field(ge=0)]


@dataclass
class Plain:
    price: Annotated[float, Field(ge=0)]


class Speed(enum.Enum):
    SLOW = "slow"
    FAST = "fast"


@pytest.fixture
def signoff() -> Signoff:
    return Signoff()


class Ran(list[Any]):
    """What ran, in order; and what the condition was shown."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[Any] = []


def gated(
    signoff: Any, annotation: Any, condition: Callable[[Any], Any]
) -> tuple[Callable[[Any], None], Ran]:
    """A function of one parameter, `it`, behind a condition."""
    ran = Ran()

    def judge(it: Any) -> Any:
        ran.seen.append(it)
        return condition(it)

    def run(it):  # type: ignore[no-untyped-def]
        ran.append(it)

    run.__annotations__ = {"it": annotation}
    return signoff.require_approval(condition=judge, reversible=True)(run), ran


def above(it: Any) -> bool:
    return bool(it > 100)


# What is never judged, and never runs

UNFIT: list[tuple[Any, Any]] = [
    (float, math.nan),
    (float, math.inf),
    (float, -math.inf),
    (float, Low("nan")),
    (float, True),
    (float, "5"),
    (float, Decimal("5")),
    (float, object()),
    (float, None),
    (float, 2.0**53),
    (int, 5.5),
    (int, True),
    (int, 2.0**53),
    (int | str, 2**53),
    (Any, -(2**60)),
    (int, "5"),
    (Decimal, Decimal("NaN")),
    (Decimal, Decimal("-Infinity")),
    (Decimal, 1.5),
    (bool, 1),
    (str, b"x"),
    (str, 5),
    (str, "\ud800"),
    (str, "a\x00b"),
    (dt.date, dt.datetime(2026, 1, 1)),
    (dt.date, "2026-01-01"),
    (Annotated[float, Field(ge=0)], -1e9),
    (Annotated[float, Field(ge=0)], -0.01),
    (Annotated[int, Field(ge=0, le=10)], 11),
    (PositiveFloat, 0.0),
    (conint(gt=0), -5),
    (Annotated[str, Field(pattern="^[a-z]+$")], "A"),
    (list[Annotated[float, Field(ge=0)]], [1.0, -1.0]),
    (dict[str, PositiveFloat], {"a": -1.0}),
    (PositiveFloat | None, -1.0),
    (Line, Line.model_construct(price=-5.0)),
    (Line, Line.model_construct(price="x")),
    (list[Line], [Line.model_construct(price=-5.0)]),
    (Plain, Plain(-5.0)),
    (Line, {"price": 1.0}),
    (Literal["a", "b"], "c"),
    (Speed, "slow"),
    (list[int], (n for n in [1])),
    (list[int], iter([1])),
    (Any, (n for n in [1])),
    (Any, float("nan")),
    (Any, {"a": [math.inf]}),
    (Any, {1: 2}),
    (Any, Line(price=1)),
    (Any, {1, 2}),
]


@pytest.mark.parametrize(("annotation", "value"), UNFIT, ids=lambda it: str(it).partition(" at 0x")[0][:40])
def test_what_does_not_fit_is_refused_before_it_is_judged(
    signoff: Signoff, signoff_approvals: Approvals, annotation: Any, value: Any
) -> None:
    run, ran = gated(signoff, annotation, lambda it: False)
    with pytest.raises(Invalid, match="it"):
        run(value)
    assert (ran, ran.seen, signoff_approvals.requests) == ([], [], [])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=200)
@given(
    st.one_of(
        st.floats(), st.integers(), st.booleans(), st.none(), st.text(max_size=5), st.decimals(),
        st.fractions(), st.binary(max_size=3), st.dates(), st.lists(st.floats(), max_size=2),
        st.complex_numbers(), st.floats().map(Low),
    )
)  # fmt: skip
def test_whatever_is_passed_runs_unasked_only_within_the_bounds(
    signoff: Signoff, signoff_approvals: Approvals, value: Any
) -> None:
    run, ran = gated(signoff, Annotated[float, Field(ge=0)], above)
    signoff_approvals.reject()
    try:
        run(value)
    except (Invalid, Rejected):
        assert ran == []
    else:
        (it,) = ran
        assert type(it) is float and 0 <= it <= 100 and ran.seen == [it]
        assert isinstance(value, float | int) and not isinstance(value, bool)


# What is judged is what runs


@pytest.mark.parametrize(
    ("annotation", "value"),
    [(float, Low(1e9)), (int, LowInt(10**9)), (Any, Low(1e9)), (Any, LowInt(10**9))],
)
def test_a_number_that_compares_oddly_is_a_plain_one_by_then(
    signoff: Signoff, signoff_approvals: Approvals, annotation: Any, value: Any
) -> None:
    run, ran = gated(signoff, annotation, above)
    signoff_approvals.reject()
    with pytest.raises(Rejected):
        run(value)
    assert ran == [] and type(ran.seen[0]) in (int, float)


def test_a_text_that_lies_is_a_plain_one_by_then(signoff: Signoff, signoff_approvals: Approvals) -> None:
    run, ran = gated(signoff, str, lambda it: not it.startswith("safe"))
    signoff_approvals.reject()
    with pytest.raises(Rejected):
        run(Shifty("evil"))
    run(Shifty("safe thing"))
    assert [type(it) for it in (*ran, *ran.seen)] == [str, str, str]


@pytest.mark.parametrize(
    ("annotation", "value", "runs"),
    [
        (float, 100, 100.0),
        (float, -0.0, 0.0),
        (Decimal, Decimal("1.10"), Decimal("1.10")),
        (float, 99.5, 99.5),
    ],
)
def test_the_condition_is_given_what_the_annotation_says(
    signoff: Signoff, signoff_approvals: Approvals, annotation: Any, value: Any, runs: Any
) -> None:
    run, ran = gated(signoff, annotation, above)
    run(value)
    for it in (ran[0], ran.seen[0]):
        assert it == runs and type(it) is type(runs) and str(it) == str(runs)


def test_what_the_caller_or_the_condition_changes_meanwhile_does_not_run(
    signoff: Signoff, signoff_approvals: Approvals
) -> None:
    held = ["a"]

    def judge(it: list[str]) -> bool:
        held.append("smuggled")
        it.append("by the condition")
        return False

    run, ran = gated(signoff, list[str], judge)
    run(held)
    assert ran == [["a"]]


def test_an_encoders_own_object_does_not_run_either(signoff: Signoff, signoff_approvals: Approvals) -> None:
    held, ran = {"to": "ana"}, []

    def judge(it: dict[str, str]) -> bool:
        held["to"] = "eve"
        return False

    @signoff.require_approval(condition=judge, encode={"it": (lambda it: it, lambda it: it)}, reversible=True)
    def send(it: Any) -> None:
        ran.append(dict(it))

    send(held)
    assert ran == [{"to": "ana"}]


def test_defaults_many_and_named_arguments_are_judged_too(
    signoff: Signoff, signoff_approvals: Approvals
) -> None:
    seen: list[Any] = []

    def judge(amount: float, more: tuple[float, ...], **others: Any) -> bool:
        seen.append((amount, more, others))
        return amount + sum(more) > 100

    @signoff.require_approval(condition=judge, reversible=True)
    def pay(amount: float = 50, *more: float, note: str = "none", **others: int) -> Any:
        return amount, more, note, others

    assert pay() == (50.0, (), "none", {})
    assert pay(1, 2, fee=3) == (1.0, (2.0,), "none", {"fee": 3})
    assert seen == [(50.0, (), {"note": "none"}), (1.0, (2.0,), {"note": "none", "fee": 3})]
    assert all(type(number) is float for number in (seen[1][0], *seen[1][1]))
    signoff_approvals.reject()
    with pytest.raises(Rejected):
        pay(50, 51)
    with pytest.raises(Invalid, match="fee"):
        pay(1, fee=math.nan)  # type: ignore[arg-type]


def test_reason_and_key_say_what_would_run(signoff: Signoff, signoff_approvals: Approvals) -> None:
    signoff_approvals.approve()

    @signoff.require_approval(
        reason=lambda amount, items: f"{amount!r} {items.append('x')}",
        key=lambda amount, items: f"{amount!r}{items}",
        reversible=True,
    )  # fmt: skip
    def pay(amount: float, items: list[str]) -> Any:
        return amount, items

    assert pay(Low(120), ["a"]) == (120.0, ["a"])
    (request,) = signoff_approvals.requests
    assert (request.reason, request.key) == ("120.0 None", "120.0['a']")


# What a condition may say


@pytest.mark.parametrize("says", [None, 0, 0.0, "", [], "no", 1, Decimal(0), NotImplemented, object()])
def test_only_false_lets_it_run_unasked(
    signoff: Signoff, signoff_approvals: Approvals, says: Any, caplog: pytest.LogCaptureFixture
) -> None:
    run, ran = gated(signoff, int, lambda it: says)
    signoff_approvals.reject()
    with caplog.at_level(logging.WARNING, "signoff"), pytest.raises(Rejected):
        run(5)
    assert ran == [] and "neither True nor False" in caplog.text


def test_a_boolean_of_numpys_is_one(signoff: Signoff, signoff_approvals: Approvals) -> None:
    class bool_:
        __module__ = "numpy"

        def __init__(self, value: bool) -> None:
            self.value = value

        def __bool__(self) -> bool:
            return self.value

    run, ran = gated(signoff, int, lambda it: bool_(it > 100))
    run(5)
    signoff_approvals.reject()
    with pytest.raises(Rejected):
        run(500)
    assert ran == [5]


@pytest.mark.parametrize(
    "error", [ZeroDivisionError("secret"), Invalid("secret"), Rejected("x"), TimeoutError()]
)
def test_a_condition_that_raises_asks_and_its_words_are_not_logged(
    signoff: Signoff, signoff_approvals: Approvals, error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    def judge(it: int) -> bool:
        raise error

    run, ran = gated(signoff, int, judge)
    signoff_approvals.approve()
    with caplog.at_level(logging.WARNING, "signoff"):
        run(5)
    assert ran == [5] and len(signoff_approvals.requests) == 1
    assert type(error).__name__ in caplog.text and "secret" not in caplog.text


def test_what_ends_the_program_is_no_answer(signoff: Signoff, signoff_approvals: Approvals) -> None:
    def judge(it: int) -> bool:
        raise KeyboardInterrupt

    run, ran = gated(signoff, int, judge)
    with pytest.raises(KeyboardInterrupt):
        run(5)
    assert (ran, signoff_approvals.requests) == ([], [])


# Coroutines


def test_a_coroutines_condition_may_be_one_and_its_answer_counts(signoff_approvals: Approvals) -> None:
    client, ran = AsyncSignoff(), []

    async def judge(amount: float) -> bool:
        await asyncio.sleep(0)
        if amount == 13:
            raise ValueError
        return amount > 100

    @client.require_approval(condition=judge, reversible=True)
    async def pay(amount: Annotated[float, Field(ge=0)]) -> None:
        ran.append(amount)

    async def main() -> None:
        await pay(50)
        for asked in (500, 13):
            with pytest.raises(Rejected):
                await pay(asked)
        for unfit in (math.nan, -1, "x"):
            with pytest.raises(Invalid):
                await pay(unfit)  # type: ignore[arg-type]

    signoff_approvals.reject()
    asyncio.run(main())
    assert ran == [50.0] and type(ran[0]) is float
    assert [request.payload["amount"] for request in signoff_approvals.requests] == [500, 13]


def test_a_coroutine_that_nobody_can_await_asks(signoff: Signoff, signoff_approvals: Approvals) -> None:
    async def no(it: int) -> bool:
        return False

    condition: Callable[[int], Awaitable[bool]] = lambda it: no(it)  # noqa: E731
    run, ran = gated(signoff, int, condition)
    signoff_approvals.reject()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(Rejected):
            run(5)
        gc.collect()
    assert ran == []


# What can never work is said when it is applied


async def _coroutine(amount: int) -> Any:
    return False


def _pieces(amount: int) -> Iterator[bool]:
    yield False


@pytest.mark.parametrize("name", ["condition", "reason", "key"])
@pytest.mark.parametrize(
    ("option", "says"),
    [
        (_coroutine, "coroutine"),
        (lambda *values: False, "by name"),
        (lambda amount, /: False, "by name"),
        (lambda amuont: False, "amuont"),
    ],
)
def test_an_option_that_could_not_be_called_is_refused(
    signoff: Signoff, name: str, option: Any, says: str
) -> None:
    def pay(amount: int) -> None: ...

    with pytest.raises(TypeError, match=says):
        signoff.require_approval(reversible=True, **{name: option})(pay)


def test_a_condition_in_pieces_asks(signoff: Signoff, signoff_approvals: Approvals) -> None:
    ran: list[int] = []
    signoff_approvals.reject()

    @signoff.require_approval(condition=_pieces, reversible=True)
    def pay(amount: int) -> None:
        ran.append(amount)

    with pytest.raises(Rejected):
        pay(5)
    assert ran == []


def test_an_option_may_name_what_only_some_calls_bring(
    signoff: Signoff, signoff_approvals: Approvals
) -> None:
    @signoff.require_approval(condition=lambda fee: fee > 10, reversible=True)
    def pay(**others: int) -> dict[str, int]:
        return others

    assert pay(fee=1) == {"fee": 1}
    signoff_approvals.reject()
    with pytest.raises(Rejected):
        pay()


# Asking without a gate


LEAVES = st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=3) | st.floats().map(Low)
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.tuples(inner)
        | st.dictionaries(st.text(max_size=2), inner, max_size=2)
    ),
    max_leaves=5,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=50)
@given(st.dictionaries(st.text(max_size=3), VALUES, max_size=3))
def test_a_payload_is_asked_about_as_it_is_signed_or_not_at_all(
    signoff: Signoff, signoff_approvals: Approvals, payload: dict[str, Any]
) -> None:
    signoff_approvals.approve()
    before = len(signoff_approvals.requests)
    try:
        receipt = signoff.ask("pay", payload, reversible=True)
    except Invalid:
        assert len(signoff_approvals.requests) == before
    else:
        assert receipt.payload == signoff_approvals.requests[-1].payload
        assert all(
            type(it) in (type(None), bool, int, float, str, list, dict) for it in _all(receipt.payload)
        )


def _all(value: Any) -> list[Any]:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [value, *(one for part in inner for one in _all(part))]


def test_a_payload_changed_after_it_was_given_is_not_what_is_asked(
    signoff: Signoff, signoff_approvals: Approvals
) -> None:
    from signoff.client.ask import build_request

    held = {"to": ["ana"]}
    request, body, _ = build_request("a", "mail", held, {"reversible": True})
    held["to"].append("mallory")
    assert request.payload == {"to": ["ana"]} and "mallory" not in body
