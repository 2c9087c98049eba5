"""What each field of a request means, for the page of the API; docs/agents.md has it for Python."""

from __future__ import annotations

from typing import Final

ABOUT: Final = {
    "id": "With `nonce`, or neither: then the server makes both, and the caller trusts it with that.",
    "nonce": "128 random bits in hexadecimal, or an HMAC of `key`: the id commits to it.",
    "kind": "`approval`, or `question`: then `payload` is a `Question`, and its answer lets nothing run.",
    "action": "What is to run, as `refund.create`: letters, digits and . _ : / @ -, at most 100. Of a "
    "question it is `question`, and may be left out.",
    "payload": "What it runs with. People see it, may edit it, and decide on it; at most 256 KiB.",
    "reason": "Why this should run, in a sentence or two; at most 4,000 characters.",
    "reversibility": "Whether it can be undone; `irreversible` if not said.",
    "reversible": "Short for `reversibility`: true, false, or one of its words.",
    "risk": "How much the agent thinks is at stake.",
    "undo": "How it would be undone.",
    "impact": "What it touches.",
    "alternatives": "What could be done instead: a text, or at most 10.",
    "context": "More facts, as a JSON object.",
    "tags": "`money`, `external`, `personal-data`, `production`, `destructive`, or own ones; at most 20.",
    "cost": "What it costs, in the currency that the policy counts in.",
    "confidence": "How sure the agent is, from 0 to 1.",
    "attempts": "How many times this has failed before.",
    "run": "Names the agent's piece of work that this belongs to.",
    "key": "Asking again with the same key and content attaches to the first request.",
    "schema": "JSON Schema of the payload: orders the card's fields, and checks a person's corrections.",
    "editable": "Whether a person may correct the payload, or a list of the fields that they may.",
    "expires_in": "Seconds until an unanswered request ends: 1 to 2,592,000; 86,400 if not said.",
    "title": "A short title; at most 150 characters.",
    "conversation": "The Slack channel that the agent would like; the policy decides.",
    "requested_by": "For whom the agent does this: a name, an address; at most 200 characters.",
    "batch": "Shared by requests that are shown together, 32 hexadecimal digits: see `POST /v1/batches`.",
    "interpretation": "Which of several ways to read its task the agent has taken; at most 4,000 characters.",
    "traceparent": "The span that asks (W3C Trace Context).",
}
"""Field → what it means; a claim of the agent's, all but action and payload."""
