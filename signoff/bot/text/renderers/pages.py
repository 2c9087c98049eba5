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
_HIDES = re.compile(
    r"display\s*+:\s*+none|visibility\s*+:\s*+(?:hidden|collapse)|opacity\s*+:\s*+0?\.?0*+(?=[\s;!]|\Z)"
    r"|font-size\s*+:\s*+[01](?:\.\d*+)?(?:px|pt|em|rem|%)?(?=[\s;!]|\Z)|(?:max-)?(?:height|width)\s*+:\s*+[01](?:px)?(?=[\s;!]|\Z)"
    r"|text-indent\s*+:\s*+-\d{3,}|(?:left|top|margin-left)\s*+:\s*+-\d{3,}|mso-hide\s*+:\s*+all"
    r"|(?<![-\w])color\s*+:\s*+(?:transparent|white|\#fff(?:fff)?\b|rgba?\(\s*+255\s*+,\s*+255\s*+,\s*+255)|clip\s*+:\s*+rect\(0",
    re.IGNORECASE,
)
_CONTROLS = re.compile("[\x00-\x20\x7f]+")
MOST_LINKS = 2_000


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
    images: int = 0
    scripts: bool = False
    styles: bool = False
    comments: int = 0
    """Characters in comments."""


def read(html: str) -> Page:
    """All of a text of HTML."""
    return _Reader(html).page


class _Reader:
    def __init__(self, html: str) -> None:
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
        if tag in _GOES and about.get(_GOES[tag]):
            if tag == "a":
                self._end_link()
                self.link = about["href"], []
            else:
                self._linked("", about[_GOES[tag]])
        if self.open and tag not in _VOID and len(self.open) < 1000:
            self.open.append(tag)
        elif tag not in _VOID and _is_hidden(about):
            self.open = [tag]

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
        if url and len(self.page.links) < MOST_LINKS:
            self.page.links.append(Link(text, url, host_of(url), _differs(text, url)))


def _about(fields: str) -> dict[str, str]:
    """A tag's fields; of one that stands twice the first counts, as in a browser."""
    found: dict[str, str] = {}
    for one in _FIELD.finditer(fields):
        value = one["double"] or one["single"] or one["bare"] or ""
        found.setdefault(one["name"].lower(), unescape(value))
    return found


def _is_hidden(about: dict[str, str]) -> bool:
    if "hidden" in about or about.get("aria-hidden", "").lower() == "true":
        return True
    if about.get("color", "").lower() in ("white", "#fff", "#ffffff") or about.get("size") == "0":
        return True
    return bool(_HIDES.search(about.get("style", "")[:2000]))


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
    for word in text.split()[:20]:
        if "." not in word or len(word) > 300 or not is_host(plain_of(word)):
            continue
        named = host_of(word if "://" in word else f"http://{word.rpartition('@')[2]}")
        if named and named.removeprefix("www.") != host.removeprefix("www."):
            return not (word.count("@") == 1 and url.lower().startswith(f"mailto:{word.lower()}"))
    return False
