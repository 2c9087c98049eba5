"""What a person has read, and what is new to them.

`POST /sandbox/read {"user", "channel", "ts"}` says that a person has read a channel up to a message.
"""

from __future__ import annotations

import json
from typing import Any

from signoff.sandbox import act
from signoff.sandbox.errors import ActError
from signoff.sandbox.team import Channel, User
from signoff.sandbox.workspace import Workspace

JSON = dict[str, Any]


def mark(workspace: Workspace, fields: JSON) -> JSON:
    """POST read. Reading does not go backwards. Raises ActError."""
    user = workspace.team.users.get(act.string(fields, "user"))
    if user is None:
        raise ActError("user_not_found", 404)
    channel, ts = act.channel(workspace, user, fields), act.string(fields, "ts")
    if ts > workspace.reads.get((user.id, channel.id), ""):
        workspace.reads[user.id, channel.id] = ts
        workspace.feed.tell("read", {"channel": channel.id, "ts": ts}, user=user.id)
    return {"ok": True}


def of_user(workspace: Workspace, user: User) -> JSON:
    """By channel that this person sees: `last_read`, the `newest` ts, how many are `unread`, `mentions`."""
    seen = [c for c in workspace.team.channels.values() if workspace.team.can_see(user, c)]
    return {channel.id: _of_channel(workspace, user, channel) for channel in seen}


def _of_channel(workspace: Workspace, user: User, channel: Channel) -> JSON:
    last = workspace.reads.get((user.id, channel.id), "")
    seen = workspace.seen_by(user.id, channel.id)
    new = [message for message in seen if message["ts"] > last and message["user"] != user.id]
    mentions = new if channel.user else [message for message in new if _mentions(message, user)]
    newest = seen[-1]["ts"] if seen else ""
    return {"last_read": last, "newest": newest, "unread": len(new), "mentions": len(mentions)}


def _mentions(message: JSON, user: User) -> bool:
    """In its text, or in a rich text's user element."""
    return user.id in message["text"] or f'"{user.id}"' in json.dumps(message.get("blocks") or [])
