"""require_approval: what runs, with what, and what the caller gets otherwise."""

from __future__ import annotations

import asyncio
import dataclasses
import datetime as dt
import inspect
import logging
import typing
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from pydantic import AfterValidator

from signoff.client import testing
from signoff.client.carrier import Carrier
from signoff.client.client import AsyncSignoff
from signoff.client.face import Signoff
from signoff.client.gate import explain, require_approval
from signoff.client.testing import Approvals
from signoff.errors import (
    NOT_APPROVED,
    AlreadySpent,
    Blocked,
    ConfigError,
    Duplicate,
    Expired,
    Invalid,
    NotApproved,
    NotVerified,
    OtherAction,
    OtherPayload,
    Rejected,
    SignoffError,
    Stopped,
    Unreachable,
    WaitTimeout,
)
from signoff.models.explanation import has_begun
from signoff.models.receipt import Receipt

signoff_approvals = testing.signoff_approvals


@pytest.fixture
def signoff() -> Iterator[Signoff]:
    with Signoff() as client:
        yield client


@dataclass(frozen=True)
class Line:
    sku: str
    day: dt.date


class Broken:
    """A client whose call fails: what the real one raises."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def ask(self, *_: Any, **__: Any) -> Any:
        raise self.error

    async def ask_async(self, *_: Any, **__: Any) -> Any:
        raise self.error

    def report(self, *_: Any, **__: Any) -> None:
        raise AssertionError("nothing ran")

    async def report_async(self, *_: Any, **__: Any) -> None:
        raise AssertionError("nothing ran")


# What runs


def test_the_function_runs_with_what_was_approved(signoff: Signoff, signoff_approvals: Approvals) -> None:
    @signoff.require_approval(action="refund.create", reversible=False, risk="high", tags=("money",))
    def refund(customer: str, amount: float = 120.0, *, line: Line) -> tuple[str, float, Line]:
        """Give the money back."""
        return customer, amount, line

    signoff_approvals.edit("refund.*", {"amount": 80})
    line = Line("a", dt.date(2026, 1, 2))
    customer, amount, back = refund("cus_42", line=line)
    assert (customer, amount, back) == ("cus_42", 80.0, line)
    assert isinstance(amount, float)
    [request] = signoff_approvals.requests
    assert request.action == "refund.create"
    assert request.payload == {
        "customer": "cus_42", "amount": 120, "line": {"sku": "a", "day": "2026-01-02"},
    }  # fmt: skip
    assert (request.reversibility, request.risk, request.tags) == ("irreversible", "high", ("money",))
    assert request.reason == "Give the money back."
    assert request.json_schema is not None
    assert list(request.json_schema["properties"]) == ["customer", "amount", "line"]


def test_without_parentheses_the_functions_name_is_the_action(
    signoff: Signoff, signoff_approvals: Approvals
) -> None:
    @signoff.require_approval
    def send(to: str) -> str:
        return to

    signoff_approvals.approve("send")
    with pytest.warns(UserWarning, match="irreversible"):
        assert send("a") == "a"


def test_a_mutable_argument_changed_meanwhile_changes_nothing(
    signoff: Signoff, signoff_approvals: Approvals
) -> None:
    ran: list[Any] = []

    @signoff.require_approval(reversible=True, reason=lambda items: items.append("smuggled") or "x")
    def ship(items: list[str]) -> None:
        ran.append(items)

    signoff_approvals.approve()
    ship(["a"])
    assert ran == [signoff_approvals.requests[0].payload["items"]] == [["a"]]


def test_a_coroutine_runs_on_either_client(signoff: Signoff, signoff_approvals: Approvals) -> None:
    signoff_approvals.edit("pay", {"amount": 80})

    async def main(client: Signoff | AsyncSignoff) -> int:
        @client.require_approval(reversible=True)
        async def pay(amount: int) -> int:
            await asyncio.sleep(0)
            return amount

        assert inspect.iscoroutinefunction(pay)
        return int(await pay(120))

    assert asyncio.run(main(signoff)) == 80
    assert asyncio.run(main(AsyncSignoff())) == 80
    assert all(outcome.succeeded for outcome in signoff_approvals.outcomes.values())
    assert len(signoff_approvals.outcomes) == 2


def test_methods_and_contexts_are_passed_on(signoff: Signoff, signoff_approvals: Approvals) -> None:
    class RunContext:
        pass

    class Bank:
        @signoff.require_approval(reversible=True)
        def pay(self, ctx: RunContext, amount: int) -> tuple[Any, Any, int]:
            return self, ctx, amount

        @staticmethod
        @signoff.require_approval(reversible=True)
        def close(name: str) -> str:
            return name

    signoff_approvals.approve()
    bank, context = Bank(), RunContext()
    assert bank.pay(context, 5) == (bank, context, 5)
    assert Bank.close("x") == "x"
    assert [request.payload for request in signoff_approvals.requests] == [{"amount": 5}, {"name": "x"}]


def test_name_docstring_signature_and_annotations_are_kept(signoff: Signoff) -> None:
    @signoff.require_approval(action="other")
    def refund(customer: str, amount: "int" = 5) -> str:  # noqa: UP037
        """Give it back."""
        return ""

    assert (refund.__name__, refund.__doc__) == ("refund", "Give it back.")
    assert str(inspect.signature(refund)) == "(customer: 'str', amount: \"'int'\" = 5) -> 'str'"
    assert typing.get_type_hints(refund)["customer"] is str
    assert not inspect.iscoroutinefunction(refund)


# When it asks


def test_the_condition_gets_the_real_values_and_false_runs_unasked(
    signoff: Signoff, signoff_approvals: Approvals
) -> None:
    seen: list[Any] = []

    def above(amount: int, line: Line, **_: Any) -> bool:
        seen.append(line)
        return amount > 100

    @signoff.require_approval(condition=above, reversible=True)
    def refund(amount: int, line: Line, note: str = "") -> Any:
        return line

    line = Line("a", dt.date(2026, 1, 1))
    ran = refund(100, line)
    assert ran == seen[0] == line and ran is not line, "what was judged ran, and not what the caller holds"
    assert signoff_approvals.requests == []
    signoff_approvals.reject()
    with pytest.raises(Rejected):
        refund(101, line)


def test_a_condition_that_raises_asks(signoff: Signoff, signoff_approvals: Approvals) -> None:
    @signoff.require_approval(condition=lambda amount: 1 / amount > 1, reversible=True)
    def refund(amount: int) -> None:
        raise AssertionError("it ran")

    signoff_approvals.reject()
    with pytest.raises(Rejected):
        refund(0)
    assert [request.payload for request in signoff_approvals.requests] == [{"amount": 0}]


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ("why", "Ticket 991"),
        ("As agreed", "As agreed"),
        (lambda why, amount: f"{amount}: {why}", "5: Ticket 991"),
        (None, "Pay it. Now."),
        (lambda **_: "x" * 5000, "x" * 3999 + "…"),
    ],
)
def test_the_reason_is_an_argument_a_text_a_callable_or_the_docstring(
    signoff: Signoff, signoff_approvals: Approvals, reason: Any, expected: str
) -> None:
    @signoff.require_approval(reason=reason, reversible=True)
    def pay(amount: int, why: str) -> None:
        """Pay it.
        Now.

        Args: …
        """

    signoff_approvals.approve()
    pay(5, "Ticket 991")
    assert signoff_approvals.requests[0].reason == expected


def test_a_key_attaches_to_the_first_request_and_one_approval_runs_once(
    signoff: Signoff, signoff_approvals: Approvals
) -> None:
    ran: list[int] = []

    @signoff.require_approval(key=lambda amount: f"pay-{amount}", reversible=True)
    def pay(amount: int) -> None:
        ran.append(amount)

    signoff_approvals.leave_pending()
    with pytest.raises(WaitTimeout):
        signoff.ask("pay", {"amount": 5}, key="pay-5", timeout=0.1, reversible=True)
    signoff_approvals.approve()
    pay(5)
    with pytest.raises(Duplicate, match="another key"):
        pay(5)
    pay(6)
    assert ran == [5, 6]
    assert [request.key for request in signoff_approvals.requests] == ["pay-5", "pay-6"]
    assert all(outcome.succeeded for outcome in signoff_approvals.outcomes.values())


# What happens otherwise

REFUSALS: list[tuple[Callable[[Approvals], None], type[NotApproved]]] = [
    (lambda approvals: approvals.reject("pay", "Wrong customer"), Rejected),
    (lambda approvals: approvals.expire("pay"), Expired),
    (lambda approvals: approvals.block("pay"), Blocked),
]


@pytest.mark.parametrize(("script", "kind"), REFUSALS)
def test_not_approved_runs_nothing(
    signoff: Signoff,
    signoff_approvals: Approvals,
    script: Callable[[Approvals], None],
    kind: type[NotApproved],
) -> None:
    def run(**options: Any) -> Callable[[int], Any]:
        @signoff.require_approval(reversible=True, **options)
        def pay(amount: int) -> str:
            raise AssertionError("it ran")

        return typing.cast("Callable[[int], Any]", pay)

    script(signoff_approvals)
    with pytest.raises(kind):
        run()(5)
    assert run(on_reject="explain")(5).startswith("pay was not run:")
    assert run(fallback=lambda error, amount: (type(error), amount))(5) == (kind, 5)
    assert signoff_approvals.outcomes == {}


def test_a_coroutines_refusals_are_the_same(signoff_approvals: Approvals) -> None:
    client = AsyncSignoff()

    async def instead(error: NotApproved, **_: Any) -> str:
        return "instead"

    async def main() -> None:
        async def pay(amount: int) -> str:
            raise AssertionError("it ran")

        with pytest.raises(Rejected):
            await require_approval(client, reversible=True)(pay)(5)
        told = await require_approval(client, reversible=True, on_reject="explain")(pay)(5)
        assert "rejected" in told
        assert await require_approval(client, reversible=True, fallback=instead)(pay)(5) == "instead"

    signoff_approvals.reject()
    asyncio.run(main())


@pytest.mark.parametrize("error", [Unreachable("host:6379"), WaitTimeout("x after 5 s")])
def test_what_is_no_answer_is_a_text_where_one_is_asked_for(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    def pay(amount: int) -> str:
        raise AssertionError("it ran")

    async def pay_async(amount: int) -> str:
        raise AssertionError("it ran")

    text = require_approval(Broken(error), on_reject="explain")(pay)(5)
    assert text == explain(error) == asyncio.run(  # type: ignore[arg-type]
        require_approval(Broken(error), on_reject="explain", action="pay")(pay_async)(5)
    )  # fmt: skip
    assert text.startswith("pay was not run: ")
    assert "6379" not in text
    assert len([one for one in caplog.messages if "pay was not run" in one]) == 2


@pytest.mark.parametrize(
    ("error", "options"),
    [
        (Unreachable("x"), {"fallback": lambda *_, **__: "instead"}),
        (WaitTimeout("x"), {"fallback": lambda *_, **__: "instead"}),
        (NotVerified("x"), {"fallback": lambda *_, **__: "instead"}),
        (NotVerified("x"), {"on_reject": "explain"}),
        (ConfigError("x"), {"on_reject": "explain"}),
    ],
)
def test_what_is_no_answer_is_no_fallbacks_and_what_an_operator_has_to_see_is_raised(
    error: Exception, options: dict[str, Any]
) -> None:
    def pay(amount: int) -> str:
        raise AssertionError("it ran")

    async def pay_async(amount: int) -> str:
        raise AssertionError("it ran")

    with pytest.raises(type(error)):
        require_approval(Broken(error), **options)(pay)(5)
    with pytest.raises(type(error)):
        asyncio.run(require_approval(Broken(error), **options)(pay_async)(5))


def test_an_argument_that_cannot_travel_asks_nobody(signoff: Signoff, signoff_approvals: Approvals) -> None:
    @signoff.require_approval(reversible=True)
    def pay(amount: int) -> None:
        raise AssertionError("it ran")

    with pytest.raises(Invalid, match="amount"):
        pay("5")
    explained = require_approval(signoff, on_reject="explain")(pay.__wrapped__)("5")
    assert "amount" in explained and "ask again" in explained
    assert signoff_approvals.requests == []


def test_a_correction_that_the_function_cannot_take_runs_nothing_and_is_reported(
    signoff: Signoff, signoff_approvals: Approvals
) -> None:
    @signoff.require_approval(reversible=True)
    def wait(until: dt.datetime) -> None:
        raise AssertionError("it ran")

    signoff_approvals.edit("wait", {"until": "2026-13-41T99:00:00Z"})
    with pytest.raises(Invalid, match="until"):
        wait(dt.datetime(2026, 1, 1, tzinfo=dt.UTC))
    assert [outcome.succeeded for outcome in signoff_approvals.outcomes.values()] == [False]


# Afterwards


def test_the_outcome_is_reported_without_what_an_exception_says(
    signoff: Signoff, signoff_approvals: Approvals
) -> None:
    @signoff.require_approval(reversible=True)
    def pay(amount: int) -> None:
        raise RuntimeError("password=hunter2")

    signoff_approvals.approve()
    with pytest.raises(RuntimeError, match="hunter2"):
        pay(5)
    [outcome] = signoff_approvals.outcomes.values()
    assert (outcome.succeeded, outcome.note) == (False, "RuntimeError")


def test_report_false_reports_nothing(signoff: Signoff, signoff_approvals: Approvals) -> None:
    @signoff.require_approval(reversible=True, report=False)
    def pay(amount: int) -> int:
        return amount

    signoff_approvals.approve()
    assert pay(5) == 5
    assert signoff_approvals.outcomes == {}


def test_a_failing_report_changes_nothing(
    signoff: Signoff,
    signoff_approvals: Approvals,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise Unreachable("gone")

    @signoff.require_approval(reversible=True)
    def pay(amount: int) -> int:
        return amount

    signoff_approvals.approve()
    monkeypatch.setattr(signoff, "report", fail)
    with caplog.at_level(logging.WARNING, "signoff"):
        assert pay(5) == 5
    assert "could not be reported" in caplog.text


def test_what_a_gated_function_inside_raises_is_not_taken_for_its_own(
    signoff: Signoff, signoff_approvals: Approvals
) -> None:
    @signoff.require_approval(reversible=True)
    def inner(amount: int) -> None: ...

    @signoff.require_approval(reversible=True, on_reject="explain")
    def outer(amount: int) -> None:
        inner(amount)

    signoff_approvals.approve("outer")
    signoff_approvals.reject("inner")
    with pytest.raises(Rejected):
        outer(5)


# When it is applied


def test_what_cannot_be_gated_fails_when_the_decorator_is_applied(signoff: Signoff) -> None:
    gate = signoff.require_approval()

    def pieces(n: int) -> Iterator[int]:
        yield n

    async def async_pieces(n: int) -> AsyncIterator[int]:
        yield n

    class Callable_:
        def __call__(self) -> None: ...

    def odd(it: Broken) -> None: ...

    def ordinary(n: int) -> None: ...

    static, of_class = staticmethod(ordinary), classmethod(ordinary)  # type: ignore[arg-type, var-annotated]
    targets: list[Any] = [pieces, async_pieces, Callable_(), static, of_class, odd]
    for target in targets:
        with pytest.raises(TypeError):
            gate(target)
    with pytest.raises(TypeError, match="Signoff"):
        AsyncSignoff().require_approval(ordinary)
    with pytest.raises(TypeError, match="irreversible_"):
        signoff.require_approval(irreversible_=True)
    with pytest.raises(TypeError, match="schema"):
        signoff.require_approval(schema={})
    with pytest.raises(TypeError, match="on_reject"):
        signoff.require_approval(on_reject="ignore")
    with pytest.raises(TypeError, match="either"):
        signoff.require_approval(on_reject="explain", fallback=lambda *_: None)


def test_a_schema_that_would_be_refused_fails_when_the_decorator_is_applied(signoff: Signoff) -> None:
    def wide(**kwargs: Any) -> None: ...

    wide.__doc__ = "x"
    parameters = [inspect.Parameter(f"p{n}", inspect.Parameter.KEYWORD_ONLY) for n in range(5000)]
    wide.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    with pytest.raises(TypeError, match="32,768"):
        signoff.require_approval(wide)


# What a model is told


def told(signoff: Signoff, action: str = "refund.create") -> str:
    with pytest.raises(NotApproved) as caught:
        signoff.ask(action, {"amount": 5}, reversible=True)
    return explain(caught.value)


def test_a_model_is_told_who_why_and_whether_it_may_ask_again(
    signoff: Signoff, signoff_approvals: Approvals
) -> None:
    signoff_approvals.reject("refund.create", "Wrong customer", by="Ana")
    assert told(signoff) == (
        "refund.create was not run: Ana rejected it. Reason: Wrong customer. "
        "This answer is final: do not ask for it again."
    )
    signoff_approvals.reject("refund.create", "Use the net amount.", by="Ben", resubmit=True)
    assert told(signoff) == (
        "refund.create was not run: Ben rejected it. They ask for changes: Use the net amount. "
        "You may ask again once it has been changed in that way."
    )
    signoff_approvals.expire()
    assert "not a rejection" in told(signoff)


def test_each_status_reads_differently_and_none_suggests_a_way_round() -> None:
    texts = {status: explain(kind("detail")) for status, kind in NOT_APPROVED.items()}
    assert len(set(texts.values())) == len(texts) == 7
    for status, text in texts.items():
        assert "was not run" in text
        assert not any(
            word in text.lower() for word in ("instead", "another way", "alternativ", "without approval")
        )
        assert ("rejected" in text) == (status == "rejected")
        assert ("may ask again" in text) == (status in ("expired", "limited", "invalid"))


def _duplicates() -> list[Receipt]:
    """Of what was refused unread, and of what was approved and has run."""
    now = dt.datetime.now(dt.UTC)
    known = {"agent": "billing-bot", "jti": "n", "issued_at": now, "not_after": now, "status": "duplicate"}
    return [
        Receipt(id="1", action="", reason="As request 7F3K2Q.", **known),  # type: ignore[arg-type]
        Receipt(id="2", action="refund.create", reason="host-7 ran it.", **known),  # type: ignore[arg-type]
    ]


def test_every_error_reads_differently_and_none_tells_of_our_insides() -> None:
    """Also those that are no answer: no host, process, path or exception of ours stands in the text."""
    inside = "redis://10.0.0.7:6379 /etc/signoff RedisError host-7:4242"
    spent = AlreadySpent("host-7:4242", dt.datetime.now(dt.UTC))
    late = WaitTimeout(inside)
    late.approved = True
    errors = [
        *(kind("") for kind in NOT_APPROVED.values()), spent, Stopped(inside), late, WaitTimeout(inside),
        Unreachable(inside), NotVerified(inside), OtherAction(inside), OtherPayload(inside),
        ConfigError(inside), SignoffError(inside),
    ]  # fmt: skip
    for error in errors:
        error.action = "refund.create"
    texts = [explain(error) for error in errors]
    assert len(set(texts)) == len(texts) == 17
    for error, text in zip(errors, texts, strict=True):
        assert text.startswith("refund.create was not run: ")
        assert not any(word in text for word in ("redis", "10.0", "6379", "/etc", "Error", "host-7", "4242"))
        assert ("rejected" in text) == isinstance(error, Rejected)
    alone = WaitTimeout()
    alone.attaches = False
    assert "Do not ask for it again while it waits" in explain(alone) and "may ask again" not in explain(
        alone
    )
    assert "not a rejection. Tell whoever you work for; you may ask again" in explain(Unreachable(inside))
    asked, begun = (Duplicate("", receipt) for receipt in _duplicates())
    assert not has_begun(Duplicate()) and not has_begun(asked) and has_begun(begun) and has_begun(spent)
    assert explain(begun) == explain(AlreadySpent("", receipt=begun.receipt)) != explain(asked)
    assert "stopped" in explain(Stopped())
    assert "policy" not in explain(Stopped())
    assert explain(WaitTimeout()).startswith("The action was not run: nobody has decided yet.")


def test_key_reason_and_run_may_name_what_is_not_shown(
    signoff: Signoff, signoff_approvals: Approvals
) -> None:
    @dataclass
    class RunContext:
        call: str

    class Till:
        name = "till-1"

        @signoff.require_approval(
            reversible=True,
            key=lambda ctx, amount: f"{ctx.call}:{amount}",
            run=lambda self: self.name,
            reason=lambda amount, trace: f"{amount} for {trace[0]}",
            ignore=["trace"],
        )
        def pay(self, ctx: RunContext, amount: int, trace: Any = ("x",)) -> int:
            return amount

        @signoff.require_approval(reversible=True, run="month-end", key=lambda **said: str(sorted(said)))
        async def close(self, amount: int) -> int:
            return amount

    signoff_approvals.approve()
    assert Till().pay(RunContext("call-7"), 5) == 5
    assert asyncio.run(Till().close(6)) == 6
    first, second = signoff_approvals.requests
    assert (first.key, first.run, first.reason) == ("call-7:5", "till-1", "5 for x")
    assert first.payload == {"amount": 5}
    assert (second.key, second.run) == ("['amount']", "month-end")
    for name, option in {
        "key": lambda runtime: "x",
        "run": lambda other: "x",
        "condition": lambda ctx: True,  # it judges only what could travel
    }.items():

        def pay(ctx: RunContext, amount: int) -> int:
            raise AssertionError("it ran")

        options: dict[str, Any] = {name: option}
        with pytest.raises(TypeError, match=f"{name} takes "):
            signoff.require_approval(**options)(pay)


def test_the_answer_of_a_gate_may_be_awaited_by_any_caller(
    signoff: Signoff, signoff_approvals: Approvals
) -> None:
    @signoff.require_approval(reversible=True)
    async def pay(amount: int) -> int:
        return amount

    async def together() -> list[int]:
        calls: list[Awaitable[int]] = [pay(n) for n in range(20)]
        return list(await asyncio.gather(*calls))

    signoff_approvals.approve()
    assert asyncio.run(together()) == list(range(20))


@pytest.mark.parametrize(
    ("fallback", "gives"),
    [
        (lambda: "nothing", "nothing"),
        (lambda error: type(error).__name__, "Rejected"),
        (lambda refusal: type(refusal).__name__, "Rejected"),
        (lambda amount: amount, 5),
        (lambda amount, error: (amount, type(error).__name__), (5, "Rejected")),
        (lambda refusal, **arguments: (type(refusal).__name__, arguments), ("Rejected", {"amount": 5})),
        (lambda *given: len(given), 1),
    ],
)
def test_a_fallback_is_given_what_it_names(signoff_approvals: Any, fallback: Any, gives: Any) -> None:
    signoff_approvals.reject("pay", reason="no")

    def pay(amount: int) -> str:
        return "paid"

    gated: Any = Signoff().require_approval(reversible=True, fallback=fallback)(pay)
    assert gated(5) == gives


def test_a_condition_may_name_only_some_arguments(signoff_approvals: Any) -> None:
    @Signoff().require_approval(reversible=True, condition=lambda amount: amount > 100)
    def pay(customer: str, amount: int) -> str:
        return f"paid {amount}"

    assert pay("cus_42", 5) == "paid 5" and signoff_approvals.requests == []


def test_a_programs_own_class_called_context_is_part_of_the_payload(signoff_approvals: Any) -> None:
    @dataclasses.dataclass
    class Context:
        account: str

    signoff_approvals.approve("pay")

    @Signoff().require_approval(reversible=True)
    def pay(where: Context) -> str:
        return where.account

    assert pay(Context("a-1")) == "a-1"
    assert signoff_approvals.requests[0].payload == {"where": {"account": "a-1"}}


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, asyncio.CancelledError])
def test_a_run_that_was_broken_off_is_reported(
    signoff: Signoff, signoff_approvals: Approvals, error: type[BaseException]
) -> None:
    @signoff.require_approval(reversible=True)
    def pay(amount: int) -> None:
        raise error

    @signoff.require_approval(reversible=True)
    async def pay_slowly(amount: int) -> None:
        asyncio.current_task().cancel()  # type: ignore[union-attr]
        await asyncio.sleep(60)

    signoff_approvals.approve()
    with pytest.raises(error):
        pay(1)
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(pay_slowly(2))
    outcomes = signoff_approvals.outcomes.values()
    assert [(o.succeeded, o.note) for o in outcomes] == [(False, "it was cancelled while it ran")] * 2


def test_what_an_annotations_code_raises_of_an_edit_is_told_to_nobody(
    signoff: Signoff, signoff_approvals: Approvals
) -> None:
    def check(amount: int) -> int:
        if amount == 5:
            raise KeyError("hunter2")
        return amount

    @signoff.require_approval(reversible=True)
    def pay(amount: typing.Annotated[int, AfterValidator(check)]) -> str:
        raise AssertionError("it ran")

    @signoff.require_approval(reversible=True, on_reject="explain")
    async def explained(amount: typing.Annotated[int, AfterValidator(check)]) -> str:
        raise AssertionError("it ran")

    signoff_approvals.edit("*", {"amount": 5})
    with pytest.raises(Invalid) as caught:
        pay(1)
    told = asyncio.run(explained(1))
    assert "What was approved does not fit its parameters." in told
    assert "hunter2" not in str(caught.value) + told and caught.value.__cause__ is None
    assert [o.succeeded for o in signoff_approvals.outcomes.values()] == [False] * 2


@pytest.mark.parametrize(
    ("annotation", "value", "said"),
    [
        (int, "b", "n has to be int, and str was given."),
        (int | None, "b", "n has to be int | None, and str was given."),
        (list[int], ["b"], "and the list that was given holds str where int is expected."),
        (dt.date, 5, "n has to be date, and int was given."),
    ],
)
def test_an_argument_of_another_type_is_told_with_what_was_expected(
    annotation: Any, value: Any, said: str
) -> None:
    with pytest.raises(Invalid) as caught:
        Carrier.of("n", annotation).pack(value)
    assert said in str(caught.value) and "ydantic" not in str(caught.value)


def test_a_timeout_says_whether_asking_again_attaches(signoff: Signoff, signoff_approvals: Approvals) -> None:
    def pay(amount: int) -> str:
        raise AssertionError

    signoff_approvals.leave_pending()
    alone, keyed = (
        signoff.require_approval(reversible=True, on_reject="explain", timeout=1, key=key)(pay)(5)
        for key in (None, "pay-5")
    )
    assert "Do not ask for it again while it waits" in alone and "may ask again later" in keyed
