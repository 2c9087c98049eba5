"""What a receipt's and a notice's claims have to be, and what they have to fit; pure.

Whoever accepts a receipt calls all of this: `signoff.receipts`, and the hook that starts for every call of a
tool, which cannot wait for pydantic. All of it raises NotVerified.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from typing import Any, Final

from signoff.errors import NOT_APPROVED, NotVerified, SignoffError
from signoff.models import identity
from signoff.payload.canonical import canonical, digest, parse

REQUIRED: Final = ("iss", "aud", "sub", "jti", "iat", "exp", "kind", "action", "status", "version")
REFUSED_UNREAD: Final = ("invalid", "duplicate", "limited", "expired")
"""Statuses of requests in no row: nothing runs, whatever they held. One that a restore lost is `expired`."""
APPROVAL: Final = "approval"
"""The only kind of request that is approved or rejected; people answer all others."""
QUESTION: Final = "question"
FEEDBACK: Final = "feedback"
_STATUSES: Final = {"approved", "answered", *NOT_APPROVED}
_TEXTS: Final = ("sub", "kind", "aud", "action", "jti")
_MAY_BE_TEXTS: Final = ("digest_sent", "digest", "nonce", "policy", "reason", "rule", "why", "undoes")
_MARKS: Final = ("resubmit", "never_shown")


def check(claims: Mapping[str, Any]) -> None:
    """A receipt's claims, its signature verified: each is of its type, and the id is of what they name."""
    right = (
        all(isinstance(claims.get(name), str) for name in _TEXTS)
        and all(isinstance(claims.get(name), str | None) for name in _MAY_BE_TEXTS)
        and all(isinstance(claims.get(name, False), bool) for name in _MARKS)
        and type(claims.get("version")) is int
        and _is_person(claims.get("decided_by"))
        and _are_voters(claims.get("voters", []))
    )
    if not right or not isinstance(claims.get("status"), str) or claims["status"] not in _STATUSES:
        raise NotVerified("Its claims are not a receipt's.")
    if not _fits_kind(claims):
        raise NotVerified("Its answer is not one to what was asked.")
    sent = claims.get("digest_sent")
    if sent is None:
        if claims["status"] not in REFUSED_UNREAD:
            raise NotVerified("It does not say what was asked.")
        return
    named = (claims["kind"], claims["aud"], claims["action"], sent, claims.get("nonce") or "")
    if claims["sub"] != str(identity.request_id(*named)):
        raise NotVerified("Its id is the one of another request.")


def check_answer(
    answered: tuple[str, str | None, str], request_id: str, digest_sent: str | None, status: str
) -> None:
    """What a receipt says (id, digest as sent, status) is the answer to this request, as it stands there.

    `digest_sent` is the digest of what this agent sent, where it still knows it. A receipt without a digest
    is taken where the server refused the request as it came.
    """
    found_id, found_digest, found_status = answered
    if found_id != request_id:
        raise NotVerified("It is the receipt of another request.")
    matches = digest_sent is None or hmac.compare_digest(digest_sent, found_digest or "")
    if not matches and found_digest is not None:
        raise NotVerified("It is for another payload than the one that was sent.")
    if found_status != status:
        raise NotVerified("The answer and its receipt differ.")


def approved_payload(text: str, approved: str | None) -> dict[str, Any]:
    """The payload that stands beside a receipt as text → what to run; `approved` is its digest there."""
    try:
        same = hmac.compare_digest(digest(text), approved or "")
    except (ValueError, TypeError):  # half a surrogate in the text, or what is no hexadecimal
        same = False
    if not same:
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


def check_notice(claims: Mapping[str, Any], request_id: str, token: str) -> None:
    """A notice's claims, its signature verified: they tell who has spent the receipt that is this token."""
    if not all(isinstance(claims.get(name), str) for name in ("sub", "aud", "signed", "by", "at")):
        raise NotVerified("Its claims are not a notice's.")
    if claims["sub"] != request_id or claims["signed"] != token_digest(token):
        raise NotVerified("It is the notice of another receipt.")


def token_digest(token: str) -> str:
    """SHA-256 of a token, in hexadecimal: how others name it."""
    return hashlib.sha256(token.encode()).hexdigest()


def _fits_kind(claims: Mapping[str, Any]) -> bool:
    """Nothing but an approval is approved or rejected, and it is never answered, as all other kinds are."""
    approval, status = claims["kind"] == APPROVAL, claims["status"]
    answered = isinstance(claims.get("answer"), dict)
    if answered != (status == "answered") or (claims.get("answer") is not None and not answered):
        return False
    return status not in (("answered",) if approval else ("approved", "rejected"))


def _are_voters(voters: Any) -> bool:
    """A list of persons, with what there is to say of their votes."""
    return isinstance(voters, list) and all(
        one is not None
        and _is_person(one)
        and all(isinstance(one.get(name, ""), str) for name in ("seat", "second_factor", "deputy_for"))
        and isinstance(one.get("self", False), bool)
        for one in voters
    )


def _is_person(decider: Any) -> bool:
    if decider is None:
        return True
    return isinstance(decider, dict) and all(
        isinstance(decider.get(name), str) for name in ("id", "name", "at")
    )
