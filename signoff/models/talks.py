"""What people ask an agent about a request that waits, what it answers, and what they note for it; pure."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal, get_args

from pydantic import Field, StringConstraints

from signoff.models.receipt import Wire

TalkState = Literal["asked", "answered", "unable", "silent", "unheard"]
TALK_STATES: tuple[TalkState, ...] = get_args(TalkState)
WAITS: tuple[TalkState, ...] = ("asked", "silent", "unheard")
"""States in which an answer is still taken."""
MAX_QUESTION = 3000
"""Characters of a question to an agent, as of its answer."""
MAX_NOTE = 1000
"""Characters of a note."""
MOST_NOTES = 20
"""Notes that one request may have, all people's together."""
MOST_TURNS = 200
"""Turns of a conversation that an agent gives as context."""
ANSWER_SECONDS = 40
"""How long a card waits for an answer before it says that none has come."""


@dataclass(frozen=True)
class Talk:
    """A person's question to the agent, and its answer. Times are microseconds since 1970.

    `version` is of the payload that they saw. `state` is `asked`, `answered`, `unable` (the agent says that
    it cannot), `silent` (nothing came `until` then) or `unheard`: nobody listened when it was asked. A late
    answer is taken for as long as the request waits.
    """

    id: str
    version: int
    by_id: str
    name: str
    question: str
    state: TalkState
    asked_at: int
    until: int
    answer: str | None = None
    answered_at: int | None = None


@dataclass(frozen=True)
class Note:
    """What somebody who was asked has noted for the agent; `at` in microseconds since 1970."""

    id: str
    by_id: str
    name: str
    text: str
    at: int


class Inquiry(Wire):
    """A person's question as its agent gets it; its signature is checked, and it is for this agent.

    `id` is the question's own, by which it is answered. `request_id` and `action` are the request's that it
    is about, `version` and `digest` those of the payload that the person saw. `by` is their name. It is valid
    until `not_after`, when the request's time ends.
    """

    id: str
    agent: str
    request_id: str
    action: str
    version: int
    digest: str
    text: str
    by_id: str
    by: str
    asked_at: datetime
    not_after: datetime


class Message(Wire):
    """What stands in Redis of a question: the signed token, and the text that its digest is of."""

    v: int = 0
    id: uuid.UUID
    token: Annotated[str, StringConstraints(max_length=16 * 1024)]
    text: Annotated[str, StringConstraints(max_length=MAX_QUESTION)] = Field(repr=False)
