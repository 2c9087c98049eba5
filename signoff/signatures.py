"""Keys and signatures: everything that Signoff signs, whatever it says; pure.

It is a JWT (RFC 7519) with EdDSA over Ed25519 (RFC 8037), its key named by `kid` and its kind by `typ`
(RFC 8725, section 3.11). Keys are written as `ed25519:…` (public, what agents get) and `ed25519-private:…`
(the server's alone). It is one algorithm and one spelling, so no library of JWT reads it: docs/decisions/
0017-receipts-without-a-jwt-library.md.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import time
from collections.abc import Collection, Mapping
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from signoff.errors import ConfigError, NotVerified, SignoffError
from signoff.payload.canonical import LARGEST_NUMBER, parse

ALGORITHM = "EdDSA"
RECEIPT, NOTICE, HEAD = "signoff-receipt+jwt", "signoff-notice+jwt", "signoff-head+jwt"
DENIAL, APPROVAL = "signoff-denial+jwt", "signoff-approval+jwt"
INQUIRY = "signoff-inquiry+jwt"
UNDO_TEST = "signoff-undo-test+jwt"
LESSONS = "signoff-lessons+jwt"
STOPS = "signoff-stops+jwt"
"""The `typ` of each kind of signed thing: none passes for another."""
MAX_TOKEN = 64 * 1024
"""Characters of a signed thing that anybody reads."""
_PUBLIC, _PRIVATE = "ed25519:", "ed25519-private:"
_TEXTS, _TIMES = ("iss", "sub", "jti"), ("iat", "nbf", "exp")
"""Registered claims (RFC 7519, section 4.1), where they are there: texts, and whole seconds since 1970."""

VerifyKeys = Mapping[str, Ed25519PublicKey]
"""kid → public key."""


class Signer:
    """Holds the private key. Nothing prints it but `private_text`."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key
        self.kid = _kid(key.public_key())
        self.verify_key = _PUBLIC + _encode(key.public_key().public_bytes_raw())

    @classmethod
    def generate(cls) -> Signer:
        """A new key pair."""
        return cls(Ed25519PrivateKey.generate())

    @classmethod
    def from_text(cls, text: str) -> Signer:
        """`ed25519-private:…` → signer; raises ConfigError (which never repeats the key)."""
        raw = _decode(text.strip(), _PRIVATE)
        if raw is None:
            raise ConfigError("The signing key is not valid: make one with `signoff keys generate`.")
        return cls(Ed25519PrivateKey.from_private_bytes(raw))

    def private_text(self) -> str:
        """The private key as text, to be stored where only the server reads it."""
        return _PRIVATE + _encode(self._key.private_bytes_raw())

    def derive(self, purpose: str) -> bytes:
        """Another secret of 32 bytes, which tells nothing of this key (HKDF, RFC 5869); one a `purpose`."""
        from cryptography.hazmat.primitives.hashes import SHA256  # here, as no agent has any use for them
        from cryptography.hazmat.primitives.kdf.hkdf import HKDF

        made = HKDF(SHA256(), 32, salt=None, info=f"signoff {purpose}".encode())
        return made.derive(self._key.private_bytes_raw())

    def seal(self, typ: str, claims: Mapping[str, Any]) -> str:
        """Claims → a signed token of this kind (one of those above)."""
        parts = ({"alg": ALGORITHM, "kid": self.kid, "typ": typ}, claims)
        signed = ".".join(_encode(json.dumps(part, separators=(",", ":")).encode()) for part in parts)
        return f"{signed}.{_encode(self._key.sign(signed.encode()))}"


def verify_keys(text: str) -> VerifyKeys:
    """`ed25519:…`, one or several, parted by commas or white space; raises ConfigError."""
    keys = {}
    for part in text.replace(",", " ").split():
        raw = _decode(part, _PUBLIC)
        if raw is None:
            raise ConfigError(
                "SIGNOFF_VERIFY_KEY is no public key (ed25519:…): `signoff keys public` prints the server's."
            )
        key = Ed25519PublicKey.from_public_bytes(raw)
        keys[_kid(key)] = key
    if not keys:
        raise ConfigError("SIGNOFF_VERIFY_KEY is empty: `signoff keys public` prints the server's.")
    return keys


