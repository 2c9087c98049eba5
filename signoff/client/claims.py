"""What may be said with a request, and a function's options when it asks: for type checkers and for help().

Each name is described once, in the docstring of its class; `described` has `help()` and `inspect.signature`
of what takes them list them all.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal, TypedDict, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from signoff.client.carrier import Encode
    from signoff.client.spend import Runs

Texts = list[str] | tuple[str, ...]
"""Several texts. One alone is a sequence of texts, too, and hardly ever meant as one."""
F = TypeVar("F", bound=Callable[..., Any])


class Claims(TypedDict, total=False):
    """What both a request and a function that asks may say; see Ask."""

    reversible: bool | Literal["reversible", "costly", "irreversible"] | None
    risk: Literal["low", "medium", "high", "critical"] | None
    undo: str
    impact: str
    alternatives: str | Texts
    context: Mapping[str, Any] | None
    tags: Texts
    cost: float | None
    confidence: float | None
    attempts: int | None
    editable: bool | Texts
    expires_in: float | timedelta | None
    title: str
    conversation: str | None
    requested_by: str | None
    interpretation: str | None


class Ask(Claims, total=False):
    """All that a request may say beyond its action and payload. Everything is optional.

    People see it as the agent's claims; it can make a verdict stricter, never looser.

    reason: why this should run, in a sentence or two; at most 4,000 characters.
    reversible: True, False, or "reversible", "costly" (can be undone, with effort), "irreversible".
    risk: "low", "medium", "high" or "critical".
    undo: how it would be undone.
    impact: what it touches.
    alternatives: what could be done instead: a text, or a list of at most 10.
    context: more facts, as a JSON object.
    tags: a list of "money", "external", "personal-data", "production", "destructive", or own ones (a-z, 0-9,
        -), at most 20.
    cost: what it costs, in the currency that the policy counts in.
    confidence: how sure the agent is, from 0 to 1.
    attempts: how many times this has failed before.
    run: names the agent's piece of work that this belongs to.
    key: asking again with the same key and content attaches to the first request.
    schema: JSON Schema of the payload: orders the card's fields, and checks a person's corrections.
    editable: whether a person may correct the payload, or a list of the fields that they may.
    expires_in: seconds, or a timedelta, until an unanswered request ends: at least 1, at most 30 days; 24
        hours if not said.
    title: a short title; at most 150 characters.
    conversation: the Slack channel that the agent would like; the policy decides.
        `C0123ABCD:1700000000.000100` (a channel's id and a message's ts) names a thread, such as the one
        where the agent talks with people: the card appears in it if the policy asks in that channel, else
        where the policy says.
    requested_by: for whom the agent does this: a name, an address; at most 200 characters.
    interpretation: what the agent took its task to mean, where it could be read in several ways.
    """

    reason: str | None
    run: str | None
    key: str | None
    schema: Mapping[str, Any] | None


class Options(Claims, total=False):
    """What require_approval takes besides: see `Ask` for reversible, risk, undo, impact, tags and the like.

    action: by default the function's name.
    reason: a parameter's name (then that argument is the reason), any other text, or a function that gives
        the text. By default the first paragraph of the docstring. Cut at 4,000 characters.
    key: a text or a function that gives it; asking again with the same key attaches to the first request. A
        function that gives the reason, key or run may also name what is not shown: `self`, a framework's
        context, what is in `ignore`: `key=lambda runtime: runtime.tool_call_id`.
    run: a text or a function that gives it: names the agent's piece of work that this belongs to.
    runs: "once": one approval runs the function once, over any number of processes. The server is asked which
        one may, right before; all others get AlreadySpent (a Duplicate). One that dies then has not run it,
        and it will not run. "at-least-once": nobody is asked, and it may run again until it was reported.
    condition: where it gives False the function runs unasked. True asks, and so does whatever else it gives
        or raises. Over a coroutine it may be one. What is valid is for the annotations to say: a condition
        that knows only an upper bound lets every negative number run.
    timeout: seconds until WaitTimeout; None waits until the request ends.
    on_reject: "raise" raises the NotApproved; "explain" returns `explain(error)`, a text for a model, also
        for WaitTimeout and Unreachable, which are logged.
    fallback: called instead, and its result returned; the NotApproved comes as `error`, or as its first
        parameter where that has no argument's name.
    encode: {"parameter": (to_json, from_json)}: how one travels whose class JSON does not know.
    ignore: parameters that are passed on and not shown.
    report: tell Signoff afterwards whether the function returned or raised (the exception's type, never its
        text); a failure to do so is logged and changes nothing.
    result: True shows people what the function returned, with that report; a function is given it, and gives
        what they see: any JSON of at most 2 KB, else nothing is shown. Nothing is if not said: a result may
        hold secrets, and the card is read by others.
    """

    action: str | None
    reason: str | Callable[..., str] | None
    key: str | Callable[..., str | None] | None
    run: str | Callable[..., str | None] | None
    condition: Callable[..., bool | Awaitable[bool]] | None
    timeout: float | None
    on_reject: Literal["raise", "explain"]
    fallback: Callable[..., Any] | None
    encode: Mapping[str, Encode] | None
    ignore: Texts | set[str] | frozenset[str]
    report: bool
    result: bool | Callable[[Any], Any] | None
    runs: Runs


NAMES = frozenset(Ask.__annotations__)
"""All that a request may say."""
OPTION_NAMES = frozenset(Options.__annotations__)
"""All that require_approval takes."""


class _Unsaid:
    """What stands as the default of what need not be said."""

    def __repr__(self) -> str:
        return "..."


UNSAID = _Unsaid()


def described(names: type) -> Callable[[F], F]:
    """Decorator: a function's `**names` are listed in its signature and its docstring, each by its name."""

    def decorate(function: F) -> F:
        signature = inspect.signature(function)
        plain = [p for p in signature.parameters.values() if p.kind is not inspect.Parameter.VAR_KEYWORD]
        taken = {parameter.name for parameter in plain}
        kind = inspect.Parameter.KEYWORD_ONLY
        more = [
            inspect.Parameter(name, kind, default=UNSAID, annotation=_written(annotation))
            for name, annotation in names.__annotations__.items()
            if name not in taken
        ]
        listed: Any = function
        listed.__signature__ = signature.replace(parameters=[*plain, *more])
        about = inspect.cleandoc(names.__doc__ or "").partition("\n\n")[2]
        listed.__doc__ = f"{inspect.cleandoc(function.__doc__ or '')}\n\n{about}\n"
        return function

    return decorate


def _written(annotation: Any) -> Any:
    """An annotation as it stands in the source."""
    return getattr(annotation, "__forward_arg__", annotation)
