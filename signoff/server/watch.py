"""What `/readyz` and `/metrics` look at: the roles, Redis, the database and Slack."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from signoff.bot.slack.errors import SlackRefused, SlackUnavailable
from signoff.queue.acl import credentials
from signoff.queue.jobs import REFUSED
from signoff.queue.stream import DEAD
from signoff.queue.wakeups import QUEUE
from signoff.server import redis_link
from signoff.server.build import Server
from signoff.server.pulse import SILENT_SECONDS, heard
from signoff.web.health import NotWorking, Watch

ANSWER_SECONDS = 2.0
"""How long Redis may take."""
SLACK_SECONDS = 30.0
"""How long Slack's last answer counts: it is not asked at every look."""


def watch(server: Server, roles: tuple[str, ...]) -> Watch:
    """The parts of a deployment. `roles` are those that have to live."""
    slack = _Slack(server)

    def redis() -> str:
        with redis_link.quick(server.redis_url, ANSWER_SECONDS) as client:
            client.ping()
        return "answers"

    def database() -> str:
        server.store.clock()
        return "answers"

    return Watch(
        {
            "redis": redis,
            "database": database,
            "slack": slack.look,
            **{role: _role(server, role) for role in roles},
        }
    )


def queues(server: Server) -> Callable[[], Mapping[str, int]]:
    """What waits in Redis, and what was refused there."""

    def look() -> Mapping[str, int]:
        with redis_link.quick(server.redis_url, ANSWER_SECONDS) as client:
            pipe = client.pipeline(transaction=False)
            pipe.llen(f"rq:queue:{QUEUE}")
            pipe.xlen(DEAD)
            pipe.get(REFUSED)
            jobs, dead, refused = pipe.execute()
        return {"jobs": int(jobs), "dead": int(dead), "refused": int(refused or 0)}

    return look


def _role(server: Server, role: str) -> Callable[[], str]:
    def look() -> str:
        with redis_link.quick(server.redis_url, ANSWER_SECONDS) as client:
            alive: Any = heard(client.client_list(), credentials(server.redis_url)[0])
        if role not in alive:
            raise NotWorking("none runs")
        if alive[role] > SILENT_SECONDS:
            raise NotWorking(f"not heard of for {alive[role]:.0f} s")
        return f"heard of {alive[role]:.0f} s ago"

    return look


class _Slack:
    """Whether Slack takes our token; asked now and then."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._lock = threading.Lock()
        self._at = -SLACK_SECONDS
        self._fault = ""

    def look(self) -> str:
        with self._lock:
            if time.monotonic() - self._at >= SLACK_SECONDS or self._fault:
                self._ask()
            if self._fault:
                raise NotWorking(self._fault)
            return f"answered {time.monotonic() - self._at:.0f} s ago"

    def _ask(self) -> None:
        try:
            self._server.slack.call("auth.test")
        except SlackRefused as error:
            self._fault = f"refuses us: {error.code}"
        except SlackUnavailable:
            self._fault = "does not answer"
        else:
            self._fault, self._at = "", time.monotonic()
