"""`undo` of the clients: what registers a function that undoes, and what serves it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

if TYPE_CHECKING:
    from signoff.client.carrier import Encode
    from signoff.client.undo import Undo

F = TypeVar("F", bound=Callable[..., Any])


class Registered:
    """What undoes for one client, and who is told of more: those who serve it already."""

    def __init__(self) -> None:
        self.all: list[Undo] = []
        self.told: list[Callable[[Undo], object]] = []

    def add(self, one: Undo) -> None:
        """From any thread."""
        self.all.append(one)
        for tell in list(self.told):
            tell(one)


class Registry(Protocol):
    """What is needed of an AsyncSignoff."""

    _undos: Registered


class Face(Protocol):
    """What is needed of a Signoff."""

    _async: Any
    _given: Any


def undo(
    self: Registry,
    action: Any = None,
    /,
    *,
    test: Callable[[], Any] | None = None,
    encode: Mapping[str, Encode] | None = None,
) -> Any:
    """Decorator: this function undoes by `action`, as a policy names it (else, or bare, by its own name).

    `serve_undos` takes what people undo. The function is called with the undo's payload, each argument made
    by its annotation (`encode`: as in require_approval); what it raises is reported. `test` is a function
    without arguments that tries the undo out, and raises where it does not work: `signoff undo test` has it
    called.
    """
    from signoff.client import undo as undos

    def decorate(function: F) -> F:
        self._undos.add(undos.registered(name, function, test, encode))
        return function

    function, name = undos.given(action)
    return decorate if function is None else decorate(function)


async def serve_undos(self: Any) -> None:
    """Take what people undo by the functions of `undo`, for ever, as a task: those of later, too.

    Raises ConfigError, also where there is none yet.
    """
    from signoff.client import undo as undos
    from signoff.errors import ConfigError

    registered: Registered = self._undos
    if not registered.all:
        raise ConfigError("Nothing undoes here: register a function by @….undo(action) first.")
    loop, news = asyncio.get_running_loop(), asyncio.Queue[Any]()

    def tell(one: Undo) -> None:
        loop.call_soon_threadsafe(news.put_nowait, one)

    registered.told.append(tell)
    try:
        async with asyncio.TaskGroup() as group:
            for one in list(registered.all):
                group.create_task(undos.serve(self, one))
            while True:
                group.create_task(undos.serve(self, await news.get()))
    except* ConfigError as faults:
        fault = faults.exceptions[0]
    finally:
        registered.told.remove(tell)
    raise fault


def served_undo(
    self: Face,
    action: Any = None,
    /,
    *,
    test: Callable[[], Any] | None = None,
    encode: Mapping[str, Encode] | None = None,
) -> Any:
    """Decorator: this function undoes by `action`: see AsyncSignoff.undo.

    From then on a thread of this process takes what people undo by it. A forked child does not.
    """
    from signoff.client import undo as undos

    def decorate(function: F) -> F:
        undos.start(lambda: type(self._async)(**self._given), undos.registered(name, function, test, encode))
        return function

    function, name = undos.given(action)
    return decorate if function is None else decorate(function)


served_undo.__name__ = served_undo.__qualname__ = "undo"  # as help() heads it
