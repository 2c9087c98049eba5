"""What names a call for ever, kept in the wrapper of a run's context: so in the run's state, as text too.

Not in the user's own context: runs may share that, and one run's approval would be the other's.
"""

from __future__ import annotations

import copy
import hashlib
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from agents.run_context import RunContextWrapper

KEPT = "signoff_run"
"""An item of the wrapper's `tool_input`: the one place that the SDK keeps for each run alone."""
MAX_RUN = 100
"""Characters of a piece of work's name."""
_outer: ContextVar[str | None] = ContextVar("signoff_openai_agents_run", default=None)
"""The piece of work of the run that is going on, for those of agents that are its tools."""


def begin(context: Any, options: Mapping[str, Any]) -> RunContextWrapper[Any]:
    """A new run's own wrapper, which names its piece of work: their cards share a thread."""
    session, config = options.get("session"), options.get("run_config")
    work = (
        getattr(session, "session_id", None)
        or options.get("conversation_id")
        or getattr(config, "group_id", None)
        or _outer.get()
        or uuid.uuid4().hex
    )
    own = copy.copy(context) if isinstance(context, RunContextWrapper) else RunContextWrapper(context)
    own.tool_input = {KEPT: {"run": work}}
    return own


@contextmanager
def going_on(context: RunContextWrapper[Any] | None) -> Iterator[None]:
    """While a run goes on: agents that are its tools belong to the same piece of work."""
    before = _outer.set(_kept(context).get("run") if context is not None else None)
    try:
        yield
    finally:
        _outer.reset(before)


def run_of(context: RunContextWrapper[Any]) -> str | None:
    """The piece of work that a call belongs to: the session, the conversation, the trace's group, the run."""
    group = getattr(getattr(context, "run_config", None), "group_id", None)
    work = _kept(context).get("run") or group or _outer.get()
    return work if not work or len(work) <= MAX_RUN else hashlib.sha256(work.encode()).hexdigest()


def mark_of(context: RunContextWrapper[Any], name: str) -> str:
    """The random part of a call's key, kept from its first look until it is decided.

    Raises TypeError where it cannot be kept: what the model says would name the call alone, and providers
    repeat that in other people's runs.
    """
    if context.tool_input is None:
        context.tool_input = {}
    if not isinstance(context.tool_input, dict):
        raise TypeError("An agent that is a tool can only suspend where its parameters are an object.")
    calls = context.tool_input.setdefault(KEPT, {}).setdefault("calls", {})
    mark: str = calls.setdefault(name, uuid.uuid4().hex)
    return mark


def forget(context: RunContextWrapper[Any], name: str) -> None:
    """A call is decided: another one of this name is a new one."""
    _kept(context).get("calls", {}).pop(name, None)


def _kept(context: RunContextWrapper[Any]) -> dict[str, Any]:
    """What is kept by now; an empty dict that nobody keeps, where nothing is."""
    found = context.tool_input.get(KEPT) if isinstance(context.tool_input, dict) else None
    return found if isinstance(found, dict) else {}
