"""Real parts for every test: a Redis, SQLite and PostgreSQL, and what is built from them."""

from __future__ import annotations

import gc
import logging
import shutil
import signal
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
import redis
from places import place, processes_for
from postgresql import Databases, throwaway
from support import Core, People, RedisServer

from signoff.approvals.receipts import Receipts
from signoff.approvals.service import Approvals
from signoff.approvals.vault import FILE, Vault
from signoff.models import migrate
from signoff.models.engine import open_engine
from signoff.models.people import Person
from signoff.models.store import Store
from signoff.policy.policy import Policy
from signoff.queue.publisher import Publisher
from signoff.receipts import Signer


def pytest_addoption(parser: pytest.Parser) -> None:
    """How Slack reaches the servers of tests/flows: see there."""
    ways = ("marked", "both", "socket", "http")
    parser.addoption("--transports", choices=ways, default="marked", help="of tests/flows: HTTP where marked")


def pytest_configure() -> None:
    """Ctrl-C works in all that tests start.

    A shell without job control starts what stands before an `&` with SIGINT ignored, and so do all that
    descend from it, tests and what they start: who sends it SIGINT would wait for ever.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Say of each test with which it shares what is slow to start, and whether it needs a server.

    The long ones come first: at the end they would keep one worker busy while the others have nothing to do.
    """
    for item in items:
        place(item)
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


def pytest_collection_finish() -> None:
    """The collector of garbage does not walk through thousands of tests again and again: they stay."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None, object, object]:
    """What `make check` runs starts no process, in its fixtures either."""
    with processes_for(item):
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Nor in itself. At its end the servers of others may be stopped, which takes one."""
    with processes_for(item):
        return (yield)


@pytest.fixture(autouse=True)
def _frames(request: pytest.FixtureRequest) -> Iterator[None]:
    """Whatever a test does, no frame is too large for Slack, nor in pieces, but where it asks `large_frames`.

    Stand-ins that live in this process are watched: those of all tests but the ones of whole installations.
    """
    heard: list[str] = []
    watch = logging.Handler()
    watch.emit = lambda record: heard.append(record.getMessage())  # type: ignore[method-assign]
    logger = logging.getLogger("signoff.sandbox")
    logger.addHandler(watch)
    yield
    logger.removeHandler(watch)
    assert not heard or "large_frames" in request.fixturenames, heard


@pytest.fixture
def large_frames() -> None:
    """This test sends what Slack does not take."""


@pytest.fixture(scope="session")
def _redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def redis_url(_redis_server: RedisServer) -> str:
    """A real, empty Redis."""
    with redis.Redis.from_url(_redis_server.url) as client:
        client.flushall()
    return _redis_server.url


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[RedisServer]:
    """A Redis that the test may stop."""
    server = RedisServer(tmp_path)
    server.start()
    yield server
    server.stop(kill=True)


@pytest.fixture(scope="session")
def _postgresql() -> Iterator[Databases]:
    """Databases of a throwaway PostgreSQL."""
    with throwaway() as server:
        databases = Databases(server)
        yield databases
        databases.close()


@pytest.fixture(scope="session")
def _template(_postgresql: Databases) -> Iterator[str]:
    """The name of a migrated database: copying one is quicker than migrating anew for each test."""
    url = _postgresql.create("template")
    _migrate(url)
    yield url.rpartition("/")[2]
    _postgresql.drop(url)


@pytest.fixture(scope="session")
def _template_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same for SQLite: a file to copy."""
    path = tmp_path_factory.mktemp("template") / "signoff.db"
    _migrate(f"sqlite:///{path}")
    return path


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database of each kind: empty, or migrated for who asks for the `store`."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'signoff.db'}"
        return
    databases = request.getfixturevalue("_postgresql")
    migrated = "store" in request.fixturenames
    url = databases.create("test", request.getfixturevalue("_template") if migrated else "template1")
    yield url
    databases.drop(url)


@pytest.fixture
def store(request: pytest.FixtureRequest, database_url: str) -> Iterator[Store]:
    """A migrated database."""
    if database_url.startswith("sqlite"):
        shutil.copy(request.getfixturevalue("_template_file"), database_url.removeprefix("sqlite:///"))
    engine = open_engine(database_url)
    yield Store(engine)
    engine.dispose()


def _migrate(url: str) -> None:
    engine = open_engine(url)
    migrate.upgrade(engine)
    if url.startswith("sqlite"):  # the copy takes one file
        with engine.connect().execution_options(reading=True) as connection:
            connection.connection.driver_connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # type: ignore[union-attr]
    engine.dispose()


@pytest.fixture
def core(store: Store, redis_url: str, tmp_path: Path) -> Iterator[Core]:
    """The middle of the road, on both databases."""
    people = People(
        {
            "U0ANA": Person("U0ANA", "ana", team_id="T1"),
            "U0BEN": Person("U0BEN", "ben", team_id="T1"),
            "U0MIA": Person("U0MIA", "mia", team_id="T1"),
        },
        {"S0FIN": {"U0ANA", "U0BEN"}},
    )
    signer, changed = Signer.generate(), []
    receipts = Receipts(signer, hours=24)
    client = redis.Redis.from_url(redis_url, socket_timeout=5)
    policy = Policy(approvers=("S0FIN",), conversation="C0APPROVE")
    publisher = Publisher(client, receipts.lifetime)
    vault = Vault(tmp_path / FILE)
    approvals = Approvals(
        store, receipts, publisher, lambda: found.policy, people, changed.append, vault=vault
    )
    found = Core(approvals, store, signer, people, client, changed, policy)
    yield found
    client.close()
