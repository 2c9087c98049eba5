"""Bytes that travel as text in a payload, found by what they are, whatever their field is called; pure.

A text is taken for bytes only where that is as good as sure: its first bytes are a known file's, or it
decodes to readable text, or its schema says so, or it is long and what it decodes to is no accident. A word,
an id, a path or a hash that happens to be spelled in base64's letters stays a text. All of it is linear.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import islice
from typing import Any, Literal
from urllib.parse import unquote_to_bytes

from signoff.bot.text.magic import BYTES, Kind, kind_of, kind_of_text, opens
from signoff.bot.text.words import octets as words

Spelling = Literal["base64", "base64url", "data URL", "hex"]

MOST_ATTACHED = 5
"""Files of one payload that go into its card's thread; of the others Review… shows the base64."""
MAGIC_BYTES = 12
"""Bytes from which on their beginning alone tells a file: by accident that happens once in 10^7 texts."""
LEAST_SHOWN = 24
"""Bytes of the smallest picture or PDF that there can be. What is shorter only begins like one."""
TEXT_CHARACTERS = 12
"""Characters of base64 from which on it is decoded where readable text comes out."""
FOREIGN_CHARACTERS = 24
"""The same where that text is not ASCII: by accident more comes out as some alphabet."""
LONG = 200
"""Characters from which on base64 counts as bytes without a known beginning."""
LINE = 40
"""Characters of a line, at least, where nothing but the line ends speaks for base64: 64 and 76 are usual."""

_STANDARD = re.compile(rb"[A-Za-z0-9+/]+={0,2}\Z")
_URL_SAFE = re.compile(rb"[A-Za-z0-9_-]+={0,2}\Z")
_HEX = re.compile(rb"(?:0x|\\x)?((?:[0-9a-f]{2})+|(?:[0-9A-F]{2})+)\Z")
_DATA_URL = re.compile(r"\s{0,40}data:[ -+\--~]{0,200}?;base64,", re.IGNORECASE)
_NO_ALPHABET = re.compile(rb"[^A-Za-z0-9+/]+")
_WHITE = b" \t\r\n"
_URL_TO_STANDARD = bytes.maketrans(b"-_", b"+/")
_UNSEEN = (
    (0xA0, 0xA0), (0xAD, 0xAD), (0x61C, 0x61C), (0x180E, 0x180E), (0x2000, 0x200F), (0x2028, 0x202F),
    (0x205F, 0x206F), (0x3000, 0x3000), (0xFEFF, 0xFEFF), (0xFFF9, 0xFFFB), (0xE0001, 0xE007F),
)  # fmt: skip
"""What is not seen and stands in texts all the same: with one of them a text is not kept from being read."""
_TEXT_ALLOWS = dict.fromkeys([9, 10, 13, *(code for a, z in _UNSEEN for code in range(a, z + 1))])
_SAYS_BYTES = {"contentEncoding": {"base64", "base64url"}, "format": {"byte", "base64", "base64url"}}


@dataclass(frozen=True)
class Blob:
    """Bytes that a value stands for. `spelling` is how they travel."""

    content: bytes = field(repr=False)
    type: Kind
    spelling: Spelling
    text: str | None = field(default=None, repr=False)
    """What they say, where they are readable text: our reading. The value is the base64."""
    sure: bool = True
    """False where another way in which programs read such a text gives a file that opens, or text, too.

    Lenient readers leave out what is not of their alphabet: of `-` and `_`, say, one that does not know the
    URL-safe alphabet. So one text can hold two pictures.
    """

    @property
    def kind(self) -> str:
        """What it is, as people read it."""
        return self.type.name

    @property
    def size(self) -> int:
        """In bytes."""
        return len(self.content)

    @property
    def shows(self) -> bool:
        """True where Slack itself shows such a file: PNG, JPEG, GIF, WebP, PDF."""
        return self.type.shows

    @cached_property
    def sha256(self) -> str:
        """The bytes' digest, in hex."""
        return hashlib.sha256(self.content).hexdigest()

    @property
    def described(self) -> str:
        """In one line, for a card: `PDF, 84 KB, sha 1f3a9c02…`."""
        return words.described(self.kind, self.size, self.sha256)

    @property
    def described_whole(self) -> str:
        """The same with every byte counted, for Review…"""
        return words.described_whole(self.kind, self.size, self.sha256)


