"""Addresses that lead elsewhere than they read: a host before an `@`, coded, or written as a number; pure.

As browsers read them (WHATWG URL): a backslash ends a host as `/` does, `%2e` in a host is a point, and
`http://2130706433/` is 127.0.0.1.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from typing import Literal, NamedTuple
from urllib.parse import unquote

from signoff.bot.text.hosts import COMMON_TOPS, MOST_NAME

Way = Literal["user", "backslash", "coded", "number"]
MOST = 50
"""Such addresses of one text that are told; it has been found out by then."""

_URL = re.compile(
    r"(?<![\w+./\\-])(?:(?P<scheme>[a-z][a-z0-9+.-]{0,20}):)?[/\\]{2,}+(?P<authority>[^\s/?#\"'<>`]{1,2000}+)",
    re.IGNORECASE | re.ASCII,
)
_LIKE_A_HOST = re.compile(rf"[A-Za-z0-9-](?:\.|%2e)(?:{COMMON_TOPS})(?![A-Za-z0-9-])", re.IGNORECASE)
_WEB = ("http", "https", "ws", "wss", "ftp")
_CODED = re.compile(r"%[0-9A-Fa-f]{2}")
_PORT = re.compile(r":[0-9]*\Z")
_NUMBER = re.compile(r"0[xX][0-9A-Fa-f]*|[0-9]+")


class Destination(NamedTuple):
    """An address as it stands there, the host that it leads to, and why it does not read so."""

    url: str
    host: str
    way: Way


def destinations(text: str) -> Iterator[Destination]:
    """Every address of `text` that leads to another host than it reads as."""
    if "//" not in text and "\\" not in text:
        return
    found = 0
    for place in _URL.finditer(text):
        known = _of(place["scheme"], place["authority"])
        if known is not None:
            yield Destination(place[0], *known)
            found += 1
            if found == MOST:
                return


def _of(scheme: str | None, authority: str) -> tuple[str, Way] | None:
    web = scheme is not None and scheme.lower() in _WEB
    before, slash, after = authority.partition("\\")
    if slash and web and "@" in after:
        return _host(before), "backslash"
    user, at, host = before.rpartition("@")
    host = _host(host)
    if at and host and (_LIKE_A_HOST.search(user) or "//" in unquote(user)):
        return (_numbered(host) or _uncoded(host)) if web else host, "user"
    if not web:
        return None
    if _CODED.search(host) and not host.startswith("["):
        return _numbered(_uncoded(host)) or _uncoded(host), "coded"
    number = _numbered(host)
    return (number, "number") if number and number != host else None


def _host(authority: str) -> str:
    return _PORT.sub("", authority.rpartition("@")[2].rstrip(").,;!]") + _bracket(authority))


def _bracket(authority: str) -> str:
    """The `]` that ends an address of IPv6."""
    return "]" if "[" in authority and authority.rstrip(").,;!").endswith("]") else ""


def _uncoded(host: str) -> str:
    return unquote(host) if len(host) <= 3 * MOST_NAME else host


def _numbered(host: str) -> str:
    """The address that a host's name is, in the usual form; empty where it is a name."""
    if host.startswith("[") and host.endswith("]"):
        return _mapped(host)
    parts = host.rstrip(".").split(".")
    if len(parts) > 4 or not all(_NUMBER.fullmatch(part) and len(part) < 30 for part in parts):
        return ""
    try:
        values = [_value(part) for part in parts]
    except ValueError:
        return ""
    *first, last = values
    if any(value > 255 for value in first) or last >= 256 ** (5 - len(values)):
        return ""
    whole = last + sum(value << (24 - 8 * at) for at, value in enumerate(first))
    return str(ipaddress.IPv4Address(whole))


def _mapped(host: str) -> str:
    """An address of IPv4 inside one of IPv6; otherwise the same."""
    try:
        found = ipaddress.IPv6Address(host[1:-1].partition("%")[0]).ipv4_mapped
    except ValueError:
        return host
    return str(found) if found and str(found) not in host else host


def _value(part: str) -> int:
    """A number as a browser reads it: hexadecimal, octal or decimal."""
    if part[:2] in ("0x", "0X"):
        return int(part[2:] or "0", 16)
    return int(part, 8) if len(part) > 1 and part[0] == "0" else int(part)
