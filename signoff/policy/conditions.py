"""A rule's condition: CEL, compiled once, evaluated with a request's facts; pure."""

from __future__ import annotations

import difflib
import logging
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from signoff.policy import expression
from signoff.policy.addresses import Domains, any_glob, host_in

if TYPE_CHECKING:
    import cel  # else only where there is a condition: it takes 0.2 s, as it brings a command line of its own

VARIABLES = frozenset(
    ["action", "agent", "payload", "risk", "reversibility", "tags", "cost", "confidence", "attempts", "run"]
)
HELPERS = frozenset(expression.USES)
TYPES = frozenset(["int", "double", "string", "bool", "list", "map", "null_type", "type"])
FUNCTIONS = HELPERS | frozenset(
    [
        "size", "contains", "startsWith", "endsWith", "matches", "int", "double", "string", "bool", "type",
        "dyn", "timestamp", "duration",
    ]
)  # fmt: skip
MOST_VALUES = 1000
"""Values in a payload that a condition with a walk over a list is evaluated for (see `expression`)."""

# A helper that does not understand its arguments is part of how conditions work, and no news for a log.
logging.getLogger("cel").setLevel(logging.ERROR)


class NotEvaluable(Exception):
    """A condition has no answer for this request. The text says why, without a word of the payload."""


class Condition:
    """One condition. Raises ValueError for a text that is none, saying what is wrong with it.

    `walks` says that it takes as long as a list in the payload, `constant` that it looks at nothing.
    """

    def __init__(self, source: str) -> None:
        self.source = source
        self._shape = expression.shape(source)
        self.walks = self._shape.walks
        import cel

        try:
            self._program = cel.compile(source)
        except ValueError as error:
            raise ValueError(_syntax(str(error))) from None
        functions = {name for name in self._program.functions() if name[0].isalpha()}
        _known(functions, FUNCTIONS, "function")
        variables = set(self._program.variables()) - self._shape.bound - TYPES
        _known(variables, VARIABLES, "variable")
        for pattern in self._shape.patterns:
            _check_pattern(pattern)
        self.constant = not variables
        if self.constant:
            self._check_constant()

    def _check_constant(self) -> None:
        try:
            self.holds(context({}, Domains(())), 0)
        except NotEvaluable as error:
            raise ValueError(f"it can never be evaluated, as {error}") from None

    def holds(self, context: cel.Context, values: int) -> bool:
        """Whether it holds; raises NotEvaluable.

        `values` is how many values the payload has; it only matters where the condition `walks`.
        """
        if self.walks and values > MOST_VALUES:
            raise NotEvaluable(f"the payload has more than {MOST_VALUES:,} values to walk over")
        try:
            found = self._program.execute(context)
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:  # the library's own panics are no Exceptions
            raise NotEvaluable(_fault(error)) from None
        if not isinstance(found, bool):
            raise NotEvaluable("it does not say true or false")
        return found


def context(variables: Mapping[str, Any], domains: Domains) -> cel.Context:
    """What conditions are evaluated with: a request's facts and the helpers; raises NotEvaluable."""
    import cel

    functions: dict[str, Callable[..., Any]] = {
        "is_external": domains.is_external,
        "host_in": host_in,
        "any_glob": any_glob,
    }
    try:
        return cel.Context(dict(variables), functions)
    except Exception as error:
        raise NotEvaluable("the payload is no JSON") from error


def count_values(value: Any, most: int = MOST_VALUES) -> int:
    """How many values there are in a payload; it stops counting just past `most`."""
    found, left = 0, [value]
    while left and found <= most:
        one = left.pop()
        found += 1
        if isinstance(one, dict):
            left += one.values()
        elif isinstance(one, list | tuple):
            left += one
    return found


def _known(names: set[str], known: frozenset[str], what: str) -> None:
    for name in sorted(names - known):
        close = difflib.get_close_matches(name, known | expression.WALKS if what == "function" else known, 1)
        hint = f"did you mean {close[0]}?" if close else f"there are {', '.join(sorted(known))}"
        raise ValueError(f"there is no {what} {name}: {hint}")


def _check_pattern(pattern: str) -> None:
    """Raise ValueError for a pattern, as it is written, that the engine cannot take."""
    import cel

    try:
        cel.compile(f"''.matches({pattern})").execute(cel.Context({}, {}))
    except RuntimeError as error:
        last = str(error).partition(". Check function arguments")[0].splitlines()[-1]
        raise ValueError(
            f"`matches` cannot take this pattern: {last.removeprefix('error: ').rstrip('.').lower()}"
        ) from None


def _syntax(message: str) -> str:
    """The library's message without the expression that it repeats → where and what."""
    found = re.search(r"<input>:(\d+):(\d+): (?:Syntax error: )?(.*)", message)
    if not found:
        return "it is no CEL expression"
    line, column, what = found.groups()
    where = f"character {column}" if line == "1" else f"its line {line}, character {column}"
    return f"it is no CEL expression: at {where}, {what.partition(' expecting {')[0]}"


def _fault(error: BaseException) -> str:
    if isinstance(error, KeyError):
        return "a field that it reads is not there"
    if isinstance(error, TypeError):
        return "it compares values of different types"
    return "it cannot make anything of a value"
