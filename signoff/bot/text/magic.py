"""What bytes are, told by the first of them; pure. Nothing here reads a file any further.

A kind is told from what every program tells it by. It says what the bytes claim to be, not that they are
well formed: a file that only begins as a PDF is still called one.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from signoff.bot.text.words.octets import KINDS

HEAD = 1024
"""Bytes that are looked at; readers of PDF look for its beginning in as many."""


@dataclass(frozen=True)
class Kind:
    """`name` as people read it, `suffix` for the name of a file.

    `shows` where Slack shows such a file itself: it can be looked at without being opened by anything else.
    """

    key: str
    suffix: str = ""
    shows: bool = False

    @property
    def name(self) -> str:
        """What it is called."""
        return KINDS[self.key]


BYTES = Kind("bytes", "bin")
TEXT = Kind("text", "txt")

_SHOWN = ("png", "jpg", "gif", "webp", "pdf")
_BEGINNINGS = (
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"\xff\xd8\xff", "jpg"),
    (b"GIF87a", "gif"),
    (b"GIF89a", "gif"),
    (b"%PDF-", "pdf"),
    (b"\x7fELF", "elf"),
    (b"\xca\xfe\xba\xbe", "macho"),
    (b"\xfe\xed\xfa\xce", "macho"),
    (b"\xfe\xed\xfa\xcf", "macho"),
    (b"\xce\xfa\xed\xfe", "macho"),
    (b"\xcf\xfa\xed\xfe", "macho"),
    (b"\x00asm", "wasm"),
    (b"dex\n03", "dex"),
    (b"L\x00\x00\x00\x01\x14\x02\x00", "lnk"),
    (b"\x80\x03c", "pickle"),
    (b"\x80\x03}", "pickle"),
    (b"\x80\x04\x95", "pickle"),
    (b"\x80\x05\x95", "pickle"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "ole"),
    (b"PK\x03\x04", "zip"),
    (b"PK\x05\x06", "zip"),
    (b"\x1f\x8b\x08", "gz"),
    (b"\xfd7zXZ\x00", "xz"),
    (b"(\xb5/\xfd", "zst"),
    (b"7z\xbc\xaf\x27\x1c", "7z"),
    (b"Rar!\x1a\x07", "rar"),
    (b"SQLite format 3\x00", "sqlite"),
    (b"II*\x00", "tiff"),
    (b"MM\x00*", "tiff"),
    (b"\x00\x00\x01\x00\x01\x00", "ico"),
    (b"8BPS\x00\x01", "psd"),
    (b"OggS\x00", "ogg"),
    (b"fLaC\x00", "flac"),
    (b"\x1a\x45\xdf\xa3", "webm"),
    (b"wOFF", "woff"),
    (b"wOF2", "woff"),
)
_SUFFIXES = {"office": "zip", "opendocument": "zip", "ole": "bin", "macho": "bin", "elf": "bin", "lnk": "bin"}

_KEY = re.compile(r"-----BEGIN [A-Z0-9 ]{0,30}PRIVATE KEY")
_HEADERS = re.compile(
    r"(?:From|To|Cc|Bcc|Subject|Date|Received|Return-Path|Message-ID|MIME-Version|Content-Type|Delivered-To)"
    r":[ \t]",
    re.IGNORECASE,
)
_MARKUP = re.compile(r"<[!?a-z]", re.IGNORECASE)


def kind_of(content: bytes) -> Kind | None:
    """What binary these bytes begin as; None where nothing known begins so."""
    key = _known(content)
    return Kind(key, _SUFFIXES.get(key, key), key in _SHOWN) if key else None


def opens(content: bytes) -> bool:
    """True where some program would show these bytes as a picture or a PDF.

    Wider than `kind_of`: readers of PDF pass over what stands before its beginning.
    """
    kind = kind_of(content)
    return (kind is not None and kind.shows) or b"%PDF-" in content[:HEAD]


def kind_of_text(text: str) -> Kind:
    """What kind of text it is, by its beginning."""
    start = text[:HEAD].lstrip("\ufeff \t\r\n")
    if start.startswith("-----BEGIN "):
        return Kind("key" if _KEY.match(start) else "pem", "txt")
    if start.startswith("#!") or start[:9].lower() == "@echo off":
        return Kind("script", "txt")
    if start.startswith("{\\rtf"):
        return Kind("rtf", "txt")
    if start.startswith("%!PS"):
        return Kind("ps", "txt")
    if _MARKUP.match(start):
        return _markup(start.lower())
    if _HEADERS.match(start):
        return Kind("mail", "txt")
    ends = start[:1] + text[-HEAD:].rstrip()[-1:]
    return Kind("json", "txt") if ends in ("{}", "[]") else TEXT


def _known(content: bytes) -> str:
    head = content[:HEAD]
    for beginning, key in _BEGINNINGS:
        if head.startswith(beginning):
            return _zipped(head) if key == "zip" else key
    later: tuple[Callable[[bytes], str], ...] = (_riff, _boxes, _windows, _bitmap, _sound, _other)
    return next(filter(None, (look(content) for look in later)), "")


def _zipped(head: bytes) -> str:
    """What an archive's first entry is called says what kind of document it is."""
    name = head[30:60]
    if name.startswith((b"[Content_Types].xml", b"_rels/", b"docProps/", b"word/", b"xl/", b"ppt/")):
        return "office"
    if name.startswith(b"mimetypeapplication/"):
        return "opendocument"
    return "jar" if name.startswith(b"META-INF/") else "zip"


def _riff(content: bytes) -> str:
    if content[:4] != b"RIFF":
        return ""
    return {b"WEBP": "webp", b"WAVE": "wav"}.get(content[8:12], "")


def _boxes(content: bytes) -> str:
    """Files made of boxes: the first names the brand."""
    if content[4:8] != b"ftyp":
        return ""
    return "heic" if content[8:12] in (b"heic", b"heix", b"mif1", b"msf1", b"avif", b"avis") else "mp4"


def _windows(content: bytes) -> str:
    """`MZ` alone is two letters: where it points to has to say so too."""
    at = int.from_bytes(content[60:64], "little")
    return "exe" if content[:2] == b"MZ" and content[at : at + 4] == b"PE\0\0" else ""


def _bitmap(content: bytes) -> str:
    """`BM` too: the length follows, and two empty words."""
    told = int.from_bytes(content[2:6], "little")
    return "bmp" if content[:2] == b"BM" and told == len(content) and not any(content[6:10]) else ""


def _sound(content: bytes) -> str:
    tagged = content[:3] == b"ID3" and content[3:4] in (b"\2", b"\3", b"\4")
    return "mp3" if tagged or (len(content) > HEAD and content[:2] in (b"\xff\xfb", b"\xff\xf3")) else ""


def _other(content: bytes) -> str:
    if content[:3] == b"BZh" and content[4:10] in (b"1AY&SY", b"\x17rE8P\x90"):
        return "bz2"
    return "tar" if content[257:262] == b"ustar" else ""


def _markup(start: str) -> Kind:
    if "<svg" in start:
        return Kind("svg", "txt")
    if start.startswith(("<!doctype html", "<html")) or "<body" in start or "<script" in start:
        return Kind("html", "txt")
    return Kind("xml", "txt") if start.startswith("<?xml") else TEXT
