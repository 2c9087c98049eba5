"""Submissions: what an enforcement point sends once it was denied, checked, and bound to its denials."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import Field

from signoff.errors import Invalid
from signoff.models import identity
from signoff.models.messages import ApprovalRequest
from signoff.web.authzen import tuples
from signoff.web.authzen.denials import Bound, Denial, Denials
from signoff.web.authzen.problems import AccessProblem
from signoff.web.authzen.tasks import MOST
from signoff.web.authzen.tuples import Lax
from signoff.web.problems import Problem

SHARED = ("subject", "context", "requested_access", "client")
"""What all items of a submission take."""


class Actor(Lax):
    """Who acts: the agent of the token. A chain of others we cannot verify, and refuse."""

    id: str
    act: Any = None


class Source(Lax):
    """Where it came from."""

    session_id: str | None = None
    external_url: str | None = None
    integration_id: str | None = None


class Client(Lax):
    """Who submits."""

    id: str | None = None
    name: str | None = None
    actor: Actor | None = None
    source: Source = Field(default_factory=Source)


class Callback(Lax):
    """Where an enforcement point wants to be told; only where an operator has said so before."""

    endpoint: str


class Item(Lax):
    """One of several: its own denial, and what it asks for besides."""

    resource: dict[str, Any]
    action: dict[str, Any]
    requested_access: dict[str, Any] = Field(default_factory=dict)
    denial: Denial | None = None


class Submission(Lax):
    """The whole body."""

    subject: dict[str, Any]
    resource: dict[str, Any] | None = None
    action: dict[str, Any] | None = None
    items: list[Item] | None = None
    context: dict[str, Any] = Field(default_factory=dict)
    requested_access: dict[str, Any] = Field(default_factory=dict)
    denial: Denial | None = None
    callback: Callback | None = None
    client: Client = Field(default_factory=Client)


@dataclass(frozen=True)
class Asked:
    """One request of a submission, and the denial that it is bound to."""

    request: ApprovalRequest
    bound: Bound


class Submissions:
    """Reads submissions. `secret` is ours: with it nobody guesses the id of a coming task."""

    def __init__(self, denials: Denials, secret: bytes) -> None:
        self._denials = denials
        self._secret = secret.hex()

    def read(self, agent: str, values: Mapping[str, Any], key: str | None) -> tuple[list[Asked], Submission]:
        """What a body asks for, by position; raises Invalid or Problem. Nothing is kept of it yet."""
        said = tuples.valid(Submission, values)
        if said.items is None:
            items = [{name: values[name] for name in ("resource", "action", "denial") if name in values}]
        elif said.resource is not None or said.action is not None:
            raise Invalid("Send either items, or a resource and an action.")
        elif not 1 <= len(said.items) <= MOST:
            raise Invalid(f"Send one to {MOST} items.")
        else:
            items = values["items"]
        _check_actor(agent, said)
        shared = {name: values[name] for name in SHARED if name in values}
        if said.items is not None:
            tuples.check_shared(shared, items)
        return [self._asked(agent, said, one, key, (i, len(items))) for i, one in enumerate(items)], said

    def _asked(
        self, agent: str, said: Submission, item: Mapping[str, Any], key: str | None, place: tuple[int, int]
    ) -> Asked:
        asked, context = tuples.read({**item, "subject": said.subject, "context": said.context})
        # A denial of the whole bundle is none that we ever give: each item brings its own.
        denial = tuples.valid(Denial, item["denial"]) if item.get("denial") is not None else None
        bound = self._denials.take(agent, asked, denial)
        access = {**said.requested_access, **item.get("requested_access", {})}
        client = said.client.model_dump(exclude={"actor": True, "source": {"session_id"}}, exclude_none=True)
        beside = {"requested_access": access, "client": {k: v for k, v in client.items() if v}}
        request = tuples.request_of(
            agent, asked, context, nonce=identity.keyed_nonce(bound.jti, self._secret),
            key=_key(key, *place) if key else None, run=said.client.source.session_id, beside=beside,
        )  # fmt: skip
        return Asked(request, bound)


def keys_differ(one: ApprovalRequest, other: ApprovalRequest) -> bool:
    """Whether they came under different Idempotency-Keys."""
    return (one.key or "").partition("/")[0] != (other.key or "").partition("/")[0]


def _key(header: str, place: int, of: int) -> str:
    """The key of one request: of this door alone, and of this place among so many."""
    return f"authzen:{hashlib.sha256(header.encode()).hexdigest()}/{place + 1}/{of}"


def _check_actor(agent: str, said: Submission) -> None:
    """Raise unless who is said to act is who calls: nobody else, and nobody behind them, can be verified."""
    named: list[Any] = [said.client.actor.id] if said.client.actor else []
    chained = said.client.actor is not None and said.client.actor.act is not None
    properties = said.subject.get("properties")
    act = properties.get("act") if isinstance(properties, dict) else None
    if act is not None:
        named.append(act.get("sub") if isinstance(act, dict) else None)
        chained = chained or (isinstance(act, dict) and act.get("act") is not None)
    if chained or any(one != agent for one in named):
        raise Problem(
            403, "not-allowed", f"This token is {agent}'s: it cannot act for another actor, or a chain."
        )


def too_late(asked: Asked, now: int) -> AccessProblem | None:
    """The problem of a denial that is over at `now`."""
    if now < asked.bound.until:
        return None
    return AccessProblem("expired_denial", "The denial is too old: evaluate again, and submit what you get.")
