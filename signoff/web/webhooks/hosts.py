"""Where webhooks may be posted to: public addresses by https, and what SIGNOFF_WEBHOOK_HOSTS names; pure.

An address is judged when an endpoint is registered, and again at each sending: the very one that is
connected to. A name may lead elsewhere by then.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
LONGEST_URL = 2000
"""Characters of an endpoint's address."""
PORTS = {"http": 80, "https": 443}
LOCAL = ("localhost", "local", "localdomain", "internal", "intranet", "home", "lan", "corp", "home.arpa")
"""Last labels of names that are nobody's in public."""
PLAIN = "it has to be https://, unless SIGNOFF_WEBHOOK_HOSTS names its host"
_NAME = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)(\.(?!-)[a-z0-9_-]{1,63}(?<!-))*")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
"""What ends a host that is an address in one of its old spellings (WHATWG's URL standard, IPv4)."""
_PUBLIC_6 = ipaddress.ip_network("2000::/3")
_NOT_PUBLIC: tuple[Network, ...] = tuple(
    ipaddress.ip_network(one)
    for one in ("192.88.99.0/24", "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")
)
"""Anycast to 6to4 relays; Teredo and what else IETF keeps; documentation; 6to4, which holds an address."""
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_FAR: tuple[Network, ...] = tuple(
    ipaddress.ip_network(one)
    for one in ("0.0.0.0/8", "169.254.0.0/16", "224.0.0.0/3", "::/128", "fe80::/10", "ff00::/8")
)
"""Link-local (clouds' metadata is there), multicast, reserved: no name that is allowed leads there."""


class Refused(Exception):
    """Nothing is posted there. Its text says why, and is ours."""


@dataclass(frozen=True)
class Target:
    """An endpoint's address, read: `host` in lower case, an IPv6 address without its brackets."""

    scheme: str
    host: str
    port: int

    @property
    def address(self) -> Address | None:
        """The host, where it is an address."""
        try:
            return ipaddress.ip_address(self.host)
        except ValueError:
            return None


@dataclass(frozen=True)
class Hosts:
    """What SIGNOFF_WEBHOOK_HOSTS allows beyond public addresses: names, and networks."""

    names: frozenset[str] = frozenset()
    networks: tuple[Network, ...] = ()

    @classmethod
    def read(cls, text: str) -> Hosts:
        """Names, addresses and networks, parted by commas or white space; raises ValueError."""
        names, networks = set[str](), list[Network]()
        for part in text.replace(",", " ").lower().split():
            bare = part.removeprefix("[").removesuffix("]")
            try:
                networks.append(ipaddress.ip_network(bare, strict=False))
                continue
            except ValueError:
                pass
            if not _NAME.fullmatch(part) or _NUMBER.fullmatch(part.rpartition(".")[2]):
                raise ValueError(
                    f"{part[:60]!r} is no host's name, address or network (10.0.0.0/8), without a port"
                )
            names.add(part)
        return cls(frozenset(names), tuple(networks))

    def target(self, url: str) -> Target:
        """Judge an endpoint's address as far as that goes without looking it up; raises Refused."""
        found = read(url)
        address = found.address
        if address is not None:
            self.check(found, address)
        elif found.host not in self.names and _is_local(found.host):
            raise Refused(f"{found.host} is no public host: SIGNOFF_WEBHOOK_HOSTS does not name it")
        elif found.scheme != "https" and found.host not in self.names and not self.networks:
            raise Refused(PLAIN)
        return found

    def check(self, target: Target, address: Address) -> None:
        """Raise Refused unless this address may be connected to for that target."""
        shown, bare = str(address), _bare(address)
        if self._named(bare) or self._named(address):
            return
        if target.host in self.names and not any(_in(bare, one) for one in _FAR):
            return
        if not is_public(address):
            raise Refused(f"{shown} is not public, and SIGNOFF_WEBHOOK_HOSTS does not name it")
        if target.scheme != "https":
            raise Refused(PLAIN)

    def _named(self, address: Address) -> bool:
        return any(_in(address, one) for one in self.networks)


def read(url: str) -> Target:
    """An address as an endpoint may have it → its parts; raises Refused for what two readers could read
    differently.
    """
    if len(url) > LONGEST_URL:
        raise Refused(f"it is longer than {LONGEST_URL:,} characters")
    if not url.isascii() or not url.isprintable() or any(char in url for char in ' \\"<>^`{|}'):
        raise Refused("it holds what no address does: write other characters as %…, a name as xn--…")
    try:
        found = urlsplit(url)
        port = found.port
    except ValueError:
        raise Refused("it is no address, such as https://example.com/hooks") from None
    host = found.hostname or ""
    if found.scheme not in PORTS or not host:
        raise Refused("it is no address, such as https://example.com/hooks")
    if "@" in found.netloc:
        raise Refused("it may hold no user and no password")
    if "#" in url:
        raise Refused("it may hold no #…: that is never sent")
    if port == 0 or found.netloc.endswith(":"):
        raise Refused("its port is none")
    if found.netloc.startswith("["):
        _check_literal(host)
    elif not _NAME.fullmatch(host) or len(host) > 253:
        raise Refused("its host is no name and no address")
    elif _NUMBER.fullmatch(host.rpartition(".")[2]):
        _check_literal(host)
    return Target(found.scheme, host, port or PORTS[found.scheme])


def is_public(address: Address) -> bool:
    """Whether an address is one that anybody on the internet could reach, whatever it is wrapped in."""
    bare = _bare(address)
    if any(_in(bare, one) for one in _NOT_PUBLIC):
        return False
    if bare.version == 6 and bare not in _PUBLIC_6:
        return False
    return bare.is_global and not (bare.is_multicast or bare.is_reserved or bare.is_private)


def _bare(address: Address) -> Address:
    """IPv4 that is written as IPv6 (mapped, or NAT64's well-known prefix) → IPv4."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped:
            return address.ipv4_mapped
        if address in _NAT64:
            return ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
    return address


def _in(address: Address, network: Network) -> bool:
    return address.version == network.version and address in network


def _check_literal(host: str) -> None:
    """An address spelled in the one usual way; raises Refused for 2130706433, 127.1, 0x7f.1 and the like."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        raise Refused("its host is an address in no usual spelling") from None
    if isinstance(address, ipaddress.IPv6Address) and address.scope_id:
        raise Refused("its host is an address of this machine's own network")


def _is_local(host: str) -> bool:
    return "." not in host or any(host == one or host.endswith(f".{one}") for one in LOCAL)