def blob(value: Any, schema: Mapping[str, Any] | None = None) -> Blob | None:
    """The bytes that a value stands for; None where it is no text, or as well only a text.

    `schema` is the value's own; what it says is a claim and only makes shorter texts count as bytes.
    """
    if not isinstance(value, str) or len(value) < TEXT_CHARACTERS:
        return _claimed(value, schema) if isinstance(value, str) else None
    url = _DATA_URL.match(value)
    text = value[url.end() :] if url else value
    if url and "%" in text:
        text = unquote_to_bytes(text).decode("latin-1")
    if not text.isascii():
        return None
    raw = text.encode()
    letters = raw.translate(None, _WHITE)
    readings = dict(_readings(letters))
    if url:
        readings.pop("hex", None)  # it says base64
    found = _file(readings, bool(url)) or _readable(readings, letters, bool(url))
    if found is None and (url or _says_bytes(schema) or _is_no_accident(raw, letters)):
        found = _any(readings, bool(url))
    if found is None or not (found.shows or found.text) or _is_sure(found, value, readings):
        return found
    return replace(found, sure=False)


def attached(payload: Mapping[str, Any]) -> list[Blob]:
    """The first few files of a payload that Slack shows, each once, in its order."""
    return list(islice((one for one in blobs(payload) if one.shows), MOST_ATTACHED))


def blobs(payload: Mapping[str, Any]) -> Iterator[Blob]:
    """All bytes in a payload, each once, in its order; by their own look, whatever a schema says."""
    known = set[str]()
    left: list[Any] = [payload]
    while left:
        value = left.pop()
        if isinstance(value, dict):
            left.extend(reversed(value.values()))
        elif isinstance(value, list):
            left.extend(reversed(value))
        elif (one := blob(value)) is not None and one.sha256 not in known:
            known.add(one.sha256)
            yield one


