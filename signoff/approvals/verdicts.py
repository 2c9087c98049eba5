"""What the policy in force says: of a request, of what a person made of it, and who may decide today."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection

from signoff.approvals import authority
from signoff.approvals.errors import BlockedNow, EditNotAllowed, NotAllowed
from signoff.errors import Duplicate, Invalid, Limited
from signoff.models import changes, flood
from signoff.models.approval import Approval
from signoff.models.messages import ApprovalRequest, moment
from signoff.models.people import Directory, Person
from signoff.models.verdict import Verdict
from signoff.policy import evaluate as policy
from signoff.policy.policy import Policy


@dataclass(frozen=True)
class Flooded:
    """An agent has asked for too much: what its conversation is told. `until` is microseconds since 1970.

    `kind` is `per_hour` or `pending`, `most` the limit that it is at.
    """

    conversation: str
    kind: str
    most: int
    until: int


class TooMuch(Limited):
    """A request over its agent's limits."""

    def __init__(self, detail: str, flooded: Flooded) -> None:
        super().__init__(detail)
        self.flooded = flooded


class Judge:
    """Asks the policy in force. `in_force` gives it: another one after a reload."""

    def __init__(self, in_force: Callable[[], Policy], directory: Directory) -> None:
        self._in_force = in_force
        self._directory = directory

    @property
    def policy(self) -> Policy:
        """The policy in force now."""
        return self._in_force()

    def judge(
        self, connection: Connection, agent: str, request: ApprovalRequest
    ) -> tuple[Verdict, str | None]:
        """The verdict on a request that is new, and the owner of its agent.

        Raises Invalid (the rule wants to be told more), Duplicate or TooMuch.
        """
        now = self._in_force()
        verdict = policy.evaluate(request, agent, now)
        if now.contents is not None:
            _check_flood(connection, now, agent, request, verdict)
        lacking = policy.missing(verdict, request) if verdict.effect == "ask" else ()
        if lacking:
            raise Invalid(
                f"The policy's rule “{verdict.rule}” wants {_listed(lacking)} with {request.action}: "
                f"send it again with that{_anew(request)}."
            )
        return verdict, now.owner(agent)

    def evaluate(self, agent: str, request: ApprovalRequest) -> Verdict:
        """The verdict on a request that is not new."""
        return policy.evaluate(request, agent, self._in_force())

    def today(self, approval: Approval) -> Approval:
        """The same, with those for approvers who may decide by today's policy."""
        approvers = self._in_force().approvers_of(approval.verdict)
        if approvers == approval.verdict.approvers:
            return approval
        return replace(approval, verdict=approval.verdict.model_copy(update={"approvers": approvers}))

    def resolve(self, named: tuple[str, ...]) -> tuple[str, ...]:
        """A verdict's names of groups and ids → the ids of who may decide today."""
        return self._in_force().resolve(named)

    def decider(self, approval: Approval, user_id: str) -> Person:
        """The person, if they are one who may decide on it today; raises NotAllowed."""
        return authority.may_decide(user_id, self._in_force().approvers_of(approval.verdict), self._directory)

    def among(self, user_id: str, waiting: Iterable[tuple[str, tuple[str, ...]]]) -> list[str]:
        """The ids of those that this person may decide, in order, each given with whom its verdict names."""
        found = []
        may: dict[tuple[str, ...], bool] = {}
        for approval_id, named in waiting:
            approvers = self.resolve(named)
            if approvers not in may:
                try:
                    authority.may_decide(user_id, approvers, self._directory)
                    may[approvers] = True
                except NotAllowed:
                    may[approvers] = False
            if may[approvers]:
                found.append(approval_id)
        return found

    def judge_edit(self, approval: Approval, payload: dict[str, Any] | None, user_id: str) -> Verdict:
        """The verdict under which this person approves; `payload` is the corrected one, None where it is not.

        With another payload it is never looser than before.

        Raises BlockedNow, EditNotAllowed (others have to decide on that), or Invalid (the rule that it comes
        under wants to be told more than the agent has said).
        """
        now, request = self._in_force(), approval.request
        if now.contents is None:
            return approval.verdict
        if payload is None:
            asked = policy.evaluate(request, approval.agent, now)
            if asked.effect == "block":
                raise BlockedNow(asked.reason)
            return approval.verdict
        verdict = policy.evaluate_edit(now, request, approval.agent, payload, approval.verdict)
        if verdict.effect == "block":
            raise BlockedNow(verdict.reason, edited=True)
        try:
            authority.may_decide(user_id, now.resolve(verdict.named), self._directory)
        except NotAllowed as error:
            raise EditNotAllowed(error.detail, error.approvers) from None
        lacking = policy.missing(verdict, request)
        if lacking:
            raise Invalid(
                f"The policy wants {_listed(lacking)} for that, and the agent has not said it. "
                "Reject the request and ask it to come back with changes."
            )
        return verdict


def everybody(now: Policy) -> Collection[str]:
    """Whoever may decide anything at all under a policy."""
    rules = now.contents.rules if now.contents else ()
    named = [now.resolve(rule.approvers) for rule in rules if rule.verdict == "ask" and rule.approvers]
    return dict.fromkeys(one for ids in (now.approvers, *named) for one in ids)


def _check_flood(
    connection: Connection, now: Policy, agent: str, request: ApprovalRequest, verdict: Verdict
) -> None:
    limits = now.limits(agent)
    if verdict.effect != "ask" and limits.per_hour is None:
        return
    flood.lock(connection, agent)
    if verdict.effect == "ask":
        first = flood.same(connection, agent, request.action, request.digest)
        if first:
            raise Duplicate(f"The same action with the same payload waits already, as request {first}.")
    at = changes.clock(connection)
    if limits.per_hour is not None:
        free = flood.free_at(connection, agent, limits.per_hour)
        if free > at:
            until = min(free, at + flood.HOUR)
            raise TooMuch(
                f"{agent} may ask {_often(limits.per_hour)} in any hour, and has: "
                f"try again after {_clock(until)}{_anew(request)}.",
                Flooded(verdict.conversation, "per_hour", limits.per_hour, until),
            )
    if limits.pending is not None and verdict.effect == "ask":
        count, expires = flood.waiting(connection, agent)
        if count >= limits.pending:
            when = f"; the first of them expires at {_clock(expires)}" if expires else ""
            raise TooMuch(
                f"{count:,} requests of {agent} wait for a decision, and {limits.pending:,} may: "
                f"try again once one is decided{_anew(request)}{when}.",
                Flooded(verdict.conversation, "pending", limits.pending, at + flood.HOUR),
            )


def _often(times: int) -> str:
    return "once" if times == 1 else f"{times:,} times"


def _anew(request: ApprovalRequest) -> str:
    """A refusal is the answer of its id, which a key and the content make."""
    return ", under another key" if request.key else ""


def _clock(microseconds: int) -> str:
    """A time for an agent: ISO 8601 in UTC, to the next second."""
    return (moment(microseconds).replace(microsecond=0) + timedelta(seconds=1)).strftime("%Y-%m-%dT%H:%M:%SZ")


def _listed(names: Collection[str]) -> str:
    found = list(names)
    return found[0] if len(found) == 1 else f"{', '.join(found[:-1])} and {found[-1]}"
