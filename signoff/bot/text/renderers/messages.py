"""A message as it goes over the wire (RFC 5322, MIME) → headers, texts and attachments; pure and bounded."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from email import message_from_bytes
from email.errors import MessageError
from email.header import decode_header
from email.message import Message as Parsed
from email.policy import compat32

from signoff.bot.text.words import summaries as words

FIRST = ("to", "cc", "bcc", "resent-to", "resent-cc", "resent-bcc", "from", "sender", "reply-to", "subject")
"""Headers that are shown, in this order."""
HEADER = 10_000
"""Characters of a header that are decoded."""
LEAVES = 100
"""Texts and attachments of one message that are looked at."""
PARTS = 16
"""Boundaries that are followed."""
TRIED = 400_000
"""Lines times boundaries: the library tries each of them at every line."""
_HEADERS = re.compile(r"(?:[!-9;-~]{1,60}:[^\n]*+\n(?:[ \t][^\n]*+\n)*+){2,}+(?:\r?\n|\Z)")
_NAMES = re.compile(r"^(to|cc|bcc|from|subject|mime-version|date|message-id):", re.IGNORECASE | re.MULTILINE)
_CODED = re.compile(r"[A-Za-z0-9_+/=\r\n-]++")
_RAW = frozenset({"raw", "mime", "eml", "rfc822", "rawmessage", "raw_message", "message_raw"})


@dataclass
class Message:
    """Texts as written, not yet visible; files as name, kind and bytes."""

    headers: list[tuple[str, str]] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    pages: list[str] = field(default_factory=list)
    files: list[tuple[str, str, int]] = field(default_factory=list)
    odd: list[str] = field(default_factory=list)


def message(name: str, text: str) -> Message | None:
    """A text as a message; None where it is none."""
    content = _content(name, text)
    if content is None:
        return None
    found = Message()
    boundaries = content.lower().count(b"boundary")
    if boundaries > PARTS or boundaries * content.count(b"\n") > TRIED:
        found.odd.append(words.TOO_MANY_PARTS)
        content = re.split(rb"\r?\n\r?\n", content, maxsplit=1)[0] + b"\n\n"
    try:
        parsed = message_from_bytes(content, policy=compat32)
        _headers(found, parsed)
        for number, part in enumerate(_leaves(parsed)):
            if number == LEAVES:
                found.odd.append(words.TOO_MANY_PARTS)
                break
            if max((len(str(value)) for value in part.values()), default=0) > HEADER:
                found.odd += [] if words.PARTS_UNREAD in found.odd else [words.PARTS_UNREAD]
            else:
                _part(found, part)
    except (MessageError, ValueError, LookupError, RecursionError, TypeError, AttributeError):
        found.odd.append(words.PARTS_UNREAD)
    return found


def _content(name: str, text: str) -> bytes | None:
    if _is_message(text):
        return text.encode("utf-8", "surrogateescape")
    if name.lower() not in _RAW or len(text) < 40 or not _CODED.fullmatch(text):
        return None
    plain = text.replace("-", "+").replace("_", "/").replace("\n", "").replace("\r", "").rstrip("=")
    try:
        content = base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None
    return content if _is_message(content[:20_000].decode("utf-8", "replace")) else None


def _is_message(text: str) -> bool:
    start = text[:20_000]
    if ":" not in start[:80] or len(_NAMES.findall(start)) < 2:
        return False
    return bool(_HEADERS.match(start.replace("\r\n", "\n") + "\n"))


def _headers(found: Message, parsed: Parsed) -> None:
    named: dict[str, list[tuple[str, str]]] = {wanted: [] for wanted in FIRST}
    for name, value in parsed.items():  # once: the library makes every header's value anew each time
        if name.lower() in named:
            named[name.lower()].append((name, _decoded(str(value))))
    for wanted, headers in named.items():
        found.headers += headers
        if wanted not in ("sender", "resent-to") and len(headers) > 1:
            found.odd.append(words.twice(wanted))


def _decoded(value: str) -> str:
    """A header's text; of what cannot be decoded, what is written."""
    value = re.sub(r"\r?\n[ \t]*", " ", value)
    if len(value) > HEADER:
        return value
    try:
        return "".join(
            part if isinstance(part, str) else part.decode(code or "ascii", "backslashreplace")
            for part, code in decode_header(value)
        )
    except (MessageError, ValueError, LookupError):
        return value


def _leaves(parsed: Parsed) -> Iterator[Parsed]:
    left = [parsed]
    while left:
        part = left.pop()
        inner = part.get_payload()
        if isinstance(inner, list):
            left += reversed([one for one in inner if isinstance(one, Parsed)])
        else:
            yield part


def _part(found: Message, part: Parsed) -> None:
    coded = str(part.get("content-transfer-encoding", "")).strip().lower()
    decodes = coded in ("base64", "quoted-printable")
    content = part.get_payload(decode=True) if decodes else part.get_payload()
    content = content if isinstance(content, bytes) else str(content or "").encode("utf-8", "surrogateescape")
    kind, name = part.get_content_type(), part.get_filename()
    if name or part.get_content_disposition() == "attachment" or not kind.startswith("text/"):
        found.files.append((_decoded(str(name or words.NO_NAME)), kind, len(content)))
        return
    text = content.decode(_charset(part), "backslashreplace")
    (found.pages if kind == "text/html" else found.texts).append(text)


def _charset(part: Parsed) -> str:
    name = str(part.get_content_charset() or "utf-8")
    try:
        "".encode(name)
        return (
            name
            if name.lower() not in ("idna", "punycode", "unicode_escape", "raw_unicode_escape")
            else "utf-8"
        )
    except (LookupError, ValueError):
        return "utf-8"
