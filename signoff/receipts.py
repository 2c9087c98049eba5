"""Receipts: signed by the server, verified by agents and executors; pure.

How it is signed is in `signoff.signatures`; what it has to be compared with, in docs/security.md.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from signoff.errors import Invalid, NotVerified, OtherAction, OtherPayload, refusal
from signoff.models import receipt_claims
from signoff.models.messages import Response
from signoff.models.receipt import DEPLOYMENT, ApprovedReceipt, Decider, Notice, Receipt, Voter
from signoff.models.receipt_claims import REFUSED_UNREAD, REQUIRED, token_digest
from signoff.models.talks import Inquiry, Message
from signoff.payload.canonical import canonical, digest, parse
from signoff.signatures import (
    INQUIRY,
    LESSONS,
    NOTICE,
    RECEIPT,
    UNDO_TEST,
    Signer,
    VerifyKeys,
    open_sealed,
    verify_keys,
)

if TYPE_CHECKING:
    from signoff.models.lessons import Lesson, Lessons

__all__ = [
    "REFUSED_UNREAD", "Signer", "VerifyKeys", "accept", "accept_inquiry", "bind", "new_jti", "sign",
    "sign_inquiry", "sign_lessons", "sign_notice", "sign_undo_test", "token_digest", "verify", "verify_keys",
    "verify_lessons", "verify_notice", "verify_undo_test",
]  # fmt: skip

UNDO_TEST_SECONDS = 120
"""For so long what asks for a test is taken."""
LESSONS_SECONDS = 600
"""How long signed lessons are taken: whoever wants them later asks again."""
_TEXTS = ("reason", "rule", "why")
_MORE = ("answer", "undoes")


def sign(signer: Signer, receipt: Receipt) -> str:
    """A receipt's claims → the JWT. Its payload is not inside: its digest is."""
    claims: dict[str, Any] = {
        "iss": receipt.issuer,
        "aud": receipt.agent,
        "sub": receipt.id,
        "jti": receipt.jti,
        "nonce": receipt.nonce,
        "iat": int(receipt.issued_at.timestamp()),
        "exp": int(receipt.not_after.timestamp()),
        "kind": receipt.kind,
        "action": receipt.action,
        "status": receipt.status,
        "version": receipt.version,
        "digest_sent": receipt.digest_sent,
        "digest": receipt.digest,
        "policy": receipt.policy,
    }
    if receipt.decided_by:
        claims["decided_by"] = receipt.decided_by.model_dump(mode="json", exclude_none=True)
    if receipt.voters:
        claims["voters"] = [one.said() for one in receipt.voters]
    claims |= {name: True for name in ("resubmit", "never_shown") if getattr(receipt, name)}
    claims |= {name: getattr(receipt, name) for name in _TEXTS if getattr(receipt, name)}
    claims |= {name: found for name in _MORE if (found := getattr(receipt, name)) is not None}
    return signer.seal(RECEIPT, claims)


def sign_notice(signer: Signer, notice: Notice, issuer: str) -> str:
    """Which process has spent a receipt → the JWT."""
    claims = {
        "iss": issuer,
        "aud": notice.agent,
        "sub": notice.id,
        "signed": notice.signed,
        "by": notice.by,
        "at": notice.at.isoformat(),
    }
    return signer.seal(NOTICE, claims)


def verify(
    token: str, keys: VerifyKeys, agent: str, *, issuer: str = DEPLOYMENT, over: bool = False
) -> Receipt:
    """A signed receipt → its claims, for this agent, of this deployment; raises NotVerified.

    Checks the algorithm, the key, the kind, issuer, audience and expiry (by this machine's clock), and that
    its id is the one of just what it names. What is about to run is for `bind` to compare. Its time may be
    `over` where nothing is to run by it.
    """
    claims = open_sealed(token, keys, RECEIPT, issuer=issuer, audience=agent, required=REQUIRED, over=over)
    receipt_claims.check(claims)
    try:
        return _receipt(claims, token)
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError) as error:
        raise NotVerified(f"{type(error).__name__}: its claims are not a receipt's.") from None


