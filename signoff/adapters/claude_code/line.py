"""One connection to Redis, for who asks a few things and is gone: sockets, and hiredis to read them.

It speaks RESP3, in which news of a channel and replies to commands come on the same connection.
"""

from __future__ import annotations

import socket
import time
from collections import deque
from urllib.parse import parse_qsl, unquote, urlsplit

import hiredis

from signoff.queue import acl

CONNECT_SECONDS = 5.0
"""How long a connect may take, and each reply."""
_ALONE = frozenset(("username", "password", "db"))
"""What a Redis URL may say after its `?` for this: the rest (certificates, for one) is redis-py's to read."""

Command = tuple[str | bytes | int, ...]


class Away(Exception):
    """Redis cannot be asked in this way, or not now: nothing is known of what was sent."""


class Line:
    """A connection that stands. Every method raises Away."""

    def __init__(self, url: str) -> None:
        self._reader = hiredis.Reader()
        self._news: deque[tuple[bytes, bytes]] = deque()
        try:
            self._socket = _connected(url)
            user, password = acl.credentials(url)
            login: Command = ("AUTH", user, password) if password or user != acl.DEFAULT else ()
            database = acl.database(url)
        except (OSError, ValueError) as error:
            raise Away(type(error).__name__) from None
        self._greeting: list[Command] = [("HELLO", 3, *login)]
        if database != "0":
            self._greeting.append(("SELECT", database))

    def call(self, *commands: Command, channels: tuple[str, ...] = ()) -> list[object]:
        """All replies to `commands`, sent at once; before them, `channels` are listened to from now on."""
        first: list[Command] = [*self._greeting, *([("SUBSCRIBE", *channels)] if channels else [])]
        start = len(self._greeting)
        self._greeting = []
        try:
            self._socket.settimeout(CONNECT_SECONDS)
            packed = map(hiredis.pack_command, [*first, *commands])  # type: ignore[arg-type]  # of any length
            self._socket.sendall(b"".join(packed))
        except OSError as error:
            raise Away(type(error).__name__) from None
        until = time.monotonic() + CONNECT_SECONDS
        found: list[object] = []
        try:
            while len(found) < start + len(commands):
                found += self._read(until)
        except TimeoutError:
            raise Away("silent") from None
        return found[start:]

    def hear(self, until: float) -> tuple[bytes, bytes] | None:
        """The next news, (channel, text); None where there was none `until` then, by time.monotonic()."""
        try:
            while not self._news:
                self._read(until)
        except TimeoutError:
            return None
        return self._news.popleft()

    def close(self) -> None:
        """Let it go."""
        self._socket.close()

    def _read(self, until: float) -> list[object]:
        """One reply, or none where something else was read: news, which are kept. Raises TimeoutError."""
        try:
            while (reply := self._reader.gets()) is False:
                self._feed(until)
        except hiredis.HiredisError as error:
            raise Away(type(error).__name__) from None
        if isinstance(reply, hiredis.PushNotification):
            if len(reply) == 3 and reply[0] == b"message":
                self._news.append((reply[1], reply[2]))
            return []
        if isinstance(reply, Exception):  # whatever it was: a right that is missing, or a name
            raise Away(type(reply).__name__)
        return [reply]

    def _feed(self, until: float) -> None:
        left = until - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._socket.settimeout(left)
        try:
            told = self._socket.recv(65536)
        except TimeoutError:
            raise
        except OSError as error:
            raise Away(type(error).__name__) from None
        if not told:
            raise Away("closed")
        self._reader.feed(told)


def _connected(url: str) -> socket.socket:
    """A socket to where a Redis URL says; raises OSError, or ValueError where only redis-py knows the way."""
    parts = urlsplit(url)
    options = [name for name, _ in parse_qsl(parts.query)]
    if len(set(options)) < len(options) or set(options) - _ALONE:  # of two, each reader takes another
        raise ValueError("options")
    if parts.scheme == "unix":
        plain = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        plain.settimeout(CONNECT_SECONDS)
        plain.connect(unquote(parts.path))
        return plain
    host = unquote(parts.hostname or "localhost")
    plain = socket.create_connection((host, parts.port or 6379), CONNECT_SECONDS)
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if parts.scheme == "redis":
        return plain
    import ssl  # slow to load, and most Redis are on this machine

    return ssl.create_default_context().wrap_socket(plain, server_hostname=host)
