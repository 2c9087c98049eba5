"""What a process does, as it does it: the points that it passes, and what it changes outside of itself."""

from __future__ import annotations

import threading
import traceback
from collections import defaultdict
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import redis
import redis.asyncio as aioredis
from sqlalchemy import Connection, Engine, event

from signoff.bot.slack import client
from signoff.models import crash

PACKAGE = Path(crash.__file__).parents[1]
READS = frozenset(
    ["GET", "MGET", "EXISTS", "SCAN", "TYPE", "TTL", "XREADGROUP", "XAUTOCLAIM", "XRANGE", "XLEN", "XINFO",
     "XPENDING", "XCLAIM", "XGROUP", "SUBSCRIBE", "UNSUBSCRIBE", "EVALSHA", "GETRANGE", "STRLEN", "MEMORY",
     "WATCH"]
)  # fmt: skip
"""Commands that change nothing of what was asked or answered; any other on our keys is an effect. The scripts
that we run only read and claim."""
QUEUES = frozenset(["RPUSH", "LPUSH"])
"""What RQ does that wakes somebody; the rest it does for itself."""


class Trace:
    """Points and effects, in order, by thread."""

    def __init__(self) -> None:
        self.points: list[str] = []
        self.by_thread: defaultdict[int, list[tuple[str, str]]] = defaultdict(list)

    def point(self, name: str) -> None:
        self.points.append(name)
        self.by_thread[threading.get_ident()].append(("point", name))

    def effect(self, what: str) -> None:
        """Not those of the test itself."""
        frames = [f for f in traceback.extract_stack() if f.filename.startswith(str(PACKAGE))]
        if any(f.name == "_renew_all" for f in frames):
            return  # a lease's own timer, again and again where the machine is slow
        if len(frames) > 1:  # a transaction of the test has one, of the store
            callers = " < ".join(f"{Path(f.filename).stem}.{f.name}" for f in reversed(frames[-4:]))
            self.by_thread[threading.get_ident()].append(("effect", f"{what} ({callers})"))

    def bare(self) -> list[str]:
        """Pairs of effects that one thread has done without a point in between."""
        found = []
        for lines in self.by_thread.values():
            for (kind, first), (other, second) in pairwise(lines):
                if kind == other == "effect":
                    found.append(f"{first}, then {second}")
        return found


def traced(monkeypatch: pytest.MonkeyPatch) -> Trace:
    """Records every point that is passed, and every write to Redis, the database or Slack.

    A view is no effect: one person sees it, and nothing rests on it.
    """
    found = Trace()
    monkeypatch.setattr(crash, "here", found.point)

    def wrap(owner: Any, name: str, describe: Any) -> None:
        original = getattr(owner, name)

        def doing(self: Any, *args: Any, **given: Any) -> Any:
            what = describe(self, *args)
            answer = original(self, *args, **given)
            if what:
                found.effect(what)
            return answer

        monkeypatch.setattr(owner, name, doing)

    wrap(redis.Redis, "execute_command", lambda _, *command: ours([command]))
    wrap(redis.client.Pipeline, "execute", lambda pipe, *_: ours([c[0] for c in pipe.command_stack]))
    wrap(aioredis.Redis, "execute_command", lambda _, *command: ours([command]))
    wrap(client.Slack, "call", lambda _, method, *rest: method if method.startswith("chat.") else "")
    return found


def ours(commands: Any) -> str:
    """What is written, by name."""
    words = [
        [w.decode(errors="replace") if isinstance(w, bytes) else str(w) for w in command]
        for command in commands
    ]
    return " ".join(name for name, *given in words if _writes(name.upper().split(" ")[0], given))


def _writes(name: str, given: list[str]) -> bool:
    own = any(word.startswith("signoff:") for word in given)
    return (own and name not in READS) or (
        name in QUEUES and any(word.startswith("rq:queue:") for word in given)
    )


def trace_commits(trace: Trace, engine: Engine) -> None:
    """Only what was begun to write."""

    @event.listens_for(engine, "commit")
    def committed(connection: Connection) -> None:
        if not connection.get_execution_options().get("reading"):
            trace.effect("COMMIT")
