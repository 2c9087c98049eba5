"""What a policy judges by: a request, rated by the policy's own estimate and by the agent's claims; pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from signoff.models.messages import ApprovalRequest, Reversibility, Risk
from signoff.models.verdict import (
    RISKS,
    UNMAPPED_REVERSIBILITY,
    UNMAPPED_RISK,
    stricter_reversibility,
    stricter_risk,
)
from signoff.payload.canonical import LARGEST_NUMBER
from signoff.policy.addresses import Domains
from signoff.policy.classes import CLASSES, FILES, SENSITIVE, ActionClass, fitting, strictest_first
from signoff.policy.conditions import context, count_values
from signoff.policy.secret_files import names_secret_file
from signoff.policy.sensitive import SensitiveFields, asks_for_sensitive

if TYPE_CHECKING:
    import cel

Whose = Literal["policy", "agent", "nobody"]
UNSURE = 0.5
"""A confidence below raises the risk by one step (issue: Levels)."""
ATTEMPTS = 3
"""So many failed attempts are always asked about."""


@dataclass(frozen=True)
class Rating:
    """What the policy itself takes an action to be; None where it does not say.

    `classes` are all that fit, the first of which counts (see `classes.fitting`).
    """

    classes: tuple[ActionClass, ...]
    risk: Risk | None
    reversibility: Reversibility | None

    @property
    def action_class(self) -> ActionClass | None:
        """The class that counts."""
        return self.classes[0] if self.classes else None


@dataclass(frozen=True, eq=False)
class Facts:
    """A request as rules see it.

    `risk` and `reversibility` are as judged; `tags` are the class's and the agent's.
    """

    agent: str
    action: str
    payload: dict[str, Any]
    rating: Rating
    domains: Domains
    risk: Risk
    risk_from: Whose
    reversibility: Reversibility
    reversibility_from: Whose
    tags: tuple[str, ...]
    cost: float | None = None
    confidence: float | None = None
    attempts: int | None = None
    run: str | None = None

    @property
    def action_class(self) -> ActionClass | None:
        """The action's class in the table."""
        return self.rating.action_class

    @property
    def classes(self) -> tuple[ActionClass, ...]:
        """All classes that it fits."""
        return self.rating.classes

    @property
    def class_name(self) -> str:
        """Its name; empty for an action in no class."""
        return self.rating.action_class.name if self.rating.action_class else ""

    @property
    def failed_often(self) -> bool:
        """Whether its agent has failed at it so often that a person has to look."""
        return self.attempts is not None and self.attempts >= ATTEMPTS

    @cached_property
    def context(self) -> cel.Context:
        """What conditions are evaluated with."""
        names = (
            "action",
            "agent",
            "risk",
            "reversibility",
            "cost",
            "confidence",
            "attempts",
            "run",
        )
        variables = {name: getattr(self, name) for name in names}
        return context(
            {**variables, "payload": _as_it_runs(self.payload), "tags": list(self.tags)}, self.domains
        )

    @property
    def why_outside(self) -> str:
        """Why a message that could be inside is not; empty for all else."""
        if not any(one.addressed.matches(self.action) for one in self.classes):
            return ""
        return self.domains.why_outside(self.payload)

    @cached_property
    def values(self) -> int:
        """How many values the payload has."""
        return count_values(self.payload)

    def bare(self) -> Facts:
        """The same request had its agent claimed nothing."""
        return replace(
            self,
            **_rated(self.rating, None, None, None),
            tags=_own_tags(self.rating),
            cost=None,
            confidence=None,
            attempts=None,
            run=None,
        )


def facts(
    request: ApprovalRequest,
    agent: str,
    domains: Domains,
    own: Callable[[ActionClass | None], tuple[Risk | None, Reversibility | None]],
    sensitive: SensitiveFields | None = None,
) -> Facts:
    """A request → its facts. `own` is the policy's own estimate of this action, given its class.

    A read that names one of the fields that are `sensitive` is a sensitive one; so is one of a secret's file,
    or of a table or a column that is known to be sensitive.
    """
    classes = _reaching(fitting(request.action), request, domains)
    reads = bool(classes) and classes[0].read_only and classes[0].name != SENSITIVE
    secret = reads and (
        names_secret_file(request.payload, any_field=classes[0].name == FILES)
        or asks_for_sensitive(request.payload)
    )
    if secret or (reads and sensitive and sensitive.named_in(request.action, request.payload)):
        classes = strictest_first((CLASSES[SENSITIVE], *classes))
    rating = Rating(classes, *own(classes[0] if classes else None))
    return Facts(
        agent=agent,
        action=request.action,
        payload=request.payload,
        rating=rating,
        domains=domains,
        tags=tuple(dict.fromkeys((*_own_tags(rating), *request.tags))),
        cost=request.cost,
        confidence=request.confidence,
        attempts=request.attempts,
        run=request.run,
        **_rated(rating, request.risk, request.reversibility, request.confidence),
    )


def _reaching(
    classes: tuple[ActionClass, ...], request: ApprovalRequest, domains: Domains
) -> tuple[ActionClass, ...]:
    """The classes, once it is known whom the message reaches: mail inside, and chat that leaves.

    What a name alone says of a message is never taken for less than the payload shows.
    """
    if any(one.addressed.matches(request.action) for one in classes) and domains.stays_inside(
        request.payload
    ):
        classes = tuple(CLASSES[one.inside] if one.inside else one for one in classes)
    elif any(one.outside for one in classes) and domains.why_chat_leaves(request.payload):
        classes = tuple(CLASSES[one.outside] if one.outside else one for one in classes)
    return classes


def _as_it_runs(value: Any) -> Any:
    """A payload as its canonical text has it, which is what is signed: 50.0 is 50."""
    if isinstance(value, float) and value.is_integer() and abs(value) < LARGEST_NUMBER:
        return int(value)
    if isinstance(value, dict):
        return {name: _as_it_runs(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_as_it_runs(one) for one in value]
    return value


def _own_tags(rating: Rating) -> tuple[str, ...]:
    return rating.action_class.tags if rating.action_class else ()


def _rated(
    rating: Rating, risk: Risk | None, reversibility: Reversibility | None, confidence: float | None
) -> dict[str, Any]:
    """Risk and reversibility as judged: a claim can only make them worse, and so does a low confidence."""
    own_risk = rating.risk or UNMAPPED_RISK
    judged = stricter_risk(own_risk, risk or own_risk)
    if confidence is not None and confidence < UNSURE:
        judged = RISKS[min(RISKS.index(judged) + 1, len(RISKS) - 1)]
    own_undo = rating.reversibility or UNMAPPED_REVERSIBILITY
    undo = stricter_reversibility(own_undo, reversibility or own_undo)
    return {
        "risk": judged,
        "risk_from": "agent" if judged != own_risk else "policy" if rating.risk else "nobody",
        "reversibility": undo,
        "reversibility_from": "agent" if undo != own_undo else "policy" if rating.reversibility else "nobody",
    }
