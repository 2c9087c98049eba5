"""What lines say of a request's life: the policy's and our own words plainly, all else as salted digests."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, assert_never

from signoff.models.approval import Approval, End
from signoff.models.feedback import KIND
from signoff.models.log import Event, salted
from signoff.models.messages import Decision, Outcome
from signoff.models.questions import QUESTION, Question
from signoff.models.receipt import Receipt
from signoff.models.store import MICROSECONDS
from signoff.models.verdict import Verdict
from signoff.payload.canonical import canonical

PLAIN = frozenset(
    (
        "effect",
        "rule",
        "why",
        "approvers",
        "named",
        "conversation",
        "risk",
        "risk_from",
        "reversibility",
        "reversibility_from",
        "policy",
        "expires_in",
        "editable",
        "require",
        "feedback",
        "talk",
        "after",
        "timing",
        "added",
        "escalated",
        "seats",
        "reject",
        "exclude",
        "exclude_by_default",
        "second_factor",
        "session",
        "confirm",
    )
)
"""Of a verdict: what comes from the policy's file. The rest may repeat the payload, and is salted."""
RENAMED = {"answer": "effect", "channel": "conversation", "thread_ts": "thread"}
"""What lines of before called parts of a verdict; lines stay as they were written."""


def judged(verdict: Verdict, salt: str) -> dict[str, Any]:
    """A verdict, whole: each of its fields plainly or as a salted digest."""
    fields = verdict.model_dump(mode="json")
    return {name: value if name in PLAIN else digest(salt, value) for name, value in fields.items()}


def voted(decision: Decision, salt: str) -> dict[str, Any]:
    """A vote; who voted is the line's actor."""
    return {
        "vote": decision.vote,
        "reason": salted(salt, decision.reason),
        "name": salted(salt, decision.name),
        "resubmit": decision.resubmit,
        "second_factor": decision.second_factor,
        **({"deputy_for": decision.deputy_for} if decision.deputy_for else {}),
        **({} if decision.answer is None else {"answer": digest(salt, decision.answer)}),
        "seat": decision.seat,
        "fits": list(decision.fits),
        "self": decision.self_approved,
    }


def void(whose: str, version: int, why: str) -> dict[str, Any]:
    """A vote that counts no more: whose, on which version, and why; the actor is whose doing that is."""
    return {"by": whose, "version": version, "why": why}


def edited_line(approval: Approval, salt: str, actor: str) -> dict[str, Any]:
    """Another version of a payload, and the verdict on it."""
    return {
        "version": approval.version,
        "payload": salted(salt, approval.payload_text),
        "verdict": judged(approval.verdict, salt),
        "by": actor,
    }


def reported(outcome: Outcome, salt: str) -> dict[str, Any]:
    """What an agent says of what ran."""
    data: dict[str, Any] = {"succeeded": outcome.succeeded, "note": salted(salt, outcome.note)}
    return data if outcome.result is None else data | {"result": digest(salt, outcome.result)}


def feedback(said: Mapping[str, Any], salt: str) -> dict[str, Any]:
    """Whether something was right; who says so is the line's actor."""
    return {
        "answer": said["answer"],
        "text": salted(salt, said["text"]),
        "name": salted(salt, said["name"]),
    }


def digest(salt: str, value: Any) -> str:
    """A salted digest of any JSON value."""
    return salted(salt, canonical(value))


def optional(salt: str, text: str | None) -> str | None:
    """A salted digest of a text that may be missing."""
    return None if text is None else salted(salt, text)


def asked(one: Approval, salt: str, agent: dict[str, Any]) -> tuple[Event, Event]:
    """A request and its verdict; `agent` is what there is to say of an agent that asks for the first time.

    Why a question is asked is one of our own six words, and is counted by them: it stands plainly.
    """
    told = {
        "request": one.request_id,
        "action": one.action,
        "version": 1,
        "digest_sent": salted(salt, one.digest_sent),
        "payload": salted(salt, one.payload_text),
        "claims": salted(salt, one.request.claims()),
        "key": optional(salt, one.request.key),
        "run": optional(salt, one.request.run),
        **({"why": Question.of(one.payload).why} if one.request.kind == QUESTION else {}),
        **({"undoes": one.undoes} if one.undoes else {}),
        **({"batch": one.batch_id} if one.batch_id is not None else {}),
        **agent,
    }
    verdict = {**judged(one.verdict, salt), "expires_at": one.expires_at}
    return (
        Event("submit", one.id, one.created_at, one.agent, told),
        Event("verdict", one.id, one.created_at, "policy", verdict),
    )


def ended(
    approval: Approval,
    status: End,
    receipt: Receipt,
    decision: Decision | None,
    edited: bool,
    salt: str,
    at: int,
    actor: str,
) -> list[Event]:
    """An end: what `decision` changed and decided, or what else ended it, and the receipt.

    The request's nonce is in none of them: with the id it would let an erased payload be guessed.
    """
    found = []

    def say(kind: str, who: str, **data: Any) -> None:
        found.append(Event(kind, approval.id, at, who, data))

    version, reason = approval.version, salted(salt, receipt.reason)
    if edited:
        say("edit", actor, **edited_line(approval, salt, actor))
    if decision:
        shown_for = (at - approval.shown_at) // 1000 if approval.shown_at else None
        say("decision", actor, version=version, shown_for_ms=shown_for, **voted(decision, salt))
        if approval.request.kind == KIND and decision.answer is not None:
            given = {"answer": decision.answer["choice"][0], "text": decision.reason, "name": decision.name}
            say("feedback", actor, **feedback(given, salt))
    match status:
        case "approved" | "answered" | "rejected" | "blocked":
            pass  # the decision or the verdict has said it
        case "expired":
            say("expiry", actor, never_shown=receipt.never_shown)
        case "cancelled":
            say("cancel", actor, reason=reason)
        case never:
            assert_never(never)
    signed = hashlib.sha256(receipt.token.encode()).hexdigest()
    expires = int(receipt.not_after.timestamp()) * MICROSECONDS
    say(
        "receipt", "signoff", status=receipt.status, jti=receipt.jti, version=version, reason=reason,
        expires=expires, signed=signed,
    )  # fmt: skip
    return found
