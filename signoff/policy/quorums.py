"""Whether a rule's seats can be filled at all, and once those are left out who may not approve; pure.

What can never be met is refused when the policy loads: else a request would wait for nobody. How many people
are in a user group, or in the workspace, only Slack knows: as many as it takes, here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from signoff.models import matching
from signoff.models.people import MEMBERS, is_group
from signoff.models.seating import Seat
from signoff.models.verdict import RISKS
from signoff.policy.document import Document, Path
from signoff.policy.faults import Faults
from signoff.policy.policy import Policy
from signoff.policy.rules import Contents, Rule


def can_be_met(seats: Iterable[Seat], policy: Policy, without: Iterable[str] = ()) -> bool:
    """Whether there may be people for all of the seats, without those accounts."""
    found, barred = tuple(seats), {policy.person(one) for one in without}
    named = {
        policy.person(one) for seat in found for one in seat.people if not is_group(one) and one != MEMBERS
    }
    fits = [
        [
            kind
            for kind, seat in enumerate(found)
            if MEMBERS in seat.people or person in _persons(seat, policy)
        ]
        for person in sorted(named - barred)
    ]
    for group in sorted({one for seat in found for one in seat.people if is_group(one) or one == MEMBERS}):
        some = [kind for kind, seat in enumerate(found) if group in seat.people or MEMBERS in seat.people]
        fits += [some] * sum(found[kind].need for kind in some)
    return matching.is_full(fits, [seat.need for seat in found])


def most(seats: Iterable[Seat], policy: Policy) -> int | None:
    """How many people there are for the seats; None where only Slack knows."""
    found = [one for seat in seats for one in seat.people]
    if any(is_group(one) or one == MEMBERS for one in found):
        return None
    return len({policy.person(one) for one in found})


def seats_of(rule: Rule, policy: Policy) -> tuple[Seat, ...]:
    """A rule's seats, with the people in them today: one of its approvers, where it names no seats."""
    one = Seat(name=", ".join(rule.approvers), named=rule.approvers)
    return policy.seats(rule.seats or (one,))


def check(found: Document, contents: Contents, approvers: tuple[str, ...], faults: Faults) -> None:
    """Add what the seats of the file's rules can never come to."""
    policy = Policy(approvers, "", contents)
    _people(found, faults)
    for index, rule in enumerate(rule for rule in contents.rules if not rule.source):
        path: Path = ("rules", index)
        if rule.verdict != "ask":
            if rule.seats:
                faults.add(
                    (*path, "approvers"),
                    f"seats mean nothing in a rule whose verdict is {rule.verdict}: write a plain list",
                )
            continue
        if not rule.approvers and not approvers:
            continue  # who is asked then only the server's settings know
        _rule(rule, policy, path, faults)


def doubts(found: Document, contents: Contents, approvers: tuple[str, ...]) -> Iterator[tuple[Path, str]]:
    """Where somebody may approve what their own agent asks at a high risk, since nobody else is named."""
    policy = Policy(approvers, "", contents)
    owned = [one for one in contents.agents if one.owner]
    for index, rule in enumerate(rule for rule in contents.rules if not rule.source):
        grave = rule.match.risk is None or not rule.match.risk.isdisjoint(RISKS[RISKS.index("high") :])
        if rule.verdict != "ask" or rule.exclude is not None or not grave or not rule.approvers:
            continue
        seats = seats_of(rule, policy)
        for one in owned:
            bare = [seat.model_copy(update={"people": _without_members(seat)}) for seat in seats]
            alone = one.owner is not None and not can_be_met(bare, policy, (one.owner,))
            if alone and _asks(rule, one.name) and _is_one(one.owner or "", seats, policy):
                yield (
                    ("rules", index),
                    f"{one.owner} may approve what {one.name} asks, which is theirs, at any risk, as nobody "
                    "else is named: name somebody, or write `exclude: []`",
                )
                break


def _rule(rule: Rule, policy: Policy, path: Path, faults: Faults) -> None:
    seats = seats_of(rule, policy)
    names = [frozenset(seat.named) for seat in rule.seats]
    for index, name in enumerate(names):
        if name in names[:index]:
            faults.add(
                (*path, "approvers", index),
                "the same people fill an earlier seat: write a higher `need` there",
            )
            return
    there = most(seats, policy)
    if not can_be_met(seats, policy):
        said = "it needs more people than it names, as nobody fills two seats"
        faults.add((*path, "approvers"), f"{said}: name more, or need fewer")
    elif there is not None and rule.reject > there:
        faults.add((*path, "reject"), f"only {there} may: nobody could reject it. Write {there} or less")
    elif "owner" in (rule.exclude or ()):
        owners = [one for one in policy.contents.agents if one.owner] if policy.contents else []
        for one in owners:
            if _asks(rule, one.name) and not can_be_met(seats, policy, (one.owner or "",)):
                faults.add(
                    (*path, "exclude"),
                    f"without {one.owner}, who owns {one.name}, its seats cannot be filled: name others, too",
                )
                break


def _people(found: Document, faults: Faults) -> None:
    """Each account is one person's."""
    known: dict[str, str] = {}
    for name, ids in found.values.get("people", {}).items():
        for index, one in enumerate(ids):
            if one in known:
                faults.add(
                    ("people", name, index), f"{one} is {known[one]}'s already: an account is one person's"
                )
            known[one] = name


def _asks(rule: Rule, agent: str) -> bool:
    """Whether a rule may be about what an agent asks; `agent` may be a glob, and then it is."""
    plain = "*" not in agent and "?" not in agent
    return rule.match.agent is None or not plain or rule.match.agent.matches(agent)


def _persons(seat: Seat, policy: Policy) -> set[str]:
    return {policy.person(one) for one in seat.people}


def _without_members(seat: Seat) -> tuple[str, ...]:
    """`members` names nobody: whether there is another one, no policy says."""
    return tuple(one for one in seat.people if one != MEMBERS)


def _is_one(user_id: str, seats: Iterable[Seat], policy: Policy) -> bool:
    return any(MEMBERS in seat.people or policy.person(user_id) in _persons(seat, policy) for seat in seats)
