"""Everything the stand-in knows: team, tokens, messages, triggers, response URLs.

Messages are never changed in place: an update stores a new object, so that payloads and the journal may hold
on to what was true when they were made. All writing goes through the methods here and in `views.py`.
"""

from __future__ import annotations

import hashlib
import secrets
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import uuid4

from signoff.sandbox import blocks
from signoff.sandbox import features as app_features
from signoff.sandbox.errors import SlackError
from signoff.sandbox.feed import Feed
from signoff.sandbox.files import File
from signoff.sandbox.subscriptions import DEFAULT
from signoff.sandbox.team import APP_ID, BOT_ID, BOT_USER_ID, TEAM_ID, Channel, Team, User, default_team
from signoff.sandbox.views import Views

JSON = dict[str, Any]
EARLIER: Final = 5
"""States of a message that a screen may still show after it was updated."""
DEFAULT_SCOPES: Final = (
    "chat:write",
    "commands",
    "users:read",
    "usergroups:read",
    "channels:read",
    "groups:read",
    "app_mentions:read",
)
RESPONSE_URL_USES: Final = 5
RESPONSE_URL_SECONDS: Final = 30 * 60
_REMEMBERED: Final = 10_000
"""Triggers and response URLs kept; the oldest go first."""


def _made_of(seed: str, which: str) -> str:
    return hashlib.sha256(f"{which} {seed}".encode()).hexdigest()[:24]


def _tombstone(message: JSON) -> JSON:
    """What Slack leaves of a deleted message: its place, and that it has replies."""
    kept = {name: message[name] for name in ("ts", "thread_ts", "reply_count", "latest_reply")}
    return {
        **kept,
        "type": "message",
        "subtype": "tombstone",
        "user": "USLACKBOT",
        "hidden": True,
        "text": "This message was deleted.",
    }


@dataclass(slots=True)
class Trigger:
    """A trigger_id: single-use and short-lived. `view_id` is the view in which it arose, if any."""

    user: str
    expires: float
    view_id: str | None = None
    used: bool = False


@dataclass(slots=True)
class ResponseUrl:
    """Where an app may answer an interaction: five times in thirty minutes."""

    channel: str
    user: str
    ts: str | None
    expires: float
    uses_left: int = RESPONSE_URL_USES