def open_sealed(
    token: str,
    keys: VerifyKeys,
    typ: str,
    *,
    issuer: str,
    audience: str | None = None,
    required: Collection[str] = ("iss",),
    over: bool = False,
) -> dict[str, Any]:
    """The claims of a signed token of exactly this kind, spelled in the only way; raises NotVerified.

    `audience` is exactly its `aud`; None takes only one that has none. `exp`, where it has one, is checked by
    this machine's clock; not where it may be `over`: then whoever calls compares it.
    """
    try:
        head, claims = _read(token)
        if head.keys() != {"alg", "kid", "typ"} or head["alg"] != ALGORITHM or head["typ"] != typ:
            raise NotVerified(f"It is no {typ.partition('+')[0].replace('-', ' ')} with {ALGORITHM}.")
        key = keys.get(head["kid"])
        if key is None:
            raise NotVerified("It is signed with a key that is not in SIGNOFF_VERIFY_KEY.")
        signed, _, signature = token.rpartition(".")
        key.verify(decode_part(signature), signed.encode())
    except InvalidSignature:
        raise NotVerified("It was changed: its signature does not fit.") from None
    except (SignoffError, ValueError, TypeError, KeyError, RecursionError) as error:
        if isinstance(error, NotVerified):
            raise
        raise NotVerified(f"{type(error).__name__}: it was changed.") from None
    return _checked(claims, issuer, audience, required, over)


def _checked(
    claims: Any, issuer: str, audience: str | None, required: Collection[str], over: bool
) -> dict[str, Any]:
    """Claims whose signature fits → the same, where they are for here and now; raises NotVerified."""
    if not isinstance(claims, dict):
        raise NotVerified("Its claims are no object.")
    for name in required:
        if claims.get(name) is None:
            raise NotVerified(f"It does not say its {name}.")
    for name in _TIMES:
        # `type`, because true is 1 to Python: what two readers could take for two times is none.
        if name in claims and not (type(claims[name]) is int and abs(claims[name]) < LARGEST_NUMBER):
            raise NotVerified(f"Its {name} is no time.")
    for name in _TEXTS:
        if name in claims and not isinstance(claims[name], str):
            raise NotVerified(f"Its {name} is no text.")
    # An agent's clock may run behind the server's: when a receipt was issued (`iat`) decides nothing.
    now = time.time()
    if claims.get("nbf", 0) > now:
        raise NotVerified("It is not valid yet.")
    if "exp" in claims and claims["exp"] <= now and not over:
        raise NotVerified("It is no longer valid: ask again.")
    if claims.get("iss") != issuer:
        raise NotVerified(f"It is of another deployment than {issuer!r} (SIGNOFF_DEPLOYMENT).")
    if claims.get("aud") != audience or audience == "":
        raise NotVerified(f"It is not for agent {audience!r}." if audience else "It is for somebody else.")
    return claims


def kid_of(token: str) -> str:
    """The name of the key that a verified token was signed with."""
    return str(_read(token)[0]["kid"])


def audience_of(token: str) -> str:
    """Whom a token says it is for, not verified: to be verified for just that; raises NotVerified."""
    try:
        return str(claimed(token)["aud"])
    except KeyError:
        raise NotVerified("It does not say whom it is for.") from None


def claimed(token: str) -> dict[str, Any]:
    """What a token says, not verified: to say what is wrong with it, no more; raises NotVerified."""
    try:
        claims = _read(token)[1]
    except (SignoffError, ValueError, TypeError, KeyError, RecursionError) as error:
        if isinstance(error, NotVerified):
            raise
        raise NotVerified(f"{type(error).__name__}: it is no token.") from None
    return claims if isinstance(claims, dict) else {}


def decode_part(part: str) -> bytes:
    """One of a token's three parts → its bytes, however it is spelled; raises ValueError."""
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def _read(token: str) -> tuple[dict[str, Any], Any]:
    """A token's header and claims, not yet verified; raises NotVerified unless it is spelled in the only way.

    Base64 has spellings of the same bytes: padding, other characters that decoders pass over, bits at the end
    that count for nothing. Two spellings of one receipt would be two receipts to whoever keeps a list.
    """
    parts = token.split(".") if len(token) <= MAX_TOKEN else []
    if len(parts) != 3 or any(_encode(decode_part(part)) != part for part in parts):
        raise NotVerified("It is no token, or not spelled as one that Signoff signs.")
    # Strictly, the claims too: where a name stands twice, two readers could take two different ones.
    head, claims = (parse(decode_part(part)) for part in parts[:2])
    return head if isinstance(head, dict) else {}, claims


def _kid(key: Ed25519PublicKey) -> str:
    return hashlib.sha256(key.public_bytes_raw()).hexdigest()[:16]


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _decode(text: str, prefix: str) -> bytes | None:
    try:
        raw = base64.urlsafe_b64decode(text.removeprefix(prefix) + "=")
    except (binascii.Error, ValueError):
        return None
    return raw if text.startswith(prefix) and len(raw) == 32 else None
