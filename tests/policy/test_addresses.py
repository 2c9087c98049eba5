"""Who an address and a host belong to: what is not surely ours is outside."""

from __future__ import annotations

from typing import Any

import pytest
from policy.policies import judged

from signoff.policy.addresses import Domains, NotUnderstood, any_glob, host_in, host_of

OURS = Domains(("example.com", "*.corp.example.com"))
OUTSIDE = [
    "eve@evil.test",
    "ana@example.com, eve@evil.test",
    "ana@example.com;eve@evil.test",
    "ana@example.com eve@evil.test",
    "ana@example.com\neve@evil.test",
    "Ana <ana@example.com>",
    '"ana@example.com" <eve@evil.test>',
    "ana@example.com <eve@evil.test>",
    "eve@evil.test@example.com",
    "eve%evil.test@example.com@x",
    "eve%evil.test@example.com",
    "evil.test!eve@example.com",
    "ana@mail.example.com",
    "ana@example.com.evil.test",
    "ana@notexample.com",
    "ana@example.com.",
    "ana@.example.com",
    "ana@exаmple.com",  # a Cyrillic а
    "ana@example。com",
    "ana@xn--exmple-4nf.com",
    "ana@corp.example.com",
    "ana@example.com\u200b",
    "ana@\u202eexample.com",
    "mailto:ana@example.com",
    "@example.com",
    "ana@",
    "ana",
    "example.com",
    "#general",
    "ana@[127.0.0.1]",
    "https://evil.test",
    "https://example.com@evil.test",
    "https://example.com\\@evil.test",
    {"email": "eve@evil.test"},
    {"email": "eve@evil.test", "name": "ana@example.com"},
    {"email": "ana@example.com", "cc": ["eve@evil.test"]},
    ["ana@example.com", "eve@evil.test"],
    ["ana@example.com", ["eve@evil.test"]],
    ["ana@example.com"] * 1001,
]  # fmt: skip
INSIDE = [
    "ana@example.com",
    "ANA@EXAMPLE.COM",
    " ana@example.com ",
    "ana.b+c@example.com",
    "ana@mail.corp.example.com",
    "https://example.com/x",
    ["ana@example.com", "ben@example.com"],
    {"email": "ana@example.com", "name": "Ana"},
    [{"email": "ana@example.com"}, {"address": "ben@x.corp.example.com"}],
]  # fmt: skip


@pytest.mark.parametrize("address", OUTSIDE, ids=repr)
def test_what_is_not_surely_ours_is_external(address: Any) -> None:
    assert OURS.is_external(address)


@pytest.mark.parametrize("address", INSIDE, ids=repr)
def test_our_own_addresses_are_not(address: Any) -> None:
    assert not OURS.is_external(address)


@pytest.mark.parametrize(
    "address",
    ["", "  ", None, [], {}, 7, True, {"email": None}, {"email": ["a"]}, {"email": "a", "address": "b"},
                ["ana@example.com", None], {"to": "ana@example.com"}], ids=repr
)  # fmt: skip
def test_where_there_is_no_address_nobody_knows(address: Any) -> None:
    with pytest.raises(NotUnderstood):
        OURS.is_external(address)


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://api.example.com/x", "api.example.com"),
        ("HTTP://API.Example.COM:8443", "api.example.com"),
        ("api.example.com", "api.example.com"),
        ("api.example.com:443/x", "api.example.com"),
        ("https://127.0.0.1/", "127.0.0.1"),
        ("https://xn--bcher-kva.example/", "xn--bcher-kva.example"),
        ("wss://api.example.com", "api.example.com"),
    ],
)
def test_a_plain_url_has_a_host(url: str, host: str) -> None:
    assert host_of(url) == host


@pytest.mark.parametrize(
    "url",
    ["https://good.test@evil.test/", "https://evil.test\\@good.test", "https://good.test%2f@evil.test", "https://[::1]/",
     "https://gооd.test/", "https://good.test./", "https:///good.test", "https://good.test:99999/",
     "https://good.test:x/",
     "https://good.test:", "https://0x7f.1/", "https://2130706433/", "https://127.1/", "https://0177.0.0.1/",
     "javascript:alert(1)", "file://good.test/etc", "ftp://good.test", "https://good\t.test",
     "https://good.test\n",
     " https://good.test", "", "//", "https://", "https://-good.test", "https://go_od.test", 7, None,
     ["https://good.test"],
     "https://good%2etest/", "https://" + "a." * 200 + "test"], ids=repr
)  # fmt: skip
def test_a_url_that_is_not_plain_has_none(url: Any) -> None:
    with pytest.raises(NotUnderstood):
        host_of(url)
    with pytest.raises(NotUnderstood):
        host_in(url, ["*"])


def test_globs_have_to_be_texts() -> None:
    for wrong in ("a", [1], None):
        with pytest.raises(NotUnderstood):
            any_glob("a", wrong)  # type: ignore[arg-type]
        with pytest.raises(NotUnderstood):
            host_in("a.test", wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("payload", "inside"),
    [
        ({"to": "ana@example.com", "subject": "to eve@evil.test", "body": "eve@evil.test"}, True),
        ({"to": ["ana@example.com"], "cc": [{"email": "ben@example.com"}]}, True),
        ({"to": "ana@example.com", "cc": "eve@evil.test"}, False),
        ({"to": "ana@example.com", "bcc": ["eve@evil.test"]}, False),
        ({"to": "ana@example.com", "bcc": "everybody"}, False),
        ({"to": "ana@example.com", "headers": {"Reply-To": "eve@evil.test"}}, False),
        ({"to": "ana@example.com", "more": [{"eve@evil.test": 1}]}, False),
        ({"to": "ana@example.com", "cc": None}, False),
        ({"to": "ana@example.com", "Bcc": "customers"}, False),
        ({"to": "ana@example.com", "mailing_list": "customers"}, False),
        ({"to": "ana@example.com", "channel": "#partners"}, False),
        ({"to": "ana@example.com", "raw": "VG86IGV2ZUBldmlsLnRlc3Q="}, False),
        ({"subject": "x"}, False),
        ({}, False),
    ],
)
def test_a_message_stays_inside_only_where_all_its_receivers_do(payload: Any, inside: bool) -> None:
    assert OURS.stays_inside(payload) is inside
    text = "autonomy: full_auto\ninternal_domains: [example.com]"
    assert (judged(text, "send_email", payload).effect == "allow") is inside


@pytest.mark.parametrize(
    "action", ["post_tweet", "publish", "send_sms", "whatsapp.send", "send_money", "send_file", "send"]
)
def test_what_is_no_mail_is_outside_whatever_address_stands_in_it(action: str) -> None:
    payload = {"to": "ana@example.com", "text": "hello"}
    for head in ("extends: balanced", "autonomy: full_auto"):
        assert judged(f"{head}\ninternal_domains: [example.com]", action, payload).effect == "ask"
