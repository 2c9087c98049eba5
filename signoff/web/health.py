"""What watches this deployment is told, on a port of its own: is it there, does it work, and its figures.

`/healthz`: this process answers. `/readyz`: all that a request needs works, each part by its name; with
`?only=web` what this process needs itself (Redis and the database). `/metrics`: for Prometheus.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from dataclasses import field as member

from anyio import CapacityLimiter, to_thread
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

log = logging.getLogger("signoff.web")

OWN = ("redis", "database")
"""The parts that this process needs itself."""
CHECK_SECONDS = 5.0
"""How long one part may take to say that it works."""
THREADS = 2
"""In which each of the endpoints looks."""
KEPT_SECONDS = 1.0
"""Who asks more often is told the same again."""
Check = Callable[[], str]
"""Says in a few words how a part is; raises what is wrong with it."""


@dataclass
class Watch:
    """The parts, each with what looks at it. Whoever looks is kept from the rest by its own thread."""

    checks: Mapping[str, Check]
    _pool: ThreadPoolExecutor = member(default_factory=lambda: ThreadPoolExecutor(8, "health"))
    _lock: threading.Lock = member(default_factory=threading.Lock)
    _found: dict[str, tuple[bool, str]] = member(default_factory=dict)
    _at: float = -KEPT_SECONDS

    def look(self) -> dict[str, tuple[bool, str]]:
        """Each part: whether it works, and how it is, in words that hold no secret."""
        with self._lock:
            if time.monotonic() - self._at >= KEPT_SECONDS:
                self._found = self._look()
                self._at = time.monotonic()
            return self._found

    def _look(self) -> dict[str, tuple[bool, str]]:
        running = {name: self._pool.submit(check) for name, check in self.checks.items()}
        end, found = time.monotonic() + CHECK_SECONDS, {}
        for name, future in running.items():
            try:
                found[name] = (True, future.result(max(0.0, end - time.monotonic())))
            except TimeoutError:
                found[name] = (False, f"no answer within {CHECK_SECONDS:g} s")
            except NotWorking as error:
                found[name] = (False, str(error))
            except Exception as error:
                found[name] = (False, type(error).__name__)
        return found


class NotWorking(Exception):
    """A part does not work, in words of our own."""


def build_health(watch: Watch, registry: CollectorRegistry) -> Starlette:
    """The application of the second port."""

    async def healthz(_: Request) -> Response:
        return PlainTextResponse("ok\n")

    def ready(request: Request) -> Response:
        only = OWN if request.query_params.get("only") == "web" else tuple(watch.checks)
        found = {name: told for name, told in watch.look().items() if name in only}
        works = all(one for one, _ in found.values())
        parts = {name: {"ok": one, "is": said} for name, (one, said) in found.items()}
        return JSONResponse({"ready": works, "parts": parts}, 200 if works else 503)

    def figures(_: Request) -> Response:
        try:
            return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)
        except Exception as error:  # the database or Redis is away: no figures are better than wrong ones
            log.warning("no metrics: %s", type(error).__name__)
            return PlainTextResponse("the figures cannot be read now\n", 503)

    # Threads of their own: the doors' are busy just when somebody has to see it.
    looks, reads = CapacityLimiter(THREADS), CapacityLimiter(THREADS)

    async def readyz(request: Request) -> Response:
        return await to_thread.run_sync(ready, request, limiter=looks)

    async def metrics(request: Request) -> Response:
        return await to_thread.run_sync(figures, request, limiter=reads)

    return Starlette(
        routes=[Route("/healthz", healthz), Route("/readyz", readyz), Route("/metrics", metrics)]
    )
