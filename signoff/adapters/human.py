"""People as a tool of a model's: a function that asks somebody and gives back what they say, as text.

    from signoff.adapters.human import human_as_tool

    tools = [human_as_tool(signoff)]

`HumanLayer` has this and `require_approval` under the names of HumanLayer's SDK: docs/from-humanlayer.md.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Any, Literal, Unpack, overload

from signoff.client.answer import Answer
from signoff.client.claims import Options
from signoff.client.client import AsyncSignoff, F
from signoff.client.face import Signoff
from signoff.client.question import AskPerson
from signoff.errors import (
    Blocked,
    Cancelled,
    Duplicate,
    Expired,
    Invalid,
    Limited,
    NotApproved,
    SignoffError,
    Unreachable,
    WaitTimeout,
)
from signoff.models.questions import MAX_QUESTION, Question

log = logging.getLogger("signoff")

NOTHING = "Nothing was decided: take that neither for a yes nor for a no."
_TOLD: tuple[tuple[type[SignoffError], str], ...] = (
    (Expired, "Nobody answered in time."),
    (Cancelled, "The question was withdrawn before anybody answered."),
    (Blocked, "Nobody may be asked this: the policy blocks it."),
    (Limited, "Too many questions were asked: this one was put to nobody. Wait before you ask again."),
    (Duplicate, "The same question waits for an answer already."),
    (WaitTimeout, "Nobody has answered yet."),
    (Unreachable, "For a technical reason nobody could be asked."),
)
Tool = Callable[[str], str]
AsyncTool = Callable[[str], Awaitable[str]]


@overload
def human_as_tool(client: Signoff, *, timeout: float | None = None, **said: Unpack[AskPerson]) -> Tool: ...
@overload
def human_as_tool(
    client: AsyncSignoff, *, timeout: float | None = None, **said: Unpack[AskPerson]
) -> AsyncTool: ...
def human_as_tool(
    client: Signoff | AsyncSignoff, *, timeout: float | None = None, **said: Unpack[AskPerson]
) -> Tool | AsyncTool:
    """A function `contact_human(message: str) -> str` for a model's tools; a coroutine for an AsyncSignoff.

    It asks a person `message`, waits (`timeout` is in seconds), and gives what they say; `said` is as for
    `ask_person`. Where nobody answers it gives a sentence that says so, and that nothing was decided; an
    answer that does not verify, or settings that are missing, are raised.
    """
    if isinstance(client, AsyncSignoff):

        async def contact_human_async(message: str) -> str:
            question, more = put(message, said)
            try:
                return told(await client.ask_person(question, timeout=timeout, **more), more)
            except SignoffError as error:
                return untold(error)

        _name(contact_human_async)
        return contact_human_async

    def contact_human(message: str) -> str:
        question, more = put(message, said)
        try:
            return told(client.ask_person(question, timeout=timeout, **more), more)
        except SignoffError as error:
            return untold(error)

    _name(contact_human)
    return contact_human


def put(message: str, said: AskPerson) -> tuple[str, AskPerson]:
    """What a model wants to say → the question, and what goes with it: a long message stands whole in its
    context.
    """
    text = message if isinstance(message, str) else str(message)
    if len(text) <= MAX_QUESTION:
        return text, said
    more: AskPerson = {**said, "context": {**(said.get("context") or {}), "message": text}}
    return f"{text[: MAX_QUESTION - 1]}…", more


def told(answer: Answer, said: AskPerson) -> str:
    """An answer as a model reads it: the texts of what was chosen, a date, and what they wrote."""
    from signoff.client.question import read

    question, _ = read("?", said)
    return "\n".join(filter(None, (_how(answer), *_chosen(answer, question), _day(answer), answer.text)))


def untold(error: SignoffError) -> str:
    """Why there is no answer, as a model reads it; raises what is no model's business."""
    if isinstance(error, Invalid):
        return f"That could not be asked: {error.detail} {NOTHING}"
    for kind, sentence in _TOLD:
        if isinstance(error, kind):
            if not isinstance(error, NotApproved):
                log.warning("a person was not asked: %s", type(error).__name__)
            return f"{sentence} {NOTHING}"
    raise error


def _how(answer: Answer) -> str:
    if answer.default:
        return f"{answer.by} leaves it to you. Your own default:"
    return "None of the options:" if answer.none else ""


def _chosen(answer: Answer, question: Question) -> list[str]:
    found = (question.option(one) for one in answer.choices)
    return [option.text for option in found if option]


def _day(answer: Answer) -> str:
    return answer.date.isoformat() if answer.date else ""


def _name(function: Any) -> None:
    function.__name__ = function.__qualname__ = "contact_human"
    function.__doc__ = (
        "Ask a person something, and wait for what they say. Use it where you need to know what only a "
        "person can tell you. Their answer approves no action."
    )


class HumanLayer:
    """Approvals and questions by the names that HumanLayer's SDK had, over a client of ours.

    A call that is not approved gives the model a text that says so, as it did there; `on_reject="raise"`
    raises instead.
    """

    def __init__(self, client: Signoff | None = None) -> None:
        self.client = client or Signoff()

    @overload
    def require_approval(self, function: F, /) -> F: ...
    @overload
    def require_approval(self, function: None = None, /, **options: Unpack[Options]) -> Callable[[F], F]: ...
    def require_approval(self, function: Any = None, /, **options: Any) -> Any:
        """Decorator: see `Signoff.require_approval`."""
        on_reject: Literal["explain"] = "explain"
        return self.client.require_approval(function, **{"on_reject": on_reject, **options})

    def human_as_tool(self, *, timeout: float | None = None, **said: Unpack[AskPerson]) -> Tool:
        """A function for a model's tools: see `human_as_tool`."""
        return human_as_tool(self.client, timeout=timeout, **said)
