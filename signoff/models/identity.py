"""Ids that commit: a request's id is made of what it asks for, so that it can name nothing else.

The recipe is the wire's (docs/design.md, The wire; docs/decisions/0012-ids-that-commit.md). Whoever holds an
id recomputes it from what is said to belong to it: the server from a request, an agent from a receipt.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import secrets
import socket
import time
import uuid

from signoff.payload.canonical import canonical

RECIPE = "signoff-id-1"
CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Without I, L, O and U, which are read for others."""
CODE = 6
"""Characters of a short code: with 1,000 requests in sight, one pair in 2,000 times shares one."""


def new_nonce() -> str:
    """128 random bits, in hexadecimal."""
    return secrets.token_hex(16)


def keyed_nonce(key: str, secret: str | None) -> str:
    """The nonce of a request with a key, so that asking again gives the same id.

    With the agent's own `secret` nobody else can tell the id of a coming request from its key.
    """
    if secret:
        return hmac.new(secret.encode(), key.encode(), hashlib.sha256).hexdigest()[:32]
    return hashlib.sha256(key.encode()).hexdigest()[:32]


def request_id(kind: str, agent: str, action: str, digest_sent: str, nonce: str) -> uuid.UUID:
    """The id of a request: a UUIDv8 (RFC 9562, section 5.8) of the SHA-256 over all that it commits to.

    `digest_sent` is the digest of the payload as the agent sends it.
    """
    named = canonical([RECIPE, kind, agent, action, digest_sent, nonce], "id")
    value = int.from_bytes(hashlib.sha256(named.encode()).digest()[:16])
    value = value & ~(0xF << 76) | 0x8 << 76
    return uuid.UUID(int=value & ~(0xC000 << 48) | 0x8000 << 48)


def short_code(request_id: uuid.UUID | str, characters: int = CODE) -> str:
    """What people call a request: the first bits of its id in Crockford's base 32, five a character.

    At most 9, as an id's first 48 bits are all of its hash. Raises ValueError for what is no id.
    """
    value = (request_id if isinstance(request_id, uuid.UUID) else uuid.UUID(request_id)).int
    shifts = range(123, 123 - 5 * characters, -5)
    return "".join(CROCKFORD[value >> shift & 31] for shift in shifts)


def process_name() -> str:
    """Names one try of this process to run something: who was first can tell itself from all others."""
    host = re.sub(r"[^A-Za-z0-9.-]", "-", socket.gethostname())[:40]
    return f"{host}-{os.getpid()}-{secrets.token_hex(16)}"


def new_id() -> uuid.UUID:
    """A UUIDv7 (RFC 9562, section 5.7): milliseconds since 1970, then 74 random bits."""
    value = (time.time_ns() // 1_000_000) << 80 | 0x7 << 76 | secrets.randbits(76)
    return uuid.UUID(int=value & ~(0xC000 << 48) | 0x8000 << 48)
