"""What the server answered, verified: by the same checks as `signoff.receipts`, without pydantic."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from signoff.adapters.claude_code.request import Request
from signoff.client.settings import Settings
from signoff.errors import AlreadySpent, Invalid, NotVerified, refusal
from signoff.models import receipt_claims
from signoff.payload.canonical import parse
from signoff.signatures import NOTICE, RECEIPT, open_sealed


@dataclass(frozen=True)
class Person:
    """Who decided."""

    id: str
    name: str
    at: datetime


@dataclass(frozen=True)
class Answer:
    """A verified receipt, as far as a hook needs it; `payload` is what to run, None unless approved."""

    id: str
    action: str
    status: str
    digest: str | None
    reason: str
    resubmit: bool
    never_shown: bool
    decided_by: Person | None
    token: str = field(repr=False)
    payload: dict[str, Any] | None = None


def decoded(text: bytes | str) -> dict[str, Any]:
    """What stands under a key in Redis, or came with a notification; raises NotVerified."""
    try:
        found = parse(text)
    except Invalid:
        found = None
    if not isinstance(found, dict) or not isinstance(found.get("status"), str):
        raise NotVerified("What stands under its key in Redis is none of Signoff's.")
    return found


def accept(response: Mapping[str, Any], request: Request, settings: Settings) -> Answer:
    """A response → the verified answer to this request; raises NotVerified.

    That its id is this request's says enough of action and key: an id is made of them.
    """
    token, claims = _opened(response, settings)
    said = (claims["sub"], claims.get("digest_sent"), claims["status"])
    receipt_claims.check_answer(said, request.id, request.digest, str(response.get("status")))
    payload = None
    if claims["status"] == "approved":
        text = response.get("payload")
        payload = receipt_claims.approved_payload(text if isinstance(text, str) else "", claims.get("digest"))
    return Answer(
        id=claims["sub"], action=claims["action"], status=claims["status"], digest=claims.get("digest"),
        reason=claims.get("reason") or "", resubmit=claims.get("resubmit", False),
        never_shown=claims.get("never_shown", False), decided_by=_person(claims.get("decided_by")),
        token=token, payload=payload,
    )  # fmt: skip


def raise_unless_approved(answer: Answer) -> None:
    """Raise the NotApproved that says how it ended."""
    if answer.status != "approved":
        raise refusal(answer)


def check_spent(
    response: Mapping[str, Any], answer: Answer, by: str, request: Request, settings: Settings
) -> None:
    """Raise unless the server says that this process, called `by`, may run what was approved.

    AlreadySpent where another one may, NotVerified for what is no such word of the server's.
    """
    if response.get("status") != "spent":
        refused = accept(response, request, settings)
        raise AlreadySpent(detail=refused.reason, receipt=refused)
    token = response.get("receipt")
    claims = open_sealed(
        token if isinstance(token, str) else "", settings.verify_keys, NOTICE,
        issuer=settings.deployment, audience=settings.agent,
    )  # fmt: skip
    receipt_claims.check_notice(claims, answer.id, answer.token)
    if claims["by"] != by:
        raise AlreadySpent(claims["by"], receipt=answer)
    _opened({"receipt": answer.token}, settings)  # its time may be over by now


def approved_before(response: object, request_id: str, settings: Settings) -> str | None:
    """The digest of what its spent receipt let run; None where none is kept. Raises NotVerified."""
    found = decoded(response) if isinstance(response, bytes) else {}
    if not found.get("spent"):
        return None
    _, claims = _opened({"receipt": found["spent"]}, settings)
    if claims["sub"] != request_id:
        raise NotVerified("It is the receipt of another request.")
    approved: str | None = claims.get("digest")
    return approved


def _opened(response: Mapping[str, Any], settings: Settings) -> tuple[str, dict[str, Any]]:
    token = response.get("receipt")
    if not isinstance(token, str):
        raise NotVerified("There is no receipt with it.")
    claims = open_sealed(
        token, settings.verify_keys, RECEIPT, issuer=settings.deployment, audience=settings.agent,
        required=receipt_claims.REQUIRED,
    )  # fmt: skip
    receipt_claims.check(claims)
    return token, claims


def _person(decider: Mapping[str, Any] | None) -> Person | None:
    if not decider:
        return None
    try:
        at = datetime.fromisoformat(decider["at"])
    except ValueError:
        raise NotVerified("It does not say when it was decided.") from None
    return Person(decider["id"], decider["name"], at)
