"""What anybody may read: the keys that receipts are signed with (RFC 7517)."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from signoff.web.doors import Doors

PATH = "/.well-known/jwks.json"
KEPT_SECONDS = 300


def routes(doors: Doors) -> list[Route]:
    """Where they are. Without `alg`: RFC 9864 renames it, and both names mean this curve's."""
    signer = doors.signer
    x = signer.verify_key.partition(":")[2]  # as RFC 8037 spells it: base64url, without padding
    keys = [{"kty": "OKP", "crv": "Ed25519", "use": "sig", "kid": signer.kid, "x": x}]

    def jwks(_: Request) -> Response:
        return JSONResponse({"keys": keys}, headers={"Cache-Control": f"public, max-age={KEPT_SECONDS}"})

    return [Route(PATH, jwks, methods=["GET"])]