def bind(receipt: Receipt, *, action: str, payload: Mapping[str, Any]) -> dict[str, Any]:
    """What may run: `payload`, where the receipt approves just that of just this action.

    Raises a NotApproved, OtherAction, OtherPayload, or Invalid (`payload` is not canonical JSON). That it
    runs only once is for a guard to see to.
    """
    if not receipt.approved:
        raise refusal(receipt)
    if not isinstance(payload, Mapping):
        raise Invalid(f"The payload is a {type(payload).__name__}: it has to be an object.")
    if receipt.action != action:
        raise OtherAction(f"It approves {receipt.action}, not {action[:100]!r}.")
    text = canonical(dict(payload))
    if not hmac.compare_digest(digest(text), receipt.digest or ""):
        raise OtherPayload(f"What was approved of {action} differs from it.")
    run: dict[str, Any] = parse(text)
    return run


def accept(
    response: Response,
    keys: VerifyKeys,
    *,
    agent: str,
    request_id: str,
    digest_sent: str | None = None,
    issuer: str = DEPLOYMENT,
    over: bool = False,
) -> Receipt:
    """A response from Redis → the verified receipt; raises NotVerified. `over`: see `verify`.

    One that lets its action run is an ApprovedReceipt, with its payload.

    The id commits to kind, agent, action and payload as sent, so that it alone says what was asked.
    `digest_sent` is the digest of what this agent sent, where it still knows it. A receipt without a digest
    is taken where the server refused the request as it came.
    """
    receipt = verify(response.receipt or "", keys, agent, issuer=issuer, over=over)
    said = (receipt.id, receipt.digest_sent, receipt.status)
    receipt_claims.check_answer(said, request_id, digest_sent, response.status)
    beside = {"permalink": response.permalink, "notes": response.notes or ()}
    if not receipt.approved:
        return receipt.model_copy(update=beside)
    payload = receipt_claims.approved_payload(response.payload or "", receipt.digest)
    return ApprovedReceipt.model_construct(**{**dict(receipt), **beside, "payload": payload})


def verify_notice(token: str, keys: VerifyKeys, receipt: Receipt) -> Notice:
    """Which process has spent this receipt; raises NotVerified where that is of another one."""
    claims = open_sealed(token, keys, NOTICE, issuer=receipt.issuer, audience=receipt.agent)
    receipt_claims.check_notice(claims, receipt.id, receipt.token)
    try:
        return Notice(
            id=claims["sub"], agent=claims["aud"], signed=claims["signed"], by=claims["by"], at=claims["at"]
        )
    except ValueError as error:
        raise NotVerified(f"{type(error).__name__}: its claims are not a notice's.") from None


def sign_lessons(
    signer: Signer, issuer: str, agent: str, asked: str, lessons: Sequence[Lesson], at: datetime
) -> str:
    """Lessons for an agent that has asked for them under this id → the JWT; as many as it may hold."""
    from signoff.models.lessons import fitting

    claims = {
        "iss": issuer,
        "aud": agent,
        "sub": asked,
        "iat": int(at.timestamp()),
        "exp": int(at.timestamp()) + LESSONS_SECONDS,
        "lessons": list(fitting(lessons)),
    }
    return signer.seal(LESSONS, claims)


def verify_lessons(
    token: str, keys: VerifyKeys, agent: str, asked: str, *, issuer: str = DEPLOYMENT
) -> Lessons:
    """The lessons that this agent has asked for under this id; raises NotVerified for any others."""
    from signoff.models.lessons import Lesson, Lessons

    required = ("iss", "sub", "exp", "lessons")
    claims = open_sealed(token, keys, LESSONS, issuer=issuer, audience=agent, required=required)
    if not hmac.compare_digest(claims["sub"], asked):
        raise NotVerified("These lessons were asked for under another id.")
    try:
        return Lessons(Lesson.model_validate(one) for one in claims["lessons"])
    except (ValueError, TypeError) as error:
        raise NotVerified(f"{type(error).__name__}: its claims are no lessons.") from None


