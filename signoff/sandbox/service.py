"""One stand-in, put together: state, Web API, Socket Mode, response URLs and control, on one port."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from aiohttp import web
from aiohttp.typedefs import Middleware

from signoff.sandbox import browser, file_methods, permalinks, response_url
from signoff.sandbox.acts import Acts
from signoff.sandbox.control import Control
from signoff.sandbox.events import Events
from signoff.sandbox.faults import Faults
from signoff.sandbox.files import FILE_BYTES
from signoff.sandbox.http_mode import PATH, HttpMode, request_url
from signoff.sandbox.journal import Journal
from signoff.sandbox.panes import Panes
from signoff.sandbox.payloads import Payloads
from signoff.sandbox.posts import Posts
from signoff.sandbox.saved import Saved
from signoff.sandbox.socket_mode import SocketMode
from signoff.sandbox.stream import Stream
from signoff.sandbox.web_api import WebApi
from signoff.sandbox.workspace import Workspace

_LARGEST_BODY = FILE_BYTES + 64 * 1024


class Service:
    """Lives in one event loop. Tokens are random where none are given; times are seconds."""

    def __init__(
        self,
        *,
        bot_token: str | None = None,
        app_token: str | None = None,
        trigger_seconds: float = 3.0,
        ack_seconds: float = 3.0,
        state_file: Path | None = None,
        http: str | None = None,
    ) -> None:
        """`http`: the app is called there, not over Socket Mode; empty where the address comes later."""
        self.workspace = Workspace(bot_token or "", app_token or "", trigger_seconds)
        self._ack_seconds = ack_seconds
        self._saved = Saved(self.workspace, state_file) if state_file else None
        self._http_url = request_url(http) if http else http
        self._http_mode: HttpMode | None = None
        self._socket_mode: SocketMode | None = None
        self._events: Events | None = None
        self._runner: web.AppRunner | None = None

    async def start(self, host: str, port: int) -> None:
        """Listen; port 0 takes a free one. Raises OSError with a plain message where the port is taken."""
        if self._saved is not None:
            self._saved.start()
        application = self._application(host)
        if self._http_mode is not None:
            await self._http_mode.start()
        runner = web.AppRunner(application, access_log=None, keepalive_timeout=3600.0, shutdown_timeout=0.5)
        await runner.setup()
        try:
            await web.TCPSite(runner, host, port).start()
        except OSError as error:
            await runner.cleanup()
            raise OSError(
                error.errno,
                f"Port {port} on {host} cannot be used. Choose another one, or 0 for any free one.",
            ) from error
        self._runner = runner
        self.workspace.base_url = f"http://{host}:{runner.addresses[0][1]}"

    async def stop(self) -> None:
        """Close every link and connection."""
        self.workspace.feed.close()
        if self._events is not None:
            self._events.cancel()
        if self._socket_mode is not None:
            await self._socket_mode.close()
        if self._http_mode is not None:
            await self._http_mode.close()
        if self._runner is not None:
            await self._runner.cleanup()
        if self._saved is not None:
            self._saved.stop()

    def settings(self) -> dict[str, str]:
        """The environment that points Signoff's server at this stand-in."""
        team = self.workspace.team
        people = {user.name: user.id for user in team.users.values()}
        channel = team.channel("agent-approvals")
        assert channel is not None
        return self._way() | {
            "SLACK_BOT_TOKEN": self.workspace.bot_token,
            "SLACK_API_URL": f"{self.workspace.base_url}/api/",
            "SIGNOFF_CHANNEL": channel.id,
            "SIGNOFF_APPROVERS": f"{people['ana']},{people['ben']}",
            "SIGNOFF_ADMINS": people["omar"],
        }

    def _way(self) -> dict[str, str]:
        """What an app has for the way that it is reached by; where it is called, also the address."""
        if self._http_url is None:
            return {"SLACK_APP_TOKEN": self.workspace.app_token}
        found = {"SLACK_SIGNING_SECRET": self.workspace.signing_secret}
        if url := self._http_mode.url if self._http_mode else self._http_url:
            found["SIGNOFF_WEB_URL"] = url.removesuffix(PATH)
        return found

    def _application(self, host: str) -> web.Application:
        feed = self.workspace.feed
        journal, faults = Journal(feed), Faults()
        by_http = self._http_url is not None
        self._socket_mode = socket_mode = SocketMode(journal, self._ack_seconds, enabled=not by_http)
        api = WebApi(self.workspace, socket_mode, faults, journal)
        payloads = Payloads(self.workspace)
        secret, token = self.workspace.signing_secret, payloads.verification_token
        if by_http:
            self._http_mode = HttpMode(journal, secret, token, self._ack_seconds, self._http_url or "")
        app = self._http_mode or socket_mode
        self._events = events = Events(self.workspace, app, payloads)
        self.workspace.posted = Posts(self.workspace, events).announce
        acts = Acts(self.workspace, app, payloads, events)
        panes = Panes(feed)
        control = Control(self.workspace, socket_mode, self._http_mode, faults, journal, acts, events, panes)
        middlewares: list[Middleware] = [browser.only_from_here(host)]
        if self._saved is not None:
            middlewares.append(self._saved.middleware)
        application = web.Application(client_max_size=_LARGEST_BODY, middlewares=middlewares)
        application.add_routes(
            [
                web.route("*", "/api/{method}", api.handle),
                web.get("/link/{ticket}", socket_mode.serve),
                web.post("/response/{token}", partial(response_url.handle, self.workspace, journal)),
                web.post("/upload/v1/{ticket}", partial(file_methods.upload, self.workspace)),
                web.get("/files/{id}", partial(file_methods.download, self.workspace)),
                web.get("/sandbox/files/{id}", partial(file_methods.show, self.workspace)),
                web.get("/archives/{channel}/{message}", partial(permalinks.show, self.workspace)),
                web.get("/sandbox/events", Stream(self.workspace).serve),
                *control.routes(),
                *browser.routes(),
            ]
        )
        return application
