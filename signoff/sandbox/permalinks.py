"""GET /archives/{channel}/p{ts}: what chat.getPermalink links to. A browser gets the page, a program JSON."""

from __future__ import annotations

import json
import re
from typing import Final
from urllib.parse import quote

from aiohttp import web

from signoff.sandbox.workspace import Workspace

_TS: Final = re.compile(r"p(\d{10,})(\d{6})")


async def show(workspace: Workspace, request: web.Request) -> web.Response:
    """The message that a permalink names; 404 where it is gone."""
    channel_id = request.match_info["channel"]
    named = _TS.fullmatch(request.match_info["message"])
    channel = workspace.team.channels.get(channel_id)
    if named and channel and "text/html" in request.headers.get("Accept", ""):
        where = "@messages" if channel.user else channel.name
        place = request.query.get("thread_ts") or f"p{named[1]}.{named[2]}"
        raise web.HTTPFound(f"/#//{quote(where)}/{quote(place)}")
    message = workspace.message(channel_id, f"{named[1]}.{named[2]}") if named else None
    if message is None or "ephemeral_to" in message:
        body, status = {"ok": False, "error": "message_not_found"}, 404
    else:
        body, status = {"ok": True, "channel": channel_id, "message": message}, 200
    return web.Response(text=json.dumps(body), status=status, content_type="application/json")