def sign_inquiry(signer: Signer, inquiry: Inquiry, issuer: str) -> str:
    """A person's question to an agent → the JWT. Its text is not inside: its digest is."""
    claims = {
        "iss": issuer,
        "aud": inquiry.agent,
        "sub": inquiry.id,
        "iat": int(inquiry.asked_at.timestamp()),
        "exp": int(inquiry.not_after.timestamp()),
        "request": inquiry.request_id,
        "action": inquiry.action,
        "version": inquiry.version,
        "digest": inquiry.digest,
        "text": digest(inquiry.text),
        "by": {"id": inquiry.by_id, "name": inquiry.by},
    }
    return signer.seal(INQUIRY, claims)


def accept_inquiry(
    message: Message, keys: VerifyKeys, *, agent: str, talk_id: str, issuer: str = DEPLOYMENT
) -> Inquiry:
    """What stands in Redis of a question → what a person asks of this agent; raises NotVerified.

    All of it is checked: signature and kind, deployment, agent and time, that it is the question `talk_id`
    under whose name it stands, and that the text is the one that was signed. Which request it is about, the
    claims alone say.
    """
    claims = open_sealed(
        message.token, keys, INQUIRY, issuer=issuer, audience=agent, required=("iss", "sub", "iat", "exp")
    )
    if claims["sub"] != talk_id or str(message.id) != talk_id:
        raise NotVerified("It is another question than the one that was told of.")
    if not hmac.compare_digest(str(claims.get("text")), digest(message.text)):
        raise NotVerified("Its text was changed.")
    try:
        return Inquiry(
            id=claims["sub"],
            agent=claims["aud"],
            request_id=claims["request"],
            action=claims["action"],
            version=claims["version"],
            digest=claims["digest"],
            text=message.text,
            by_id=claims["by"]["id"],
            by=claims["by"]["name"],
            asked_at=datetime.fromtimestamp(claims["iat"], UTC),
            not_after=datetime.fromtimestamp(claims["exp"], UTC),
        )
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError) as error:
        raise NotVerified(f"{type(error).__name__}: its claims are not a question's.") from None


def sign_undo_test(signer: Signer, agent: str, test_id: str, action: str, issuer: str, at: datetime) -> str:
    """What asks an agent to run its own test of an undo → the JWT; good for `UNDO_TEST_SECONDS`."""
    seconds = int(at.timestamp())
    claims = {"iss": issuer, "aud": agent, "sub": test_id, "iat": seconds, "exp": seconds + UNDO_TEST_SECONDS}
    return signer.seal(UNDO_TEST, {**claims, "action": action})


def verify_undo_test(
    token: str, keys: VerifyKeys, agent: str, test_id: str, *, issuer: str = DEPLOYMENT
) -> str:
    """The action whose undo this agent is to test; raises NotVerified."""
    required = ("iss", "sub", "iat", "exp")
    claims = open_sealed(token, keys, UNDO_TEST, issuer=issuer, audience=agent, required=required)
    if claims["sub"] != test_id or not isinstance(claims.get("action"), str):
        raise NotVerified("It asks for another test.")
    action: str = claims["action"]
    return action


def new_jti() -> str:
    """A receipt's own id: 128 random bits."""
    return secrets.token_hex(16)


def _receipt(claims: dict[str, Any], token: str) -> Receipt:
    decider = claims.get("decided_by")
    return Receipt(
        id=claims["sub"],
        kind=claims["kind"],
        agent=claims["aud"],
        action=claims["action"],
        status=claims["status"],
        version=claims["version"],
        digest_sent=claims.get("digest_sent"),
        digest=claims.get("digest"),
        decided_by=Decider.model_validate(decider) if decider else None,
        voters=tuple(map(Voter.model_validate, claims.get("voters", ()))),
        reason=claims.get("reason", ""),
        resubmit=claims.get("resubmit", False),
        never_shown=claims.get("never_shown", False),
        policy=claims.get("policy", ""),
        rule=claims.get("rule", ""),
        why=claims.get("why", ""),
        issuer=claims["iss"],
        jti=claims["jti"],
        nonce=claims.get("nonce") or "",
        answer=claims.get("answer"),
        undoes=claims.get("undoes"),
        issued_at=datetime.fromtimestamp(claims["iat"], UTC),
        not_after=datetime.fromtimestamp(claims["exp"], UTC),
        token=token,
    )
