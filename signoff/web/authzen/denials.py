"""Requestable denials: what a request for access has to be bound to, signed and short-lived.

The token says which evaluation was denied, of what, for whom, and until when somebody may be asked. We keep
no book of evaluations: whoever brings it back, and is the agent that it was given to, was denied just that.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any

from signoff.errors import NotVerified
from signoff.models.identity import new_id
from signoff.models.messages import moment
from signoff.models.store import MICROSECONDS
from signoff.signatures import DENIAL, Signer, open_sealed, verify_keys
from signoff.web.authzen.problems import AccessProblem
from signoff.web.authzen.tuples import Lax, Tuple

SECONDS = 600
"""How long somebody may be asked after an evaluation."""
_REQUIRED = ("iss", "aud", "sub", "iat", "exp", "jti", "denial_expires_at", "evaluation_id", "binding_hash")


class Denial(Lax):
    """What an enforcement point brings back of a denial."""

    expires_at: str
    evaluation_id: str | None = None
    binding_token: str | None = None


@dataclass(frozen=True)
class Bound:
    """A denial that is proved. `until` is in microseconds since 1970; `jti` is the token's own name."""

    jti: str
    until: int


def rfc3339(microseconds: int) -> str:
    """A row's time → how it is written: UTC, to the second below."""
    whole = microseconds // MICROSECONDS * MICROSECONDS
    return moment(whole).strftime("%Y-%m-%dT%H:%M:%SZ")


class Denials:
    """Gives and takes denials of one decision point, `issuer`, for its own `endpoint` of requests."""

    def __init__(self, signer: Signer, issuer: str, endpoint: str) -> None:
        self._signer = signer
        self._keys = verify_keys(signer.verify_key)
        self._issuer, self._endpoint = issuer, endpoint

    def give(self, agent: str, asked: Tuple, evaluation_id: str, now: int) -> dict[str, Any]:
        """`context.access_request` of a denial, at `now` (microseconds)."""
        issued = now // MICROSECONDS
        expires_at = rfc3339((issued + SECONDS) * MICROSECONDS)
        claims = {
            "iss": self._issuer,
            "aud": self._endpoint,
            "sub": agent,
            "iat": issued,
            "exp": issued + SECONDS,
            "jti": secrets.token_hex(16),
            "denial_expires_at": expires_at,
            "evaluation_id": evaluation_id,
            "binding_context_members": [],
            "binding_hash": asked.hash,
        }
        token = self._signer.seal(DENIAL, claims)
        return {"endpoint": self._endpoint, "expires_at": expires_at, "binding_token": token}

    def take(self, agent: str, asked: Tuple, denial: Denial | None) -> Bound:
        """What a denial binds a request to, expired or not; raises AccessProblem."""
        if denial is None or denial.binding_token is None:
            raise _unbound("denial.binding_token has to be the one of the denied evaluation.")
        try:
            claims = open_sealed(
                denial.binding_token, self._keys, DENIAL, issuer=self._issuer, audience=self._endpoint,
                required=_REQUIRED, over=True,
            )  # fmt: skip
        except NotVerified:
            raise _unbound("denial.binding_token is not one of ours, or was changed.") from None
        if claims["sub"] != agent or claims["binding_hash"] != asked.hash:
            raise _unbound("The denial is of another subject, action, resource or agent.")
        if denial.expires_at != claims["denial_expires_at"]:
            raise _unbound("denial.expires_at is not the one of the denied evaluation.")
        if denial.evaluation_id not in (None, claims["evaluation_id"]):
            raise _unbound("denial.evaluation_id is not the one of the denied evaluation.")
        return Bound(claims["jti"], int(claims["exp"]) * MICROSECONDS)


def new_evaluation_id() -> str:
    """Names one evaluation."""
    return f"eval_{new_id().hex}"


def _unbound(detail: str) -> AccessProblem:
    return AccessProblem("invalid_denial_binding", detail)
