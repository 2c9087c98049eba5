"""What a person has answered, as an agent's code reads it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date as Day
from datetime import datetime

from signoff.errors import NotVerified, SignoffError, refusal
from signoff.models.questions import GivenAnswer, Question
from signoff.models.receipt import Receipt


@dataclass(frozen=True)
class Answer:
    """What a person answered. It approves nothing.

    `choice` is the id of the option that was chosen, the first of `choices`; None where none was. `text` is
    what they wrote, empty where they wrote nothing. `default` is True where they left it to the agent: then
    choice, text or date are the agent's own default. `none` is True where they said that no option is right;
    then `text` says what is. `by` is their name, `at` when (UTC); `receipt` is signed, and has their id.
    """

    choice: str | None
    choices: tuple[str, ...]
    text: str
    date: Day | None
    default: bool
    none: bool
    by: str
    at: datetime
    receipt: Receipt = field(repr=False)

    @classmethod
    def of(cls, receipt: Receipt, question: Question | None = None) -> Answer:
        """The answer in a verified receipt; raises what says how the question ended, where nobody answered.

        With the `question`, what is chosen has to be one of its options: raises NotVerified.
        """
        if receipt.status != "answered" or receipt.answer is None or receipt.decided_by is None:
            raise refusal(receipt)
        try:
            given = GivenAnswer.of(receipt.answer)
            day = Day.fromisoformat(given.date) if given.date else None
        except (SignoffError, ValueError):
            raise NotVerified("What it says is no answer to a question.") from None
        if question is not None and not {one.id for one in question.options}.issuperset(given.choice):
            raise NotVerified("It answers another question.")
        by = receipt.decided_by
        return cls(
            choice=given.choice[0] if given.choice else None,
            choices=given.choice,
            text=given.text,
            date=day,
            default=given.default,
            none=given.none,
            by=by.name,
            at=by.at,
            receipt=receipt,
        )
