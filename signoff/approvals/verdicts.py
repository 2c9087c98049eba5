"""What the policy in force says: of a request, of what a person made of it, and who may decide today."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection

from signoff.approvals import authority, exclusions, often
from signoff.approvals.called import Callers
from signoff.approvals.deputies import Deputies
from signoff.approvals.errors import (
    BlockedNow,
    GroupsUnread,
    NobodyLeft,
    NotAllowed,
    Tampered,
)
from signoff.approvals.limits import anew, check_flood
from signoff.approvals.quorum import wanted
from signoff.approvals.standing import heeding, standing
from signoff.errors import Invalid
from signoff.models import flood, owners, stop_rows, sums
from signoff.models.absences import Absence
from signoff.models.amounts import Entry
from signoff.models.approval import Approval
from signoff.models.feedback import KIND
from signoff.models.messages import ApprovalRequest
from signoff.models.people import Directory, Person
from signoff.models.questions import QUESTION
from signoff.models.store import Asked, Store
from signoff.models.verdict import Verdict
from signoff.policy import evaluate as policy
from signoff.policy.policy import Policy

log = logging.getLogger("signoff.approvals")

LOOKED_AT = 5
"""Approvers that are looked at while somebody waits for an answer; where more have left, admins are told."""
KNOWN = 20_000
"""Approvals whose approvers of today are remembered; more are judged anew when a list names them."""


class Judge:
    """Asks the policy in force. `in_force` gives it: another one after a reload. `load` reads an Approval,
    `away` who is away, `voted_on` gives the ids of what waits and has votes.
    """

    def __init__(
        self,
        in_force: Callable[[], Policy],
        directory: Directory,
        load: Callable[[str], Approval | None] = lambda _: None,
        away: Callable[[], Mapping[str, Absence]] = dict,
        voted_on: Callable[[], Sequence[str]] = lambda: (),
    ) -> None:
        self._in_force = in_force
        self._directory = directory
        self._load = load
        self._voted_on = voted_on
        self.deputies = Deputies(in_force, directory, away)
        self.callers = Callers(directory, self.deputies)
        self._known: tuple[str, dict[str, tuple[str, ...] | None]] = ("", {})

    @property
    def policy(self) -> Policy:
        """The policy in force now."""
        return self._in_force()

    def judge(
        self, connection: Connection, agent: str, request: ApprovalRequest
    ) -> tuple[Verdict, str | None]:
        """The verdict on a request that is new, and the owner of its agent.

        Raises Invalid (the rule wants to be told more), Duplicate, Limited (TooMuch) or Deserted.
        """
        now, totals = self._in_force(), _Totals(connection, agent)
        left, owner = list[str](), _owner(connection, agent, request)
        stops = [one for one in stop_rows.standing(connection) if one.scope.covers(agent, request.action)]
        if any(one.stands for one in stops):
            return heeding(policy.evaluate(request, agent, now, owner=owner), stops, now), now.owner(agent)
        verdict = policy.evaluate(request, agent, now, totals, owner)
        if request.kind != KIND:
            verdict = heeding(verdict, stops, now)
        if request.kind == KIND:
            often.check(connection, now, agent)
            return verdict, now.owner(agent)
        if verdict.sums:
            totals.lock()  # what it reserves, others have to see
        if now.contents is not None:
            left = check_flood(connection, now, agent, request, verdict)
        lacking = policy.missing(verdict, request) if verdict.effect == "ask" else ()
        if lacking:
            raise Invalid(
                f"The policy's rule “{verdict.rule}” wants {_listed(lacking)} with {request.action}: "
                f"send it again with that{anew(request)}."
            )
        if verdict.exclude:
            exclusions.check(request, verdict, now.owner(agent) or owners.of(connection, agent), now)
        if left:
            raise Deserted(left)
        return verdict, now.owner(agent)

    def evaluate(self, agent: str, request: ApprovalRequest) -> Verdict:
        """The verdict on a request that is not new."""
        return policy.evaluate(request, agent, self._in_force())

    def standing(self, approval: Approval) -> Verdict:
        """The verdict that people decide by today on what is pending; of what has ended, its own.

        Its approvers are those of today, none where it blocks.
        """
        if not approval.pending:
            return self.own(approval)
        found = standing(approval, self._in_force())
        return found.model_copy(update={"approvers": ()}) if found.effect == "block" else found

    def own(self, approval: Approval) -> Verdict:
        """The verdict that it was asked under, or ended by; its groups' members are those of today."""
        return self._in_force().anew(approval.verdict)

    def today(self, approval: Approval, now: int | None = None) -> Approval:
        """The same, as its card shows it by today's policy; `now` is the database's clock, where it is asked
        of whom a card mentions.

        What that blocks is about to end as blocked, and shows until then what it was asked under.
        """
        digest, verdict = self.policy.digest, self.standing(approval)
        if approval.pending and verdict.effect == "block":
            verdict = self.own(approval)
        called = None
        if now is not None and approval.pending and verdict.effect == "ask":
            called = self.callers.of(replace(approval, verdict=verdict), now)
        return replace(approval, verdict=verdict, judged=digest, called=called)

    def decider(self, approval: Approval, user_id: str) -> Person:
        """The person, if they are one who may decide on it today; raises NotAllowed."""
        return self.may_decide(user_id, self.standing(approval))

    def may_decide(self, user_id: str, verdict: Verdict) -> Person:
        """The person, if they are one of a verdict's approvers (ids); raises NotAllowed."""
        return self.deputies.may(user_id, verdict.approvers)

    def may_decide_waiting(self, user_id: str, verdict: Verdict) -> Person:
        """The same of what waits; raises NobodyLeft where none of a few approvers may decide any more."""
        try:
            return self.may_decide(user_id, verdict)
        except GroupsUnread:
            raise
        except NotAllowed as error:
            if error.approvers and not authority.is_anybody_left(error.approvers, self._directory, LOOKED_AT):
                raise NobodyLeft(error.detail, error.approvers) from None
            raise

    def owner(self, store: Store, agent: str) -> str | None:
        """Whose agent it is, by the policy in force, else as it was added: by the log, not by its row alone.

        Raises Tampered where those two differ.
        """
        if named := self._in_force().owner(agent):
            return named
        with store.reading() as connection:
            owner, told = owners.of(connection, agent), owners.told(connection, agent)
        if owner != told:
            log.error(
                "an owner was changed behind Signoff's back: agent=%s; see `signoff audit verify`",
                agent,
            )
            raise Tampered
        return owner

    def member(self, user_id: str) -> Person:
        """The person, if they are a member of this workspace; raises NotAllowed."""
        return authority.may_decide(user_id, (user_id,), self._directory)

    def approvers(self, approval_id: str, asked: Asked) -> tuple[str, ...]:
        """The ids of who may decide today on what is pending, by whom its row asks.

        Judged anew once for each policy, and not where that is the one it was asked under: lists name many.
        """
        now = self._in_force()
        if asked.policy == now.digest:
            return now.resolve(asked.named)
        digest, known = self._known
        if digest != now.digest or len(known) >= KNOWN:
            self._known = digest, known = now.digest, {}
        if approval_id not in known:
            found = self._load(approval_id)
            today = standing(found, now) if found and found.pending else None
            known[approval_id] = today.named if today and today.effect != "block" else None
        named = known[approval_id]
        return () if named is None else now.resolve(named)

    def among(self, user_id: str, waiting: Iterable[tuple[str, Asked]]) -> list[str]:
        """The ids of those that this person may decide, in order, each given with whom its verdict asks.

        Not those that they have voted on, and not those whose seats for them are taken.
        """
        found = []
        may: dict[tuple[str, ...], bool] = {}
        waiting = [*waiting]
        done = self._voted(user_id) if waiting else set[str]()
        for approval_id, asked in waiting:
            if approval_id in done:
                continue
            approvers = self.approvers(approval_id, asked)
            if approvers not in may:
                may[approvers] = self.is_one_of(user_id, approvers)
            if may[approvers]:
                found.append(approval_id)
        return found

    def _voted(self, user_id: str) -> set[str]:
        """Ids of what others have voted on, or they, and that does not wait for this person."""
        found, who = set[str](), self.policy.person
        for approval_id in self._voted_on():
            approval = self._load(approval_id)
            if approval is None or not approval.decisions:
                continue
            today = replace(approval, verdict=self.standing(approval))
            mine = any(who(one.approver) == who(user_id) for one in approval.decisions)
            if mine or not any(self.is_one_of(user_id, seat.people) for seat in wanted(today)):
                found.add(approval_id)
        return found

    def is_one_of(self, user_id: str, approvers: Collection[str]) -> bool:
        """Whether this person is one of them now; nobody is one of none."""
        if not approvers:
            return False
        try:
            self.deputies.may(user_id, approvers)
        except NotAllowed:
            return False
        return True

    def judge_edit(self, approval: Approval, payload: dict[str, Any] | None, user_id: str) -> Verdict:
        """The verdict under which this person approves; `payload` is the corrected one, None where it is not.

        It is today's (see `standing`), and with another payload never looser than that.

        Whether they may approve that is another question: where they may not, others decide on it.

        Raises NotAllowed, BlockedNow, or Invalid (the rule that it comes under wants to be told more than the
        agent has said).
        """
        now, request = self._in_force(), approval.request
        asked = standing(approval, now)
        if asked.effect == "block":
            raise BlockedNow(asked.reason)
        self.may_decide(user_id, asked)
        if payload is None or now.contents is None:
            return asked
        verdict = policy.evaluate_edit(now, request, approval.agent, payload, asked)
        if verdict.effect == "block":
            raise BlockedNow(verdict.reason, edited=True)
        before = policy.missing(asked, request)  # it was taken without that, under another policy
        lacking = [name for name in policy.missing(verdict, request) if name not in before]
        if lacking:
            raise Invalid(
                f"The policy wants {_listed(lacking)} for that, and the agent has not said it. "
                "Reject the request and ask it to come back with changes."
            )
        return verdict


