"""Where webhooks may be posted to: no private place, however it is spelled and whatever a name leads to."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from web.receiver import receiving

from signoff.web.webhooks import hosts as rules
from signoff.web.webhooks import post as posts
from signoff.web.webhooks.hosts import Hosts, Refused, is_public
from signoff.web.webhooks.post import Letter, Post

NOBODY = Hosts()
PRIVATE = """
127.0.0.1 127.255.255.254 0.0.0.0 0.1.2.3 10.0.0.1 172.16.0.1 172.31.255.255 192.168.1.1 169.254.169.254
169.254.170.2 100.64.0.1 100.100.100.200 192.0.0.1 192.0.2.1 192.88.99.1 198.18.0.1 198.51.100.1
203.0.113.1 224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255 :: ::1 ::ffff:127.0.0.1
::ffff:169.254.169.254 ::ffff:7f00:1 ::127.0.0.1 ::a9fe:a9fe fe80::1 fc00::1 fd00:ec2::254 ff02::1
64:ff9b::7f00:1 64:ff9b::a9fe:a9fe 64:ff9b::10.0.0.1 64:ff9b:1::808:808 100::1 2001:db8::1 2001::1
2001:0:7f00:1:: 2001:10::1 2002:7f00:1:: 2002:a9fe:a9fe:: 2002:808:808::1 3fff::1 5f00::1 fec0::1
::2:0:0:0
"""
PUBLIC = "8.8.8.8 1.1.1.1 93.184.216.34 2606:4700:4700::1111 2a00:1450:4001::1 64:ff9b::808:808"
SPELLED = """
http://example.com/ ftp://example.com/ file:///etc/passwd gopher://example.com/ //example.com/
example.com https:///hooks https://:443/ https://user@example.com/ https://user:pw@example.com/
https://example.com@127.0.0.1/ https://2130706433/ https://0x7f000001/ https://0x7f.0.0.1/
https://0177.0.0.1/ https://127.1/ https://127.0.1/ https://017700000001/ https://0/ https://0x/
https://1.2.3.4.5/ https://127.0.0.1./ https://256.256.256.256/ https://1.2.3.0x4/ https://127.0.0.01/
https://8.8.8.8.0x1/ https://localhost/ https://LOCALHOST/ https://localhost./ https://x.localhost/
https://metadata.google.internal/ https://printer.local/ https://redis/ https://router.lan/
https://example.com:0/ https://example.com:/ https://example.com:99999/ https://example.com:x/
https://exa\\mple.com/ https://[::1/ https://::1/ https://[fe80::1%25eth0]/ https://[fe80::1%eth0]/
https://[v1.x]/ https://[127.0.0.1]/ https://%31%32%37.0.0.1/ https://127。0。0。1/ https://①②⑦.0.0.1/
https://bücher.example/ https://example.com/#x https://example..com/ https://-example.com/
https://.example.com/ https://example.com\\@127.0.0.1/ https://a_b-.example.com/ https://example.com/<x>
https://example.com/{x} https://[::ffff:127.0.0.1]/ https://127.0.0.1:8443/
https://169.254.169.254/latest/meta-data/ https://[64:ff9b::7f00:1]/
"""
TAKEN = """
https://example.com https://example.com/ https://EXAMPLE.com:8443/hooks?token=x&y=%20
https://8.8.8.8/hooks https://[2606:4700:4700::1111]/ https://xn--bcher-kva.example/
https://a_b.example.com/ https://hooks.slack.com/services/T/B/x HTTPS://example.com/
https://3com.example.com/ https://0x.example.com/ https://1.2.3.example.com/
"""


@pytest.mark.parametrize("address", PRIVATE.split())
def test_what_is_not_public_is_refused_in_each_way_it_can_be_reached(address: str) -> None:
    found = ipaddress.ip_address(address)
    assert not is_public(found)
    with pytest.raises(Refused):
        NOBODY.target(f"https://[{address}]/" if found.version == 6 else f"https://{address}/")
    with pytest.raises(Refused):  # a name leads there
        NOBODY.check(NOBODY.target("https://example.com/"), found)


def test_what_is_public_is_taken() -> None:
    for address in PUBLIC.split():
        NOBODY.check(NOBODY.target("https://example.com/"), ipaddress.ip_address(address))
        with pytest.raises(Refused, match="https"):
            NOBODY.check(rules.read("http://example.com/"), ipaddress.ip_address(address))
    for url in TAKEN.split():
        assert NOBODY.target(url).port in (443, 8443)


BESIDES = (
    "", "https://example.com/a b", "https://example.com/\n", "https://e.com/\x7f",
    f"https://example.com/{'x' * 2000}", f"https://{'a.' * 130}com/",
)  # fmt: skip


@pytest.mark.parametrize("url", [*SPELLED.split(), *BESIDES])
def test_an_address_in_a_spelling_that_could_be_read_in_two_ways_is_refused(url: str) -> None:
    with pytest.raises(Refused):
        NOBODY.target(url)


V4 = st.ip_addresses(v=4)
WRAPPED = st.one_of(
    st.just("::ffff:{}"),
    st.just("64:ff9b::{}"),
    st.just("::{}"),
    st.just("2002:{hex}::1"),
    st.just("2001:0:{hex}::"),
)


@given(address=V4, wrapped=WRAPPED)
def test_wrapping_an_address_makes_nothing_public(address: Any, wrapped: str) -> None:
    hexed = f"{int(address) >> 16:x}:{int(address) & 0xFFFF:x}"
    found = ipaddress.ip_address(wrapped.format(address, hex=hexed))
    assert not is_public(found) or is_public(address)
    assert is_public(address) <= (address.is_global and not address.is_multicast)


@given(address=st.ip_addresses())
def test_all_that_is_public_is_global(address: Any) -> None:
    if is_public(address):
        assert address.is_global and not address.is_multicast and not address.is_link_local


SPELLINGS = (
    "{0}", "{0:#x}", "0{0:o}", "{a}.{bcd}", "{a}.{b}.{cd}", "{a:#x}.{b:#x}.{c:#x}.{d:#x}", "{a}.{b}.{c}.{d}",
    "0{a:o}.0{b:o}.0{c:o}.0{d:o}", "{a}.{b}.{c}.{d}.", "{a:04}.{b}.{c}.{d}",
)  # fmt: skip


@given(address=V4.filter(lambda one: not is_public(one)), spelled=st.sampled_from(SPELLINGS))
def test_no_spelling_of_a_private_address_passes(address: Any, spelled: str) -> None:
    number, (a, b, c, d) = int(address), address.packed
    host = spelled.format(number, a=a, b=b, c=c, d=d, bcd=number & 0xFFFFFF, cd=number & 0xFFFF)
    with pytest.raises(Refused):
        NOBODY.target(f"https://{host}/hooks")


@given(text=st.text(max_size=40))
def test_any_text_is_judged_without_another_error(text: str) -> None:
    for url in (text, f"https://{text}/", f"https://example.com/{text}"):
        try:
            NOBODY.target(url)
        except Refused as refused:
            assert str(refused)


def test_what_is_named_is_allowed_and_nothing_beside_it() -> None:
    named = Hosts.read("10.1.0.0/16, [::1] hooks.corp\t192.168.7.7")
    near, name = ipaddress.ip_address("10.1.2.3"), "https://hooks.corp/"
    for url in ("http://10.1.2.3/", "https://10.1.2.3:8443/", "http://[::1]/", "http://192.168.7.7/", name,
                "http://hooks.corp:9000/", "http://HOOKS.corp/"):  # fmt: skip
        named.target(url)
    for url in ("http://10.2.0.1/", "https://192.168.7.8/", "https://127.0.0.1/", "https://x.hooks.corp/"):
        with pytest.raises(Refused):
            named.target(url)
    named.check(rules.read(name), ipaddress.ip_address("192.168.1.1"))
    named.check(rules.read("http://example.com/"), near)
    named.check(rules.read("https://example.com/"), ipaddress.ip_address("::ffff:10.1.2.3"))
    for far in ("169.254.169.254", "fe80::1", "224.0.0.1", "0.0.0.0", "::ffff:169.254.169.254", "::"):
        with pytest.raises(Refused):  # nor by a name: the network itself has to be named
            named.check(rules.read(name), ipaddress.ip_address(far))
    Hosts.read("169.254.0.0/16").check(rules.read(name), ipaddress.ip_address("169.254.169.254"))
    for wrong in (
        "hooks.corp:9000",
        "http://hooks.corp",
        "10.0.0.0/99",
        "a b/c",
        "user@x",
        "2130706433",
        "*.corp",
    ):
        with pytest.raises(ValueError, match="is no host"):
            Hosts.read(wrong)
    assert Hosts.read(" , ") == NOBODY


def test_a_name_that_leads_elsewhere_by_now_is_not_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    """DNS rebinding: public when it was registered, this machine when something is sent."""
    places = iter(["93.184.216.34", "127.0.0.1"])
    NOBODY.check(NOBODY.target("https://rebinds.example.com/"), ipaddress.ip_address(next(places)))
    asked: list[str] = []

    def lookup(host: str, port: int, **_: Any) -> Any:
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (next(places), port))]

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    with receiving() as receiver:
        port = receiver.url.split(":")[2].split("/")[0]
        found = asyncio.run(Post(NOBODY).send(Letter(f"https://rebinds.example.com:{port}/", {}, b"{}")))
        assert "127.0.0.1 is not public" in found.fault and receiver.connections == 0
    assert asked == ["rebinds.example.com"], "looked up once, and no second time for the connection"


@pytest.mark.parametrize("second", ["127.0.0.1", "169.254.169.254", "::1", "::ffff:127.0.0.1", "fe80::1%lo"])
def test_one_private_address_among_others_is_enough(monkeypatch: pytest.MonkeyPatch, second: str) -> None:
    async def lookup(host: str, port: int) -> list[str]:
        return ["93.184.216.34", second]

    monkeypatch.setattr(posts, "looked_up", lookup)
    found = asyncio.run(Post(NOBODY).send(Letter("https://mixed.example.com/", {}, b"{}")))
    assert "is not public" in found.fault


def test_no_socket_is_made_for_what_was_not_judged() -> None:
    info = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 80))
    with pytest.raises(PermissionError):
        posts._socket(info, ["93.184.216.34"])
    posts._socket(info, ["127.0.0.1"]).close()


def test_an_endpoint_that_may_not_be_posted_to_any_more_is_not() -> None:
    """SIGNOFF_WEBHOOK_HOSTS may name less by now."""
    with receiving() as receiver:
        letter = Letter(receiver.url, {}, b"{}")
        assert asyncio.run(Post(Hosts.read("127.0.0.1")).send(letter)).taken
        assert "refused" in asyncio.run(Post(NOBODY).send(letter)).fault
        assert receiver.connections == 1
