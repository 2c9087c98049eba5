"""What anybody may read: the keys that receipts are signed with (RFC 7517)."""

from __future__ import annotations

import base64

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from signoff.signatures import verify_keys
from signoff.web.doors import Doors

PATH = "/.well-known/jwks.json"
KEPT_SECONDS = 300


def routes(doors: Doors) -> list[Route]:
    """Where they are. Without `alg`: RFC 9864 renames it, and both names mean this curve's."""
    keys = [
        {"kty": "OKP", "crv": "Ed25519", "use": "sig", "kid": kid, "x": _encoded(key)}
        for kid, key in verify_keys(doors.signer.verify_key).items()
    ]

    def jwks(_: Request) -> Response:
        return JSONResponse({"keys": keys}, headers={"Cache-Control": f"public, max-age={KEPT_SECONDS}"})

    return [Route(PATH, jwks, methods=["GET"])]


def _encoded(key: Ed25519PublicKey) -> str:
    raw = key.public_bytes(Encoding.Raw, PublicFormat.Raw)
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
