"""`undo` of the clients: what registers a function that undoes, and what serves it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

if TYPE_CHECKING:
    from signoff.client.carrier import Encode
    from signoff.client.undo import Undo

F = TypeVar("F", bound=Callable[..., Any])


class Registry(Protocol):
    """What is needed of an AsyncSignoff."""

    _undos: list[Undo]


class Face(Protocol):
    """What is needed of a Signoff."""

    _async: Any
    _given: Any


def undo(
    self: Registry,
    action: str | None = None,
    /,
    *,
    test: Callable[[], Any] | None = None,
    encode: Mapping[str, Encode] | None = None,
) -> Callable[[F], F]:
    """Decorator: this function undoes by `action`, as a policy names it (else by its own name).

    `serve_undos` takes what people undo. The function is called with the undo's payload, each argument made
    by its annotation (`encode`: as in require_approval); what it raises is reported. `test` is a function
    without arguments that tries the undo out, and raises where it does not work: `signoff undo test` has it
    called.
    """
    from signoff.client import undo as undos

    def decorate(function: F) -> F:
        self._undos.append(undos.registered(action, function, test, encode))
        return function

    return decorate


async def serve_undos(self: Any) -> None:
    """Take what people undo by the functions of `undo`, for ever, as a task. Raises ConfigError."""
    from signoff.client import undo as undos

    async with asyncio.TaskGroup() as group:
        for one in self._undos:
            group.create_task(undos.serve(self, one))


def served_undo(
    self: Face,
    action: str | None = None,
    /,
    *,
    test: Callable[[], Any] | None = None,
    encode: Mapping[str, Encode] | None = None,
) -> Callable[[F], F]:
    """Decorator: this function undoes by `action`: see AsyncSignoff.undo.

    From then on a thread of this process takes what people undo by it. A forked child does not.
    """
    from signoff.client import undo as undos

    def decorate(function: F) -> F:
        undos.start(
            lambda: type(self._async)(**self._given), undos.registered(action, function, test, encode)
        )
        return function

    return decorate
