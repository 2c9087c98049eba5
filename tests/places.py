"""Where a test may run: in which worker, beside which others, and whether `make check` has it.

Nobody lists tests for that. Both are read off a test's fixtures, and off what its code names.
"""

from __future__ import annotations

import multiprocessing
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from inspect import isclass, isfunction, unwrap
from pathlib import Path
from types import CodeType
from typing import Any

import pytest
import support

from signoff.sandbox.server import Sandbox
from signoff.server import own_redis, processes, supervisor
from signoff.server.forker import Forker

SERVED = "served"
"""The mark of a test that has a server or another process of its own."""
TIMED = "timed"
"""The mark of a test that measures what something costs: hundreds of the largest requests."""
CLOCKS = ("thread_time", "process_time")
"""Who names one of these measures."""
STARTERS = (
    subprocess,
    multiprocessing,
    processes,
    supervisor,
    Forker,
    Sandbox,
    own_redis,
    own_redis.EmbeddedRedis,
    support.RedisServer,
)
"""Who names one of these starts it."""
SHARED = ("_sqlite_road", "_postgresql_road")
"""Servers of a whole session: one of each is enough, so all who use it run in one worker."""
WIDE = ("package", "module")
HERE = str(Path(__file__).parent)


def place(item: pytest.Item) -> None:
    """Mark a test: `xdist_group` is what it shares with others; it is `served`, `timed`, or neither."""
    if group := _group(item):
        group += "-http" if _parameters(item).get("transport") == "http" else ""
        item.add_marker(pytest.mark.xdist_group(group))
    if _is_served(item):
        item.add_marker(SERVED)
    if any(map(_measures, _functions(item))):
        item.add_marker(TIMED)


@contextmanager
def processes_for(item: pytest.Item) -> Iterator[None]:
    """Inside the `with`, a test that is not `served` starts no process."""
    with pytest.MonkeyPatch.context() as patch:
        if item.get_closest_marker(SERVED) is None:
            patch.setattr(subprocess.Popen, "__init__", _refuse)
        yield


def _refuse(self: subprocess.Popen[Any], *_: Any, **__: Any) -> None:
    self.returncode = 0  # it is looked at when the object goes
    raise AssertionError(f"tests/places.py takes this for a test without processes: mark it {SERVED!r}")


def _fixtures(item: pytest.Item) -> list[pytest.FixtureDef[Any]]:
    """All that a test needs, and their needs."""
    known = getattr(item, "_fixtureinfo", None)
    return [found[-1] for found in known.name2fixturedefs.values()] if known else []


def _group(item: pytest.Item) -> str | None:
    """What the widest of its fixtures that ours share is called; None: it may run anywhere."""
    fixtures = _fixtures(item)
    for shared in SHARED:
        if any(one.argname == shared for one in fixtures) or _chosen(item, shared):
            return shared
    ours = [one for one in fixtures if unwrap(one.func).__code__.co_filename.startswith(HERE)]
    for scope in WIDE:
        if one := next((one for one in ours if one.scope == scope), None):
            path = one.baseid if scope == "package" else item.nodeid.partition("::")[0]
            return path.removeprefix("tests/").removesuffix(".py")
    return None


def _chosen(item: pytest.Item, shared: str) -> bool:
    """Whether a parameter of its fixtures stands for it, such as `either_road[postgresql]`."""
    return _parameters(item).get("either_road") == shared.split("_")[1]


def _parameters(item: pytest.Item) -> dict[str, Any]:
    found = getattr(item, "callspec", None)
    return found.params if found else {}


def _is_served(item: pytest.Item) -> bool:
    parameters = _parameters(item)
    if parameters.get("database_url") == "postgresql" or "either_road" in parameters:
        return True
    return any(_starts(function) for function in _functions(item))


def _functions(item: pytest.Item) -> list[Callable[..., Any]]:
    """Its own, and those of its fixtures."""
    functions = [getattr(item, "function", place), *(one.func for one in _fixtures(item))]
    return [unwrap(function) for function in functions]


@cache
def _starts(function: Callable[..., Any]) -> bool:
    """Whether it names what starts a server, or calls something of the tests that does."""
    return any(value is starter for _, value in _named(function, set()) for starter in STARTERS)


@cache
def _measures(function: Callable[..., Any]) -> bool:
    """Whether it reads a clock of the processor, or calls something of the tests that does."""
    return any(name in CLOCKS for name, _ in _named(function, set()))


def _named(function: Callable[..., Any], seen: set[CodeType]) -> Iterator[tuple[str, Any]]:
    """All that it names, and what of the tests it calls names: each with what it stands for in its module."""
    code = getattr(function, "__code__", None)
    if code is None or code in seen or not code.co_filename.startswith(HERE):
        return
    seen.add(code)
    for name in _names(code):
        value = function.__globals__.get(name)
        yield name, value
        inner = [value] if isfunction(value) else list(vars(value).values()) if isclass(value) else []
        plain = [getattr(one, "__func__", getattr(one, "fget", None) or one) for one in inner]
        for one in plain:
            if isfunction(one):
                yield from _named(unwrap(one), seen)


def _names(code: CodeType) -> set[str]:
    """What a function names, also in functions inside it."""
    inner = (one for one in code.co_consts if isinstance(one, CodeType))
    return set(code.co_names).union(*map(_names, inner))
