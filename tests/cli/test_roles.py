"""A role that is started while its database is away waits for it, in its process."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest
from support import eventually

from signoff.cli import roles
from signoff.models import migrate
from signoff.models.engine import open_engine
from signoff.server import build
from signoff.server.settings import Settings

TOKENS = {"slack_bot_token": "xoxb-1", "slack_app_token": "xapp-1", "slack_api_url": "http://127.0.0.1:1/"}


@pytest.fixture
def given(tmp_path: Path) -> Settings:
    made = Settings(
        data=tmp_path, redis_url="redis://127.0.0.1:1/0", approvers="U0ANA", channel="C1", **TOKENS
    )
    made.signer(create=True)
    engine = open_engine(made.database)
    migrate.upgrade(engine)
    engine.dispose()
    return made


class Starting:
    """A role's start, in a thread."""

    def __init__(self, given: Settings) -> None:
        self.stop = threading.Event()
        self.found: list[object] = []
        self.tries = 0
        self._thread = threading.Thread(target=self._run, args=(given,), daemon=True)
        self._thread.start()

    def _run(self, given: Settings) -> None:
        def once() -> object:
            self.tries += 1
            return build.build(given)

        self.found.append(roles._built(once, given, self.stop))  # type: ignore[arg-type]

    def join(self) -> None:
        self._thread.join(30)
        assert not self._thread.is_alive()


def locked(given: Settings) -> sqlite3.Connection:
    """Somebody else holds the whole database."""
    link = sqlite3.connect(given.database.removeprefix("sqlite:///"), isolation_level=None)
    link.execute("BEGIN IMMEDIATE")
    return link


def test_it_goes_on_once_the_database_is_there(given: Settings) -> None:
    with closing(locked(given)) as link:
        starting = Starting(given)
        eventually(lambda: starting.tries >= 2)
        assert not starting.found
        link.execute("ROLLBACK")
        starting.join()
    (server,) = starting.found
    assert isinstance(server, build.Server)
    server.close()


def test_it_can_be_told_to_stop_meanwhile(given: Settings) -> None:
    with closing(locked(given)):
        starting = Starting(given)
        eventually(lambda: starting.tries)
        starting.stop.set()
        starting.join()
    assert starting.found == [None]
