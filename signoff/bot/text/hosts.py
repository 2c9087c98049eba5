"""Which words are addresses, where the names of hosts stand in them, and what coded names stand for; pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from signoff.bot.text.alphabet import MIDDLE, looks

MOST_NAME = 253
"""Characters of a host's name (RFC 1035); of a longer one nothing is decoded."""
_TOP = re.compile(r"\.[A-Za-z]{2,24}(?::[0-9]{1,5})?\Z")
_AUTHORITY_ENDS = re.compile(r"[/?#\\]")
_AFTER_SCHEME = re.compile(r"://([^/?#\\]*+)")
_FILES = re.compile(
    r"pdf|docx?|odt|rtf|txt|md|[ct]sv|xlsx?|od[sp]|pptx?|jpe?g|png|gif|webp|svg|heic|tiff?|mp[34]|m4a|mov|avi"
    r"|wav|zip|gz|tar|rar|7z|json|ya?ml|xml|html?|log|eml|ics|vcf|psd|py|js|ts|sql"
)
COMMON_TOPS = (
    "com|net|org|info|biz|io|ai|app|dev|co|edu|gov|mil|int|eu|uk|us|de|fr|es|it|nl|pl|ru|cn|jp|in|br|ca"
    "|ch|at|se|me|tv|cc|xyz|online|site|shop|store|cloud|tech|bank|pro|name"
)
"""Ends of a host's name by which anybody knows one, for a pattern."""
_COMMON_TOP = re.compile(rf"(?:{COMMON_TOPS})(?::[0-9]{{1,5}})?", re.IGNORECASE)
_CODED = re.compile(r"(?<![A-Za-z0-9.-])(?=[A-Za-z0-9.-]*?xn--)[A-Za-z0-9.-]++", re.IGNORECASE | re.ASCII)


def plain_of(word: str) -> str:
    """A word as an address reads, of the same length; middle dots are points where a host's name is."""
    hard = looks(word, near=True)
    soft = "".join(char if char in MIDDLE else read for char, read in zip(word, hard, strict=True))
    if soft == hard:
        return hard
    name = _AUTHORITY_ENDS.split(soft, maxsplit=1)[0]
    last = re.split(f"[{''.join(sorted(MIDDLE))}.]", name)[-1]
    if is_host(soft):
        inside = authorities(soft)
        return "".join(hard[at] if inside[at] else soft[at] for at in range(len(word)))
    return hard[: len(name)] + soft[len(name) :] if _COMMON_TOP.fullmatch(last) else soft


def is_host(plain: str) -> bool:
    """Whether an address names a host, and no file."""
    if "://" in plain or "@" in plain:
        return True
    name = _AUTHORITY_ENDS.split(plain, maxsplit=1)[0]
    last = _TOP.search(name)
    return last is not None and (name != plain or not _FILES.fullmatch(last[0][1:].lower()))


def authorities(plain: str) -> bytearray:
    """For each character 1 where the name of a host stands: after a scheme, an `@`, or at the beginning."""
    found = [place.span(1) for place in _AFTER_SCHEME.finditer(plain)]
    head = _AUTHORITY_ENDS.split(plain, maxsplit=1)[0]
    if not head.endswith(":"):
        found.append((head.rfind("@") + 1, len(head)))
    inside = bytearray(len(plain))
    for start, end in found:
        inside[start:end] = b"\1" * (end - start)
    return inside


def coded_hosts(text: str) -> Iterator[tuple[str, str]]:
    """Every host with a label in Punycode (RFC 3492), and what it reads; empty where that cannot be told."""
    for place in _CODED.finditer(text) if "xn--" in text.lower() else ():
        host = place[0].strip(".-")
        labels = host.split(".") if len(host) <= MOST_NAME else []
        try:
            read = ".".join(map(_decoded, labels))
            read.encode()
        except (UnicodeError, ValueError, OverflowError):
            read = ""
        yield host, read


def _decoded(label: str) -> str:
    return label[4:].encode().decode("punycode") if label.lower().startswith("xn--") else label
