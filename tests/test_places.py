"""Which tests `make check` has, and which of them share a worker, is read off them."""

from __future__ import annotations

import os
import subprocess
from types import SimpleNamespace
from typing import Any

import places
import pytest
from payload.roles import seconds
from support import RedisServer


def helper() -> Any:
    return RedisServer


def calls_a_helper() -> Any:
    return [helper() for _ in range(2)]


def has_one_inside() -> Any:
    return lambda: subprocess.run


@pytest.mark.parametrize("function", [helper, calls_a_helper, has_one_inside, RedisServer.start])
def test_who_names_a_server_or_a_process_starts_it_also_by_others(function: Any) -> None:
    assert places._starts(function)


def test_who_names_none_starts_none(request: pytest.FixtureRequest) -> None:
    assert not places._starts(test_who_names_none_starts_none)
    assert request.node.get_closest_marker(places.SERVED) is None


@pytest.mark.parametrize("function", [seconds, lambda: seconds(helper)])
def test_who_reads_a_clock_of_the_processor_measures_also_by_others(function: Any) -> None:
    assert places._measures(function)


def test_who_reads_none_measures_nothing(request: pytest.FixtureRequest) -> None:
    assert not places._measures(calls_a_helper)
    assert request.node.get_closest_marker(places.TIMED) is None


def test_a_test_that_was_taken_for_one_without_processes_starts_none() -> None:
    item: Any = SimpleNamespace(get_closest_marker=lambda name: None)
    with places.processes_for(item), pytest.raises(AssertionError, match="mark it 'served'"):
        subprocess.run(["true"], check=False)
    item.get_closest_marker = lambda name: name == places.SERVED
    with places.processes_for(item):
        assert subprocess.run(["true"], check=False).returncode == 0


def test_one_road_of_a_session_is_one_group() -> None:
    shared = {"either_road": "postgresql"}
    item: Any = SimpleNamespace(nodeid="tests/x.py::test_y", callspec=SimpleNamespace(params=shared))
    assert places._group(item) == "_postgresql_road"
    del item.callspec
    assert places._group(item) is None


@pytest.mark.xdist_group("here")
def test_workers_are_told_of_groups(request: pytest.FixtureRequest) -> None:
    """Not every pytest-xdist can with every pytest: then tests of one road would start one each."""
    assert request.node.nodeid.endswith("@here") is ("PYTEST_XDIST_WORKER" in os.environ)
