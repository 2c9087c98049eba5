"""Questions that agents ask people, and what people answer; frozen.

A question is a request of kind `question`, and its payload is a `Question`. Its answer lets nothing run.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date as Day
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import Field, StrictBool, StringConstraints, field_validator, model_validator

from signoff.errors import Invalid
from signoff.models.messages import build
from signoff.models.receipt import Wire
from signoff.models.receipt_claims import QUESTION as QUESTION
from signoff.payload.blank import is_blank

ACTION = "question"
"""The action of every question."""
MOST_OPTIONS = 10
MOST_SOURCES = 5
MOST_TRIES = 10
MAX_QUESTION = 1000
MAX_OPTION = 150
MAX_ABOUT = 300
MAX_SOURCE = 4000
MAX_ERROR = 1000
MAX_TEXT = 3000
"""Characters of a text, each."""

Why = Literal["ambiguous", "conflict", "failed", "scope", "preference", "other"]
WHYS: tuple[Why, ...] = get_args(Why)
"""Why an agent asks: it can be read in several ways, sources contradict each other, what it tried went wrong,
it does not know how far it may go, it is a matter of taste, or something else.
"""

OptionId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,40}$")]
ABOUT_SECRETS = "Nobody may type secrets here: whatever the agent reads, others may read, too."
INSTEAD = (
    "Nobody may type secrets into an answer: have somebody put it into your vault or settings, "
    "and ask for its name there, or whether it is done."
)


def _text(most: int, least: int = 0) -> Any:
    return StringConstraints(min_length=least, max_length=most)


class Option(Wire):
    """One of several answers to choose from. `id` is what the agent is told, `text` what people read."""

    id: OptionId
    text: Annotated[str, _text(MAX_OPTION)]
    about: Annotated[str, _text(MAX_ABOUT)] = ""

    @field_validator("text")
    @classmethod
    def _says_something(cls, text: str) -> str:
        return _said(text, "an option has to say something")


class Source(Wire):
    """One of those that contradict each other, or that the question is about."""

    name: Annotated[str, _text(MAX_OPTION, 1)]
    text: Annotated[str, _text(MAX_SOURCE)]


class Try(Wire):
    """What the agent has tried, and what went wrong."""

    what: Annotated[str, _text(MAX_ABOUT, 1)]
    error: Annotated[str, _text(MAX_ERROR)] = ""


class Question(Wire):
    """What an agent asks. All of it is the agent's own words; lengths are in characters.

    Something can be answered: one of `options` (more of them with `several`), a `date`, or a `free_text`.
    `default` is what the agent takes where somebody says that it is for the agent to decide: an option's id,
    or where there are no options the text or the date itself (ISO 8601). It is never taken otherwise.
    """

    question: Annotated[str, _text(MAX_QUESTION)]
    options: tuple[Option, ...] = Field(default=(), max_length=MOST_OPTIONS)
    several: StrictBool = False
    date: StrictBool = False
    free_text: StrictBool = False
    default: Annotated[str, _text(MAX_ABOUT, 1)] | None = None
    why: Why = "other"
    sources: tuple[Source, ...] = Field(default=(), max_length=MOST_SOURCES)
    tries: tuple[Try, ...] = Field(default=(), max_length=MOST_TRIES)

    @field_validator("question")
    @classmethod
    def _asks_something(cls, text: str) -> str:
        from signoff.payload.asked_secrets import asked_for  # 20 ms of patterns, which most agents never need

        if secret := asked_for(text):
            raise ValueError(f"it asks people for {secret}. {INSTEAD}")
        return _said(text, "a question has to ask something")

    @model_validator(mode="after")
    def _can_be_answered(self) -> Self:
        ids = [option.id for option in self.options]
        if len(set(ids)) < len(ids):
            raise ValueError("two options have the same id")
        if len({" ".join(option.text.split()) for option in self.options}) < len(ids):
            raise ValueError(
                "two options read the same, and nobody could tell them apart: say more in their texts"
            )
        if not (self.options or self.date or self.free_text):
            raise ValueError("nobody could answer it: give options, or allow a date or a free text")
        if self.several and len(self.options) < 2:
            raise ValueError("several can be chosen only of two options and more")
        if self.why == "conflict" and len(self.sources) < 2:
            raise ValueError("a conflict is between two sources at least: give both")
        if self.why == "failed" and not self.tries:
            raise ValueError("what failed has to be said: give at least one try")
        self._check_default(ids)
        return self

    def _check_default(self, ids: list[str]) -> None:
        if self.default is None:
            return
        if ids and self.default not in ids:
            raise ValueError("the default is none of the options' ids")
        if not ids and not self.free_text and not is_day(self.default):
            raise ValueError("the default is not a date as 2026-11-28")
        _said(self.default, "the default has to say something")

    @classmethod
    def of(cls, payload: Mapping[str, Any]) -> Question:
        """A request's payload → the question; raises Invalid, saying what is wrong with it."""
        return build(cls, dict(payload))

    def payload(self) -> dict[str, Any]:
        """The payload of its request: what is as it is by default is left out."""
        return self.model_dump(mode="json", exclude_defaults=True)

    def option(self, option_id: str) -> Option | None:
        """The option with this id."""
        return next((option for option in self.options if option.id == option_id), None)