@dataclass(slots=True)
class Workspace:
    """The state of one stand-in. `base_url` has no slash at its end; times are seconds.

    Tokens are made of the `seed` where none are given; a file of its state holds that, and no token.
    """

    bot_token: str
    app_token: str
    signing_secret: str = field(init=False)
    """Of 32 characters, as Slack's."""
    trigger_seconds: float = 3.0
    base_url: str = ""
    team: Team = field(default_factory=default_team)
    scopes: list[str] = field(default_factory=lambda: list(DEFAULT_SCOPES))
    token_error: str = ""
    """Why the tokens no longer work: token_revoked or account_inactive."""
    events: list[str] = field(default_factory=lambda: list(DEFAULT))
    """What the app subscribes to, named as in a manifest's `bot_events`."""
    features: JSON = field(default_factory=lambda: dict(app_features.DEFAULT))
    """What the app offers to people, as in a manifest."""
    installed: bool = True
    plan: str = "standard"
    """Slack's plan: on `free` there are no user groups."""
    org_deploy: bool = False
    """Whether the app was made for a whole organisation: conversations are then known by their ids alone."""
    seed: str = field(default_factory=lambda: secrets.token_hex(16))
    posted: Callable[[Channel, JSON], None] = lambda channel, message: None
    """Hears of every message that the app posts for all to see."""
    feed: Feed = field(default_factory=Feed)
    views: Views = field(init=False)
    files: dict[str, File] = field(default_factory=dict)
    messages: dict[str, dict[str, JSON]] = field(default_factory=dict)
    earlier: dict[tuple[str, str], deque[JSON]] = field(default_factory=dict)
    reads: dict[tuple[str, str], str] = field(default_factory=dict)
    """By person and channel: the ts up to which they have read it."""
    triggers: OrderedDict[str, Trigger] = field(default_factory=OrderedDict)
    response_urls: OrderedDict[str, ResponseUrl] = field(default_factory=OrderedDict)
    last_ts: int = 0
    """In microseconds since 1970."""
    _given: tuple[bool, bool] = (False, False)

    def __post_init__(self) -> None:
        self.views = Views(self.feed)
        self._given = (bool(self.bot_token), bool(self.app_token))
        self.seed_tokens(self.seed)

    def seed_tokens(self, seed: str) -> None:
        """Make the tokens of this; those that were given stay."""
        self.seed = seed
        bot, app = self._given
        self.bot_token = self.bot_token if bot else f"xoxb-{_made_of(seed, 'bot')}"
        self.app_token = self.app_token if app else f"xapp-1-{_made_of(seed, 'app')}"
        self.signing_secret = _made_of(seed, "signing") + _made_of(seed, "secret")[:8]

    def reset(self) -> None:
        """Forget everything but the tokens and the clock."""
        self.team, self.views, self.token_error = default_team(), Views(self.feed), ""
        self.features = dict(app_features.DEFAULT)
        self.scopes, self.events, self.installed = list(DEFAULT_SCOPES), list(DEFAULT), True
        self.plan, self.org_deploy = "standard", False
        self.files.clear()
        self.messages.clear()
        self.earlier.clear()
        self.reads.clear()
        self.triggers.clear()
        self.response_urls.clear()

    def next_ts(self) -> str:
        """A message's timestamp, which is its id: seconds and microseconds, strictly increasing."""
        self.last_ts = max(time.time_ns() // 1000, self.last_ts + 1)
        return f"{self.last_ts // 1_000_000}.{self.last_ts % 1_000_000:06d}"

    def post(
        self,
        channel: Channel,
        text: str,
        message_blocks: list[Any] | None = None,
        *,
        metadata: JSON | None = None,
        thread_ts: str | None = None,
        ephemeral_to: str | None = None,
        files: list[JSON] | None = None,
    ) -> JSON:
        """Store a message of the app's bot and give it back."""
        message: JSON = {"type": "message", "user": BOT_USER_ID, "ts": self.next_ts()}
        message |= {"bot_id": BOT_ID, "app_id": APP_ID, "team": TEAM_ID, "text": text}
        if message_blocks:
            message["blocks"] = blocks.with_ids(message_blocks)
        if metadata:
            message["metadata"] = metadata
        if files:
            message["files"] = files
        if ephemeral_to:
            message["ephemeral_to"] = ephemeral_to
        self._add(channel, message, thread_ts)
        if not ephemeral_to:
            self.posted(channel, message)
        return message

    def write(self, channel: Channel, user: User, text: str, thread_ts: str | None = None) -> JSON:
        """Store a message of a person and give it back."""
        message: JSON = {"type": "message", "user": user.id, "ts": self.next_ts(), "team": user.team_id}
        message |= {"client_msg_id": str(uuid4()), "text": text, "blocks": blocks.of_text(text)}
        self._add(channel, message, thread_ts)
        return message

    def _add(self, channel: Channel, message: JSON, thread_ts: str | None) -> None:
        """Store a message; a reply that all can see is counted at its parent."""
        stored = self.messages.setdefault(channel.id, {})
        stored[message["ts"]] = message
        if thread_ts:
            message["thread_ts"] = thread_ts
        parent = stored.get(thread_ts) if thread_ts and "ephemeral_to" not in message else None
        if parent is not None:
            message["parent_user_id"] = parent["user"]
        self._tell(channel.id, message)
        if parent is None or thread_ts is None:
            return
        count = parent.get("reply_count", 0) + 1
        stored[thread_ts] = {
            **parent,
            "thread_ts": thread_ts,
            "reply_count": count,
            "latest_reply": message["ts"],
        }
        self._tell(channel.id, stored[thread_ts])

    def _tell(self, channel_id: str, message: JSON) -> None:
        to = message.get("ephemeral_to", "")
        self.feed.tell("message", {"channel": channel_id, "message": message}, channel=channel_id, user=to)

    def replace(self, channel_id: str, message: JSON) -> None:
        """Store another state of a message. A few earlier ones stay on screens that are behind."""
        ts = message["ts"]
        earlier = self.earlier.setdefault((channel_id, ts), deque(maxlen=EARLIER))
        earlier.appendleft(self.messages[channel_id][ts])
        self.messages[channel_id][ts] = message
        self._tell(channel_id, message)

    def delete(self, channel_id: str, ts: str) -> None:
        """Remove a message, if it is there. One with replies leaves a tombstone, and they stay."""
        message = self.message(channel_id, ts)
        if message is not None and message.get("reply_count"):
            self.replace(channel_id, _tombstone(message))
            return
        self.messages.get(channel_id, {}).pop(ts, None)
        self.feed.tell("gone", {"channel": channel_id, "ts": ts}, channel=channel_id)

    def message(self, channel_id: str, ts: str) -> JSON | None:
        """A message as it stands now."""
        return self.messages.get(channel_id, {}).get(ts)

    def thread_of(self, channel_id: str, ts: str | None) -> str | None:
        """The thread that a reply to this message stands in, None of no reply. Raises SlackError.

        A reply to a reply stands in the same thread.
        """
        if not ts:
            return None
        parent = self.message(channel_id, ts)
        if parent is None or "ephemeral_to" in parent:
            raise SlackError("thread_not_found")
        return str(parent.get("thread_ts", ts))

    def listed(self, channel_id: str, thread_ts: str | None = None) -> list[JSON]:
        """Messages oldest first: the top level and everything ephemeral, or a parent and its replies."""
        found = []
        for message in self.messages.get(channel_id, {}).values():
            thread = message.get("thread_ts")
            if thread_ts:
                wanted = thread_ts in (message["ts"], thread)
            else:
                wanted = thread in (None, message["ts"]) or "ephemeral_to" in message
            if wanted:
                found.append({"blocks": [], "metadata": {}, "thread_ts": None, **message})
        return found

    def seen_by(self, user_id: str, channel_id: str) -> list[JSON]:
        """The top level of a channel as one person sees it, oldest first: without what others alone see."""
        return [
            message
            for message in self.messages.get(channel_id, {}).values()
            if message.get("thread_ts") in (None, message["ts"])
            and message.get("ephemeral_to", user_id) == user_id
        ]

    def new_trigger(self, user: str, view_id: str | None = None) -> str:
        """A trigger_id for something that a person has just done."""
        trigger_id = f"{secrets.randbelow(10**13)}.{secrets.randbelow(10**12)}.{secrets.token_hex(16)}"
        self.triggers[trigger_id] = Trigger(user, time.monotonic() + self.trigger_seconds, view_id)
        if len(self.triggers) > _REMEMBERED:
            self.triggers.popitem(last=False)
        return trigger_id

    def check_trigger(self, trigger_id: str) -> Trigger:
        """The trigger, if it may still be used; it is not yet spent. Raises SlackError."""
        trigger = self.triggers.get(trigger_id)
        if trigger is None:
            raise SlackError("invalid_trigger_id")
        if trigger.used:
            raise SlackError("exchanged_trigger_id")
        if time.monotonic() > trigger.expires:
            raise SlackError("expired_trigger_id")
        return trigger

    def new_response_url(self, channel_id: str, user: str, ts: str | None = None) -> str:
        """A response_url; `ts` is the message that was pressed, if any."""
        token = secrets.token_urlsafe(24)
        expires = time.monotonic() + RESPONSE_URL_SECONDS
        self.response_urls[token] = ResponseUrl(channel_id, user, ts, expires)
        if len(self.response_urls) > _REMEMBERED:
            self.response_urls.popitem(last=False)
        return f"{self.base_url}/response/{token}"
