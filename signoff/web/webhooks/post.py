"""One message, posted: to the address that was judged, by no proxy and no redirect, within 15 seconds.

What is answered beyond the status and two headers is never read.
"""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import os
import socket
import ssl
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.connector import Connection
from yarl import URL

from signoff.web.webhooks.hosts import Hosts, Refused, Target

MOST_INTERIM = 10
"""Answers (RFC 9110, 15.2) that say that another one will come: who sends more is at fault."""
SECONDS = 15.0
"""For all of it: the name looked up, connected, sent, and the answer's head received."""


@dataclass(frozen=True)
class Letter:
    """What is posted: where to, the headers that go with it, and its body."""

    url: str = field(repr=False)
    headers: dict[str, str] = field(repr=False)
    body: bytes


@dataclass(frozen=True)
class Answer:
    """What came of it: the status, where one came, and else what was wrong.

    `rest` is for how many seconds its receiver wants to be left alone.
    """

    status: int | None = None
    fault: str = ""
    rest: float | None = None

    @property
    def taken(self) -> bool:
        """Whether it was: only by a 2xx."""
        return self.status is not None and 200 <= self.status < 300

    @property
    def said(self) -> str:
        """For people."""
        return self.fault or f"answered {self.status}"


class Post:
    """Posts letters, as far as `hosts` allows. `tls` is for receivers whose certificates are of one's own."""

    def __init__(self, hosts: Hosts, tls: ssl.SSLContext | None = None, seconds: float = SECONDS) -> None:
        self._hosts = hosts
        self._tls = tls
        self._seconds = seconds

    async def send(self, letter: Letter) -> Answer:
        """Post one. Raises nothing but what ends this process."""
        try:
            async with asyncio.timeout(self._seconds):
                return await self._send(letter)
        except TimeoutError:
            return Answer(fault=f"no answer within {self._seconds:g} s")
        except Refused as error:
            return Answer(fault=f"refused: {error}")
        except socket.gaierror:
            return Answer(fault="its name is not known")
        except aiohttp.ClientConnectorCertificateError:
            return Answer(fault="its certificate is not valid")
        except aiohttp.ClientSSLError:
            return Answer(fault="no TLS could be agreed on")
        except aiohttp.ClientConnectorError as error:
            return Answer(fault=f"not reached: {os.strerror(error.os_error.errno or errno.ECONNREFUSED)}")
        except _Interim:
            return Answer(fault=f"more than {MOST_INTERIM} interim answers")
        except (aiohttp.ClientError, OSError, ValueError) as error:
            # Its text may repeat what was answered: only the type is told.
            return Answer(fault=f"no answer: {type(error).__name__}")

    async def _send(self, letter: Letter) -> Answer:
        target = self._hosts.target(letter.url)
        pinned = await self._addresses(target)
        connector = aiohttp.TCPConnector(
            resolver=_Pinned(pinned), use_dns_cache=False, force_close=True, ssl=self._tls or True,
            socket_factory=lambda info: _socket(info, pinned),
        )  # fmt: skip
        headers = {
            "Content-Type": "application/json", "User-Agent": "Signoff", "Accept": "*/*",
            **letter.headers,
        }  # fmt: skip
        async with aiohttp.ClientSession(
            connector=connector, trust_env=False, auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(), timeout=aiohttp.ClientTimeout(total=None),
            skip_auto_headers=("Accept-Encoding",), response_class=_Response,
        ) as session:  # fmt: skip
            response = await session.post(
                URL(letter.url, encoded=True), data=letter.body, headers=headers, allow_redirects=False
            )
            response.close()
            return _answer(response.status, response.headers.get("Retry-After", ""))

    async def _addresses(self, target: Target) -> list[str]:
        """Where a target leads now, all of it judged; raises Refused where anything of it may not be."""
        if (address := target.address) is not None:
            found = [str(address)]
        else:
            found = await looked_up(target.host, target.port)
        for one in found:
            self._hosts.check(target, ipaddress.ip_address(one))
        return found


async def looked_up(host: str, port: int) -> list[str]:
    """The addresses of a name; raises gaierror. In a thread of its own: no name keeps another waiting."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[list[str]] = loop.create_future()

    def tell(found: list[str] | BaseException) -> None:
        if future.done():
            return
        if isinstance(found, BaseException):
            future.set_exception(found)
        else:
            future.set_result(found)

    def look() -> None:
        try:
            rows = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            found: Any = list(dict.fromkeys(str(row[4][0]) for row in rows))
        except (OSError, UnicodeError) as error:
            found = error if isinstance(error, socket.gaierror) else socket.gaierror(str(error))
        with suppress(RuntimeError):  # nobody waits for it any more
            loop.call_soon_threadsafe(tell, found)

    threading.Thread(target=look, name="lookup", daemon=True).start()
    return await future


class _Response(aiohttp.ClientResponse):
    """An answer that comes after few interim ones."""

    async def start(self, connection: Connection) -> aiohttp.ClientResponse:
        """As aiohttp reads it, from what counts."""
        if (protocol := connection.protocol) is not None:
            read, left = protocol.read, MOST_INTERIM + 1

            async def counted() -> Any:
                nonlocal left
                left -= 1
                if left < 0:
                    raise _Interim
                return await read()

            protocol.read = counted  # type: ignore[method-assign]
        return await super().start(connection)


class _Interim(aiohttp.ClientError):
    """Interim answers, and no end of them."""


class _Pinned(AbstractResolver):
    """Whatever name is asked for, it is at these addresses, which were judged."""

    def __init__(self, addresses: list[str]) -> None:
        self._addresses = addresses

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """These, as aiohttp has them."""
        return [
            ResolveResult(
                hostname=host, host=one, port=port, proto=0, flags=socket.AI_NUMERICHOST,
                family=socket.AF_INET6 if ":" in one else socket.AF_INET,
            )
            for one in self._addresses
        ]  # fmt: skip

    async def close(self) -> None:
        """Nothing is kept."""


def _socket(info: Any, pinned: list[str]) -> socket.socket:
    """A socket for one of the addresses that were judged, and for no other."""
    family, kind, protocol, _, place = info
    if place[0] not in pinned:
        raise PermissionError(1, "this address was not judged")
    made = socket.socket(family, kind, protocol)
    made.setblocking(False)
    return made


def _answer(status: int, retry_after: str) -> Answer:
    """An answer's status and Retry-After (RFC 9110, 10.2.3: seconds, or a date)."""
    if 200 <= status < 300:
        return Answer(status)
    fault = f"answered {status}" + (": redirects are not followed" if 300 <= status < 400 else "")
    return Answer(status, fault, _seconds(retry_after.strip()))


def _seconds(retry_after: str) -> float | None:
    if retry_after.isascii() and retry_after.isdecimal():
        return float(retry_after[:9])
    try:
        at = parsedate_to_datetime(retry_after)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    at = at.replace(tzinfo=at.tzinfo or UTC)
    return max((at - datetime.now(UTC)).total_seconds(), 0.0)
