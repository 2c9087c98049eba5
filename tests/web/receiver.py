"""A receiver of webhooks that a test drives: a real listener, whatever it answers."""

from __future__ import annotations

import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

Behaviour = Callable[["Receiver", socket.socket], None]


def answer(head: str, body: bytes = b"") -> Behaviour:
    """An answer that begins so, such as `200 OK` and more headers."""

    def behave(_: Receiver, connection: socket.socket) -> None:
        connection.sendall(f"HTTP/1.1 {head}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)

    return behave


def until_released(receiver: Receiver, _: socket.socket) -> None:
    """Nothing, until the test lets go."""
    receiver.released.wait(60)


def drip(receiver: Receiver, connection: socket.socket) -> None:
    """A head that never ends, a header every 20 ms."""
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    while not receiver.released.wait(0.02):
        connection.sendall(b"X-More: 1\r\n")


def drip_line(receiver: Receiver, connection: socket.socket) -> None:
    """The same, a byte at a time."""
    connection.sendall(b"HTTP/1.1 20")
    while not receiver.released.wait(0.02):
        connection.sendall(b"0")


def continues(receiver: Receiver, connection: socket.socket) -> None:
    """Answers that say that another one will come."""
    while not receiver.released.wait(0.02):
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")


def floods(receiver: Receiver, connection: socket.socket) -> None:
    """The same, as fast as they are taken."""
    while not receiver.released.is_set():
        connection.sendall(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" * 1000)


def endless(receiver: Receiver, connection: socket.socket) -> None:
    """A body without an end, as fast as it is taken."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while not receiver.released.is_set():
        connection.sendall(b"10000\r\n" + b"x" * 0x10000 + b"\r\n")


def hang_up(_: Receiver, connection: socket.socket) -> None:
    """No answer at all."""
    connection.close()


@dataclass(frozen=True)
class Got:
    """What was posted."""

    line: str
    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def told(self) -> Any:
        return json.loads(self.body)


TAKEN = answer("200 OK")


@dataclass
class Receiver:
    """What it got, in order, and how it behaves; `released` ends what would not end by itself."""

    url: str = ""
    behave: Behaviour = TAKEN
    got: list[Got] = field(default_factory=list)
    connections: int = 0
    released: threading.Event = field(default_factory=threading.Event)


@contextmanager
def receiving(behave: Behaviour = TAKEN, tls: ssl.SSLContext | None = None) -> Iterator[Receiver]:
    """A receiver that listens inside the `with`."""
    found = Receiver(behave=behave)
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listener:
        scheme = "https" if tls else "http"
        found.url = f"{scheme}://127.0.0.1:{listener.getsockname()[1]}/hooks?token=of-theirs"
        threads: list[threading.Thread] = []

        def listen() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                thread = threading.Thread(target=_serve, args=(found, connection, tls), daemon=True)
                threads.append(thread)
                thread.start()

        listening = threading.Thread(target=listen, daemon=True)
        listening.start()
        try:
            yield found
        finally:
            found.released.set()
            listener.shutdown(socket.SHUT_RDWR)
            listener.close()
            listening.join(10)
            for thread in threads:
                thread.join(10)


def _serve(receiver: Receiver, connection: socket.socket, tls: ssl.SSLContext | None) -> None:
    receiver.connections += 1
    with suppress(OSError), connection:
        wire = tls.wrap_socket(connection, server_side=True) if tls else connection
        with wire:
            receiver.got.append(_read(wire))
            receiver.behave(receiver, wire)


def _read(connection: socket.socket) -> Got:
    data = b""
    while b"\r\n\r\n" not in data:
        data += connection.recv(65536) or _ended()
    head, _, body = data.partition(b"\r\n\r\n")
    line, *rest = head.decode().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (one.partition(":") for one in rest)}
    while len(body) < int(headers.get("content-length", "0")):
        body += connection.recv(65536) or _ended()
    return Got(line, headers, body)


def _ended() -> bytes:
    raise ConnectionError
