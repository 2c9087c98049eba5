"""POST /response/<token>: an app's answer to an interaction, five times in thirty minutes.

Ephemeral unless `response_type` is in_channel. `replace_original` and `delete_original` act on the message
that was pressed, and `delete_original` posts what else it is given, too; an ephemeral message can never
become public. `thread_ts` counts for what is public alone. It needs no token and no membership.
"""

from __future__ import annotations

import time
from typing import Any

from aiohttp import web

from signoff.bot.blocks import check_message
from signoff.sandbox import blocks, json_text
from signoff.sandbox.errors import SlackError
from signoff.sandbox.journal import Journal
from signoff.sandbox.workspace import ResponseUrl, Workspace

JSON = dict[str, Any]


async def handle(workspace: Workspace, journal: Journal, request: web.Request) -> web.Response:
    """One use of a response_url. Slack answers `ok`, or the error as plain text."""
    body = await request.read()
    try:
        sent = json_text.parse(body)
    except ValueError:
        sent = None
    status, answer = _respond(workspace, request.match_info["token"], sent)
    journal.add("response_url", arguments=sent, answer=answer, status=status)
    return web.Response(text=answer, status=status)


def _respond(workspace: Workspace, token: str, sent: Any) -> tuple[int, str]:
    url = workspace.response_urls.get(token)
    if url is None:
        return 404, "invalid_url"
    if url.uses_left < 1:
        return 404, "used_url"
    if url.expires < time.monotonic():
        return 404, "expired_url"
    if not isinstance(sent, dict):
        return 400, "invalid_payload"
    found = sent.get("blocks") or None
    if found is not None and (not isinstance(found, list) or check_message(found)):
        return 400, "invalid_blocks"
    if not (sent.get("text") or found or sent.get("delete_original")):
        return 400, "no_text"
    try:
        _apply(workspace, url, sent, found)
    except SlackError as error:
        return 400, error.error
    url.uses_left -= 1
    return 200, "ok"


def _apply(workspace: Workspace, url: ResponseUrl, sent: JSON, found: list[Any] | None) -> None:
    original = workspace.message(url.channel, url.ts) if url.ts else None
    if sent.get("delete_original"):
        if original is None:
            raise SlackError("message_not_found")
        workspace.delete(url.channel, original["ts"])
        if not (sent.get("text") or found):
            return
    text = str(sent.get("text") or "")
    metadata = sent.get("metadata") if isinstance(sent.get("metadata"), dict) else None
    if sent.get("replace_original") and original is not None and not sent.get("delete_original"):
        new = {name: value for name, value in original.items() if name != "blocks"} | {"text": text}
        if found:
            new["blocks"] = blocks.with_ids(found)
        if metadata is not None:
            new["metadata"] = metadata
        workspace.replace(url.channel, new)
        return
    public = sent.get("response_type") == "in_channel" and not (original and "ephemeral_to" in original)
    thread_ts = str(sent.get("thread_ts") or "") or None
    thread_ts = workspace.thread_of(url.channel, thread_ts) if public else None
    workspace.post(
        workspace.team.channels[url.channel],
        text,
        found,
        metadata=metadata,
        thread_ts=thread_ts,
        ephemeral_to=None if public else url.user,
    )
