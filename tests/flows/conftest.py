"""Running servers on both databases, and the people who use them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flows.person import ANA, BEN, MIA, Someone
from flows.road import Road
from postgresql import Databases
from support import free_port

from signoff.sandbox.server import Sandbox

GUEST, ROBOT, GONE, EVE = "U0GUS00001", "U0ROB00001", "U0DEE00001", "U0EVE00001"
APPROVERS = f"{ANA} {BEN} {GUEST} {EVE} S0FINANCE1"
"""The guest and the stranger are named too: they may not decide for all that."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Whatever depends on how Slack reaches the server runs over Socket Mode; by HTTP too where it says so.

    `--transports=both` runs all of it over both, but for what is about Socket Mode itself.
    """
    if "transport" not in metafunc.fixturenames:
        return
    wanted, definition = metafunc.config.getoption("transports"), metafunc.definition
    marked = wanted == "marked" and definition.get_closest_marker("http") is not None
    ways = [pytest.param("socket", id=pytest.HIDDEN_PARAM)] if wanted != "http" else []
    if definition.get_closest_marker("socket_mode") is not None:
        ways = [pytest.param("socket", id=pytest.HIDDEN_PARAM)]
    elif marked or wanted in ("both", "http"):
        ways.append(pytest.param("http", id="http"))
    metafunc.parametrize("transport", ways, indirect=True, scope="session")


@pytest.fixture(scope="session")
def transport(request: pytest.FixtureRequest) -> str:
    """How Slack reaches the server: `socket` or `http`."""
    found: str = request.param
    return found


@pytest.fixture(scope="session")
def make_road(tmp_path_factory: pytest.TempPathFactory, transport: str) -> Iterator[Callable[..., Road]]:
    """Makes a road; started by the caller, ended with the session at the latest."""
    made: list[tuple[Road, Sandbox | None]] = []

    def make(slack: Sandbox | None = None, folder: Path | None = None, **settings: str) -> Road:
        hosts = {"SIGNOFF_WEBHOOK_HOSTS": "127.0.0.1"}
        port, given = free_port(), {"SIGNOFF_APPROVERS": APPROVERS, **hosts, **settings}
        http = f"http://127.0.0.1:{port}" if transport == "http" else None
        own = Sandbox.start(http=http) if slack is None else None
        if own and http:
            given = {"SIGNOFF_WEB_BIND": f"127.0.0.1:{port}", **given}
        road = Road(slack or own, folder or tmp_path_factory.mktemp("road"), given)  # type: ignore[arg-type]
        made.append((road, own))
        return road

    yield make
    for road, own in reversed(made):
        road.close()
        if own:
            own.stop()


@pytest.fixture(scope="session")
def _sqlite_road(make_road: Callable[..., Road]) -> Road:
    road = make_road()
    road.start()
    return road


@pytest.fixture(scope="session")
def _postgresql_road(make_road: Callable[..., Road], _postgresql: Databases) -> Iterator[Road]:
    url = _postgresql.create("flow")
    road = make_road(SIGNOFF_DATABASE_URL=url)
    road.start()
    yield road
    road.close()
    _postgresql.drop(url)


@pytest.fixture
def road(_sqlite_road: Road) -> Iterator[Road]:
    """A server that runs, on SQLite, without faults."""
    _sqlite_road.slack.faults(clear=True)
    yield _sqlite_road
    _tidy(_sqlite_road)


@pytest.fixture(params=["sqlite", "postgresql"])
def either_road(request: pytest.FixtureRequest, transport: str) -> Iterator[Road]:
    """A server that runs, on each database."""
    found: Road = request.getfixturevalue(f"_{request.param}_road")
    found.slack.faults(clear=True)
    yield found
    _tidy(found)


def _tidy(road: Road) -> None:
    road.slack.faults(clear=True)
    for user in (ANA, BEN, MIA):
        Someone(road.slack, user).close_all()
