"""A blocking client's methods, made of those for asyncio: one that blocks, and one that any coroutine awaits.

cancel = blocking(AsyncSignoff.cancel)
cancel_async = awaited(AsyncSignoff.cancel)
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Coroutine
from typing import Any, Concatenate, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")
Unused = Callable[[T], Coroutine[Any, Any, None]]
Method = Callable[Concatenate[Any, P], Coroutine[Any, Any, T]]


def blocking(method: Method[P, T], unused: Unused[T] | None = None) -> Callable[Concatenate[Any, P], T]:
    """The method of a Signoff that waits for what this one of its AsyncSignoff gives.

    `unused` takes a result that comes as whoever waited has left: see Handover.
    """

    @functools.wraps(method)
    def call(self: Any, /, *args: P.args, **kwargs: P.kwargs) -> T:
        made = lambda signoff: getattr(signoff, method.__name__)(*args, **kwargs)  # noqa: E731
        found: T = self._call(made, unused)
        return found

    return call


def awaited(method: Method[P, T]) -> Callable[Concatenate[Any, P], Coroutine[Any, Any, T]]:
    """The same for a coroutine of any event loop."""

    @functools.wraps(method)
    async def call(self: Any, /, *args: P.args, **kwargs: P.kwargs) -> T:
        found: T = await self._call_async(lambda signoff: getattr(signoff, method.__name__)(*args, **kwargs))
        return found

    call.__name__ = f"{method.__name__}_async"
    call.__qualname__ = f"Signoff.{call.__name__}"
    return call
