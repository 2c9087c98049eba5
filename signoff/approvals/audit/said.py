"""Which line of the log says what stands in which column; and of the others, why none does.

Whoever adds a table or a column says here where its content is logged. What is logged is compared by
`account`; a test changes every such column, and expects `verify` to name it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Line:
    """The kinds of lines that say it."""

    kinds: tuple[str, ...]


@dataclass(frozen=True)
class Unsaid:
    """No line says it, and why none has to."""

    why: str


def by(*kinds: str) -> Line:
    """Said by lines of these kinds."""
    return Line(kinds)


DRAWING = Unsaid("what is shown, and when next: redrawn from what is said")
NUMBER = Unsaid("the row's own number")
ENDS = ("receipt", "adopted")

SAID: Mapping[str, Mapping[str, Line | Unsaid] | Unsaid] = {
    "approval": {
        "id": by("submit"),
        "agent": by("submit"),
        "request_id": by("submit"),
        "key": by("submit"),
        "run": by("submit"),
        "action": by("submit"),
        "status": by(*ENDS),
        "version": by("edit", *ENDS),
        "revision": DRAWING,
        "delivered_revision": DRAWING,
        "digest_sent": by("submit"),
        "verdict": by("verdict", "edit"),
        "reason": by("cancel", *ENDS),
        "created_at": by("submit"),
        "expires_at": by("verdict", "restored", "migrated", "talk", "shown"),
        "shown_at": by("shown"),
        "ended_at": by(*ENDS),
        "not_before": DRAWING,
        "published_at": Unsaid("whether Redis has the answer: sweep repeats it"),
        "receipt": by(*ENDS),
        "receipt_expires_at": by(*ENDS),
        "outcome": by("outcome"),
        "outcome_at": by("outcome"),
        "conversation": by("verdict", "moved"),
        "closed_in": by("restored", "adopted"),
        "spent_by": by("spend"),
        "spent_at": by("spend"),
        "judged": Unsaid("which policy it was last held against: whoever decides asks today's"),
        "drawn": DRAWING,
        "moved": DRAWING,
        "glimpse": Unsaid("worked out from the payload, which is said: for lists, where nothing is approved"),
        "code_length": Unsaid("worked out from the ids, which are said"),
        "rejected_before": Unsaid("which rejection stands beside it: that one's own lines say the rest"),
        "ages_at": DRAWING,
        "waiter": Unsaid("who is subscribed in Redis now: looked at every few seconds"),
        "absent_at": Unsaid("since when nobody is: looked at every few seconds"),
        "traceparent": Unsaid("where a trace of the agent's goes on: nothing depends on it"),
        "deserted_at": Unsaid("whether admins were told: the directory says the rest"),
        "kind": by("submit"),
        "batch_id": by("submit", "batch"),
        "handed_to": by("handed"),
        "handed_by": by("handed"),
        "undoes": by("submit"),
        "undo_at": DRAWING,
        "calls_at": Unsaid("when somebody is next reminded: lines `called` tell of each who was"),
        "ballots": Unsaid(
            "how many votes came and went: so that whoever counts has seen all; votes are said"
        ),
        "runs_at": by("verdict", "shown", "held", "grace"),
    },
    "payload": {
        "approval_id": by("submit", "edit"),
        "version": by("submit", "edit"),
        "text": by("submit", "edit"),
        "salt": by("submit", "edit"),
        "claims": by("submit"),
        "by_id": by("edit"),
        "erased_at": Unsaid("nothing erases a payload yet, so it has to be empty: that is checked"),
    },
    "decision": {
        "id": NUMBER,
        **dict.fromkeys(
            (
                "approval_id",
                "version",
                "approver",
                "name",
                "vote",
                "reason",
                "resubmit",
                "second_factor",
                "at",
                "answer",
                "seat",
                "fits",
                "self_approved",
                "deputy_for",
            ),
            by("decision", "vote", "adopted"),
        ),
        "withdrawn_at": by("decision", "vote", "void", "adopted"),
        "void": by("decision", "vote", "void", "adopted"),
    },
    "card": {
        "id": by("shown"),
        "approval_id": by("shown"),
        "conversation": by("shown", "moved"),
        "message": by("shown", "moved"),
        "permalink": by("shown", "moved"),
        "shown_revision": DRAWING,
        "lease_until": DRAWING,
        "lease": DRAWING,
        "unsure": DRAWING,
        "fault": DRAWING,
        "thread": by("shown", "moved"),
        "channel": by("shown"),
    },
    "agent": {
        "name": by("submit", "agent"),
        "owner": by("submit", "agent", "policy"),
        "created_at": by("submit", "agent"),
        "served_at": DRAWING,
        "added_owner": by("agent"),
    },
    "policy": {
        "digest": by("policy"),
        "text": by("policy"),
        "since": by("policy"),
        "fault": Unsaid("only of a file that was never in force: that is checked"),
    },
    "epoch": {
        "number": by("restored"),
        "started_at": by("restored"),
        "backup_at": by("restored"),
        "told_at": Unsaid("whether agents were told: sweep repeats it"),
    },
    "amount": Unsaid("worked out from payload, verdict and end, which are said: `counted` compares it"),
    "audit_event": Unsaid("the log itself"),
    "card_double": DRAWING,
    "card_file": Unsaid(
        "what stands in a thread beside a card: lines `file` tell of each that came and went"
    ),
    "thread": DRAWING,
    "pause": DRAWING,
    "home": DRAWING,
    "flood_warning": Unsaid("what a conversation is still to be told"),
    "draft": Unsaid("what somebody is typing, deleted soon"),
    "agent_token": Unsaid("lines `token` tell of each that was made, switched off or revoked"),
    "webhook_endpoint": Unsaid("lines `webhook` tell of each that was registered, or switched off"),
    "webhook_delivery": Unsaid("what is still to be posted, or was: the end that it tells of is said"),
    "batch": {
        "id": NUMBER,
        "agent": by("batch"),
        "name": by("batch"),
        "title": by("batch"),
        "run": by("batch"),
        "size": by("batch"),
        "state": by("batch"),
        "created_at": Unsaid("when its first request came: for how long it may stay open"),
        "frozen_at": by("batch"),
        "ids": by("batch"),
        "salt": Unsaid("of the digests of title and run: with another one they fit nothing"),
        **dict.fromkeys(
            (
                "wanted",
                "conversation",
                "thread",
                "message",
                "permalink",
                "revision",
                "shown_revision",
                "shown_at",
                "not_before",
                "lease_until",
                "lease",
                "unsure",
            ),
            DRAWING,
        ),
    },
    "batch_review": Unsaid("what somebody looks through, deleted soon"),
    "talk": {
        "id": by("talk"),
        "approval_id": by("talk"),
        "version": by("talk"),
        "by_id": by("talk"),
        "name": by("talk"),
        "question": by("talk"),
        "state": by("talk"),
        "asked_at": by("talk"),
        "until": by("talk"),
        "token": by("talk"),
        "published_at": Unsaid("whether Redis has it: sweep repeats it"),
        "answer": by("talk"),
        "answered_at": by("talk"),
    },
    "note": {
        "id": by("note"),
        "approval_id": by("note"),
        "by_id": by("note"),
        "name": by("note"),
        "text": by("note"),
        "at": by("note"),
    },
    "card_reply": DRAWING,
    "call": Unsaid("whom somebody is still to be reminded of: lines `called` tell of each who was"),
    "pinged": Unsaid("when somebody was last pinged: so that nobody is twice at once"),
    "absence": {
        "id": by("away"),
        "person": by("away"),
        "deputy": by("away"),
        "by_id": by("away"),
        "since": by("away"),
        "until": by("away"),
        "ended_at": by("back"),
        "told": Unsaid("whether admins and cards know of it: sweep repeats it"),
    },
    "undo": Unsaid("what an agent says that it can do: nothing is approved by it"),
    "feedback": {
        "id": NUMBER,
        "approval_id": by("feedback"),
        "agent": by("submit"),
        "action": by("submit"),
        "asked_at": Unsaid("for how long it is asked: nothing else depends on it"),
        "by_id": by("feedback"),
        "name": by("feedback"),
        "answer": by("feedback"),
        "text": by("feedback"),
        "at": by("feedback"),
    },
    "stop": {
        **dict.fromkeys(
            ("id", "number", "kind", "name", "by_id", "by_name", "reason", "at", "undos"),
            by("stop", "resume"),
        ),
        **dict.fromkeys(
            ("changed", "staged_at", "ended_at", "resumed_by", "resumed_name"), by("stop", "resume")
        ),
        "salt": Unsaid("of the digests of names and reason: with another one they fit nothing"),
    },
    "stop_told": Unsaid("of which changes of a stop admins were told"),
    "stop_seen": Unsaid("what guards have said that they know of: no approval depends on it"),
    "factor": Unsaid(
        "lines `factor` tell of each that was enrolled, affirmed or removed; a secret is sealed"
    ),
    "factor_invitation": Unsaid("lines `factor` tell of each that was given; its row has a hash of the code"),
    "factor_guard": Unsaid("what somebody has just typed; lines `factor` tell of each that was locked"),
    "factor_news": Unsaid("what a person is still to be told: lines `factor` say it"),
    "signoff_spent": Unsaid("lines `guard` tell of each that was spent; its row goes once no receipt holds"),
}
"""Table → column → where it is said."""

KINDS = frozenset(
    (
        "submit", "verdict", "shown", "edit", "decision", "expiry", "cancel", "receipt", "adopted", "outcome",
        "spend", "guard", "file", "agent", "policy", "restored", "migrated", "token", "webhook",
        "handed", "vote", "void", "moved", "batch", "talk", "note", "held", "grace", "feedback", "stop",
        "resume", "factor", "called", "escalated", "away", "back",
    )
)  # fmt: skip
"""All kinds of lines."""
