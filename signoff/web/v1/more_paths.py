"""The operations of API v1 beyond yes and no, as OpenAPI describes them, and the models that they take."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from signoff.models.bodies import CanUndo
from signoff.models.messages import Reply
from signoff.web.v1.batches import BATCHES, BatchStands, Together
from signoff.web.v1.lessons import FEEDBACK, LESSONS, Asked, Told
from signoff.web.v1.messages import MESSAGES, Messages, Replied
from signoff.web.v1.operations import ID, KEY, LOOK_WAIT, NAME, PREFER, operation, query
from signoff.web.v1.stops import STOP, STOPS, Effect, Seen, StopsTold, StopTold, ToResume, ToStop
from signoff.web.v1.undo import UNDO, UndoTests

KINDS: tuple[type[BaseModel], ...] = (
    Together,
    BatchStands,
    Messages,
    Reply,
    Replied,
    CanUndo,
    UndoTests,
    Asked,
    Told,
    ToStop,
    ToResume,
    Seen,
    StopTold,
    StopsTold,
    Effect,
)
"""What their bodies and answers are."""
_TOGETHER = (
    "People see them as one card; each stays a request of its own, with its own receipt. Where one is not "
    "valid nothing is asked, and `faults` names each (`item`, `detail`). The same again, with the same "
    "`name` or Idempotency-Key, is answered again."
)


def paths() -> dict[str, Any]:
    """Address → its operations."""
    return {**_batches(), **_messages(), **_undo(), **_learning(), **_stops()}


def _batches() -> dict[str, Any]:
    first = query("from", "The place of the first.", type="integer", minimum=0)
    return {
        BATCHES: {
            "post": operation(
                "askTogether", "Ask for several approvals together", _TOGETHER, body="Together",
                parameters=[KEY], answer="BatchStands",
            )
        },
        BATCHES + "/{name}": {
            "get": operation(
                "batch", "Where a batch stands", "With `Prefer: wait=…` once all of it has ended.",
                parameters=[NAME, first, PREFER, LOOK_WAIT], answer="BatchStands",
                problems=("not-found", "invalid"),
            )
        },
    }  # fmt: skip


_ASKED = (
    "A question is there until it has an answer, or its request waits no more: say in `known` which you have "
    "already. Whoever waits here counts as listening. Verify its token: an agent takes no other questions."
)


def _messages() -> dict[str, Any]:
    known = query("known", "Ids of questions, parted by commas: they are left out.", type="string")
    question = {**ID, "description": "The question's id."}
    return {
        MESSAGES: {
            "get": operation(
                "messages", "What people ask this agent", _ASKED, parameters=[known, LOOK_WAIT, PREFER],
                answer="Messages", problems=("invalid",),
            )
        },
        MESSAGES + "/events": {
            "get": operation(
                "messageEvents", "What people ask this agent, as it comes",
                "Server-sent events: `question` each time, a `Message`.", parameters=[known],
                answer="Message", problems=("invalid",), media="text/event-stream",
            )
        },
        MESSAGES + "/{id}/reply": {
            "post": operation(
                "reply", "Answer a question",
                "It stands on the card under *The agent says*, and decides nothing. The first answer counts. "
                "Say `unable` where the agent cannot answer.",
                body="Reply", parameters=[question], answer="Replied", problems=("not-found", "answered"),
            )
        },
    }  # fmt: skip


_UNDO = (
    "Say it again every 15 s or so, as cards tell whether somebody can undo. An undo that a person asks for "
    "comes by `GET /v1/decisions`, as an approved receipt whose `undoes` names the request that it undoes: "
    "spend it, run it, report it. `tests` are those that somebody has asked for (`signoff undo test`), each "
    "handed out once: verify its `token`, run your own test of that undo, say by `tested`, with its `id`, "
    "what that came to. No other `tested` counts. 204 where there are none."
)


def _undo() -> dict[str, Any]:
    said = operation("canUndo", "Say what this agent can undo", _UNDO, body="CanUndo", answer="UndoTests")
    said["responses"]["204"] = {"description": "As asked; nobody wants anything tested."}
    return {UNDO: {"put": said}}


_LEARN = (
    "What was right, rejections with their reasons, edits, corrections, answers: its own, and others' where "
    "the policy shares them; the newest and most frequent first. `format=text` is for a prompt, as data."
)


def _learning() -> dict[str, Any]:
    asked = [
        query("action", "Of this action alone.", type="string", maxLength=100),
        query("limit", "How many at most.", type="integer", minimum=1, maximum=100, default=20),
        query("format", "`json`, or `text` for a prompt.", enum=["json", "text"], default="json"),
        query("tokens", "How long the text is at most.", type="integer", minimum=1, default=500),
        query("id", "What they are asked under: the token is of just that.", type="string", format="uuid"),
    ]
    return {
        LESSONS: {
            "get": operation(
                "lessons", "What this agent can learn", _LEARN, parameters=asked, answer="Told",
                problems=("invalid",),
            )
        },
        FEEDBACK: {
            "post": operation(
                "askFeedback", "Ask whether a result is right",
                "Of a task that needed no approval: it ends as `answered`, and lets nothing run.",
                body="Asked", parameters=[KEY],
            )
        },
    }  # fmt: skip


_STOP = (
    "Needs a token of scope `stop`. New requests are answered as `blocked`, what waits is held, and what was "
    "approved before and has not run is void. What is stopped so already stays as it is, and is answered."
)
_STOPPED = (
    "For guards and agents, by any token: `token` is the same, signed, with a number that grows with each "
    "change. Run nothing by one that is older than 30 seconds, or whose number is lower than one seen before."
)
_SEEN = (
    "A guard says which number it heeds: only by that people are told that what was granted is void. Say it "
    "at once where the number is another, and every 20 s or so. Needs a token of scope `spend:…`."
)


def _stops() -> dict[str, Any]:
    stop = {**ID, "description": "The stop's id."}
    return {
        STOP: {
            "post": operation(
                "stop", "Stop an agent, an action or everything", _STOP, body="ToStop", answer="Effect"
            )
        },
        STOP + "/{id}": {
            "get": operation(
                "stopEffect", "What is known of a stop by now", "Needs a token of scope `stop`.",
                parameters=[stop], answer="Effect", problems=("not-found",),
            )
        },
        STOP + "/{id}/resume": {
            "post": operation(
                "resume", "Let it run again",
                "At once, or `staged`: then all of it is asked about until it is resumed for good. What was "
                "approved before stays void. What tokens stopped no token resumes, unless the policy says "
                "`resume: any`.",
                body="ToResume", parameters=[stop], answer="StopTold", problems=("not-found", "same-person"),
            )
        },
        STOPS: {"get": operation("stops", "What is stopped now", _STOPPED, answer="StopsTold")},
        STOPS + "/seen": {
            "put": operation("stopsSeen", "This number is heeded", _SEEN, body="Seen", answer=None)
        },
    }  # fmt: skip
