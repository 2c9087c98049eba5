"""What a browser gets: the page's files with strict headers; and what web pages from elsewhere do not get.

The stand-in listens on this machine without a password, so that any web page that is open here could talk to
it. Therefore a request from a foreign origin is refused, and so is one for a foreign host name, by which a
page elsewhere could pass itself off as ours (DNS rebinding). Programs send no Origin.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Middleware

FOLDER: Final = Path(__file__).parent / "page"
_LOCAL: Final = ("127.0.0.1", "localhost", "[::1]")
_POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
HEADERS: Final = {
    "Content-Security-Policy": _POLICY,
    "Cache-Control": "no-cache",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def routes() -> list[web.RouteDef]:
    """The page at `/`, and its files under /page."""
    return [web.get("/", _index), web.get("/page/{name}", _file), web.get("/favicon.ico", _icon)]


async def _index(request: web.Request) -> web.StreamResponse:
    return web.FileResponse(FOLDER / "index.html", headers=HEADERS)


async def _file(request: web.Request) -> web.StreamResponse:
    name = request.match_info["name"]
    if name not in {path.name for path in FOLDER.iterdir()}:
        raise web.HTTPNotFound()
    return web.FileResponse(FOLDER / name, headers=HEADERS)


async def _icon(request: web.Request) -> web.StreamResponse:
    return web.FileResponse(FOLDER / "icon.svg", headers=HEADERS)


def only_from_here(host: str) -> Middleware:
    """A middleware that refuses requests of foreign pages; `host` is where the stand-in listens."""
    own = {*_LOCAL, host}

    @web.middleware
    async def check(request: web.Request, handler: _Handler) -> web.StreamResponse:
        origin = request.headers.get("Origin")
        if origin is not None and origin != f"http://{request.host}":
            raise web.HTTPForbidden(text="Web pages from elsewhere have no business here.")
        if _name(request.host) not in own:
            raise web.HTTPForbidden(text=f"This is {host}, not {_name(request.host)}.")
        return await handler(request)

    return check


def _name(host: str) -> str:
    """A Host header without its port."""
    name, _, port = host.rpartition(":")
    return name if name and port.isdigit() else host
