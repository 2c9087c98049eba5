"""A policy in force: what a file says, and the defaults of the server's settings; pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any

from signoff.models.questions import QUESTION
from signoff.models.seating import Seat
from signoff.models.verdict import Verdict
from signoff.payload.canonical import canonical, digest
from signoff.policy.rules import AgentRules, BatchRules, Contents, Limits, Rule
from signoff.policy.stopping import Breaker, StopRules


@dataclass(frozen=True)
class Policy:
    """Who is asked about what, and where. Without a file: `approvers`, in `conversation`, about everything.

    `approvers` and `conversation` are the settings': for all that the file asks about without naming others.
    """

    approvers: tuple[str, ...]
    conversation: str
    contents: Contents | None = None
    source: str = ""
    """The file's text."""
    _candidates: Any = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_candidates", lru_cache(maxsize=4096)(self._could_fit))

    @cached_property
    def text(self) -> str:
        """What the digest is of: the file as it stands, or the settings where there is none."""
        if self.contents is not None:
            return self.source
        values: dict[str, Any] = {"approvers": sorted(self.approvers), "channel": self.conversation}
        return canonical(values, "policy")

    @cached_property
    def digest(self) -> str:
        """Names this policy in receipts, so that a decision can be traced to the rules of its day.

        For a file it is how `sha256sum` of it begins: the first 16 digits.
        """
        return digest(self.text)[:16]

    def candidates(self, action: str, agent: str) -> tuple[Rule, ...]:
        """The rules that may fit an agent's request for an action, in order."""
        found: tuple[Rule, ...] = self._candidates(action, agent)
        return found

    def approvers_of(self, verdict: Verdict) -> tuple[str, ...]:
        """Who may decide today, as ids: a group's members are those of this policy, not of the verdict's day.

        A group that is no longer in the policy has none: then nobody decides, and the request expires.
        """
        return self.resolve(verdict.named)

    def resolve(self, named: tuple[str, ...]) -> tuple[str, ...]:
        """Names of groups and ids → ids; the default approvers for no names at all."""
        if not named:
            return self.approvers
        groups = self.contents.groups if self.contents else {}
        return tuple(dict.fromkeys(one for name in named for one in _members(groups, name)))

    def seats(self, seats: tuple[Seat, ...]) -> tuple[Seat, ...]:
        """The same, each with those who may fill it today, as ids."""
        return tuple(seat.model_copy(update={"people": self.resolve(seat.named)}) for seat in seats)

    def anew(self, verdict: Verdict) -> Verdict:
        """The same verdict, with those who are in its groups today: see `approvers_of`."""
        today = {"approvers": self.approvers_of(verdict), "seats": self.seats(verdict.seats)}
        return verdict.model_copy(update=today)

    def person(self, user_id: str) -> str:
        """The account by which somebody counts, who may have several."""
        return self.contents.people.get(user_id, user_id) if self.contents else user_id

    def about(self, agent: str) -> AgentRules:
        """What the file says of an agent."""
        return self.contents.agent(agent) if self.contents else AgentRules(agent)

    def limits(self, agent: str, kind: str = "approval") -> Limits:
        """How much an agent may ask for, of this kind of request: questions have limits of their own."""
        if kind == QUESTION:
            return Limits(per_hour=self.contents.questions.per_hour if self.contents else None)
        return self.about(agent).limits

    @property
    def batch(self) -> BatchRules:
        """What of that which an agent asks together may share a card."""
        return self.contents.batch if self.contents else BatchRules()

    @property
    def stop(self) -> StopRules:
        """Who may stop and resume."""
        return self.contents.stop if self.contents else StopRules()

    @property
    def breaker(self) -> Breaker:
        """What stops an agent by itself."""
        return self.contents.breaker if self.contents else Breaker()

    def owner(self, agent: str) -> str | None:
        """The user id of the person whose agent it is."""
        return self.about(agent).owner

    def learns_from(self, agent: str) -> tuple[str, ...]:
        """The other agents whose lessons this one sees, too."""
        shares = self.contents.shares if self.contents else {}
        return tuple(name for name, readers in shares.items() if agent in readers and name != agent)

    @property
    def places(self) -> tuple[str, ...]:
        """Every conversation that a card may be posted in."""
        found = (*self.contents.conversations.values(), *self._named_conversations()) if self.contents else ()
        return tuple(dict.fromkeys((self.conversation, *found)))

    def _named_conversations(self) -> tuple[str, ...]:
        assert self.contents is not None
        named = (self.contents.questions.conversation, *(rule.conversation for rule in self.contents.rules))
        return tuple(one for one in named if one)

    def rule(self, name: str) -> Rule | None:
        """A rule by its name."""
        rules = self.contents.rules if self.contents else ()
        return next((rule for rule in rules if rule.name == name), None)

    def _could_fit(self, action: str, agent: str) -> tuple[Rule, ...]:
        assert self.contents is not None
        return tuple(rule for rule in self.contents.rules if rule.match.could(action, agent))


def _members(groups: dict[str, tuple[str, ...]], name: str) -> tuple[str, ...]:
    """A group's ids; an id, or `members`, stands for itself. Groups' names are in lower case, ids are not."""
    if name in groups:
        return groups[name]
    return (name,) if name == "members" or name[:1].isupper() else ()
