"""Who and where: conversations.info and .list, users.info, usergroups.list and usergroups.users.list."""

from __future__ import annotations

import base64
from typing import Any, Final

from signoff.sandbox.arguments import Arguments
from signoff.sandbox.errors import SlackError
from signoff.sandbox.method import Method, need
from signoff.sandbox.team import Channel
from signoff.sandbox.workspace import Workspace

JSON = dict[str, Any]
_SCOPES: Final = {
    "public_channel": "channels:read",
    "private_channel": "groups:read",
    "im": "im:read",
    "mpim": "mpim:read",
}


def conversations_info(workspace: Workspace, arguments: Arguments) -> JSON:
    """conversations.info: by id only. The app does not learn that a private channel without it exists."""
    channel = workspace.team.channels.get(arguments.required("channel"))
    if channel is None or (channel.is_private and not channel.bot_is_member):
        raise SlackError("channel_not_found")
    need(workspace, _SCOPES[_kind(channel)])
    return {"channel": channel.as_json()}


def conversations_list(workspace: Workspace, arguments: Arguments) -> JSON:
    """conversations.list: in pages of `limit` (100 by default), by the cursor of the page before."""
    kinds = arguments.string("types", "public_channel").replace(" ", "").split(",")
    for kind in kinds:
        if kind not in _SCOPES:
            raise SlackError("invalid_types")
        need(workspace, _SCOPES[kind])
    limit = arguments.integer("limit", 100, "invalid_limit")
    channels = [
        channel
        for channel in workspace.team.channels.values()
        if _kind(channel) in kinds
        and (not channel.is_private or channel.bot_is_member)
        and not (channel.is_archived and arguments.flag("exclude_archived"))
    ]
    start = _start(arguments.string("cursor"), [channel.id for channel in channels])
    page, rest = channels[start : start + limit], channels[start + limit :]
    cursor = base64.b64encode(f"team:{rest[0].id}".encode()).decode() if rest else ""
    return {"channels": [c.as_json() for c in page], "response_metadata": {"next_cursor": cursor}}


def users_info(workspace: Workspace, arguments: Arguments) -> JSON:
    """users.info: also of deleted people, bots and people of another organisation in a shared channel."""
    user = workspace.team.users.get(arguments.required("user"))
    if user is None:
        raise SlackError("user_not_found")
    return {"user": user.as_json()}


def usergroups_list(workspace: Workspace, arguments: Arguments) -> JSON:
    """usergroups.list: without the disabled ones unless asked for."""
    _check_plan(workspace)
    groups = [
        group.as_json(with_users=arguments.flag("include_users"))
        for group in workspace.team.usergroups.values()
        if not group.disabled or arguments.flag("include_disabled")
    ]
    return {"usergroups": groups}


def usergroups_users_list(workspace: Workspace, arguments: Arguments) -> JSON:
    """usergroups.users.list: the ids of a group's members."""
    _check_plan(workspace)
    group = workspace.team.usergroups.get(arguments.required("usergroup"))
    if group is None or (group.disabled and not arguments.flag("include_disabled")):
        raise SlackError("no_such_subteam")
    return {"users": list(group.users)}


def _check_plan(workspace: Workspace) -> None:
    """User groups are a feature of paid plans."""
    if workspace.plan == "free":
        raise SlackError("plan_upgrade_required")


def _kind(channel: Channel) -> str:
    return "im" if channel.user else "private_channel" if channel.is_private else "public_channel"


def _start(cursor: str, ids: list[str]) -> int:
    if not cursor:
        return 0
    try:
        return ids.index(base64.b64decode(cursor, validate=True).decode().removeprefix("team:"))
    except ValueError:
        raise SlackError("invalid_cursor") from None


METHODS: Final = {
    "conversations.info": Method(conversations_info),
    "conversations.list": Method(conversations_list),
    "users.info": Method(users_info, "users:read"),
    "usergroups.list": Method(usergroups_list, "usergroups:read"),
    "usergroups.users.list": Method(usergroups_users_list, "usergroups:read"),
}
