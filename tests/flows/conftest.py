"""Running servers on both databases, and the people who use them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flows.person import ANA, BEN, MIA, Someone
from flows.road import Road
from postgresql import Databases

from signoff.sandbox.server import Sandbox

GUEST, ROBOT, GONE, EVE = "U0GUS00001", "U0ROB00001", "U0DEE00001", "U0EVE00001"
APPROVERS = f"{ANA} {BEN} {GUEST} {EVE} S0FINANCE1"
"""The guest and the stranger are named too: they may not decide for all that."""


@pytest.fixture(scope="session")
def make_road(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Road]]:
    """Makes a road; started by the caller, ended with the session at the latest."""
    made: list[tuple[Road, Sandbox | None]] = []

    def make(slack: Sandbox | None = None, folder: Path | None = None, **settings: str) -> Road:
        own = Sandbox.start() if slack is None else None
        given = {"SIGNOFF_APPROVERS": APPROVERS, "SIGNOFF_WEBHOOK_HOSTS": "127.0.0.1", **settings}
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
def either_road(request: pytest.FixtureRequest) -> Iterator[Road]:
    """A server that runs, on each database."""
    found: Road = request.getfixturevalue(f"_{request.param}_road")
    found.slack.faults(clear=True)
    yield found
    _tidy(found)


def _tidy(road: Road) -> None:
    road.slack.faults(clear=True)
    for user in (ANA, BEN, MIA):
        Someone(road.slack, user).close_all()
