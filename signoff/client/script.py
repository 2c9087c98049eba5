"""What a test says to requests, and what it was asked: the one face of `signoff.testing`.

Only the standard library is imported: pytest loads this wherever Signoff is installed.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, NoReturn, TypeAlias

if TYPE_CHECKING:
    from signoff.models.lessons import Lesson
    from signoff.models.messages import ApprovalRequest, Outcome

Which: TypeAlias = "str | ApprovalRequest"
AGENT = "test-agent"
"""The agent's name while the fixture is in use."""


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
    _scripts: list[Script] = field(default_factory=list)
    _faults: list[str] = field(default_factory=list)
    _news: News = field(default_factory=News, repr=False)
    _decide: Callable[[], None] = field(default=lambda: None, repr=False)

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

    def expire(self, action: Which = "*") -> None:
        """Nobody answers, and the request ends."""
        self._say(action, "expired")

    def block(self, action: Which = "*", reason: str = "Blocked by policy.") -> None:
        """The policy blocks it."""
        self._say(action, "blocked", reason=reason)

    def give_feedback(self, answer: str = "right", text: str = "", *, action: Which = "*") -> None:
        """Say that what agents ask by `ask_feedback()` is `right`, `partly` or `wrong`, and why."""
        said = {"choice": [answer], **({"text": text} if text else {})}
        self._say(action, "answered", reason=text, answer=said)

    def leave_pending(self, action: Which = "*") -> None:
        """Nobody answers yet: `wait` raises WaitTimeout at once, `cancel` works, what is said later holds."""
        self._say(action, "pending")

    def hold(self, action: Which = "*") -> None:
        """Nobody answers yet, and agents really wait, each for its timeout: what is said later wakes them.

        Whoever still waits when the test ends gets Unreachable.
        """
        self._say(action, "held")

    def wait_for(
        self, *, requests: int = 0, withdrawn: int = 0, outcomes: int = 0, timeout: float = 30.0
    ) -> None:
        """Wait until the agents have asked, cancelled and reported so often in all.

        Raises AssertionError after `timeout` seconds. In a coroutine: `await wait_for_async(...)`.
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
        of_feedback = request.kind == "feedback"
        said = [one for one in reversed(self._scripts) if (one.status == "answered") == of_feedback]
        return next(
            (s for s in said if fnmatchcase(request.action, s.action) or s.action == str(request.id)), None
        )
