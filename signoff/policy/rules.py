"""What a policy says, compiled: rules, lists, groups and agents; pure data."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from signoff.models.amounts import Sum
from signoff.models.messages import Reversibility, Risk
from signoff.models.seating import Excluded, Seat
from signoff.models.timing import Quiet, Timing
from signoff.models.undo_plan import UndoPlan
from signoff.models.verdict import Effect, SecondFactor, Verdict
from signoff.policy.addresses import Domains
from signoff.policy.classes import ActionClass, fitting
from signoff.policy.conditions import Condition
from signoff.policy.facts import Facts
from signoff.policy.globs import Globs
from signoff.policy.headline import Headline
from signoff.policy.sensitive import SensitiveFields
from signoff.policy.stopping import Breaker, StopRules

Level = Literal["supervised", "guided", "autonomous", "full_auto"]
ASKS_PER_HOUR = 6
LEVELS: tuple[Level, ...] = ("supervised", "guided", "autonomous", "full_auto")


@dataclass(frozen=True)
class Names:
    """A list of actions: globs over their names, and classes of the action table, written `@class`."""

    entries: tuple[str, ...] = ()
    _globs: Globs = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        globs = Globs(tuple(one for one in self.entries if not one.startswith("@")))
        object.__setattr__(self, "_globs", globs)

    def first(self, action: str, classes: Iterable[ActionClass]) -> str | None:
        """The entry that an action of these classes is in, as it is written."""
        named = (f"@{one.name}" for one in classes)
        return self._globs.first(action) or next((one for one in named if one in self.entries), None)


@dataclass(frozen=True)
class Match:
    """What a rule is about. None is anything; each list is one of these, and all of them have to fit."""

    action: Globs | None = None
    agent: Globs | None = None
    action_class: frozenset[str] | None = None
    tags: frozenset[str] | None = None
    risk: frozenset[Risk] | None = None
    reversibility: frozenset[Reversibility] | None = None

    def could(self, action: str, agent: str) -> bool:
        """Whether it may fit a request of this agent for this action."""
        return (self.action is None or self.action.matches(action)) and (
            self.agent is None or self.agent.matches(agent)
        )

    def misses(self, facts: Facts, *, freeing: bool) -> str:
        """Why it does not fit; empty where it does.

        Of several classes that an action fits, only the one that counts may free it (`freeing`); any of them
        may have it asked about or blocked.
        """
        if self.action is not None and not self.action.matches(facts.action):
            return f"the action is {_not(self.action.patterns)}"
        if self.agent is not None and not self.agent.matches(facts.agent):
            return f"the agent is {_not(self.agent.patterns)}"
        if self.action_class is not None and not any(
            one.name in self.action_class for one in (facts.classes[:1] if freeing else facts.classes)
        ):
            return f"the action's class is {_not(self.action_class)}"
        if self.risk is not None and facts.risk not in self.risk:
            return f"the risk is {facts.risk}, {_not(self.risk)}"
        if self.reversibility is not None and facts.reversibility not in self.reversibility:
            return f"it is {facts.reversibility}, {_not(self.reversibility)}"
        if self.tags is not None and not self.tags.intersection(facts.tags):
            return f"the request has {_not(self.tags, 'no tag', 'none of the tags')}"
        return ""


@dataclass(frozen=True)
class Rule:
    """One rule. `line` is where it stands, `source` the preset that it comes from, empty for the file's own.

    `approvers` are names of groups and ids, `expires_in` seconds, `feedback` a share of 10,000 outcomes; None
    and empty leave it to the defaults. `talk` is how many seconds more a request has once somebody has asked
    its agent about it, `after` for how many what it allows waits to be held, `undo` what undoes what it
    reports. `seats` are the places that people fill, `approvers` all whom they name; so many people have to
    `reject` it. `exclude` is who may not approve; None leaves that to the risk. `second_factor`, `session`
    (seconds) and `confirm` are as a Verdict has them. `timing` is what it says of reminders, of whom it goes
    to later, and of how long a yes holds.
    """

    name: str
    verdict: Effect
    match: Match = Match()
    when: Condition | None = None
    headline: Headline | None = None
    conversation: str | None = None
    approvers: tuple[str, ...] = ()
    seats: tuple[Seat, ...] = ()
    reject: int = 1
    exclude: tuple[Excluded, ...] | None = None
    require: tuple[str, ...] = ()
    editable: tuple[str, ...] | None = None
    expires_in: int | None = None
    talk: int = 0
    after: int | None = None
    undo: UndoPlan | None = None
    second_factor: SecondFactor | None = None
    session: int = 0
    confirm: tuple[str, ...] = ()
    sums: tuple[Sum, ...] = ()
    feedback: int | None = None
    reason: str = ""
    timing: Timing | None = None
    line: int = 0
    source: str = ""


@dataclass(frozen=True)
class Limits:
    """How much an agent may ask for: pending at once, and in any hour; None is no limit.

    `sums` bound what it may do in any day without a person.
    """

    pending: int | None = None
    per_hour: int | None = None
    sums: tuple[Sum, ...] = ()


@dataclass(frozen=True)
class AgentRules:
    """What a policy says of one agent, or of those that a glob matches."""

    name: str
    owner: str | None = None
    autonomy: Level | None = None
    limits: Limits = Limits()


@dataclass(frozen=True)
class QuestionRules:
    """Who answers agents' questions where no rule says it, where, for how many seconds, and how many of them
    an agent may ask in any hour. None and empty leave it to the defaults.
    """

    approvers: tuple[str, ...] = ()
    conversation: str | None = None
    per_hour: int | None = None
    expires_in: int | None = None


@dataclass(frozen=True)
class BatchRules:
    """What of that which an agent asks together may share a card, `most` requests on one.

    `of` are the actions that may, None for all; `irreversible` says that even what cannot be undone may.
    """

    most: int = 50
    of: Names | None = None
    irreversible: bool = False

    def why_alone(self, action: str, verdict: Verdict) -> str:
        """Why what is asked about has a card of its own, in a few words; empty where it may share one."""
        if verdict.risk == "critical":
            return "its risk is critical"
        if verdict.reversibility == "irreversible" and not self.irreversible:
            nobody = verdict.reversibility_from == "nobody"
            return "nobody said that it can be undone" if nobody else "it cannot be undone"
        if verdict.places > 1 or verdict.reject > 1:
            return "it takes more than one person"
        if verdict.in_grace:
            return "it runs after a while, unless somebody holds it"
        if verdict.confirm:
            return "a value of it has to be typed"
        if verdict.second_factor and not verdict.in_session:
            return "it wants a code of its own"
        if self.of is not None and self.of.first(action, fitting(action)) is None:
            return "batch.of does not list it"
        return ""


@dataclass(frozen=True, eq=False)
class Contents:
    """All that a policy file says, with what it extends.

    People are asked about `feedback` of 10,000 outcomes where a rule does not say; in any hour an agent may
    ask `asks_per_hour` times by itself. `shares` are an agent's lessons with others, by its name. `people`
    are accounts of those who have several, each with the one by which they count. `stop` says who may stop,
    `breaker` what stops an agent by itself. `deputies` are a group's, by its name: who may decide in the
    place of one of it who is away.
    """

    autonomy: Level = "supervised"
    always_ask: Names = Names()
    never_ask: Names = Names()
    block: Names = Names()
    risk: tuple[tuple[Names, Risk], ...] = ()
    reversibility: tuple[tuple[Names, Reversibility], ...] = ()
    domains: Domains = field(default_factory=lambda: Domains(()))
    sensitive: SensitiveFields = field(default_factory=SensitiveFields)
    conversations: dict[Risk, str] = field(default_factory=dict)
    groups: dict[str, tuple[str, ...]] = field(default_factory=dict)
    deputies: dict[str, tuple[str, ...]] = field(default_factory=dict)
    quiet: tuple[Quiet, ...] = ()
    people: dict[str, str] = field(default_factory=dict)
    agents: tuple[AgentRules, ...] = ()
    questions: QuestionRules = QuestionRules()
    rules: tuple[Rule, ...] = ()
    feedback: int = 0
    asks_per_hour: int = ASKS_PER_HOUR
    shares: dict[str, tuple[str, ...]] = field(default_factory=dict)
    batch: BatchRules = BatchRules()
    stop: StopRules = field(default_factory=StopRules)
    breaker: Breaker = field(default_factory=Breaker)

    def agent(self, name: str) -> AgentRules:
        """What is said of an agent: under its own name, else under the first glob that matches it."""
        exact = next((one for one in self.agents if one.name == name), None)
        fitting = (one for one in self.agents if Globs((one.name,)).matches(name))
        return exact or next(fitting, AgentRules(name))


def _not(names: tuple[str, ...] | frozenset[str], one: str = "not", many: str = "none of") -> str:
    found = names if isinstance(names, tuple) else sorted(names)
    return f"{one if len(found) == 1 else many} {', '.join(found)}"
