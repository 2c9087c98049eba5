"""E-mails: who gets them first, then what they say, and where their links go; pure.

As an object with recipients and a text, as a message (RFC 5322), also in base64 as Gmail takes it, or HTML.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from signoff.bot.text.renderers import Seen, Summary
from signoff.bot.text.renderers.messages import Message, message
from signoff.bot.text.renderers.pages import Link, Page, read
from signoff.bot.text.renderers.parts import box, fields, headline, lines_of, listed, said, warned
from signoff.bot.text.row import ONE_LINE, Row, Span, is_short, json_text, list_text, name_text, scalar_text
from signoff.bot.text.text import cut, visible
from signoff.bot.text.words import summaries as words

_FIELDS = {
    "to": "to recipients torecipients toaddresses toemail toemails receiver receivers",
    "cc": "cc ccrecipients ccaddresses",
    "bcc": "bcc bccrecipients bccaddresses",
    "from": "from sender fromemail fromaddress",
    "reply": "replyto replytoaddress replytoaddresses",
    "subject": "subject",
    "text": "body text content message plain bodytext textbody plaintext bodyplain",
}
_ROLES = {name: role for role, names in _FIELDS.items() for name in names.split()}
"""A field's name in small letters, without signs → what it is of a message."""
_HTML = ("html", "<!doctype", "<p", "<div", "<table", "<body", "<br", "<a ", "<span", "<h1", "<h2", "<td")
_BETWEEN = re.compile(r"[\W_]+")
URL = 300
"""Characters of an address that are shown in a list; the host is always whole."""
HEADERS = 20
"""Headers that have a row of their own."""
HIDDEN = 1_000
"""Characters of text that a reader may not see."""


def summarise(seen: Seen) -> Summary | None:
    """An e-mail."""
    if isinstance(seen.value, dict):
        return _of_object(seen.value)
    if not isinstance(seen.value, str):
        return None
    found = message(seen.name, seen.value)
    if found is not None:
        return Summary(tuple(_of_message(found)), readable=True)
    if _is_html(seen.name, seen.value):
        page = read(seen.value)
        rows = headline(words.HTML, words.count(len(page.links), "link")), *_of_page(page)
        return Summary(rows, readable=True)
    return None


def _is_html(name: str, text: str) -> bool:
    start = text[:3000].lower()
    named = "html" in name.lower() or _role(name) == "text"
    if start.lstrip().startswith(("<!doctype html", "<html")):
        return True
    if not named or "<" not in text:
        return False
    lower = text.lower()
    return any(tag in lower for tag in _HTML[1:])


def _role(name: str) -> str:
    return _ROLES.get(_BETWEEN.sub("", name.lower()), "")


def _of_object(value: dict[str, Any]) -> Summary | None:
    """Recipients and subject, in the order in which one reads a letter, and a text that is no HTML."""
    roles: dict[str, list[str]] = {role: [] for role in _FIELDS}
    for name in value:
        if role := _role(name):
            roles[role].append(name)
    if not _is_mail(value, roles) or all(
        _is_line(value[name]) for role in ("to", "cc", "bcc") for name in roles[role]
    ):
        return None  # one-line fields stand first anyway
    rows: list[Row] = [headline(words.EMAIL, *_counts(value, roles))]
    taken: list[str] = []
    for role, names in roles.items():
        for name in names:
            if role == "text" and (not isinstance(value[name], str) or _is_html(name, value[name])):
                continue
            if role == "text" and message(name, value[name]) is not None:
                continue
            rows += _field(name, value[name])
            taken.append(name)
    return Summary(tuple(rows), frozenset(taken), whole=True)


def _is_mail(value: dict[str, Any], roles: dict[str, list[str]]) -> bool:
    if not any(roles[role] for role in ("to", "cc", "bcc")):
        return False
    if roles["subject"] and (roles["text"] or "html" in " ".join(value).lower() or len(value) > 2):
        return True
    return bool(roles["text"]) and any(
        "@" in str(value[name])[:2000] for role in ("to", "cc", "bcc") for name in roles[role]
    )


