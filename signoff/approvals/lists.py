"""What a person may look at: what waits for them, what they decided, the history, one request.

Who may decide something may see it; so may who did decide it, its agent's owner and the admins. Nothing
here changes a state.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from signoff.approvals import authority
from signoff.approvals.errors import NotAllowed, UnknownApproval
from signoff.approvals.service import Approvals
from signoff.approvals.stopped import with_stop
from signoff.approvals.verdicts import everybody
from signoff.models import batch_lists, codes, lists
from signoff.models.approval import Approval
from signoff.models.batch_lists import Folded
from signoff.models.feedback import KIND
from signoff.models.lists import PREFIX, Listed
from signoff.models.people import Directory
from signoff.models.stops import Stop, StopScope
from signoff.models.store import Asked, Store

PER_PAGE = 10
OFFERED = 4
"""Ways to look several through at once that stand over a list."""
NAMED = 99
"""Agents of which one can be chosen: Slack's menus hold 100 options."""
ALL = StopScope("all")
MOST_PAGES = 100
"""Further back than this nobody turns pages: a filter finds it sooner."""
Kind = Literal["pending", "mine", "history", "owned"]
_ID = re.compile(r"[0-9a-f-]{8,64}")


class Ambiguous(UnknownApproval):
    """Several requests begin so."""


class NoId(UnknownApproval):
    """That is no code, no id, nor the beginning of one."""


class NotListed(NotAllowed):
    """Only those who have to do with a request can see it."""

    def __init__(self, approvers: Sequence[str]) -> None:
        super().__init__(approvers=approvers)


@dataclass(frozen=True)
class Together:
    """Requests on cards of their own that a person may look through at once: `count` of one action, of which
    `named` (an id) is the first.
    """

    named: str
    action: str
    count: int


@dataclass(frozen=True)
class Page:
    """One page of a list, counted from 1. `pages` is 0 where nobody counted them; `more` come after it.

    `reviewable` are the ids on it that this person may decide, `stopped` of what nobody can now; `about` is
    the agent or action asked for. An item in `folded` (by its id) stands for all that waits on its
    batch's card, in other lists for all on it; `total` counts each of them.
    """

    kind: Kind
    items: tuple[Listed, ...] = ()
    page: int = 1
    pages: int = 0
    total: int = 0
    more: bool = False
    about: str = ""
    reviewable: frozenset[str] = frozenset()
    together: tuple[Together, ...] = ()
    stopped: frozenset[str] = frozenset()
    folded: Mapping[str, Folded] = field(default_factory=dict)

    @property
    def shown(self) -> int:
        """How many requests its lines are about."""
        return sum(len(self.folded[one.id].ids) if one.id in self.folded else 1 for one in self.items)


@dataclass(frozen=True)
class Overview:
    """What their Home shows a person. `stops` are told to admins and whoever may resume them; the ids of
    these are `resumable`. `can_stop` says whether they may stop anything.
    """

    waiting: Page
    decided: Page
    owned: Page
    stops: tuple[Stop, ...] = ()
    resumable: frozenset[str] = frozenset()
    can_stop: bool = False


