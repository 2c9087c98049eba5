"""Starting and stopping the stand-in: as a process (`run`), or in a thread of a test (`Sandbox`).

What a program can do with it is described in `control.py`, what people can do in `acts.py`.
"""

from __future__ import annotations

import asyncio
import shlex
import signal
import threading
from pathlib import Path
from types import TracebackType
from typing import Any

from signoff.sandbox.errors import ActError
from signoff.sandbox.remote import Remote
from signoff.sandbox.saved import write
from signoff.sandbox.service import Service


def run(
    *,
    port: int,
    host: str = "127.0.0.1",
    env_file: Path | None = None,
    state_file: Path | None = None,
    http: str | None = None,
) -> None:
    """Serve until SIGTERM or SIGINT. Port 0 takes a free one; a line with the address says when it is ready.

    `env_file` is then written (mode 0600, all at once): the settings that point a server at this stand-in.
    `state_file` is where it keeps its team and messages: see `saved.py`. `http` is where it calls the app, in
    place of Socket Mode: see `http_mode.py`.
    Raises OSError where the port is taken or a file cannot be used, or `http` is no address.
    """
    try:
        service = Service(state_file=state_file, http=http)
    except ActError as error:
        raise OSError(f"--http: {error.answer['detail']}.") from None
    asyncio.run(_serve(service, host, port, env_file))


async def _serve(service: Service, host: str, port: int, env_file: Path | None) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await service.start(host, port)
    try:
        if env_file is not None:
            write(env_file, "".join(f"{name}={value}\n" for name, value in service.settings().items()))
        print(_said(service.workspace.base_url, env_file), flush=True)
        await stop.wait()
    finally:
        await service.stop()


def _said(url: str, env_file: Path | None) -> str:
    """Where it is to be seen, and what comes next."""
    file = shlex.quote(str(env_file or "sandbox.env"))
    again = "" if env_file else f"With --env-file {file} it writes the settings for a server, then: "
    return (
        f"Slack's stand-in listens; open its page in a browser: {url}\n"
        f"{again or 'To start a server there: '}signoff serve --env-file {file}"
    )


class Sandbox(Remote):
    """A stand-in with its own event loop in a daemon thread, for tests.

        with Sandbox.start() as slack:
            client = WebClient(slack.bot_token, base_url=slack.api_url)
            slack.act(type="open_home", user="U0ANA00001")

    `trigger_seconds` and `ack_seconds` are Slack's three seconds, which a test may shorten; `state_file` is
    where it keeps its team and messages. With `http` the app is called by HTTP, in place of Socket Mode: at
    that address, or where it is empty at the one that `call_at` says. What can be seen and done is in
    `remote.py`.
    """

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
        super().__init__("")
        self._service = Service(
            bot_token=bot_token,
            app_token=app_token,
            trigger_seconds=trigger_seconds,
            ack_seconds=ack_seconds,
            state_file=state_file,
            http=http,
        )
        self.bot_token = self._service.workspace.bot_token
        self.app_token = self._service.workspace.app_token
        self.signing_secret = self._service.workspace.signing_secret
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

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
        workspace = sandbox._service.workspace
        sandbox.url = workspace.base_url
        sandbox.bot_token, sandbox.app_token = workspace.bot_token, workspace.app_token  # of its file
        sandbox.signing_secret = workspace.signing_secret
        return sandbox

    def stop(self) -> None:
        """End it; a second call does nothing."""
        loop, thread, self._loop, self._thread = self._loop, self._thread, None, None
        self.let_go()
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

    def settings(self) -> dict[str, str]:
        """The environment that points Signoff's server at this stand-in."""
        return self._service.settings()

    def _run(self, loop: asyncio.AbstractEventLoop) -> None:
        asyncio.set_event_loop(loop)
        try:
            loop.run_forever()
            loop.run_until_complete(loop.shutdown_asyncgens())
        finally:
            loop.close()
