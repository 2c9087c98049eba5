"""Messages of real tools: whom each reaches; and what passes for a message to our own people, and is not."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from policy.policies import judged

from signoff.policy.addresses import Domains
from signoff.policy.texts import breaks_a_line, is_message

OURS = Domains(("example.com",))
TABLE: list[dict[str, Any]] = yaml.safe_load(Path(__file__).with_name("messages.yml").read_text("utf-8"))
PLAIN = {"to": "ana@example.com", "subject": "Hello", "body": "Hello"}


def test_the_table_has_sixty_messages_of_both_kinds() -> None:
    assert len(TABLE) >= 60 and {one["verdict"] for one in TABLE} == {"ask", "notify"}
    assert all(one["why"] and one["tool"] for one in TABLE)


@pytest.mark.parametrize("one", TABLE, ids=lambda one: f"{one['tool']}: {one['why']}")
def test_the_messages_of_real_tools(one: dict[str, Any]) -> None:
    found = judged("extends: balanced\ninternal_domains: [example.com]", one["action"], one["payload"])
    assert found.effect == one["verdict"], OURS.why_outside(one["payload"])


@pytest.mark.parametrize(
    "one", [one for one in TABLE if one["verdict"] == "notify"], ids=lambda one: one["tool"]
)
def test_any_field_more_takes_a_message_outside(one: dict[str, Any]) -> None:
    """Whatever its name and wherever it stands: nobody knows what it does."""
    if one["action"].startswith(("slack", "teams", "mattermost", "notify_team")):
        return
    assert OURS.stays_inside(one["payload"])
    for place in _objects(one["payload"]):
        for name, value in (
            ("also_to", "eve@evil.test"),
            ("tо", "x"),
            ("to ", "ana@example.com"),
            ("cc", "eve"),
        ):
            was = dict(place)
            place[name] = value
            assert not OURS.stays_inside(one["payload"]), (name, place)
            place.clear()
            place.update(was)


def _objects(value: Any) -> list[dict[str, Any]]:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return ([value] if isinstance(value, dict) else []) + [found for one in inner for found in _objects(one)]


BREAKS = [
    "\n", "\r", "\r\n", "\v", "\f", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029", "\x00", "\t\n",
    "%0a",
    "%0D%0A", "%250a", "%25250d", "%u000a", "\\n", "\\r\\n", "\\u000a", "\\x0a", "\\012", "&#10;", "&#x0D;",
    "&NewLine;", "=0A", "=0d=0a", "=?utf-8?q?=0A?=", "=?utf-8?B?DQo=?=", "\u560d\u560a", "\u010d\u010a",
    "%E2%80%A8",
    "%C0%8A", "%e5%98%8a", "+AAo-", "+AA0ACg-", "\u240d\u240a", "\\N{LINE FEED}",
]  # fmt: skip


@pytest.mark.parametrize("line_break", BREAKS, ids=ascii)
@pytest.mark.parametrize(
    "place",
    [
        lambda text: {"subject": text},
        lambda text: {"Subject": {"Data": text}},
        lambda text: {"message": {"subject": text, "body": "x"}},
        lambda text: {"from_name": text},
        lambda text: {"cc": [{"email": "ben@example.com", "name": text}]},
        lambda text: {"replyTo": [{"emailAddress": {"address": "ben@example.com", "name": text}}]},
        lambda text: {"attachments": [{"filename": text, "content": "aGk="}]},
        lambda text: {"tags": [text]},
        lambda text: {"to": ["ana@example.com" + text]},
    ],
)
def test_a_line_break_in_a_header_takes_it_outside(place: Any, line_break: str) -> None:
    message = {**PLAIN, **place(f"hi{line_break}Bcc: eve@evil.test")}
    assert not OURS.stays_inside(message)


@pytest.mark.parametrize(
    "subject",
    ["Ergebnisse: 50 % mehr!", "Výroční schůzka čtvrtek", "Re: [JIRA-12] a & b", "会议纪要", "R&D = fun",
     "ok 👍",
     "Q3 (draft) – final", "AT&T; 100%", "a/b test @ noon", "50% off", "naïve façade", "Ċirku", "פגישה"],
)  # fmt: skip
def test_everyday_subjects_stay_inside(subject: str) -> None:
    assert OURS.stays_inside({**PLAIN, "subject": subject})


@pytest.mark.parametrize(
    "address",
    [
        '"ana"@example.com', "ana(at home)@example.com", "=?utf-8?q?ana?=@example.com",
        "<@evil.test:ana@example.com>",
        "@evil.test:ana@example.com", "eve%evil.test@example.com", "evil.test!ana@example.com",
        "ana@example.com.",
        "ana@exämple.com", "ana@example.com\u3002", "ana＠example.com", "Ana <ana@example.com>",
        '"eve@evil.test" <ana@example.com>', "ana@example.com,eve@evil.test",
        "ana@example.com eve@evil.test",
        "ana@example.com;", "mailto:ana@example.com", "ana@example.com?cc=eve@evil.test",
        "group: ana@example.com;",
        "ana@[192.0.2.1]", "ana@example.com@evil.test", "ana", "U0EVE00001", "#general", "C0SHARED01",
        "all", "", " ",
        "+4915112345678", "https://example.com/hook", 7, True, None, {}, {"name": "Ana"}, {"id": 7},
        [None], [[7]],
        {"email": "ana@example.com", "name": "eve@evil.test"}, {"email": "ana@example.com", "id": 7},
        {"email": "ana@example.com", "address": "eve@evil.test"},
        {"emailAddress": {"address": "eve@evil.test"}},
        {"email": "ana@example.com", "name": "Eve＠evil.test"}, {"email": {"address": ["eve@evil.test"]}},
    ],
    ids=repr,
)  # fmt: skip
def test_a_receiver_that_is_no_plain_address_of_ours_is_outside(address: Any) -> None:
    for name in ("to", "cc", "Bcc", "recipients", "toRecipients", "group", "mailing_list"):
        assert not OURS.stays_inside({**PLAIN, name: address})
        assert not OURS.stays_inside({**PLAIN, "message": {name: [address], "body": "x"}})
        assert not OURS.stays_inside({**PLAIN, "personalizations": [{name: address}]})


@pytest.mark.parametrize(
    "field",
    ["toNumber", "to_number", "webhook", "webhook_url", "url", "recipient_list_id", "list_id", "segment_id",
     "group_id", "channel_id", "channel", "user_id", "users", "audience", "raw", "mime", "eml", "phone",
     "to.email",
     "to[]", "to[0]", "h:Reply-To", "to ", " to", "to\u200b", "tо", "ｔｏ", "to\n", "", "t_o", "TO\x00",
     "template_id",
     "headers_raw", "in_reply_to", "thread_id", "smtp_host", "api_url", "callback", "reply_all",
     "attach_url",
     "unsubscribe", "delegate", "on_behalf_of", "impersonate", "x" * 100],
    ids=ascii,
)  # fmt: skip
@pytest.mark.parametrize("value", ["ana@example.com", "x", 7, True, None, [], {}])
def test_a_field_that_nobody_knows_takes_it_outside(field: str, value: Any) -> None:
    assert not OURS.stays_inside({**PLAIN, field: value})


@pytest.mark.parametrize(
    "body",
    ['{"to": "eve@evil.test"}', ' \n{"to":', '[{"to": "eve@evil.test"}]', '"{\\"to\\": 1}"', "\ufeff{}",
     " " * 500 + "{}", "[" + " " * 500 + "{}]", "To: eve@evil.test\n\nHello",
     "Subject: x\nBcc: eve@evil.test",
     "Subject: x\r\n\tmore\r\nbcc : eve@evil.test\r\n\r\nHello", "to=eve@evil.test",
     "<to>eve@evil.test</to>",
     "MIME-Version: 1.0\nx", "x\n" * 3000 + "To: eve@evil.test", "Hello\r\n.\r\nMAIL FROM:<a@evil.test>",
     "Hello\n.\nRCPT TO:<eve@evil.test>",
     "Hello\n.\r\nx", ".\r\nMAIL FROM:<a@evil.test>", "x\x00y", "- to: eve@evil.test",
     "X-Forward: eve\n", "\n\n \nTo: eve@evil.test",
     "Subject: hi\nCc" + "\t" * 9 + ": e@evil.test\n\nhi",
     "Bcc" + " " * 500 + ": e@evil.test", "\t" * 90 + "To: e"],
    ids=ascii,
)  # fmt: skip
def test_prose_that_is_another_message_takes_it_outside(body: str) -> None:
    assert is_message(body)
    for field in ({"body": body}, {"message": body}, {"content": [{"type": "text/plain", "value": body}]}):
        assert not OURS.stays_inside({**PLAIN, **field})


@pytest.mark.parametrize(
    "body",
    ["Hello Ana,\n\nTo: be done\n.", "[Action needed] today", "Dear all: eve@evil.test wrote.\n\nBcc: x",
     "1. one\n2. two",
     "Tomorrow we go to Berlin", "<p>to you</p>", "שלום", "See https://evil.test/x?to=you", "", "-- \nAna"],
)  # fmt: skip
def test_everyday_prose_stays_inside(body: str) -> None:
    assert OURS.stays_inside({**PLAIN, "body": body})


@pytest.mark.parametrize(
    "attachments",
    [["https://evil.test/a"], ["\\\\evil\\a"], ["//evil.test/a"], ["file:///etc/passwd"],
     [{"url": "https://evil.test"}],
     [{"filename": "a", "path": "https://evil.test"}], [{"filename": "a", "href": "https://evil.test"}],
     [{"filename": "a", "content": "https://evil.test/a"}], [{"filename": "a",
      "content": "data:text/html,x"}],
     [{"raw": "x"}], [{"filename": "a", "content": {"path": "x"}}],
      [{"@odata.type": "#x.referenceAttachment"}], 7],
    ids=repr,
)  # fmt: skip
def test_an_attachment_from_elsewhere_takes_it_outside(attachments: Any) -> None:
    assert not OURS.stays_inside({**PLAIN, "attachments": attachments})


@pytest.mark.parametrize(
    "field", ["replyTo", "Reply-To", "reply_to", "from", "sender", "returnPath", "ReplyToAddresses"]
)
def test_answers_that_go_outside_take_it_outside(field: str) -> None:
    for value in ("eve@evil.test", ["eve@evil.test"], {"email": "eve@evil.test"}, "Ana <eve@evil.test>",
                  "ana@example.com <eve@evil.test>", "evil.test", "e at evil.test", "e AT evil dot test",
                  "evil。test",
                  [{"emailAddress": {"address": "eve@evil.test"}}]):  # fmt: skip
        assert not OURS.stays_inside({**PLAIN, field: value})
        assert not OURS.stays_inside({**PLAIN, "headers": {field: value}})
    for value in ("ben@example.com", "Ben <ben@example.com>", "Billing", ["ben@example.com"]):
        assert OURS.stays_inside({**PLAIN, field: value})


@pytest.mark.parametrize("field", ["format", "content_type", "mimeType", "encoding", "body_type", "tag"])
@pytest.mark.parametrize(
    "value", ["raw", "RAW", "message/rfc822", "mime", "eml", "multipart/mixed", "a@b.c", "x:y", {"a": 1}]
)
def test_a_format_that_is_a_whole_mail_takes_it_outside(field: str, value: Any) -> None:
    assert not OURS.stays_inside({**PLAIN, field: value})
    assert OURS.stays_inside({**PLAIN, field: "text/html; charset=utf-8"})


def test_a_message_to_nobody_or_of_too_many_parts_is_outside() -> None:
    assert not OURS.stays_inside({"subject": "x", "body": "y"}) and not OURS.stays_inside({})
    assert not OURS.stays_inside({"to": [], "body": "y"})
    assert not OURS.stays_inside({"to": ["ana@example.com"] * 5000})
    deep: Any = {"to": "ana@example.com"}
    for _ in range(40):
        deep = {"message": deep}
    assert not OURS.stays_inside(deep)


@pytest.mark.parametrize("action", ["slack.post_message", "teams.post", "notify_team", "mattermost.post"])
@pytest.mark.parametrize(
    "more",
    [{"webhook": "https://evil.test"}, {"webhook_url": "https://hooks.evil.test"}, {"cc": "eve@evil.test"},
     {"options": {"email": "eve@evil.test"}}, {"toNumber": "+49151"}, {"phone": 49151},
     {"callback": "https://evil.test"},
     {"recipients": [{"mail": "eve@evil.test"}]}, {"channel ": "x"}, {"сc": "x"},
     {"also": ["eve@evil.test"]}],
    ids=ascii,
)  # fmt: skip
def test_chat_by_its_name_is_outside_where_its_payload_says_so(action: str, more: dict[str, Any]) -> None:
    text = "extends: balanced\ninternal_domains: [example.com]"
    plain = {
        "channel": "#ops",
        "text": "Hello, see https://evil.test",
        "unfurl_links": True,
        "thread_ts": "17.1",
    }
    assert judged(text, action, plain).effect == "notify"
    found = judged(text, action, {**plain, **more})
    assert (found.effect, found.risk) == ("ask", "high")


CHATS = ["slack.post_message", "teams.post", "notify_team", "mattermost.post"]
POST = {"channel": "#ops", "text": "Hello, see https://evil.test"}


@pytest.mark.parametrize("action", CHATS)
@pytest.mark.parametrize(
    "name",
    [
        "message",
        "content",
        "body",
        "text",
        "note",
        "html",
        "description",
        "comment",
        "msg",
        "subject",
        "payload",
        "data",
        "blocks",
        "attachments",
        "card",
        "to",
        "email",
        "props",
        "options",
    ],
)
@pytest.mark.parametrize(
    "hidden",
    [
        {"to": "e@evil.test"},
        {"webhook": "https://hooks.evil.test/x"},
        {"bcc": "e@evil.test"},
        {"phone": "1"},
        {"cc": ["e@evil.test"]},
        {"server": "evil.test"},
        {"x": {"y": 1}},
        {"сс": "x"},
    ],
    ids=ascii,
)
def test_no_object_in_a_chat_hides_where_it_goes(action: str, name: str, hidden: dict[str, Any]) -> None:
    text = "extends: balanced\ninternal_domains: [example.com]"
    for value in (hidden, [hidden], {"text": "x", "message": hidden}):
        assert judged(text, action, {**POST, name: value}).effect == "ask"


@pytest.mark.parametrize(
    "name",
    [
        "webhooks",
        "phones",
        "bccs",
        "urls",
        "ccs",
        "hostname",
        "server",
        "domain",
        "site",
        "hooks",
        "telephone",
        "cell",
        "contact",
        "base",
        "base_url",
        "proxy",
        "relay",
        "forward_to",
        "fax",
        "whatsapp",
        "number",
        "via",
        "smtp_host",
        "sms",
        "also_send",
        "external",
        "command",
    ],
)
@pytest.mark.parametrize(
    "value", ["//evil.test/", "evil.test", "+4915112345678", "e@evil.test", 4915112345678]
)
def test_a_chats_field_that_nobody_knows_leaves(name: str, value: Any) -> None:
    assert OURS.why_chat_leaves({**POST, name: value})
    assert OURS.why_chat_leaves({**POST, name: [value]})


@pytest.mark.parametrize("name", ["channel", "channels", "room", "to", "user", "username", "team", "from"])
@pytest.mark.parametrize(
    "value",
    [
        "e＠evil.test",
        "é@evil.test",
        "e@evil.test",
        "e﹫evil.test",
        "evil.slack.com",
        "//evil",
        "https://evil.test",
        "evil。test",
        "evil．test",
        "evil⒈test",
        "+4915112345678",
        "4915112345678",
        "49 151 1234",
        "e@evil",
        "a:b",
        "#ops,e@evil.test",
        "ops\nbcc",
        "x" * 200,
        4915112345678,
        True,
    ],
    ids=ascii,
)
def test_what_is_no_name_of_a_chat_leaves(name: str, value: Any) -> None:
    assert OURS.why_chat_leaves({"text": "x", name: value})
    assert OURS.why_chat_leaves({"text": "x", name: ["#ops", value]})


@pytest.mark.parametrize(
    "payload",
    [
        POST,
        {"channel": "C0GENERAL1", "text": "Hi"},
        {"message": "Hello"},
        {"text": "do: it"},
        {"to": "#ops", "text": ""},
        {"channel": "@ana", "text": "x"},
        {"channel": "straße", "text": "e@evil.test wrote"},
        {"channel_id": 7, "text": "x"},
        {"channel": "ops", "message": {"text": "x"}},
        {"webhook_url": "https://example.com/hooks/x", "text": "x"},
        {"channel": "ops", "text": "x", "email": "ana@example.com"},
        {"channels": ["#a", "#b"], "text": "x"},
        {"channel": "ops", "text": "x", "thread_ts": "1700000000.000100", "mrkdwn": True, "link_names": 1},
    ],
    ids=ascii,
)
def test_plain_posts_to_a_chat_stay_inside(payload: dict[str, Any]) -> None:
    assert not OURS.why_chat_leaves(payload)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=12) | st.sampled_from(["ana@example.com"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["to", "cc", "message", "body", "subject", "emailAddress", "address", "name", "headers", "x"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)


@settings(max_examples=300, deadline=None)
@given(
    JSON,
    st.sampled_from(["message", "body", "headers", "to", "payload", "content", "cc", "attachments", "from"]),
)
def test_no_address_outside_hides_in_a_message_that_is_inside(inner: Any, name: str) -> None:
    """Wherever an object holds a receiver that is not ours, in whatever else there is."""
    for hidden in (
        {"bcc": "eve@evil.test"},
        {"toRecipients": [{"emailAddress": {"address": "eve@evil.test"}}]},
    ):
        for value in (hidden, [hidden], {"message": hidden}, [inner, hidden], {"x": inner, "body": hidden}):
            assert not OURS.stays_inside({**PLAIN, name: value})


@pytest.mark.parametrize(
    "text",
    ["\n" * 250_000, " " * 250_000, "%25" * 80_000, "\u010d" * 120_000, "{" * 250_000, "[ " * 125_000,
     "To " * 80_000,
     "x" * 250_000 + "\n", ("x-" + "a" * 60 + "\n") * 4000, "\t" * 250_000 + "x", "=" * 250_000,
     "\\" * 250_000, "<" * 250_000],
    ids=lambda text: ascii(text[:6]),
)  # fmt: skip
def test_no_text_makes_a_message_slow(text: str) -> None:
    """Some hundredths of a second on a quiet machine."""
    start = time.process_time()
    for field in ("subject", "body", "to", "from", "tags", "from_name"):
        OURS.stays_inside({**PLAIN, field: text})
    OURS.stays_inside({**PLAIN, "attachments": [{"filename": text, "content": text}]})
    OURS.stays_inside({**PLAIN, text: "x"})
    breaks_a_line(text)
    assert time.process_time() - start < 2
