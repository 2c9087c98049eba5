"""The kinds of witnesses, and how SIGNOFF_AUDIT_WITNESS names them."""

from __future__ import annotations

import base64
import json
import logging
import logging.handlers
import os
import socket
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol
from urllib.parse import SplitResult, urlsplit

from signoff.approvals.audit import Head
from signoff.errors import ConfigError
from signoff.server.witness import call

SETTING = "SIGNOFF_AUDIT_WITNESS"
STAMPS = "stamps.jsonl"
"""The file in the data folder that keeps what a time stamper answers."""
DEVICE = "/dev/log"
_PORT = 514
_REPLY = "application/timestamp-reply"


class Witness(Protocol):
    """Keeps heads. `name` is for people, and holds no secret."""

    @property
    def name(self) -> str:
        """Which one it is."""

    def send(self, token: str, head: Head) -> None:
        """Give it a signed head; raises OSError or ValueError where it did not take it."""


class File:
    """A file that is only added to; where the system can, it lets nobody do anything else with it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.name = f"file {path}"

    def send(self, token: str, head: Head) -> None:
        """One line: when, how many lines, the hash, and the token that says so."""
        append(self._path, f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ} {head.lines} {head.hash} {token}\n")


class Syslog:
    """This machine's log, or another's by UDP (RFC 5426): whether it arrives there nobody is told."""

    def __init__(self, host: str = "", port: int = _PORT) -> None:
        self._address = (host, port) if host else DEVICE
        self.name = f"syslog {host}:{port}" if host else "syslog"

    def send(self, token: str, head: Head) -> None:
        """One message."""
        with closing(_Loud(self._address)) as handler:
            handler.hurry()
            text = f"signoff: head lines={head.lines} hash={head.hash} token={token}"
            handler.emit(logging.LogRecord("signoff", logging.INFO, "", 0, text, (), None))


class _Loud(logging.handlers.SysLogHandler):
    """What fails is for us to tell."""

    append_nul = False
    socket: socket.socket | None

    def hurry(self) -> None:
        """Do not wait for ever for a log that is full."""
        if self.socket is not None:
            self.socket.settimeout(call.SECONDS)

    def handleError(self, record: logging.LogRecord) -> None:
        raise


class Webhook:
    """Whatever keeps what is posted to it."""

    def __init__(self, parts: SplitResult) -> None:
        self._parts = parts
        self.name = f"webhook {parts.hostname}"

    def send(self, token: str, head: Head) -> None:
        """A JSON object: `lines`, `head` and the `token` that says so."""
        body = json.dumps({"lines": head.lines, "head": head.hash, "token": token}).encode()
        call.post(self._parts, body, "application/json")


class TimeStamper:
    """An RFC 3161 service: what it answers shows when a head was there, whoever has our key since.

    It keeps nothing itself, so its answers are kept in a file.
    """

    def __init__(self, parts: SplitResult, kept: Path) -> None:
        self._parts = parts
        self._kept = kept
        self.name = f"time stamper {parts.hostname}"

    def send(self, token: str, head: Head) -> None:
        """Have the token stamped, check that just it was, and keep both."""
        from rfc3161_client import PKIStatus, TimestampRequestBuilder, decode_timestamp_response

        request = TimestampRequestBuilder().data(token.encode()).nonce(nonce=True).build()
        answer = call.post(self._parts, request.as_bytes(), "application/timestamp-query", _REPLY)
        stamp = decode_timestamp_response(answer)
        if PKIStatus(stamp.status) not in (PKIStatus.GRANTED, PKIStatus.GRANTED_WITH_MODS):
            raise call.CallFailed(f"{self._parts.hostname}: it refuses to stamp")
        told = stamp.tst_info
        same = told.message_imprint.message == request.message_imprint.message
        if not same or told.nonce != request.nonce:
            raise call.CallFailed(f"{self._parts.hostname}: it stamped something else")
        line = {"by": self._parts.hostname, "head": token, "stamp": base64.b64encode(answer).decode()}
        append(self._kept, json.dumps(line) + "\n")


def append(path: Path, line: str) -> None:
    """Add a line to a file that only this user reads, until it is on disk; raises OSError."""
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    number = os.open(path, flags, 0o600)
    try:
        data = line.encode()
        if os.write(number, data) != len(data):
            raise OSError("a line was written in part")
        os.fsync(number)
    finally:
        os.close(number)


def witnesses(text: str, data: Path) -> list[Witness]:
    """What SIGNOFF_AUDIT_WITNESS names, parted by white space; raises ConfigError.

    `data` is the data folder, for what time stampers answer.
    """
    return [_one(part, data) for part in text.split()]


def _one(text: str, data: Path) -> Witness:
    scheme, colon, rest = text.partition(":")
    if not colon or "/" in scheme:
        return File(_path(text))
    if scheme == "file":
        return File(_path(rest.removeprefix("//")))
    if scheme == "syslog":
        return _syslog(text)
    if scheme.startswith("tsa+"):
        _check_installed()
        return TimeStamper(call.check(text.removeprefix("tsa+"), SETTING), data / STAMPS)
    if scheme in ("http", "https"):
        return Webhook(call.check(text, SETTING))
    raise ConfigError(
        f"{SETTING}: {scheme!r} is no kind of witness: name a file, syslog:, tsa+https://… or https://…"
    )


def _path(text: str) -> Path:
    path = Path(text).expanduser()
    if not path.is_absolute():
        raise ConfigError(f"{SETTING}: {text!r} has to be a path from the root: roles start in any folder.")
    return path


def _syslog(text: str) -> Syslog:
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise ConfigError(f"{SETTING}: write syslog: or syslog://host:514.") from None
    return Syslog(host, port or _PORT) if host else Syslog()


def _check_installed() -> None:
    try:
        import rfc3161_client  # noqa: F401
    except ModuleNotFoundError:
        raise ConfigError(f"{SETTING}: a time stamper needs pip install 'signoff[witness]'.") from None
