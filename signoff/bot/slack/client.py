"""Post or update messages and open views in Slack; its errors are translated here, once."""

from __future__ import annotations

import http.client
import json
import logging
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.error import URLError

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError

from signoff.bot.slack.errors import SlackError, SlackRefused, SlackUnavailable

log = logging.getLogger("signoff.slack")

CALL_SECONDS = 10
"""How long a call may take; under a card's lease."""
RETRYABLE = frozenset(
    {
        "ratelimited",
        "rate_limited",
        "service_unavailable",
        "request_timeout",
        "internal_error",
        "fatal_error",
        "team_added_to_org",
    }
)
GONE = frozenset({"message_not_found", "cant_update_message", "edit_window_closed", "is_inactive"})
"""Refusals of an update after which a new message is posted."""
NO_THREAD = frozenset({"thread_not_found", "cannot_reply_to_message", "invalid_thread_ts"})
"""Refusals of a reply because of what it replies to."""
UNDONE = frozenset(
    {"ratelimited", "rate_limited", "service_unavailable", "request_timeout", "team_added_to_org"}
)
"""Of those, what Slack says before it has done anything. Of the others it may have done its part."""
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
PAGE = 200
"""Messages of one page of a conversation: the most that Slack advises."""
WHAT_TO_DO = {
    "channel_not_found": "Check SIGNOFF_CHANNEL, and invite the app to the channel if it is private.",
    "not_in_channel": "Invite the app: write /invite and its name in the channel.",
    "is_archived": "The channel is archived: unarchive it, or set SIGNOFF_CHANNEL to another one.",
    "token_revoked": "Install the app again and set SLACK_BOT_TOKEN to the new token.",
    "token_expired": "Set SLACK_BOT_TOKEN to a token that is valid.",
    "account_inactive": "Install the app again and set SLACK_BOT_TOKEN to the new token.",
    "invalid_auth": "Set SLACK_BOT_TOKEN to the app's bot token (xoxb-…).",
    "not_authed": "Set SLACK_BOT_TOKEN to the app's bot token (xoxb-…).",
    "missing_scope": "Install the app again with the scopes of manifest.yml.",
}


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
        """Any method; None is left out."""
        given = {name: value for name, value in arguments.items() if value is not None}
        try:
            if method in READS:  # Slack takes no JSON bodies for these
                return self.web.api_call(method, http_verb="GET", params=given).data  # type: ignore[return-value]
            if method in FORMS:
                return self.web.api_call(method, params=given).data  # type: ignore[return-value]
            return self.web.api_call(method, json=given).data  # type: ignore[return-value]
        except SlackApiError as error:
            raise _translate(method, error) from None
        except (SlackClientError, URLError, http.client.HTTPException, OSError, ValueError) as error:
            reason = getattr(error, "reason", error)  # urllib's, where nobody was reached
            undone = isinstance(reason, ConnectionRefusedError | socket.gaierror)
            raise SlackUnavailable(f"{method}: {type(error).__name__}.", undone=undone) from None

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
            text=text,
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
        self.call("chat.update", channel=channel, ts=ts, text=text, blocks=blocks, metadata=metadata)

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
    ) -> None:
        """A message only one person sees. A thing worth saying, not worth failing for: errors are logged."""
        said = {"user": user, "text": text, "blocks": blocks, "thread_ts": thread_ts}
        try:
            self.call("chat.postEphemeral", channel=channel, **said)
        except SlackError as error:
            log.info("not said privately: %s", error)

    def open_view(self, trigger_id: str, view: dict[str, Any]) -> str:
        """Open a modal, within 3 s of the click; its id."""
        return str(self.call("views.open", trigger_id=trigger_id, view=view)["view"]["id"])

    def push_view(self, trigger_id: str, view: dict[str, Any]) -> str:
        """Open a modal over another; its id."""
        return str(self.call("views.push", trigger_id=trigger_id, view=view)["view"]["id"])

    def update_view(self, view_id: str, view: dict[str, Any]) -> None:
        """Replace an open modal."""
        self.call("views.update", view_id=view_id, view=view)

    def publish_home(self, user: str, view: dict[str, Any]) -> None:
        """A person's App Home."""
        self.call("views.publish", user_id=user, view=view)


def _translate(method: str, error: SlackApiError) -> SlackError:
    answer = error.response
    code = answer.get("error") or "internal_error"
    limited = answer.status_code == 429 or code in ("ratelimited", "rate_limited")
    if limited or code in RETRYABLE or answer.status_code >= 500:
        after = str(answer.headers.get("Retry-After", ""))
        return SlackUnavailable(
            f"{code}.",
            float(after) if after.isdigit() else 2.0,
            limited=method if limited else "",
            undone=code in UNDONE and answer.status_code < 500,
        )
    said = (answer.get("response_metadata") or {}).get("messages") or []
    return SlackRefused(code, WHAT_TO_DO.get(code) or (json.dumps(said[:3]) if said else ""))
