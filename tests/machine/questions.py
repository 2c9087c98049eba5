"""A machine of questions and talks: agents ask people, people ask agents, and nothing runs by any of it."""

from __future__ import annotations

from typing import Any

from machine.base import ITEM, PEOPLE, USER, Base, crashes
from machine.ledger import Item
from machine.walk import any_of, one_of, verb

from signoff.approvals.errors import EditedMeanwhile, NotHanded, OtherKind, TooManyNotes, TooManyQuestions
from signoff.approvals.talks import MOST, MOST_WAITING, PER_MINUTE
from signoff.errors import Invalid
from signoff.models.messages import Reply
from signoff.models.questions import GivenAnswer
from signoff.models.store import MICROSECONDS
from signoff.models.talks import MOST_NOTES

OPTIONS = [{"id": one, "text": f"Smith of {one}"} for one in "abc"]
DAY, WORDS = "2026-12-01", "In words"
ONE, TWO, NONE = {"choice": ["a"]}, {"choice": ["a", "b"]}, {"none": True, "text": "Another"}
GIVEN = {
    "one": GivenAnswer(choice=("a",)),
    "two": GivenAnswer(choice=("b", "a")),
    "text": GivenAnswer(text=f"  {WORDS} "),
    "date": GivenAnswer(date=DAY),
    "default": GivenAnswer(default=True),
    "none": GivenAnswer(none=True, text="Another"),
}
SHAPES: dict[str, tuple[dict[str, Any], dict[str, dict[str, Any]]]] = {
    "several": (
        {"question": "Which?", "options": OPTIONS, "several": True, "free_text": True, "default": "c"},
        {"one": ONE, "two": TWO, "none": NONE, "text": {"text": WORDS},
         "default": {"default": True, "choice": ["c"]}},
    ),
    "one of two": ({"question": "Who?", "options": OPTIONS[:2]}, {"one": ONE, "none": NONE}),
    "a day": (
        {"question": "When?", "date": True, "default": DAY},
        {"date": {"date": DAY}, "default": {"default": True, "date": DAY}},
    ),
    "in words": ({"question": "How?", "free_text": True}, {"text": {"text": WORDS}}),
}  # fmt: skip
"""What is asked, and which of the answers are one to it, as they are then recorded."""
SAID = any_of(*GIVEN, *["what fits"] * 6)
TALK = one_of(
    lambda machine: [(one, talk) for one in machine.items for talk in one.talks],
    lambda found: found[0].waits and found[0].talks[found[1]] is None,
)
"""A request, and a question to its agent."""
TALK_MORE = 600 * MICROSECONDS


