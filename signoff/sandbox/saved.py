"""The stand-in's memory in a file: a later one with the same file goes on where this one was left.

Kept are the team, what the app has and is subscribed to, messages, what was read, files and the clock; and
what random tokens were made of, so that a server which has them goes on, too. What
Slack would not show again after a reload either is not: messages for one person's eyes, open modals; and
triggers and links.
An App Home is published anew when somebody opens it.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import os
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, Final, TypeVar

from aiohttp import web

from signoff.sandbox.files import File
from signoff.sandbox.team import Channel, Team, User, UserGroup
from signoff.sandbox.workspace import Workspace

JSON = dict[str, Any]
T = TypeVar("T")
SECONDS: Final = 0.3
"""After a change, until it is written: many changes come in a row."""
PLAIN: Final = ("scopes", "events", "features", "installed", "token_error", "plan", "org_deploy")
"""What stands in the file as it is."""
_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Saved:
    """One workspace and its file."""

    def __init__(self, workspace: Workspace, path: Path) -> None:
        self._workspace, self._path = workspace, path
        self._changed = asyncio.Event()
        self._keeping: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Take what the file holds, if it is there, and keep it up to date. Raises OSError."""
        if self._path.exists():
            try:
                restore(self._workspace, json.loads(self._path.read_text(encoding="utf-8")))
            except (ValueError, TypeError, KeyError, AttributeError):
                raise OSError(f"{self._path} holds no state of this stand-in: move it away.") from None
        self._write()  # a file that cannot be written is told now
        self._keeping = asyncio.create_task(self._keep())

    def stop(self) -> None:
        """Write it a last time."""
        if self._keeping is not None:
            self._keeping.cancel()
            self._write()

    @web.middleware
    async def middleware(self, request: web.Request, handler: _Handler) -> web.StreamResponse:
        """Whatever is asked may change something."""
        try:
            return await handler(request)
        finally:
            if request.method != "GET" or request.path.startswith("/api/"):
                self._changed.set()

    async def _keep(self) -> None:
        while True:
            await self._changed.wait()
            await asyncio.sleep(SECONDS)
            self._changed.clear()
            with contextlib.suppress(OSError):  # a full disk: the next change tries again
                self._write()

    def _write(self) -> None:
        write(self._path, json.dumps(snapshot(self._workspace), separators=(",", ":")))


def snapshot(workspace: Workspace) -> JSON:
    """All that is kept, as JSON."""
    found = {name: getattr(workspace, name) for name in PLAIN}
    found["messages"] = {
        channel: [message for message in messages.values() if "ephemeral_to" not in message]
        for channel, messages in workspace.messages.items()
    }
    files = [asdict(file) | {"content": _text(file.content)} for file in workspace.files.values()]
    found["reads"] = [[user, channel, ts] for (user, channel), ts in workspace.reads.items()]
    found |= {"team": asdict(workspace.team), "files": files, "last_ts": workspace.last_ts}
    return found | {"seed": workspace.seed}


def restore(workspace: Workspace, kept: JSON) -> None:
    """What `snapshot` gave → the workspace. Raises ValueError, TypeError, KeyError or AttributeError."""
    team = kept["team"]
    files = [
        _known(File, file | {"content": base64.b64decode(file["content"]) if file["content"] else None})
        for file in kept["files"]
    ]
    messages = {
        channel: {message["ts"]: message for message in found} for channel, found in kept["messages"].items()
    }
    workspace.team = Team(
        {id_: _known(User, values) for id_, values in team["users"].items()},
        {id_: _known(Channel, values) for id_, values in team["channels"].items()},
        {id_: _known(UserGroup, values) for id_, values in team["usergroups"].items()},
    )
    workspace.files = {file.id: file for file in files}
    for name in PLAIN:
        setattr(workspace, name, kept.get(name, getattr(workspace, name)))
    workspace.reads = {(user, channel): ts for user, channel, ts in kept["reads"]}
    workspace.messages, workspace.last_ts = messages, int(kept["last_ts"])
    if seed := str(kept.get("seed") or ""):
        workspace.seed_tokens(seed)


def write(path: Path, text: str) -> None:
    """Put a file there all at once, readable by its owner alone. Raises OSError."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", errors="surrogatepass") as file:
            file.write(text)
        os.replace(name, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name)
        raise


def _known(kind: Callable[..., T], values: JSON) -> T:
    """An object of these fields; those that another version of the stand-in has are passed over."""
    names = {field.name for field in fields(kind)}  # type: ignore[arg-type]
    return kind(**{name: value for name, value in values.items() if name in names})


def _text(content: bytes | None) -> str | None:
    return None if content is None else base64.b64encode(content).decode()
