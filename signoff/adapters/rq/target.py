"""A function that a worker can find by its name, and what it is called on cards."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from rq.utils import import_attribute

from signoff.client import mistakes
from signoff.client.arguments import Arguments
from signoff.errors import Invalid

F = TypeVar("F", bound=Callable[..., Any])
MAX_KEY = 255


def action(name: str) -> Callable[[F], F]:
    """Decorator: what a function is called on cards and in the policy; else it is its dotted name.

    It is read from the code alone, by whoever asks and by the worker: nobody can change it in Redis.
    """
    mistakes.check_action(name)

    def decorate(function: F) -> F:
        function.__signoff_action__ = name  # type: ignore[attr-defined]
        return function

    return decorate


@dataclass(frozen=True)
class Target:
    """A function that a worker can find by its name."""

    name: str
    function: Callable[..., Any]
    action: str
    arguments: Arguments

    @classmethod
    def of(cls, function: Callable[..., Any] | str) -> Target:
        """Raises TypeError for one that no worker would find, or whose arguments cannot travel."""
        name = function if isinstance(function, str) else f"{function.__module__}.{function.__qualname__}"
        found = _found(name)
        if name.startswith("__main__.") or not inspect.isfunction(found):
            raise TypeError(f"{name}: a worker has to find it, as a function of a module.")
        if not isinstance(function, str) and found is not function:
            raise TypeError(f"{name} is another function in its module: enqueue that one.")
        own = f"{found.__module__}.{found.__qualname__}"
        if own != name and _found(own) is found:  # by whichever name it is called, it is one function
            name = own
        return cls(name, found, getattr(found, "__signoff_action__", name), Arguments.of(found))

    def key(self, given: str) -> str:
        """What names a request for this function and no other: the receipt's nonce is made of it."""
        key = f"rq:{self.name}:{given}"
        if len(key) <= MAX_KEY and key.isascii():
            return key
        return f"rq:{hashlib.sha256(key.encode(errors='surrogatepass')).hexdigest()}"

    def payload(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
        """A call's arguments as they travel; raises Invalid."""
        payload, bound = self.arguments.payload(args, kwargs)
        if bound.aside:
            raise Invalid(f"{self.name}() takes {', '.join(bound.aside)}, which cannot travel.")
        return payload


def _found(name: str) -> Any:
    """What has this dotted name; None where nothing has."""
    try:
        return import_attribute(name)
    except (ValueError, ImportError, AttributeError):
        return None
