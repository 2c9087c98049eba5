"""All about time and people in one place: reminders, handing on, and who is away."""

from __future__ import annotations

from signoff.approvals.announcer import Announcer
from signoff.approvals.away import Away
from signoff.approvals.calls import Calls
from signoff.approvals.decide import Votes
from signoff.approvals.hands import Hands
from signoff.approvals.verdicts import Judge
from signoff.models.store import Store
from signoff.queue.publisher import Publisher


class Times:
    """`calls` reminds people and asks more of them, `hands` hands on what waits, `away` notes who is away."""

    def __init__(
        self, store: Store, judge: Judge, votes: Votes, publisher: Publisher, announcer: Announcer
    ) -> None:
        self.calls = Calls(store, judge, judge.callers, publisher, announcer)
        self.hands = Hands(store, judge, votes, announcer)
        self.away = Away(store, judge, announcer)
