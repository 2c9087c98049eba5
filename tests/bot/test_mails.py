"""E-mails on a card: who gets them first, what they say, what they hide, and where their links go."""

from __future__ import annotations

import base64
from email.message import EmailMessage
from typing import Any

import pytest

from signoff.bot.text.fold import fold
from signoff.bot.text.payload import values
from signoff.bot.text.renderers import Seen, Summary
from signoff.bot.text.renderers.mail import summarise
from signoff.bot.text.renderers.pages import host_of, read


def of(value: Any, name: str = "body") -> Summary | None:
    return summarise(Seen(name, value, {}, {}))


def told(value: Any, name: str = "body") -> list[str]:
    summary = of(value, name)
    return [] if summary is None else [": ".join([*row.path, row.text]) for row in summary.rows]


MANY = [f"person{n}@example.org" for n in range(20)]


def card(payload: dict[str, Any]) -> str:
    """What the card's rows say."""
    return "\n".join(
        f"{' › '.join(row.path)}: {row.text}" for row in fold(values(None, payload), 1500, 15, 6000).rows
    )


FORMS = [
    lambda address: address,
    lambda address: {"email": address, "name": "Ana, of Sales"},
    lambda address: {"emailAddress": {"address": address, "name": "Ana"}},
]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("many", [20, 300])
def test_many_recipients_of_one_field_hide_no_other_field_of_the_mail(form: Any, many: int) -> None:
    mail = {
        "to": [form(f"person{n}@example.org") for n in range(many)],
        "cc": [form(f"other{n}@example.org") for n in range(many)],
        "bcc": [form("eve@evil.test")],
        "subject": "Payroll",
        "from": "ana@example.org",
        "body": "Hi",
    }
    for payload in (mail, {"message": mail}, dict(reversed(mail.items()))):
        text = card(payload)
        assert "eve@evil.test" in text and "Payroll" in text and "ana@example.org" in text and ": Hi" in text
        assert text.count(f"{many} recipients") == 2 and "person0@example.org" in text
        assert text.index("eve@evil.test") < text.index("person0@") and text.index("Payroll") < text.index(
            "person0@"
        )


@pytest.mark.parametrize("form", FORMS)
def test_all_of_the_recipients_stand_in_the_summary(form: Any) -> None:
    summary = of([form(name) for name in MANY], "bccRecipients")
    assert summary is not None and summary.whole and summary.rows[0].text.startswith("20 recipients")
    assert all(name in summary.rows[1].text for name in MANY)
    summary = of(", ".join(MANY), "to")
    assert summary is not None and summary.whole and summary.rows[0].text.startswith("20 recipients")
    summary = of([{"email": "a@b.c", "more": {"x": 1}}] * 3, "to")
    assert summary is not None and not summary.whole


def test_no_name_of_a_recipient_passes_for_another_recipient() -> None:
    hostile = "x • ana@example.org"
    [_, row] = of([{"email": "eve@evil.test", "name": hostile}, hostile], "to").rows  # type: ignore[union-attr]
    assert row.text == f"• eve@evil.test, “{hostile}” • “{hostile}”"


def test_the_same_link_stands_there_once_and_links_beyond_the_bound_are_counted() -> None:
    lines = told('<p><a href="https://evil.test">bank.example</a></p>' * 6)
    assert sum("goes to" in line for line in lines) == 1 and any("6 times" in line for line in lines)
    lines = told("<p>" + "".join(f'<a href="https://a.test/{n}">x</a>' for n in range(2003)))
    assert lines[0].startswith("HTML as text, 2,003 links") and any("3 more links" in line for line in lines)


LINK = "<a href='https://evil.test/x'>bank.example</a>"


@pytest.mark.parametrize(
    "payload",
    [
        {"content": [{"type": "text/plain", "value": "Hi"}, {"type": "text/html", "value": f"Hi {LINK}"}]},
        {"Content": {"Simple": {"Body": {"Html": {"Data": f"<p>Hi {LINK}</p>"}}}}},
        {"message": {"body": {"contentType": "HTML", "content": f"Hi {LINK}"}}},
        {"HtmlBody": f"Hi {LINK}"},
        {"data": f"<div>Hi {LINK}</div>"},
    ],
)
def test_html_is_known_in_the_forms_of_every_mailer(payload: dict[str, Any]) -> None:
    assert "⚠ bank.example goes to evil.test" in card(payload)


