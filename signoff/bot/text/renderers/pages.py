"""HTML → its text, what of it a reader may not see, and where its links go; pure and linear.

A reader of its own, because the standard library's takes the square of a text that was made for it, and
because nothing is run, fetched or laid out here: tags are marks in a text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html import unescape
from urllib.parse import urlsplit

from signoff.bot.text.hosts import is_host, plain_of
from signoff.bot.text.renderers.colours import is_hidden

_PARTS = re.compile(
    r"<!--(?P<comment>.*?)(?:--!?>|\Z)"
    r"|<(?P<raw>script|style|title|textarea|noscript|template|xmp)\b(?P<about>(?:[^\"'>]|\"[^\"]*+(?:\"|\Z)|'[^']*+(?:'|\Z))*+)>"
    r"|<(?P<close>/?)(?P<tag>[A-Za-z][A-Za-z0-9:-]*+)(?P<fields>(?:[^\"'>]|\"[^\"]*+(?:\"|\Z)|'[^']*+(?:'|\Z))*+)(?:>|\Z)"
    r"|<[!?/][^>]*+(?:>|\Z)"
    r"|(?P<text>(?:[^<]|<(?![A-Za-z!?/]))++|<)",
    re.DOTALL | re.IGNORECASE,
)
_FIELD = re.compile(
    r"(?P<name>[^\s\"'>/=]++)(?:\s*+=\s*+(?:\"(?P<double>[^\"]*+)\"?|'(?P<single>[^']*+)'?|(?P<bare>[^\s>]++)))?+"
)
_BLOCKS = frozenset(
    [
        "p",
        "div",
        "br",
        "tr",
        "table",
        "ul",
        "ol",
        "li",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "blockquote",
        "pre",
        "section",
        "article",
        "header",
        "footer",
        "hr",
        "body",
        "html",
        "form",
        "dl",
        "dt",
        "dd",
        "center",
        "address",
    ]
)
_VOID = frozenset(
    [
        "br",
        "hr",
        "img",
        "input",
        "meta",
        "link",
        "area",
        "base",
        "col",
        "embed",
        "source",
        "track",
        "wbr",
        "param",
    ]
)
_GOES = {"a": "href", "area": "href", "form": "action", "iframe": "src", "embed": "src", "object": "data",
         "base": "href", "link": "href", "button": "formaction", "input": "formaction"}  # fmt: skip
_DOT = re.compile("[.\u3002\uff0e\uff61]")
"""What a browser takes for the dot in a host's name (IDNA)."""
_BETWEEN = re.compile(r"""[\s()\[\]{}<>"'“”‘’«»‹›„,;|!*`]++""")
"""What stands between words in a text, and around them."""
MOST_LINKS = 2_000
LEVELS = 3
"""Pages in pages that are read."""
MOST_HOSTS = 1_000
"""Words of a link's text that are looked at; one with more is taken to name another host."""


@dataclass(frozen=True)
class Link:
    """Its text and where it goes, as written; no `host` where it names none; `differs` from its text."""

    text: str
    url: str
    host: str
    differs: bool


@dataclass
class Page:
    """What HTML says; texts are as written, not yet visible."""

    text: str = ""
    hidden: list[str] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
    more_links: int = 0
    """Links beyond those."""
    images: int = 0
    scripts: bool = False
    styles: bool = False
    comments: int = 0
    """Characters in comments."""


def read(html: str) -> Page:
    """All of a text of HTML."""
    return _Reader(html).page


