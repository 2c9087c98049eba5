"""`require_approval`: a function that runs only once a person has approved, and with what they approved."""

from __future__ import annotations

import asyncio
import functools
import inspect
import logging
import threading
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol, TypeVar, Unpack, get_args, overload

from signoff.client import callers, mistakes, options, targets, undo
from signoff.client.arguments import Arguments, Bound
from signoff.client.asked import LEAVE_SECONDS, apart
from signoff.client.carrier import Encode
from signoff.client.claims import OPTION_NAMES, Options
from signoff.client.explanation import explain
from signoff.client.outcomes import Shows, outcome
from signoff.client.spend import Runs
from signoff.errors import Invalid, NotApproved, Unreachable, WaitTimeout
from signoff.models.receipt import Receipt

__all__ = ["explain", "require_approval"]

MAX_REASON = 4000
"""Characters of a request's reason; a longer one is cut."""
log = logging.getLogger("signoff")
F = TypeVar("F", bound=Callable[..., Any])


REFUSALS = (NotApproved, WaitTimeout, Unreachable)
"""What a model can be told. All else has to reach an operator."""
UNREPORTED = "the outcome of request %s could not be reported: %s"


class Client(Protocol):
    """What the gate needs of a client: Signoff or AsyncSignoff (whose `ask` and `report` are coroutines)."""

    @property
    def ask(self) -> Callable[..., Any]: ...
    @property
    def report(self) -> Callable[..., Any]: ...
    @property
    def undo(self) -> Callable[..., Any]: ...
    @property
    def ask_async(self) -> Callable[..., Awaitable[Receipt]]: ...
    @property
    def report_async(self) -> Callable[..., Awaitable[None]]: ...


@overload
def require_approval(client: Client, function: F, /) -> F: ...
@overload
def require_approval(
    client: Client, function: None = None, /, **options: Unpack[Options]
) -> Callable[[F], F]: ...
def require_approval(
    client: Client,
    function: Callable[..., Any] | None = None,
    /,
    *,
    action: str | None = None,
    reason: str | Callable[..., str] | None = None,
    key: str | Callable[..., str | None] | None = None,
    run: str | Callable[..., str | None] | None = None,
    condition: Callable[..., bool | Awaitable[bool]] | None = None,
    timeout: float | None = None,
    on_reject: Literal["raise", "explain"] = "raise",
    fallback: Callable[..., Any] | None = None,
    encode: Mapping[str, Encode] | None = None,
    ignore: Collection[str] = (),
    report: bool = True,
    result: Shows = None,
    runs: Runs = "once",
    **ask: Any,
) -> Any:
    """Decorator: ask a person before the function runs, and run it with exactly what they approved.

    Put it under an agent framework's own decorator, and under @staticmethod or @classmethod. The payload is
    the call's arguments by name, defaults applied; `self`, a framework's context parameters and those in
    `ignore` are passed on but not shown. All others are rebuilt from the approved payload by their
    annotations. `encode` says how a parameter travels whose class JSON does not know:
    {"parameter": (to_json, from_json)}.

    Options that are functions are called with those of the arguments that they name, as Python values:
    `condition=lambda amount: amount > 100`. The values are those that would run: checked against their
    annotations (`Annotated[float, Field(ge=0)]` holds here) and made anew from their JSON, as they are for
    the run itself, also where nobody is asked. What cannot travel is Invalid before any option is called.

    `key`, `reason` and `run` may name what is not shown as well: `key=lambda runtime: runtime.tool_call_id`.

    Its options are `signoff.client.claims.Options`. Those of them that `Ask` describes (reversible, risk,
    undo, impact, tags, editable, expires_in, …) are said with each request.

    NotVerified and ConfigError are always raised, Unreachable and WaitTimeout where no text is asked for, and
    nothing runs. Where whoever waits for an ordinary function in a pool's thread gives up, it raises
    Cancelled and does not run; see `signoff.client.callers`. Raises TypeError when it is applied: for a
    parameter that cannot travel, a generator, an unknown option, an option that takes what the function does
    not, or an ordinary function on an AsyncSignoff. An ordinary function blocks while it waits: inside an
    event loop, decorate a coroutine.
    """
    if told := mistakes.unknown(ask, OPTION_NAMES, "require_approval() has no option"):
        raise TypeError(told)
    if runs not in get_args(Runs):
        raise TypeError(f"runs is 'once' or 'at-least-once', not {runs!r}.")
    if on_reject not in ("raise", "explain"):
        raise TypeError(f"on_reject is 'raise' or 'explain', not {on_reject!r}.")
    if fallback is not None and on_reject != "raise":
        raise TypeError("Give either on_reject='explain' or a fallback, not both.")
    options.check_kinds(reason=reason, key=key, condition=condition, fallback=fallback)
    if not callable(run):
        ask["run"], run = run, None
    try:
        mistakes.check_timeout(timeout)
        mistakes.check_claims(ask)
        if action is not None:
            mistakes.check_action(action)
    except Invalid as error:
        raise TypeError(f"require_approval(): {error.detail}") from None

    def decorate(target: F) -> F:
        targets.check(client, target)
        arguments = Arguments.of(target, encode, ignore)
        targets.check_schema(target, arguments)
        given, more = arguments.names
        options.check("condition", condition, target, given, more)
        for name, option in (("reason", reason), ("key", key), ("run", run)):
            options.check(name, option, target, given | arguments.aside, more)
        gate = _Gate(
            client, target, arguments, action or target.__name__, reason, key, run, condition, timeout,
            on_reject == "explain", fallback, report, result, runs, ask,
        )  # fmt: skip
        wrapper: F = gate.wrapper()
        return wrapper

    return decorate if function is None else decorate(function)