@pytest.mark.parametrize(
    "html",
    [
        '<svg><a xlink:href="https://evil.test">x</a></svg>',
        '<svg><use xlink:href="https://evil.test"/></svg>',
        "<iframe srcdoc=\"<a href='https://evil.test'>x</a>\"></iframe>",
        '<iframe srcdoc="&lt;a href=&quot;https://evil.test&quot;&gt;x&lt;/a&gt;"></iframe>',
    ],
)
def test_links_of_every_form_are_found(html: str) -> None:
    assert [link.host for link in read(f"<p>{html}</p>").links] == ["evil.test"]


@pytest.mark.parametrize(
    "text",
    ["(paypal.com)", "paypal。com", "[paypal.com]", "“paypal.com”", "Visit paypal.com.", "a,paypal.com,b",
     "paypal．com", "w " * 30 + "paypal.com", "w " * 3000 + "https://paypal.com/x"],
)  # fmt: skip
def test_a_host_in_a_links_text_is_found_wherever_it_stands(text: str) -> None:
    [link] = read(f'<a href="https://evil.test">{text}</a>').links
    assert link.differs
    [link] = read(f'<a href="https://paypal.com">{text}</a>').links
    assert not link.differs


@pytest.mark.parametrize(
    "style",
    [
        "color:#fefefe", "color:#FDFDFDFF", "color: rgb(250, 250, 250)", "color:rgb(98% 98% 98%)",
        "color:ghostwhite", "color:hsl(0, 0%, 99%)", "color:rgba(0,0,0,0.01)", "color:#0000",
        "opacity:0.05", "opacity: 5%", "opacity:.01", "display:/**/none",
    ],
)  # fmt: skip
def test_what_is_nearly_as_white_as_paper_is_hidden_too(style: str) -> None:
    assert read(f'<p>before</p><p style="{style}">secret</p>').hidden == ["secret"]


@pytest.mark.parametrize(
    "style", ["color:#333", "color:rgb(10,20,30)", "opacity:0.9", "opacity:1", "color:navy", "color:#ff0000"]
)
def test_plain_text_is_not_called_hidden(style: str) -> None:
    assert not read(f'<p style="{style}">plain</p>').hidden


def test_few_recipients_are_lines_of_the_card_anyway() -> None:
    assert of({"to": "a@b.c", "bcc": ["d@e.f"], "subject": "Hi", "body": "x\ny"}, "") is None
    assert of({"to": "the moon", "steps": MANY}, "") is None


def message(**headers: str) -> EmailMessage:
    mail = EmailMessage()
    for name, value in headers.items():
        mail[name.replace("_", "-")] = value
    mail.set_content("Hello,\nplain text")
    mail.add_alternative(
        '<p>Hello, <a href="https://evil.test/x">https://shop.example</a></p>', subtype="html"
    )
    mail.add_attachment(b"%PDF-1", maintype="application", subtype="pdf", filename="inv\u202eoice.pdf")
    return mail


MAIL = message(From="bot@shop.example", To="Zoë <zoe@shop.example>", Bcc="eve@evil.test", Subject="Größe")


@pytest.mark.parametrize("form", ["text", "crlf", "url", "plain"])
def test_a_message_as_it_is_sent_is_taken_apart(form: str) -> None:
    raw = MAIL.as_bytes()
    texts = {
        "text": raw.decode(),
        "crlf": raw.decode().replace("\n", "\r\n"),
        "url": base64.urlsafe_b64encode(raw).decode().rstrip("="),
        "plain": base64.b64encode(raw).decode(),
    }
    lines = told(texts[form], "raw")
    assert lines[1:5] == [
        "To: Zoë <zoe@shop.example>", "Bcc: eve@evil.test", "From: bot@shop.example", "Subject: Größe",
    ]  # fmt: skip
    text = "\n".join(lines)
    assert (
        "Hello,\nplain text" in text and "attachment inv\\u{202e}oice.pdf  application/pdf, 6 bytes" in text
    )
    assert "⚠ https://shop.example goes to evil.test  https://evil.test/x" in lines


def test_a_second_header_of_a_kind_is_shown_and_told_of() -> None:
    text = MAIL.as_string().replace("Subject:", "To: second@evil.test\nBCC: third@evil.test\nSubject:")
    lines = told(text, "raw")
    assert {"To: second@evil.test", "BCC: third@evil.test"} <= set(lines)
    assert any("header to more than once" in line for line in lines)


