"""How a request's state is shown: one line of JSON for a script, or a few lines for a person."""

from __future__ import annotations

import json
import sys
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from signoff.errors import (
    ConfigError,
    Invalid,
    NotApproved,
    NotVerified,
    SignoffError,
    Unreachable,
    WaitTimeout,
)

if TYPE_CHECKING:
    from signoff.models.receipt import Receipt

EXIT = {
    "approved": 0,
    "invalid": 2,
    "rejected": 3,
    "expired": 4,
    "cancelled": 5,
    "pending": 6,
    "blocked": 9,
    "limited": 9,
    "duplicate": 9,
    "answered": 11,
}
"""A request's status → the exit code of every command that tells it."""
_ERRORS: tuple[tuple[type[SignoffError], int], ...] = (
    (ConfigError, 2),
    (Invalid, 2),
    (WaitTimeout, 6),
    (Unreachable, 7),
    (NotVerified, 8),
)
_WORDS = {
    "approved": "Approved",
    "answered": "Answered",
    "rejected": "Rejected",
    "expired": "Expired: nobody answered in time, and nothing may run",
    "cancelled": "Cancelled: the request was withdrawn",
    "blocked": "Blocked by the policy",
    "invalid": "Invalid: correct the request and send a new one",
    "duplicate": "Duplicate: it is asked, decided or run already",
    "limited": "Limited: too many requests at once, wait before asking again",
}


@dataclass(frozen=True)
class Shown:
    """What is told of a request: the fields of --json, in their order; None where it is not known.

    `payload` is what may run, so only an approved request has one. `decided_by` is a Slack user id,
    `decided_at` ISO 8601 in UTC, `receipt` the signed token that `signoff verify` takes. `rule` names the
    policy's rule that decided whether anybody is asked, empty where none did; `why` says what of it did.
    `answer` is what somebody answered to a question, and lets nothing run. `kind` is `approval`, `question`
    or `feedback`, `batch` the agent's name of what it was asked with. `notes` are what people noted for the
    agent (by, text, at), `talks` what they asked it, which the server alone tells: data, all of it.
    """

    id: str | None
    status: str
    action: str | None
    agent: str | None
    payload: dict[str, Any] | None = None
    edited: bool | None = None
    reason: str | None = None
    decided_by: str | None = None
    decided_at: str | None = None
    receipt: str | None = None
    permalink: str | None = None
    rule: str | None = None
    why: str | None = None
    answer: dict[str, Any] | None = None
    kind: str | None = None
    batch: str | None = None
    notes: list[dict[str, Any]] | None = None
    talks: list[dict[str, Any]] | None = None


def of_receipt(receipt: Receipt, action: str | None = None) -> Shown:
    """A verified receipt; `action` is for one that does not name it: the request was refused unread."""
    by = receipt.decided_by
    return Shown(
        id=receipt.id,
        status=receipt.status,
        action=receipt.action or action,
        agent=receipt.agent,
        payload=receipt.payload,
        edited=receipt.edited,
        reason=receipt.reason,
        decided_by=by.id if by else None,
        decided_at=iso(by.at) if by else None,
        receipt=receipt.token,
        permalink=receipt.permalink,
        rule=receipt.rule,
        why=receipt.why,
        answer=receipt.answer,
        kind=receipt.kind if receipt.digest_sent else None,
        notes=[{"by": one.by, "text": one.text, "at": iso(one.at)} for one in receipt.notes],
    )


def as_json(shown: Shown) -> str:
    """One line."""
    return json.dumps(shown.__dict__)


def as_lines(receipt: Receipt) -> list[str]:
    """For people: what became of it, who, when, why; for an approved one then the payload to run."""
    first = by_policy(receipt) or _WORDS[receipt.status]
    if by := receipt.decided_by:
        first += f" by {printable(by.name)} ({printable(by.id)}) at {clock(by.at)}"
    if receipt.edited:
        first += ", edited"
    lines = [first]
    if receipt.resubmit:
        lines.append("They ask to come back with changes.")
    if receipt.never_shown:
        lines.append("It could not be shown to anybody.")
    if receipt.reason:
        lines.append(f"{'Note' if receipt.approved else 'Reason'}: {printable(receipt.reason)}")
    lines += answer_lines(receipt.answer or {})
    lines += [f"Noted by {printable(one.by)}: {printable(one.text)}" for one in receipt.notes]
    if receipt.permalink:
        lines.append(printable(receipt.permalink))
    if receipt.payload is not None:
        lines.append(printable(json.dumps(receipt.payload, ensure_ascii=False)))
    return lines


def answer_lines(answer: Mapping[str, Any]) -> list[str]:
    """What somebody answered to a question, a line each."""
    chosen = [printable(str(one)) for one in answer.get("choice", ())]
    lines = [f"Chosen: {', '.join(chosen)}"] if chosen else []
    lines += [
        f"{name.capitalize()}: {printable(str(answer[name]))}" for name in ("date", "text") if name in answer
    ]
    if answer.get("default"):
        lines.insert(0, "Left to the agent, which takes its default:")
    if answer.get("none"):
        lines.insert(0, "None of the options.")
    return lines


def by_policy(receipt: Receipt) -> str:
    """What the policy did without asking anybody, and what of it did; empty where it was not the policy."""
    if receipt.decided_by or not receipt.why or receipt.status not in ("approved", "blocked"):
        return ""
    if receipt.approved:
        return f"Approved by the policy, which asks nobody for this: {printable(receipt.why)}"
    return f"Blocked by the policy: {printable(receipt.why)}"


def tell(receipt: Receipt, *, json_wanted: bool, action: str | None = None) -> int:
    """Print a receipt on stdout, and give the exit code."""
    lines = [as_json(of_receipt(receipt, action))] if json_wanted else as_lines(receipt)
    print("\n".join(lines))
    return EXIT[receipt.status]


def say(sentence: str) -> None:
    """A remark for people, on stderr: it is in nobody's way."""
    print(f"signoff: {sentence}", file=sys.stderr, flush=True)


def exit_code(error: SignoffError) -> int:
    """Which exit code an error has; 1 for those that are not about a request."""
    if isinstance(error, NotApproved):
        return EXIT[error.status]
    return next((code for kind, code in _ERRORS if isinstance(error, kind)), 1)


def iso(at: datetime) -> str:
    """ISO 8601, UTC, with a Z."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def clock(at: datetime) -> str:
    """A time for people, in UTC."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def laid_out(label: str, text: str) -> str:
    """A line of at most 80 columns that `label` begins; what does not fit stands below, as far in as `text`.

    Both become `printable`.
    """
    return textwrap.fill(
        printable(text), 80, initial_indent=printable(label), subsequent_indent=" " * len(label),
        break_long_words=False, break_on_hyphens=False,
    )  # fmt: skip


def printable(text: str) -> str:
    """Text that others wrote → without what a terminal obeys or hides; JSON stays the same JSON."""
    return "".join(char if char.isprintable() else json.dumps(char)[1:-1] for char in text)