class _Reader:
    def __init__(self, html: str, levels: int = LEVELS) -> None:
        self.levels = levels
        self.page = Page()
        self.shown: list[str] = []
        self.hidden: list[str] = []
        self.open: list[str] = []
        """Tags around, since the first that hides what is in it."""
        self.link: tuple[str, list[str]] | None = None
        at = 0
        while at < len(html) and (part := _PARTS.match(html, at)):
            at = max(part.end(), at + 1)
            if part["text"] is not None:
                self._text(unescape(part["text"]))
            elif part["comment"] is not None:
                self.page.comments += len(part["comment"].strip())
            elif part["raw"]:
                at = self._raw(html, part["raw"].lower(), at)
            elif part["tag"]:
                self._tag(part["tag"].lower(), bool(part["close"]), part["fields"])
        self._end_link()
        self._end_hidden()
        lines = (" ".join(line.split()) for line in "".join(self.shown).split("\n"))
        self.page.text = re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()

    def _text(self, text: str) -> None:
        flat = re.sub(r"[\t\r\n ]+", " ", text)
        (self.hidden if self.open else self.shown).append(flat)
        if self.link is not None:
            self.link[1].append(flat)

    def _raw(self, html: str, tag: str, at: int) -> int:
        """What holds no tags: scripts and styles are told of, of the others the text is shown."""
        found = re.compile(rf"</{tag}[^>]*+(?:>|\Z)", re.IGNORECASE).search(html, at)
        end = found.start() if found else len(html)
        self.page.scripts = self.page.scripts or tag == "script"
        self.page.styles = self.page.styles or tag == "style"
        if tag not in ("script", "style"):
            self._text(unescape(html[at:end]) + "\n")
        return found.end() if found else len(html)

    def _tag(self, tag: str, closes: bool, fields: str) -> None:
        if tag in _BLOCKS:
            (self.hidden if self.open else self.shown).append("\n")
        if closes:
            self._closed(tag)
            return
        about = _about(fields) if fields.strip(" /") else {}
        if tag == "img":
            self.page.images += 1
            self._text(f" {about['alt']} " if about.get("alt") else "")
        self.page.scripts = self.page.scripts or any(name.startswith("on") for name in about)
        if tag == "meta" and about.get("http-equiv", "").lower() == "refresh":
            self._linked("", about.get("content", "").partition("=")[2])
        goes = about.get(_GOES.get(tag, "")) or about.get("xlink:href", "")
        if goes and tag == "a":
            self._end_link()
            self.link = goes, []
        elif goes:
            self._linked("", goes)
        if tag == "iframe" and "srcdoc" in about:
            self._inner(about["srcdoc"])
        if self.open and tag not in _VOID and len(self.open) < 1000:
            self.open.append(tag)
        elif tag not in _VOID and is_hidden(about):
            self.open = [tag]

    def _inner(self, html: str) -> None:
        """A page that stands in a field of this one; of one that is too deep it is told that it is there."""
        if not self.levels:
            self.page.scripts = True
            return
        inner = _Reader(html, self.levels - 1).page
        self._text(f" {inner.text} ")
        self.page.hidden += inner.hidden
        for link in inner.links:
            if len(self.page.links) < MOST_LINKS:
                self.page.links.append(link)
            else:
                self.page.more_links += 1
        self.page.more_links += inner.more_links
        self.page.images += inner.images
        self.page.scripts = self.page.scripts or inner.scripts
        self.page.styles = self.page.styles or inner.styles
        self.page.comments += inner.comments

    def _closed(self, tag: str) -> None:
        if tag == "a":
            self._end_link()
        if tag in self.open[-20:]:
            while self.open and self.open.pop() != tag:
                pass
            if not self.open:
                self._end_hidden()

    def _end_hidden(self) -> None:
        text = " ".join("".join(self.hidden).split())
        if text:
            self.page.hidden.append(text)
        self.hidden = []

    def _end_link(self) -> None:
        if self.link is not None:
            url, texts = self.link
            self.link = None
            self._linked(" ".join("".join(texts).split()), url)

    def _linked(self, text: str, url: str) -> None:
        if not url:
            return
        if len(self.page.links) == MOST_LINKS:
            self.page.more_links += 1
            return
        self.page.links.append(Link(text, url, host_of(url), _differs(text, url)))


def _about(fields: str) -> dict[str, str]:
    """A tag's fields; of one that stands twice the first counts, as in a browser."""
    found: dict[str, str] = {}
    for one in _FIELD.finditer(fields):
        value = one["double"] or one["single"] or one["bare"] or ""
        found.setdefault(one["name"].lower(), unescape(value))
    return found


def host_of(url: str) -> str:
    """The host that a browser would go to, with all that it takes for slashes; empty where there is none."""
    bare = re.sub("[\t\r\n]", "", url).strip("".join(map(chr, range(33))))
    scheme, colon, rest = bare.partition(":")
    if colon and scheme.lower() in ("http", "https", "ftp", "ws", "wss"):
        bare = f"{scheme}://" + rest.replace("\\", "/").lstrip("/")
    elif bare[:2].replace("\\", "/") == "//":
        bare = "http://" + bare.replace("\\", "/").lstrip("/")
    try:
        return urlsplit(bare).hostname or ""
    except ValueError:
        return ""


def _differs(text: str, url: str) -> bool:
    """Whether a link's text names another host than the one that it goes to."""
    host = host_of(url)
    if "@" in url.partition("://")[2].partition("/")[0] and host:
        return True
    words = [word for word in _BETWEEN.split(text) if _DOT.search(word)]
    if len(words) > MOST_HOSTS:
        return True
    for word in (_DOT.sub(".", word).strip(".") for word in words):
        if "." not in word or len(word) > 300 or not is_host(plain_of(word)):
            continue
        named = host_of(word if "://" in word else f"http://{word.rpartition('@')[2]}")
        if named and named.removeprefix("www.") != host.removeprefix("www."):
            mailed = word.count("@") == 1 and url.lower().startswith(f"mailto:{word.lower()}")
            if not mailed:
                return True
    return False
