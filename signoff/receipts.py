"""Receipts: signed by the server, verified by agents and executors; pure.

A receipt is a JWT (RFC 7519) signed with EdDSA over Ed25519 (RFC 8037), its key named by `kid`. Keys are
written as `ed25519:…` (public, what agents get) and `ed25519-private:…` (the server's alone).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from signoff.errors import ConfigError, NotVerified, SignoffError
from signoff.models.messages import Response
from signoff.models.receipt import Decider, Receipt
from signoff.payload.canonical import canonical, digest, parse

ISSUER = "signoff"
ALGORITHM = "EdDSA"
_PUBLIC, _PRIVATE = "ed25519:", "ed25519-private:"
_TEXTS = ("reason", "rule", "why")
_REQUIRED = ["iss", "aud", "sub", "jti", "iat", "exp", "action", "status", "version"]

REFUSED_UNREAD = ("invalid", "duplicate", "limited", "expired")
"""Statuses of requests in no row: nothing runs, whatever they held. One that a restore lost is `expired`."""

VerifyKeys = Mapping[str, Ed25519PublicKey]
"""kid → public key."""


class Signer:
    """Holds the private key. Nothing prints it but `private_text`."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        import jwt  # noqa: F401  (slow to load, so not for every import; here, so that no click waits for it)

        self._key = key
        self.kid = _kid(key.public_key())
        self.verify_key = _PUBLIC + _encode(_raw(key.public_key()))

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
        raw = self._key.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
        return _PRIVATE + _encode(raw)

    def derive(self, purpose: str) -> bytes:
        """Another secret of 32 bytes, which tells nothing of this key (HKDF, RFC 5869); one a `purpose`."""
        raw = self._key.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
        return HKDF(SHA256(), 32, salt=None, info=f"signoff {purpose}".encode()).derive(raw)

    def sign(self, receipt: Receipt) -> str:
        """A receipt's claims → the JWT. Its payload is not inside: its digest is."""
        import jwt

        claims: dict[str, Any] = {
            "iss": ISSUER,
            "aud": receipt.agent,
            "sub": receipt.id,
            "jti": receipt.nonce,
            "iat": int(receipt.issued_at.timestamp()),
            "exp": int(receipt.not_after.timestamp()),
            "action": receipt.action,
            "status": receipt.status,
            "version": receipt.version,
            "digest_sent": receipt.digest_sent,
            "digest": receipt.digest,
            "policy": receipt.policy,
        }
        if receipt.decided_by:
            claims["decided_by"] = receipt.decided_by.model_dump(mode="json", exclude_none=True)
        claims |= {name: True for name in ("resubmit", "never_shown") if getattr(receipt, name)}
        claims |= {name: getattr(receipt, name) for name in _TEXTS if getattr(receipt, name)}
        return jwt.encode(claims, self._key, algorithm=ALGORITHM, headers={"kid": self.kid})


def verify_keys(text: str) -> VerifyKeys:
    """`ed25519:…`, one or several, parted by commas or white space; raises ConfigError."""
    import jwt  # noqa: F401  (here, so that no wait's answer waits for it)

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


def verify(token: str, keys: VerifyKeys, agent: str) -> Receipt:
    """A signed receipt → its claims, for this agent; raises NotVerified.

    Checks the algorithm, the key, issuer, audience and expiry (by this machine's clock). The payload
    beside a receipt is `accept`'s to check.
    """
    import jwt

    try:
        key = keys.get(_kid_of(token))
        if key is None:
            raise NotVerified("It is signed with a key that is not in SIGNOFF_VERIFY_KEY.")
        # An agent's clock may run behind the server's: when a receipt was issued decides nothing.
        claims = jwt.decode(
            token,
            key,
            algorithms=[ALGORITHM],
            audience=agent,
            issuer=ISSUER,
            options={"require": _REQUIRED, "verify_iat": False, "strict_aud": True},
        )
        return _receipt(claims, token)
    except jwt.ExpiredSignatureError:
        raise NotVerified("It is no longer valid: ask again.") from None
    except (jwt.PyJWTError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise NotVerified(f"{type(error).__name__}: it was changed, or is not for agent {agent!r}.") from None


def accept(
    response: Response, keys: VerifyKeys, *, agent: str, request_id: str, digest_sent: str | None = None
) -> Receipt:
    """A response from Redis → the verified receipt with its payload; raises NotVerified.

    `digest_sent` is the digest of what this agent sent, where it still knows it: a receipt for other
    content is refused. One without a digest is taken where the server refused the request as it came.
    """
    receipt = verify(response.receipt or "", keys, agent)
    if receipt.id != request_id:
        raise NotVerified("It is the receipt of another request.")
    unread = receipt.digest_sent is None and receipt.status in REFUSED_UNREAD
    matches = digest_sent is None or hmac.compare_digest(digest_sent, receipt.digest_sent or "")
    if not matches and not unread:
        raise NotVerified("It is for another payload than the one that was sent.")
    if receipt.status != response.status:
        raise NotVerified("The answer and its receipt differ.")
    payload = _payload(response, receipt) if receipt.approved else None
    return receipt.model_copy(update={"payload": payload, "permalink": response.permalink})


def nonce() -> str:
    """A receipt's own id (jti): 128 random bits."""
    return secrets.token_hex(16)


def _payload(response: Response, receipt: Receipt) -> dict[str, Any]:
    text = response.payload or ""
    if not hmac.compare_digest(digest(text), receipt.digest or ""):
        raise NotVerified("The payload beside it is not the one that was approved.")
    try:
        payload = parse(text)
        whole = isinstance(payload, dict) and canonical(payload) == text
    except SignoffError:
        whole = False
    if not whole:
        raise NotVerified("The payload beside it is not canonical JSON.")
    found: dict[str, Any] = payload
    return found


def _receipt(claims: dict[str, Any], token: str) -> Receipt:
    decider = claims.get("decided_by")
    return Receipt(
        id=claims["sub"],
        agent=claims["aud"],
        action=claims["action"],
        status=claims["status"],
        version=claims["version"],
        digest_sent=claims.get("digest_sent"),
        digest=claims.get("digest"),
        decided_by=Decider.model_validate(decider) if decider else None,
        reason=claims.get("reason", ""),
        resubmit=claims.get("resubmit", False),
        never_shown=claims.get("never_shown", False),
        policy=claims.get("policy", ""),
        rule=claims.get("rule", ""),
        why=claims.get("why", ""),
        nonce=claims["jti"],
        issued_at=datetime.fromtimestamp(claims["iat"], UTC),
        not_after=datetime.fromtimestamp(claims["exp"], UTC),
        token=token,
    )


def _kid_of(token: str) -> str:
    """The key's name in a JWT's header, not yet verified.

    PyJWT's own way reads all three parts, which it then does once more to verify them.
    """
    head = token.partition(".")[0]
    return str(json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4))).get("kid"))


def _raw(key: Ed25519PublicKey) -> bytes:
    return key.public_bytes(Encoding.Raw, PublicFormat.Raw)


def _kid(key: Ed25519PublicKey) -> str:
    return hashlib.sha256(_raw(key)).hexdigest()[:16]


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _decode(text: str, prefix: str) -> bytes | None:
    try:
        raw = base64.urlsafe_b64decode(text.removeprefix(prefix) + "=")
    except (binascii.Error, ValueError):
        return None
    return raw if text.startswith(prefix) and len(raw) == 32 else None
