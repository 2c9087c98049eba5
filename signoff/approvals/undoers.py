"""Which agents can undo, by which actions, and what their own tests of that came to.

A test counts where the server has asked for it: it names the agent and the action, is answered once, within
two minutes, and through that agent's own door. Asked for on the agent's stream of decisions, and by HTTP.
"""

from __future__ import annotations

import logging
from collections.abc import Collection
from dataclasses import dataclass

from signoff.approvals import audit, newcomers
from signoff.approvals.receipts import Receipts
from signoff.approvals.verdicts import Judge
from signoff.models import changes, undos
from signoff.models.messages import CanUndo
from signoff.models.store import Store
from signoff.models.undos import Undoer
from signoff.queue.publisher import Publisher
from signoff.receipts import UNDO_TEST_SECONDS

log = logging.getLogger("signoff.approvals")

MOST_ACTIONS = 100
"""Actions by which one agent undoes."""
FAULT = 300
"""Characters that are kept of what a test came to."""


@dataclass(frozen=True)
class Asked:
    """A test that somebody who runs the server has asked for: its id, the action whose undo it tries, and the
    token that says so, signed.
    """

    id: str
    action: str
    token: str


def ask_test(
    store: Store,
    receipts: Receipts,
    publisher: Publisher,
    agent: str,
    action: str,
    seconds: float = UNDO_TEST_SECONDS,
) -> str:
    """Ask an agent to run its own test of an undo: what that comes to, it says, within `seconds`; gives the
    test's id. No other answer counts, nor a second one. It begins within two minutes. Raises RedisError.
    """
    at = store.clock()
    test_id, token = receipts.undo_test(agent, action, at=at)
    with store.transaction() as connection:
        undos.testing(connection, agent, action, test_id, max(int(seconds), UNDO_TEST_SECONDS))
    publisher.publish_undo_test(agent, test_id, token, at)
    return test_id


class Undoers:
    """Notes what agents say that they can undo, and has it tried."""

    def __init__(self, store: Store, judge: Judge, receipts: Receipts, publisher: Publisher) -> None:
        self._store = store
        self._judge = judge
        self._receipts = receipts
        self._publisher = publisher

    def register(self, agent: str, actions: Collection[str]) -> None:
        """An agent says that it can undo by these actions."""
        with self._store.transaction() as connection:
            at = changes.clock(connection)
            events = newcomers.met(connection, self._judge, agent, at)
            for action in sorted({*list(actions)[:MOST_ACTIONS]}):  # in one order: nobody waits for another
                undos.seen(connection, agent, action, at)
            if events:
                audit.append(connection, *events)

    def told(self, agent: str, said: CanUndo) -> None:
        """What an agent says of undoing."""
        self.register(agent, said.actions)
        if tested := said.tested:
            self.tested(agent, tested.action, tested.id, tested.passed, tested.fault)

    def test(self, agent: str, action: str) -> str:
        """Ask for a test: see `ask_test`."""
        return ask_test(self._store, self._receipts, self._publisher, agent, action)

    def tests(self, agent: str, actions: Collection[str]) -> list[Asked]:
        """The tests by these actions that were asked for and that nobody has taken by HTTP: whoever is given
        one runs it. Each is given once.
        """
        with self._store.reading() as connection:
            waiting = undos.untaken(connection, agent)
        found = []
        for action, test_id in waiting:
            if action not in actions:
                continue
            with self._store.transaction() as connection:
                mine = undos.take_test(connection, agent, action, test_id)
            if mine:
                token = self._receipts.undo_test_token(agent, action, test_id, at=self._store.clock())
                found.append(Asked(test_id, action, token))
        return found

    def tested(self, agent: str, action: str, test_id: str, passed: bool, fault: str | None = None) -> bool:
        """The test of an undo that an agent was asked for came to that; False where nobody asked for it.

        The cards of what it may undo now are drawn anew, where they say something else.
        """
        with self._store.transaction() as connection:
            before = undos.is_tried(connection, agent, action)
            said = None if passed else (fault or "")[:FAULT]
            if not undos.tested(connection, agent, action, test_id, passed, said):
                return False
            redrawn = undos.redraw(connection, agent, action) if before != passed else 0
        log.info("undo tested: agent=%s action=%s passed=%s cards=%d", agent, action, passed, redrawn)
        return True

    def listed(self) -> list[Undoer]:
        """All that agents say they can undo."""
        with self._store.reading() as connection:
            return undos.listed(connection)
