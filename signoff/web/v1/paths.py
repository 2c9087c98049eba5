"""The operations of API v1 about requests, decisions and receipts, as OpenAPI describes them."""

from __future__ import annotations

from typing import Any

from signoff.web.v1 import decisions
from signoff.web.v1.operations import ID, KEY, LOOK_WAIT, PREFER, TRACE, operation, query

_BY_KEY = query("key", "The `key` that it was asked with.", type="string", minLength=1, maxLength=255)
_BY_KEY["required"] = True


def paths() -> dict[str, Any]:
    one = "/v1/requests/{id}"
    return {
        "/v1/requests": {
            "post": operation(
                "ask", "Ask", _ASK,
                body="ApprovalRequest", parameters=[KEY, PREFER, TRACE], problems=("duplicate",),
            ),
            "get": operation(
                "find", "Where the request with a key stands",
                "For a caller that has kept the key alone: its `id` is what the other calls take.",
                parameters=[_BY_KEY, PREFER, LOOK_WAIT], problems=("not-found", "invalid"),
            ),
        },
        one: {
            "get": operation(
                "get", "Where a request stands",
                "With `Prefer: wait=…` once it has ended, or the time is over.",
                parameters=[ID, PREFER, LOOK_WAIT], problems=("not-found", "invalid"),
            )
        },
        f"{one}/events": {
            "get": operation(
                "events", "Where a request stands, as it changes",
                "Server-sent events: `state` each time, and the stream ends with the request.",
                parameters=[ID], problems=("not-found",), media="text/event-stream",
            )
        },
        f"{one}/cancel": {
            "post": operation(
                "cancel", "Withdraw a request", "What had been decided before stands.",
                body="Cancel", parameters=[ID], problems=("not-found",),
            )
        },
        f"{one}/spend": {
            "post": operation(
                "spend", "Say that this process runs it",
                "Right before it runs: the first that asks may. The notice is signed, as a receipt is.",
                body="Spend", parameters=[ID], answer="Notice",
                problems=("not-found", "already-spent", "not-approved", "stopped"),
            )
        },
        f"{one}/outcome": {
            "post": operation(
                "report", "Say what became of it", "The first report counts, and stands on the card.",
                body="Outcome", parameters=[ID], problems=("not-found", "not-approved"),
            )
        },
        "/v1/decisions": {
            "get": operation(
                "decisions", "Decisions on this agent's requests", _DECISIONS,
                parameters=[
                    query(
                        "group", "Who shares them.",
                        type="string", pattern=decisions.GROUP, default=decisions.DEFAULT_GROUP,
                    ),
                    query(
                        "limit", "How many at most.",
                        type="integer", minimum=1, maximum=decisions.MOST, default=decisions.USUAL,
                    ),
                    LOOK_WAIT, PREFER,
                ],
                answer="Decisions", problems=("invalid",),
            ),
            "delete": operation(
                "leave", "Let go of a group", "Nothing is kept of it; read again, it begins with the oldest.",
                parameters=[query("group", "Which: `default` if not said.", type="string")], answer=None,
            ),
        },
        "/v1/decisions/ack": {
            "post": operation(
                "ack", "Done with these decisions", "They do not come again.", body="Ack", answer=None
            )
        },
        "/v1/receipts/spend": {
            "post": operation(
                "spendReceipt", "Check a receipt and spend it", _GUARD, body="ToSpend", answer="Spent",
                problems=("already-spent", "restored", "stopped", "not-verified"),
            )
        },
        "/v1/hooks/claude-code": {
            "post": operation(
                "claudeCodeHook", "What Claude Code's http hook calls", _HOOK, body="HookEvent",
                answer="HookAnswer", parameters=[query("defer", _DEFER, type="integer", minimum=0)],
                always=True,
            )
        },
        "/.well-known/jwks.json": {
            "get": operation(
                "keys", "The keys that receipts are signed with", "RFC 7517.", answer="Keys", public=True
            )
        },
    }  # fmt: skip


_ASK = (
    "The same request again is answered again: send it until it is answered. With `kind: question` its "
    "`payload` is a `Question` to a person, and it ends as `answered`: that lets nothing run."
)
_DECISIONS = (
    "For an agent that parks a task and goes on with others. What is not acknowledged comes again after a "
    "minute, to whoever of the group asks."
)
_GUARD = (
    "For what holds the credential, right before it runs: the payload that it is about to run, and the "
    "receipt. Needs a token of scope `spend:<agent>:<action>`."
)


_HOOK = (
    "With a token of scope `hook`. It is answered once people have decided, with white space before the JSON "
    "meanwhile; always with 200, and each fault is a denial. Events that it does not know are answered `{}`."
)
_DEFER = "After how many seconds a call that nobody has decided on is deferred; without, it waits."
