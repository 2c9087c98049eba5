"""Six characters by which people name a request: Crockford's base 32 of the beginning of its id; pure.

An id commits to what it names, so a code does too, but for chance and for who tries a billion of them: where
another request has the same six, one more is taken (`code_length` of its row), and what is looked up by a
code that several have is none of them.
"""

from __future__ import annotations

import hashlib
import re
import uuid

from signoff.models.identity import CODE, CROCKFORD, short_code

SHORTEST = CODE
LONGEST = 25
"""125 of an id's 128 bits."""
_READ = str.maketrans("OIL", "011")
_CODE = re.compile(rf"[{CROCKFORD}]{{{SHORTEST},{LONGEST}}}")


def code(approval_id: str, length: int = SHORTEST) -> str:
    """The code of an id, which is a UUID; of any other text that of its digest."""
    try:
        return short_code(approval_id, length)
    except ValueError:
        return short_code(uuid.UUID(hashlib.sha256(approval_id.encode()).hexdigest()[:32]), length)


def read(text: str) -> str | None:
    """What somebody typed → a code; None where it is none. O is 0, I and L are 1."""
    found = text.strip().upper().replace("-", "").translate(_READ)
    return found if _CODE.fullmatch(found) else None


def heads(found: str) -> list[str]:
    """How ids with this code may begin: their first eight hexadecimal digits, one to four of them."""
    known = found[:7]
    bits, left = 0, 32 - 5 * len(known)
    for char in known:
        bits = bits << 5 | CROCKFORD.index(char)
    if left < 0:
        return [f"{bits >> -left:08x}"]
    return [f"{bits << left | low:08x}" for low in range(1 << left)]


def apart(approval_id: str, others: list[str]) -> int:
    """How long the code of an id has to be so that none of the `others` has it."""
    length = SHORTEST
    while length < LONGEST and any(code(one, length) == code(approval_id, length) for one in others):
        length += 1
    return length
