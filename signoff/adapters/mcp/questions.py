"""`ask_person` and `check_answer`: a model asks people what it does not know. No answer lets anything run."""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import suppress
from typing import Annotated, Any, Literal, NotRequired

from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from pydantic import Field
from typing_extensions import TypedDict

from signoff.adapters.mcp.inquiries import Inquiries, Tell, unavailable
from signoff.adapters.mcp.outcomes import Noted, noted
from signoff.adapters.mcp.work import ctx_meta, whole
from signoff.client.answer import Answer
from signoff.client.client import AsyncSignoff
from signoff.client.pending import Pending
from signoff.client.questions import AsyncQuestionTicket
from signoff.errors import Invalid, NotApproved, SignoffError, WaitTimeout
from signoff.models.questions import QUESTION, Question, Why
from signoff.models.receipt import Receipt
from signoff.payload.corrections import one_line

State = Literal["answered", "pending", "expired", "cancelled", "blocked", "invalid", "duplicate", "limited"]
TOOL_USE = "claudecode/toolUseId"
PROGRESS_SECONDS = 5.0
MOST_KEPT = 1000
LETS_NOTHING = "It is an answer, and approves nothing: what needs approval needs it still."
NO_DEFAULT = "This is no answer: neither a yes nor your default."
_ENDS: dict[str, str] = {
    "expired": f"Nobody answered in time. {NO_DEFAULT} If you still need to know, you may ask again.",
    "cancelled": f"The question was withdrawn. {NO_DEFAULT} Do not ask it again unless you are told to.",
    "blocked": f"The policy lets nobody be asked this. {NO_DEFAULT} Asking again will not change that.",
    "duplicate": "The same question waits already: there is an answer to the first, or there will be.",
    "limited": f"Too many questions at once: nobody has looked at it. {NO_DEFAULT} You may ask again later.",
    "invalid": "The question cannot be asked so: correct it, then you may ask again.",
}
Seconds = Annotated[
    float | None,
    Field(ge=0, le=86400, description="How long to wait for an answer before pending comes back."),
]


class Choice(TypedDict):
    """One of several answers to choose from."""

    id: Annotated[str, Field(description="What comes back as choice: letters, digits, - and _.")]
    text: Annotated[str, Field(description="What people read; at most 150 characters.")]
    about: NotRequired[Annotated[str | None, Field(description="More of it, in a line.")]]


class Source(TypedDict):
    """What one source says; with `why` conflict there are two at least."""

    name: str
    text: str


class Try(TypedDict):
    """What you tried, and what went wrong."""

    what: str
    error: str


class Answered(TypedDict):
    """What became of a question. **Whatever it says, it lets nothing run.** Only `answered` is an answer: an
    expired question has none, and never your default.

    `choice` is the id of the option that was chosen (the first of `choices`), `text` what they wrote, `date`
    is ISO 8601. `default`: they left it to you, and what stands beside it is your own default. `none`: none
    of the options is right, and `text` says what is; `notes` are data that people wrote for you. What is not
    known, or is none, is null.
    """

    id: str | None
    status: State
    message: str
    choice: str | None
    choices: list[str] | None
    text: str | None
    date: str | None
    default: bool | None
    none: bool | None
    answered_by: str | None
    receipt: str | None
    permalink: str | None
    expires_at: str | None
    notes: list[Noted] | None


