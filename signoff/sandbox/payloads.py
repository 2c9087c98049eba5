"""Payloads as Slack sends them, with the fields that Slack documents.

A message in a payload has no metadata: an app that needs it has to keep its own record.
"""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass
from typing import Any, Final

from signoff.sandbox.team import APP_ID, BOT_USER_ID, TEAM_DOMAIN, TEAM_ID, Channel, User
from signoff.sandbox.workspace import Workspace

JSON = dict[str, Any]
_UNSENT: Final = ("metadata", "ephemeral_to")


@dataclass(frozen=True, slots=True)
class Payloads:
    """Builds payloads; every one has a trigger or an event id of its own."""

    workspace: Workspace
    verification_token: str = "sandbox-verification-token"

    def _interaction(self, kind: str, user: User, view_id: str | None = None) -> JSON:
        who = {"id": user.id, "username": user.name, "name": user.name, "team_id": user.team_id}
        return {
            "type": kind,
            "user": who,
            "api_app_id": APP_ID,
            "token": self.verification_token,
            "trigger_id": self.workspace.new_trigger(user.id, view_id),
            "team": {"id": TEAM_ID, "domain": TEAM_DOMAIN},
            "enterprise": None,
            "is_enterprise_install": False,
        }

    def message_action(self, user: User, channel: Channel, message: JSON, action: JSON, values: JSON) -> JSON:
        """block_actions on a message. An ephemeral message itself is not in it: Slack does not keep those."""
        ephemeral = "ephemeral_to" in message
        container: JSON = {"type": "message", "message_ts": message["ts"], "channel_id": channel.id}
        container["is_ephemeral"] = ephemeral
        if message.get("thread_ts"):
            container["thread_ts"] = message["thread_ts"]
        payload = self._interaction("block_actions", user)
        payload |= {"container": container, "channel": {"id": channel.id, "name": channel.payload_name}}
        if not ephemeral:
            payload["message"] = {name: value for name, value in message.items() if name not in _UNSENT}
        payload["state"] = {"values": values}
        payload["response_url"] = self.workspace.new_response_url(channel.id, user.id, message["ts"])
        payload["actions"] = [action]
        return payload

    def view_action(self, user: User, view: JSON, action: JSON) -> JSON:
        """block_actions in a modal or on a Home."""
        payload = self._interaction("block_actions", user, view["id"])
        payload |= {"container": {"type": "view", "view_id": view["id"]}, "view": view, "actions": [action]}
        return payload

    def view_submission(self, user: User, view: JSON) -> JSON:
        """A modal is submitted; `view` holds what was typed."""
        return self._interaction("view_submission", user, view["id"]) | {"view": view, "response_urls": []}

    def view_closed(self, user: User, view: JSON, *, is_cleared: bool) -> JSON:
        """A modal is closed. It carries no trigger."""
        payload = self._interaction("view_closed", user) | {"view": view, "is_cleared": is_cleared}
        del payload["trigger_id"]
        return payload

    def command(self, user: User, channel: Channel, command: str, text: str) -> JSON:
        """A slash command. Everything in it is text, since Slack sends these as forms."""
        return {
            "token": self.verification_token,
            "team_id": TEAM_ID,
            "team_domain": TEAM_DOMAIN,
            "channel_id": channel.id,
            "channel_name": channel.payload_name,
            "user_id": user.id,
            "user_name": user.name,
            "command": command,
            "text": text,
            "api_app_id": APP_ID,
            "is_enterprise_install": "false",
            "response_url": self.workspace.new_response_url(channel.id, user.id),
            "trigger_id": self.workspace.new_trigger(user.id),
        }

    def event(self, event: JSON) -> JSON:
        """The envelope's payload around an event."""
        bot = {"enterprise_id": None, "team_id": TEAM_ID, "user_id": BOT_USER_ID, "is_bot": True}
        return {
            "token": self.verification_token,
            "team_id": TEAM_ID,
            "api_app_id": APP_ID,
            "event": event,
            "type": "event_callback",
            "event_id": f"Ev{secrets.token_hex(5).upper()}",
            "event_time": int(time.time()),
            "authorizations": [{**bot, "is_enterprise_install": False}],
            "is_ext_shared_channel": False,
        }

    def home_opened(self, user: User) -> JSON:
        """app_home_opened, with the Home as it stands where there is one."""
        channel = self.workspace.team.direct_message(user.id)
        event: JSON = {"type": "app_home_opened", "user": user.id, "channel": channel.id, "tab": "home"}
        home = self.workspace.views.homes.get(user.id)
        if home is not None:
            event["view"] = home
        return self.event({**event, "event_ts": self.workspace.next_ts()})
