"""Real parts for every test: a Redis, SQLite and PostgreSQL, and what is built from them."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from support import Core, People, RedisServer, free_port, missing

from signoff.approvals.receipts import Receipts
from signoff.approvals.service import Approvals
from signoff.models import migrate
from signoff.models.engine import open_engine
from signoff.models.people import Person
from signoff.models.store import Store
from signoff.policy.policy import Policy
from signoff.queue.publisher import Publisher
from signoff.receipts import Signer


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
def _postgresql() -> Iterator[str]:
    """A throwaway PostgreSQL cluster; its URL up to the database's name."""
    given = os.environ.get("SIGNOFF_TEST_POSTGRES")
    if given:
        yield given
        return
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"))
    if not found:
        missing("postgresql")
    binaries, port = found[-1].parent, free_port()
    folder = Path(tempfile.mkdtemp(prefix="signoff-pg-"))
    as_user: list[str] = []
    if os.geteuid() == 0:  # PostgreSQL refuses to run as root
        shutil.chown(folder, "postgres")
        as_user = ["runuser", "-u", "postgres", "--"]

    def run(*command: str) -> None:
        subprocess.run([*as_user, *command], check=True, stdout=subprocess.DEVNULL, cwd="/")

    try:
        run(str(binaries / "initdb"), "-D", f"{folder}/data", "-U", "signoff", "-A", "trust", "-N")
        options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c max_connections=200"
        run(
            str(binaries / "pg_ctl"),
            "-D",
            f"{folder}/data",
            "-w",
            "-l",
            f"{folder}/log",
            "-o",
            options,
            "start",
        )
        yield f"postgresql+psycopg://signoff@127.0.0.1:{port}"
    finally:
        subprocess.run(
            [*as_user, str(binaries / "pg_ctl"), "-D", f"{folder}/data", "-m", "immediate", "stop"],
            check=False, stdout=subprocess.DEVNULL, cwd="/",
        )  # fmt: skip
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty database of each kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'signoff.db'}"
        return
    server = request.getfixturevalue("_postgresql")
    name = f"test_{os.urandom(6).hex()}"
    _administer(server, f"CREATE DATABASE {name}")
    yield f"{server}/{name}"
    _administer(server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def _templates(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A migrated database of each kind, once: copying one is quicker than migrating anew for each test."""
    return {}


@pytest.fixture
def store(
    database_url: str,
    _templates: dict[str, str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Store]:
    """A migrated database."""
    if database_url.startswith("sqlite"):
        if "sqlite" not in _templates:
            path = tmp_path_factory.mktemp("template") / "signoff.db"
            _migrate(f"sqlite:///{path}")
            _templates["sqlite"] = str(path)
        shutil.copy(_templates["sqlite"], database_url.removeprefix("sqlite:///"))
    else:
        server = database_url.rpartition("/")[0]
        if "postgresql" not in _templates:
            _administer(server, "CREATE DATABASE signoff_template")
            _migrate(f"{server}/signoff_template")
            _templates["postgresql"] = "signoff_template"
        name = database_url.rpartition("/")[2]
        _administer(server, f"DROP DATABASE {name}", f"CREATE DATABASE {name} TEMPLATE signoff_template")
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


def _administer(server: str, *statements: str) -> None:
    engine = open_engine(f"{server}/postgres")
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)
    engine.dispose()


@pytest.fixture
def core(store: Store, redis_url: str) -> Iterator[Core]:
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
    approvals = Approvals(store, receipts, publisher, lambda: found.policy, people, changed.append)
    found = Core(approvals, store, signer, people, client, changed, policy)
    yield found
    client.close()
