"""files.getUploadURLExternal, the upload itself, files.completeUploadExternal, reading a file, files.delete.

The methods need files:write, which a fresh stand-in's token does not have. Slack shares a completed file a
little later; here its message is there at once.
"""

from __future__ import annotations

import secrets
from typing import Any, Final

from aiohttp import BodyPartReader, web

from signoff.sandbox.arguments import Arguments, invalid
from signoff.sandbox.browser import HEADERS
from signoff.sandbox.chat import channel_to_post_in
from signoff.sandbox.errors import SlackError
from signoff.sandbox.files import ALT_TEXT, FILE_BYTES, SNIPPET_BYTES, File
from signoff.sandbox.method import Method
from signoff.sandbox.team import Channel
from signoff.sandbox.workspace import Workspace

JSON = dict[str, Any]


def get_upload_url(workspace: Workspace, arguments: Arguments) -> JSON:
    """files.getUploadURLExternal: where to send the bytes, and the file's id."""
    name, length = arguments.required("filename"), arguments.required("length")
    if not length.isascii() or not length.isdigit() or len(length) > 15 or int(length) < 1:
        raise invalid("length", "must be a whole number of bytes from 1")
    if int(length) > FILE_BYTES:
        raise SlackError("file_upload_size_restricted")
    if arguments.string("snippet_type") and int(length) > SNIPPET_BYTES:
        raise SlackError("snippet_too_large")
    alt_txt = arguments.string("alt_txt")
    if len(alt_txt) > ALT_TEXT:
        raise SlackError("alt_txt_too_large")
    file = File(f"F{secrets.token_hex(5).upper()}", name, int(length), alt_txt)
    workspace.files[file.id] = file
    return {"upload_url": f"{workspace.base_url}/upload/v1/{file.ticket}", "file_id": file.id}


def complete_upload(workspace: Workspace, arguments: Arguments) -> JSON:
    """files.completeUploadExternal: shares uploaded files in channels, or in none."""
    wanted = arguments.json("files", "invalid_arguments")
    if not isinstance(wanted, list) or not wanted or not all(isinstance(item, dict) for item in wanted):
        raise invalid("files", "must be an array of objects with an id")
    files = [_uploaded(workspace, item.get("id")) for item in wanted]
    ids = [arguments.string("channel_id"), *arguments.string("channels").replace(" ", "").split(",")]
    channels = [_channel(workspace, id_) for id_ in dict.fromkeys(filter(None, ids))]
    thread_ts = arguments.string("thread_ts") or None
    threads = {channel.id: workspace.thread_of(channel.id, thread_ts) for channel in channels}
    for file, item in zip(files, wanted, strict=True):
        file.title, file.completed = str(item.get("title") or file.name), True
    shared = [file.as_json(workspace.base_url) for file in files]
    for channel in channels:
        comment = arguments.string("initial_comment")
        workspace.post(channel, comment, thread_ts=threads[channel.id], files=shared)
    return {"files": shared}


def delete_file(workspace: Workspace, arguments: Arguments) -> JSON:
    """files.delete: its bytes are gone. Messages that it stood in say that there was one."""
    file = workspace.files.get(arguments.required("file"))
    if file is None:
        raise SlackError("file_not_found")
    if file.deleted:
        raise SlackError("file_deleted")
    file.deleted, file.completed, file.content = True, False, None
    for channel_id, messages in workspace.messages.items():
        for message in list(messages.values()):
            shown = message.get("files") or ()
            if any(one["id"] == file.id for one in shown):
                left = [
                    {"id": file.id, "mode": "tombstone"} if one["id"] == file.id else one for one in shown
                ]
                workspace.replace(channel_id, {**message, "files": left})
    return {}


async def upload(workspace: Workspace, request: web.Request) -> web.Response:
    """POST /upload/v1/{ticket}: the bytes, raw or as a form's one file."""
    ticket = request.match_info["ticket"]
    file = next((f for f in workspace.files.values() if f.ticket == ticket), None)
    if file is None or file.completed or file.deleted:
        return web.Response(text="This upload URL is not known, or was used.", status=404)
    try:
        content = await _content(request)
    except ValueError:
        return web.Response(text="This is not a form that can be read.", status=400)
    if len(content) != file.length:
        return web.Response(text=f"{file.length} bytes were announced, {len(content)} have come.", status=400)
    file.content = content
    return web.Response(text=f"OK - {len(content)}")


async def download(workspace: Workspace, request: web.Request) -> web.Response:
    """GET /files/{id}: the bytes again, for the bot's token."""
    if request.headers.get("Authorization") != f"Bearer {workspace.bot_token}":
        return web.Response(text="Send the bot's token.", status=403)
    file = workspace.files.get(request.match_info["id"])
    if file is None or not file.completed:
        return web.Response(text="There is no such file.", status=404)
    return web.Response(body=file.content, content_type="application/octet-stream")


async def show(workspace: Workspace, request: web.Request) -> web.Response:
    """GET /sandbox/files/{id}: a file as the page shows it. Only pictures and PDFs are shown by a browser."""
    file = workspace.files.get(request.match_info["id"])
    if file is None or not file.completed:
        return web.Response(text="There is no such file.", status=404)
    kind = file.mimetype
    how = "attachment" if kind == "application/octet-stream" else "inline"
    headers = {**HEADERS, "Content-Disposition": how, "Content-Security-Policy": "default-src 'none'"}
    return web.Response(body=file.content, content_type=kind, headers=headers)


async def _content(request: web.Request) -> bytes:
    if not request.content_type.startswith("multipart/"):
        return await request.read()
    part = await (await request.multipart()).next()
    return bytes(await part.read()) if isinstance(part, BodyPartReader) else b""


def _uploaded(workspace: Workspace, id_: Any) -> File:
    file = workspace.files.get(id_) if isinstance(id_, str) else None
    if file is None or file.completed or file.deleted:
        raise SlackError("file_not_found")
    if file.content is None:
        raise SlackError("file_update_failed")
    return file


def _channel(workspace: Workspace, id_: str) -> Channel:
    if id_ not in workspace.team.channels and id_ not in workspace.team.users:
        raise SlackError("channel_not_found")  # a name will not do here
    return channel_to_post_in(workspace, id_)


METHODS: Final = {
    "files.delete": Method(delete_file, "files:write"),
    "files.getUploadURLExternal": Method(get_upload_url, "files:write"),
    "files.completeUploadExternal": Method(complete_upload, "files:write"),
}