class GivenAnswer(Wire):
    """What somebody answers: `choice` are options' ids, `date` is ISO 8601.

    `default` says that it is for the agent to decide: what it has as its default stands beside it, and is
    nobody's choice. `none` says that none of the options is right, and `text` what is.
    """

    choice: tuple[OptionId, ...] = Field(default=(), max_length=MOST_OPTIONS)
    text: Annotated[str, _text(MAX_TEXT)] = ""
    date: Annotated[str, _text(10)] | None = None
    default: StrictBool = False
    none: StrictBool = False

    def check(self, question: Question) -> GivenAnswer:
        """The same as it is recorded: choices in the question's order, text without space around it.

        Raises Invalid where it does not answer this question, or where it holds what looks like a secret.
        """
        answer = self.model_copy(update={"text": self.text.strip()})
        if answer.default:
            return answer._by_default(question)
        for fits, fault in _FAULTS:
            if not fits(answer, question):
                raise Invalid(fault)
        from signoff.payload.asked_secrets import answered_with
        from signoff.payload.secrets import secret_in

        if found := secret_in(answer.text) or answered_with(question.question, answer.text):
            raise Invalid(f"That looks like {found}. {ABOUT_SECRETS}")
        ids = [option.id for option in question.options]
        return answer.model_copy(update={"choice": tuple(sorted(answer.choice, key=ids.index))})

    def _by_default(self, question: Question) -> GivenAnswer:
        if question.default is None:
            raise Invalid("The agent has no default: choose an answer.")
        found = by_default(question)
        if self not in (found, GivenAnswer(default=True)):
            raise Invalid("Either choose an answer, or leave it to the agent.")
        return found

    def said(self) -> dict[str, Any]:
        """As receipt and row have it: what is as it is by default is left out."""
        return self.model_dump(mode="json", exclude_defaults=True)

    @classmethod
    def of(cls, said: Mapping[str, Any]) -> GivenAnswer:
        """What `said` gave, or what came over a wire → the answer; raises Invalid."""
        return build(cls, dict(said))


def by_default(question: Question) -> GivenAnswer:
    """What is recorded where somebody leaves it to the agent: `default`, and beside it what the agent takes.

    The question has a default.
    """
    taken = question.default
    assert taken is not None
    if question.options:
        return GivenAnswer(default=True, choice=(taken,))
    if question.free_text:
        return GivenAnswer(default=True, text=taken.strip())
    return GivenAnswer(default=True, date=taken)


def is_day(text: str) -> bool:
    """Whether it is a date as 2026-11-28."""
    try:
        return Day.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


Fits = Callable[[GivenAnswer, Question], bool]
_FAULTS: tuple[tuple[Fits, str], ...] = (
    (
        lambda answer, question: {option.id for option in question.options}.issuperset(answer.choice),
        "It is none of the question's options.",
    ),
    (lambda answer, _: len(set(answer.choice)) == len(answer.choice), "It names an option twice."),
    (
        lambda answer, question: question.several or len(answer.choice) < 2,
        "Only one of the options can be chosen.",
    ),
    (
        lambda answer, question: bool(question.options) or not answer.none,
        "There are no options to choose none of.",
    ),
    (
        lambda answer, _: not (answer.none and (answer.choice or answer.date)),
        "Either choose an answer, or none of them.",
    ),
    (lambda answer, _: not answer.none or not is_blank(answer.text), "Say what is right instead."),
    (
        lambda answer, question: question.free_text or answer.none or not answer.text,
        "The question is not answered by a text.",
    ),
    (
        lambda answer, question: question.date or answer.date is None,
        "The question is not answered by a date.",
    ),
    (
        lambda answer, _: answer.date is None or is_day(answer.date),
        "A date is written as 2026-11-28.",
    ),
    (
        lambda answer, _: bool(answer.choice or answer.date or not is_blank(answer.text)),
        "It answers nothing: choose an answer.",
    ),
)
"""What an answer has to be, each with what is said where it is not."""


def _said(text: str, fault: str) -> str:
    if is_blank(text):
        raise ValueError(fault)
    return text