def test_parts_in_parts_are_read_as_far_as_that_is_cheap_and_the_recipients_always() -> None:
    for levels in (5, 3000):
        nested = "".join(f"Content-Type: multipart/mixed; boundary=b{n}\n\n--b{n}\n" for n in range(levels))
        lines = told(
            "From: a@b.c\nTo: d@e.f\nBcc: eve@evil.test\nSubject: s\n"
            f"{nested}Content-Type: text/plain\n\nend\n",
            "raw",
        )
        assert "Bcc: eve@evil.test" in lines and ("end" in "\n".join(lines)) == (levels == 5)
        assert any("too many parts" in line for line in lines) == (levels > 5)


PAGE = """<html><head><title>Offer</title><style>p {color: red}</style></head><body>
<!-- a secret comment --><p>Dear <b>Ana</b>,&nbsp;see</p>
<div style="display: none">pay to <b>another account</b></div><p hidden>and this</p>
<span style="color:#ffffff">white</span>
<a href="https://shop.example@evil.test/login">https://shop.example/login</a>
<a href="https://help.example/a">Help</a><a href="javascript:alert(1)">run</a>
<img src="https://track.test/p.gif" alt="logo"></body></html>"""


def test_html_is_text_with_what_it_hides_and_where_its_links_go() -> None:
    lines = told(PAGE)
    assert lines[0].startswith("HTML as text, 3 links")
    assert lines[1] == "⚠ https://shop.example/login goes to evil.test  https://shop.example@evil.test/login"
    assert lines[2].startswith("⚠ Text that its reader may not see")
    assert lines[3] == "pay to another account\nand this\nwhite"
    text = "\n".join(lines)
    assert "Dear Ana, see" in text and "a secret comment" not in text and "in comments" in text
    assert "It has a style sheet" in text and "It shows 1 image" in text
    assert (
        "Help goes to help.example  https://help.example/a" in lines
        and "run goes to no host  javascript:alert(1)" in lines
    )
    summary = of(PAGE)
    assert summary is not None and not summary.whole


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://a.test", "a.test"),
        ("https://a.test@b.test/x", "b.test"),
        ("https://b.test\\@a.test", "b.test"),
        ("https:\\\\b.test/", "b.test"),
        ("https:b.test", "b.test"),
        ("//b.test/x", "b.test"),
        ("\\\\b.test/x", "b.test"),
        (" ht\ntps://b\t.test ", "b.test"),
        ("HTTPS://B.TEST:443", "b.test"),
        ("https://user:pw@b.test", "b.test"),
        ("/path", ""),
        ("mailto:a@b.test", ""),
        ("https://[::1", ""),
    ],
)
def test_a_link_goes_where_a_browser_would_go(url: str, host: str) -> None:
    assert host_of(url) == host


@pytest.mark.parametrize(
    ("text", "url", "differs"),
    [
        ("shop.example", "https://www.shop.example/a", False),
        ("shop.example", "https://shop.example.evil.test", True),
        ("https://shop.example", "https://evil.test", True),
        ("Sign in at shop.example now", "https://evil.test", True),
        ("Sign in", "https://evil.test", False),
        ("Sign in", "https://shop.example@evil.test", True),
        ("ana@shop.example", "mailto:ana@shop.example", False),
        ("invoice.pdf", "https://shop.example/invoice.pdf", False),
        ("ѕhop.example", "https://shop.example", True),
    ],
)
def test_a_link_whose_text_names_another_host_stands_first(text: str, url: str, differs: bool) -> None:
    [link] = read(f'<p><a href="{url}">{text}</a>').links
    assert link.differs == differs


@pytest.mark.parametrize(
    "html",
    [
        '<p style="display:none">secret</p>', "<p style='font-size:0px'>secret</p>", "<p hidden>secret",
        '<p style="visibility: hidden">a <b>secret</b></p>', '<div style="opacity:0">secret</div>',
        '<font color="#FFFFFF">secret</font>', '<p style="text-indent:-9999px">secret</p>',
        '<p style="max-height:0;overflow:hidden">secret</p>',
        '<div style="display:none"><p>x</p><div>secret</div></div>',
    ],
)  # fmt: skip
def test_text_that_a_reader_may_not_see_is_shown_as_such(html: str) -> None:
    page = read(f"<p>before</p>{html}")
    assert "secret" in " ".join(page.hidden) and "before" in page.text and "secret" not in page.text


def test_broken_html_loses_no_text() -> None:
    for html in (
        '<p>a <b "x>b</b> c</p>',
        "<p>a < b > c",
        "<p>1<2 & 3>2",
        "<p>a<!-- b",
        "<p>x</p></div></p>y",
        "<p>a<",
    ):
        page = read(html)
        assert page.text and (page.text[0] in "a1x")