def beginning(text: str) -> str | None:
    """What begins as this does, of a longer text: `PDF`; None where that is nothing known."""
    url = _DATA_URL.match(text)
    letters = text[url.end() if url else 0 :].encode("ascii", "replace").translate(None, _WHITE)
    letters = letters[: len(letters) // 4 * 4].translate(_URL_TO_STANDARD)
    if len(letters) < TEXT_CHARACTERS or not _STANDARD.match(letters):
        return None
    kind = kind_of(binascii.a2b_base64(letters))
    return kind.name if kind else None


def decoded(text: str) -> bytes | None:
    """What base64 stands for, in either alphabet, in lines or not; None where it is none. For whoever knows
    that it is base64.
    """
    if not text.isascii():
        return None
    for spelling, content in _readings(text.encode().translate(None, _WHITE)):
        if spelling != "hex":
            return content
    return None


def _readings(letters: bytes) -> Iterator[tuple[Spelling, bytes]]:
    """Every strict way to read it, in the order in which they count."""
    if len(letters.rstrip(b"=")) % 4 != 1:
        if _STANDARD.match(letters):
            if (content := _base64(letters)) is not None:
                yield "base64", content
        elif (
            _URL_SAFE.match(letters) and (content := _base64(letters.translate(_URL_TO_STANDARD))) is not None
        ):
            yield "base64url", content
    if found := _HEX.match(letters):
        yield "hex", bytes.fromhex(found[1].decode())


def _base64(letters: bytes) -> bytes | None:
    """Strictly: padding is right or left out, and nothing follows it."""
    core = letters.rstrip(b"=")
    padding = -len(core) % 4
    if len(letters) - len(core) not in (0, padding):
        return None
    try:
        return binascii.a2b_base64(core + b"=" * padding)
    except binascii.Error:
        return None


def _file(readings: Mapping[Spelling, bytes], url: bool) -> Blob | None:
    """Something that begins as a file of a known kind does."""
    for spelling, content in readings.items():
        kind = kind_of(content) if len(content) >= MAGIC_BYTES else None
        if kind is not None:
            kind = replace(kind, shows=kind.shows and len(content) >= LEAST_SHOWN)
            return Blob(content, kind, "data URL" if url else spelling)
    return None


def _readable(readings: Mapping[Spelling, bytes], letters: bytes, url: bool) -> Blob | None:
    """Something that decodes to text which can be read. Hex is not: too many numbers and hashes are hex."""
    for spelling, content in readings.items():
        if spelling == "hex" or not _is_canonical(content, letters):
            continue
        text = _text_of(content)
        if text is not None and (text.isascii() or len(letters) >= FOREIGN_CHARACTERS):
            return Blob(content, _kind(content, text), "data URL" if url else spelling, text)
    return None


def _any(readings: Mapping[Spelling, bytes], url: bool) -> Blob | None:
    for spelling, content in readings.items():
        if spelling != "hex":
            return Blob(content, BYTES, "data URL" if url else spelling)
    return None


def _claimed(value: str, schema: Mapping[str, Any] | None) -> Blob | None:
    """A short text is bytes only where its schema says so."""
    content = decoded(value) if value and _says_bytes(schema) else None
    if not content:
        return None
    text = _text_of(content)
    return Blob(content, _kind(content, text), "base64", text)


def _kind(content: bytes, text: str | None) -> Kind:
    """Of what is no file by itself: too short for one, or text."""
    known = kind_of(content)
    if known is not None:
        return replace(known, shows=False)
    return BYTES if text is None else kind_of_text(text)


def _says_bytes(schema: Mapping[str, Any] | None) -> bool:
    if not schema:
        return False
    said = ((schema.get(keyword), words_for) for keyword, words_for in _SAYS_BYTES.items())
    return any(isinstance(word, str) and word.lower() in words_for for word, words_for in said)


def _text_of(content: bytes) -> str | None:
    """Bytes as text that can be read; UTF-16 as well, in which PowerShell takes its commands."""
    try:
        text = content.decode(_encoding(content))
    except UnicodeDecodeError:
        return None
    return text if text.strip() and text.translate(_TEXT_ALLOWS).isprintable() else None


def _encoding(content: bytes) -> str:
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "utf-16"
    if len(content) < 8 or len(content) % 2 or (any(content[::2]) and any(content[1::2])):
        return "utf-8"
    return "utf-16-be" if any(content[1::2]) else "utf-16-le"


def _is_canonical(content: bytes, letters: bytes) -> bool:
    """The last letter holds nothing but what it has to: of four words by accident, one does."""
    end = base64.b64encode(content[len(content) // 3 * 3 :]).rstrip(b"=")
    return letters.rstrip(b"=").translate(_URL_TO_STANDARD).endswith(end)


def _is_no_accident(raw: bytes, letters: bytes) -> bool:
    """Long, in lines of one length if in lines, and padded, or its letters are those of packed bytes.

    A path or a sentence without spaces has hardly a digit or a capital; a hash is hex, a number digits.
    """
    if len(letters) < LONG or _HEX.match(letters):
        return False
    whole = raw.strip(_WHITE)
    if 0 <= whole.find(b"\n") < LINE:
        return False
    lines = [line.strip(_WHITE) for line in whole.split(b"\n")]
    if any(b" " in line or b"\t" in line for line in lines) or len(set(map(len, lines[:-1]))) > 1:
        return False
    if letters.endswith(b"="):
        return True
    total = len(letters)
    lower = total - len(letters.translate(None, b"abcdefghijklmnopqrstuvwxyz"))
    upper = total - len(letters.translate(None, b"ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
    digits = total - len(letters.translate(None, b"0123456789"))
    return lower * 5 > total and upper * 5 > total and digits * 16 > total


def _is_sure(found: Blob, value: str, readings: Mapping[Spelling, bytes]) -> bool:
    """Whether no other way to read the text gives something that opens, or can be read."""
    sent = value.encode("ascii", "ignore")
    others = [*readings.values(), _leniently(sent), _leniently(sent.translate(_URL_TO_STANDARD))]
    others = [other for other in others if other != found.content]
    return not any(opens(other) or (found.text and _text_of(other)) for other in others)


def _leniently(sent: bytes) -> bytes:
    """As readers do that leave out what is not of the standard alphabet: of a data URL's beginning, too."""
    core = _NO_ALPHABET.sub(b"", sent)
    if len(core) % 4 == 1:
        core = core[:-1]
    return binascii.a2b_base64(core + b"=" * (-len(core) % 4))
