"""What the floor speaks, written straight on sockets: RESP, HTTP/1.1 and WebSocket frames.

Only as much of each as the floor needs: it is measured, and never used.
"""

from __future__ import annotations

import json
import os
import socket
import struct
from typing import Any
from urllib.parse import urlsplit

TEXT = 0x81
"""The first byte of a whole text frame (RFC 6455, section 5.2)."""


def connect(host: str, port: int) -> socket.socket:
    """A TCP connection that sends at once."""
    found = socket.create_connection((host, port))
    found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return found


class Reader:
    """Bytes from a socket, by length or up to a mark."""

    def __init__(self, source: socket.socket) -> None:
        self.socket = source
        self._buffer = b""

    def close(self) -> None:
        """Close the socket."""
        self.socket.close()

    def exactly(self, size: int) -> bytes:
        """That many bytes; raises ConnectionError at the end."""
        while len(self._buffer) < size:
            self._fill()
        found, self._buffer = self._buffer[:size], self._buffer[size:]
        return found

    def until(self, mark: bytes) -> bytes:
        """What comes before the mark, which is passed over."""
        while (at := self._buffer.find(mark)) < 0:
            self._fill()
        found, self._buffer = self._buffer[:at], self._buffer[at + len(mark) :]
        return found

    def _fill(self) -> None:
        more = self.socket.recv(65536)
        if not more:
            raise ConnectionError
        self._buffer += more


class Resp:
    """One connection to Redis."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._reader = Reader(connect(parts.hostname or "", parts.port or 6379))
        if parts.password:
            self.call("AUTH", *filter(None, (parts.username, parts.password)))

    @property
    def socket(self) -> socket.socket:
        """What it speaks over."""
        return self._reader.socket

    def close(self) -> None:
        """Close the connection."""
        self._reader.close()

    def send(self, *commands: tuple[Any, ...]) -> None:
        """Commands, in one write."""
        self._reader.socket.sendall(b"".join(map(_encoded, commands)))

    def call(self, *command: Any) -> Any:
        """One command and its reply."""
        self.send(command)
        return self.reply()

    def pipeline(self, *commands: tuple[Any, ...]) -> list[Any]:
        """Commands in one write, and all replies."""
        self.send(*commands)
        return [self.reply() for _ in commands]

    def reply(self) -> Any:
        """The next reply; raises RuntimeError for an error."""
        line = self._reader.until(b"\r\n")
        kind, rest = line[:1], line[1:]
        if kind == b"$":
            return None if rest == b"-1" else self._reader.exactly(int(rest) + 2)[:-2]
        if kind == b"*":
            return None if rest == b"-1" else [self.reply() for _ in range(int(rest))]
        if kind == b"-":
            raise RuntimeError(rest.decode())
        return int(rest) if kind == b":" else rest


def _encoded(command: tuple[Any, ...]) -> bytes:
    parts = [part if isinstance(part, bytes) else str(part).encode() for part in command]
    return b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts)


def post(sink: socket.socket, path: str, body: bytes) -> None:
    """Send one HTTP request."""
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n"
    sink.sendall(head.encode() + body)


def read_http(source: Reader) -> tuple[bytes, bytes]:
    """One HTTP request or response: its first line and its body."""
    head = source.until(b"\r\n\r\n")
    size = next(int(line[15:]) for line in head.split(b"\r\n") if line[:15].lower() == b"content-length:")
    return head.partition(b"\r\n")[0], source.exactly(size)


def answer(sink: socket.socket, body: Any) -> None:
    """Send one HTTP response."""
    text = json.dumps(body).encode()
    sink.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(text), text))


def send_frame(sink: socket.socket, body: bytes, *, masked: bool) -> None:
    """Send a text frame; a client masks what it sends (RFC 6455, section 5.3)."""
    size = len(body)
    bit = 0x80 if masked else 0
    head = struct.pack("!BB", TEXT, bit | size) if size < 126 else struct.pack("!BBH", TEXT, bit | 126, size)
    if masked:
        key = os.urandom(4)
        pad = int.from_bytes((key * (size // 4 + 1))[:size])
        body = key + (int.from_bytes(body) ^ pad).to_bytes(size)
    sink.sendall(head + body)


def read_frame(source: Reader) -> bytes:
    """The body of a frame."""
    size = source.exactly(2)[1]
    masked, size = bool(size & 0x80), size & 0x7F
    if size == 126:
        size = struct.unpack("!H", source.exactly(2))[0]
    key = source.exactly(4) if masked else b""
    body = source.exactly(size)
    if not masked:
        return body
    pad = int.from_bytes((key * (size // 4 + 1))[:size])
    return (int.from_bytes(body) ^ pad).to_bytes(size)