class Questions:
    """What the tools do, with one client; `max_wait` is how long a call may take at most, in seconds."""

    def __init__(self, inquiries: Inquiries, max_wait: float) -> None:
        self._inquiries, self._max_wait = inquiries, max_wait
        self._asked: dict[str, Question] = {}

    @property
    def _client(self) -> AsyncSignoff:
        return self._inquiries.client

    async def ask(self, question: str, said: dict[str, Any], seconds: float | None, tell: Tell) -> Answered:
        """Ask, and wait so long; a call that is cancelled withdraws the question."""
        sending = asyncio.ensure_future(self._client.request_question(question, **said))
        ticket: AsyncQuestionTicket | None = None
        try:
            ticket = await asyncio.shield(sending)
            if ticket.question is not None:
                self._asked[ticket.id] = ticket.question
            while len(self._asked) > MOST_KEPT:
                self._asked.pop(next(iter(self._asked)))
            return await self._wait(ticket.id, seconds, tell)
        except asyncio.CancelledError:
            with suppress(Exception):
                await self._inquiries.withdraw((ticket or await sending).id)
            raise
        except NotApproved as error:
            return _refused(error, None)
        except SignoffError as error:
            raise unavailable("The question", error) from None

    async def check(self, id: str, seconds: float | None, tell: Tell) -> Answered:
        """Wait for the answer to a question that was asked before, or look at it."""
        found = await self._inquiries.state(id)
        if found is None:
            raise ToolError("No question of this id is known here. Nobody has answered it.")
        if isinstance(found, Receipt):
            return self._ended(found)
        if found.action not in (QUESTION, None, ""):
            raise ToolError("It is a request for approval, and no question: call check_approval.")
        return await self._wait(id, seconds, tell)

    async def _wait(self, id: str, seconds: float | None, tell: Tell) -> Answered:
        limit = self._max_wait if seconds is None else min(seconds, self._max_wait)
        telling = asyncio.ensure_future(_tell_often(tell, limit))
        try:
            return self._ended((await self._client.resume_question(id).wait(limit)).receipt)
        except WaitTimeout:
            return _pending(id, await self._state(id))
        except NotApproved as error:
            return _refused(error, id)
        except SignoffError as error:
            raise unavailable("The question", error) from None
        finally:
            telling.cancel()

    async def _state(self, id: str) -> Pending | None:
        with suppress(ToolError):
            found = await self._inquiries.state(id)
            return found if isinstance(found, Pending) else None
        return None

    def _ended(self, receipt: Receipt) -> Answered:
        if receipt.kind != QUESTION and receipt.digest_sent is not None:
            raise ToolError("It is a request for approval, and no question: call check_approval.")
        asked = self._asked.get(receipt.id)
        try:
            answer = Answer.of(receipt, asked)
        except NotApproved as error:
            return _refused(error, receipt.id)
        except SignoffError as error:
            raise unavailable("The question", error) from None
        found = _empty(receipt.id, "answered", f"{_told(answer, asked)} {LETS_NOTHING}")
        found |= {
            "choice": answer.choice, "choices": list(answer.choices), "text": answer.text or None,
            "date": answer.date.isoformat() if answer.date else None, "default": answer.default,
            "none": answer.none, "answered_by": answer.by, "receipt": receipt.token or None,
            "permalink": receipt.permalink, "notes": noted(receipt),
        }  # fmt: skip
        return found


def add(server: MCPServer[Any], inquiries: Inquiries, max_wait: float) -> None:
    """The tools, added to a server."""
    questions = Questions(inquiries, max_wait)

    @server.tool(title="Ask a person a question")
    async def ask_person(
        question: Annotated[str, Field(description="What you want to know; at most 1,000 characters.")],
        ctx: Context[Any, Any],
        options: Annotated[
            list[Choice] | list[str] | None, Field(description="At most 10 to choose from.")
        ] = None,
        several: Annotated[bool, Field(description="Whether several can be chosen.")] = False,
        date: Annotated[bool, Field(description="Whether a date answers it.")] = False,
        free_text: Annotated[
            bool | None, Field(description="Whether a text answers it; without options and date it does.")
        ] = None,
        default: Annotated[
            str | None, Field(description="What you do if they say that you decide: an option's id.")
        ] = None,
        why: Annotated[Why, Field(description="Why you ask.")] = "other",
        sources: Annotated[list[Source] | None, Field(description="What contradicts each other.")] = None,
        tries: Annotated[list[Try] | None, Field(description="What you tried, and what failed.")] = None,
        context: Annotated[dict[str, Any] | None, Field(description="More facts.")] = None,
        key: Annotated[str | None, Field(description="Asking again with it attaches to the first.")] = None,
        expires_in: Annotated[float | None, Field(description="Seconds until it ends, unanswered.")] = None,
        max_wait_seconds: Seconds = None,
    ) -> Answered:
        """Ask a person what you do not know: which one is meant, how far to go, which source is right. An
        answer lets nothing run: for approval call request_approval. Nobody may be asked for passwords or
        codes. A question that expires has no answer, and never your default."""
        said = _said(
            ctx_meta(ctx), key, options=options, several=several, date=date, free_text=free_text,
            default=default, why=why, sources=sources, tries=tries, context=context, expires_in=expires_in,
        )  # fmt: skip
        return await whole(
            questions.ask(question, said, max_wait_seconds, ctx.report_progress), "The question"
        )

    @server.tool(title="Look whether it was answered")
    async def check_answer(
        id: Annotated[str, Field(description="Of ask_person.")],
        ctx: Context[Any, Any],
        max_wait_seconds: Seconds = None,
    ) -> Answered:
        """Wait for the answer to a question, or look at it with max_wait_seconds=0. It lets nothing run."""
        return await whole(questions.check(id, max_wait_seconds, ctx.report_progress), "The question")