class Questions(Base):
    """Questions of every shape, tickets that people are asked about, and what is said about both."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.shapes: dict[str, str] = {}

    def begin(self) -> None:
        for shape in SHAPES:
            self.ask_people(shape, None)
        self.open_ticket(None)

    @verb(shape=any_of(*SHAPES), crash=crashes("intake.acked"))
    def ask_people(self, shape: str, crash: Any) -> None:
        payload = {**SHAPES[shape][0], "question": f"{SHAPES[shape][0]['question']} {next(self.numbers)}"}
        item = self.ask(crash, "question", payload, kind="question")
        self.shapes[item.approval_id] = shape

    @verb(crash=crashes())
    def open_ticket(self, crash: Any) -> None:
        self.ask(crash, "ticket.tidy")

    @verb(item=ITEM, user=USER, said=SAID, seen=any_of(1, 1, 1, 1, 1, 2), crash=crashes())
    def answer(self, item: Item, user: str, said: str, seen: int, crash: Any) -> None:
        """Recorded whole and as it was given, where it answers just this; approves nothing."""
        user = self.who(user, item)
        if said == "what fits":
            fits = [*SHAPES[self.shapes[item.approval_id]][1]] if item.question else ["text"]
            said = fits[next(self.numbers) % len(fits)]
        refused = self.refusal(item, user, seen)
        recorded = None
        if not item.question:
            refused = refused or (OtherKind,)
        elif not refused:
            recorded = SHAPES[self.shapes[item.approval_id]][1].get(said)
            refused = () if recorded else (Invalid,)
        questions = self.parts.approvals.questions
        if self.press(crash, refused, lambda: questions.answer(item.approval_id, seen, user, GIVEN[said])):
            item.ends("answered", user)
            item.answer = recorded

    @verb(item=ITEM, user=USER, to=USER, crash=crashes("hand.written", "hand.committed", "hand.announced"))
    def hand(self, item: Item, user: str, to: str, crash: Any) -> None:
        """Somebody else is asked to answer it; whoever could answer still can."""
        user = self.who(user, item)
        to = self.who(to, None) if to in PEOPLE else max(self.may(item))
        refused = self.refusal(item, user) or (() if item.question else (OtherKind,))
        if to in (user, *item.handed[-1:]) or to not in self.may(item):
            refused = refused or (NotHanded,)
        hands = self.parts.approvals.times.hands
        if self.press(crash, refused, lambda: hands.hand(item.approval_id, 1, user, to)):
            item.handed.append(to)

    @verb(2, item=ITEM, user=USER, vote=any_of("approve", "reject"), crash=crashes())
    def vote(self, item: Item, user: str, vote: str, crash: Any) -> None:
        user = self.who(user, item)
        self.decide(crash, item, user, vote)

    @verb(item=ITEM, user=USER, crash=crashes(
        "talk.written", "talk.committed", "talk.told", "told.committed", "talk.announced"))  # fmt: skip
    def ask_the_agent(self, item: Item, user: str, crash: Any) -> None:
        """Decides nothing, and gives more time where the policy says so, once."""
        user = self.who(user, item)
        asked = [talk for one in self.items for talk in one.talks]
        waiting = sum(said is None for said in item.talks.values())
        refused = self.refusal(item, user)
        if waiting >= MOST_WAITING or len(item.talks) >= MOST or len(asked) >= PER_MINUTE:
            refused = refused or (TooManyQuestions,)
        before = self.parts.approvals.get(item.approval_id)
        talks = self.parts.approvals.talks
        if self.press(crash, refused, lambda: talks.ask(item.approval_id, 1, user, "Why so much?")):
            row = self.parts.approvals.get(item.approval_id)
            more = TALK_MORE if self.rules.free and not item.talks and not item.question else 0
            assert row.expires_at == before.expires_at + more
            [talk_id] = {one.id for one in row.talks} - {*item.talks}
            item.talks[talk_id] = None

    @verb(talk=TALK, unable=any_of(True, False), crash=crashes(
        "talked.written", "talked.committed", "talked.announced", "intake.acked"))  # fmt: skip
    def reply(self, talk: tuple[Item, str], unable: bool, crash: Any) -> None:
        """The first answer of the agent that was asked counts, for as long as the request waits."""
        item, talk_id = talk
        words = "" if unable else f"Because {next(self.numbers)}."
        assert self.parts.approvals.talks.reply("another-agent", talk_id, Reply(text="Mine.")) is None
        self.send(crash, "message", talk_id, Reply(text=words, unable=unable).model_dump_json())
        if item.waits and item.talks[talk_id] is None:
            item.talks[talk_id] = words

    @verb(2, talk=TALK)
    def say_nothing_for_long(self, talk: tuple[Item, str]) -> None:
        """Its card says so at the next sweep; a later answer is taken still."""
        self.put("until", talk[1], 5, "talk")

    @verb(item=ITEM, user=USER, crash=crashes("note.written", "note.committed"))
    def note(self, item: Item, user: str, crash: Any) -> None:
        """Goes to the agent with the decision, and is no part of it."""
        user = self.who(user, item)
        refused = self.refusal(item, user) or ((TooManyNotes,) if len(item.notes) >= MOST_NOTES else ())
        words, talks = f"Ask Cem {next(self.numbers)}", self.parts.approvals.talks
        if self.press(crash, refused, lambda: talks.note(item.approval_id, user, words)):
            item.notes.append(words)

    @verb(1, item=ITEM, crash=crashes())
    def take_back(self, item: Item, crash: Any) -> None:
        self.withdraw(crash, item)

    @verb(1, item=ITEM)
    def let_time_pass(self, item: Item) -> None:
        self.run_out(item)

    def swept(self) -> None:
        for item in self.items:
            for one in self.parts.approvals.get(item.approval_id).talks:
                late = one.until == 5 and one.answer is None and item.waits
                assert not late or one.state in ("silent", "unheard")

    def refusal(self, item: Item, user: str, seen: int = 1) -> tuple[type[Exception], ...]:
        return super().refusal(item, user) or ((EditedMeanwhile,) if seen != 1 else ())
