"""Starting and stopping the stand-in: as a process (`run`), or in a thread of a test (`Sandbox`).

What a program can do with it is described in `control.py`, what people can do in `acts.py`.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import signal
import threading
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import urlencode

from signoff.sandbox.saved import write
from signoff.sandbox.service import Service

JSON = dict[str, Any]


def run(
    *, port: int, host: str = "127.0.0.1", env_file: Path | None = None, state_file: Path | None = None
) -> None:
    """Serve until SIGTERM or SIGINT. Port 0 takes a free one; a line with the address says when it is ready.

    `env_file` is then written (mode 0600, all at once): the settings that point a server at this stand-in.
    `state_file` is where it keeps its team and messages: see `saved.py`.
    Raises OSError where the port is taken or a file cannot be used.
    """
    asyncio.run(_serve(host, port, env_file, state_file))


async def _serve(host: str, port: int, env_file: Path | None, state_file: Path | None) -> None:
    stop, service = asyncio.Event(), Service(state_file=state_file)
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await service.start(host, port)
    try:
        if env_file is not None:
            write(env_file, "".join(f"{name}={value}\n" for name, value in service.settings().items()))
        print(f"Slack's stand-in listens at {service.workspace.base_url}", flush=True)
        await stop.wait()
    finally:
        await service.stop()


class Sandbox:
    """A stand-in with its own event loop in a daemon thread, for tests.

        with Sandbox.start() as slack:
            client = WebClient(slack.bot_token, base_url=slack.api_url)
            slack.act(type="open_home", user="U0ANA00001")

    `trigger_seconds` and `ack_seconds` are Slack's three seconds, which a test may shorten. The helpers
    block, may be used from any thread, and raise LookupError for what the stand-in refuses; only `act` gives
    the refusal back.
    """

    def __init__(
        self,
        *,
        bot_token: str | None = None,
        app_token: str | None = None,
        trigger_seconds: float = 3.0,
        ack_seconds: float = 3.0,
    ) -> None:
        self._service = Service(
            bot_token=bot_token,
            app_token=app_token,
            trigger_seconds=trigger_seconds,
            ack_seconds=ack_seconds,
        )
        self.bot_token = self._service.workspace.bot_token
        self.app_token = self._service.workspace.app_token
        self.url = ""
        """http://127.0.0.1:port, without a slash at its end."""
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._local = threading.local()
        self._connections: list[http.client.HTTPConnection] = []

    @classmethod
    def start(cls, port: int = 0, **options: Any) -> Sandbox:
        """A running stand-in; `options` are the constructor's. Raises OSError where the port is taken."""
        sandbox = cls(**options)
        loop = sandbox._loop = asyncio.new_event_loop()
        sandbox._thread = threading.Thread(target=sandbox._run, args=(loop,), name="sandbox", daemon=True)
        sandbox._thread.start()
        try:
            asyncio.run_coroutine_threadsafe(sandbox._service.start("127.0.0.1", port), loop).result(30)
        except BaseException:
            sandbox.stop()
            raise
        sandbox.url = sandbox._service.workspace.base_url
        return sandbox

    def stop(self) -> None:
        """End it; a second call does nothing."""
        loop, thread, self._loop, self._thread = self._loop, self._thread, None, None
        for connection in self._connections:
            connection.close()
        if loop is None or thread is None:
            return
        asyncio.run_coroutine_threadsafe(self._service.stop(), loop).result(30)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(30)

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def api_url(self) -> str:
        """What the SDK takes as `base_url`."""
        return f"{self.url}/api/"

    def settings(self) -> dict[str, str]:
        """The environment that points Signoff's server at this stand-in."""
        return self._service.settings()

    def state(self) -> JSON:
        """Team, users, channels, user groups, connections."""
        return self._ask("GET", "state")

    def messages(self, channel: str, thread_ts: str | None = None) -> list[JSON]:
        """The messages of a channel (top level and ephemeral), or of one thread; oldest first."""
        query = {"channel": channel} | ({"thread_ts": thread_ts} if thread_ts else {})
        found: list[JSON] = self._ask("GET", f"messages?{urlencode(query)}")["messages"]
        return found

    def views(self, user: str) -> JSON:
        """`stack` (the top view last) and `home` of a person."""
        return self._ask("GET", f"views?{urlencode({'user': user})}")

    def act(self, **fields: Any) -> JSON:
        """What a person does; gives the answer, also where the act is refused (`ok` is then false)."""
        return self._request("POST", "act", fields)[1]

    def faults(self, **fields: Any) -> JSON:
        """Add a fault; without fields, list what is left."""
        return self._ask("POST", "faults", fields) if fields else self._ask("GET", "faults")

    def team(self, **fields: Any) -> JSON:
        """Change users, channels, user groups or the bot; gives the new state."""
        return self._ask("POST", "team", fields)

    def log(self) -> list[JSON]:
        """Every Web API call and envelope so far, oldest first."""
        entries: list[JSON] = self._ask("GET", "log")["entries"]
        return entries

    def reset(self) -> None:
        """As freshly started; tokens and links stay."""
        self._ask("POST", "reset", {})

    def _run(self, loop: asyncio.AbstractEventLoop) -> None:
        asyncio.set_event_loop(loop)
        try:
            loop.run_forever()
            loop.run_until_complete(loop.shutdown_asyncgens())
        finally:
            loop.close()

    def _ask(self, method: str, path: str, fields: JSON | None = None) -> JSON:
        status, answer = self._request(method, path, fields)
        if status != 200:
            raise LookupError(f"{path}: {answer}")
        return answer

    def _request(self, method: str, path: str, fields: JSON | None = None) -> tuple[int, JSON]:
        connection: http.client.HTTPConnection | None = getattr(self._local, "connection", None)
        if connection is None:
            host = self.url.removeprefix("http://")
            connection = self._local.connection = http.client.HTTPConnection(host, timeout=60)
            self._connections.append(connection)
        body = None if fields is None else json.dumps(fields).encode()
        connection.request(method, f"/sandbox/{path}", body)
        response = connection.getresponse()
        answer: JSON = json.loads(response.read())
        return response.status, answer
