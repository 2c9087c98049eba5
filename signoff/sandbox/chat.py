"""chat.postMessage, chat.update, chat.postEphemeral and chat.getPermalink."""

from __future__ import annotations

import time
from typing import Any, Final

from signoff.bot.blocks import (
    MESSAGE_TEXT,
    METADATA_BYTES,
    POSTED_TEXT,
    check_message,
    check_metadata,
    is_too_long,
)
from signoff.sandbox import blocks
from signoff.sandbox.arguments import Arguments
from signoff.sandbox.errors import SlackError, refused
from signoff.sandbox.method import Method, need
from signoff.sandbox.team import BOT_ID, BOT_USER_ID, Channel
from signoff.sandbox.workspace import Workspace

JSON = dict[str, Any]


def post_message(workspace: Workspace, arguments: Arguments) -> JSON:
    """chat.postMessage: to a channel's id or name, or to a user's id as a direct message.

    A reply to a message that is not there (deleted, or of another channel) stands in the channel: Slack
    refuses nothing then, and its answer's message has no `thread_ts`. Of a longer text than `POSTED_TEXT` the
    rest is thrown away; one that chat.update would refuse is taken.
    """
    channel = channel_to_post_in(workspace, arguments.required("channel"))
    text, message_blocks, metadata = _content(arguments)
    thread_ts = arguments.string("thread_ts") or None
    if thread_ts and workspace.message(channel.id, thread_ts) is None:
        thread_ts = None
    thread_ts = workspace.thread_of(channel.id, thread_ts)
    message = workspace.post(
        channel, text[:POSTED_TEXT], message_blocks, metadata=metadata, thread_ts=thread_ts
    )
    return {"channel": channel.id, "ts": message["ts"], "message": message}


def update(workspace: Workspace, arguments: Arguments) -> JSON:
    """chat.update: `text` without `blocks` removes the blocks; metadata stays where it is left out.

    The answer's message has no `ts`, and who has edited it is the bot by its B… id.
    """
    channel = workspace.team.channels.get(arguments.required("channel"))
    if channel is None or (channel.is_private and not channel.bot_is_member):
        raise SlackError("channel_not_found")
    old = workspace.message(channel.id, arguments.required("ts"))
    if old is None or "ephemeral_to" in old or old.get("subtype") == "tombstone":
        raise SlackError("message_not_found")
    if old["user"] != BOT_USER_ID:
        raise SlackError("cant_update_message")
    if channel.is_archived:
        raise SlackError("is_inactive")
    text, message_blocks, metadata = _content(arguments)
    _check_bytes(text)
    new = {name: value for name, value in old.items() if name not in ("blocks", "edited")}
    if "text" in arguments.raw:
        new["text"] = text
    if message_blocks:
        new["blocks"] = blocks.with_ids(message_blocks)
    else:
        new["edited"] = {"user": BOT_ID, "ts": f"{int(time.time())}.000000"}
    if metadata is not None:
        new["metadata"] = metadata
    workspace.replace(channel.id, new)
    told = {name: value for name, value in new.items() if name != "ts"}
    return {"channel": channel.id, "ts": new["ts"], "text": new["text"], "message": told}


def post_ephemeral(workspace: Workspace, arguments: Arguments) -> JSON:
    """chat.postEphemeral: for one person's eyes; it cannot be updated."""
    channel = channel_to_post_in(workspace, arguments.required("channel"))
    user = workspace.team.users.get(arguments.required("user"))
    if user is None or user.deleted or user.id not in channel.members:
        raise SlackError("user_not_in_channel" if user else "user_not_found")
    text, message_blocks, _ = _content(arguments)
    _check_bytes(text)
    thread_ts = workspace.thread_of(channel.id, arguments.string("thread_ts") or None)
    message = workspace.post(channel, text, message_blocks, thread_ts=thread_ts, ephemeral_to=user.id)
    return {"message_ts": message["ts"]}


def get_permalink(workspace: Workspace, arguments: Arguments) -> JSON:
    """chat.getPermalink: the message's address, on this stand-in."""
    channel = workspace.team.channels.get(arguments.required("channel"))
    if channel is None or (channel.is_private and not channel.bot_is_member):
        raise SlackError("channel_not_found")
    message = workspace.message(channel.id, arguments.required("message_ts"))
    if message is None or "ephemeral_to" in message:
        raise SlackError("message_not_found")
    link = f"{workspace.base_url}/archives/{channel.id}/p{message['ts'].replace('.', '')}"
    thread_ts = message.get("thread_ts", message["ts"])
    if thread_ts != message["ts"]:
        link += f"?thread_ts={thread_ts}&cid={channel.id}"
    return {"channel": channel.id, "permalink": link}


def channel_to_post_in(workspace: Workspace, wanted: str) -> Channel:
    """The channel with this id or name, or the direct message with this person. Raises SlackError."""
    user = workspace.team.users.get(wanted)
    if user is not None:
        if user.is_bot:
            raise SlackError("cannot_dm_bot")
        if user.deleted or user.is_external:
            raise SlackError("channel_not_found")
        return workspace.team.direct_message(user.id)
    channel = workspace.team.channel(wanted)
    if channel is not None and wanted != channel.id and workspace.org_deploy:
        raise SlackError("team_not_found")  # of a name nobody knows in which workspace to look
    if channel is None or (channel.is_private and not channel.bot_is_member):
        raise SlackError("channel_not_found")
    if channel.is_archived:
        raise SlackError("is_archived")
    if not channel.bot_is_member:
        if "chat:write.public" not in workspace.scopes:
            raise SlackError("not_in_channel")
        need(workspace, "chat:write.public")
    return channel


def _check_bytes(text: str) -> None:
    if len(text.encode("utf-8", "surrogatepass")) > MESSAGE_TEXT:
        raise SlackError("msg_too_long")


def _content(arguments: Arguments) -> tuple[str, list[JSON] | None, JSON | None]:
    """Text, blocks and metadata, checked."""
    text = arguments.string("text")
    found = arguments.json("blocks", "invalid_blocks_format")
    if found is not None and not isinstance(found, list):
        raise SlackError("invalid_blocks_format")
    if not text and not found:
        raise SlackError("no_text")
    if found:
        if is_too_long(found):
            raise SlackError("msg_blocks_too_long")
        problems = check_message(found)
        if problems:
            raise refused("invalid_blocks", problems)
    return text, found or None, _metadata(arguments)


def _metadata(arguments: Arguments) -> JSON | None:
    metadata = arguments.json("metadata", "invalid_metadata_format")
    if not metadata:
        return {} if isinstance(metadata, dict) else None
    problems = check_metadata(metadata)
    if not problems:
        return dict(metadata)
    if any(problem.message.endswith(f"{METADATA_BYTES + 1} bytes") for problem in problems):
        raise SlackError("metadata_too_large")
    raise refused("invalid_metadata_format", problems)


METHODS: Final = {
    "chat.postMessage": Method(post_message, "chat:write"),
    "chat.update": Method(update, "chat:write"),
    "chat.postEphemeral": Method(post_ephemeral, "chat:write"),
    "chat.getPermalink": Method(get_permalink),
}
