"""Post or update messages and open views in Slack; its errors are translated here, once."""

from __future__ import annotations

import http.client
import json
import logging
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from urllib.error import URLError

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web import SlackResponse

from signoff.bot.slack.errors import (
    Refusal,
    SlackError,
    SlackRefused,
    SlackUnavailable,
    header,
    translated,
)
from signoff.bot.text.size import TEXT_BYTES, shortened

log = logging.getLogger("signoff.slack")

CALL_SECONDS = 10
"""How long a call may take; under a card's lease."""
GONE = frozenset({"message_not_found", "cant_update_message", "edit_window_closed", "is_inactive"})
"""Refusals of an update after which a new message is posted."""
NO_THREAD = frozenset({"thread_not_found", "cannot_reply_to_message", "invalid_thread_ts"})
"""Refusals of a reply because of what it replies to."""
READS = frozenset(
    {
        "users.info",
        "usergroups.users.list",
        "conversations.info",
        "conversations.list",
        "conversations.history",
        "conversations.replies",
    }
)
FORMS = frozenset({"files.getUploadURLExternal", "files.completeUploadExternal", "files.delete"})
"""Slack takes no JSON bodies for these either, but they change something."""
HOLDS = {
    "auth.test": ("url", "team_id"),
    "chat.postMessage": ("channel", "ts"),
    "conversations.info": ("channel.id",),
    "conversations.list": ("channels",),
    "usergroups.users.list": ("users",),
    "files.getUploadURLExternal": ("upload_url", "file_id"),
    "users.info": ("user.id",),
    "views.open": ("view.id",),
    "views.push": ("view.id",),
}
"""What the answer of a method holds, as far as it is read. One without it is not Slack's."""
PAGE = 200
"""Messages of one page of a conversation: the most that Slack advises."""


@dataclass(frozen=True)
class Posted:
    """Where a message stands; `thread_ts` is the thread that it is a reply in."""

    channel: str
    ts: str
    thread_ts: str | None = None


def client(token: str, api_url: str, *, seconds: int = CALL_SECONDS) -> WebClient:
    """A Web API client that never repeats a call on its own.

    The SDK's default repeats a POST whose reply was lost, and a card then stands there twice.
    """
    return WebClient(token, base_url=api_url, timeout=seconds, retry_handlers=[])


