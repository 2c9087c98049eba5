"""The web role: the doors by HTTP, and on a port of its own what watches this deployment."""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp

from signoff.errors import ConfigError
from signoff.models.figures import Figures
from signoff.server.build import Server
from signoff.server.settings import split_bind
from signoff.server.watch import queues, watch
from signoff.web.app import build_app
from signoff.web.doors import Doors
from signoff.web.health import build_health
from signoff.web.metrics import registry

log = logging.getLogger("signoff.web")

BACKLOG = 2048
DRAIN_SECONDS = 8
"""What a call may take to end once the role is told to stop; who waits for a decision is answered at once."""
IDLE_SECONDS = 75
"""How long a connection on which nothing is asked is kept: longer than proxies keep theirs."""


class _Listener(uvicorn.Server):
    """Signals are the role's."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """None of them."""
        yield


def run_web(server: Server, stop: threading.Event, ready: Callable[[], None] = lambda: None) -> None:
    """The web role, in the main thread, until `stop` is set. `ready` tells that it listens.

    Raises ConfigError where it cannot listen at its place.
    """
    door = listen("SIGNOFF_WEB_BIND", server.settings.web_bind)
    with door, listen("SIGNOFF_HEALTH_BIND", server.settings.health_bind) as side:
        asyncio.run(_serve(server, stop, ready, door, side))


async def _serve(
    server: Server, stop: threading.Event, ready: Callable[[], None], door: socket.socket, side: socket.socket
) -> None:
    public_url = server.settings.web_url or f"http://{_place(door)}"
    app = build_app(doors(server, public_url))
    listeners = [listener(app)]
    listeners.append(listener(health(server)))
    loop = asyncio.get_running_loop()

    def end() -> None:
        for one in listeners:
            one.should_exit = True

    def heed() -> None:
        stop.wait()
        loop.call_soon_threadsafe(end)

    threading.Thread(target=heed, name="stop", daemon=True).start()
    log.info("web listens at %s, and tells of its health at %s", public_url, _place(side))
    ready()
    await asyncio.gather(listeners[0].serve(sockets=[door]), listeners[1].serve(sockets=[side]))


def _place(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"{f'[{host}]' if ':' in host else host}:{port}"


def doors(server: Server, public_url: str) -> Doors:
    """What the doors are built of."""
    settings = server.settings
    return Doors(
        approvals=server.approvals, store=server.store, signer=settings.signer(),
        deployment=settings.deployment, public_url=public_url, redis_url=server.redis_url,
    )  # fmt: skip


def health(server: Server) -> ASGIApp:
    """What is told to whoever watches this deployment."""
    figures = registry(Figures(server.store), queues(server))
    return build_health(watch(server, ("bot", "intake", "worker")), figures)


def listen(name: str, bind: str) -> socket.socket:
    """A socket that listens at `host:port`; raises ConfigError naming the setting."""
    host, port = split_bind(bind)
    bare = host.removeprefix("[").removesuffix("]")
    try:
        family = socket.getaddrinfo(bare, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0][0]
        return socket.create_server((bare, port), family=family, backlog=BACKLOG)
    except OSError as error:
        raise ConfigError(
            f"{name}: nothing can listen at {bind} ({error.strerror}): free it, or set another one."
        ) from None


def listener(app: ASGIApp) -> uvicorn.Server:
    """What serves an application, once it is given a socket; it reads no signals."""
    config = uvicorn.Config(
        app, http="httptools", ws="none", lifespan="off", log_config=None, access_log=False,
        server_header=False, proxy_headers=False, timeout_keep_alive=IDLE_SECONDS,
        timeout_graceful_shutdown=DRAIN_SECONDS,
    )  # fmt: skip
    return _Listener(config)
