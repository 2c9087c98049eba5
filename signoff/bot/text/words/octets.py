"""What is said of bytes in a payload: what they are, how much, and where they can be looked at."""

from __future__ import annotations

from signoff.bot.text.text import Trusted
from signoff.bot.text.words.card import REVIEW_MORE, action_name, kilobytes
from signoff.bot.text.words.summaries import count

SHOWN_OF_DIGEST = 8
"""Characters of a digest on a card: enough to tell two files of one request apart. The whole is in Review…"""

KINDS = {
    # what Slack shows to whoever opens it
    "png": "PNG image",
    "jpg": "JPEG image",
    "gif": "GIF image",
    "webp": "WebP image",
    "pdf": "PDF",
    # what runs
    "exe": "a Windows program",
    "elf": "a Linux program",
    "macho": "a macOS program, or Java classes",
    "wasm": "a WebAssembly program",
    "dex": "an Android program",
    "lnk": "a Windows shortcut",
    "pickle": "a Python pickle: it runs code when it is loaded",
    # what holds other things
    "office": "an Office document (Word, Excel or PowerPoint)",
    "ole": "an old Office document or a Windows installer",
    "opendocument": "an OpenDocument file or an e-book",
    "jar": "a Java archive",
    "zip": "ZIP archive",
    "gz": "gzip archive",
    "bz2": "bzip2 archive",
    "xz": "xz archive",
    "zst": "Zstandard archive",
    "7z": "7-Zip archive",
    "rar": "RAR archive",
    "tar": "tar archive",
    "sqlite": "an SQLite database",
    # pictures, sound and films that are described only
    "tiff": "TIFF image",
    "bmp": "BMP image",
    "ico": "an icon",
    "heic": "HEIC or AVIF image",
    "psd": "Photoshop image",
    "mp3": "MP3 sound",
    "wav": "WAV sound",
    "ogg": "Ogg sound or film",
    "flac": "FLAC sound",
    "mp4": "MP4 film or sound",
    "webm": "WebM or Matroska film",
    "woff": "a font",
    # what is text once it is decoded
    "rtf": "RTF document",
    "ps": "PostScript: a program that draws",
    "key": "a private key",
    "pem": "a certificate or key in PEM",
    "svg": "SVG image: text, may hold scripts",
    "html": "HTML",
    "xml": "XML",
    "script": "a script",
    "mail": "an e-mail",
    "json": "JSON",
    "text": "text",
    # all else
    "bytes": "bytes",
}
"""By `octets.Kind.key`. An article stands where the word would else be read as a name."""


def described(kind: str, size: int, sha256: str) -> str:
    """A file in one line: `PDF, 84 KB, sha 1f3a9c02…`."""
    return f"{kind}, {kilobytes(size)}, sha {sha256[:SHOWN_OF_DIGEST]}…"


def described_whole(kind: str, size: int, sha256: str) -> str:
    """The same with every byte counted, for Review…"""
    return f"{kind}, {count(size, 'byte')}, sha {sha256[:SHOWN_OF_DIGEST]}…"


def named_by_digest(kind: str, size: int, sha256: str) -> str:
    """The same with its digest in full, for Details…: nobody decides by 64 digits."""
    return f"{kind}, {count(size, 'byte')}, SHA-256 {sha256}"


def in_thread(name: str) -> str:
    """After a file's description, once it stands in the card's thread."""
    return f"(in the thread, to look at: {name})"


def sent_as(spelling: str) -> str:
    """Before the value itself, as it is sent."""
    return f"as it is sent, in {spelling}:"


DECODED = "decoded by Signoff:"
"""Before the text that a value stands for: the value is the base64, this is our reading of it."""
READ_OTHERWISE = (
    "Programs differ in how they read this base64, and another way gives something else, too: what is shown "
    f"or stands in the thread may not be what is used. {REVIEW_MORE} shows it as it is sent."
)
"""Of a file whose base64 is not the plain one (see `octets.Blob.sure`)."""


def file_name(number: int, suffix: str) -> str:
    """What a file is called in the thread: by us, never by the agent."""
    return f"attachment-{number}.{suffix}"


def alternative(number: int, kind: str, size: int) -> str:
    """Of a picture, for who does not see it."""
    return f"Attachment {number}: {kind}, {kilobytes(size)}"


def comment(number: int, kind: str, size: int, agent: str, action: str, permalink: str | None) -> Trusted:
    """Above a file in the thread, in which other requests of the same run may stand, too.

    It stays when the file is deleted, and so holds no digest.
    """
    named = action_name(action)
    what = f"<{permalink}|this request> ({named})" if permalink else named
    return Trusted(
        f"Attachment {number} of {what}: {kind}, {kilobytes(size)}. "
        f"It comes from {agent}, and nobody has checked what is in it."
    )
