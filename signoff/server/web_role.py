"""The web role: the doors by HTTP, and on a port of its own what watches this deployment."""

from __future__ import annotations

import asyncio
import gc
import logging
import resource
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp

from signoff.errors import ConfigError
from signoff.models.figures import Figures
from signoff.server import slack_door
from signoff.server.build import Server
from signoff.server.settings import split_bind
from signoff.server.watch import queues, watch
from signoff.web.app import build_app
from signoff.web.connection import MOST_CONNECTIONS, Limits
from signoff.web.doors import Doors
from signoff.web.health import build_health
from signoff.web.hub import Hub
from signoff.web.metrics import registry
from signoff.web.refusals import Refusals
from signoff.web.slack import SlackDoor

log = logging.getLogger("signoff.web")

BACKLOG = 2048
DRAIN_SECONDS = 8
"""What a call may take to end once the role is told to stop; who waits for a decision is answered at once."""
IDLE_SECONDS = 75
"""How long a connection on which nothing is asked is kept: longer than proxies keep theirs."""


FILES = 65_536
"""Open files that are asked for, as a connection is one; as many as the system's limit allows are had."""
OTHER_FILES = 256
"""Of them for all that is no connection of a caller's: the database, Redis, logs."""


class _Listener(uvicorn.Server):
    """Signals are the role's. Who waits in `hub` is answered once it is told to stop."""

    def __init__(self, config: uvicorn.Config, hub: Hub | None) -> None:
        super().__init__(config)
        self._hub = hub

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Take no more calls, answer those that there are, and end."""
        if self._hub:
            self._hub.end()
        await super().shutdown(sockets)
        if self._hub:
            await self._hub.close()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """None of them."""
        yield


def run_web(server: Server, stop: threading.Event, ready: Callable[[], None] = lambda: None) -> None:
    """The web role, in the main thread, until `stop` is set. `ready` tells that it listens.

    Raises ConfigError where it cannot listen at its place, or Slack does not take the bot's token.
    """
    gc.freeze()  # what is loaded is looked through no more while all calls stand still
    settings = server.settings
    with (
        listen("SIGNOFF_WEB_BIND", settings.web_bind) as door,
        listen("SIGNOFF_HEALTH_BIND", settings.health_bind) as side,
        slack_door.opened(server, stop, ready) as (slack, listens),
    ):
        asyncio.run(_serve(server, stop, listens, (door, side), slack))


async def _serve(
    server: Server,
    stop: threading.Event,
    ready: Callable[[], None],
    sockets: tuple[socket.socket, socket.socket],
    slack: SlackDoor | None,
) -> None:
    door, side = sockets
    public_url = server.settings.web_url or f"http://{_place(door)}"
    ours = doors(server, public_url, slack)
    limits = Limits(most=min(MOST_CONNECTIONS, open_files() - OTHER_FILES))
    ours.hub.most = min(ours.hub.most, limits.most * 4 // 5)
    listeners = [listener(build_app(ours), ours.hub, limits), listener(health(server, ours.refusals))]
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


def doors(server: Server, public_url: str, slack: SlackDoor | None = None) -> Doors:
    """What the doors are built of."""
    settings = server.settings
    return Doors(
        approvals=server.approvals, store=server.store, signer=settings.signer(),
        deployment=settings.deployment, public_url=public_url, redis_url=server.redis_url, slack=slack,
    )  # fmt: skip


def health(server: Server, refusals: Refusals) -> ASGIApp:
    """What is told to whoever watches this deployment."""
    figures = registry(Figures(server.store), queues(server), refusals)
    bot = () if server.settings.signing_secret else ("bot",)
    return build_health(watch(server, (*bot, "intake", "worker")), figures)


def listen(name: str, bind: str) -> socket.socket:
    """A socket that listens at `host:port`; raises ConfigError naming the setting."""
    host, port = split_bind(bind)
    bare = host.removeprefix("[").removesuffix("]")
    try:
        family = socket.getaddrinfo(bare, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0][0]
        found = socket.create_server((bare, port), family=family, backlog=BACKLOG)
        # asyncio does so for sockets that it has made itself. Without it an answer waits 40 ms for an ACK.
        found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return found
    except OSError as error:
        # Python adds to what the system says, which is without it where a name has no address.
        why = (error.strerror or "no such address").partition(" (while ")[0]
        raise ConfigError(
            f"{name}: nothing can listen at {bind} ({why}): free it, or set another one."
        ) from None


def open_files() -> int:
    """How many files this process may have open, from now on."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES if hard == resource.RLIM_INFINITY else min(FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        soft = wanted
    return FILES if soft == resource.RLIM_INFINITY else soft


def listener(app: ASGIApp, hub: Hub | None = None, limits: Limits | None = None) -> uvicorn.Server:
    """What serves an application, once it is given a socket; it reads no signals.

    Where it ends, it ends the `hub`. It keeps its callers to these `limits`.
    """
    config = uvicorn.Config(
        app, http=(limits or Limits()).protocol(), ws="none", lifespan="off", log_config=None,
        log_level="error", access_log=False, server_header=False, proxy_headers=False,
        timeout_keep_alive=IDLE_SECONDS, timeout_graceful_shutdown=DRAIN_SECONDS,
    )  # fmt: skip
    return _Listener(config, hub)
