"""One HTTP call to an address that an operator has named: bounded in time and size, never led elsewhere."""

from __future__ import annotations

import http.client
import ipaddress
import ssl
import time
from contextlib import closing
from urllib.parse import SplitResult, urlsplit

from signoff.errors import ConfigError

SECONDS = 10.0
"""For all of a call, from connecting to the last byte."""
REPLY = 64 * 1024
"""Bytes of an answer."""
_CHUNK = 64 * 1024


class CallFailed(OSError):
    """It was not answered as it has to be; its text names no more of the address than the host."""


def check(url: str, setting: str) -> SplitResult:
    """The parts of an address that may be called; raises ConfigError.

    It has to be https, or http to this machine; a password has no place in it, for addresses are logged.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise ConfigError(f"{setting}: an address is no URL.") from None
    if parts.username is not None or parts.password is not None:
        raise ConfigError(f"{setting}: take user and password out of the address of {host}.")
    if not host or (parts.scheme != "https" and not (parts.scheme == "http" and _loopback(host))):
        raise ConfigError(
            f"{setting}: {parts.scheme or 'it'}://{host or ''} has to be https, or this machine."
        )
    return parts


def post(parts: SplitResult, body: bytes, kind: str, accept: str = "*/*") -> bytes:
    """Send `body`, of a media type; gives the answer's. Raises OSError: CallFailed, or the network's own."""
    return _call(parts, "POST", body, {"Content-Type": kind, "Accept": accept}, REPLY)


def get(parts: SplitResult, most: int) -> bytes:
    """Read what is there, at most so many bytes; raises as `post` does."""
    return _call(parts, "GET", None, {}, most)


def _call(parts: SplitResult, method: str, body: bytes | None, headers: dict[str, str], most: int) -> bytes:
    end = time.monotonic() + SECONDS
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    headers = {"User-Agent": "signoff", "Connection": "close", **headers}
    with closing(_connection(parts)) as connection:
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            found = _read(connection, answer, most, end)
        except http.client.HTTPException as error:
            raise CallFailed(f"{parts.hostname}: {type(error).__name__}") from None
    if 300 <= answer.status < 400:
        raise CallFailed(f"{parts.hostname}: it leads elsewhere ({answer.status}), which is not followed")
    if not 200 <= answer.status < 300:
        raise CallFailed(f"{parts.hostname}: it answers {answer.status}")
    return found


def _connection(parts: SplitResult) -> http.client.HTTPConnection:
    host = parts.hostname or ""
    if parts.scheme == "https":
        context = ssl.create_default_context()
        return http.client.HTTPSConnection(host, parts.port, timeout=SECONDS, context=context)
    return http.client.HTTPConnection(host, parts.port, timeout=SECONDS)


def _read(
    connection: http.client.HTTPConnection, answer: http.client.HTTPResponse, most: int, end: float
) -> bytes:
    """All of an answer; one that drips is cut off as one that is too long."""
    found = bytearray()
    while True:
        left = end - time.monotonic()
        if left <= 0:
            raise CallFailed("it takes too long")
        if connection.sock is not None:
            connection.sock.settimeout(left)
        chunk = answer.read1(_CHUNK)
        if not chunk:
            return bytes(found)
        found += chunk
        if len(found) > most:
            raise CallFailed(f"it answers more than {most:,} bytes")


def _loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
