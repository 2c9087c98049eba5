"""What a person may look at: what waits for them, what they decided, the history, one request.

Who may decide something may see it; so may who did decide it, its agent's owner and the admins. Nothing
here changes a state.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal

from signoff.approvals import authority
from signoff.approvals.errors import NotAllowed, UnknownApproval
from signoff.approvals.service import Approvals
from signoff.approvals.verdicts import everybody
from signoff.models import batch_rows, codes, lists
from signoff.models.approval import Approval
from signoff.models.feedback import KIND
from signoff.models.lists import PREFIX, Listed
from signoff.models.people import Directory
from signoff.models.store import Asked, Store

PER_PAGE = 10
MOST_TOGETHER = 1_000
"""Waiting requests among which a batch's are counted."""
OFFERED = 4
"""Ways to look several through at once that stand over a list."""
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
    """Requests that a person may look through at once: `count` of a batch's, or of what is like one of them.

    `named` is `batch:` and its number, or the id of the first of them; `action` is what most of them are.
    """

    named: str
    action: str
    count: int


@dataclass(frozen=True)
class Page:
    """One page of a list, counted from 1. `pages` is 0 where nobody counted them; `more` come after it.

    `reviewable` are the ids on it that this person may decide; `about` is the agent or action asked for.
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


@dataclass(frozen=True)
class Overview:
    """What their Home shows a person."""

    waiting: Page
    decided: Page
    owned: Page


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
        self._admins = tuple(admins)

    @property
    def policy(self) -> str:
        """The digest of the policy in force: whoever may decide something may be another under another."""
        return self._judge.policy.digest

    def pending(self, user_id: str, page: int = 1, about: str = "") -> Page:
        """What this person may decide now, oldest first."""
        waiting = self._approvals.waiting_for(user_id, about)
        pages = max(1, -(-len(waiting) // PER_PAGE))
        page = min(max(page, 1), pages)
        ids = waiting[(page - 1) * PER_PAGE : page * PER_PAGE]
        items = tuple(one for one in lists.lines(self._store, ids) if one.pending)
        reviewable = frozenset(one.id for one in items)
        together = self._together(user_id, items, waiting)
        return Page("pending", items, page, pages, len(waiting), page < pages, about, reviewable, together)

    def _together(
        self, user_id: str, items: Sequence[Listed], waiting: Sequence[str]
    ) -> tuple[Together, ...]:
        """What of a page may be looked through together, and how many wait with it, on other pages too."""
        batched = batch_rows.of(self._store, waiting[:MOST_TOGETHER])
        counts, found = Counter(batched.values()), dict[str, Together]()
        seen = set[str]()
        for one in items:
            batch_id = batched.get(one.id)
            if batch_id is not None and counts[batch_id] > 1:
                named = f"batch:{batch_id}"
                found.setdefault(named, Together(named, one.action, counts[batch_id]))
            elif batch_id is None and one.id not in seen and self._has_like(one, items, len(waiting)):
                alike = self._approvals.batches.alike(user_id, one.id)
                seen |= {one.id, *alike}
                if alike:
                    found[one.id] = Together(one.id, one.action, len(alike))
        return tuple(found.values())[:OFFERED]

    def _has_like(self, one: Listed, items: Sequence[Listed], count: int) -> bool:
        """Whether it is worth looking for others: one stands on the page, or there are other pages."""
        like = [other for other in items if (other.agent, other.action) == (one.agent, one.action)]
        return len(like) > 1 or count > len(items)

    def mine(self, user_id: str, page: int = 1) -> Page:
        """What this person decided, newest first; raises NotAllowed for who is no member any more."""
        authority.may_decide(user_id, (user_id,), self._directory)
        page = _within(page)
        ids = lists.decided_by(self._store, user_id, PER_PAGE + 1, (page - 1) * PER_PAGE)
        return self._page("mine", ids, page)

    def history(self, user_id: str, page: int = 1, about: str = "") -> Page:
        """Every request, newest first, for approvers and admins; for an owner, those of their agents.

        Raises NotAllowed for anybody else.
        """
        among: list[str] | None = None
        try:
            may = (*everybody(self._judge.policy), *self._admins)
            authority.may_decide(user_id, may, self._directory)
        except NotAllowed:
            among = lists.owned_agents(self._store, user_id)
            if not among:
                raise
            authority.may_decide(user_id, (user_id,), self._directory)  # an owner is a member too
        page = _within(page)
        ids = lists.newest(self._store, page * PER_PAGE + 1, about, among)[(page - 1) * PER_PAGE :]
        return self._page("history", ids, page, about, user_id)

    def owned(self, user_id: str) -> Page:
        """The newest requests of the agents that this person owns."""
        agents = lists.owned_agents(self._store, user_id)
        ids = lists.newest(self._store, PER_PAGE + 1, among=agents) if agents else []
        return self._page("owned", ids, 1, "", user_id)

    def overview(self, user_id: str) -> Overview:
        """What a Home shows: the first page of what waits, of what they decided, and of what they own.

        All three are empty for who is no member of this workspace.
        """
        if not self._judge.is_one_of(user_id, (user_id,)):
            return Overview(Page("pending"), Page("mine"), Page("owned"))
        return Overview(self.pending(user_id), self.mine(user_id), self.owned(user_id))

    def find(self, user_id: str, asked: str) -> Approval:
        """A request by its code, its id, or an unambiguous beginning of that.

        Raises NoId, Ambiguous, or what `see` does.
        """
        return self.see(user_id, find(self._store, asked))

    def see(self, user_id: str, approval_id: str) -> Approval:
        """One request; raises UnknownApproval, NotListed, or NotAllowed for who is no member."""
        approval = self._approvals.get(approval_id)
        owner = lists.owner(self._store, approval.agent)
        decision = approval.decision
        decider = [decision.approver] if decision else []
        approvers = self._judge.today(approval).verdict.approvers
        may = (*approvers, *self._admins, *([owner] if owner else []), *decider)
        if not self._judge.is_one_of(user_id, may):
            authority.may_decide(user_id, (user_id,), self._directory)
            raise NotListed(approvers)
        return approval

    def can_decide(self, user_id: str, approval: Approval) -> bool:
        """Whether this person may decide on it now."""
        return self._judge.is_one_of(user_id, self._judge.standing(approval).approvers)

    def _page(self, kind: Kind, ids: list[str], page: int, about: str = "", user_id: str = "") -> Page:
        """A page of the first ids; one more than it holds says that others come after it."""
        items = tuple(lists.lines(self._store, ids[:PER_PAGE]))
        asks = [one for one in items if one.pending and one.kind != KIND] if user_id else []
        waiting = [(one.id, Asked(one.named, one.policy)) for one in asks]
        reviewable = frozenset(self._judge.among(user_id, waiting))
        more = len(ids) > PER_PAGE and page < MOST_PAGES
        return Page(kind, items, page, more=more, about=about, reviewable=reviewable)


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


def _within(page: int) -> int:
    return min(max(page, 1), MOST_PAGES)
