"""E-mails: who gets them first, then what they say, and where their links go; pure.

As fields of recipients, as a message (RFC 5322), also in base64 as Gmail takes it, or HTML.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from signoff.bot.text.renderers import Seen, Summary
from signoff.bot.text.renderers.messages import Message, message
from signoff.bot.text.renderers.pages import Link, Page, read
from signoff.bot.text.renderers.parts import box, headline, lines_of, listed, said, warned
from signoff.bot.text.renderers.recipients import plainly, recipients
from signoff.bot.text.row import Row, Span, name_text, scalar_text
from signoff.bot.text.text import cut, visible
from signoff.bot.text.words import summaries as words
from signoff.bot.text.words.card import kilobytes

_TEXTS = frozenset(
    ["body", "text", "content", "message", "plain", "bodytext", "textbody", "plaintext", "bodyplain"]
)
"""Names, in small letters and without signs, of what a mail says."""
_HTML = ("html", "<!doctype", "<p", "<div", "<table", "<body", "<br", "<a ", "<span", "<h1", "<h2", "<td")
_BEGINS = re.compile(r"\s*+<(?:p|div|table|body|head|center|a|span|h[1-6]|br|font|img|b|strong)\b[^<>]*+>")
PARTS = 20
"""Parts of a text in a list that are looked at."""
URL = 300
"""Characters of an address that are shown in a list; the host is always whole."""
HEADERS = 20
"""Headers that have a row of their own."""
HIDDEN = 1_000
"""Characters of text that a reader may not see."""


def summarise(seen: Seen) -> Summary | None:
    """An e-mail."""
    if (people := recipients(seen)) is not None:
        return people
    if isinstance(seen.value, list):
        return _of_parts(seen.value)
    if not isinstance(seen.value, str):
        return None
    found = message(seen.name, seen.value)
    if found is not None:
        return Summary(tuple(_of_message(found)), readable=True)
    if _is_html(seen.name, seen.value, seen.beside):
        page = read(seen.value)
        return Summary((headline(words.HTML, _links(page)), *_of_page(page)), readable=True)
    return None


def _links(page: Page) -> str:
    return words.count(len(page.links) + page.more_links, "link")


def _of_parts(items: list[Any]) -> Summary | None:
    """A text in parts, as `[{"type": "text/html", "value": …}]`; of the many the first."""
    texts = [
        value
        for item in items[:PARTS]
        if isinstance(item, dict)
        for name, value in item.items()
        if isinstance(value, str) and _is_html(name, value, item)
    ]
    if not texts or len(items) > PARTS:
        return None
    rows: list[Row] = []
    for page in map(read, texts):
        rows += [headline(words.HTML, _links(page)), *_of_page(page)]
    return Summary(tuple(rows))


def _is_html(name: str, text: str, beside: Mapping[str, Any]) -> bool:
    """By its name, by what a type beside it says, or by how it begins."""
    start = text[:3000].lower()
    if "<" not in start and "<" not in text:
        return False
    if start.lstrip().startswith(("<!doctype html", "<html")):
        return True
    named = "html" in name.lower() or plainly(name) in _TEXTS
    named = named or bool(_BEGINS.match(start)) or any(map(_says_html, beside.items()))
    if not named:
        return False
    lower = text.lower()
    return any(tag in lower for tag in _HTML[1:])


def _says_html(field: tuple[str, Any]) -> bool:
    return isinstance(field[1], str) and "type" in field[0].lower() and "html" in field[1][:100].lower()


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
    about = f"  {visible(kind)}, {kilobytes(size)}"
    return [(f"{words.ATTACHMENT} ", "italic"), (scalar_text(name), "bold"), (about, "italic")]


def _of_page(page: Page) -> Iterator[Row]:
    """A page's links that go elsewhere than they say, what it hides, its text, and its other links."""
    counts = Counter(page.links)
    for link, times in counts.items():
        if link.differs:
            yield Row((), (("⚠ ", "italic"), *_link(link, times)), "bullet")
    if page.more_links:
        yield warned(words.more_links(page.more_links))
    if page.hidden:
        yield warned(words.HIDDEN_TEXT)
        yield box(cut(visible("\n".join(page.hidden), keep="\n"), HIDDEN))
    for text in _odd(page):
        yield warned(text)
    if page.text:
        yield box(visible(page.text, keep="\n\t"))
    others = [link for link in counts if not link.differs]
    if others:
        yield said(words.LINKS)
        for link in others:
            yield Row((), tuple(_link(link, counts[link])), "bullet")


def _odd(page: Page) -> Iterator[str]:
    if page.scripts:
        yield words.SCRIPTS
    if page.styles:
        yield words.STYLES
    if page.comments:
        yield words.comments(page.comments)
    if page.images:
        yield words.images(page.images)


def _link(link: Link, times: int) -> Iterator[tuple[str, str]]:
    if link.text != link.url or not link.host:
        text = cut(visible(link.text), URL) if link.text else words.NO_TEXT
        yield text, "" if link.text else "italic"
        yield f" {words.GOES_TO} ", "italic"
    yield (visible(link.host), "bold") if link.host else (words.NO_HOST, "italic")
    yield "  " + cut(visible(link.url), URL), ""
    if times > 1:
        yield f"  {words.times(times)}", "italic"
