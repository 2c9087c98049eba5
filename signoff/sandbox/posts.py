"""What is written in channels, and the events that tell the app of it.

`{"type": "message", "user", "channel", "text", "thread_ts"?}` writes as a person; `text` is as Slack keeps
it, so a mention is `<@U…>`. Its answer has `channel`, `ts` and `events`: each event that was sent, with its
own `acked`. `acked` is true where all of them were; where nothing was sent it is false and `events` is empty.
An app that subscribes to messages hears of its own ones too. Edits and deletions send no event here.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

from signoff.bot.blocks import POSTED_TEXT
from signoff.sandbox import act
from signoff.sandbox.errors import ActError, SlackError
from signoff.sandbox.events import Events
from signoff.sandbox.team import BOT_USER_ID, Channel, User
from signoff.sandbox.workspace import Workspace

JSON = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Posts:
    """The act `message`, and the events of messages."""

    workspace: Workspace
    events: Events

    async def write(self, user: User, fields: JSON) -> JSON:
        """A person writes, which only members of a channel do."""
        channel = self._place(user, fields)
        text = act.string(fields, "text")
        if len(text) > POSTED_TEXT:
            raise ActError("msg_too_long")
        thread_ts = act.text(fields, "thread_ts") or None
        try:
            thread_ts = self.workspace.thread_of(channel.id, thread_ts)
        except SlackError as error:
            raise ActError(error.error, 404) from None
        message = self.workspace.write(channel, user, text, thread_ts)
        made = self._made(channel, message, user)
        sending = [self.events.send(e, name, is_ext_shared=channel.is_ext_shared) for name, e in made]
        sent = [each for each in await asyncio.gather(*sending) if each is not None]
        return {
            "ok": True,
            "acked": bool(sent) and all(each.ack.acked for each in sent),
            "ack_ms": max((each.ack.ms for each in sent if each.ack.ms is not None), default=None),
            "response": None,
            "channel": channel.id,
            "ts": message["ts"],
            "events": [each.as_json() for each in sent],
        }

    def announce(self, channel: Channel, message: JSON) -> None:
        """Tell the app of a message that it has posted itself."""
        if self.events.subscribed(channel.message_event):
            for name, event in self._made(channel, message, self.workspace.team.users[BOT_USER_ID]):
                self.events.announce(event, name, is_ext_shared=channel.is_ext_shared)

    def _place(self, user: User, fields: JSON) -> Channel:
        if fields.get("channel") == BOT_USER_ID:
            act.of_this_team(user)
            return self.workspace.team.direct_message(user.id)
        channel = act.channel(self.workspace, user, fields)
        if user.id not in channel.members:
            raise ActError("not_in_channel", 403, detail="Only members of a channel write in it.")
        if channel.is_archived:
            raise ActError("is_archived", 409)
        return channel

    def _made(self, channel: Channel, message: JSON, author: User) -> list[tuple[str, JSON]]:
        """The events of a message, each with the name by which an app subscribes to it."""
        if not channel.bot_is_member:
            return []
        where = {"channel": channel.id, "event_ts": message["ts"]}
        event = {name: value for name, value in message.items() if name != "metadata"} | where
        if author.is_external:
            event |= _from_elsewhere(author)
        made = [(channel.message_event, event | {"channel_type": channel.message_type})]
        if f"<@{BOT_USER_ID}" in message["text"] and author.id != BOT_USER_ID and not channel.user:
            made.append(("app_mention", event | {"type": "app_mention"}))
        return made


def _from_elsewhere(author: User) -> JSON:
    """What tells people of another organisation from our own in an event; Bolt reads `user_team`."""
    profile = {
        "team": author.team_id,
        "name": author.name,
        "real_name": author.real_name,
        "display_name": author.name,
        "is_restricted": author.is_restricted,
        "is_ultra_restricted": author.is_ultra_restricted,
    }
    return {"user_team": author.team_id, "source_team": author.team_id, "user_profile": profile}
