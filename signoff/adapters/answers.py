"""A model's tool call as an adapter reads it, and what becomes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from signoff.errors import SignoffError
from signoff.models.receipt import ApprovedReceipt


@dataclass(frozen=True)
class Call:
    """One tool call of a model.

    `key` names this call and no other, also after a kill and a resume: thread or run, the model message's id
    and the call's id (providers repeat call ids). `run` names the piece of work: its cards share a thread.
    `reason` is what the model said with the call, if anything; `schema` the JSON Schema of the arguments.
    `claims` are what else is said of this call, where the options of its tool say nothing else. It is
    `closed` where the framework passes over names that the schema does not know: they are neither shown nor
    run.
    """

    name: str
    args: Mapping[str, Any]
    key: str
    run: str | None = None
    reason: str = ""
    schema: Mapping[str, Any] | None = None
    claims: Mapping[str, Any] = field(default_factory=dict)
    closed: bool = False


@dataclass(frozen=True)
class Go:
    """It may run, now and once, with `args` and nothing else. `told` is for the model, beside the result: who
    changed what, and the approver's note; empty where there is nothing to tell. `receipt` is None where
    nobody had to be asked: the tool is not gated, or its condition said so.
    """

    args: dict[str, Any]
    receipt: ApprovedReceipt | None = None
    told: str = ""


@dataclass(frozen=True)
class Stop:
    """It must not run: `text` says so to the model. `error` is for the program."""

    text: str
    error: SignoffError


@dataclass(frozen=True)
class Pending:
    """Nobody has decided within `suspend_after`. The request stands: deciding the same call again attaches to
    it. `code` is what people see of its id."""

    id: str
    action: str
    code: str
