"""An endpoint's keys, and signatures by them (Standard Webhooks 1.0, Signature scheme).

Both keys are derived from the signing key, for one endpoint and one generation of its keys: none is stored,
and none tells anything of another, or of the key that signs receipts. A new signing key gives new ones.
"""

from __future__ import annotations

import base64
import hashlib
import hmac

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from signoff.signatures import Signer

SECRET, PUBLIC = "whsec_", "whpk_"
OVERLAP_SECONDS = 24 * 3600
"""How long messages are signed with the keys of before, too, once there are new ones."""


class Keys:
    """The keys of an endpoint. Nothing prints the secret but `secret`."""

    def __init__(self, signer: Signer, endpoint: str, generation: int) -> None:
        self._secret = signer.derive(f"webhook {endpoint} {generation} hmac")
        self._key = Ed25519PrivateKey.from_private_bytes(
            signer.derive(f"webhook {endpoint} {generation} ed25519")
        )

    @property
    def secret(self) -> str:
        """What a receiver verifies `v1` with: `whsec_…`, to be kept secret there."""
        return SECRET + _encoded(self._secret)

    @property
    def public_key(self) -> str:
        """What anybody verifies `v1a` with: `whpk_…`."""
        return PUBLIC + _encoded(self._key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw))

    def sign(self, message: str, timestamp: int, body: bytes) -> str:
        """Both signatures, as the header has them. First `v1`: some libraries know only that one."""
        content = f"{message}.{timestamp}.".encode() + body
        symmetric = hmac.new(self._secret, content, hashlib.sha256).digest()
        return f"v1,{_encoded(symmetric)} v1a,{_encoded(self._key.sign(content))}"


def _encoded(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