@dataclass(frozen=True)
class _Gate:
    client: Client
    function: Callable[..., Any]
    arguments: Arguments
    action: str
    reason: str | Callable[..., str] | None
    key: str | Callable[..., str | None] | None
    named_run: Callable[..., str | None] | None
    condition: Callable[..., Any] | None
    timeout: float | None
    explains: bool
    fallback: Callable[..., Any] | None
    reports: bool
    shows: Shows
    runs: Runs
    ask: Mapping[str, Any]

    def wrapper(self) -> Any:
        """The function as its callers see it."""
        function = self.function
        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def gated_async(*args: Any, **kwargs: Any) -> Any:
                return await self.run_async(args, kwargs)

            wrapper: Any = gated_async
        else:

            @functools.wraps(function)
            def gated(*args: Any, **kwargs: Any) -> Any:
                return self.run(args, kwargs)

            wrapper = gated
        wrapper.__signature__ = inspect.signature(function)
        wrapper.undo = functools.partial(undo.attach, self.client)
        return wrapper

    def run(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Ask, wait, run, report."""
        bound, receipt, unasked = self.arguments.bind(args, kwargs), None, False
        try:
            payload = self.arguments.pack(bound)
            unasked = self.condition is not None and not options.asks(
                self.condition, self.arguments.values(payload), self.action
            )
            if not unasked:
                said = self.said(payload, bound)
                receipt = self.client.ask(self.action, payload, timeout=self.timeout, runs=self.runs, **said)
                payload = receipt.payload or {}
            args, kwargs = self.rebuilt(payload, bound)
            if receipt is not None and callers.gave_up():
                raise callers.GaveUp()
        except REFUSALS as error:
            self.tell(receipt, error)
            return self.refuse(error, bound)
        try:
            result = self.function(*args, **kwargs)
        except Exception as error:
            self.tell(receipt, error)
            raise
        except BaseException as error:  # Ctrl-C, which a server that is away must not hold up
            telling = threading.Thread(target=self.tell, args=(receipt, error), daemon=True)
            telling.start()
            telling.join(LEAVE_SECONDS)
            raise
        self.tell(receipt, result=result)
        return result

    async def run_async(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """`run`, without blocking the event loop."""
        bound, receipt, unasked = self.arguments.bind(args, kwargs), None, False
        try:
            payload = self.arguments.pack(bound)
            unasked = self.condition is not None and not await options.asks_async(
                self.condition, self.arguments.values(payload), self.action
            )
            if not unasked:
                said = self.said(payload, bound)
                receipt = await self.client.ask_async(
                    self.action, payload, timeout=self.timeout, runs=self.runs, **said
                )
                payload = receipt.payload or {}
            args, kwargs = self.rebuilt(payload, bound)
            if receipt is not None and callers.gave_up():
                raise callers.GaveUp()
        except REFUSALS as error:
            await self.tell_async(receipt, error)
            result = self.refuse(error, bound)
            return await result if inspect.isawaitable(result) else result
        try:
            result = await self.function(*args, **kwargs)
        except Exception as error:
            await self.tell_async(receipt, error)
            raise
        except GeneratorExit:  # nobody runs this coroutine any more: it can wait for nothing
            raise
        except BaseException as error:
            await asyncio.wait({apart(self.tell_async(receipt, error))}, timeout=LEAVE_SECONDS)
            raise
        await self.tell_async(receipt, result=result)
        return result

    def rebuilt(self, payload: dict[str, Any], bound: Bound) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """What the function is called with; raises Invalid whatever the code of its annotations raises."""
        try:
            return self.arguments.rebuild(payload, bound)
        except NotApproved:
            raise
        except Exception as error:  # its text may hold anything, and a model may be told it
            log.warning(
                "%s was not run: its arguments could not be made anew: %s", self.action, type(error).__name__
            )
            raise Invalid("What was approved does not fit its parameters.") from None

    def said(self, payload: dict[str, Any], bound: Bound) -> dict[str, Any]:
        """What is said with a call's payload; raises whatever the options do."""
        said = {**self.ask, "schema": self.arguments.schema_of(payload)}
        said["reason"] = self.reason_for(payload, bound)
        for name, option in (("key", self.key), ("run", self.named_run)):
            text = self.named(option, payload, bound) if callable(option) else option
            if text is not None:
                said[name] = text
        return said

    def named(self, option: Callable[..., Any], payload: dict[str, Any], bound: Bound) -> Any:
        """What an option gives that may name what is not shown, too."""
        return options.call_beside(option, self.arguments.values(payload), bound.aside)

    def reason_for(self, payload: dict[str, Any], bound: Bound) -> str:
        """Why this call should run, at most 4,000 characters."""
        if self.reason is None:
            text = (inspect.getdoc(self.function) or "").partition("\n\n")[0].replace("\n", " ")
        elif callable(self.reason):
            text = self.named(self.reason, payload, bound)
        else:
            text = self.arguments.values(payload).get(self.reason, self.reason)
        text = str(text)
        return text if len(text) <= MAX_REASON else text[: MAX_REASON - 1] + "…"

    def refuse(self, error: NotApproved | WaitTimeout | Unreachable, bound: Bound) -> Any:
        """What the caller gets instead of a run; one who has given up takes nothing any more."""
        error.action = error.action or self.action
        if isinstance(error, callers.GaveUp):
            raise error
        if self.fallback is not None and isinstance(error, NotApproved):
            return options.call(self.fallback, bound.values, error)
        if self.explains:
            if isinstance(error, WaitTimeout):
                error.attaches = self.key is not None
            if not isinstance(error, NotApproved):
                log.warning("%s was not run: %s", self.action, error)
            return explain(error)
        raise error

    def tell(self, receipt: Receipt | None, error: BaseException | None = None, result: Any = None) -> None:
        """Report the outcome of an approved call; never raises."""
        if self.reports and receipt is not None:
            try:
                self.client.report(receipt.id, **outcome(error, self.shows, result))
            except Exception as fault:
                log.warning(UNREPORTED, receipt.id, fault)

    async def tell_async(
        self, receipt: Receipt | None, error: BaseException | None = None, result: Any = None
    ) -> None:
        """`tell`, for a coroutine."""
        if self.reports and receipt is not None:
            try:
                await self.client.report_async(receipt.id, **outcome(error, self.shows, result))
            except Exception as fault:
                log.warning(UNREPORTED, receipt.id, fault)