def _said(meta: dict[str, Any], key: str | None, *, options: Any, **more: Any) -> dict[str, Any]:
    """What is sent beside the question: without what was not said."""
    use = meta.get(TOOL_USE)
    found = {name: value for name, value in more.items() if value is not None}
    if options is not None:
        given = [one if isinstance(one, str) else (one["text"], one.get("about") or "") for one in options]
        ids = [one["id"] for one in options if not isinstance(one, str)]
        if len(set(ids)) < len(ids):
            raise ToolError("Two options have the same id.")
        found["options"] = dict(zip(ids, given, strict=True)) if ids else given
    for name, (first, second) in {"sources": ("name", "text"), "tries": ("what", "error")}.items():
        if name in found:
            found[name] = [(one[first], one[second]) for one in found[name]]
    if key or isinstance(use, str):
        found["key"] = f"mcp:{key}" if key else f"mcp:{use}"
    return found


def _told(answer: Answer, asked: Question | None) -> str:
    """Who answered what: what they wrote stands in quotes, on one line."""
    who = one_line(answer.by) or "A person"
    if answer.default:
        return f"{who} left it to you: your own default stands beside it, and is nobody's choice."
    if answer.none:
        return f"{who} says that none of the options is right, but: {_quoted(answer.text)}."
    parts = []
    if answer.choices:
        named = [asked.option(one) if asked else None for one in answer.choices]
        texts = [
            f"{_quoted(one)} ({_quoted(option.text)})" if option and option.text != one else _quoted(one)
            for one, option in zip(answer.choices, named, strict=True)
        ]
        parts.append(f"chose {' and '.join(texts)}")
    if answer.date:
        parts.append(f"gave the date {answer.date.isoformat()}")
    if answer.text:
        parts.append(f"wrote {_quoted(answer.text)}")
    return f"{who} {', and '.join(parts)}."


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _pending(id: str, until: Pending | None) -> Answered:
    found = _empty(
        id, "pending",
        "Nobody has answered yet. Call check_answer with this id to go on waiting; meanwhile you may do "
        "other work that does not need it. Do not take your default for the answer.",
    )  # fmt: skip
    if until is not None and until.expires_at is not None:
        found["expires_at"] = until.expires_at.isoformat().replace("+00:00", "Z")
    return found


def _refused(error: NotApproved, id: str | None) -> Answered:
    """A question that ended without an answer, or was not even sent."""
    receipt = error.receipt if isinstance(error.receipt, Receipt) else None
    status: Any = error.status
    message = _ENDS.get(status, NO_DEFAULT)
    reason = (receipt.reason if receipt else "") or (error.detail if isinstance(error, Invalid) else "")
    found = _empty(receipt.id if receipt else id, status, f"{message} {reason}".strip())
    if receipt:
        found |= {"receipt": receipt.token or None, "permalink": receipt.permalink}
    return found


def _empty(id: str | None, status: State, message: str) -> Answered:
    return Answered(
        id=id, status=status, message=message, choice=None, choices=None, text=None, date=None, default=None,
        none=None, answered_by=None, receipt=None, permalink=None, expires_at=None, notes=None,
    )  # fmt: skip


async def _tell_often(tell: Tell, limit: float) -> None:
    started = time.monotonic()
    with suppress(Exception):  # a client that takes no progress does without
        while True:
            passed = time.monotonic() - started
            await tell(round(passed, 3), limit, "The question waits for a person's answer.")
            await asyncio.sleep(PROGRESS_SECONDS)
