"""What a test says to requests, and what it was asked: the one face of `signoff.testing`.

Only the standard library is imported: pytest loads this wherever Signoff is installed.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from datetime import date as Day
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, NoReturn, TypeAlias

if TYPE_CHECKING:
    from signoff.models.lessons import Lesson
    from signoff.models.messages import ApprovalRequest, Outcome
    from signoff.models.receipt import NoteSaid

Which: TypeAlias = "str | ApprovalRequest"
AGENT = "test-agent"
"""The agent's name while the fixture is in use."""
QUESTION = "question"
_OF_QUESTIONS = ("answered",)
_OF_OTHERS = ("approved", "rejected")
FEEDBACK = "feedback"
"""What only a question comes to, and what none does."""


UNANSWERED = "No answer for {timeout:g} s: has the agent an on_question, or reads its ticket.questions()?"


@dataclass(frozen=True)
class Script:
    """What becomes of requests whose action matches, or of the one with this id."""

    action: str
    status: str
    by: str | None = None
    reason: str = ""
    resubmit: bool = False
    changes: Mapping[str, Any] | None = None
    answer: Mapping[str, Any] | None = None
    question: str = "*"

    def is_of(self, request: ApprovalRequest) -> bool:
        """Whether it is about this request. A question is neither approved nor rejected, and nothing else is
        answered.
        """
        if request.kind == FEEDBACK or self.question == FEEDBACK:
            return request.kind == self.question and fnmatchcase(request.action, self.action)
        if self.status in _OF_QUESTIONS if request.kind != QUESTION else self.status in _OF_OTHERS:
            return False
        if self.action == str(request.id):
            return True
        asked = request.payload.get("question", "") if request.kind == QUESTION else ""
        return fnmatchcase(request.action, self.action) and fnmatchcase(str(asked), self.question)


