"""The doors by HTTP as callers meet them: a real uvicorn before the real middle of the road."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from starlette.routing import Route
from support import Core, eventually

from signoff.models import tokens
from signoff.models.receipt import DEPLOYMENT
from signoff.server import web_role
from signoff.web.app import build_app
from signoff.web.connection import Limits
from signoff.web.doors import Doors


@dataclass
class Door:
    """A server of this process, and its first agent's token."""

    core: Core
    doors: Doors
    url: str
    token: str

    def client(self, token: str | None = None, **more: Any) -> httpx.Client:
        """A caller with this token, else the first agent's."""
        headers = {"Authorization": f"Bearer {token or self.token}"}
        return httpx.Client(base_url=self.url, headers=headers, timeout=60, trust_env=False, **more)

    def routes(self) -> list[tuple[str, str]]:
        """(path, method) of all there is."""
        found = build_app(self.doors).routes
        return [
            (one.path, method)
            for one in found
            if isinstance(one, Route)
            for method in (one.methods or set()) - {"HEAD"}
        ]

    def add(self, agent: str, *scopes: str) -> str:
        """One more token → its text."""
        return tokens.add(self.core.store, agent, scopes or ("ask",))


@contextmanager
def opened(
    core: Core,
    redis_url: str,
    *,
    limits: Limits | None = None,
    body_seconds: float = 10,
    hub: Any = None,
    **more: Any,
) -> Iterator[Door]:
    """Doors that are open inside the `with`; `hub` bounds who waits, and `more` are parts of Doors."""
    with web_role.listen("SIGNOFF_WEB_BIND", "127.0.0.1:0") as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        doors = Doors(
            approvals=core.approvals, store=core.store, signer=core.signer, deployment=DEPLOYMENT,
            public_url=url, redis_url=redis_url, **more,
        )  # fmt: skip
        for name, value in (hub or {}).items():
            setattr(doors.hub, name, value)
        server = web_role.listener(build_app(doors, seconds=body_seconds), doors.hub, limits)
        running = threading.Thread(target=server.run, args=([listener],))
        running.start()
        eventually(lambda: server.started)
        try:
            yield Door(core, doors, url, tokens.add(core.store, "billing-bot", ("ask",)))
        finally:
            server.should_exit = True
            running.join(30)


@pytest.fixture
def door(core: Core, redis_url: str) -> Iterator[Door]:
    """The doors, on both databases."""
    with opened(core, redis_url) as found:
        yield found
