"""Who an address belongs to: what `is_external` and `host_in` say; pure.

Both read the one plain form of an address and nothing cleverer: mail programs and HTTP libraries disagree
about the rest, and an attacker picks the reading that suits them. What is not understood is external, and in
no list of hosts.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from ipaddress import AddressValueError, IPv4Address
from typing import Any
from urllib.parse import urlsplit

from signoff.policy.chat import why_chat_leaves
from signoff.policy.globs import Globs
from signoff.policy.message import why_outside
from signoff.policy.texts import is_name

# ASCII only: a letter of another alphabet that looks like one of ours makes another domain.
_NAME = r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)"
DOMAIN = re.compile(rf"(?:\*\.)?{_NAME}(?:\.{_NAME})*", re.ASCII)
"""An internal domain in a policy, in lower case: `example.com`, or `*.example.com` for all below it."""
# No % or ! before the @: mail servers take what stands there for another host to pass it on to.
_ADDRESS = re.compile(rf"[A-Za-z0-9._+'-]{{1,64}}@({_NAME}(?:\.{_NAME})+)", re.ASCII | re.IGNORECASE)
_HOST = re.compile(rf"{_NAME}(?:\.{_NAME})*", re.ASCII)
_ALIKE_URL = re.compile(r"[!-\[\]-~]+", re.ASCII)
"""Printable ASCII without a backslash, which browsers take for a slash and others do not."""
MOST = 1000
"""Addresses in one list; more are not looked at, and external."""
EMAIL = ("email", "address")
"""Where an object that stands for a person has their address."""
_NAMES = ("name", "display_name", "first_name", "last_name")
"""And that person's own name."""


class NotUnderstood(Exception):
    """It cannot be told what this address is."""


class Domains:
    """A company's own domains. `example.com` is that name alone, `*.example.com` every name below it."""

    def __init__(self, domains: Sequence[str]) -> None:
        self._own = frozenset(domain for domain in domains if not domain.startswith("*."))
        self._below = tuple(domain[1:] for domain in domains if domain.startswith("*."))

    def owns(self, host: str) -> bool:
        """Whether a host's plain name, in lower case, is one of them."""
        return host in self._own or host.endswith(self._below)

    def is_external(self, value: Any) -> bool:
        """Whether anything goes outside: an address, a URL, a list of them, or objects that have `email`.

        Such an object may have that person's name beside it; with any other field it is external.

        Raises NotUnderstood where there is no address at all: nothing, an empty text or list, a number.
        """
        if isinstance(value, list | tuple):
            if not value:
                raise NotUnderstood
            return len(value) > MOST or any([self.is_external(one) for one in value])
        if isinstance(value, dict):
            found = [value[name] for name in EMAIL if name in value]
            if len(found) != 1 or isinstance(found[0], dict | list):
                raise NotUnderstood
            others = all(name in _NAMES and is_name(one) for name, one in value.items() if name not in EMAIL)
            return not others or self.is_external(found[0])
        if not isinstance(value, str) or not value.strip():
            raise NotUnderstood
        return not self._is_ours(value.strip(" "))

    def _is_ours(self, text: str) -> bool:
        """One address or URL in its plain form, and of one of these domains."""
        if "://" in text:
            try:
                return self.owns(host_of(text))
            except NotUnderstood:
                return False
        return self.is_address(text)

    def is_address(self, text: str) -> bool:
        """Whether a text is one mail address in its plain form, and of one of these domains."""
        address = _ADDRESS.fullmatch(text.strip(" "))
        return address is not None and self.owns(address[1].lower())

    def why_outside(self, message: dict[str, Any]) -> str:
        """Why a message is not surely for people of these domains alone; empty where it is."""
        return why_outside(message, self.is_address)

    def why_chat_leaves(self, message: dict[str, Any]) -> str:
        """Why a message to the company's own chat goes elsewhere, too; empty where nothing says so."""
        return why_chat_leaves(
            message,
            lambda value: isinstance(value, str) and bool(value.strip()) and not self.is_external(value),
        )

    def stays_inside(self, message: dict[str, Any]) -> bool:
        """Whether a message goes to people of these domains alone: every field known and harmless."""
        return not self.why_outside(message)


def host_of(url: Any) -> str:
    """A URL's host or a plain host name, in lower case; raises NotUnderstood for all that is not plain.

    Not plain: no text, a user name before @, a backslash, spaces and control characters, letters outside
    ASCII (their punycode is plain), percent signs and dots at the end of the host, IPv6, and numbers for an
    address.
    """
    if not isinstance(url, str) or not _ALIKE_URL.fullmatch(url):
        raise NotUnderstood
    try:
        parts = urlsplit(url if "://" in url else f"//{url}")
        _ = parts.port
    except ValueError:
        raise NotUnderstood from None
    host = (parts.hostname or "").lower()
    wrong = "@" in parts.netloc or ("://" in url and parts.scheme not in ("http", "https", "ws", "wss"))
    if wrong or parts.netloc.endswith(":") or len(host) > 253 or not _HOST.fullmatch(host):
        raise NotUnderstood
    if re.fullmatch(r"0x[0-9a-f]*|[0-9]+", host.rpartition(".")[2]):
        return _number(host)
    return host


def _number(host: str) -> str:
    """An IPv4 address written as everybody does; 0x7f.1 and 2130706433 are some machine's address, too."""
    try:
        return str(IPv4Address(host))
    except AddressValueError:
        raise NotUnderstood from None


def host_in(url: Any, globs: Sequence[str]) -> bool:
    """Whether a URL's host matches one of the globs; raises NotUnderstood where the URL is not plain."""
    if not isinstance(globs, list | tuple) or not all(isinstance(glob, str) for glob in globs):
        raise NotUnderstood
    return Globs(tuple(globs)).matches(host_of(url))


def any_glob(value: Any, globs: Sequence[str]) -> bool:
    """Whether a text matches one of the globs; raises NotUnderstood for anything but a text."""
    if not isinstance(value, str) or not isinstance(globs, list | tuple):
        raise NotUnderstood
    if not all(isinstance(glob, str) for glob in globs):
        raise NotUnderstood
    return Globs(tuple(globs)).matches(value)
