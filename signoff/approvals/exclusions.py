"""Who may not approve a request, as it would be for themselves: its owner, requester and editors.

By user id alone: a name or an address that an agent gives names nobody for certain. Two accounts of one
person are one, where the policy joins them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from signoff.errors import Invalid
from signoff.models.messages import ApprovalRequest
from signoff.models.seating import Excluded, Seat
from signoff.models.verdict import Verdict
from signoff.policy import quorums
from signoff.policy.policy import Policy

_CLAIMED = re.compile(r"(?:<@)?(?:(?P<team>T[A-Z0-9]{2,20})[:/])?(?P<user>[UW][A-Z0-9]{2,20})>?")
UNREAD = (
    "The policy excludes whoever it was asked for, and requested_by names nobody by a Slack user id: "
    "send it again with one, such as U012ABCDEF."
)


@dataclass(frozen=True)
class Parties:
    """The persons behind a request (by the account that they count by): `owner` and `requester` may be
    nobody, empty; `editors` are all who have changed its payload.
    """

    owner: str = ""
    requester: str = ""
    editors: Sequence[str] = ()

    def why(self, person: str) -> tuple[Excluded, ...]:
        """What a person is of these."""
        found: Mapping[Excluded, bool] = {
            "owner": person == self.owner,
            "requester": person == self.requester,
            "editor": person in self.editors,
        }
        return tuple(name for name, is_one in found.items() if is_one)

    def barred(self, exclude: Sequence[Excluded]) -> frozenset[str]:
        """All that may not approve where these are excluded."""
        named = {"owner": (self.owner,), "requester": (self.requester,), "editor": tuple(self.editors)}
        return frozenset(one for name in exclude for one in named[name] if one)


def requester_of(request: ApprovalRequest) -> str:
    """The user id that an agent claims to ask for; empty where it names none by its id."""
    found = _CLAIMED.fullmatch(request.requested_by.strip())
    return found["user"] if found else ""


def is_unread(request: ApprovalRequest, exclude: Sequence[Excluded]) -> bool:
    """Whether a policy excludes whom it asks for, and it says somebody, but no user id."""
    return "requester" in exclude and bool(request.requested_by.strip()) and not requester_of(request)


def check(request: ApprovalRequest, verdict: Verdict, owner: str | None, policy: Policy) -> None:
    """Raise Invalid where the people whom the policy excludes leave nobody who could approve a new request.

    Only of what a rule says: what holds by default does not where nobody else could.
    """
    if verdict.effect != "ask" or not verdict.exclude or verdict.exclude_by_default:
        return
    if is_unread(request, verdict.exclude):
        raise Invalid(UNREAD)
    barred = parties(request, owner, (), policy.person).barred(verdict.exclude)
    seats = verdict.seats or (Seat(people=verdict.approvers),)
    if barred and not quorums.can_be_met(seats, policy, barred):
        raise Invalid(
            f"Without {' and '.join(sorted(barred))}, who would approve for themselves, nobody can fill all "
            f"seats of the rule “{verdict.rule}”: have it asked for somebody else, or change the policy."
        )


def parties(
    request: ApprovalRequest, owner: str | None, editors: Sequence[str], person: Callable[[str], str]
) -> Parties:
    """Who is behind a request; `person` gives the account that somebody counts by."""
    requester = requester_of(request)
    return Parties(
        owner=person(owner) if owner else "",
        requester=person(requester) if requester else "",
        editors=tuple(dict.fromkeys(map(person, editors))),
    )