def _is_line(value: Any) -> bool:
    """Whether recipients stand on one line of a card."""
    if isinstance(value, list):
        return all(map(is_short, value)) and len(list_text(value)) <= ONE_LINE // 2
    return is_short(value) and len(scalar_text(value)) <= ONE_LINE


def _counts(value: dict[str, Any], roles: dict[str, list[str]]) -> Iterator[str]:
    for role in ("to", "cc", "bcc"):
        number = sum(_people(value[name]) for name in roles[role])
        yield f"{role} {number:,}" if number else ""


def _people(value: Any) -> int:
    if isinstance(value, list):
        return sum(map(_people, value))
    if isinstance(value, str):
        return max(value.count("@"), 1) if value.strip() else 0
    return 1 if value else 0


def _field(name: str, value: Any) -> Iterator[Row]:
    """A field with all that is in it, under its own name."""
    path = (name_text(name),)
    if isinstance(value, str) and "\n" in value:
        yield Row(path, ((visible(value, keep="\n\t"), ""),), "code")
    elif is_short(value):
        yield Row(path, ((scalar_text(value), ""),))
    elif isinstance(value, list) and value and all(map(is_short, value)):
        for number, item in enumerate(value):
            yield Row(path if not number else (), ((scalar_text(item), ""),), "bullet")
    elif isinstance(value, dict) and value and all(map(is_short, value.values())):
        yield Row(path, fields(value.items()))
    else:
        yield Row(path, ((json_text(value), ""),), "code")


def _of_message(found: Message) -> Iterator[Row]:
    yield headline(words.EMAIL, words.count_some(len(found.files), "attachment"))
    for text in found.odd:
        yield warned(text)
    yield from _headers(found.headers)
    yield from listed([_attached(*file) for file in found.files])
    for text in found.texts:
        yield box(lines_of(text))
    for html in found.pages:
        yield said(words.HTML)
        yield from _of_page(read(html))


def _headers(headers: list[tuple[str, str]]) -> Iterator[Row]:
    for name, value in headers[:HEADERS]:
        yield Row((name_text(name),), ((scalar_text(value), ""),))
    if headers[HEADERS:]:
        yield box("\n".join(f"{visible(name)}: {visible(value)}" for name, value in headers[HEADERS:]))


def _attached(name: str, kind: str, size: int) -> list[Span]:
    about = f"  {visible(kind)}, {words.kilobytes(size)}"
    return [(f"{words.ATTACHMENT} ", "italic"), (scalar_text(name), "bold"), (about, "italic")]


def _of_page(page: Page) -> Iterator[Row]:
    """A page's links that go elsewhere than they say, what it hides, its text, and its other links."""
    for link in page.links:
        if link.differs:
            yield Row((), (("⚠ ", "italic"), *_link(link)), "bullet")
    if page.hidden:
        yield warned(words.HIDDEN_TEXT)
        yield box(cut(visible("\n".join(page.hidden), keep="\n"), HIDDEN))
    for text in _odd(page):
        yield warned(text)
    if page.text:
        yield box(visible(page.text, keep="\n\t"))
    others = [link for link in page.links if not link.differs]
    if others:
        yield said(words.LINKS)
        for link in dict.fromkeys(others):
            yield Row((), tuple(_link(link)), "bullet")


def _odd(page: Page) -> Iterator[str]:
    if page.scripts:
        yield words.SCRIPTS
    if page.styles:
        yield words.STYLES
    if page.comments:
        yield words.comments(page.comments)
    if page.images:
        yield words.images(page.images)


def _link(link: Link) -> Iterator[tuple[str, str]]:
    if link.text != link.url or not link.host:
        text = cut(visible(link.text), URL) if link.text else words.NO_TEXT
        yield text, "" if link.text else "italic"
        yield f" {words.GOES_TO} ", "italic"
    yield (visible(link.host), "bold") if link.host else (words.NO_HOST, "italic")
    yield "  " + cut(visible(link.url), URL), ""