class Deserted(Exception):
    """The same waits already, and whoever had asked is gone: these end first (ids), then this is asked."""

    def __init__(self, ids: list[str]) -> None:
        super().__init__(*ids)
        self.ids = ids


class _Totals:
    """What an agent has come to in a policy's sums; from the first one on nobody else counts for it."""

    def __init__(self, connection: Connection, agent: str) -> None:
        self._connection = connection
        self._agent = agent
        self._locked = False

    def lock(self) -> None:
        """Until the transaction ends."""
        if not self._locked:
            flood.lock(self._connection, self._agent)
            self._locked = True

    def __call__(self, entry: Entry) -> Decimal:
        self.lock()
        return sums.total(self._connection, self._agent, entry) if entry.amount is not None else Decimal()


def everybody(now: Policy) -> Collection[str]:
    """Whoever may decide anything at all under a policy."""
    rules = now.contents.rules if now.contents else ()
    named = [now.resolve(rule.approvers) for rule in rules if rule.approvers]
    if now.contents and now.contents.questions.approvers:
        named.append(now.resolve(now.contents.questions.approvers))
    return dict.fromkeys(one for ids in (now.approvers, *named) for one in ids)


def _owner(connection: Connection, agent: str, request: ApprovalRequest) -> str | None:
    """Whose agent it is as the server knows: who is asked its questions where the policy does not say."""
    return owners.of(connection, agent) if request.kind in (QUESTION, KIND) else None


def _listed(names: Collection[str]) -> str:
    found = list(names)
    return found[0] if len(found) == 1 else f"{', '.join(found[:-1])} and {found[-1]}"
