"""The gate's options that are functions: how they are called, and what a condition's answer means.

They are given what would run, never what the caller holds: arguments that were checked against their
annotations, read back from their canonical text, and made anew for each option. Those that only name a
request (`key`, `reason`, `run`) may name what does not travel, too: it is given to them as it is.
"""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable, Mapping
from typing import Any

from signoff.errors import NotApproved

log = logging.getLogger("signoff")
TEXTS = ("reason", "key")
"""Options that may be a text, too."""


def call(option: Callable[..., Any], values: Mapping[str, Any], error: NotApproved | None = None) -> Any:
    """Call an option with what it names of `values`, and with `error` where it takes it."""
    try:
        parameters = list(inspect.signature(option).parameters.values())
    except (TypeError, ValueError):  # a builtin that does not say
        return option(error) if error else option(**values)
    given = values if error is None else {**values, "error": error}
    first = parameters[0] if parameters else None
    before: tuple[Any, ...] = ()
    if error and first and "error" not in (parameter.name for parameter in parameters):
        takes = first.kind in (first.POSITIONAL_ONLY, first.POSITIONAL_OR_KEYWORD, first.VAR_POSITIONAL)
        before, given = ((error,), values) if takes and first.name not in values else ((), values)
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
        return option(*before, **given)
    names = {parameter.name for parameter in parameters[len(before) :]}
    return option(*before, **{name: value for name, value in given.items() if name in names})


def call_beside(option: Callable[..., Any], values: Mapping[str, Any], aside: Mapping[str, Any]) -> Any:
    """Call `key`, `reason` or `run`: with what it names of `values` and of `aside`, which does not travel."""
    try:
        named = set(inspect.signature(option).parameters)
    except (TypeError, ValueError):  # a builtin that does not say
        named = set()
    return call(option, {**values, **{name: value for name, value in aside.items() if name in named}})


def asks(
    condition: Callable[..., Any],
    values: Mapping[str, Any],
    action: str,
    awaited: Callable[[Any], Any] | None = None,
) -> bool:
    """Whether a person is asked: always, but where the condition says False; see `_is_no`.

    `awaited` waits for what a coroutine's condition gives; without it such a one asks.
    """
    try:
        said = call(condition, values)
        if awaited is not None and inspect.isawaitable(said):
            said = awaited(said)
        if inspect.isawaitable(said):
            if inspect.iscoroutine(said):
                said.close()
            raise TypeError("a coroutine's condition cannot be awaited here")
    except Exception as error:
        return _unsure(action, f"raised {type(error).__name__}")
    return not _is_no(said, action)


async def asks_async(condition: Callable[..., Any], values: Mapping[str, Any], action: str) -> bool:
    """`asks`, for a coroutine: its condition may be one, too."""
    try:
        said = call(condition, values)
        said = await said if inspect.isawaitable(said) else said
    except Exception as error:
        return _unsure(action, f"raised {type(error).__name__}")
    return not _is_no(said, action)


def check_kinds(**given: Any) -> None:
    """Raise TypeError for an option that is neither text where it may be, nor a function."""
    for name, option in given.items():
        if option is None or callable(option) or (name in TEXTS and isinstance(option, str)):
            continue
        text = "text or " if name in TEXTS else ""
        example = {"condition": "lambda amount: amount > 100", "fallback": "lambda error: None"}.get(name, "")
        such = f", such as {name}={example}" if example else ""
        raise TypeError(f"{name} is {option!r:.60}, and has to be {text}a function{such}.")


def check(name: str, option: Any, function: Callable[..., Any], given: set[str], more: bool) -> None:
    """Raise TypeError for an option that could never be called, or never be understood.

    `given` are the arguments that it may name, `more` says that calls may bring others (`**kwargs`). Such a
    condition would ask each time, and such a reason or key would fail each time: better when it is applied.
    """
    if not callable(option):
        return
    may_wait = name == "condition" and inspect.iscoroutinefunction(function)
    if inspect.iscoroutinefunction(option) and not may_wait:
        where = f", as {_name(function)}() is not async" if name == "condition" else ""
        raise TypeError(f"{name} cannot be a coroutine{where}: give an ordinary function.")
    try:
        parameters = inspect.signature(option).parameters.values()
    except (TypeError, ValueError):
        return
    for one in parameters:
        if one.kind is one.VAR_POSITIONAL or (one.kind is one.POSITIONAL_ONLY and one.default is one.empty):
            raise TypeError(f"{name} is given its arguments by name: {one} cannot be in its signature.")
        needed = one.default is one.empty and one.kind is not one.VAR_KEYWORD
        if needed and one.name not in given and not more:
            raise TypeError(f"{name} takes {one.name!r}, which is no argument of {_name(function)}().")


def _is_no(said: Any, action: str) -> bool:
    """Whether a condition said False: bool's, or numpy's. None, 0 and "" say nothing, so that asks."""
    if isinstance(said, bool):
        return not said
    kind = type(said)
    if kind.__module__.partition(".")[0] == "numpy" and kind.__name__ in ("bool", "bool_"):
        return not said
    _unsure(action, f"gave {kind.__name__}, which is neither True nor False")
    return False


def _unsure(action: str, what: str) -> bool:
    # The text of an exception may hold what the arguments hold: only its type is logged.
    log.warning("%s is asked about, as its condition %s", action, what)
    return True


def _name(function: Callable[..., Any]) -> str:
    return getattr(function, "__name__", repr(function))
