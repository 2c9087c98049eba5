"""Files in Slack: announced, sent, shared in a thread, and deleted. All of it needs `files:write`."""

from __future__ import annotations

import http.client
import json
import urllib.request
from urllib.parse import urlsplit

from signoff.bot.slack.client import CALL_SECONDS, Slack
from signoff.bot.slack.errors import SlackRefused, SlackUnavailable
from signoff.bot.text.text import Trusted

BEGIN = "files.getUploadURLExternal"
"""Stands for all that has to do with files, where Slack asks to be left alone."""
GONE = frozenset({"file_not_found", "file_deleted"})
"""Refusals to delete what is not there."""
PAGES = 2
"""Pages of a thread's replies in which a file of ours is looked for."""


class Uploads:
    """Files, as far as Signoff uses them. Methods raise SlackUnavailable or SlackRefused."""

    def __init__(self, slack: Slack) -> None:
        self._slack = slack

    def begin(self, name: str, size: int, described: str) -> tuple[str, str]:
        """Announce a file of so many bytes: where to send them, and its id. Nobody sees it yet."""
        answer = self._slack.call(BEGIN, filename=name, length=size, alt_txt=described)
        return str(answer["upload_url"]), str(answer["file_id"])

    def send(self, url: str, content: bytes) -> None:
        """Its bytes, to where Slack said. No token goes there."""
        if urlsplit(url).scheme not in ("https", "http"):
            raise SlackUnavailable("The upload has no address that can be used.", undone=True)
        web = self._slack.web
        handlers: list[urllib.request.BaseHandler] = [urllib.request.HTTPSHandler(context=web.ssl)]
        if web.proxy:
            handlers.append(urllib.request.ProxyHandler({"http": web.proxy, "https": web.proxy}))
        headers = {"Content-Type": "application/octet-stream"}
        request = urllib.request.Request(url, content, headers, method="POST")
        try:
            with urllib.request.build_opener(*handlers).open(request, timeout=CALL_SECONDS) as response:
                response.read()
        except (http.client.HTTPException, OSError, ValueError) as error:
            raise SlackUnavailable(f"upload: {type(error).__name__}.") from None

    def share(self, file: str, title: str, conversation: str, thread: str, comment: Trusted) -> None:
        """Have it stand in a thread, under a comment of ours."""
        self._slack.call(
            "files.completeUploadExternal",
            files=json.dumps([{"id": file, "title": title}]),
            channel_id=conversation,
            thread_ts=thread,
            initial_comment=comment,
        )

    def delete(self, file: str) -> None:
        """Have it stand nowhere; nothing happens where it does not."""
        try:
            self._slack.call("files.delete", file=file)
        except SlackRefused as error:
            if error.code not in GONE:
                raise

    def stands(self, file: str, conversation: str, thread: str) -> bool:
        """Whether it is seen in a thread; False also where Slack does not let us look."""
        cursor: str | None = None
        try:
            for _ in range(PAGES):
                page, cursor = self._slack.messages(conversation, thread, float(thread), cursor)
                if any(one.get("id") == file for message in page for one in message.get("files") or ()):
                    return True
                if cursor is None:
                    break
        except SlackRefused:
            return False
        return False