class Slack:
    """The Web API, as far as Signoff uses it. Methods raise SlackUnavailable or SlackRefused."""

    def __init__(self, web: WebClient) -> None:
        self.web = web
        self._url = ""
        self._bot = ""

    def call(self, method: str, **arguments: Any) -> Mapping[str, Any]:
        """Any method; None is left out. The answer holds what `HOLDS` says."""
        return self._ask(method, arguments).data  # type: ignore[return-value]

    def scopes(self) -> frozenset[str] | None:
        """What the token was granted; None where Slack does not say it."""
        said = header(self._ask("auth.test", {}).headers, "x-oauth-scopes")
        return frozenset(said.replace(",", " ").split()) or None

    def _ask(self, method: str, arguments: Mapping[str, Any]) -> SlackResponse:
        given = {name: value for name, value in arguments.items() if value is not None}
        try:
            if method in READS:  # Slack takes no JSON bodies for these
                answer = self.web.api_call(method, http_verb="GET", params=given)
            elif method in FORMS:
                answer = self.web.api_call(method, params=given)
            else:
                answer = self.web.api_call(method, json=given)
        except SlackApiError as error:
            raise translated(method, error) from None
        except (SlackClientError, URLError, http.client.HTTPException, OSError) as error:
            reason = getattr(error, "reason", error)  # urllib's, where nobody was reached
            undone = isinstance(reason, ConnectionRefusedError | socket.gaierror)
            raise SlackUnavailable(f"{method}: {type(error).__name__}.", undone=undone) from None
        except (ValueError, LookupError, AttributeError):  # the SDK's, of what is no answer
            raise SlackUnavailable(f"{method}: its answer cannot be read.") from None
        if not isinstance(answer.data, dict):
            raise SlackUnavailable(f"{method}: its answer cannot be read.")
        for name in HOLDS.get(method, ()):
            if not _holds(answer.data, name):
                raise SlackUnavailable(f"{method}: its answer is without {name}.")
        return answer

    def post(
        self,
        channel: str,
        text: str,
        blocks: Sequence[dict[str, Any]] | None = None,
        *,
        metadata: dict[str, Any] | None = None,
        thread_ts: str | None = None,
    ) -> Posted:
        """A new message. To a user's id it is a direct message.

        Slack: a reply to a message that is gone is no error, it stands in the channel instead. So where it
        stands is read from the answer.
        """
        answer = self.call(
            "chat.postMessage",
            channel=channel,
            text=shortened(text, TEXT_BYTES),
            blocks=blocks,
            metadata=metadata,
            thread_ts=thread_ts,
            unfurl_links=False,
            unfurl_media=False,
        )
        message = answer.get("message")
        place = message.get("thread_ts") if isinstance(message, dict) else thread_ts
        return Posted(str(answer["channel"]), str(answer["ts"]), place if thread_ts else None)

    def update(
        self,
        channel: str,
        ts: str,
        text: str,
        blocks: Sequence[dict[str, Any]],
        *,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        """Redraw a message of ours."""
        short = shortened(text, TEXT_BYTES)
        self.call("chat.update", channel=channel, ts=ts, text=short, blocks=blocks, metadata=metadata)

    def refusals(self, kind: Literal["message", "view"], content: Mapping[str, Any]) -> list[Refusal]:
        """What Slack would refuse of a message or a view; nothing is posted or opened. It needs no scope."""
        try:
            self.call("blocks.validate", **{kind: json.dumps(content)})
        except SlackRefused as error:
            if error.code != f"invalid_{kind}" and error.code != "invalid_blocks":
                raise
            return [Refusal.read(one) for one in error.errors] or [Refusal("", error.code, error.code)]
        return []

    def address(self) -> str | None:
        """The workspace's, asked for once; None where Slack does not say it now."""
        try:
            self._url = self._url or str(self.call("auth.test")["url"]).rstrip("/")
        except SlackError as error:
            log.info("no permalink: %s", error)
            return None
        return self._url

    def wrote(self, message: Mapping[str, Any]) -> bool:
        """Whether a message is this app's own: of its bot, which no other app has. Raises what Slack says."""
        self._bot = self._bot or str(self.call("auth.test").get("bot_id") or "")
        return bool(self._bot) and message.get("bot_id") == self._bot

    def messages(
        self, channel: str, thread_ts: str | None, oldest: float, cursor: str | None = None
    ) -> tuple[list[Mapping[str, Any]], str | None]:
        """A page of a channel's messages, or of a thread's, since a Unix time; and the next page's cursor.

        Slack: needs `channels:history`, `groups:history` or `im:history`, as the channel is. A thread's
        replies are not among its channel's messages.
        """
        given = {"oldest": f"{oldest:.6f}", "limit": PAGE, "cursor": cursor, "include_all_metadata": "true"}
        if thread_ts:
            answer = self.call("conversations.replies", channel=channel, ts=thread_ts, **given)
        else:
            answer = self.call("conversations.history", channel=channel, **given)
        more = (answer.get("response_metadata") or {}).get("next_cursor") if answer.get("has_more") else None
        return list(answer.get("messages") or ()), more or None

    def permalink(self, channel: str, ts: str, thread_ts: str | None = None) -> str | None:
        """A message's address; None where the workspace's is not known.

        Slack: archives/<channel>/p<ts without its dot>, and of a reply ?thread_ts=…&cid=<channel>. Made here,
        so that a card has it at once.
        """
        address = self.address()
        thread = f"?thread_ts={thread_ts}&cid={channel}" if thread_ts else ""
        return address and f"{address}/archives/{channel}/p{ts.replace('.', '')}{thread}"

    def whisper(
        self,
        channel: str,
        user: str,
        text: str,
        blocks: Sequence[dict[str, Any]] | None = None,
        *,
        thread_ts: str | None = None,
    ) -> bool:
        """A message only one person sees; in a thread they see it while they have that open.

        An empty `text` is left out: Slack makes one of the blocks, for who hears it read.
        A thing worth saying, not worth failing for: errors are logged, and it gives False.
        """
        short = shortened(text, TEXT_BYTES) or None
        said = {"user": user, "text": short, "blocks": blocks, "thread_ts": thread_ts}
        try:
            self.call("chat.postEphemeral", channel=channel, **said)
        except SlackError as error:
            log.info("not said privately: %s", error)
            return False
        return True

    def open_view(self, trigger_id: str, view: dict[str, Any]) -> Mapping[str, Any]:
        """Open a modal, within 3 s of the click; it comes back with its `id` and `hash`."""
        opened: Mapping[str, Any] = self.call("views.open", trigger_id=trigger_id, view=view)["view"]
        return opened

    def push_view(self, trigger_id: str, view: dict[str, Any]) -> Mapping[str, Any]:
        """Open a modal over another; the same comes back."""
        pushed: Mapping[str, Any] = self.call("views.push", trigger_id=trigger_id, view=view)["view"]
        return pushed

    def update_view(
        self, view_id: str, view: dict[str, Any], *, hash_: str | None = None, external_id: str = ""
    ) -> None:
        """Replace an open modal: by Slack's id, or by ours. `hash_` is of what has to stand there still."""
        where = {"external_id": external_id} if external_id else {"view_id": view_id, "hash": hash_}
        self.call("views.update", view=view, **where)

    def publish_home(self, user: str, view: dict[str, Any]) -> None:
        """A person's App Home."""
        self.call("views.publish", user_id=user, view=view)


def _holds(answer: Any, name: str) -> bool:
    """Whether there is something under a name such as `user.id`."""
    found = answer
    for part in name.split("."):
        found = found.get(part) if isinstance(found, dict) else None
    return found is not None