class News:
    """Wakes threads and coroutines alike. Whoever looks and listens under `lock` misses nothing."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self._listening: list[Future[None]] = []

    def listen(self) -> Future[None]:
        """Done once anything has happened."""
        self._listening.append(Future())
        return self._listening[-1]

    def tell(self) -> None:
        """Something has happened. Under the lock, as `listen`."""
        listening, self._listening = self._listening, []
        for one in listening:
            with suppress(InvalidStateError):  # its task was cancelled meanwhile
                one.set_result(None)


@dataclass
class Approvals:
    """What a test says to requests, and what it was asked. For any number of threads and event loops.

    `action` may be a pattern, `refund.*` or `*`, or one of `requests`: then it is said of that one alone.
    Where several match, what was said last holds; what is decided stays so. `by` is the reviewer's name. A
    request that nothing matches raises AssertionError in the agent's code, and fails the test at its end
    where the agent swallowed that.

    `decisions()` of either client gives what is decided, in that order, and again to the next reader of its
    group until it is acknowledged. It waits for what is asked and decided later; after 10 s in which nothing
    was asked or said, and while nothing is held, it fails as an endless `wait` does. It ends with the test.
    """

    requests: list[ApprovalRequest] = field(default_factory=list)
    """What was asked, in order; asking again with the same key does not count."""
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    """Request id → what the agent reported."""
    withdrawn: dict[str, str] = field(default_factory=dict)
    """Request id → why the agent cancelled it, while it was undecided."""
    lessons: list[Lesson] = field(default_factory=list)
    """What agents are given by `lessons()`: put there what they shall have learnt."""
    feedback: list[ApprovalRequest] = field(default_factory=list)
    """What agents asked by `ask_feedback()`, in order: nothing has to be said of it before."""
    batches: list[tuple[str, list[ApprovalRequest]]] = field(default_factory=list)
    """Title and requests of each batch, in order. What becomes of a request is said of each by itself."""
    _scripts: list[Script] = field(default_factory=list)
    _faults: list[str] = field(default_factory=list)
    _news: News = field(default_factory=News, repr=False)
    _decide: Callable[[], None] = field(default=lambda: None, repr=False)
    _put: Callable[[ApprovalRequest, str, str], str] = field(default=lambda *_: "", repr=False)
    _replies: dict[str, str | None] = field(default_factory=dict)
    _undo: Callable[..., Coroutine[Any, Any, Outcome]] = field(default=None, repr=False)  # type: ignore[assignment]
    _notes: list[tuple[str, NoteSaid]] = field(default_factory=list)

    def approve(self, action: Which = "*", *, by: str = "Test reviewer", note: str = "") -> None:
        """Approve as asked, perhaps with a note."""
        self._say(action, "approved", by, note)

    def edit(
        self, action: Which, changes: Mapping[str, Any], *, by: str = "Test reviewer", note: str = ""
    ) -> None:
        """Approve with other values in some fields; one that a reviewer could not make fails the test."""
        self._say(action, "approved", by, note, changes=changes)

    def reject(
        self, action: Which = "*", reason: str = "No.", *, resubmit: bool = False, by: str = "Test reviewer"
    ) -> None:
        """Reject; `resubmit` asks the agent to come back with changes."""
        self._say(action, "rejected", by, reason, resubmit)

    def answer(
        self,
        choice: str | Sequence[str] | None = None,
        *,
        text: str = "",
        date: str | Day | None = None,
        default: bool = False,
        none: bool = False,
        question: Which = "*",
        by: str = "Test reviewer",
    ) -> None:
        """Answer questions: `choice` is an option's id, or several; `default` leaves it to the agent, `none`
        says that no option is right, and `text` what is.

        `question` may be a pattern of what is asked, `Which *`, or one of `requests`. What nobody could have
        answered so fails the test.
        """
        choices = () if choice is None else (choice,) if isinstance(choice, str) else tuple(choice)
        said = {
            "choice": choices, "text": text, "date": str(date) if date else None, "default": default,
            "none": none,
        }  # fmt: skip
        which, pattern = ("*", question) if isinstance(question, str) else (question, "*")
        self._say(which, "answered", by, answer=said, question=pattern)

    def expire(self, action: Which = "*") -> None:
        """Nobody answers, and the request ends."""
        self._say(action, "expired")

    def block(self, action: Which = "*", reason: str = "Blocked by policy.") -> None:
        """The policy blocks it."""
        self._say(action, "blocked", reason=reason)

    def give_feedback(self, answer: str = "right", text: str = "", *, action: Which = "*") -> None:
        """Say that what agents ask by `ask_feedback()` is `right`, `partly` or `wrong`, and why."""
        said = {"choice": [answer], **({"text": text} if text else {})}
        self._say(action, "answered", reason=text, answer=said, question=FEEDBACK)

    def note(self, text: str, about: Which = "*", *, by: str = "Test reviewer") -> None:
        """Note something for the agent, as *@signoff note* does: it comes with what is decided later."""
        from signoff.models.receipt import NoteSaid

        name = about if isinstance(about, str) else str(about.id)
        with self._news.lock:
            self._notes.append((name, NoteSaid(by=by, text=text, at=datetime.now(UTC))))

    def undo(
        self, about: Which, payload: Mapping[str, Any], *, action: str = "", by: str = "Test reviewer"
    ) -> Outcome:
        """Undo what was approved, as a person does: the function that `undo` registered runs once, with this
        payload, which the policy would fill in; what it came to.

        `about` is as in `ask_agent`; `action` says by which function, where several undo. Raises
        AssertionError where nothing like it was approved, or nothing undoes so. In a coroutine:
        `await undo_async(...)`.
        """
        return asyncio.run(self.undo_async(about, payload, action=action, by=by))

    async def undo_async(
        self, about: Which, payload: Mapping[str, Any], *, action: str = "", by: str = "Test reviewer"
    ) -> Outcome:
        """`undo`, for a coroutine."""
        return await self._undo(self._asked_last(about), payload, Script(action, "approved", by))

    def leave_pending(self, action: Which = "*") -> None:
        """Nobody answers yet: `wait` raises WaitTimeout at once, `cancel` works, what is said later holds."""
        self._say(action, "pending")

    def hold(self, action: Which = "*") -> None:
        """Nobody answers yet, and agents really wait, each for its timeout: what is said later wakes them.

        Whoever still waits when the test ends gets Unreachable.
        """
        self._say(action, "held")

    def ask_agent(
        self, text: str, about: Which = "*", *, by: str = "Test reviewer", timeout: float = 10.0
    ) -> str | None:
        """Ask the agent about what it asked for, as a reviewer does; its answer, None where it cannot say.

        `about` is an action, a pattern, or one of `requests`; of several the last one. Raises AssertionError
        where no such request was asked, or the agent says nothing for `timeout` seconds: it may lack an
        `on_question`, or its `ticket.questions()` is not read. In a coroutine: `await ask_agent_async(...)`.
        """
        talk_id, until = self._asked_about(text, about, by), time.monotonic() + timeout
        while news := self._unanswered(talk_id):
            try:
                news.result(max(0.0, until - time.monotonic()))
            except TimeoutError:
                raise AssertionError(UNANSWERED.format(timeout=timeout)) from None
        return self._replies[talk_id]

    async def ask_agent_async(
        self, text: str, about: Which = "*", *, by: str = "Test reviewer", timeout: float = 10.0
    ) -> str | None:
        """`ask_agent`, for a coroutine."""
        talk_id = self._asked_about(text, about, by)
        try:
            async with asyncio.timeout(timeout):
                while news := self._unanswered(talk_id):
                    await asyncio.wrap_future(news)
        except TimeoutError:
            raise AssertionError(UNANSWERED.format(timeout=timeout)) from None
        return self._replies[talk_id]

    def wait_for(
        self, *, requests: int = 0, withdrawn: int = 0, outcomes: int = 0, timeout: float = 30.0
    ) -> None:
        """Wait until agents have asked, cancelled and reported so often in all; raises AssertionError after
        `timeout` seconds. In a coroutine: `await wait_for_async(...)`.
        """
        counts, until = (
            {"requests": requests, "withdrawn": withdrawn, "outcomes": outcomes},
            time.monotonic() + timeout,
        )
        while news := self._unless(counts):
            try:
                news.result(max(0.0, until - time.monotonic()))
            except TimeoutError:
                raise AssertionError(self._missing(counts, timeout)) from None

    async def wait_for_async(
        self, *, requests: int = 0, withdrawn: int = 0, outcomes: int = 0, timeout: float = 30.0
    ) -> None:
        """`wait_for`, for a coroutine."""
        counts = {"requests": requests, "withdrawn": withdrawn, "outcomes": outcomes}
        try:
            async with asyncio.timeout(timeout):
                while news := self._unless(counts):
                    await asyncio.wrap_future(news)
        except TimeoutError:
            raise AssertionError(self._missing(counts, timeout)) from None

    def _unless(self, counts: Mapping[str, int]) -> Future[None] | None:
        """What to listen to, unless there are as many by now."""
        with self._news.lock:
            enough = all(len(getattr(self, what)) >= count for what, count in counts.items())
            return None if enough else self._news.listen()

    def _asked_about(self, text: str, about: Which, by: str) -> str:
        """Put a question → its id."""
        with self._news.lock:
            return self._put(self._asked_last(about), text, by)

    def _asked_last(self, about: Which) -> ApprovalRequest:
        """The last request that is meant."""
        name = about if isinstance(about, str) else str(about.id)
        with self._news.lock:
            asked = [one for one in self.requests if fnmatchcase(one.action, name) or str(one.id) == name]
        if not asked:
            raise AssertionError(f"The agent has asked for nothing like {name!r} that this could be about.")
        return asked[-1]

    def _notes_of(self, request: ApprovalRequest) -> tuple[NoteSaid, ...]:
        """What was noted about it."""
        names = (request.action, str(request.id))
        return tuple(note for name, note in self._notes if name == names[1] or fnmatchcase(names[0], name))

    def _unanswered(self, talk_id: str) -> Future[None] | None:
        """What to listen to, unless it is answered by now."""
        with self._news.lock:
            return None if talk_id in self._replies else self._news.listen()

    def _missing(self, counts: Mapping[str, int], timeout: float) -> str:
        have = ", ".join(
            f"{len(getattr(self, what))} of {count} {what}" for what, count in counts.items() if count
        )
        asked = ", ".join(request.action for request in self.requests) or "nothing"
        return f"After {timeout:g} s there were {have}. Asked was: {asked}."

    def _say(self, which: Which, status: str, *said: Any, **more: Any) -> None:
        action = which if isinstance(which, str) else str(which.id)
        with self._news.lock:
            self._scripts.append(Script(action, status, *said, **more))
            self._decide()

    def _fail(self, message: str) -> NoReturn:
        self._faults.append(message)
        raise AssertionError(message)

    def _script_for(self, request: ApprovalRequest) -> Script | None:
        return next((one for one in reversed(self._scripts) if one.is_of(request)), None)
