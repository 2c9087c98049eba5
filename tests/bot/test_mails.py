"""E-mails on a card: who gets them first, what they say, what they hide, and where their links go."""

from __future__ import annotations

import base64
from email.message import EmailMessage
from typing import Any

import pytest

from signoff.bot.text.renderers import Seen, Summary
from signoff.bot.text.renderers.mail import summarise
from signoff.bot.text.renderers.pages import host_of, read


def of(value: Any, name: str = "body") -> Summary | None:
    return summarise(Seen(name, value, {}, {}))


def told(value: Any, name: str = "body") -> list[str]:
    summary = of(value, name)
    return [] if summary is None else [": ".join([*row.path, row.text]) for row in summary.rows]


MANY = [f"person{n}@example.org" for n in range(20)]


def test_many_recipients_stand_before_the_text_in_the_order_of_a_letter_and_all_of_them() -> None:
    mail = {
        "body": "Dear all,\nhello",
        "bcc": [*MANY, "eve@evil.test"],
        "subject": "Hi",
        "to": "ana@example.org",
    }
    summary = of(mail, "")
    assert summary is not None and summary.whole and summary.takes == set(mail)
    lines = told(mail, "")
    assert lines[0].startswith("e-mail, to 1, bcc 21") and lines[1] == "to: ana@example.org"
    assert lines[2] == "bcc: person0@example.org" and "eve@evil.test" in lines
    assert lines[-2:] == ["subject: Hi", "body: Dear all,\nhello"]


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
