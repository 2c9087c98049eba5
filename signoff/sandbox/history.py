"""conversations.history and conversations.replies: what an app may read back."""

from __future__ import annotations

import base64
import re
from typing import Any, Final

from signoff.sandbox.arguments import Arguments
from signoff.sandbox.errors import SlackError
from signoff.sandbox.method import Method, need
from signoff.sandbox.team import Channel
from signoff.sandbox.workspace import Workspace

JSON = dict[str, Any]
_TS: Final = re.compile(r"\d{1,12}(\.\d{1,6})?")
_USUAL: Final = 100
_MOST: Final = 999


def conversations_history(workspace: Workspace, arguments: Arguments) -> JSON:
    """conversations.history: newest first, without replies and without what one person alone sees.

    A message's metadata names its event_type; what else is in it is given to who asks with
    include_all_metadata.
    """
    channel = _readable(workspace, arguments)
    found = [
        message
        for message in workspace.messages.get(channel.id, {}).values()
        if "ephemeral_to" not in message and message.get("thread_ts") in (None, message["ts"])
    ]
    return _page(arguments, list(reversed(_between(arguments, found))))


def conversations_replies(workspace: Workspace, arguments: Arguments) -> JSON:
    """conversations.replies: the parent, then its replies, the oldest first."""
    channel = _readable(workspace, arguments)
    ts = arguments.required("ts")
    parent = workspace.message(channel.id, ts)
    if parent is None or "ephemeral_to" in parent:
        raise SlackError("thread_not_found")
    top = parent.get("thread_ts", ts)
    found = [
        message
        for message in workspace.messages[channel.id].values()
        if "ephemeral_to" not in message and message.get("thread_ts") == top and message["ts"] != top
    ]
    first = workspace.message(channel.id, top)
    return _page(arguments, [*([first] if first else []), *_between(arguments, found)])


def _readable(workspace: Workspace, arguments: Arguments) -> Channel:
    channel = workspace.team.channels.get(arguments.required("channel"))
    if channel is None or (channel.is_private and not channel.bot_is_member and not channel.user):
        raise SlackError("channel_not_found")
    kind = "im" if channel.user else "groups" if channel.is_private else "channels"
    need(workspace, f"{kind}:history")
    if not channel.bot_is_member and not channel.user:
        raise SlackError("not_in_channel")
    return channel


def _between(arguments: Arguments, messages: list[JSON]) -> list[JSON]:
    """Those after `oldest` and before `latest`; with `inclusive`, those at either too."""
    oldest = _moment(arguments, "oldest", 0.0)
    latest = _moment(arguments, "latest", float("inf"))
    edges = arguments.flag("inclusive")
    found = []
    for message in messages:
        at = float(message["ts"])
        if oldest < at < latest or (edges and at in (oldest, latest)):
            found.append(message)
    return sorted(found, key=lambda message: str(message["ts"]))


def _moment(arguments: Arguments, name: str, default: float) -> float:
    text = arguments.string(name)
    if not text:
        return default
    if not _TS.fullmatch(text):
        raise SlackError(f"invalid_ts_{name}")
    return float(text)


def _page(arguments: Arguments, messages: list[JSON]) -> JSON:
    limit = arguments.integer("limit", _USUAL, "invalid_limit")
    if limit > _MOST:
        raise SlackError("invalid_limit")
    start = _start(arguments.string("cursor"), [str(message["ts"]) for message in messages])
    page, rest = messages[start : start + limit], messages[start + limit :]
    whole = arguments.flag("include_all_metadata")
    answer: JSON = {"messages": [_as_read(message, whole) for message in page], "has_more": bool(rest)}
    if rest:
        cursor = base64.b64encode(f"next_ts:{rest[0]['ts']}".encode()).decode()
        answer["response_metadata"] = {"next_cursor": cursor}
    return answer


def _start(cursor: str, times: list[str]) -> int:
    if not cursor:
        return 0
    try:
        return times.index(base64.b64decode(cursor, validate=True).decode().removeprefix("next_ts:"))
    except ValueError:
        raise SlackError("invalid_cursor") from None


def _as_read(message: JSON, whole: bool) -> JSON:
    metadata = message.get("metadata")
    if not metadata or whole:
        return message
    return {**message, "metadata": {"event_type": metadata["event_type"]}}


METHODS: Final = {
    "conversations.history": Method(conversations_history),
    "conversations.replies": Method(conversations_replies),
}
