"""The proxy does what its faults say."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, suppress

import pytest
from faults.proxy import Proxy


@pytest.fixture
def echo() -> Iterator[int]:
    """The port of somebody who says everything back."""
    with closing(socket.create_server(("127.0.0.1", 0))) as server:

        def serve() -> None:
            while True:
                try:
                    link, _ = server.accept()
                except OSError:
                    return
                threading.Thread(target=answer, args=(link,), daemon=True).start()

        def answer(link: socket.socket) -> None:
            with link, suppress(OSError):
                while piece := link.recv(1 << 16):
                    link.sendall(piece)

        threading.Thread(target=serve, daemon=True).start()
        yield int(server.getsockname()[1])
        server.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def proxy(echo: int) -> Iterator[Proxy]:
    made = Proxy(echo)
    yield made
    made.close()


def link(proxy: Proxy) -> socket.socket:
    return socket.create_connection(("127.0.0.1", proxy.port), timeout=5)


def said(connection: socket.socket, text: bytes) -> bytes:
    connection.sendall(text)
    found = b""
    while len(found) < len(text):
        piece = connection.recv(1 << 16)
        if not piece:
            raise ConnectionResetError
        found += piece
    return found


def test_it_forwards_both_ways(proxy: Proxy) -> None:
    with link(proxy) as one, link(proxy) as two:
        assert said(one, b"first") == b"first" and said(two, b"second" * 9999) == b"second" * 9999


def test_a_cut_ends_connections_and_takes_new_ones(proxy: Proxy) -> None:
    with link(proxy) as one:
        assert said(one, b"x") == b"x"
        proxy.cut()
        with pytest.raises(OSError):
            said(one, b"y")
            said(one, b"z")
    with link(proxy) as two:
        assert said(two, b"x") == b"x"


def test_refusing_lasts_until_it_is_healed(proxy: Proxy) -> None:
    proxy.refuse()
    with pytest.raises(OSError), link(proxy) as one:
        said(one, b"x")
    proxy.heal()
    with link(proxy) as two:
        assert said(two, b"x") == b"x"


def test_half_open_says_nothing_until_it_is_healed(proxy: Proxy) -> None:
    with link(proxy) as one:
        assert said(one, b"x") == b"x"
        proxy.half_open()
        one.settimeout(0.3)
        with pytest.raises(TimeoutError):
            said(one, b"lost")
        proxy.heal()
        with pytest.raises(OSError):
            said(one, b"y")
            said(one, b"z")
    with link(proxy) as two:
        assert said(two, b"x") == b"x"


def test_what_it_forgets_leads_nowhere_and_new_connections_are_taken(proxy: Proxy) -> None:
    with link(proxy) as one:
        assert said(one, b"x") == b"x"
        proxy.forget()
        one.settimeout(0.3)
        with pytest.raises(TimeoutError):
            said(one, b"lost")
        with link(proxy) as two:
            assert said(two, b"x") == b"x"


def test_a_connection_on_which_nothing_goes_is_forgotten_and_one_in_use_is_not(proxy: Proxy) -> None:
    proxy.forget_after = 0.4
    with link(proxy) as used, link(proxy) as idle:
        for _ in range(8):
            assert said(used, b"x") == b"x"
            time.sleep(0.1)
        idle.settimeout(0.3)
        with pytest.raises(TimeoutError):
            said(idle, b"lost")
        with pytest.raises(TimeoutError):
            said(idle, b"and for good")
    assert proxy.links == 2


@pytest.mark.parametrize("fault", [{"delay": 0.2}, {"rate": 1000}])
def test_a_slow_line_takes_its_time(proxy: Proxy, fault: dict[str, float]) -> None:
    for name, value in fault.items():
        setattr(proxy, name, value)
    with link(proxy) as one:
        started = time.monotonic()
        assert said(one, b"x" * 200) == b"x" * 200
        assert time.monotonic() - started >= 0.35


def test_another_upstream_counts_for_new_connections(proxy: Proxy, echo: int) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as other:
        proxy.upstream = int(other.getsockname()[1])
        proxy.cut()
        with link(proxy) as one:
            accepted, _ = other.accept()
            accepted.sendall(b"other")
            assert one.recv(5) == b"other"
            accepted.close()
