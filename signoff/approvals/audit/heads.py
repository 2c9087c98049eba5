"""Heads of the log as witnesses outside get them: how many lines, and the last one's hash, signed.

Whoever owns the database can cut the log's end off, or write all of it anew; not what a witness has. A head
is a token of its own kind, so that anything that keeps text can be a witness: it is found by its form.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable
from dataclasses import dataclass, field

from signoff.errors import NotVerified
from signoff.models.log import Head
from signoff.signatures import HEAD, Signer, VerifyKeys, open_sealed

_CHAR = "[A-Za-z0-9_-]"
TOKEN = re.compile(rf"eyJ{_CHAR}{{20,400}}\.eyJ{_CHAR}{{20,1000}}\.{_CHAR}{{86}}(?![A-Za-z0-9_.-])")
"""What a head looks like in a text."""
_REQUIRED = ("iss", "iat", "lines", "head")
_HASH = re.compile(r"[0-9a-f]{64}")


@dataclass
class Seen:
    """What witnesses have: hashes by the count of lines, and what of it is none of ours."""

    heads: dict[int, str] = field(default_factory=dict)
    latest: int = 0
    """When the last one was signed, in seconds since 1970."""
    refused: list[str] = field(default_factory=list)
    """Why something that looks like a head is none of ours."""
    twice: list[Head] = field(default_factory=list)
    """Heads of as many lines as another one that was seen, with another hash."""


def sealed(signer: Signer, head: Head, issuer: str) -> str:
    """A head → the token for witnesses."""
    claims = {"iss": issuer, "iat": int(time.time()), "lines": head.lines, "head": head.hash}
    return signer.seal(HEAD, claims)


def opened(token: str, keys: VerifyKeys, issuer: str) -> tuple[Head, int]:
    """A token → the head, and when it was signed (seconds since 1970); raises NotVerified."""
    claims = open_sealed(token, keys, HEAD, issuer=issuer, required=_REQUIRED)
    lines, found, at = claims["lines"], claims["head"], claims["iat"]
    whole = type(lines) is int and type(at) is int and isinstance(found, str)
    if not whole or lines < 0 or not _HASH.fullmatch(found):
        raise NotVerified("Its claims are not a head's.")
    return Head(lines, found), at


def read(texts: Iterable[str], keys: VerifyKeys, issuer: str, seen: Seen) -> int:
    """Take the heads in a witness's text, line by line; gives how many there were."""
    count = 0
    for text in texts:
        for token in TOKEN.findall(text):
            try:
                head, at = opened(token, keys, issuer)
            except NotVerified as error:
                seen.refused.append(error.detail)
                continue
            count += 1
            seen.latest = max(seen.latest, at)
            if seen.heads.setdefault(head.lines, head.hash) != head.hash:
                seen.twice.append(head)
    return count