class Lists:
    """Lists for one person at a time.

    What the directory raises where it cannot say who somebody is passes, and the database's errors.
    """

    def __init__(
        self,
        approvals: Approvals,
        directory: Directory,
        admins: Collection[str],
    ) -> None:
        self._approvals = approvals
        self._store = approvals.store
        self._directory = directory
        self._judge = approvals.judge
        self.admins = tuple(admins)

    @property
    def policy(self) -> str:
        """The digest of the policy in force: whoever may decide something may be another under another."""
        return self._judge.policy.digest

    def pending(self, user_id: str, page: int = 1, about: str = "") -> Page:
        """What this person may decide now, oldest first."""
        waiting = self._approvals.waiting_for(user_id, about)
        every = self._approvals.waiting_for(user_id) if about else waiting
        folded = batch_lists.folded(self._store, every)
        lines = _lines(waiting, folded)
        pages = max(1, -(-len(lines) // PER_PAGE))
        page = min(max(page, 1), pages)
        ids = lines[(page - 1) * PER_PAGE : page * PER_PAGE]
        items = tuple(one for one in lists.lines(self._store, ids) if one.pending)
        stopped = self._stopped(items)
        return Page(
            "pending", items, page, pages, len(waiting), page < pages, about,
            reviewable=frozenset(one.id for one in items) - stopped, stopped=stopped,
            together=self._together(user_id, [one for one in items if one.id not in folded], len(lines)),
            folded={one.id: folded[one.id] for one in items if one.id in folded},
        )  # fmt: skip

    def _together(self, user_id: str, items: Sequence[Listed], count: int) -> tuple[Together, ...]:
        """What of a page's lines may be looked through together, with what is like it on other pages."""
        found, seen = list[Together](), set[str]()
        for one in items:
            if one.id not in seen and self._has_like(one, items, count):
                alike = self._approvals.batches.alike(user_id, one.id)
                seen |= {one.id, *alike}
                if alike:
                    found.append(Together(one.id, one.action, len(alike)))
        return tuple(found[:OFFERED])

    def _has_like(self, one: Listed, items: Sequence[Listed], count: int) -> bool:
        """Whether it is worth looking for others: one stands on the page, or there are other pages."""
        like = [other for other in items if (other.agent, other.action) == (one.agent, one.action)]
        return len(like) > 1 or count > len(items)

    def mine(self, user_id: str, page: int = 1) -> Page:
        """What this person decided, newest first; raises NotAllowed for who is no member any more."""
        authority.may_decide(user_id, (user_id,), self._directory)
        page = _within(page)
        every = lists.decided_by(self._store, user_id, page * PER_PAGE + 1)
        return self._page("mine", every, page, decided_by=user_id)

    def history(self, user_id: str, page: int = 1, about: str = "") -> Page:
        """Every request, newest first, for approvers and admins; for an owner, those of their agents.

        Raises NotAllowed for anybody else.
        """
        among: list[str] | None = None
        try:
            may = (*everybody(self._judge.policy), *self.admins)
            authority.may_decide(user_id, may, self._directory)
        except NotAllowed:
            among = lists.owned_agents(self._store, user_id)
            if not among:
                raise
            authority.may_decide(user_id, (user_id,), self._directory)  # an owner is a member too
        page = _within(page)
        every = lists.newest(self._store, page * PER_PAGE + 1, about, among)
        return self._page("history", every, page, about, user_id)

    def owned(self, user_id: str) -> Page:
        """The newest requests of the agents that this person owns."""
        agents = lists.owned_agents(self._store, user_id)
        every = lists.newest(self._store, PER_PAGE + 1, among=agents) if agents else []
        return self._page("owned", every, 1, "", user_id)

    def overview(self, user_id: str) -> Overview:
        """What a Home shows: the first page of what waits, of what they decided, and of what they own.

        All three are empty for who is no member of this workspace.
        """
        if not self._judge.is_one_of(user_id, (user_id,)):
            return Overview(Page("pending"), Page("mine"), Page("owned"))
        stops, resumable = self.stops(user_id)
        pages = self.pending(user_id), self.mine(user_id), self.owned(user_id)
        return Overview(*pages, stops, resumable, self._can_stop(user_id))

    def stops(self, user_id: str) -> tuple[tuple[Stop, ...], frozenset[str]]:
        """What is stopped, as far as this person is told of it, and the ids of what they may resume: all of
        it where they are an admin, else what they may resume.
        """
        stopping, found = self._approvals.stopping, self._approvals.stops()
        may = frozenset(one.id for one in found if stopping.may(one.scope, user_id))
        told = bool(found) and self._judge.is_one_of(user_id, self.admins)
        return tuple(one for one in found if told or one.id in may), may

    def agents(self) -> list[str]:
        """The names of agents that can be stopped, as many as a form holds."""
        return lists.agent_names(self._store, NAMED)

    def _can_stop(self, user_id: str) -> bool:
        may, owned = self._approvals.stopping.may, lists.owned_agents(self._store, user_id)
        return any(may(scope, user_id) for scope in (ALL, *(StopScope("agent", name) for name in owned)))

    def find(self, user_id: str, asked: str) -> Approval:
        """A request by its code, its id, or an unambiguous beginning of that.

        Raises NoId, Ambiguous, or what `see` does.
        """
        return self.see(user_id, find(self._store, asked))

    def see(self, user_id: str, approval_id: str) -> Approval:
        """One request; raises UnknownApproval, NotListed, or NotAllowed for who is no member."""
        approval = with_stop(self._store, self._approvals.get(approval_id))
        owner = lists.owner(self._store, approval.agent)
        decider = [one.approver for one in approval.decisions]
        approvers = self._judge.today(approval).verdict.approvers
        may = (*approvers, *self.admins, *([owner] if owner else []), *decider)
        if not self._judge.is_one_of(user_id, may):
            authority.may_decide(user_id, (user_id,), self._directory)
            raise NotListed(approvers)
        return approval

    def can_decide(self, user_id: str, approval: Approval) -> bool:
        """Whether this person may decide on it now."""
        return self._judge.is_one_of(user_id, self._judge.standing(approval).approvers)

    def _page(
        self,
        kind: Kind,
        every: Sequence[tuple[str, int | None]],
        page: int,
        about: str = "",
        user_id: str = "",
        decided_by: str = "",
    ) -> Page:
        """A page of the first lines; one more than it holds says that others come after it."""
        here = every[(page - 1) * PER_PAGE : page * PER_PAGE]
        items = tuple(lists.lines(self._store, [one for one, _ in here]))
        batches = {one: batch_id for one, batch_id in here if batch_id is not None}
        over = batch_lists.over(self._store, batches.values(), decided_by) if batches else {}
        folded = {one: over[batch_id] for one, batch_id in batches.items() if batch_id in over}
        asks = [one for one in items if one.pending and one.kind != KIND] if user_id else []
        waiting = [(one.id, Asked(one.named, one.policy)) for one in asks]
        stopped = self._stopped(items)
        reviewable = frozenset(self._judge.among(user_id, waiting)) - stopped
        more = len(every) > page * PER_PAGE and page < MOST_PAGES
        return Page(
            kind, items, page, more=more, about=about, reviewable=reviewable, stopped=stopped, folded=folded
        )

    def _stopped(self, items: Sequence[Listed]) -> frozenset[str]:
        """The ids of those that wait and nobody can decide now."""
        waiting = [one for one in items if one.pending]
        stops = self._approvals.stops() if waiting else ()
        return frozenset(one.id for one in waiting if any(s.holds(one.agent, one.action) for s in stops))


def find(store: Store, asked: str) -> str:
    """The id of the request that somebody names by its code, its id, or the beginning of that.

    Raises NoId, Ambiguous or UnknownApproval.
    """
    prefix, code = asked.strip().lower(), codes.read(asked)
    is_prefix = len(prefix) >= PREFIX and _ID.fullmatch(prefix) is not None
    if not is_prefix and code is None:
        raise NoId
    found = lists.with_prefix(store, prefix) if is_prefix else []
    if prefix in found:
        return prefix
    found += [one for one in (lists.with_code(store, code) if code else []) if one not in found]
    if len(found) > 1:
        raise Ambiguous
    if not found:
        raise UnknownApproval
    return found[0]


def _lines(waiting: Sequence[str], folded: Mapping[str, Folded]) -> list[str]:
    """The first of each batch, and all that stand alone, in their order."""
    rows = ((one, folded[one].batch_id if one in folded else None) for one in waiting)
    return [*batch_lists.first_of_each(rows)]


def _within(page: int) -> int:
    return min(max(page, 1), MOST_PAGES)
