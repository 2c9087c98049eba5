"""PostgreSQL's connections behind a firewall that drops what was quiet, and tells nobody."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import pytest
from faults.proxy import Proxy
from postgresql import Databases
from sqlalchemy import Engine, text

from signoff.models import engine as engines
from signoff.models.engine import open_engine

LOOK_SECONDS = engines.LOOK_SECONDS
SLOW_SECONDS = 2.5
"""Under the three in which Slack wants its answer, on a busy machine too."""


@pytest.fixture
def behind(_postgresql: Databases, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Engine, Proxy]]:
    """An engine behind a proxy; whatever was used is taken for quiet."""
    monkeypatch.setattr(engines, "QUIET_SECONDS", 0.0)
    url = _postgresql.create("quiet")
    port = urlsplit(url).port or 5432
    proxy = Proxy(port)
    engine = open_engine(url.replace(f":{port}/", f":{proxy.port}/"))
    yield engine, proxy
    engine.dispose()
    proxy.close()
    _postgresql.drop(url)


def ask(engine: Engine) -> tuple[int, float]:
    """PostgreSQL's process that answers, and the seconds that it took."""
    began = time.monotonic()
    with engine.begin() as connection:
        found = int(connection.execute(text("SELECT pg_backend_pid()")).scalar_one())
    return found, time.monotonic() - began


def test_a_connection_that_leads_nowhere_is_made_anew_in_half_a_second(behind: tuple[Engine, Proxy]) -> None:
    engine, proxy = behind
    before, _ = ask(engine)
    assert ask(engine)[0] == before, "one that answers is kept"
    proxy.forget()
    after, seconds = ask(engine)
    assert after != before and LOOK_SECONDS <= seconds < SLOW_SECONDS
    assert ask(engine)[0] == after


def test_all_that_are_as_old_are_made_anew_and_only_the_first_waits(behind: tuple[Engine, Proxy]) -> None:
    engine, proxy = behind
    with ThreadPoolExecutor(5) as pool:
        held = [pool.submit(ask_slowly, engine) for _ in range(5)]
        before = {one.result() for one in held}
    assert len(before) == 5
    proxy.forget()
    assert ask(engine)[1] >= LOOK_SECONDS
    with ThreadPoolExecutor(5) as pool:
        later = [pool.submit(ask_slowly, engine) for _ in range(5)]
        began = time.monotonic()
        assert not before & {one.result() for one in later}
    assert time.monotonic() - began < SLOW_SECONDS


def ask_slowly(engine: Engine) -> int:
    with engine.begin() as connection:
        return int(connection.execute(text("SELECT pg_backend_pid() FROM pg_sleep(0.2)")).scalar_one())


def test_a_connection_that_is_used_is_not_asked(
    behind: tuple[Engine, Proxy], monkeypatch: pytest.MonkeyPatch
) -> None:
    engine, _ = behind
    ask(engine)
    monkeypatch.setattr(engines, "QUIET_SECONDS", 60.0)
    monkeypatch.setattr(engines, "_answers", None)
    ask(engine)


def test_the_kernel_asks_every_half_minute(behind: tuple[Engine, Proxy]) -> None:
    engine, _ = behind
    raw = engine.raw_connection()
    with socket.socket(fileno=socket.dup(raw.driver_connection.fileno())) as wire:  # type: ignore[union-attr]
        assert wire.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        assert wire.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 30
    raw.close()
