"""What `require_approval` can gate, and what it refuses when it is applied."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from signoff.client.arguments import Arguments
from signoff.errors import Invalid
from signoff.payload import schema


def check(client: Any, function: Any) -> None:
    """Raises TypeError for a function that cannot be gated by this client."""
    if isinstance(function, str):
        raise TypeError(f"Name the action by its option: @require_approval(action={function[:60]!r}).")
    if isinstance(function, staticmethod | classmethod | property):
        raise TypeError(f"Put require_approval under @{type(function).__name__}, next to the function.")
    if not inspect.isroutine(function):
        raise TypeError(f"require_approval decorates functions, not {type(function).__name__} objects.")
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        raise TypeError(
            f"{function.__name__}() is a generator: it runs in pieces, after the approval. "
            "Decorate the function that does the work."
        )
    if inspect.iscoroutinefunction(client.ask) and not inspect.iscoroutinefunction(function):
        raise TypeError(
            f"{function.__name__}() is not async, and AsyncSignoff cannot wait in it: use Signoff for it."
        )


def check_schema(function: Callable[..., Any], arguments: Arguments) -> None:
    """What the server would refuse of a schema is the function's fault: say so before anything is asked."""
    try:
        schema.check_schema(arguments.schema)
    except Invalid as error:
        raise TypeError(
            f"The parameters of {function.__name__}() cannot be described: {error.detail}"
        ) from None
