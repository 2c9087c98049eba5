"""What names a call for ever, kept in its run's context: so it is in the run's state, as text too."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping, MutableMapping
from typing import Any

from agents.run_context import RunContextWrapper

KEPT = "signoff_run"
"""An item of a context that is a mapping; of another, an attribute, if it has one of that name."""
MAX_RUN = 100
"""Characters of a piece of work's name."""


def begin(context: Any, options: Mapping[str, Any]) -> None:
    """A new run: name its piece of work, whose cards share a thread."""
    session, config = options.get("session"), options.get("run_config")
    work = (
        getattr(session, "session_id", None)
        or options.get("conversation_id")
        or getattr(config, "group_id", None)
        or uuid.uuid4().hex
    )
    _place(context)["run"] = work


def run_of(context: RunContextWrapper[Any]) -> str | None:
    """The piece of work that a call belongs to: the session, the conversation, the trace's group, the run."""
    group = getattr(getattr(context, "run_config", None), "group_id", None)
    work = _kept(context).get("run") or group
    return work if not work or len(work) <= MAX_RUN else hashlib.sha256(work.encode()).hexdigest()


def mark_of(context: RunContextWrapper[Any], name: str) -> str:
    """The random part of a call's key, kept from its first look until it is decided.

    Empty where the context has no place to keep it: what the model says names the call alone then.
    """
    _kept(context).setdefault("calls", {}).setdefault(name, uuid.uuid4().hex)
    mark: str = _kept(context).get("calls", {}).get(name, "")
    return mark


def forget(context: RunContextWrapper[Any], name: str) -> None:
    """A call is decided: another one of this name is a new one."""
    _kept(context).get("calls", {}).pop(name, None)


def _kept(context: RunContextWrapper[Any]) -> dict[str, Any]:
    if context.context is None:
        context.context = {}
    return _place(context.context)


def _place(context: Any) -> dict[str, Any]:
    """What is kept in a context; an empty dict that nobody keeps, where it has no place."""
    if isinstance(context, MutableMapping):
        found = context.setdefault(KEPT, {})
    else:
        if getattr(context, KEPT, "") is None:
            setattr(context, KEPT, {})
        found = getattr(context, KEPT, {})
    return found if isinstance(found, dict) else {}
