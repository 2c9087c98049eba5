"""Requests that nobody may decide any more: everybody whom they ask has left, or is no member now.

Nothing can be done about them in Slack, and their agents wait until they expire: so the admins are told,
once, and doctor names them. It has a timer of its own, since it asks the directory about many people.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from threading import Event

from signoff.approvals import authority, quorum
from signoff.approvals.verdicts import Judge
from signoff.errors import SignoffError
from signoff.models import desertions, lists
from signoff.models.lists import Listed
from signoff.models.people import Directory
from signoff.models.store import Store

log = logging.getLogger("signoff.approvals")

LOOK_SECONDS = 60.0
NAMED = 5
"""Requests that a sentence names; the others are counted."""
Tell = Callable[[Sequence[str]], bool]


class Desertion:
    """Looks for them. `tell` tells the admins sentences; False where none of them could be told."""

    def __init__(self, store: Store, judge: Judge, directory: Directory, tell: Tell) -> None:
        self._store = store
        self._judge = judge
        self._directory = directory
        self._tell = tell

    def run(self, stop: Event) -> None:
        """Once a minute until `stop` is set."""
        while not stop.wait(LOOK_SECONDS):
            self.step()

    def step(self) -> None:
        """Tell the admins of those of which they do not know yet. The database's errors pass."""
        groups, unknown = deserted(self._store, self._judge, self._directory)
        known = desertions.told(self._store)
        found = [one for ids in groups for one in ids]
        desertions.clear(self._store, known.difference(found, unknown))
        noted = desertions.note(self._store, [one for one in found if one not in known])
        if not noted:
            return
        log.warning("nobody may decide any more: %d requests", len(noted))
        groups = [[one for one in ids if one in noted] for ids in groups]
        if not self._tell([sentence(self._store, ids) for ids in groups if ids]):
            desertions.clear(self._store, noted)


def deserted(store: Store, judge: Judge, directory: Directory) -> tuple[list[list[str]], list[str]]:
    """Ids that nobody may decide, a list for those who ask the same; and ids of which it is not known."""
    asked: dict[tuple[str, ...], list[str]] = {}
    groups, unknown = list[list[str]](), list[str]()
    for approval_id, whom in store.waiting():
        if whom.places == 1:
            asked.setdefault(judge.approvers(approval_id, whom), []).append(approval_id)
            continue
        try:
            if not _can_be_approved(store, judge, directory, approval_id):
                groups.append([approval_id])
        except SignoffError as error:
            log.info("not known who may decide: %s", type(error).__name__)
            unknown.append(approval_id)
    for approvers, ids in asked.items():
        try:
            if not approvers:
                ids = list(_unblocked(store, judge, ids))  # what is blocked today ends by itself
            if ids and not authority.is_anybody_left(approvers, directory):
                groups.append(ids)
        except SignoffError as error:
            log.info("not known who may decide: %s", type(error).__name__)
            unknown += ids
    return groups, unknown


def _can_be_approved(store: Store, judge: Judge, directory: Directory, approval_id: str) -> bool:
    """Whether there are enough people for its seats; what is blocked today ends by itself."""
    approval = store.get(approval_id)
    if approval is None or not approval.pending:
        return True
    verdict = judge.standing(approval)
    if verdict.effect == "block":
        return True
    return authority.can_fill(quorum.seats_of(verdict), directory, judge.policy.person)


def sentence(store: Store, ids: Sequence[str], most: int = NAMED) -> str:
    """What an admin is told of requests that ask the same people."""
    named = "; ".join(map(_named, lists.lines(store, ids[:most])))
    more = f" and {len(ids) - most:,} more" if len(ids) > most else ""
    return (
        f"Nobody may decide {named}{more} any more: everybody who was asked, or one too many of those that "
        "it takes, has left or is no full member now. Name others in the policy, or let the time run out: "
        "then nothing runs."
    )


def _named(one: Listed) -> str:
    return f"{one.action} of {one.agent} ({one.code})"


def _unblocked(store: Store, judge: Judge, ids: Iterable[str]) -> Iterable[str]:
    for approval_id in ids:
        approval = store.get(approval_id)
        if approval is not None and approval.pending and judge.standing(approval).effect != "block":
            yield approval_id
